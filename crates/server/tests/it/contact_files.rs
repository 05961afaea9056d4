//! The files that an import reads and those that it and an export make.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::place::Place;
use crate::support::{create_tenant, fail, run, succeed, text};
use serde_json::{Value, json};

const GOOD: &str = "phone,name_a\n+12015550123,Ada\n";
const BAD: &str = "phone,name_a\n+12015550123,Ada\nCALL-ME,Kim\n";

/// A folder with a store that has the tenant Acme in it, and a file.
fn store(file: impl AsRef<[u8]>) -> Place {
    let folder = Place::new();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    fs::write(folder.path().join("a.csv"), file).unwrap();
    folder
}

fn import(folder: &Path, args: &[&str]) -> Value {
    let output = run(folder, &[&["import", "contacts", "a.csv", "--tenant", "1", "--json"], args].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

#[test]
fn an_import_overwrites_nothing_but_what_one_has_told() {
    let folder = store(BAD);
    let folder = folder.path();
    fs::hard_link(folder.join("a.csv"), folder.join("hard.csv")).unwrap();
    std::os::unix::fs::symlink("a.csv", folder.join("soft.csv")).unwrap();
    fs::write(folder.join("other.csv"), "mine").unwrap();
    let command = ["import", "contacts", "a.csv", "--tenant", "1", "--new-group", "G", "--errors"];
    for (errors, why) in [
        ("a.csv", "is the file that is imported"),
        ("./a.csv", "is the file that is imported"),
        ("hard.csv", "is the file that is imported"),
        ("soft.csv", "is the file that is imported"),
        ("other.csv", "no file of bad rows"),
        (".", "is a folder"),
    ] {
        let said = fail(folder, &[&command[..], &[errors]].concat());
        assert!(said.contains(why), "{errors}: {said}");
    }
    assert_eq!(fs::read_to_string(folder.join("a.csv")).unwrap(), BAD);
    assert_eq!(fs::read_to_string(folder.join("other.csv")).unwrap(), "mine");

    assert_eq!(import(folder, &["--new-group", "G"])["bad"], 1, "none of these has made a group");
    let errors = folder.join("a.csv.errors.csv");
    assert_eq!(fs::metadata(&errors).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(import(folder, &["--group", "G"])["bad"], 1);
    fs::write(folder.join("a.csv"), GOOD).unwrap();
    assert_eq!(import(folder, &["--group", "G"])["bad"], 0);
    assert!(!errors.exists(), "what it says is of another run");
}

#[test]
fn an_export_has_its_name_when_it_is_complete() {
    let folder = store(GOOD);
    let folder = folder.path();
    import(folder, &["--new-group", "G"]);
    // What is left of one that was broken off.
    std::os::unix::fs::symlink("elsewhere", folder.join("out.csv.partial")).unwrap();
    succeed(folder, &["export", "contacts", "out.csv", "--tenant", "1", "--group", "G"]);
    assert_eq!(fs::metadata(folder.join("out.csv")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!folder.join("out.csv.partial").is_symlink() && !folder.join("elsewhere").exists());
    // One that cannot be written leaves nothing under its name.
    fs::create_dir(folder.join("two.csv.partial")).unwrap();
    fail(folder, &["export", "contacts", "two.csv", "--tenant", "1", "--group", "G"]);
    assert!(!folder.join("two.csv").exists());
}

#[test]
fn a_group_is_known_by_its_id_and_by_its_name() {
    let folder = store(GOOD);
    let folder = folder.path();
    assert_eq!(import(folder, &["--new-group", "2024"])["group_id"], 1);
    assert_eq!(import(folder, &["--group", "2024"])["group_id"], 1);
    let again = ["import", "contacts", "a.csv", "--tenant", "1", "--new-group", "2024"];
    assert!(fail(folder, &again).contains("--group imports into it"));
    assert_eq!(import(folder, &["--new-group", "1"])["group_id"], 2);
    let both = fail(folder, &["export", "contacts", "--tenant", "1", "--group", "1"]);
    assert!(both.contains("the name of another") && both.contains("(2)"), "{both}");
    assert_eq!(import(folder, &["--group", "2"])["group_id"], 2);
    assert!(
        fail(folder, &["export", "contacts", "--tenant", "1", "--group", "77"]).contains("no contact group")
    );
}

#[test]
fn what_is_bad_at_the_beginning_stops_no_import() {
    let folder = store("\"x\" y,1\n\"z\" y,1\n+12015550123,Ada\n");
    let result = import(folder.path(), &["--new-group", "G", "--no-header"]);
    assert_eq!((&result["added"], &result["bad"]), (&json!(1), &json!(2)), "{result}");
    let refused = |bytes: &[u8], args: &[&str]| {
        fs::write(folder.path().join("a.csv"), bytes).unwrap();
        let command = ["import", "contacts", "a.csv", "--tenant", "1", "--new-group", "refused"];
        fail(folder.path(), &[&command, args].concat())
    };
    assert!(refused(b"\"x\" y\n", &["--no-header"]).contains("none of the first 1 rows"));
    assert!(refused(b"phone,name_a\r+12015550123,Ada\r", &[]).contains("carriage return alone"));
    assert!(refused(&vec![b'x'; 1 << 20], &[]).contains("longer than"));
}

#[test]
fn rows_are_counted_alike_wherever_they_stand_and_the_country_is_told() {
    let folder = store("phone,name_a\n(201) 555-0123,Ada\n+12015550123,Ada\n+12015550123,Kim\n");
    let folder = folder.path();
    for dry in [&["--dry-run"][..], &[]] {
        let result = import(folder, &[&["--new-group", "G"], dry].concat());
        let counts = ["added", "updated", "unchanged", "national"].map(|name| result[name].as_u64().unwrap());
        assert_eq!(counts, [1, 1, 1, 1], "{result}");
        assert_eq!(result["country"], "US");
    }
    let said =
        succeed(folder, &["import", "contacts", "a.csv", "--tenant", "1", "--group", "G", "--dry-run"]);
    assert!(said.contains("National numbers are read as those of US (tenant Acme)"), "{said}");
}
