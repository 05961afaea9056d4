//! The rules of deliveries: what is noted of an endpoint, when it is given up, and what is tried again.

use std::slice::from_ref;
use std::time::Duration;

use muster_domain::webhook::{
    DISABLED_AFTER, Delivery, DeliveryFilter, DeliveryId, DeliveryState, Health, LEASE, Leased,
    WebhookFormat, WebhookStatus, WebhookStore as _,
};
use muster_domain::{Actor, Change, Entity, Error, Rule, WebhookId};

use crate::support::{Backend, START};
use crate::webhook_books::{ONE, TWO, attempt, delivery_of, webhook_status};
use crate::world::{Org, World, with_login};

contract![
    what_became_of_deliveries_is_noted_with_the_lease,
    who_has_lost_the_lease_notes_nothing,
    deliveries_are_tried_again_until_they_are_given_up,
    an_endpoint_that_only_fails_is_given_up,
    a_success_begins_the_time_anew,
    a_delivery_that_was_given_up_is_tried_again,
    all_that_was_given_up_is_tried_again,
    what_others_have_tried_again_is_not_counted,
];

/// An open delivery of a webhook after one more attempt.
async fn tried<B: Backend>(world: &World<B>, leased: &mut Leased, problem: Option<&str>) -> Delivery {
    let attempt = attempt(world.directory.now(), problem);
    leased.sender.health.note(attempt.at, attempt.status, problem.is_none());
    let open = world.directory.deliveries_open(leased, 1).await.unwrap().remove(0);
    open.after(WebhookFormat::Standard, attempt, None, 0)
}

/// A webhook with something to send, leased.
async fn sending<B: Backend>(world: &World<B>, org: &Org) -> (WebhookId, Leased) {
    let id = world.webhook(org).await.id;
    world.create_user(org, with_login("somebody@x")).await.unwrap();
    let mut leased = world.lease(org, id, ONE).await.unwrap();
    assert_eq!(world.derive(&mut leased).await.unwrap().len(), 1);
    (id, leased)
}

async fn what_became_of_deliveries_is_noted_with_the_lease<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, mut leased) = sending(&world, &org).await;
    world.clock.advance(LEASE.saturating_sub(Duration::from_secs(1)));
    let done = tried(&world, &mut leased, Some("no")).await;
    assert!(world.directory.deliveries_note(&mut leased, vec![done.clone()]).await.unwrap());
    assert_eq!(world.deliveries(&org, id, DeliveryFilter::default()).await.items, from_ref(&done));
    assert_eq!((done.state, done.attempts), (DeliveryState::Open, 1));
    let now = world.directory.now();
    let failing = Health {
        last_delivery_at: Some(now),
        last_status: Some(503),
        consecutive_failures: 1,
        failing_since: Some(now),
    };
    assert_eq!(world.health(&org, id).await, failing);
    // Without anything done the lease is renewed all the same.
    for _ in 0..3 {
        world.clock.advance(LEASE.saturating_sub(Duration::from_secs(1)));
        assert!(world.lease(&org, id, TWO).await.is_none());
        assert!(world.directory.deliveries_note(&mut leased, vec![]).await.unwrap());
    }
    let done = tried(&world, &mut leased, None).await;
    assert!(world.directory.deliveries_note(&mut leased, vec![done.clone()]).await.unwrap());
    assert_eq!((done.state, done.attempts, done.next_at), (DeliveryState::Delivered, 2, None));
    let well =
        Health { last_delivery_at: Some(world.directory.now()), last_status: Some(204), ..Health::default() };
    assert_eq!(world.health(&org, id).await, well);
    assert_eq!(world.directory.deliveries_open(&leased, 9).await.unwrap(), []);
    world.is_sound().await;
}

async fn who_has_lost_the_lease_notes_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, mut leased) = sending(&world, &org).await;
    world.clock.advance(LEASE);
    let theirs = world.lease(&org, id, TWO).await.unwrap();
    let done = tried(&world, &mut leased, None).await;
    let before = world.backend.dump();
    assert!(!world.directory.deliveries_note(&mut leased, vec![done]).await.unwrap());
    world.directory.webhook_release(leased).await.unwrap();
    assert_eq!(world.backend.dump(), before);
    assert_eq!(world.directory.deliveries_open(&theirs, 9).await.unwrap().len(), 1);
}

async fn deliveries_are_tried_again_until_they_are_given_up<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, mut leased) = sending(&world, &org).await;
    for made in 1..=8 {
        let done = tried(&world, &mut leased, Some("no")).await;
        let next = done.next_at;
        assert!(world.directory.deliveries_note(&mut leased, vec![done]).await.unwrap());
        let work = world.store().webhook_work(org.tenant, world.directory.now()).await.unwrap();
        assert_eq!((work[0].next_at, next.is_some()), (next, made < 8));
        if let Some(next) = next {
            let wait = next.0 - world.directory.now().0;
            world.clock.advance(Duration::from_micros(wait.unsigned_abs()));
        }
    }
    assert_eq!(world.told(&org, id, Some(DeliveryState::Failed)).await.len(), 1);
    assert_eq!(world.health(&org, id).await.consecutive_failures, 8);
    world.is_sound().await;
}

async fn an_endpoint_that_only_fails_is_given_up<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, mut leased) = sending(&world, &org).await;
    let fail = async |leased: &mut Leased| {
        leased.sender.health.note(world.directory.now(), Some(500), false);
        assert!(world.directory.deliveries_note(leased, vec![]).await.unwrap());
    };
    let status = async || world.webhook_view(&org, id).await.webhook.status;
    fail(&mut leased).await;
    world.clock.advance(DISABLED_AFTER);
    // Nothing was tried meanwhile: the five days begin now.
    fail(&mut leased).await;
    for _ in 0..4 {
        world.clock.advance(Duration::from_hours(24));
        fail(&mut leased).await;
    }
    world.clock.advance(Duration::from_hours(24).saturating_sub(Duration::from_micros(1)));
    fail(&mut leased).await;
    world.clock.advance(Duration::from_hours(24));
    // What is noted alone is no attempt.
    assert!(world.directory.deliveries_note(&mut leased, vec![]).await.unwrap());
    assert_eq!((status().await, leased.is_outdated), (WebhookStatus::Active, false));
    let made = world.journal(&org).await.len();
    fail(&mut leased).await;
    assert_eq!((status().await, leased.is_outdated), (WebhookStatus::Inactive, true));
    let said = world.said(&org, made).await;
    assert_eq!(said.len(), 1);
    assert_eq!((&*said[0].kind, &*said[0].entity_id), ("webhook.disabled", &*id.to_string()));
    assert_eq!((said[0].actor, said[0].version, said[0].org_unit_id), (Actor::Server, 2, Some(org.top)));
    assert!(!world.directory.deliveries_note(&mut leased, vec![]).await.unwrap());
    assert!(world.lease(&org, id, ONE).await.is_none());
    // What was open is sent when somebody has put it right.
    world.update_webhook(&org, id, webhook_status(WebhookStatus::Active)).await.unwrap();
    let mut leased = world.lease(&org, id, ONE).await.unwrap();
    assert_eq!(world.directory.deliveries_open(&leased, 9).await.unwrap().len(), 1);
    fail(&mut leased).await;
    assert_eq!(status().await, WebhookStatus::Active);
}

async fn a_success_begins_the_time_anew<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, mut leased) = sending(&world, &org).await;
    for day in 0..=11 {
        leased.sender.health.note(world.directory.now(), None, day == 5);
        assert!(world.directory.deliveries_note(&mut leased, vec![]).await.unwrap());
        let status = world.webhook_view(&org, id).await.webhook.status;
        assert_eq!(status == WebhookStatus::Active, day < 11, "{day}");
        world.clock.advance(Duration::from_hours(24));
    }
}

async fn a_delivery_that_was_given_up_is_tried_again<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    world.note(&org, 30).await;
    world.deliver(&org, id, [8, 20, 21, 22]).await;
    world.end(&org, id, [8, 20], DeliveryState::Failed).await;
    world.end(&org, id, [21], DeliveryState::Delivered).await;
    world.commit(&org, vec![Change::JournalTrim { through: 8 }]).await.unwrap();
    world.clock.advance(Duration::from_mins(10));
    let retry =
        async |sequence| world.directory.delivery_retry(&org.ctx, id, DeliveryId::of(sequence, 0)).await;
    let again = retry(20).await.unwrap();
    assert_eq!((again.state, again.attempts), (DeliveryState::Open, 0));
    assert_eq!(again.next_at, Some(world.directory.now()));
    assert_eq!(world.store().delivery(org.tenant, id, again.id).await.unwrap(), Some(again));
    for sequence in [20, 21, 22] {
        let outcome = retry(sequence).await;
        assert!(matches!(outcome, Err(Error::Rule(Rule::DeliveryNotFailed))), "{outcome:?}");
    }
    assert!(matches!(retry(8).await, Err(Error::Rule(Rule::EventForgotten))));
    assert!(matches!(retry(23).await, Err(Error::NotFound(Entity::Delivery))));
}

async fn all_that_was_given_up_is_tried_again<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    world.note(&org, 1300).await;
    world.deliver(&org, id, 10..1300).await;
    world.end(&org, id, 10..1200, DeliveryState::Failed).await;
    world.end(&org, id, 1200..1250, DeliveryState::Delivered).await;
    world.commit(&org, vec![Change::JournalTrim { through: 99 }]).await.unwrap();
    let retry = async |sequence| {
        let since = delivery_of(sequence).at;
        world.directory.deliveries_retry(&org.ctx, id, since).await.unwrap()
    };
    assert_eq!((retry(1250).await, retry(1190).await, retry(1190).await), (0, 10, 0));
    assert_eq!(retry(0).await, 1090, "those of which the journal does not tell any more stay as they are");
    assert_eq!(world.told(&org, id, Some(DeliveryState::Failed)).await, (10..100).collect::<Vec<_>>());
    let open: Vec<i64> = (100..1200).chain(1250..1300).collect();
    assert_eq!(world.told(&org, id, Some(DeliveryState::Open)).await, open);
}

async fn what_others_have_tried_again_is_not_counted<B: Backend>() {
    let world = World::<B>::new();
    let org = std::sync::Arc::new(world.org("acme").await);
    let id = world.webhook(&org).await.id;
    world.note(&org, 1300).await;
    world.deliver(&org, id, 10..1210).await;
    world.end(&org, id, 10..1210, DeliveryState::Failed).await;
    let tasks = (0..4).map(|_| {
        let (directory, org) = (world.node(), std::sync::Arc::clone(&org));
        async move { directory.deliveries_retry(&org.ctx, id, START).await.unwrap() }
    });
    let counted: u64 = crate::support::all_at_once(tasks).await.into_iter().sum();
    assert_eq!(counted, 1200);
    assert_eq!(world.told(&org, id, Some(DeliveryState::Open)).await.len(), 1200);
}
