//! Webhooks and tenants: nobody sees or touches those of another, and they go with their own. What the doctor finds, and
//! what becomes of their secrets with another server key.

use muster_domain::webhook::{
    DeliveryFilter, DeliveryState, Health, Webhook, WebhookStore as _, seal_context,
};
use muster_domain::{Change, Error, StoreError, TenantId, Timestamp};

use crate::contact_books::{ALL, is_gone};
use crate::support::{Backend, FixedClock, START, SeededEntropy, all_at_once, findings};
use crate::webhook_books::{ONE, asking, delivery_of, ended, in_unit};
use crate::world::{Org, World, with_login};

contract![
    nobody_sees_what_another_tenant_has,
    no_batch_touches_a_row_of_another_tenant,
    tenants_with_webhooks_are_listed_page_by_page,
    a_tenant_goes_with_its_webhooks,
    writes_during_a_deletion_do_not_stop_it,
    the_doctor_finds_what_must_not_be,
    secrets_are_sealed_under_the_next_key,
];

/// Two tenants, each with a webhook, leased, with an open, a delivered and a failed delivery.
async fn neighbours<B: Backend>() -> (World<B>, Org, Org, Webhook) {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let mut made = Vec::new();
    for org in [&org, &other] {
        let webhook = world.webhook(org).await;
        world.note(org, 30).await;
        world.deliver(org, webhook.id, [20, 21, 22]).await;
        world.end(org, webhook.id, [20], DeliveryState::Failed).await;
        world.end(org, webhook.id, [21], DeliveryState::Delivered).await;
        world.lease(org, webhook.id, ONE).await.unwrap();
        made.push(webhook);
    }
    let webhook = made.remove(0);
    (world, org, other, webhook)
}

async fn nobody_sees_what_another_tenant_has<B: Backend>() {
    let (world, _, other, webhook) = neighbours::<B>().await;
    let (directory, store, ctx, id) = (&world.directory, world.store(), &other.ctx, webhook.id);
    let before = world.backend.dump();
    assert!(is_gone(&directory.webhook_get(ctx, id).await));
    assert!(directory.webhook_list(ctx).await.unwrap().iter().all(|view| view.webhook.id != id));
    assert_eq!(directory.delivery_list(ctx, id, DeliveryFilter::default(), ALL).await.unwrap().total, 0);
    assert!(is_gone(&directory.delivery_retry(ctx, id, delivery_of(20).id).await));
    assert_eq!(directory.deliveries_retry(ctx, id, Timestamp(0)).await.unwrap(), 0);
    assert!(store.webhook_sender(other.tenant, id).await.unwrap().is_none());
    assert_eq!(store.deliveries_open(other.tenant, id, 9).await.unwrap(), []);
    assert!(store.webhook_work(other.tenant, Timestamp(0)).await.unwrap().iter().all(|work| work.id != id));
    assert!(directory.webhook_lease(other.tenant, id, ONE).await.unwrap().is_none());
    // With what they cannot have read.
    let found = muster_domain::webhook::WebhookView { webhook: webhook.clone(), health: Health::default() };
    assert!(directory.webhook_update(ctx, found.clone(), asking(["sms.*"]).into(), None).await.is_err());
    assert!(directory.webhook_rotate_secret(ctx, &world.key, found.clone(), None).await.is_err());
    assert!(is_gone(&directory.webhook_delete(ctx, found, None).await));
    assert_eq!(world.backend.dump(), before);
}

async fn no_batch_touches_a_row_of_another_tenant<B: Backend>() {
    let (world, _, other, webhook) = neighbours::<B>().await;
    let id = webhook.id;
    let from = world.cursor(id);
    let theirs = Webhook { tenant: other.tenant, version: 2, ..webhook.clone() };
    let before = world.backend.dump();
    let stale = [
        Change::WebhookUpdate { webhook: Box::new(theirs.clone()), restarts: true },
        Change::WebhookSecretRotate { webhook: Box::new(theirs), sealed: vec![1], until: START },
        Change::WebhookDelete { id, version: 1, at: START },
        Change::WebhookLease { id, owner: ONE, now: START, until: START },
        Change::WebhookKeep { id, owner: ONE, until: START, health: Health::default() },
        Change::WebhookRelease { id, owner: ONE, through: from + 1 },
        Change::DeliveriesInsert {
            webhook: id,
            owner: ONE,
            from,
            through: from + 9,
            deliveries: vec![delivery_of(from + 1)],
        },
        Change::DeliveryRetry { webhook: id, id: delivery_of(20).id, at: START },
        Change::WebhookRemove(id),
    ];
    for change in stale {
        assert_eq!(world.commit(&other, vec![change.clone()]).await, Err(StoreError::Stale), "{change:?}");
    }
    let without_effect = [
        Change::DeliveryAttempted {
            webhook: id,
            delivery: Box::new(ended(&delivery_of(22), DeliveryState::Delivered, None)),
        },
        Change::DeliveriesReap { webhook: id, horizon: Timestamp(i64::MAX), limit: 9 },
    ];
    world.commit(&other, without_effect.to_vec()).await.unwrap();
    let secret = world.store().webhook_sender(webhook.tenant, id).await.unwrap().unwrap().secret;
    for change in [
        Change::WebhookInsert(Box::new((webhook.clone(), secret))),
        Change::WebhookUpdate {
            webhook: Box::new(Webhook { version: 2, ..webhook.clone() }),
            restarts: false,
        },
        Change::WebhookSecretRotate { webhook: Box::new(webhook), sealed: vec![], until: START },
    ] {
        let outcome = world.commit(&other, vec![change.clone()]).await;
        assert!(matches!(outcome, Err(StoreError::Internal(_))), "{change:?}: {outcome:?}");
    }
    assert_eq!(world.backend.dump(), before);
}

async fn tenants_with_webhooks_are_listed_page_by_page<B: Backend>() {
    let world = World::<B>::new();
    assert_eq!(world.directory.tenants_with_webhooks(None, 9).await.unwrap(), []);
    let mut expected = Vec::new();
    for n in 0..5 {
        let org = world.org(&format!("org {n}")).await;
        for _ in 0..n % 3 {
            world.webhook(&org).await;
        }
        if n % 3 > 0 {
            expected.push(org.tenant);
        }
    }
    let mut after = None;
    for tenant in &expected {
        let page = world.directory.tenants_with_webhooks(after, 1).await.unwrap();
        assert_eq!(page, [*tenant]);
        after = page.last().copied();
    }
    assert_eq!(world.directory.tenants_with_webhooks(after, 1).await.unwrap(), []);
    assert_eq!(world.directory.tenants_with_webhooks(None, 9).await.unwrap(), expected);
    assert_eq!(world.directory.tenants_with_webhooks(Some(TenantId(0)), 2).await.unwrap(), expected[..2]);
}

async fn a_tenant_goes_with_its_webhooks<B: Backend>() {
    let (world, org, other, webhook) = neighbours::<B>().await;
    let unit = world.add_unit(&org, org.top, "North").await;
    world.create_webhook(&org, in_unit(unit.id, true, asking(["user.*"]))).await.unwrap();
    let deleted = world.webhook(&org).await.id;
    world.deliver(&org, deleted, 100..2200).await;
    world.delete_webhook(&org, deleted).await.unwrap();
    let beside = world.backend.dump_of(Some(other.tenant));
    let ctx = world.now_ctx(&org);
    let found = world.webhook_view(&org, webhook.id).await;
    let mut leased = world.lease(&org, webhook.id, ONE).await.unwrap();
    world.directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), []);
    // Whoever still writes is refused cleanly.
    let directory = &world.directory;
    let outcomes = [
        world.create_webhook(&org, asking(["user.*"])).await.map(drop),
        directory.webhook_update(&ctx, found.clone(), asking(["sms.*"]).into(), None).await.map(drop),
        directory.webhook_rotate_secret(&ctx, &world.key, found.clone(), None).await.map(drop),
        directory.webhook_delete(&ctx, found, None).await,
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(Error::NotFound(_) | Error::Invalid(_))), "{outcome:?}");
    }
    assert!(!directory.deliveries_note(&mut leased, vec![]).await.unwrap());
    directory.webhook_release(leased).await.unwrap();
    directory.webhooks_reap(Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), []);
    assert_eq!(
        world.told(&other, world.store().webhooks(other.tenant).await.unwrap()[0].webhook.id, None).await,
        [22]
    );
    assert_eq!(world.backend.dump_of(Some(other.tenant)).len(), beside.len() - 2);
    world.is_sound().await;
}

async fn writes_during_a_deletion_do_not_stop_it<B: Backend>() {
    let (world, org, other, webhook) = neighbours::<B>().await;
    for n in 0..10 {
        world.create_user(&org, with_login(&format!("u{n}@x"))).await.unwrap();
    }
    let tasks = (0..40_usize).map(|n| {
        let (directory, ctx, key, id) = (world.node(), org.ctx.clone(), world.key.clone(), webhook.id);
        async move {
            match n % 4 {
                0 if n == 12 => directory.tenant_delete(ctx.tenant(), |_| {}).await,
                0 => directory.webhook_create(&ctx, &key, asking(["user.*"]).into()).await.map(drop),
                1 => directory.webhooks_reap(Timestamp(0)).await,
                _ => {
                    let Some(mut leased) = directory.webhook_lease(ctx.tenant(), id, ONE).await? else {
                        return Ok(());
                    };
                    let page = directory.journal_page(ctx.tenant(), leased.read, 200).await?;
                    directory.webhook_derive(&mut leased, &page).await.map(drop)
                }
            }
        }
    });
    for outcome in all_at_once(tasks.collect::<Vec<_>>()).await {
        assert!(matches!(outcome, Ok(()) | Err(Error::NotFound(_) | Error::Invalid(_))), "{outcome:?}");
    }
    assert_eq!(world.backend.rows_of(org.tenant), []);
    assert_eq!(world.directory.webhook_list(&other.ctx).await.unwrap().len(), 1);
    world.is_sound().await;
}

async fn the_doctor_finds_what_must_not_be<B: Backend>() {
    let (world, _, other, webhook) = neighbours::<B>().await;
    let id = webhook.id;
    let said = |what: &str| format!("{what}: webhook {id}");
    let unread = said("a row is not understood");
    let of = |sequence: i64| format!("{unread}, delivery {}", delivery_of(sequence).id.0);
    let cursor = said("its place in the journal is not where it can be");
    let untimely = said("has an open delivery that is never tried, or tries one that is not open");
    let (unit, event) = (said("in no org unit"), said("there is no such event"));
    let (name, url) = (said("the name is empty"), said("the address is empty"));
    let nobody = said("has deliveries, but is not there");
    let secret = format!("the server key does not open the secret of webhook {id}");
    let hook = |what: &str| format!("UPDATE webhooks SET {what} WHERE id = {id}");
    let one = |sequence: i64, what: &str| {
        let delivery = delivery_of(sequence).id.0;
        format!("UPDATE webhook_deliveries SET {what} WHERE webhook_id = {id} AND id = {delivery}")
    };
    let mut damages = vec![
        (hook("events = 'user'"), vec![&unread]),
        (hook("events = '[7]'"), vec![&unread]),
        (hook("events = '[\"user.eaten\"]'"), vec![&event]),
        (hook("static_parameters = '[[\"a\"]]'"), vec![&unread]),
        (hook("format = 9"), vec![&unread]),
        (hook("status = 9"), vec![&unread]),
        (hook("deleted = 1, status = 9"), vec![&unread]),
        (hook("name = ' '"), vec![&name]),
        (hook("url = ''"), vec![&url]),
        (hook(&format!("org_unit_id = {}", other.top)), vec![&unit]),
        (hook("journal_cursor = 9999"), vec![&cursor]),
        (hook("journal_cursor = 21"), vec![&cursor]),
        (hook("secret_sealed = old_secret_sealed"), vec![&secret]),
        (hook(&format!("old_secret_sealed = {}", B::bytes(&[1, 2]))), vec![&secret]),
        (one(22, "next_at = NULL"), vec![&untimely]),
        (one(20, "next_at = 5"), vec![&untimely]),
        (one(20, "state = 0"), vec![&untimely]),
    ];
    damages.push((format!("DELETE FROM webhooks WHERE id = {id}"), vec![&nobody]));
    let (first, last) = (of(20), of(21));
    damages.push((one(20, "state = 9"), vec![&first]));
    damages.push((one(21, "duration = NULL"), vec![&last]));
    if let Some(text) = B::BROKEN_TEXT {
        damages.push((hook(&format!("name = {text}")), vec![&unread]));
        damages.push((one(20, &format!("answer = {text}")), vec![&first]));
    }
    let old = format!("UPDATE webhooks SET old_secret_sealed = NULL WHERE id = {id}");
    for (damage, expected) in damages {
        world.is_sound().await;
        world.backend.tamper(
            "CREATE TABLE w AS SELECT * FROM webhooks; CREATE TABLE d AS SELECT * FROM webhook_deliveries;",
        );
        // A secret that another row has opens nothing here.
        let damage = damage.replace(
            "secret_sealed = old_secret_sealed",
            &format!(
                "secret_sealed = (SELECT o.secret_sealed FROM w o WHERE o.tenant_id = {})",
                other.tenant
            ),
        );
        world.backend.tamper(&damage);
        let found = findings(world.store(), &world.key).await;
        // What is between brackets is said by the store's library.
        let plain = |what: &String| match (what.split_once(" ("), what.rsplit_once("): ")) {
            (Some((begin, _)), Some((_, end))) => format!("{begin}: {end}"),
            _ => what.clone(),
        };
        // A file says of itself what refers to nothing.
        let found = found.iter().filter(|finding| !finding.contains("refers to what is not there"));
        let found: Vec<String> = found.map(plain).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{damage}");
        world.backend.tamper(
            "DELETE FROM webhook_deliveries; DELETE FROM webhooks;
             INSERT INTO webhooks SELECT * FROM w; INSERT INTO webhook_deliveries SELECT * FROM d;
             DROP TABLE w; DROP TABLE d;",
        );
    }
    world.backend.tamper(&old);
    world.is_sound().await;
    world.backend.tamper("UPDATE id_blocks SET next_id = 1 WHERE kind = 'webhook'");
    let found = findings(world.store(), &world.key).await;
    assert!(found.len() == 1 && found[0].contains("webhooks has id"), "{found:?}");
}

async fn secrets_are_sealed_under_the_next_key<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, deleted) = (world.webhook(&org).await.id, world.webhook(&org).await.id);
    let rotate = async || {
        let found = world.webhook_view(&org, id).await;
        world.directory.webhook_rotate_secret(&org.ctx, &world.key, found, None).await.unwrap()
    };
    rotate().await;
    world.delete_webhook(&org, deleted).await.unwrap();
    let sealed =
        async |world: &World<B>| world.store().webhook_sender(org.tenant, id).await.unwrap().unwrap().secret;
    let context = seal_context(org.tenant, id);
    let before = sealed(&world).await;
    let plain = [&before.sealed, &before.before.as_ref().unwrap().0]
        .map(|sealed| world.key.open(&context, sealed).unwrap().clone());
    let old = world.key.clone();
    let backend = world.closed().await;
    let options = backend.options();
    let rotated = async || {
        muster_store::rotate_key(&options, None, &FixedClock::default(), &SeededEntropy::new(9))
            .await
            .unwrap()
    };
    // That of a deleted webhook is one of them, and the tenant has a credential.
    assert_eq!(rotated().await.secrets, 4);
    let world = World::later(backend);
    assert_ne!(world.key.fingerprint(), old.fingerprint());
    let after = sealed(&world).await;
    assert_eq!(after.before.as_ref().unwrap().1, before.before.as_ref().unwrap().1);
    let opened = [&after.sealed, &after.before.as_ref().unwrap().0]
        .map(|sealed| world.key.open(&context, sealed).unwrap().clone());
    assert_eq!(opened, plain);
    assert!(old.open(&context, &after.sealed).is_none());
    world.is_sound().await;
    // Nobody writes what is sealed under the key of before.
    let ctx = world.now_ctx(&org);
    let outcome = world.directory.webhook_create(&ctx, &old, asking(["user.*"]).into()).await;
    assert!(outcome.is_err(), "{outcome:?}");
    let found = world.webhook_view(&org, id).await;
    assert!(world.directory.webhook_rotate_secret(&ctx, &old, found, None).await.is_err());
    assert_eq!(sealed(&world).await, after);
}
