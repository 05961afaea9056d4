//! What goes when: the order per entity, the pauses between attempts, and what one endpoint means for another.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use muster_domain::WebhookId;
use muster_domain::webhook::DeliveryState;

use super::sink::{Hit, Reply, Sink};
use super::world::{World, settle};
use crate::support::tamper;

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_holds_back_its_entity_until_it_arrives() {
    let world = World::new().await;
    let sink = Sink::new();
    let hook = world.hook(&sink).await.webhook.id;
    let (bad, bad_name) = world.group("bad").await;
    let (good, good_name) = world.group("good").await;
    world.rename(bad, "bad 2").await;
    world.rename(good, "good 2").await;
    let refused = bad_name.clone();
    sink.answer(move |hit| Reply::Status(if hit.entity() == refused { 500 } else { 204 }));
    let running = world.dispatch();
    world.wait_for(hook, DeliveryState::Delivered, 2).await;
    let first = world.wait_for_attempts(hook, 1).await;
    assert_eq!((first.event.as_str(), first.last.clone().unwrap().status), ("group.created", Some(500)));
    settle().await;
    let count = |name: &str| sink.entities().iter().filter(|entity| *entity == name).count();
    assert_eq!((count(&bad_name), count(&good_name)), (1, 2));

    // 5 s, at most a tenth more, then 5 min.
    world.advance(Duration::from_millis(4900));
    settle().await;
    assert_eq!(count(&bad_name), 1);
    world.advance_to(first.next_at.unwrap());
    let second = world.wait_for_attempts(hook, 2).await;
    world.advance(Duration::from_secs(299));
    settle().await;
    assert_eq!(count(&bad_name), 2);
    sink.answer(|_| Reply::Status(200));
    world.advance_to(second.next_at.unwrap());
    world.wait_for(hook, DeliveryState::Delivered, 4).await;
    let of_bad: Vec<_> = sink.hits().into_iter().filter(|hit| hit.entity() == bad_name).collect();
    let types: Vec<_> = of_bad.iter().map(|hit| hit.body["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["group.created", "group.created", "group.created", "group.updated"]);
    assert!(of_bad[..3].iter().all(|hit| hit.id() == of_bad[0].id()), "{of_bad:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_left_alone_for_as_long_as_it_asks() {
    let world = World::new().await;
    let sink = Sink::answering(|_| Reply::Later(60));
    let hook = world.hook(&sink).await.webhook.id;
    world.group("a").await;
    let running = world.dispatch();
    let tried = world.wait_for_attempts(hook, 1).await;
    let last = tried.last.unwrap();
    assert_eq!(tried.next_at.unwrap(), last.at.plus(last.duration).plus(Duration::from_mins(1)));
    // Nor are others sent meanwhile.
    world.group("b").await;
    world.advance(Duration::from_secs(59));
    settle().await;
    assert_eq!(sink.hits().len(), 1);
    // Nor by another process, nor by one that comes when this one has gone.
    let other = world.dispatch();
    settle().await;
    running.stop().await;
    let running = world.dispatch();
    settle().await;
    assert_eq!(sink.hits().len(), 1);
    sink.answer(|_| Reply::Status(200));
    world.advance_to(tried.next_at.unwrap().plus(Duration::from_secs(1)));
    world.wait_for(hook, DeliveryState::Delivered, 2).await;
    other.stop().await;
    running.stop().await;
}

/// What is due and has to wait for another of its entity is no reason to look again and again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_back_keeps_nobody_busy() {
    let world = World::new().await;
    let sink = Sink::new();
    let hook = world.hook(&sink).await.webhook.id;
    let (_, good) = world.group("good").await;
    let running = world.dispatch();
    let delivered = world.wait_for(hook, DeliveryState::Delivered, 1).await;
    sink.answer(|_| Reply::Status(500));
    let (bad, _) = world.group("bad").await;
    world.rename(bad, "bad 2").await;
    world.wait_for_attempts(hook, 1).await;
    let (mut looks, mut left_alone) = (0, 0);
    while left_alone < 20 {
        left_alone = if world.is_leased(hook).await { 0 } else { left_alone + 1 };
        looks += 1;
        assert!(looks < 600, "somebody is always at it");
        super::world::pause(50).await;
    }
    // What is asked for again is sent all the same.
    tamper(&world.place, "UPDATE webhook_deliveries SET state = 2 WHERE state = 1");
    sink.answer(|_| Reply::Status(200));
    world.advance(Duration::from_millis(1));
    world.directory.delivery_retry(&world.ctx().await, hook, delivered[0].id).await.unwrap();
    world.wait_for(hook, DeliveryState::Delivered, 1).await;
    assert_eq!(sink.entities().iter().filter(|entity| **entity == good).count(), 2);
    running.stop().await;
}

/// An endpoint that takes nothing, and its webhook, which is to be told of so many groups.
async fn refusing(world: &World, groups: usize) -> (Sink, WebhookId) {
    let sink = Sink::answering(|_| Reply::Status(500));
    let hook = world.hook(&sink).await.webhook.id;
    for n in 0..groups {
        world.group(&format!("group {n}")).await;
    }
    (sink, hook)
}

/// All that it has may be due in hours only.
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_down_is_tried_now_and_then() {
    const GROUPS: usize = 17;
    let world = World::new().await;
    let (sink, hook) = refusing(&world, GROUPS).await;
    let running = world.dispatch();
    for attempts in 1..=3 {
        sink.wait_for(attempts * GROUPS);
        settle().await;
        if attempts < 3 {
            let open = world.deliveries(hook, None).await;
            world.advance_to(open.iter().filter_map(|delivery| delivery.next_at).max().unwrap());
        }
    }
    let made = 3 * GROUPS;
    world.advance(Duration::from_secs(301));
    sink.wait_for(made + 1);
    settle().await;
    assert_eq!(sink.hits().len(), made + 1, "one is enough");
    let open = world.deliveries(hook, Some(DeliveryState::Open)).await;
    assert!(open.len() == GROUPS && open.iter().all(|delivery| delivery.attempts == 3), "{open:?}");
    sink.answer(|_| Reply::Status(200));
    world.advance(Duration::from_secs(301));
    world.wait_for(hook, DeliveryState::Delivered, 1).await;
    assert_eq!(world.view(hook).await.health.consecutive_failures, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_forgotten_is_given_up() {
    let world = World::new().await;
    let sink = Sink::answering(|_| Reply::Status(500));
    let hook = world.hook(&sink).await.webhook.id;
    world.group("a").await;
    let running = world.dispatch();
    world.wait_for_attempts(hook, 1).await;
    running.stop().await;
    tamper(&world.place, "DELETE FROM journal");
    world.advance(Duration::from_mins(1));
    let running = world.dispatch();
    let given_up = world.wait_for(hook, DeliveryState::Failed, 1).await;
    let problem = given_up[0].last.clone().unwrap().problem.unwrap();
    assert!(problem.contains("does not tell of the event any more"), "{problem}");
    assert_eq!(sink.hits().len(), 1);
    running.stop().await;
}

/// Since it is known by then that it fails, the rest waits where it costs nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_backlog_of_an_endpoint_that_is_down_stays_in_the_journal() {
    const GROUPS: usize = 600;
    let world = World::new().await;
    let (sink, hook) = refusing(&world, GROUPS).await;
    let running = world.dispatch();
    // Until each that was made was tried, which one after the other are.
    let mut made = 0;
    for _ in 0..3000 {
        made = world.deliveries(hook, None).await.len();
        if made >= 128 && sink.hits().len() >= made {
            break;
        }
        super::world::pause(20).await;
    }
    settle().await;
    assert_eq!(world.deliveries(hook, None).await.len(), made, "more were made");
    assert!((128..=256).contains(&made), "{made} deliveries were made");
    assert_eq!(sink.hits().len(), made, "each was tried once");
    // It is up again, which is found out with the first that is due.
    sink.answer(|_| Reply::Status(200));
    world.advance(Duration::from_secs(6));
    world.wait_for(hook, DeliveryState::Delivered, GROUPS).await;
    assert_eq!(world.view(hook).await.health.consecutive_failures, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_never_answers_delays_no_other() {
    const GROUPS: usize = 20;
    let world = World::new().await;
    let (silent, sinks) = (Sink::answering(|_| Reply::Never), [Sink::new(), Sink::new(), Sink::new()]);
    let stuck = world.hook(&silent).await.webhook.id;
    for sink in &sinks {
        world.hook(sink).await;
    }
    let running = world.dispatch();
    world.group("first").await;
    silent.wait_for(1);
    for n in 0..GROUPS {
        world.group(&format!("group {n}")).await;
    }
    for sink in &sinks {
        sink.wait_for(GROUPS + 1);
    }
    // What is sent to the silent one ends after 15 s, and nothing has waited for that.
    assert!(silent.hits().len() <= 16, "{}", silent.hits().len());
    let waiting = world.deliveries(stuck, None).await;
    assert!(waiting.iter().all(|delivery| delivery.attempts == 0), "{waiting:?}");
    // Nor does the end.
    tokio::time::timeout(Duration::from_secs(10), running.stop()).await.unwrap();
}

/// Each delivery arrives once: while nothing fails, it can arrive twice only if two send it.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_never_send_for_one_webhook_at_once() {
    const GROUPS: usize = 150;
    let world = World::new().await;
    let sinks = [Sink::new(), Sink::new(), Sink::new(), Sink::new()];
    let mut hooks: Vec<WebhookId> = Vec::new();
    for sink in &sinks {
        sink.answer(|_| Reply::Slow(Duration::from_millis(3)));
        hooks.push(world.hook(sink).await.webhook.id);
    }
    let mut processes = vec![world.dispatch(), world.dispatch(), world.dispatch()];
    for n in 0..GROUPS {
        let (id, _) = world.group(&format!("group {n}")).await;
        world.rename(id, &format!("renamed {n}")).await;
        if n % 50 == 25 {
            // One goes, and lets the others send; another comes. What is on its way then might be sent again.
            for hook in &hooks {
                world.wait_for(*hook, DeliveryState::Delivered, 2 * (n + 1)).await;
            }
            processes.remove(0).stop().await;
            processes.push(world.dispatch());
        }
    }
    for (sink, hook) in sinks.iter().zip(hooks) {
        world.wait_for(hook, DeliveryState::Delivered, 2 * GROUPS).await;
        let mut numbers: Vec<_> = sink.hits().iter().map(Hit::number).collect();
        assert_ordered(&sink.hits());
        numbers.sort_unstable();
        let count = numbers.len();
        numbers.dedup();
        assert_eq!((count, numbers.len()), (2 * GROUPS, 2 * GROUPS));
    }
    for process in processes {
        process.stop().await;
    }
}

/// Of each entity, nothing has come before what happened before it.
pub(crate) fn assert_ordered(hits: &[Hit]) {
    let (mut last, mut seen) = (HashMap::new(), HashSet::new());
    for hit in hits {
        let newest = last.entry(hit.entity()).or_insert(0);
        let is_repeated = !seen.insert(hit.id());
        assert!(is_repeated || hit.number() > *newest, "{} came after {newest}", hit.id());
        *newest = hit.number().max(*newest);
    }
}
