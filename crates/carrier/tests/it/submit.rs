//! Messages as the message centre gets them, and its receipts.

use std::time::Duration;

use muster_carrier::{Encoding, Event, Failed, Outgoing, Part, Reason, State};
use serde_json::json;

use crate::smsc::Smsc;
use crate::world::{World, ids, short};

fn long(encoding: Encoding, parts: &[&str]) -> Outgoing {
    let bytes = |text: &&str| match encoding {
        Encoding::Gsm => Part(text.as_bytes().to_vec()),
        Encoding::Ucs2 => Part(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    };
    Outgoing { encoding, parts: parts.iter().map(bytes).collect(), ..short("+491512345678") }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_message_goes_as_it_is() {
    let mut smsc = Smsc::start().await;
    let world = World::bound(smsc.port, "").await;
    assert_eq!(smsc.next("bound").await["version"], 0x34);
    let message =
        Outgoing { validity: Some(Duration::from_secs(90)), want_receipt: true, ..short("+491512345678") };
    assert_eq!(ids(world.submit(message).await.unwrap()), ["m1"]);
    let mut sent = smsc.next("submitted").await;
    sent["validity"].take();
    let expected = json!({
        "event": "submitted", "id": "m1", "from": "Muster", "from_ton": 5, "to": "491512345678", "to_ton": 1,
        "esm_class": 0, "data_coding": 0, "registered": 1, "validity": null, "text": "Hi", "udh": null,
    });
    assert_eq!(sent, expected);
    // What is short in UTF-16 has no header either.
    let message = long(Encoding::Ucs2, &["Grüße 🙂"]);
    world.submit(message).await.unwrap();
    let sent = smsc.next("submitted").await;
    assert_eq!(
        (&sent["text"], &sent["data_coding"], &sent["udh"]),
        (&json!("Grüße 🙂"), &json!(8), &json!(null))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_message_goes_in_parts_that_belong_together() {
    let mut smsc = Smsc::start().await;
    let world = World::bound(smsc.port, "").await;
    let mut references = Vec::new();
    for encoding in [Encoding::Gsm, Encoding::Ucs2] {
        let texts = ["a".repeat(60), "b".repeat(60), "c".repeat(7)];
        let parts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found = ids(world.submit(long(encoding, &parts)).await.unwrap());
        let mut sent = Vec::new();
        for _ in 0..3 {
            sent.push(smsc.next("submitted").await);
        }
        sent.sort_by_key(|part| part["udh"].as_str().unwrap().to_owned());
        for (number, part) in (1..).zip(&sent) {
            assert_eq!(part["esm_class"], 0x40);
            assert_eq!(part["data_coding"], if encoding == Encoding::Gsm { 0 } else { 8 });
            assert_eq!(part["text"], texts[number - 1]);
            assert_eq!(part["id"], found[number - 1], "ids stand in the order of the parts");
            let udh = part["udh"].as_str().unwrap();
            // The package tells a header with or without its own length.
            let udh = udh.strip_prefix("05").unwrap_or(udh);
            assert_eq!((&udh[..4], &udh[6..]), ("0003", format!("03{number:02x}").as_str()));
            references.push(udh[4..6].to_owned());
        }
    }
    references.dedup();
    assert_eq!(references.len(), 2, "each message has a reference of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_come_in_both_forms() {
    let mut smsc = Smsc::start().await;
    let mut world = World::bound(smsc.port, "").await;
    for form in ["text", "tlv"] {
        smsc.set(json!({"receipts": form})).await;
        let message = Outgoing { want_receipt: true, ..short("+491512345678") };
        let found = ids(world.submit(message).await.unwrap());
        let Event::Receipt(receipt) = world.event().await else { panic!("it is no receipt") };
        assert_eq!(
            (&receipt.id, receipt.state, receipt.error),
            (&found[0], State::Delivered, None),
            "{form}"
        );
        assert_eq!(smsc.next("delivered").await["status"], 0);
    }
    // Who does not ask for one gets none.
    world.submit(short("+491512345678")).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(300), world.reports.next()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_their_reasons() {
    let mut smsc = Smsc::start().await;
    let world = World::bound(smsc.port, "").await;
    for (status, reason) in [
        (0x0B, Reason::InvalidRecipient),
        (0x0A, Reason::InvalidSender),
        (0x01, Reason::InvalidMessage),
        (0x101, Reason::Blocked),
        (0xFE, Reason::NoRoute),
        (0x45, Reason::Other),
        (0x0400, Reason::Other),
    ] {
        smsc.set(json!({"status": {"*": status}})).await;
        let failed = world.submit(short("+491512345678")).await.unwrap_err();
        let Failed::Refused { reason: found, .. } = &failed else { panic!("{failed:?}") };
        assert_eq!(*found, reason, "{status:x}");
    }
    smsc.set(json!({"status": {"*": 8}})).await;
    assert!(matches!(world.submit(short("+491512345678")).await, Err(Failed::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_long_message_nothing_or_everything_is_known() {
    let mut smsc = Smsc::start().await;
    let world = World::bound(smsc.port, "").await;
    let message = long(Encoding::Gsm, &["a", "b", "c"]);
    // The first part is refused: nothing was sent.
    smsc.set(json!({"status": {"*": 0x0B}})).await;
    assert!(matches!(world.submit(message.clone()).await, Err(Failed::Refused { .. })));
    assert_eq!(smsc.stats().await["submitted"], 1);
    // Throttled after the first: the others are tried again.
    smsc.set(json!({"status": {}})).await;
    smsc.set(json!({"delay": null})).await;
    let submit = world.submit(message.clone());
    let throttle = async {
        smsc.next("submitted").await;
        smsc.set(json!({"status": {"*": 0x58}, "times": {"*": 2}, "delay": 0})).await;
        smsc.tell(json!({"do": "answer"})).await;
    };
    let (handed_over, ()) = tokio::join!(submit, throttle);
    assert_eq!(handed_over.unwrap().ids.len(), 3);
    // Refused after the first: what was taken is told, so that nobody sends it again without care.
    smsc.set(json!({"status": {}, "times": {}, "delay": null})).await;
    let refuse = async {
        smsc.next("submitted").await;
        smsc.set(json!({"status": {"*": 0x0B}, "delay": 0})).await;
        smsc.tell(json!({"do": "answer"})).await;
    };
    let (failed, ()) = tokio::join!(world.submit(message), refuse);
    let Err(Failed::Unknown { taken, .. }) = failed else { panic!("{failed:?}") };
    let [(0, Some(_))] = &taken[..] else { panic!("{taken:?}") };
}
