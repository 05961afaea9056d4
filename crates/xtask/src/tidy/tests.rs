use super::layout::{domain, migrations};
use super::source::{LEFT_OVERS, LINES};
use super::{Source, findings};

fn source(path: &str, text: impl Into<Vec<u8>>) -> Source {
    Source { path: path.to_owned(), bytes: text.into() }
}

/// What is found in files, as it is printed.
fn found(sources: &[Source]) -> Vec<String> {
    findings(sources).iter().map(ToString::to_string).collect()
}

#[test]
fn a_clean_tree_has_no_findings() {
    let sources = [
        source("README.md", "See [performance](docs/performance.md#how) and [errors](docs/errors.md).\n"),
        source("docs/performance.md", "# Performance\n"),
        source("docs/errors.md", "# Errors\n"),
        source("crates/a/src/lib.rs", "fn main() {}\n"),
        source("crates/a/src/empty.rs", ""),
        source("crates/a/tests/reply.snap", "trailing \n\n"),
        source("logo.png", [0xff, 0x00]),
    ];
    assert_eq!(found(&sources), [""; 0]);
}

#[test]
fn lines_have_no_trailing_space_and_a_file_ends_with_one_newline() {
    assert_eq!(
        found(&[source("a.md", "a\nb \nc\t\n")]),
        ["a.md:2: ends with white space", "a.md:3: ends with white space"]
    );
    assert_eq!(found(&[source("a.sql", "a\r\n")]), ["a.sql:1: ends with white space"]);
    assert_eq!(found(&[source("check", "a")]), ["check: does not end with a newline"]);
    assert_eq!(found(&[source("a.toml", "a = 1\n\n")]), ["a.toml: ends with more than one newline"]);
    assert_eq!(found(&[source("a.sh", [0xff])]), ["a.sh: is not UTF-8"]);
}

#[test]
fn rust_files_are_short() {
    assert_eq!(found(&[source("a.rs", "x\n".repeat(LINES))]), [""; 0]);
    assert_eq!(found(&[source("a.rs", "x\n".repeat(401))]), ["a.rs: has 401 lines, more than 400"]);
    assert_eq!(found(&[source("a.sql", "x\n".repeat(401))]), [""; 0]);
}

#[test]
fn left_overs_are_found_in_rust_only() {
    for left_over in LEFT_OVERS {
        let text = format!("fn a() {{\n    {left_over}\n}}\n");
        assert_eq!(found(&[source("a.rs", text.clone())]), [format!("a.rs:2: holds `{left_over}`")]);
        assert_eq!(found(&[source("a.md", text)]), [""; 0]);
    }
}

#[test]
fn the_domain_depends_on_nothing_of_the_edges() {
    let names = |manifest: &str| -> Vec<String> { domain(manifest).into_iter().map(|f| f.text).collect() };
    let fine = "[dependencies]\nserde_json.workspace = true\n[dev-dependencies]\ntokio = \"1\"\n";
    assert_eq!(names(fine), [""; 0]);
    assert_eq!(
        names("[dependencies]\nserde.workspace = true\n"),
        ["depends on serde; the core must not know it"]
    );
    assert_eq!(
        names("[target.'cfg(unix)'.dependencies]\nsql = { package = \"rusqlite\" }\n"),
        ["depends on rusqlite; the core must not know it"]
    );
    assert!(names("[dependencies").iter().all(|text| text.starts_with("is not TOML")));
}

#[test]
fn pages_are_linked_from_an_entrance() {
    let sources = [
        source("README.md", "docs/errors.md, [mine](docs/errors.md.txt)\n"),
        source("docs/deep/page.md", "[errors](docs/errors.md)\n"),
        source("docs/errors.md", "# Errors\n"),
    ];
    assert_eq!(
        found(&sources),
        ["docs/errors.md: is not linked from README.md, ARCHITECTURE.md, CONTRIBUTING.md"]
    );
}

#[test]
fn migrations_are_numbered_without_gaps_in_each_folder() {
    let paths = |paths: &[&'static str]| -> Vec<String> {
        migrations(paths.iter().copied()).iter().map(ToString::to_string).collect()
    };
    assert_eq!(paths(&["m/migrations/a/0002_b.sql", "m/migrations/a/0001_a.sql", "m/0007_x.sql"]), [""; 0]);
    assert_eq!(
        paths(&["migrations/a/0001_a.sql", "migrations/a/0003_c.sql", "migrations/a/0004_d.sql"]),
        ["migrations/a/0003_c.sql: should be the migration 0002_…"]
    );
    assert_eq!(
        paths(&["migrations/b/0001_a.sql", "migrations/b/0001_b.sql"]),
        ["migrations/b/0001_b.sql: should be the migration 0002_…"]
    );
    assert_eq!(paths(&["migrations/c/a.sql"]), ["migrations/c/a.sql: should be the migration 0001_…"]);
}
