//! What becomes of messages by the sandbox's numbers.

use std::time::Duration;

use muster_domain::message::{MessageStatus, Receipt};

use super::world::{World, wait_for};

const SANDBOX: &str = "[carriers.play]\nkind = \"sandbox\"\ndelay_ms = 50\n";

fn phone(digits: &str) -> String {
    format!("+491511234{digits}")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_number_of_the_sandbox_has_its_fate() {
    let world = World::new().await;
    let sent = MessageStatus::HandedOver;
    let fates = [
        ("0001", sent, Receipt::Delivered),
        ("9901", sent, Receipt::Rejected),
        ("9902", sent, Receipt::Rejected),
        ("9911", sent, Receipt::Expired),
        ("9912", sent, Receipt::Rejected),
        ("9913", sent, Receipt::Rejected),
        ("9914", sent, Receipt::Delivered),
        ("9915", sent, Receipt::Pending),
        ("9921", sent, Receipt::Delivered),
        ("9922", sent, Receipt::Delivered),
        ("9924", sent, Receipt::Delivered),
    ];
    let running = world.run(SANDBOX);
    let unreachable = world.send(&phone("9923")).await;
    let mut all = Vec::new();
    for (digits, status, receipt) in fates {
        all.push((world.send(&phone(digits)).await, status, receipt));
    }
    for (id, status, receipt) in all {
        world.wait(id, status, receipt).await;
    }
    wait_for(async || running.counts.handed_over.get() == 9).await;
    wait_for(async || running.counts.refused.get() == 2).await;
    assert_eq!(running.counts.unknown.get(), 0, "the sandbox can be asked again");
    assert_eq!(running.counts.receipts_unknown.get(), 0);
    wait_for(async || running.counts.deferred.get() >= 3).await;
    assert_eq!(world.state(unreachable).await, (MessageStatus::New, Receipt::Pending));
    running.stop().await;
    world.directory.store.close().await;
}

/// The receipts of all parts make that of the message.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_several_parts_is_delivered_with_the_last() {
    let world = World::new().await;
    let running = world.run(SANDBOX);
    let ctx = world.ctx(world.tenant).await;
    let mut wish = super::world::wish(&phone("0001"));
    wish.text = Some("x".repeat(400));
    let id = world.directory.message_create(&ctx, wish.into()).await.unwrap().id;
    world.wait_delivered(id).await;
    wait_for(async || running.counts.receipts.get() == 3).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_at_the_end_is_noted_and_the_rest_waits() {
    let world = World::new().await;
    let running = world.run("[carriers.play]\nkind = \"sandbox\"\ndelay_ms = 800\n");
    // Slow ones fill the window, others wait behind them.
    let mut all = Vec::new();
    for _ in 0..40 {
        all.push(world.send(&phone("9921")).await);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.stop().await;
    let work = world.directory.message_work(world.tenant, None).await.unwrap();
    assert_eq!(work.lost_at, None, "nothing stays claimed");
    let running = world.run(SANDBOX);
    // Receipts of those before ended with the sandbox that was to give them.
    wait_for(async || {
        let mut are_sent = true;
        for id in &all {
            are_sent &= world.state(*id).await.0 == MessageStatus::HandedOver;
        }
        are_sent
    })
    .await;
    assert!(running.counts.handed_over.get() < 40, "some were on their way at the end");
    running.stop().await;
}
