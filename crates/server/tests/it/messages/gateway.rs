//! The binary with a gateway: hand-overs, what it tells by signed requests, and what phones send.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::sync::Arc;
use std::thread;

use muster_delivery::{SigningSecret, signed_headers};
use serde_json::{Value, json};

use super::process::{FLAGS, Sent, real_now};
use super::world::OURS;
use crate::place::Place;
use crate::support::{Answer, Server, create_tenant, fail, read_answer, succeed};
use crate::webhooks::sink::{Reply, Sink};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PHONE: &str = "+491511230001";

fn config(sink: &Sink, more: &str) -> String {
    format!(
        "[carriers.web]\nkind = \"http\"\nurl = \"{}\"\nbody = '{{\"ref\":\"{{reference}}\"}}'\nmessage_id = \"/id\"\n\
         callback = {{ secrets = [\"{SECRET}\"] }}\n{more}\n",
        sink.url()
    )
}

/// A server with this file of carriers.
fn server(place: impl Into<Arc<Place>>, config: &str, flags: &[&str]) -> Server {
    let place: Arc<Place> = place.into();
    fs::write(place.path().join("carriers.toml"), config).unwrap();
    Server::start_in(place, &[&FLAGS, &["--carriers", "carriers.toml"][..], flags].concat())
}

/// What a gateway sends.
fn tell(server: &Server, name: &str, secret: &str, body: &str) -> Answer {
    let secret = SigningSecret::parse(secret).unwrap();
    let at = real_now().0 / 1_000_000;
    let headers = signed_headers("msg_1", at, body.as_bytes(), &[secret]).unwrap();
    let mut lines = String::new();
    for (name, value) in &headers {
        write!(lines, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    let mut stream = server.connect();
    write!(
        stream,
        "POST /carriers/{name}/callback HTTP/1.1\r\nHost: muster\r\nConnection: close\r\n{lines}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    read_answer(&mut stream)
}

#[test]
fn a_gateway_tells_what_became_of_messages_and_what_phones_send() {
    let sink = Sink::answering(|hit| {
        Reply::Text(json!({"id": format!("g-{}", hit.body["ref"].as_str().unwrap())}).to_string())
    });
    let server = server(Place::new(), &config(&sink, ""), &[]);
    let tenant = create_tenant(server.folder(), "Acme", "ada@acme.example")["tenant_id"].as_i64().unwrap();
    let sent = Sent::new(server.place(), tenant);
    let id = sent.send(PHONE);
    sent.wait(|all| all[&id].0 == 100);
    let receipt = json!({"id": format!("g-{id}"), "state": "delivered"}).to_string();
    assert_eq!(tell(&server, "web", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &receipt).status, 401);
    assert_eq!(tell(&server, "web", SECRET, "nothing").status, 400);
    assert_eq!(tell(&server, "other", SECRET, &receipt).status, 404);
    assert_eq!(server.send("GET", "/carriers/web/callback", "", None).status, 405);
    assert_eq!(tell(&server, "web", SECRET, &receipt).status, 200);
    assert_eq!(sent.states()[&id], (100, 1));
    // From the phone: joined to what it answers, once however often it comes.
    let stop = json!({"id": "in-1", "from": PHONE, "to": OURS, "text": "STOP"}).to_string();
    for _ in 0..2 {
        assert_eq!(tell(&server, "web", SECRET, &stop).status, 200);
    }
    let incomings = sent.incomings();
    assert_eq!(incomings.len(), 1);
    assert_eq!(
        (incomings[0].text.as_str(), incomings[0].answers.map(|id| id.to_string())),
        ("STOP", Some(id))
    );
    let blocked = sent.send(PHONE);
    assert_eq!(sent.states()[&blocked].0, 208);
    // Whose it is cannot be known.
    let lost = json!({"id": "in-2", "from": "+491511239999", "to": "12345", "text": "Hello?"}).to_string();
    assert_eq!(tell(&server, "web", SECRET, &lost).status, 200);
    assert!(server.log().contains("a message from a phone is dropped"), "{}", server.log());
    assert!(!server.log().contains(SECRET));
    server.stop();
}

/// A storm of messages: each one that is acknowledged is stored, once.
#[test]
fn every_message_of_a_storm_that_is_acknowledged_is_stored() {
    const CALLERS: usize = 16;
    const CALLS: usize = 6;
    const EACH: usize = 20;
    let sink = Sink::new();
    let place = Arc::new(Place::new());
    let made = {
        // The tenant has to be known before the file is written.
        let first = Server::start_in(Arc::clone(&place), &[]);
        let made = create_tenant(place.path(), "Acme", "ada@acme.example");
        first.stop();
        made
    };
    let tenant = made["tenant_id"].as_i64().unwrap();
    let routing = format!("[routing]\ninbound_default = {tenant}\n");
    // Another process would hand over; what gateways tell is taken here.
    let server = server(Arc::clone(&place), &config(&sink, &routing), &["--messages", "off"]);
    let acknowledged: usize = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let server = &server;
                scope.spawn(move || {
                    let mut taken = 0;
                    for call in 0..CALLS {
                        let of = |n: usize| {
                            let id = format!("{caller}-{call}-{n}");
                            json!({"id": id, "from": "+491511230001", "to": "72345", "text": format!("storm {id}")})
                        };
                        let body = Value::from((0..EACH).map(of).collect::<Vec<_>>()).to_string();
                        // Also what is told twice is there once.
                        for _ in 0..2 {
                            match tell(server, "web", SECRET, &body).status {
                                200 => taken += EACH,
                                status => assert_eq!(status, 503),
                            }
                        }
                    }
                    taken / 2
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    let stored = Sent::new(Arc::clone(&place), tenant).incomings();
    assert!(acknowledged >= CALLERS * EACH, "{acknowledged}");
    assert!(stored.len() >= acknowledged && stored.len() <= CALLERS * CALLS * EACH, "{}", stored.len());
    server.stop();
}

#[test]
fn every_fault_of_the_file_of_carriers_is_named_at_the_start() {
    let place = Place::new();
    let file = "[carriers.a]\nkind = \"smpp\"\naddress = \"x\"\nsystem_id = \"m\"\npassword = \"s3cretpass\"\nwindow = 0\n\
                [routing]\ninbound = { x = 1 }\n";
    fs::write(place.path().join("carriers.toml"), file).unwrap();
    for command in ["serve", "worker"] {
        let said = fail(place.path(), &[command, "--carriers", "carriers.toml"]);
        for field in ["carriers.a.address", "carriers.a.password", "carriers.a.window", "routing.inbound.x"] {
            assert!(said.contains(field), "{field}: {said}");
        }
        assert!(!said.contains("s3cretpass"), "{said}");
    }
    let said = fail(place.path(), &["serve", "--carriers", "gone.toml"]);
    assert!(said.contains("gone.toml"), "{said}");
    fs::write(place.path().join("carriers.toml"), "[carriers").unwrap();
    assert!(fail(place.path(), &["serve", "--carriers", "carriers.toml"]).contains("TOML"));
}

fn inbound<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let of = ["sandbox", "inbound", "--from", PHONE, "--to", OURS, "--text", "Yes"];
    [&of[..], more].concat()
}

#[test]
fn a_phone_is_played_while_the_server_runs() {
    let server = Server::start_in(Place::new(), &FLAGS);
    let tenant = create_tenant(server.folder(), "Acme", "ada@acme.example")["tenant_id"].as_i64().unwrap();
    let sent = Sent::new(server.place(), tenant);
    let said = fail(server.folder(), &inbound(&[]));
    assert!(said.contains("--tenant"), "{said}");
    let id = sent.send(PHONE);
    sent.wait(|all| all[&id] == (100, 1));
    let said: Value = serde_json::from_str(&succeed(server.folder(), &inbound(&["--json"]))).unwrap();
    assert_eq!((&said["tenant_id"], &said["answers"]), (&json!(tenant), &json!(id)));
    succeed(server.folder(), &inbound(&["--tenant", "Acme"]));
    assert_eq!(sent.incomings().len(), 2);
    assert!(fail(server.folder(), &inbound(&["--tenant", "Nobody"])).contains("Nobody"));
    server.stop();
}
