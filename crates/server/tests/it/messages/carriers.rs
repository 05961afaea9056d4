//! Carriers that are down, hang, or are slow, and those beside them.

use std::collections::HashSet;
use std::time::Duration;

use muster_domain::message::{CLAIM, MessageStatus, Receipt};

use super::world::{World, run_on, send_on, wait_for};
use crate::webhooks::sink::{Reply, Sink};

/// A gateway for some numbers, and a sandbox for all others.
pub(super) fn beside(sink: &Sink, settings: &str) -> String {
    format!(
        "[carriers.web]\nkind = \"http\"\nurl = \"{}\"\nbody = '{{\"to\":\"{{to}}\",\"ref\":\"{{reference}}\"}}'\n{settings}\n\
         [carriers.play]\nkind = \"sandbox\"\ndelay_ms = 20\n\
         [routing]\ndefault = \"play\"\nprefixes = {{ \"+4916\" = \"web\" }}\n",
        sink.url()
    )
}

const BY_WEB: &str = "+491601234567";
const BY_SANDBOX: &str = "+491511230001";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_carrier_cannot_take_goes_out_when_it_is_back() {
    let world = World::new().await;
    let sink = Sink::answering(|_| Reply::Status(503));
    let running = world.run(&beside(&sink, ""));
    let mut all = Vec::new();
    for _ in 0..30 {
        all.push(world.send(BY_WEB).await);
    }
    wait_for(async || sink.hits().len() >= 5 && running.counts.deferred.get() >= 5).await;
    // The other one is not held up, neither for this tenant nor for another.
    let beside = world.send(BY_SANDBOX).await;
    world.wait_delivered(beside).await;
    let other = world.tenant("Other").await;
    let of_other = world.send_for(other, BY_SANDBOX, None).await;
    wait_for(async || world.found(other, of_other).await.is_sent()).await;
    wait_for(async || running.counts.handed_over.get() == 2).await;
    sink.answer(|_| Reply::Status(204));
    for id in all {
        world.wait(id, MessageStatus::HandedOver, Receipt::Pending).await;
    }
    assert_eq!(running.counts.unknown.get(), 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_hangs_holds_up_nobody_else() {
    let world = World::new().await;
    let sink = Sink::answering(|_| Reply::Never);
    let running = world.run(&beside(&sink, "window = 4"));
    let mut hanging = Vec::new();
    for _ in 0..60 {
        hanging.push(world.send(BY_WEB).await);
    }
    wait_for(async || sink.hits().len() >= 4).await;
    for _ in 0..20 {
        let id = world.send(BY_SANDBOX).await;
        world.wait_delivered(id).await;
    }
    assert!(sink.hits().len() < 60, "its window is kept");
    for id in hanging {
        assert_eq!(world.state(id).await, (MessageStatus::New, Receipt::Pending));
    }
    running.die().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_many_messages_delays_nobody_else() {
    let world = World::new().await;
    let other = world.tenant("Other").await;
    for _ in 0..400 {
        world.send(BY_WEB).await;
    }
    let sink = Sink::answering(|_| Reply::Slow(Duration::from_millis(30)));
    let running = world.run(&beside(&sink, "window = 2\nrate = 20"));
    wait_for(async || sink.hits().len() >= 4).await;
    let id = world.send_for(other, BY_WEB, None).await;
    wait_for(async || world.found(other, id).await.is_sent()).await;
    assert!(sink.hits().len() < 100, "{} of the other tenant went before", sink.hits().len());
    running.die().await;
}

/// Of a gateway that does not say whether it has a message, and does not know it again.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_taken_is_not_sent_again() {
    let world = World::new().await;
    let sink = Sink::answering(|_| Reply::Status(500));
    let running = world.run(&beside(&sink, ""));
    let id = world.send(BY_WEB).await;
    world.wait(id, MessageStatus::HandedOver, Receipt::Pending).await;
    wait_for(async || running.counts.unknown.get() == 1).await;
    assert_eq!(sink.hits().len(), 1);
    running.stop().await;
}

/// Of one that recognises repeats.
#[tokio::test(flavor = "multi_thread")]
async fn who_recognises_repeats_is_asked_again_under_the_same_key() {
    let world = World::new().await;
    let sink = Sink::answering(|_| Reply::Status(500));
    let running = world.run(&beside(&sink, "idempotent = true"));
    let id = world.send(BY_WEB).await;
    wait_for(async || sink.hits().len() >= 2).await;
    sink.answer(|_| Reply::Status(204));
    world.wait(id, MessageStatus::HandedOver, Receipt::Pending).await;
    let keys: HashSet<_> = sink.hits().iter().map(|hit| hit.headers["idempotency-key"].clone()).collect();
    assert_eq!((keys.len(), running.counts.unknown.get()), (1, 0));
    running.stop().await;
}

/// Somebody has claimed messages and died.
#[tokio::test(flavor = "multi_thread")]
async fn lost_claims_are_settled_without_a_second_message() {
    let world = World::new().await;
    let sink = Sink::new();
    let by_web = world.send(BY_WEB).await;
    let by_sandbox = world.send(BY_SANDBOX).await;
    let claimed = world.directory.messages_claim(world.tenant, None, 9).await.unwrap().unwrap();
    assert_eq!(claimed.messages.len(), 2);
    let running = world.run(&beside(&sink, ""));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.state(by_web).await, (MessageStatus::New, Receipt::Pending), "it may be at work");
    world.advance(CLAIM + Duration::from_secs(11));
    world.wait(by_web, MessageStatus::HandedOver, Receipt::Pending).await;
    world.wait_delivered(by_sandbox).await;
    assert_eq!(sink.hits().len(), 0, "it may have the message");
    wait_for(async || running.counts.unknown.get() == 1).await;
    assert_eq!(running.counts.recovered.get(), 2);
    running.stop().await;
}

/// Two processes with one store.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_work_and_send_nothing_twice() {
    let world = World::new().await;
    let beside_us = world.beside().await;
    let sink = Sink::answering(|_| Reply::Slow(Duration::from_millis(3)));
    let config = beside(&sink, "window = 8");
    let (one, two) = (world.run(&config), run_on(&beside_us, &config));
    for n in 0..150 {
        let directory = if n % 2 == 0 { &world.directory } else { &beside_us };
        send_on(directory, world.tenant, BY_WEB, None).await;
    }
    world.wait_idle().await;
    let hits = sink.hits();
    let keys: HashSet<_> = hits.iter().map(|hit| hit.headers["idempotency-key"].clone()).collect();
    assert_eq!((hits.len(), keys.len()), (150, 150));
    wait_for(async || one.counts.handed_over.get() + two.counts.handed_over.get() == 150).await;
    assert!(one.counts.handed_over.get() > 0 && two.counts.handed_over.get() > 0);
    one.stop().await;
    two.stop().await;
}
