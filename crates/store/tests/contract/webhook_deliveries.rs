//! Deliveries in a store: every column, what becomes of them, and what the journal has to keep for them.

use std::time::Duration;

use muster_domain::webhook::{
    Attempt, Delivery, DeliveryFilter, DeliveryId, DeliveryState, NewDelivery, Reapable, WebhookStatus,
    WebhookStore as _,
};
use muster_domain::{Change, JournalFilter, Slice, Store as _, Timestamp, WebhookId};

use crate::support::{Backend, START};
use crate::webhook_books::{asking, attempt, delivery_of, ended, is_stale, webhook_status};
use crate::world::{Org, World};

contract![
    a_delivery_reads_back_whole,
    what_became_of_open_ones_is_noted_and_of_no_others,
    what_was_given_up_is_open_again,
    lists_are_the_newest_first_and_filtered,
    open_ones_are_the_oldest_first,
    the_journal_keeps_what_is_still_to_be_told,
    a_trim_keeps_what_is_still_to_be_told,
    what_ended_long_ago_is_removed_and_nothing_else,
    what_is_left_of_a_deleted_webhook_is_removed,
    a_step_removes_at_most_so_many_rows,
    many_steps_lead_to_the_same_end,
    a_webhook_that_is_there_is_not_removed,
    a_row_that_cannot_be_removed_does_not_keep_the_reaper_going,
];

fn open(new: &NewDelivery) -> Delivery {
    Delivery { attempts: 0, ..ended(new, DeliveryState::Open, None) }
}

async fn stored<B: Backend>(world: &World<B>, org: &Org, id: WebhookId, sequence: i64) -> Delivery {
    world.store().delivery(org.tenant, id, delivery_of(sequence).id).await.unwrap().unwrap()
}

async fn note<B: Backend>(world: &World<B>, org: &Org, webhook: WebhookId, delivery: &Delivery) {
    let change = Change::DeliveryAttempted { webhook, delivery: Box::new(delivery.clone()) };
    world.commit(org, vec![change]).await.unwrap();
}

async fn a_delivery_reads_back_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    world.deliver(&org, id, [20]).await;
    let new = delivery_of(20);
    assert_eq!(stored(&world, &org, id, 20).await, open(&new));
    let attempts = [
        attempt(START, Some("the endpoint did not answer in time")),
        Attempt { status: None, answer: None, duration: Duration::ZERO, ..attempt(START, Some("DNS")) },
        attempt(START, None),
    ];
    let states = [DeliveryState::Open, DeliveryState::Open, DeliveryState::Delivered];
    for (made, (attempt, state)) in (1..).zip(attempts.into_iter().zip(states)) {
        let next_at = (state == DeliveryState::Open).then_some(Timestamp(START.0 + 77));
        let after = Delivery { attempts: made, next_at, ..ended(&new, state, Some(attempt)) };
        note(&world, &org, id, &after).await;
        assert_eq!(stored(&world, &org, id, 20).await, after);
        assert_eq!(world.deliveries(&org, id, DeliveryFilter::default()).await.items, [after]);
    }
    assert_eq!(world.store().delivery(org.tenant, id, DeliveryId::of(20, 1)).await.unwrap(), None);
}

async fn what_became_of_open_ones_is_noted_and_of_no_others<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, other) = (world.webhook(&org).await.id, world.webhook(&org).await.id);
    world.deliver(&org, id, [20, 21]).await;
    world.deliver(&org, other, [20, 21]).await;
    world.end(&org, id, [20], DeliveryState::Delivered).await;
    world.end(&org, id, [21], DeliveryState::Failed).await;
    let before = world.deliveries(&org, id, DeliveryFilter::default()).await.items;
    for state in [DeliveryState::Open, DeliveryState::Delivered, DeliveryState::Failed] {
        world.end(&org, id, [20, 21, 22], state).await;
        assert_eq!(world.deliveries(&org, id, DeliveryFilter::default()).await.items, before);
    }
    assert_eq!(world.told(&org, other, Some(DeliveryState::Open)).await, [20, 21]);
}

async fn what_was_given_up_is_open_again<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    world.deliver(&org, id, [20, 21, 22]).await;
    world.end(&org, id, [20], DeliveryState::Failed).await;
    world.end(&org, id, [21], DeliveryState::Delivered).await;
    let failed = stored(&world, &org, id, 20).await;
    let at = START.plus(Duration::from_secs(500));
    let retry = |sequence| vec![Change::DeliveryRetry { webhook: id, id: delivery_of(sequence).id, at }];
    for sequence in [21, 22, 23] {
        assert!(is_stale(&world.commit(&org, retry(sequence)).await), "{sequence}");
    }
    world.commit(&org, retry(20)).await.unwrap();
    // What came of the last attempt is still shown.
    let again = Delivery { state: DeliveryState::Open, attempts: 0, next_at: Some(at), ..failed };
    assert_eq!(stored(&world, &org, id, 20).await, again);
    assert!(is_stale(&world.commit(&org, retry(20)).await));
}

async fn lists_are_the_newest_first_and_filtered<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, other) = (world.webhook(&org).await.id, world.webhook(&org).await.id);
    world.deliver(&org, id, 20..32).await;
    world.deliver(&org, other, 20..25).await;
    world.end(&org, id, (20..32).step_by(3), DeliveryState::Delivered).await;
    world.end(&org, id, (21..32).step_by(3), DeliveryState::Failed).await;
    let states =
        [None, Some(DeliveryState::Open), Some(DeliveryState::Delivered), Some(DeliveryState::Failed)];
    for (n, state) in states.into_iter().enumerate() {
        for since in [None, Some(delivery_of(24).at), Some(Timestamp(i64::MAX))] {
            let is_in = |sequence: &i64| {
                let of_state = [2, 0, 1].iter().position(|rest| (sequence - 20) % 3 == *rest).unwrap() + 1;
                (n == 0 || n == of_state) && since.is_none_or(|since| delivery_of(*sequence).at >= since)
            };
            let expected: Vec<i64> = (20..32).rev().filter(is_in).collect();
            let filter = DeliveryFilter { state, since };
            for (limit, offset, skipped) in [(100, 0, 0), (2, 0, 0), (2, 1, 1), (3, 99, 99), (0, 0, 0)] {
                let slice = Slice { limit, offset };
                let page = world.store().deliveries(org.tenant, id, filter, slice).await.unwrap();
                let found: Vec<i64> = page.items.iter().map(|delivery| delivery.id.sequence()).collect();
                let part: Vec<i64> = expected.iter().copied().skip(skipped).take(limit as usize).collect();
                assert_eq!((found, page.total), (part, expected.len() as u64), "{filter:?} {slice:?}");
            }
        }
    }
}

async fn open_ones_are_the_oldest_first<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    world.deliver(&org, id, [25, 22, 24, 23, 26]).await;
    world.end(&org, id, [23], DeliveryState::Failed).await;
    world.end(&org, id, [25], DeliveryState::Delivered).await;
    for (limit, expected) in [(9, vec![22, 24, 26]), (2, vec![22, 24]), (0, vec![])] {
        let found = world.store().deliveries_open(org.tenant, id, limit).await.unwrap();
        let found: Vec<i64> = found.iter().map(|delivery| delivery.id.sequence()).collect();
        assert_eq!(found, expected);
    }
}

async fn the_journal_keeps_what_is_still_to_be_told<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    world.webhook(&other).await;
    let needed = async || world.store().journal_needed(org.tenant).await.unwrap();
    assert_eq!(needed().await, None);
    let first = world.webhook(&org).await.id;
    let cursor = world.cursor(first);
    assert_eq!(needed().await, Some(cursor + 1));
    world.note(&org, 10).await;
    let second = world.webhook(&org).await.id;
    assert_eq!(needed().await, Some(cursor + 1), "the one that is behind");
    world.deliver(&org, first, [cursor + 3, cursor + 5]).await;
    assert_eq!(needed().await, Some(cursor + 3), "what is open");
    world.end(&org, first, [cursor + 3], DeliveryState::Failed).await;
    assert_eq!(needed().await, Some(cursor + 5));
    world.end(&org, first, [cursor + 5], DeliveryState::Delivered).await;
    assert_eq!(needed().await, Some(cursor + 6));
    world.update_webhook(&org, first, webhook_status(WebhookStatus::Inactive)).await.unwrap();
    assert_eq!(needed().await, Some(world.cursor(second) + 1), "who is not told needs nothing");
    world.delete_webhook(&org, second).await.unwrap();
    assert_eq!(needed().await, None);
}

async fn a_trim_keeps_what_is_still_to_be_told<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    let cursor = world.cursor(id);
    world.note(&org, 1500).await;
    world.clock.advance(Duration::from_hours(1));
    let trim = async || world.directory.journal_trim(world.directory.now()).await.unwrap();
    let first = async || {
        let found = world.store().journal(org.tenant, 0, JournalFilter::default(), 1).await.unwrap();
        found.first().map(|entry| entry.sequence)
    };
    assert_eq!((trim().await, first().await), (cursor.unsigned_abs(), Some(cursor + 1)));
    assert_eq!(trim().await, 0);
    world.deliver(&org, id, [cursor + 1200, cursor + 1300]).await;
    assert_eq!((trim().await, first().await), (1199, Some(cursor + 1200)));
    world.end(&org, id, [cursor + 1200, cursor + 1300], DeliveryState::Failed).await;
    assert_eq!((trim().await, first().await), (101, Some(cursor + 1301)));
    world.delete_webhook(&org, id).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    trim().await;
    assert_eq!(first().await, None);
}

fn horizon(sequence: i64) -> Timestamp {
    delivery_of(sequence).at
}

async fn what_ended_long_ago_is_removed_and_nothing_else<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let ids = [world.webhook(&org).await.id, world.webhook(&org).await.id];
    world.note(&org, 30).await;
    for id in ids {
        world.deliver(&org, id, 20..30).await;
        world.end(&org, id, [20, 22, 26], DeliveryState::Delivered).await;
        world.end(&org, id, [23, 24, 28], DeliveryState::Failed).await;
    }
    let beside = world.webhook(&other).await.id;
    world.note(&other, 40).await;
    world.deliver(&other, beside, [20, 40]).await;
    world.end(&other, beside, [20, 40], DeliveryState::Delivered).await;
    let to_reap =
        async |sequence| world.store().webhook_to_reap(org.tenant, horizon(sequence)).await.unwrap();
    assert_eq!(to_reap(20).await, None);
    assert!(matches!(to_reap(21).await, Some(Reapable::Deliveries(_))));
    world.directory.webhooks_reap(horizon(24)).await.unwrap();
    for id in ids {
        assert_eq!(world.told(&org, id, None).await, [21, 24, 25, 26, 27, 28, 29]);
    }
    assert_eq!(world.told(&other, beside, None).await, [40]);
    assert_eq!(to_reap(24).await, None);
    world.is_sound().await;
    world.directory.webhooks_reap(horizon(99)).await.unwrap();
    for id in ids {
        assert_eq!(world.told(&org, id, None).await, [21, 25, 27, 29], "what is open stays");
    }
    let done = world.backend.dump();
    world.directory.webhooks_reap(horizon(99)).await.unwrap();
    assert_eq!(world.backend.dump(), done);
}

async fn what_is_left_of_a_deleted_webhook_is_removed<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let before = world.backend.rows_of(org.tenant);
    let (id, empty) = (world.webhook(&org).await.id, world.webhook(&org).await.id);
    world.note(&org, 30).await;
    world.deliver(&org, id, 20..26).await;
    world.end(&org, id, [21], DeliveryState::Failed).await;
    for id in [id, empty] {
        world.delete_webhook(&org, id).await.unwrap();
    }
    world.is_sound().await;
    world.directory.webhooks_reap(START).await.unwrap();
    let mut left = world.backend.rows_of(org.tenant);
    for rows in &mut left {
        if rows.0 == "journal" {
            rows.1 = 6;
        }
    }
    assert_eq!(left, before);
    assert_eq!(world.store().webhook_to_reap(org.tenant, START).await.unwrap(), None);
    world.is_sound().await;
}

async fn a_step_removes_at_most_so_many_rows<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    world.note(&org, 30).await;
    world.deliver(&org, id, 20..30).await;
    world.end(&org, id, [21, 22, 24, 25, 26, 27], DeliveryState::Delivered).await;
    let step = |horizon| vec![Change::DeliveriesReap { webhook: id, horizon, limit: 3 }];
    // Of those that it looks at, beginning with the first one that ended.
    for left in [
        vec![20, 23, 24, 25, 26, 27, 28, 29],
        vec![20, 23, 27, 28, 29],
        vec![20, 23, 28, 29],
        vec![20, 23, 28, 29],
    ] {
        world.commit(&org, step(horizon(99))).await.unwrap();
        assert_eq!(world.told(&org, id, None).await, left);
    }
    world.delete_webhook(&org, id).await.unwrap();
    let rows = || world.backend.look("SELECT COUNT(*) FROM webhook_deliveries");
    for left in [1, 0] {
        assert_eq!(
            world.store().webhook_to_reap(org.tenant, START).await.unwrap(),
            Some(Reapable::Deliveries(id))
        );
        world.commit(&org, step(START)).await.unwrap();
        assert_eq!(rows(), left);
        world.is_sound().await;
    }
    assert_eq!(world.store().webhook_to_reap(org.tenant, START).await.unwrap(), Some(Reapable::Emptied(id)));
    world.commit(&org, vec![Change::WebhookRemove(id)]).await.unwrap();
    assert_eq!(world.store().webhook_to_reap(org.tenant, START).await.unwrap(), None);
}

async fn many_steps_lead_to_the_same_end<B: Backend>() {
    for size in [999, 1000, 1001, 2500] {
        let world = World::<B>::new();
        let org = world.org("acme").await;
        let (deleted, kept) = (world.webhook(&org).await.id, world.webhook(&org).await.id);
        for id in [deleted, kept] {
            world.deliver(&org, id, 20..20 + size).await;
        }
        // Every fourth is open, so that a step looks at more than it removes.
        let ended: Vec<i64> = (20..20 + size).filter(|sequence| sequence % 4 != 0).collect();
        world.end(&org, kept, ended, DeliveryState::Delivered).await;
        world.delete_webhook(&org, deleted).await.unwrap();
        world.directory.webhooks_reap(horizon(99_999)).await.unwrap();
        assert_eq!(world.backend.look("SELECT COUNT(*) FROM webhooks"), 1, "{size}");
        let open: Vec<i64> = (20..20 + size).filter(|sequence| sequence % 4 == 0).collect();
        assert_eq!(world.told(&org, kept, None).await, open);
        let rows = world.backend.look("SELECT COUNT(*) FROM webhook_deliveries");
        assert_eq!(usize::try_from(rows).unwrap(), open.len());
    }
}

async fn a_webhook_that_is_there_is_not_removed<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, empty) = (world.webhook(&org).await.id, world.webhook(&org).await.id);
    world.deliver(&org, id, [20]).await;
    for id in [id, empty, WebhookId(99_999)] {
        assert!(is_stale(&world.commit(&org, vec![Change::WebhookRemove(id)]).await));
        let reap = Change::DeliveriesReap { webhook: id, horizon: Timestamp(i64::MAX), limit: 9 };
        world.commit(&org, vec![reap]).await.unwrap();
    }
    assert_eq!(world.told(&org, id, None).await, [20]);
    // Nor one that is deleted while it has deliveries.
    for id in [id, empty] {
        world.delete_webhook(&org, id).await.unwrap();
    }
    assert!(is_stale(&world.commit(&org, vec![Change::WebhookRemove(id)]).await));
    world.commit(&org, vec![Change::WebhookRemove(empty)]).await.unwrap();
}

async fn a_row_that_cannot_be_removed_does_not_keep_the_reaper_going<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let id = world.webhook(&org).await.id;
    world.create_webhook(&other, asking(["group.*"])).await.unwrap();
    world.delete_webhook(&org, id).await.unwrap();
    world.backend.tamper(&format!(
        "CREATE TABLE keeps (tenant_id BIGINT, id BIGINT, FOREIGN KEY (tenant_id, id) REFERENCES webhooks (tenant_id, id));
         INSERT INTO keeps VALUES ({}, {id})",
        org.tenant,
    ));
    let beside = world.webhook(&other).await.id;
    world.delete_webhook(&other, beside).await.unwrap();
    world.directory.webhooks_reap(START).await.unwrap();
    assert_eq!(world.backend.look(&format!("SELECT COUNT(*) FROM webhooks WHERE id = {id}")), 1);
    assert_eq!(world.backend.look(&format!("SELECT COUNT(*) FROM webhooks WHERE id = {beside}")), 0);
}
