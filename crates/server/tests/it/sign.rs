//! `muster sign`, and what it prints.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Server, create_tenant, fail, muster, succeed, text};

/// The example of the contract.
const VECTOR: [&str; 9] = [
    "sign",
    "GET",
    "/api/v1/user-groups",
    "--query",
    "search=night+desk&page=1&limit=5",
    "--access-key",
    "OLDEMO0001",
    "--date",
    "20260304T091500Z",
];

#[test]
fn the_headers_of_the_contracts_example_are_printed() {
    let folder = tempfile::TempDir::new().unwrap();
    let sign = |args: &[&str]| {
        let command = [&VECTOR[..], args].concat();
        text(
            &muster(folder.path(), &command)
                .env("MUSTER_ACCESS_SECRET", "s3cr3t-demo-key")
                .output()
                .unwrap()
                .stdout,
        )
    };
    assert_eq!(
        sign(&[]),
        "Authorization: ONLIVESITE Credential:OLDEMO0001, \
         Signature=c42ce66f2c91c961604e5f69cd1eae5a95e902ec6768edaa3428d0abece0c883\n\
         x-onlive-site-date: 20260304T091500Z\n"
    );
    assert!(
        sign(&["--curl"])
            .starts_with("curl -sg --path-as-is 'http://127.0.0.1:8080/api/v1/user-groups?search=")
    );
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "no store is made");
}

#[test]
fn what_cannot_be_signed_is_said() {
    let folder = tempfile::TempDir::new().unwrap();
    let sign = |args: &[&str]| {
        let rest = ["--access-key", "OL1-A", "--access-secret", "s"];
        fail(folder.path(), &[&["sign"], args, &rest[..]].concat())
    };
    assert!(sign(&["G ET", "/"]).contains("no method"));
    assert!(sign(&["GET", "api"]).contains("begin with /"));
    assert!(sign(&["GET", "/a b"]).contains("percent-encoded"));
    assert!(sign(&["GET", "/a?b", "--query", "c"]).contains("two queries"));
    assert!(sign(&["GET", "/", "--date", "yesterday"]).contains("20260304T091500Z"));
    assert!(sign(&["PUT", "/", "--body-file", "missing.json"]).contains("missing.json"));
    let empty = fail(folder.path(), &["sign", "GET", "/", "--access-key", "OL1-A", "--access-secret", " "]);
    assert!(empty.contains("secret is empty"), "{empty}");
}

#[test]
fn the_secret_is_a_line_of_standard_input() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut command = muster(folder.path(), &VECTOR);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // More may follow, and nobody waits for the end.
    input.write_all(b"s3cr3t-demo-key\nmore").unwrap();
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert!(text(&output.stdout).contains("Signature=c42ce66f2c91c961604e5f69cd1eae5a95e902ec6768edaa"));
    assert!(text(&output.stderr).contains("secret"), "it is asked for");
}

#[test]
fn the_printed_command_works_as_it_stands() {
    let server = Server::start(&["--demo"]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    let made = succeed(
        folder,
        &["credential", "create", "--tenant", "Acme", "--dialect", "onlive", "--name", "signer", "--json"],
    );
    let made: Value = serde_json::from_str(&made).unwrap();
    let key = |name: &str| made["client"][name].as_str().unwrap().to_owned();
    let (id, secret) = (key("access_key_id"), key("secret_access_key"));
    let demo = server.stdout();
    let url = demo.lines().find_map(|line| line.split_once("ready at ")).unwrap().1.trim();
    let body = folder.join("it's a body.json");
    fs::write(&body, r#"{"firstName":"Ida","lastName":"Moro","email":"ida@acme.example"}"#).unwrap();
    let send = |args: &[&str]| {
        let rest = ["--access-key", &id, "--access-secret", &secret, "--curl", "--url", url];
        let command = succeed(folder, &[&["sign"], args, &rest[..]].concat());
        let output = Command::new("bash").args(["-euc", &command]).output().unwrap();
        text(&output.stdout)
    };
    let created = send(&["post", "/api/v1/users", "--body-file", body.to_str().unwrap()]);
    assert!(created.contains(r#""fullName":"Ida Moro""#), "{created}");
    let listed = send(&["GET", "/api/v1/users/?search=ida+moro"]);
    assert!(listed.contains(r#""total":1"#), "{listed}");
    assert!(!server.log().contains(&secret), "no secret in the log");
}
