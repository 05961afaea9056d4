//! Whoever else has the file.

use std::io::Write as _;
use std::time::Duration;

use serde_json::json;

use crate::place::Place;
use crate::support::{Server, run, text};

#[test]
fn a_store_that_another_process_holds_delays_neither_reads_nor_the_end() {
    let mut server = Server::start_in(Place::file(), &["--demo"]);
    let password =
        server.stdout().split("Password").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let token = server.log_in("admin@demo.example", &password).unwrap();
    let holder = rusqlite::Connection::open(server.folder().join("muster-data/muster.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    // More than one group of writes, none of which can begin.
    let body = json!({"city": "Reno"}).to_string();
    let mut writes: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for stream in &mut writes {
        write!(
            stream,
            "PATCH /v3/groups/1002 HTTP/1.1\r\nHost: muster\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
    }
    assert_eq!(server.send("GET", "/v3/groups/1002", &token, None).status, 200);
    assert_eq!(server.send("GET", "/readyz", "", None).status, 503);
    server.signal("TERM");
    assert!(server.wait(Duration::from_secs(10)).is_some_and(|status| status.success()), "{}", server.log());
}

#[test]
fn a_second_server_on_the_same_store_is_refused() {
    let server = Server::start_in(Place::file(), &[]);
    let output = run(server.folder(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("another muster server"), "{}", text(&output.stderr));
}
