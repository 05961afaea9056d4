//! Rules of the tree as a whole.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Finding, Source};

const DOMAIN: &str = "crates/domain/Cargo.toml";
/// The core knows no HTTP, no SQL, no wire format and no runtime. (`serde_json::Value` as an opaque
/// document is fine.)
const NOT_FOR_DOMAIN: [&str; 6] = ["axum", "http", "hyper", "rusqlite", "tokio", "serde"];
/// Where a reader finds the way to every page of documentation.
const ENTRANCES: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(manifest) = sources.iter().find(|source| source.path == DOMAIN) {
        findings.extend(domain(manifest.text().unwrap_or_default()));
    }
    findings.extend(links(sources));
    findings.extend(migrations(sources.iter().map(|source| source.path.as_str())));
    findings
}

/// What the manifest of the domain says of its dependencies; those of its tests are free.
pub(super) fn domain(manifest: &str) -> Vec<Finding> {
    let table: Table = match manifest.parse() {
        Ok(table) => table,
        Err(error) => return vec![Finding::new(DOMAIN, 0, format!("is not TOML: {error}"))],
    };
    let mut names = dependencies(&table);
    if let Some(targets) = table.get("target").and_then(Value::as_table) {
        names.extend(targets.values().filter_map(Value::as_table).flat_map(dependencies));
    }
    names
        .into_iter()
        .filter(|name| NOT_FOR_DOMAIN.contains(name))
        .map(|name| Finding::new(DOMAIN, 0, format!("depends on {name}; the core must not know it")))
        .collect()
}

/// The packages that a table of a manifest depends on, under their real names.
fn dependencies(table: &Table) -> Vec<&str> {
    let sections = ["dependencies", "build-dependencies"];
    sections
        .iter()
        .filter_map(|section| table.get(*section)?.as_table())
        .flatten()
        .map(|(name, value)| value.get("package").and_then(Value::as_str).unwrap_or(name))
        .collect()
}

/// Every page of `docs/` is linked from one of the entrances.
fn links(sources: &[Source]) -> Vec<Finding> {
    let entrances: Vec<&str> = sources
        .iter()
        .filter(|source| ENTRANCES.contains(&source.path.as_str()))
        .filter_map(Source::text)
        .collect();
    let linked = |page: &str| {
        let link = format!("({page}");
        entrances.iter().any(|text| {
            text.match_indices(&link).any(|(at, _)| text[at + link.len()..].starts_with([')', '#']))
        })
    };
    let is_page = |path: &&str| {
        let name = path.strip_prefix("docs/").and_then(|path| path.strip_suffix(".md"));
        name.is_some_and(|name| !name.contains('/'))
    };
    sources
        .iter()
        .map(|source| source.path.as_str())
        .filter(is_page)
        .filter(|page| !linked(page))
        .map(|page| Finding::new(page, 0, format!("is not linked from {}", ENTRANCES.join(", "))))
        .collect()
}

/// The migrations of each folder are numbered from 0001 without gaps.
pub(super) fn migrations<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<Finding> {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (folder, file) in paths.filter_map(|path| path.rsplit_once('/')) {
        if let Some(name) = file.strip_suffix(".sql").filter(|_| is_migrations(folder)) {
            folders.entry(folder).or_default().push(name);
        }
    }
    let mut findings = Vec::new();
    for (folder, mut names) in folders {
        names.sort_unstable();
        for (number, name) in (1..).zip(names) {
            let prefix = format!("{number:04}_");
            if !name.starts_with(&prefix) {
                let path = format!("{folder}/{name}.sql");
                findings.push(Finding::new(&path, 0, format!("should be the migration {prefix}…")));
                break;
            }
        }
    }
    findings
}

fn is_migrations(folder: &str) -> bool {
    folder.split('/').any(|part| part == "migrations")
}
