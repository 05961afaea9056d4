//! Start, log, stop.

use std::io::Write as _;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{PASSWORD, Server, create_tenant, read_answer};

#[test]
fn what_is_running_is_finished_before_the_end() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]);
        create_tenant(server.folder(), "Acme", "ada@acme.example");
        let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
        // An idle connection must not hold the end up.
        let _idle = server.connect();
        let mut stream = server.connect();
        let body = r#"{"org_unit_name":"North"}"#;
        write!(
            stream,
            "POST /v3/groups HTTP/1.1\r\nHost: muster\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            body.len(),
            &body[..10]
        )
        .unwrap();
        sleep(Duration::from_millis(200));
        server.signal(signal);
        sleep(Duration::from_millis(300));
        write!(stream, "{}", &body[10..]).unwrap();
        let answer = read_answer(&mut stream);
        assert_eq!(answer.status, 201, "{answer:?}");
        assert!(server.wait(Duration::from_secs(10)).is_some_and(|status| status.success()));
        assert!(server.log().contains("stopped"));
    }
}

#[test]
fn a_request_that_never_ends_does_not_hold_the_end_up() {
    let mut server = Server::start(&[]);
    let mut stream = server.connect();
    write!(stream, "POST /oauth/token HTTP/1.1\r\nHost: muster\r\nContent-Length: 10\r\n\r\n{{").unwrap();
    sleep(Duration::from_millis(200));
    server.signal("TERM");
    assert!(server.wait(Duration::from_secs(10)).is_some_and(|status| status.success()));
}

#[test]
fn what_was_written_is_there_after_a_restart() {
    let server = Server::start(&[]);
    create_tenant(server.folder(), "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let made = server.send("POST", "/v3/groups", &token, Some(&json!({"org_unit_name": "North"})));
    let path = format!("/v3/groups/{}", made.body["data"]["orgUnitId"]);
    let before = server.send("GET", &path, &token, None);
    let server = Server::start_in(server.stop(), &[]);
    let after = server.send("GET", &path, &token, None);
    assert_eq!((after.status, &after.body["data"]), (200, &before.body["data"]));
}

#[test]
fn each_request_leaves_one_line_without_secrets() {
    let server = Server::start(&["--log-format", "json"]);
    let tenant = create_tenant(server.folder(), "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let answer = server.send("GET", "/v3/groups/1?secret=query", &token, None);
    let log = server.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = lines.iter().find(|line| line["verb"] == "org_unit_get").unwrap_or_else(|| panic!("{log}"));
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/v3/groups/{id}");
    assert_eq!(line["status"], 200);
    assert_eq!(line["tenant"], tenant["tenant_id"]);
    assert_eq!(line["request_id"], answer.body["request_id"]);
    assert!(line["micros"].as_i64().is_some_and(|micros| micros > 0));
    assert_eq!(lines.iter().filter(|line| line["verb"] == "org_unit_get").count(), 1);
    for secret in [&token, PASSWORD, "secret=query"] {
        assert!(!log.contains(secret), "{secret}");
    }
}
