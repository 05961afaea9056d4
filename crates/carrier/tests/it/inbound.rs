//! Messages of phones.

use std::collections::HashSet;
use std::time::Duration;

use muster_carrier::{Body, Event, Incoming};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::smsc::Smsc;
use crate::world::{World, short};

fn deliver(more: &Value) -> Value {
    let mut all = json!({
        "do": "deliver", "source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "491512345678",
        "destination_addr": "12345",
    });
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

fn incoming(event: Event) -> Incoming {
    match event {
        Event::Incoming(incoming) => incoming,
        Event::Receipt(receipt) => panic!("{receipt:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_acknowledged_when_it_is_stored() {
    let mut smsc = Smsc::start().await;
    let mut world = World::bound(smsc.port, "").await;
    smsc.tell(deliver(&json!({"hex": hex(b"Hi \x1be"), "data_coding": 0}))).await;
    let report = world.report().await;
    assert_eq!(&*report.carrier, "main");
    let Event::Incoming(found) = report.event else { panic!("it is a receipt") };
    assert_eq!((found.from.as_str(), found.to.as_str(), found.missing), ("+491512345678", "12345", 0));
    assert_eq!(found.body, Body::Gsm(b"Hi \x1be".to_vec()));
    let early = timeout(Duration::from_millis(300), smsc.next("delivered")).await;
    assert!(early.is_err(), "it was not stored yet");
    report.ack.stored();
    assert_eq!(smsc.next("delivered").await["status"], 0);
    // What cannot be stored is to come again (ESME_RX_T_APPN).
    smsc.tell(deliver(&json!({"hex": hex(b"Hi"), "data_coding": 0}))).await;
    drop(world.report().await);
    assert_eq!(smsc.next("delivered").await["status"], 0x64);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_have_their_alphabets() {
    let mut smsc = Smsc::start().await;
    let mut world = World::bound(smsc.port, "").await;
    for (data_coding, bytes, body) in [
        (8, utf16("Grüße 🙂"), Body::Text("Grüße 🙂".to_owned())),
        (3, vec![b'a', 0xFC], Body::Text("aü".to_owned())),
        (1, b"abc".to_vec(), Body::Text("abc".to_owned())),
        (4, vec![0, 255], Body::Binary(vec![0, 255])),
        (0xF1, b"a@b".to_vec(), Body::Gsm(b"a@b".to_vec())),
        (0, vec![b'a', 0xFC], Body::Text("aü".to_owned())),
    ] {
        smsc.tell(deliver(&json!({"hex": hex(&bytes), "data_coding": data_coding}))).await;
        assert_eq!(incoming(world.event().await).body, body, "{data_coding}");
    }
    // A text of a phone that looks like a receipt is none.
    smsc.tell(deliver(&json!({"hex": hex(b"id:m1 stat:DELIVRD err:000"), "data_coding": 0}))).await;
    assert!(matches!(incoming(world.event().await).body, Body::Gsm(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_joined() {
    let mut smsc = Smsc::start().await;
    let mut world = World::bound(smsc.port, "").await;
    // The smile is cut in two.
    let text = utf16("Grüße 🙂!");
    let part = |number: u8, bytes: &[u8]| {
        let mut payload = vec![5, 0, 3, 42, 3, number];
        payload.extend(bytes);
        deliver(&json!({"hex": hex(&payload), "esm_class": 0x40, "data_coding": 8}))
    };
    for (number, range) in [(3, 14..18), (1, 0..6), (2, 6..14)] {
        smsc.tell(part(number, &text[range])).await;
    }
    let report = world.report().await;
    let found = incoming(report.event);
    assert_eq!((&found.body, found.missing), (&Body::Text("Grüße 🙂!".to_owned()), 0));
    report.ack.stored();
    for _ in 0..3 {
        assert_eq!(smsc.next("delivered").await["status"], 0);
    }
    // With the optional parameters instead of a header.
    for number in [2, 1] {
        let parameters = json!({
            "hex": hex(&[b'a' + number]), "data_coding": 0,
            "sar_msg_ref_num": 700, "sar_total_segments": 2, "sar_segment_seqnum": number,
        });
        smsc.tell(deliver(&parameters)).await;
    }
    assert_eq!(incoming(world.event().await).body, Body::Gsm(b"bc".to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parts_that_never_come_the_others_are_reported() {
    let mut smsc = Smsc::start().await;
    let mut world = World::bound(smsc.port, "join_timeout_ms = 1500").await;
    smsc.tell(deliver(&json!({"hex": "050003070202" .to_owned() + &hex(b"end"), "esm_class": 0x40}))).await;
    // A message centre that waits for the acknowledgement before it sends the next part is not kept waiting.
    assert_eq!(smsc.next("delivered").await["status"], 0);
    let report = world.report().await;
    // Nobody else has it, so it comes again until it is stored.
    drop(report);
    let found = incoming(world.event().await);
    assert_eq!((&found.body, found.missing), (&Body::Gsm(b"end".to_vec()), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_stores_nothing_hangs() {
    let mut smsc = Smsc::start().await;
    let mut world = World::bound(smsc.port, "join_timeout_ms = 1100").await;
    world.reports = World::new("kind = \"sandbox\"").reports;
    smsc.tell(deliver(&json!({"hex": hex(b"Hi"), "data_coding": 0}))).await;
    assert_eq!(smsc.next("delivered").await["status"], 0x64);
    // A part would be acknowledged after a second if there were somebody.
    smsc.tell(deliver(&json!({"hex": "050003070202".to_owned() + &hex(b"end"), "esm_class": 0x40}))).await;
    assert_eq!(smsc.next("delivered").await["status"], 0x64);
    timeout(Duration::from_secs(5), world.carriers.close()).await.expect("it hangs");
}

/// Waits until so many were answered, and says with what.
async fn answers(smsc: &mut Smsc, count: u64) -> Value {
    for _ in 0..2000 {
        let statuses = smsc.stats().await["statuses"].take();
        let answered: u64 = statuses.as_object().unwrap().values().filter_map(Value::as_u64).sum();
        if answered >= count {
            return statuses;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("not all are answered: {}", smsc.stats().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_is_held_back_until_it_can() {
    const COUNT: usize = 10_000;
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"quiet": true})).await;
    let mut world = World::bound(smsc.port, "response_timeout_ms = 60000").await;
    smsc.tell(deliver(&json!({"hex": hex(b"Hi"), "data_coding": 0, "count": COUNT}))).await;
    // Nothing is stored, so that no more than so many come.
    let mut reports = Vec::new();
    while let Ok(report) = timeout(Duration::from_millis(500), world.reports.next()).await {
        reports.push(report.unwrap());
    }
    assert!(reports.len() <= 4000, "{}", reports.len());
    assert_eq!(answers(&mut smsc, 0).await, json!({}));
    let rest = COUNT - reports.len();
    for report in reports {
        report.ack.stored();
    }
    for _ in 0..rest {
        world.event().await;
    }
    assert_eq!(answers(&mut smsc, COUNT as u64).await, json!({"0": COUNT}));
    assert_eq!(smsc.stats().await["binds"], 1);
}

/// The answer of the message centre stands behind what nobody takes.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_taken_is_turned_away_in_time_for_the_answers_to_us() {
    const COUNT: u64 = 20_000;
    const ROOM: u64 = 1024;
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"quiet": true})).await;
    let mut world = World::bound(smsc.port, "response_timeout_ms = 6000\nenquire_interval_ms = 500").await;
    smsc.tell(deliver(&json!({"hex": hex(b"Hi"), "data_coding": 0, "count": COUNT}))).await;
    // When this is answered, they are on their way.
    smsc.stats().await;
    world.submit(short("+491512345678")).await.unwrap();
    assert_eq!(answers(&mut smsc, COUNT - ROOM).await, json!({"100": COUNT - ROOM}));
    // What was taken is to be had still.
    for _ in 0..ROOM {
        world.event().await;
    }
    assert_eq!(answers(&mut smsc, COUNT).await, json!({"0": ROOM, "100": COUNT - ROOM}));
    assert_eq!(smsc.stats().await["binds"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_until_what_is_reported_is_stored() {
    let mut smsc = Smsc::start().await;
    let mut world = World::bound(smsc.port, "").await;
    smsc.tell(deliver(&json!({"hex": hex(b"Hi"), "data_coding": 0}))).await;
    let report = world.report().await;
    let store = async {
        sleep(Duration::from_millis(200)).await;
        report.ack.stored();
    };
    tokio::join!(world.carriers.close(), store);
    assert_eq!(smsc.next("delivered").await["status"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_come_again_is_not_reported_at_the_end() {
    let mut smsc = Smsc::start().await;
    let mut world = World::bound(smsc.port, "").await;
    smsc.tell(deliver(&json!({"hex": "050003070201".to_owned() + &hex(b"begin"), "esm_class": 0x40}))).await;
    // When this is here, the part is.
    smsc.tell(deliver(&json!({"hex": hex(b"Hi"), "data_coding": 0}))).await;
    world.event().await;
    let World { carriers, carrier, mut reports } = world;
    carriers.close().await;
    drop((carriers, carrier));
    let statuses = [smsc.next("delivered").await, smsc.next("delivered").await];
    assert_eq!(statuses.iter().filter(|told| told["status"] == 0x64).count(), 1, "{statuses:?}");
    let rest = timeout(Duration::from_secs(20), reports.next()).await.expect("somebody could report still");
    assert!(rest.is_none(), "{rest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_else_has_is_reported_at_the_end() {
    let mut smsc = Smsc::start().await;
    let mut world = World::bound(smsc.port, "join_timeout_ms = 1500").await;
    for reference in 0..60_u8 {
        let header = [5, 0, 3, reference, 2, 2];
        smsc.tell(deliver(&json!({"hex": hex(&header) + &hex(&[b'0' + reference]), "esm_class": 0x40})))
            .await;
    }
    for _ in 0..60 {
        assert_eq!(smsc.next("delivered").await["status"], 0);
    }
    // None can be stored.
    for _ in 0..60 {
        drop(world.report().await);
    }
    world.carriers.close().await;
    assert!(world.submit(short("+491512345678")).await.is_err());
    let World { carriers, carrier, mut reports } = world;
    drop((carriers, carrier));
    let mut found = HashSet::new();
    while let Some(report) = timeout(Duration::from_secs(20), reports.next()).await.expect("it hangs") {
        report.ack.stored();
        found.insert(format!("{:?}", incoming(report.event).body));
    }
    assert_eq!(found.len(), 60);
}
