//! Claims that are held for long, and a store that is away when what came of a message is to be noted.

use std::time::Duration;

use muster_domain::message::{CLAIM, MessageStatus, Receipt};
use serde_json::json;
use tokio::time::sleep;

use super::message_centre::{PHONE, by_smpp, sent_once, smsc};
use super::world::{World, run_at, send_on, wait_for};
use crate::support::tamper;

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_renewed_for_as_long_as_its_carrier_takes() {
    const STEP: Duration = Duration::from_secs(20);
    let mut smsc = smsc().await;
    smsc.set(json!({"delay": null})).await;
    let world = World::new().await;
    // Of another tenant somebody has claimed a message and died: it shows that claims that are over are found.
    let other = world.tenant("Other").await;
    let of_other = send_on(&world.directory, other, PHONE, None).await;
    world.directory.messages_claim(other, None, 1).await.unwrap().unwrap();
    let config = by_smpp(smsc.port, "response_timeout_ms = 3600000");
    let often = Duration::from_millis(100);
    let one = run_at(&world.directory, &config, often);
    let id = world.send(PHONE).await;
    wait_for(async || smsc.stats().await["submitted"] == 1).await;
    let two = run_at(&world.beside().await, &config, often);
    for _ in 0..9 {
        world.advance(STEP);
        // It holds for at least so long now, which is more than it would without a renewal.
        let renewed = CLAIM.saturating_sub(STEP * 3 / 4);
        wait_for(async || {
            let now = world.directory.now();
            let work = world.directory.message_work(world.tenant, None).await.unwrap();
            work.lost_at.is_some_and(|at| at >= now.plus(renewed))
        })
        .await;
    }
    wait_for(async || world.found(other, of_other).await.is_sent()).await;
    wait_for(async || one.counts.recovered.get() + two.counts.recovered.get() == 1).await;
    assert_eq!(world.state(id).await, (MessageStatus::New, Receipt::Pending));
    smsc.tell(json!({"do": "answer"})).await;
    world.wait_delivered(id).await;
    wait_for(async || one.counts.handed_over.get() == 1).await;
    assert_eq!(sent_once(&mut smsc, 1).await["submitted"], 1);
    for running in [one, two] {
        assert_eq!(running.counts.late.get(), 0);
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_a_message_is_noted_when_the_store_is_back() {
    let mut smsc = smsc().await;
    smsc.set(json!({"delay": null})).await;
    let world = World::new().await;
    let running = world.run(&by_smpp(smsc.port, ""));
    let id = world.send(PHONE).await;
    wait_for(async || smsc.stats().await["submitted"] == 1).await;
    tamper(&world.place, "ALTER TABLE message_queue RENAME TO message_queue_away");
    smsc.tell(json!({"do": "answer"})).await;
    wait_for(async || smsc.stats().await["accepted"] == 1).await;
    // Some tries.
    sleep(Duration::from_millis(700)).await;
    assert_eq!((running.counts.handed_over.get(), running.counts.receipts.get()), (0, 0));
    tamper(&world.place, "ALTER TABLE message_queue_away RENAME TO message_queue");
    // Also the receipt, which has come meanwhile.
    world.wait_delivered(id).await;
    wait_for(async || running.counts.handed_over.get() == 1).await;
    let stats = sent_once(&mut smsc, 1).await;
    assert_eq!((&stats["submitted"], &stats["statuses"]), (&json!(1), &json!({"0": 1})));
    assert_eq!(running.counts.unknown.get(), 0);
    running.stop().await;
}

/// The message centre tells each receipt once.
#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_recorded_when_the_store_is_back() {
    let mut smsc = smsc().await;
    smsc.set(json!({"keeps": true})).await;
    let world = World::new().await;
    let running = world.run(&by_smpp(smsc.port, ""));
    let id = world.send(PHONE).await;
    wait_for(async || running.counts.handed_over.get() == 1).await;
    tamper(&world.place, "ALTER TABLE carrier_parts RENAME TO carrier_parts_away");
    smsc.tell(json!({"do": "release"})).await;
    // Some tries.
    sleep(Duration::from_millis(700)).await;
    assert_eq!(smsc.stats().await["statuses"], json!({}));
    tamper(&world.place, "ALTER TABLE carrier_parts_away RENAME TO carrier_parts");
    world.wait_delivered(id).await;
    wait_for(async || smsc.stats().await["statuses"] == json!({"0": 1})).await;
    assert_eq!(running.counts.receipts_unknown.get(), 0);
    running.stop().await;
}
