//! Limits that only a real connection meets.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use crate::support::{PASSWORD, Server, create_tenant, read_answer};

fn request(stream: &mut TcpStream, head: &str, body: &[u8]) {
    write!(
        stream,
        "POST /oauth/token HTTP/1.1\r\nHost: muster\r\nConnection: close\r\nContent-Type: application/json\r\n{head}\r\n"
    )
    .unwrap();
    stream.write_all(body).unwrap();
}

#[test]
fn a_body_over_the_limit_can_be_sent_and_its_answer_read() {
    let server = Server::start(&[]);
    let body = vec![b' '; 3 * 1024 * 1024];
    let mut stream = server.connect();
    request(&mut stream, &format!("Content-Length: {}\r\n", body.len()), &body);
    assert_eq!(read_answer(&mut stream).status, 413);

    let mut chunked = Vec::new();
    for chunk in body.chunks(64 * 1024) {
        write!(chunked, "{:x}\r\n", chunk.len()).unwrap();
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let mut stream = server.connect();
    request(&mut stream, "Transfer-Encoding: chunked\r\n", &chunked);
    assert_eq!(read_answer(&mut stream).status, 413);
}

#[test]
fn an_early_refusal_can_be_read_by_a_client_that_is_still_sending() {
    let server = Server::start(&[]);
    for path in ["/v3/nothing", "/v3/groups/7", "/nothing"] {
        let body = vec![b' '; 900 * 1024];
        let mut stream = server.connect();
        write!(
            stream,
            "PUT {path} HTTP/1.1\r\nHost: muster\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )
        .unwrap();
        stream.write_all(&body).unwrap();
        assert!(matches!(read_answer(&mut stream).status, 401 | 404), "{path}");
    }
}

#[test]
fn a_client_that_asks_first_is_told_before_it_sends() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    request(&mut stream, "Content-Length: 3000000\r\nExpect: 100-continue\r\n", b"");
    let answer = read_answer(&mut stream);
    assert_eq!(answer.status, 413, "{answer:?}");
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let server = Server::start(&["--header-timeout", "1"]);
    let mut stream = server.connect();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: mus").unwrap();
    let mut rest = Vec::new();
    // The connection ends long before the client's own patience of 20 s.
    stream.read_to_end(&mut rest).unwrap();
}

#[test]
fn a_body_that_does_not_come_runs_into_the_request_timeout() {
    let server = Server::start(&["--request-timeout", "1"]);
    let mut stream = server.connect();
    request(&mut stream, "Content-Length: 100\r\n", b"{");
    let answer = read_answer(&mut stream);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.head.contains("retry-after: 1"));
}

#[test]
fn connections_over_the_limit_are_told_to_come_back() {
    let server = Server::start(&["--max-connections", "2"]);
    let held = [server.connect(), server.connect()];
    sleep(Duration::from_millis(200));
    let mut stream = server.connect();
    let answer = read_answer(&mut stream);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.head.contains("retry-after: 1"));
    assert_eq!(answer.body["error"], "Too many connections");
    drop(held);
    sleep(Duration::from_millis(200));
    assert_eq!(server.send("GET", "/healthz", "", None).status, 200);
}

#[test]
fn a_flood_of_log_ins_starves_nobody() {
    let server = Server::start(&["--rate-limits", "off"]);
    create_tenant(server.folder(), "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let body = br#"{"email":"eve@acme.example","password":"a wrong password"}"#;
    let mut flood: Vec<TcpStream> = (0..200).map(|_| server.connect()).collect();
    for stream in &mut flood {
        request(stream, &format!("Content-Length: {}\r\n", body.len()), body);
    }
    for _ in 0..20 {
        assert_eq!(server.send("GET", "/v3/groups/1", &token, None).status, 200);
    }
    let answers: Vec<u16> = flood.iter_mut().map(|stream| read_answer(stream).status).collect();
    assert!(answers.iter().all(|status| matches!(status, 401 | 503)), "{answers:?}");
    assert!(answers.contains(&503) && answers.contains(&401), "{answers:?}");
}
