//! Webhooks in a store: every column, every change and its refusals, and who may send.

use std::time::Duration;

use muster_domain::webhook::{
    DeliveryState, Health, StaticParameter, Webhook, WebhookFormat, WebhookSecret, WebhookStatus,
    WebhookStore as _, WebhookView, WebhookWork,
};
use muster_domain::{Batch, Change, Guard, IdKind, Store as _, StoreError, Timestamp, WebhookId};
use uuid::Uuid;

use crate::support::{Backend, START};
use crate::webhook_books::{ONE, TWO, attempt, delivery_of, ended, is_stale};
use crate::world::{Org, World};

contract![
    a_webhook_reads_back_whole,
    an_update_reads_back_whole_and_needs_the_version,
    a_new_secret_keeps_the_one_before,
    a_deleted_webhook_is_seen_by_nobody,
    a_lease_is_one_owners,
    only_who_has_the_lease_writes,
    a_release_frees_and_never_goes_back,
    the_cursor_moves_from_where_it_is,
    a_restart_is_at_the_end_of_the_journal,
    what_is_to_be_done_is_told,
    there_is_room_for_so_many,
];

fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

/// With something in every column, not stored yet.
async fn rich<B: Backend>(world: &World<B>, org: &Org) -> (Webhook, WebhookSecret) {
    let unit = world.add_unit(org, org.top, &world.directory.entropy.uuid().to_string()).await;
    let webhook = Webhook {
        id: WebhookId(world.store().next_id(IdKind::Webhook).await.unwrap()),
        tenant: org.tenant,
        org_unit_id: unit.id,
        name: "Kundschaft “漢”".to_owned(),
        url: "https://crm.example.org:8443/hook?key=ä".to_owned(),
        events: vec!["user.*".to_owned(), "sms.received".to_owned()],
        static_parameters: vec![
            StaticParameter { name: "source".to_owned(), value: "mus\"ter\\".to_owned() },
            StaticParameter { name: "😀".to_owned(), value: String::new() },
        ],
        format: WebhookFormat::Lox24,
        status: WebhookStatus::Inactive,
        include_sub_groups: false,
        version: 3,
        created_at: at(1),
        modified_at: at(2),
    };
    (webhook, WebhookSecret { sealed: vec![0, 255, 7], before: None })
}

/// A webhook with all defaults and an active status, stored.
async fn stored<B: Backend>(world: &World<B>, org: &Org) -> Webhook {
    let (webhook, secret) = rich(world, org).await;
    let webhook = Webhook { status: WebhookStatus::Active, version: 1, ..webhook };
    world.commit(org, vec![Change::WebhookInsert(Box::new((webhook.clone(), secret)))]).await.unwrap();
    webhook
}

fn update(webhook: &Webhook, restarts: bool) -> Change {
    Change::WebhookUpdate { webhook: Box::new(webhook.clone()), restarts }
}

async fn a_webhook_reads_back_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (webhook, secret) = rich(&world, &org).await;
    world.commit(&org, vec![Change::WebhookInsert(Box::new((webhook.clone(), secret)))]).await.unwrap();
    let view = WebhookView { webhook: webhook.clone(), health: Health::default() };
    assert_eq!(world.store().webhook(org.tenant, webhook.id).await.unwrap(), Some(view.clone()));
    let active = stored(&world, &org).await;
    let both = vec![view, WebhookView { webhook: active.clone(), health: Health::default() }];
    assert_eq!(world.store().webhooks(org.tenant).await.unwrap(), both);
    // Nothing is sent for one that is inactive.
    assert!(world.store().webhook_sender(org.tenant, webhook.id).await.unwrap().is_none());
    let sender = world.store().webhook_sender(org.tenant, active.id).await.unwrap().unwrap();
    assert_eq!((sender.webhook, sender.top, sender.health), (active, org.top, Health::default()));
    assert_eq!(sender.secret, WebhookSecret { sealed: vec![0, 255, 7], before: None });
    assert_eq!(sender.cursor, world.head(org.tenant));
}

async fn an_update_reads_back_whole_and_needs_the_version<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let before = stored(&world, &org).await;
    let after = Webhook {
        org_unit_id: org.top,
        name: "other".to_owned(),
        url: "http://10.0.0.1/".to_owned(),
        events: vec!["group.moved".to_owned()],
        static_parameters: vec![],
        format: WebhookFormat::Standard,
        status: WebhookStatus::Inactive,
        include_sub_groups: true,
        version: 2,
        modified_at: at(9),
        ..before.clone()
    };
    for version in [1, 3, 4] {
        let wrong = Webhook { version, ..after.clone() };
        assert!(is_stale(&world.commit(&org, vec![update(&wrong, false)]).await), "{version}");
    }
    world.commit(&org, vec![update(&after, false)]).await.unwrap();
    assert!(is_stale(&world.commit(&org, vec![update(&after, false)]).await));
    let found = world.store().webhook(org.tenant, before.id).await.unwrap().unwrap();
    assert_eq!(found.webhook, after);
    let unknown = Webhook { id: WebhookId(before.id.0 + 1), version: 3, ..after };
    assert!(is_stale(&world.commit(&org, vec![update(&unknown, false)]).await));
}

async fn a_new_secret_keeps_the_one_before<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let webhook = stored(&world, &org).await;
    let rotate = |version, sealed: &[u8], until| Change::WebhookSecretRotate {
        webhook: Box::new(Webhook { version, modified_at: at(4), ..webhook.clone() }),
        sealed: sealed.to_vec(),
        until,
    };
    assert!(is_stale(&world.commit(&org, vec![rotate(3, &[1], at(5))]).await));
    world.commit(&org, vec![rotate(2, &[1], at(5))]).await.unwrap();
    assert!(is_stale(&world.commit(&org, vec![rotate(2, &[1], at(5))]).await));
    let secret = async || world.store().webhook_sender(org.tenant, webhook.id).await.unwrap().unwrap();
    let sender = secret().await;
    let expected = WebhookSecret { sealed: vec![1], before: Some((vec![0, 255, 7], at(5))) };
    assert_eq!(sender.secret, expected);
    assert_eq!(sender.webhook, Webhook { version: 2, modified_at: at(4), ..webhook.clone() });
    world.commit(&org, vec![rotate(3, &[2], at(6))]).await.unwrap();
    let expected = WebhookSecret { sealed: vec![2], before: Some((vec![1], at(6))) };
    assert_eq!(secret().await.secret, expected);
}

async fn a_deleted_webhook_is_seen_by_nobody<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let webhook = stored(&world, &org).await;
    let kept = stored(&world, &org).await;
    world.deliver(&org, webhook.id, [20, 21, 22]).await;
    world.end(&org, webhook.id, [20], DeliveryState::Failed).await;
    assert!(world.lease(&org, webhook.id, ONE).await.is_some());
    let (id, tenant) = (webhook.id, org.tenant);
    let delete = |version| vec![Change::WebhookDelete { id, version, at: at(7) }];
    assert!(is_stale(&world.commit(&org, delete(2)).await));
    world.commit(&org, delete(1)).await.unwrap();
    for version in [1, 2] {
        assert!(is_stale(&world.commit(&org, delete(version)).await));
    }
    let store = world.store();
    assert_eq!(store.webhook(tenant, id).await.unwrap(), None);
    assert!(store.webhook_sender(tenant, id).await.unwrap().is_none());
    let seen = store.webhooks(tenant).await.unwrap();
    assert_eq!(seen.into_iter().map(|view| view.webhook).collect::<Vec<_>>(), std::slice::from_ref(&kept));
    let work: Vec<_> =
        store.webhook_work(tenant, at(9999)).await.unwrap().into_iter().map(|work| work.id).collect();
    assert_eq!(work, [kept.id]);
    for state in [None, Some(DeliveryState::Open), Some(DeliveryState::Failed)] {
        assert_eq!(world.told(&org, id, state).await, Vec::<i64>::new());
    }
    assert_eq!(store.delivery(tenant, id, delivery_of(20).id).await.unwrap(), None);
    assert_eq!(store.deliveries_open(tenant, id, 9).await.unwrap(), []);
    assert!(world.lease(&org, id, ONE).await.is_none());
    let retry = Change::DeliveryRetry { webhook: id, id: delivery_of(20).id, at: at(8) };
    let later = Webhook { version: 3, ..webhook };
    let rotate =
        Change::WebhookSecretRotate { webhook: Box::new(later.clone()), sealed: vec![], until: at(9) };
    for change in [retry, update(&later, true), rotate] {
        assert!(is_stale(&world.commit(&org, vec![change.clone()]).await), "{change:?}");
    }
    assert_eq!(store.tenants_with_webhooks(None, 9).await.unwrap(), [tenant]);
    world.commit(&org, vec![Change::WebhookDelete { id: kept.id, version: 1, at: at(7) }]).await.unwrap();
    assert_eq!(store.tenants_with_webhooks(None, 9).await.unwrap(), []);
}

fn lease(id: WebhookId, owner: Uuid, now: u64, until: u64) -> Vec<Change> {
    vec![Change::WebhookLease { id, owner, now: at(now), until: at(until) }]
}

fn keep(id: WebhookId, owner: Uuid, until: u64) -> Change {
    Change::WebhookKeep { id, owner, until: at(until), health: Health::default() }
}

async fn a_lease_is_one_owners<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = stored(&world, &org).await.id;
    let lease = async |owner, now, until| world.commit(&org, lease(id, owner, now, until)).await;
    lease(ONE, 0, 20).await.unwrap();
    assert!(is_stale(&lease(TWO, 0, 20).await));
    assert!(is_stale(&lease(TWO, 19, 39).await), "it is not over");
    lease(ONE, 10, 30).await.unwrap();
    assert!(is_stale(&lease(TWO, 20, 40).await), "it was renewed");
    world.commit(&org, vec![keep(id, ONE, 50)]).await.unwrap();
    assert!(is_stale(&lease(TWO, 30, 50).await), "it was kept");
    lease(TWO, 50, 70).await.unwrap();
    assert!(is_stale(&lease(ONE, 50, 70).await), "it was lost");
    assert_eq!(world.store().webhook_work(org.tenant, at(9999)).await.unwrap()[0].lease, Some((TWO, at(70))));
    world.commit(&org, vec![Change::WebhookRelease { id, owner: TWO, through: i64::MAX }]).await.unwrap();
    lease(ONE, 0, 20).await.unwrap();
    let inactive =
        Webhook { status: WebhookStatus::Inactive, version: 2, ..stored_of(&world, &org, id).await };
    world.commit(&org, vec![update(&inactive, false)]).await.unwrap();
    for owner in [ONE, TWO] {
        assert!(is_stale(&lease(owner, 99, 100).await), "nothing is sent for it");
    }
}

async fn stored_of<B: Backend>(world: &World<B>, org: &Org, id: WebhookId) -> Webhook {
    world.store().webhook(org.tenant, id).await.unwrap().unwrap().webhook
}

async fn only_who_has_the_lease_writes<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = stored(&world, &org).await.id;
    let from = world.cursor(id);
    let writes = |owner| {
        [
            keep(id, owner, 60),
            Change::WebhookRelease { id, owner, through: from + 1 },
            Change::DeliveriesInsert { webhook: id, owner, from, through: from + 1, deliveries: vec![] },
        ]
    };
    let refused = async |owner, why: &str| {
        for change in writes(owner) {
            assert!(is_stale(&world.commit(&org, vec![change.clone()]).await), "{why}: {change:?}");
        }
    };
    refused(ONE, "there is no lease").await;
    world.commit(&org, lease(id, ONE, 0, 20)).await.unwrap();
    refused(TWO, "it is another's").await;
    world.commit(&org, lease(id, TWO, 20, 40)).await.unwrap();
    refused(ONE, "it was taken over").await;
    let webhook = stored_of(&world, &org, id).await;
    let inactive = Webhook { status: WebhookStatus::Inactive, version: 2, ..webhook.clone() };
    world.commit(&org, vec![update(&inactive, false)]).await.unwrap();
    refused(TWO, "nothing is sent for it").await;
    world.commit(&org, vec![update(&Webhook { version: 3, ..webhook }, true)]).await.unwrap();
    // It begins anew, for whoever has it.
    assert!(is_stale(&world.commit(&org, lease(id, ONE, 20, 40)).await));
    world.commit(&org, lease(id, TWO, 20, 40)).await.unwrap();
    world.commit(&org, vec![Change::WebhookDelete { id, version: 3, at: at(1) }]).await.unwrap();
    refused(TWO, "it was deleted").await;
    assert_eq!(world.cursor(id), from);

    // What an owner notes is kept, also after the time for which it has leased, as long as nobody else has.
    let id = stored(&world, &org).await.id;
    world.commit(&org, lease(id, ONE, 0, 20)).await.unwrap();
    let health = Health {
        last_delivery_at: Some(at(70)),
        last_status: Some(503),
        consecutive_failures: 4,
        failing_since: Some(at(61)),
    };
    let keep = Change::WebhookKeep { id, owner: ONE, until: at(90), health };
    world.commit(&org, vec![keep]).await.unwrap();
    assert_eq!(world.health(&org, id).await, health);
    assert_eq!(world.store().webhook_sender(org.tenant, id).await.unwrap().unwrap().health, health);
    assert_eq!(world.store().webhook_work(org.tenant, at(9999)).await.unwrap()[0].lease, Some((ONE, at(90))));
}

async fn a_release_frees_and_never_goes_back<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = stored(&world, &org).await.id;
    world.note(&org, 9).await;
    let from = world.cursor(id);
    let release = |through| vec![Change::WebhookRelease { id, owner: ONE, through }];
    world.commit(&org, lease(id, ONE, 0, 20)).await.unwrap();
    world.commit(&org, release(from + 4)).await.unwrap();
    assert_eq!(world.cursor(id), from + 4);
    assert_eq!(world.store().webhook_work(org.tenant, at(9999)).await.unwrap()[0].lease, None);
    world.commit(&org, lease(id, ONE, 0, 20)).await.unwrap();
    assert!(is_stale(&world.commit(&org, release(from + 3)).await));
    world.commit(&org, release(from + 4)).await.unwrap();
    assert!(is_stale(&world.commit(&org, release(from + 9)).await), "it has left already");
    assert_eq!(world.cursor(id), from + 4);
}

async fn the_cursor_moves_from_where_it_is<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = stored(&world, &org).await.id;
    let from = world.cursor(id);
    world.commit(&org, lease(id, ONE, 0, 20)).await.unwrap();
    let insert = |from, through| {
        let deliveries = vec![delivery_of(through)];
        vec![Change::DeliveriesInsert { webhook: id, owner: ONE, from, through, deliveries }]
    };
    for wrong in [from - 1, from + 1] {
        assert!(is_stale(&world.commit(&org, insert(wrong, from + 5)).await), "{wrong}");
    }
    assert_eq!((world.cursor(id), world.told(&org, id, None).await), (from, vec![]));
    world.commit(&org, insert(from, from + 5)).await.unwrap();
    assert!(is_stale(&world.commit(&org, insert(from, from + 5)).await));
    assert_eq!((world.cursor(id), world.told(&org, id, None).await), (from + 5, vec![from + 5]));
}

async fn a_restart_is_at_the_end_of_the_journal<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let webhook = stored(&world, &org).await;
    let id = webhook.id;
    world.commit(&org, lease(id, ONE, 0, 20)).await.unwrap();
    let health = Health {
        last_status: Some(500),
        consecutive_failures: 9,
        failing_since: Some(at(3)),
        ..Health::default()
    };
    world.commit(&org, vec![Change::WebhookKeep { id, owner: ONE, until: at(20), health }]).await.unwrap();
    let begin = world.cursor(id);
    world.note(&org, 5).await;
    // An update that does not restart leaves it where it is.
    world.commit(&org, vec![update(&Webhook { version: 2, ..webhook.clone() }, false)]).await.unwrap();
    assert_eq!((world.cursor(id), world.health(&org, id).await), (begin, health));
    world.commit(&org, vec![update(&Webhook { version: 3, ..webhook }, true)]).await.unwrap();
    assert_eq!(world.cursor(id), world.head(org.tenant));
    let well = Health { last_status: Some(500), ..Health::default() };
    assert_eq!(world.health(&org, id).await, well);
    assert_eq!(world.store().webhook_work(org.tenant, at(9999)).await.unwrap()[0].lease, Some((ONE, at(20))));
}

async fn what_is_to_be_done_is_told<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (quiet, busy) = (stored(&world, &org).await.id, stored(&world, &org).await.id);
    let work = async || world.store().webhook_work(org.tenant, at(9999)).await.unwrap();
    let idle = |id| WebhookWork {
        id,
        version: 1,
        has_news: false,
        next_at: None,
        due_at: None,
        lease: None,
        health: Health::default(),
    };
    assert_eq!(work().await, [idle(quiet), idle(busy)]);
    world.note(&org, 3).await;
    let news = |id| WebhookWork { has_news: true, ..idle(id) };
    assert_eq!(work().await, [news(quiet), news(busy)]);
    let head = world.head(org.tenant);
    world.deliver(&org, busy, [head - 1, head]).await;
    // The younger one is due first, and then none.
    let retried = ended(&delivery_of(head - 1), DeliveryState::Open, Some(attempt(at(1), Some("no"))));
    let later = muster_domain::webhook::Delivery { next_at: Some(at(9999)), ..retried };
    let attempted = Change::DeliveryAttempted { webhook: busy, delivery: Box::new(later) };
    world.commit(&org, vec![attempted]).await.unwrap();
    let due_at = Some(delivery_of(head).at);
    let due = WebhookWork { next_at: due_at, due_at: Some(at(9999)), ..idle(busy) };
    assert_eq!(work().await, [news(quiet), due]);
    let before = world.store().webhook_work(org.tenant, at(9998)).await.unwrap();
    assert_eq!(before[1].due_at, due_at, "of those that are due");
    world.end(&org, busy, [head], DeliveryState::Delivered).await;
    assert_eq!(work().await[1].next_at, Some(at(9999)));
    world.end(&org, busy, [head - 1], DeliveryState::Failed).await;
    assert_eq!(work().await[1], idle(busy));
    let inactive =
        Webhook { status: WebhookStatus::Inactive, version: 2, ..stored_of(&world, &org, quiet).await };
    world.commit(&org, vec![update(&inactive, false)]).await.unwrap();
    assert_eq!(work().await, [idle(busy)]);
}

async fn there_is_room_for_so_many<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let has_room = async |org: &Org, besides, of_lox24| {
        let guard = Guard::WebhookRoom { besides, of_lox24 };
        match world.store().commit(Batch::new(org.tenant).guard(guard)).await {
            Ok(()) => true,
            Err(StoreError::GuardFailed) => false,
            Err(error) => panic!("{error}"),
        }
    };
    let none = WebhookId(0);
    let first = stored(&world, &org).await;
    for n in 1..250 {
        assert!(has_room(&org, none, false).await);
        assert_eq!(has_room(&org, none, true).await, n < 5, "{n}");
        assert!(has_room(&org, first.id, n < 6).await, "{n}");
        let format = if n < 5 { WebhookFormat::Lox24 } else { WebhookFormat::Standard };
        let (id, secret) = (WebhookId(100_000 + n), WebhookSecret { sealed: vec![], before: None });
        let webhook = Webhook { id, format, ..first.clone() };
        world.commit(&org, vec![Change::WebhookInsert(Box::new((webhook, secret)))]).await.unwrap();
    }
    assert!(!has_room(&org, none, false).await && has_room(&org, first.id, true).await);
    assert!(has_room(&other, none, true).await);
    world.commit(&org, vec![Change::WebhookDelete { id: first.id, version: 1, at: at(1) }]).await.unwrap();
    assert!(has_room(&org, none, true).await);
}
