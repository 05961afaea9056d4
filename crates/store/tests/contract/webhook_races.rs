//! Webhooks that many change, lease and send for at once, on as many servers as there may be.

use std::sync::Arc;
use std::time::Duration;

use muster_domain::webhook::{LEASE, WebhookFormat, WebhookPatch, WebhookStore as _};
use muster_domain::{Ctx, Directory, Error, OrgUnitId, TenantId, Timestamp, WebhookId};
use muster_store::Store;
use uuid::Uuid;

use crate::support::{Backend, all_at_once};
use crate::webhook_books::asking;
use crate::world::{Org, World, with_login, with_status};

contract![
    one_of_many_leases,
    one_of_many_derives,
    limits_hold_when_many_come_at_once,
    changes_at_once_lose_nothing,
    no_webhook_comes_into_a_unit_that_is_archived_meanwhile,
    a_webhook_that_is_deleted_meanwhile_leaves_nothing,
];

async fn one_of_many_leases<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    for _ in 0..5 {
        let tenant = org.tenant;
        let tasks = (1..=16).map(|n| {
            let directory = world.node();
            async move { directory.webhook_lease(tenant, id, Uuid::from_u128(n)).await.unwrap().is_some() }
        });
        let won = all_at_once(tasks).await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1);
        world.clock.advance(LEASE);
    }
}

/// Goes on as one process that sends does, until it has looked at so many entries; dies now and then.
async fn derive(directory: Arc<Directory<Store>>, tenant: TenantId, id: WebhookId, owner: Uuid, head: i64) {
    for turn in 0.. {
        let Some(mut leased) = directory.webhook_lease(tenant, id, owner).await.unwrap() else {
            if directory.store.webhook_work(tenant, Timestamp(i64::MAX)).await.unwrap()[0].has_news {
                tokio::task::yield_now().await;
                continue;
            }
            return;
        };
        let end = leased.read + 7;
        while leased.read < head.min(end) {
            let page = directory.journal_page(tenant, leased.read, 200).await.unwrap();
            let some = &page[..page.len().min(3)];
            if directory.webhook_derive(&mut leased, some).await.unwrap().is_none() {
                break;
            }
        }
        let done = leased.read >= head;
        if done || turn % 2 == 0 {
            directory.webhook_release(leased).await.unwrap();
        }
        if done {
            return;
        }
    }
}

async fn one_of_many_derives<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    let mut made = Vec::new();
    for n in 0..60 {
        let user = world.create_user(&org, with_login(&format!("u{n}@x"))).await.unwrap();
        made.push(format!("user:{}", user.id));
    }
    let (tenant, head) = (org.tenant, world.head(org.tenant));
    let tasks: Vec<_> = (1..=4).map(|n| derive(world.node(), tenant, id, Uuid::from_u128(n), head)).collect();
    // What a lease takes of time passes while they work.
    let clock = Arc::clone(&world.clock);
    let ticks = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(2)).await;
            clock.advance(LEASE / 4);
        }
    });
    all_at_once(tasks).await;
    ticks.abort();
    let open = world.store().deliveries_open(tenant, id, 999).await.unwrap();
    assert_eq!(open.into_iter().map(|delivery| delivery.entity).collect::<Vec<_>>(), made);
    assert_eq!(world.cursor(id), head);
}

async fn limits_hold_when_many_come_at_once<B: Backend>() {
    let world = World::<B>::new();
    let org = Arc::new(world.org("acme").await);
    let create = |format: WebhookFormat| {
        let (directory, org, key) = (world.node(), Arc::clone(&org), world.key.clone());
        async move {
            let patch = WebhookPatch { format: Some(format), ..asking(["sms.*"]) };
            directory.webhook_create(&org.ctx, &key, patch.into()).await.is_ok()
        }
    };
    let made = all_at_once((0..20).map(|_| create(WebhookFormat::Lox24)).collect::<Vec<_>>()).await;
    assert_eq!(made.into_iter().filter(|made| *made).count(), 5);
    let made = all_at_once((0..260).map(|_| create(WebhookFormat::Standard)).collect::<Vec<_>>()).await;
    assert_eq!(made.into_iter().filter(|made| *made).count(), 245);
    assert_eq!(world.directory.webhook_list(&org.ctx).await.unwrap().len(), 250);
    world.is_sound().await;
}

async fn changes_at_once_lose_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = Arc::new(world.org("acme").await);
    let id = world.create_webhook(&org, asking(["sms.*"])).await.unwrap().webhook.id;
    let tasks: Vec<_> = (0..6_usize)
        .map(|n| {
            let (directory, org, key) = (world.node(), Arc::clone(&org), world.key.clone());
            async move {
                let patch = match n {
                    0 => WebhookPatch { name: Some("new".into()), ..WebhookPatch::default() },
                    1 => WebhookPatch { url: Some("https://n.example".into()), ..WebhookPatch::default() },
                    2 => WebhookPatch { events: Some(vec!["sms.sent".into()]), ..WebhookPatch::default() },
                    3 => WebhookPatch { include_sub_groups: Some(false), ..WebhookPatch::default() },
                    4 => WebhookPatch { format: Some(WebhookFormat::Lox24), ..WebhookPatch::default() },
                    _ => {
                        let found = directory.webhook_get(&org.ctx, id).await.unwrap();
                        directory.webhook_rotate_secret(&org.ctx, &key, found, None).await.unwrap();
                        return;
                    }
                };
                let found = directory.webhook_get(&org.ctx, id).await.unwrap();
                directory.webhook_update(&org.ctx, found, patch.into(), None).await.unwrap();
            }
        })
        .collect();
    all_at_once(tasks).await;
    let webhook = world.webhook_view(&org, id).await.webhook;
    assert_eq!((&*webhook.name, &*webhook.url), ("new", "https://n.example"));
    assert_eq!((&*webhook.events[0], webhook.include_sub_groups), ("sms.sent", false));
    assert_eq!((webhook.format, webhook.version), (WebhookFormat::Lox24, 7));
    let said = world.journal(&org).await;
    let versions: Vec<i64> =
        said.iter().filter(|entry| entry.entity == "webhook").map(|entry| entry.version).collect();
    assert_eq!(versions, (1..=7).collect::<Vec<_>>());
}

fn into_unit(unit: OrgUnitId) -> WebhookPatch {
    WebhookPatch { org_unit_id: Some(unit), ..WebhookPatch::default() }
}

/// Archives a unit while others bring webhooks into it; what the archived unit has by then was there before.
async fn no_webhook_comes_into_a_unit_that_is_archived_meanwhile<B: Backend>() {
    let world = World::<B>::new();
    let org = Arc::new(world.org("acme").await);
    for round in 0..8 {
        let unit = world.add_unit(&org, org.top, &format!("unit {round}")).await.id;
        let moved = world.webhook(&org).await;
        let made = world.journal(&org).await.len();
        let tasks: Vec<_> = (0..3_usize)
            .map(|n| {
                let (directory, org, key) = (world.node(), Arc::clone(&org), world.key.clone());
                async move {
                    let ctx = Ctx::operator(org.tenant, org.top, directory.now());
                    let outcome: Result<(), Error> = match n {
                        0 => {
                            let found = directory.org_unit_get(&ctx, unit).await.unwrap();
                            let archived = with_status(muster_domain::org_unit::OrgUnitStatus::Inactive);
                            directory.org_unit_update(&ctx, found, archived.into(), None).await.map(drop)
                        }
                        1 => {
                            let patch = WebhookPatch { org_unit_id: Some(unit), ..asking(["user.*"]) };
                            directory.webhook_create(&ctx, &key, patch.into()).await.map(drop)
                        }
                        _ => {
                            let found = directory.webhook_get(&ctx, moved.id).await.unwrap();
                            directory
                                .webhook_update(&ctx, found, into_unit(unit).into(), None)
                                .await
                                .map(drop)
                        }
                    };
                    assert!(matches!(outcome, Ok(()) | Err(Error::Invalid(_))), "{n}: {outcome:?}");
                }
            })
            .collect();
        all_at_once(tasks).await;
        let said = world.said(&org, made).await;
        let archived = said.iter().position(|entry| entry.kind == "org_unit.archived").unwrap();
        let late = said[archived..].iter().filter(|entry| entry.entity == "webhook");
        assert_eq!(late.count(), 0, "{round}: {said:?}");
    }
}

async fn a_webhook_that_is_deleted_meanwhile_leaves_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org: Arc<Org> = Arc::new(world.org("acme").await);
    for round in 0..6 {
        let id = world.webhook(&org).await.id;
        world.create_user(&org, with_login(&format!("u{round}@x"))).await.unwrap();
        let tasks: Vec<_> = (0..4_usize)
            .map(|n| {
                let (directory, org) = (world.node(), Arc::clone(&org));
                async move {
                    if n == 0 {
                        let found = directory.webhook_get(&org.ctx, id).await.unwrap();
                        directory.webhook_delete(&org.ctx, found, None).await.unwrap();
                        directory.webhooks_reap(directory.now()).await.unwrap();
                    } else if let Some(mut leased) =
                        directory.webhook_lease(org.tenant, id, Uuid::from_u128(n as u128)).await.unwrap()
                    {
                        let page = directory.journal_page(org.tenant, leased.read, 200).await.unwrap();
                        directory.webhook_derive(&mut leased, &page).await.unwrap();
                        directory.webhook_release(leased).await.unwrap();
                    }
                }
            })
            .collect();
        all_at_once(tasks).await;
        world.directory.webhooks_reap(world.directory.now()).await.unwrap();
        assert_eq!(world.backend.look("SELECT COUNT(*) FROM webhooks"), 0);
        assert_eq!(world.backend.look("SELECT COUNT(*) FROM webhook_deliveries"), 0);
    }
}
