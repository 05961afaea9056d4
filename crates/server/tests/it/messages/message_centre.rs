//! All of it with a message centre by others, which counts what it gets. What is not acknowledged with success it never sends
//! again, so that a receipt that is turned away is lost.

use std::fs;
use std::sync::Arc;

use muster_domain::message::{BulkStatus, MessageStatus, Receipt};
use serde_json::{Value, json};

use super::process::{FLAGS, Sent};
use super::smsc::Smsc;
use super::world::{OURS, World, wait_for};
use crate::place::Place;
use crate::support::{Server, create_tenant};

pub(super) const PHONE: &str = "+491511230001";

/// The only carrier is a message centre on this port.
pub(super) fn by_smpp(port: u16, settings: &str) -> String {
    format!(
        "[carriers.main]\nkind = \"smpp\"\naddress = \"127.0.0.1:{port}\"\nsystem_id = \"muster\"\npassword = \"secret\"\n\
         reconnect_first_ms = 100\nreconnect_longest_ms = 400\n{settings}\n"
    )
}

/// A message centre that gives receipts.
pub(super) async fn smsc() -> Smsc {
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"receipts": "text", "quiet": true})).await;
    smsc
}

/// Messages to as many numbers, each once.
pub(super) async fn sent_once(smsc: &mut Smsc, count: usize) -> Value {
    let stats = smsc.stats().await;
    let found = [&stats["accepted"], &stats["numbers"], &stats["often"]];
    assert_eq!(found, [&json!(count), &json!(count), &json!(1)], "{stats}");
    stats
}

fn phones(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("+4915112{:05}", 30_000 + n))
}

/// By the binary: the API takes a message, the message centre gets it and tells that the phone has it; the phone answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_out_its_receipt_and_its_answer_come_back() {
    let mut smsc = smsc().await;
    smsc.set(json!({"quiet": false})).await;
    let place = Arc::new(Place::new());
    let port = smsc.port;
    let server = {
        let place = Arc::clone(&place);
        fs::write(place.path().join("carriers.toml"), by_smpp(port, "")).unwrap();
        let start = move || Server::start_in(place, &[&FLAGS, &["--carriers", "carriers.toml"][..]].concat());
        tokio::task::spawn_blocking(start).await.unwrap()
    };
    let checks = move || {
        let made = create_tenant(place.path(), "Acme", "ada@acme.example");
        let header = format!("X-LOX24-AUTH-TOKEN: {}", made["lox24"]["token"].as_str().unwrap());
        let sms = json!({"sender_id": OURS, "text": "Grüße 🙂", "phone": PHONE});
        let answer = server.send_with("POST", "/sms", &header, Some(&sms));
        assert_eq!(answer.status, 201, "{}", answer.body);
        let sent = Sent::new(Arc::clone(&place), made["tenant_id"].as_i64().unwrap());
        sent.wait(|all| all.values().all(|state| *state == (100, 1)));
        (server, sent)
    };
    let (server, sent) = tokio::task::spawn_blocking(checks).await.unwrap();
    let submitted = smsc.next("submitted").await;
    assert_eq!([&submitted["text"], &submitted["to"]], ["Grüße 🙂", &PHONE[1..]]);
    assert_eq!(smsc.next("delivered").await["status"], 0);
    sent_once(&mut smsc, 1).await;
    smsc.tell(json!({
        "do": "deliver", "source_addr_ton": 1, "source_addr_npi": 1, "source_addr": PHONE[1..],
        "dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": OURS[1..], "short_message": "Yes",
    }))
    .await;
    // It is acknowledged when the tenant has it.
    assert_eq!(smsc.next("delivered").await["status"], 0);
    let last = move || {
        let incomings = sent.incomings();
        assert_eq!(incomings.len(), 1);
        assert_eq!((incomings[0].text.as_str(), incomings[0].from.as_str()), ("Yes", PHONE));
        assert!(incomings[0].answers.is_some());
        server.stop();
    };
    tokio::task::spawn_blocking(last).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_message_centre_goes_out_once_when_it_comes() {
    let first = smsc().await;
    let port = first.port;
    first.kill().await;
    let world = World::new().await;
    let running = world.run(&by_smpp(port, ""));
    let mut all = Vec::new();
    for phone in phones(20) {
        all.push(world.send(&phone).await);
    }
    wait_for(async || running.counts.deferred.get() >= 5).await;
    for id in &all {
        assert_eq!(world.state(*id).await, (MessageStatus::New, Receipt::Pending));
    }
    let mut smsc = Smsc::start_at(port).await;
    smsc.set(json!({"receipts": "tlv", "quiet": true})).await;
    for id in all {
        // Some may have been sent before it gave receipts.
        wait_for(async || world.state(id).await.0 == MessageStatus::HandedOver).await;
    }
    wait_for(async || running.counts.handed_over.get() == 20).await;
    sent_once(&mut smsc, 20).await;
    assert_eq!(running.counts.unknown.get(), 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_throttled_goes_out_once_later() {
    let mut smsc = smsc().await;
    // ESME_RTHROTTLED, four times.
    smsc.set(json!({"status": {"*": 0x58}, "times": {"*": 4}})).await;
    let world = World::new().await;
    let running = world.run(&by_smpp(smsc.port, "window = 2"));
    let mut all = Vec::new();
    for phone in phones(10) {
        all.push(world.send(&phone).await);
    }
    for id in all {
        world.wait_delivered(id).await;
    }
    assert_eq!(sent_once(&mut smsc, 10).await["submitted"], 14);
    assert_eq!(running.counts.unknown.get(), 0);
    running.stop().await;
}

/// They come faster than hand-overs are noted, and than anybody could store them.
#[tokio::test(flavor = "multi_thread")]
async fn receipts_come_in_storms_and_none_is_lost() {
    let mut smsc = smsc().await;
    let world = World::new().await;
    let running = world.run(&by_smpp(smsc.port, ""));
    let mut all = 0;
    // Of the first bulk each comes with its answer; those of the second come all at once, which are more than a connection
    // may have without an acknowledgement.
    for (begin, count, keeps) in [("+49151", 3000, false), ("+49152", 8000, true)] {
        smsc.set(json!({"keeps": keeps})).await;
        let id = world.bulk(begin, count, |_| ()).await;
        wait_for(async || world.found_bulk(id).await.status == BulkStatus::Completed).await;
        smsc.tell(json!({"do": "release"})).await;
        all += count;
        // Every one is answered, however.
        let answered = async |smsc: &mut Smsc| {
            let statuses = smsc.stats().await["statuses"].take();
            statuses.as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>()
        };
        wait_for(async || answered(&mut smsc).await == all as u64).await;
        let stats = sent_once(&mut smsc, all).await;
        assert_eq!(stats["statuses"], json!({"0": all}));
        assert_eq!(world.found_bulk(id).await.counts.delivered, count as u64);
    }
    assert_eq!(running.counts.unknown.get(), 0);
    assert_eq!(running.counts.receipts_unknown.get(), 0);
    running.stop().await;
}
