//! `muster import contacts` and `muster export contacts`.

use std::fs;
use std::path::Path;

use crate::place::Place;
use crate::support::{Server, create_tenant, fail, run, succeed, text};
use serde_json::{Value, json};

/// A folder with a store that has the tenant Acme in it.
fn store() -> Place {
    let folder = Place::new();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    folder
}

fn write(folder: &Place, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), bytes).unwrap();
}

fn read(folder: &Place, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// Imports into a new group that has the name of the file, with more arguments; the result of `--json`.
fn import(folder: &Path, file: &str, args: &[&str]) -> Value {
    let command = ["import", "contacts", file, "--tenant", "Acme", "--new-group", file, "--json"];
    let output = run(folder, &[&command, args].concat());
    serde_json::from_str(&text(&output.stdout)).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

/// The group of a name as CSV, without its header and the ids.
fn exported(folder: &Path, group: &str) -> Vec<String> {
    let csv = succeed(folder, &["export", "contacts", "--tenant", "Acme", "--group", group]);
    csv.lines().skip(1).map(|row| row.split_once(',').unwrap().1.to_owned()).collect()
}

#[test]
fn a_file_is_imported_by_its_headers_and_again_without_a_change() {
    let folder = store();
    write(
        &folder,
        "a.csv",
        "Name_A,phone,ignored,callback_data,NAME_C\nAda,(201) 555-0123,x,cb-1,Reno\n\"Kim, \"\"K\"\"\",+4915112345678,y,,\"two\nlines\"\n",
    );
    let counts = |result: &Value| {
        ["rows", "added", "updated", "unchanged", "bad"].map(|name| result[name].as_u64().unwrap())
    };
    let first = import(folder.path(), "a.csv", &[]);
    assert_eq!(counts(&first), [2, 2, 0, 0, 0], "{first}");
    let again = ["import", "contacts", "a.csv", "--tenant", "1", "--group", "A.CSV", "--json"];
    let second: Value = serde_json::from_str(&succeed(folder.path(), &again)).unwrap();
    assert_eq!(counts(&second), [2, 0, 0, 2, 0]);
    assert_eq!(second["group_id"], first["group_id"]);
    // A number is known in whatever way it is written; an empty cell clears, a column that is not there keeps.
    write(&folder, "a.csv", "phone,name_c\n12015550123,\n+1 202 555 0188,Elko\n");
    let third: Value = serde_json::from_str(&succeed(folder.path(), &again)).unwrap();
    assert_eq!(counts(&third), [2, 1, 1, 0, 0]);
    let rows = exported(folder.path(), "a.csv");
    assert_eq!(rows[0], "+12015550123,Ada,,,,,cb-1");
    assert_eq!(rows.last().unwrap(), "+12025550188,,,Elko,,,");
    assert_eq!(succeed(folder.path(), &["doctor"]), "Nothing is wrong with the store.\n");
}

#[test]
fn what_was_exported_can_be_imported_and_is_the_same() {
    let folder = store();
    let header = "phone,First name,\"=Last, name\",col_B,x,y,callback_data";
    let rows =
        "+12015550123,'=1+1,-5,\"a \"\"b\"\"\",,'',''cb\r\n+12025550188,@x,+1,,\"\u{e4}\r\n\u{20ac}\",,\r\n";
    write(&folder, "a.csv", format!("{header}\r\n{rows}"));
    let columns = ["--a", "First name", "--b", "=Last, name", "--d", "x", "--e", "y"];
    assert_eq!(import(folder.path(), "a.csv", &columns)["added"], 2);
    succeed(folder.path(), &["export", "contacts", "one.csv", "--tenant", "Acme", "--group", "a.csv"]);
    let one = read(&folder, "one.csv");
    assert!(one.starts_with("id,phone,First name,\"'=Last, name\",col_C,x,y,callback_data\r\n"), "{one}");
    assert!(one.contains(",'=1+1,'-5,,,'',''cb\r\n"), "{one}");
    assert_eq!(import(folder.path(), "one.csv", &[])["added"], 2);
    succeed(folder.path(), &["export", "contacts", "two.csv", "--tenant", "Acme", "--group", "one.csv"]);
    let without_ids = |csv: &str| {
        let cut =
            |record: &str| record.split_once(",+").map_or(record.to_owned(), |(_, rest)| rest.to_owned());
        csv.split("\r\n").map(cut).collect::<Vec<_>>()
    };
    assert_eq!(without_ids(&read(&folder, "two.csv")), without_ids(&one));
    assert!(
        fail(folder.path(), &["export", "contacts", "two.csv", "--tenant", "1", "--group", "1"])
            .contains("never")
    );

    // Into a group whose labels stand at other places, by the labels.
    write(&folder, "b.csv", "phone,x,First name\n+13035550110,1,2\n");
    assert_eq!(import(folder.path(), "b.csv", &["--a", "x", "--b", "First name"])["added"], 1);
    succeed(folder.path(), &["import", "contacts", "one.csv", "--tenant", "Acme", "--group", "b.csv"]);
    let merged = succeed(folder.path(), &["export", "contacts", "--tenant", "Acme", "--group", "b.csv"]);
    let header = merged.lines().next().unwrap();
    assert!(header.starts_with("id,phone,x,First name,"), "{header}");
    assert!(merged.contains("+12025550188,\"\u{e4}\r\n\u{20ac}\",'@x,"), "{merged}");
}

#[test]
fn bad_rows_are_told_and_the_others_are_imported() {
    let folder = store();
    let long = "x".repeat(1531);
    let wide = ",".repeat(199);
    let rows = format!(
        "phone,Given,callback_data\n+12015550123,a,\nCALL-ME,b,\n,c,\n+12015550124,{long},{}\n+12015550125,d\n\
         {wide}\n\"+12015550126\"x,e,\n+12015550127,f,\n\"+1201555",
        "y".repeat(37)
    );
    write(&folder, "bad.csv", [rows.as_bytes(), b"0128,g,\n+12015550129,\xe9,\n+12015550130,h,\n"].concat());
    let output = run(
        folder.path(),
        &["import", "contacts", "bad.csv", "--tenant", "Acme", "--new-group", "G", "--a", "Given"],
    );
    assert!(!output.status.success());
    let told = text(&output.stderr);
    assert!(told.contains("8 rows were left out; bad.csv.errors.csv says why"), "{told}");
    assert_eq!(text(&output.stdout), "11 rows for group 1: 3 added, 0 updated, 0 unchanged, 8 bad\n");
    let errors = read(&folder, "bad.csv.errors.csv");
    let lines: Vec<&str> = errors.lines().collect();
    let starts = [
        "line,column,reason",
        "3,phone,must be a phone number",
        "4,phone,must not be empty",
        "5,Given,must not be longer than 1530 characters",
        "5,callback_data,must not be longer than 36 characters",
        "6,,the row has 2 cells instead of 3",
        "7,,the row has 200 cells instead of 3",
        "8,,something stands between a closing quotation mark",
        "10,,a quotation mark is not closed",
        "11,Given,is not UTF-8; if the file is Latin-1, say --encoding latin-1",
    ];
    assert_eq!(lines.len(), starts.len(), "{errors}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.trim_start_matches(['"']).replace('"', "").starts_with(start), "{line}\n{start}");
    }
    assert_eq!(
        exported(folder.path(), "G"),
        ["+12015550123,a,,,,,", "+12015550127,f,,,,,", "+12015550130,h,,,,,"]
    );
}

#[test]
fn other_encodings_delimiters_and_files_without_a_header_are_read() {
    let folder = store();
    write(&folder, "semicolon.csv", "\u{feff}phone;name_a\r\n+12015550123;\u{fc},v\r\n");
    assert_eq!(import(folder.path(), "semicolon.csv", &[])["added"], 1);
    assert_eq!(exported(folder.path(), "semicolon.csv"), ["+12015550123,\"\u{fc},v\",,,,,"]);
    write(&folder, "latin.csv", b"phone\tname_a\n+12015550123\t\xfc\n");
    assert_eq!(import(folder.path(), "latin.csv", &["--encoding", "latin-1"])["added"], 1);
    assert_eq!(exported(folder.path(), "latin.csv"), ["+12015550123,\u{fc},,,,,"]);
    write(&folder, "bare.csv", "+12015550123|Ada|Lee\n+12015550124|Kim|\n");
    assert_eq!(import(folder.path(), "bare.csv", &["--no-header", "--delimiter", "|"])["added"], 2);
    assert_eq!(exported(folder.path(), "bare.csv"), ["+12015550123,Ada,Lee,,,,", "+12015550124,Kim,,,,,"]);
    write(&folder, "places.csv", "x,Ada,+12015550123\n");
    let places = ["--no-header", "--phone", "3", "--c", "2"];
    assert_eq!(import(folder.path(), "places.csv", &places)["added"], 1);
    assert_eq!(exported(folder.path(), "places.csv"), ["+12015550123,,,Ada,,,"]);

    let refused = |file: &str, args: &[&str]| {
        let command = ["import", "contacts", file, "--tenant", "Acme", "--new-group", "refused"];
        fail(folder.path(), &[&command, args].concat())
    };
    let wrong = refused("semicolon.csv", &["--delimiter", ","]);
    assert!(wrong.contains("no column is called phone") && wrong.contains("--delimiter"), "{wrong}");
    write(&folder, "utf16.csv", b"\xff\xfep\0h\0");
    assert!(refused("utf16.csv", &[]).contains("UTF-16"));
    write(&folder, "empty.csv", "");
    assert!(refused("empty.csv", &[]).contains("is empty"));
    write(&folder, "twice.csv", "phone,phone\n1,2\n");
    assert!(refused("twice.csv", &[]).contains("two columns"));
    assert!(refused("semicolon.csv", &["--b", "nobody"]).contains("no column \"nobody\""));
    assert!(refused("absent.csv", &[]).contains("absent.csv"));
    // Nothing of all that has made a group.
    assert!(
        fail(folder.path(), &["export", "contacts", "--tenant", "1", "--group", "refused"])
            .contains("no contact group")
    );
    assert!(refused("bare.csv", &["--new-group", ""]).contains("--new-group"));
}

#[test]
fn a_dry_run_tells_and_writes_nothing() {
    let folder = store();
    write(&folder, "a.csv", "phone,name_a\n+12015550123,1\n+12015550123,2\n+12015550124,\n12,\n");
    let dry = import(folder.path(), "a.csv", &["--dry-run"]);
    assert_eq!((&dry["added"], &dry["updated"], &dry["bad"]), (&json!(2), &json!(1), &json!(1)), "{dry}");
    assert_eq!(dry["group_id"], Value::Null);
    assert!(
        fail(folder.path(), &["export", "contacts", "--tenant", "1", "--group", "a.csv"])
            .contains("no contact group")
    );
    let real = import(folder.path(), "a.csv", &["--errors", "why.csv"]);
    assert_eq!((&real["added"], &real["updated"], &real["bad"]), (&json!(2), &json!(1), &json!(1)), "{real}");
    assert!(read(&folder, "why.csv").starts_with("line,column,reason\n5,phone,"));
    assert_eq!(exported(folder.path(), "a.csv")[0], "+12015550123,2,,,,,", "the last row of a number counts");
    let again = ["import", "contacts", "a.csv", "--tenant", "1", "--group", "1", "--dry-run", "--json"];
    let output = run(folder.path(), &again);
    let again: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&again["added"], &again["updated"], &again["unchanged"]), (&json!(0), &json!(0), &json!(3)));
    // A second group of the name would be a second copy.
    let second = ["import", "contacts", "a.csv", "--tenant", "1", "--new-group", "A.csv"];
    assert!(fail(folder.path(), &second).contains("--group imports into it"));
}

#[test]
fn an_import_goes_on_beside_a_running_server_and_after_it_was_broken_off() {
    let server = Server::start(&[]);
    let made = create_tenant(server.folder(), "Acme", "ada@acme.example");
    let rows: Vec<String> = (0..12_000).map(|number| format!("+4915{number:08},N {number}\n")).collect();
    let rows = format!("phone,name_a\n{}", rows.concat());
    let file = server.folder().join("many.csv");
    fs::write(&file, &rows).unwrap();
    // Broken off: of the first part the rest is not there yet.
    fs::write(server.folder().join("part.csv"), &rows[..rows.len() / 2]).unwrap();
    let part = ["import", "contacts", "part.csv", "--tenant", "1", "--new-group", "Many", "--json"];
    let part: Value = serde_json::from_slice(&run(server.folder(), &part).stdout).unwrap();
    let all = ["import", "contacts", "many.csv", "--tenant", "1", "--group", "Many", "--json"];
    let all: Value = serde_json::from_str(&succeed(server.folder(), &all)).unwrap();
    assert_eq!(all["added"].as_u64().unwrap() + part["added"].as_u64().unwrap(), 12_000);
    let key = format!("X-LOX24-AUTH-TOKEN: {}", made["lox24"]["token"].as_str().unwrap());
    let group = server.send_with("GET", "/groups/1", &key, None);
    assert_eq!((group.status, &group.body["count_items"]), (200, &json!(12_000)), "{group:?}");
    let journal =
        succeed(server.folder(), &["journal", "--tenant", "1", "--entity", "contact_group", "--json"]);
    let added: u64 = journal
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|entry| entry["kind"] == "contact_group.contacts_added")
        .map(|entry| entry["changes"]["phones"]["added"].as_u64().unwrap_or(0))
        .sum();
    assert_eq!(added, 12_000);
}
