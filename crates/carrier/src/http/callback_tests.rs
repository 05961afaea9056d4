use muster_delivery::signed_headers;

use super::*;

const NOW: i64 = 1_764_000_000;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn callback(more: &str) -> Callback {
    let config = toml::from_str(&format!("secrets = [\"{SECRET}\"]\n{more}")).unwrap();
    Callback::new(&config)
}

fn events(callback: &Callback, body: &str) -> Result<Vec<Event>, CallbackFault> {
    let secrets = [SigningSecret::parse(SECRET).unwrap()];
    let headers = signed_headers("msg_1", NOW, body.as_bytes(), &secrets).unwrap();
    callback.events(&headers, body.as_bytes(), Timestamp(NOW * 1_000_000))
}

fn receipt(id: &str, state: State, error: Option<&str>) -> Event {
    let at = Timestamp(NOW * 1_000_000);
    Event::Receipt(Receipt { id: id.to_owned(), state, error: error.map(str::to_owned), at })
}

#[test]
fn receipts_and_messages_are_read() {
    let told = events(
        &callback(""),
        r#"[
            {"id": "a", "state": "delivered"},
            {"id": 7, "state": "REJECTED", "error": "E12"},
            {"id": "b", "state": "wonderful"},
            {"id": "c", "from": "+491", "to": "12345", "text": "Hi €"}
        ]"#,
    );
    let incoming = Incoming {
        id: Some("c".to_owned()),
        from: "+491".to_owned(),
        to: "12345".to_owned(),
        body: Body::Text("Hi €".to_owned()),
        missing: 0,
        at: Timestamp(NOW * 1_000_000),
    };
    assert_eq!(
        told,
        Ok(vec![
            receipt("a", State::Delivered, None),
            receipt("7", State::Rejected, Some("E12")),
            receipt("b", State::Unknown, None),
            Event::Incoming(incoming),
        ])
    );
}

#[test]
fn the_gateway_may_say_it_in_its_own_way() {
    let callback = callback(
        "state = \"/message/status\"\nid = \"/message/ref\"\n[states]\nDLVRD = \"delivered\"\n5 = \"expired\"\n",
    );
    let told =
        events(&callback, r#"[{"message":{"status":"DLVRD","ref":"x"}},{"message":{"status":5,"ref":"y"}}]"#);
    assert_eq!(told, Ok(vec![receipt("x", State::Delivered, None), receipt("y", State::Expired, None)]));
}

#[test]
fn what_is_not_the_gateways_is_not_read() {
    let callback = callback("");
    let body = br#"{"id":"a","state":"delivered"}"#;
    let none = callback.events(&HeaderMap::new(), body, Timestamp(0));
    assert_eq!(none.map_err(|fault| fault.status()), Err(401));
    let other = [SigningSecret::new([1; 32])];
    let headers = signed_headers("msg_1", NOW, body, &other).unwrap();
    let forged = callback.events(&headers, body, Timestamp(NOW * 1_000_000));
    assert_eq!(forged, Err(CallbackFault::Signature(SignatureFault::Signature)));
    let secrets = [SigningSecret::parse(SECRET).unwrap()];
    let headers = signed_headers("msg_1", NOW, body, &secrets).unwrap();
    let late = callback.events(&headers, body, Timestamp((NOW + 301) * 1_000_000));
    assert_eq!(late, Err(CallbackFault::Signature(SignatureFault::Time)));
}

#[test]
fn broken_bodies_are_refused() {
    for body in [
        "",
        "{",
        "{}",
        "7",
        "null",
        r#"{"state":"delivered"}"#,
        r#"{"from":"a","to":"b"}"#,
        r#"[{"id":"a"}]"#,
        r#"[{"id":"a"},7,{"text":"b"}]"#,
    ] {
        let status = events(&callback(""), body).map_err(|fault| fault.status());
        assert_eq!(status, Err(400), "{body}");
    }
    let many = format!("[{}]", [r#"{"id":"a","state":"delivered"}"#; 1001].join(","));
    assert_eq!(events(&callback(""), &many).map_err(|fault| fault.status()), Err(400));
    assert_eq!(events(&callback(""), "[]"), Ok(Vec::new()));
}

#[test]
fn what_cannot_be_read_takes_nothing_with_it() {
    let told =
        events(&callback(""), r#"[{"id":"a","state":"delivered"},{"id":"b"},{"id":"c","state":"expired"}]"#);
    assert_eq!(told, Ok(vec![receipt("a", State::Delivered, None), receipt("c", State::Expired, None)]));
}

#[test]
fn a_message_without_an_id_is_known_by_its_request() {
    let body = r#"[{"from":"a","to":"b","text":"x"},{"from":"a","to":"b","text":"x"}]"#;
    let ids = |told: Vec<Event>| -> Vec<String> {
        let id = |event| match event {
            Event::Incoming(incoming) => incoming.id.unwrap(),
            Event::Receipt(receipt) => receipt.id,
        };
        told.into_iter().map(id).collect()
    };
    let first = ids(events(&callback(""), body).unwrap());
    assert_eq!(first, ["msg_1/0", "msg_1/1"]);
    assert_eq!(ids(events(&callback(""), body).unwrap()), first, "it comes again");
    assert_eq!(ids(events(&callback(""), r#"{"from":"a","to":"b","text":"x"}"#).unwrap()), ["msg_1/0"]);
    assert_eq!(place(&"x".repeat(500), 999).chars().count(), MAX_ID);
}

#[test]
fn what_is_far_too_long_is_cut() {
    let long = "x".repeat(100_000);
    let body = format!(r#"{{"from":"{long}","to":"{long}","text":"{long}"}}"#);
    let Event::Incoming(incoming) = events(&callback(""), &body).unwrap().remove(0) else {
        panic!("a receipt")
    };
    let Body::Text(text) = incoming.body else { panic!("no text") };
    assert_eq!((incoming.from.len(), incoming.to.len(), text.len()), (MAX_NUMBER, MAX_NUMBER, MAX_TEXT));
}
