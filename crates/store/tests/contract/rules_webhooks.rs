//! The rules of webhooks: who sees and changes them, and what is noted of it.

use std::time::Duration;

use muster_domain::user::Role;
use muster_domain::webhook::{
    DeliveryId, NewWebhook, SECRET_OVERLAP, StaticParameter, Webhook, WebhookFormat, WebhookPatch,
    WebhookStatus, WebhookStore as _, WebhookView, seal_context,
};
use muster_domain::{Actor, Change, Ctx, Draft, Error, FieldErrors, Problem, Rule, WebhookId};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::contact_books::is_gone;
use crate::support::{Backend, START};
use crate::webhook_books::{ONE, asking, in_unit, webhook_status};
use crate::world::{Org, World, as_admin};

contract![
    a_new_webhook_is_what_was_asked_for,
    a_new_webhook_needs_what_it_cannot_do_without,
    a_webhook_is_changed_field_by_field,
    a_change_that_changes_nothing_commits_nothing,
    what_was_read_before_another_change_is_read_again,
    a_restart_is_told_of_what_happens_from_then_on,
    a_new_secret_signs_beside_the_one_before,
    a_deleted_webhook_is_gone,
    only_admins_of_the_branch_see_a_webhook,
    a_tenant_has_so_many_webhooks,
];

/// Whether it was refused because of this field.
fn is_refused<T>(outcome: &Result<T, Error>, fields: &[(&str, Problem)]) -> bool {
    let Err(Error::Invalid(errors)) = outcome else { return false };
    let mut found: Vec<String> =
        errors.iter().map(|error| format!("{} {:?}", error.field, error.problem)).collect();
    let mut wanted: Vec<String> =
        fields.iter().map(|(field, problem)| format!("{field} {problem:?}")).collect();
    found.sort();
    wanted.sort();
    found == wanted
}

fn plain(made: &NewWebhook) -> &str {
    made.secret.expose_secret()
}

/// What signs for a webhook, opened: the present secret, and the one before.
async fn secrets<B: Backend>(world: &World<B>, org: &Org, id: WebhookId) -> (String, Option<String>) {
    let sender = world.store().webhook_sender(org.tenant, id).await.unwrap().unwrap();
    let open = |sealed: &[u8]| {
        String::from_utf8(world.key.open(&seal_context(org.tenant, id), sealed).unwrap().clone()).unwrap()
    };
    (open(&sender.secret.sealed), sender.secret.before.map(|(sealed, _)| open(&sealed)))
}

async fn a_new_webhook_is_what_was_asked_for<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "North").await;
    world.clock.advance(Duration::from_secs(5));
    let made = world.create_webhook(&org, asking(["user.*", "sms.sent"])).await.unwrap();
    let plainest = Webhook {
        id: made.webhook.id,
        tenant: org.tenant,
        org_unit_id: org.top,
        name: "CRM".to_owned(),
        url: "https://crm.example.org/hook".to_owned(),
        events: vec!["user.*".to_owned(), "sms.sent".to_owned()],
        static_parameters: vec![],
        format: WebhookFormat::Standard,
        status: WebhookStatus::Active,
        include_sub_groups: true,
        version: 1,
        created_at: world.directory.now(),
        modified_at: world.directory.now(),
    };
    assert_eq!(made.webhook, plainest);
    assert_eq!(world.webhook_view(&org, made.webhook.id).await.webhook, plainest);
    assert!(plain(&made).starts_with("whsec_") && plain(&made).len() == 50, "32 bytes in Base64");
    assert_eq!(secrets(&world, &org, made.webhook.id).await, (plain(&made).to_owned(), None));
    let entry = world.journal(&org).await.pop().unwrap();
    assert_eq!((&*entry.kind, &*entry.entity_id), ("webhook.created", &*made.webhook.id.to_string()));
    assert_eq!((entry.version, entry.org_unit_id, entry.actor), (1, Some(org.top), Actor::Operator));
    // The address and the parameters may carry secrets of the receiver.
    assert_eq!(entry.payload["host"], json!([null, "crm.example.org"]));
    assert!(!entry.payload.to_string().contains("hook"), "{}", entry.payload);

    let parameter = StaticParameter { name: "source".to_owned(), value: "muster".to_owned() };
    let patch = WebhookPatch {
        static_parameters: Some(vec![parameter.clone()]),
        format: Some(WebhookFormat::Lox24),
        status: Some(WebhookStatus::Inactive),
        ..in_unit(unit.id, false, asking(["sms.sent"]))
    };
    let other = world.create_webhook(&org, patch).await.unwrap();
    assert_ne!(plain(&other), plain(&made));
    let found = world.webhook_view(&org, other.webhook.id).await.webhook;
    assert_eq!(found, other.webhook);
    let (format, status) = (WebhookFormat::Lox24, WebhookStatus::Inactive);
    assert_eq!((found.format, found.status, found.include_sub_groups), (format, status, false));
    assert_eq!((found.static_parameters, found.org_unit_id), (vec![parameter], unit.id));
    world.is_sound().await;
}

async fn a_new_webhook_needs_what_it_cannot_do_without<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let archived = world.add_archived(&org, org.top, "Old").await;
    let before = world.backend.dump();
    let outcome = world.create_webhook(&org, WebhookPatch::default()).await;
    let missing = ["name", "url", "events"].map(|field| (field, Problem::Required));
    assert!(is_refused(&outcome, &missing), "{outcome:?}");
    let mut errors = FieldErrors::default();
    errors.push("url", Problem::Format("no"));
    let value = in_unit(other.top, true, asking(["user.*"]));
    let outcome =
        world.directory.webhook_create(&org.ctx, &world.key, Draft { value, errors }).await.map(drop);
    let both = [("url", Problem::Format("no")), ("org_unit_id", Problem::Unknown("org unit"))];
    assert!(is_refused(&outcome, &both), "{outcome:?}");
    let outcome = world.create_webhook(&org, in_unit(archived.id, true, asking(["user.*"]))).await;
    assert!(is_refused(&outcome, &[("org_unit_id", Problem::Inactive("org unit"))]), "{outcome:?}");
    assert_eq!(world.backend.dump(), before);
}

async fn a_webhook_is_changed_field_by_field<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "North").await;
    let mut expected = world.webhook(&org).await;
    let patches = [
        WebhookPatch { org_unit_id: Some(unit.id), ..WebhookPatch::default() },
        WebhookPatch { name: Some("ERP".to_owned()), ..WebhookPatch::default() },
        WebhookPatch { url: Some("https://erp.example.org".to_owned()), ..WebhookPatch::default() },
        WebhookPatch { events: Some(vec!["sms.*".to_owned()]), ..WebhookPatch::default() },
        WebhookPatch {
            static_parameters: Some(vec![StaticParameter { name: "a".into(), value: "b".into() }]),
            ..WebhookPatch::default()
        },
        WebhookPatch { format: Some(WebhookFormat::Lox24), ..WebhookPatch::default() },
        WebhookPatch { include_sub_groups: Some(false), ..WebhookPatch::default() },
        webhook_status(WebhookStatus::Inactive),
    ];
    for (n, patch) in (2..).zip(patches) {
        world.clock.advance(Duration::from_secs(1));
        let WebhookPatch { org_unit_id, name, url, events, static_parameters, format, status, .. } =
            patch.clone();
        expected = Webhook {
            org_unit_id: org_unit_id.unwrap_or(expected.org_unit_id),
            name: name.unwrap_or(expected.name),
            url: url.unwrap_or(expected.url),
            events: events.unwrap_or(expected.events),
            static_parameters: static_parameters.unwrap_or(expected.static_parameters),
            format: format.unwrap_or(expected.format),
            status: status.unwrap_or(expected.status),
            include_sub_groups: patch.include_sub_groups.unwrap_or(expected.include_sub_groups),
            version: n,
            modified_at: world.directory.now(),
            ..expected
        };
        let changed = world.update_webhook(&org, expected.id, patch).await.unwrap();
        assert_eq!(changed.webhook, expected);
        assert_eq!(world.webhook_view(&org, expected.id).await, changed);
        let entry = world.journal(&org).await.pop().unwrap();
        assert_eq!((&*entry.kind, entry.version), ("webhook.updated", n));
        assert_eq!((entry.org_unit_id, entry.at), (Some(expected.org_unit_id), expected.modified_at));
    }
    let outcome = world.update_webhook(
        &org,
        expected.id,
        WebhookPatch { org_unit_id: Some(muster_domain::OrgUnitId(99_999)), ..WebhookPatch::default() },
    );
    let outcome = outcome.await;
    assert!(is_refused(&outcome, &[("org_unit_id", Problem::Unknown("org unit"))]), "{outcome:?}");
}

async fn a_change_that_changes_nothing_commits_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let webhook = world.webhook(&org).await;
    let before = world.backend.dump();
    world.clock.advance(Duration::from_secs(9));
    for patch in [WebhookPatch::default(), asking(["user.*"]), webhook_status(WebhookStatus::Active)] {
        assert_eq!(world.update_webhook(&org, webhook.id, patch).await.unwrap().webhook, webhook);
    }
    assert_eq!(world.backend.dump(), before);
}

fn renamed(name: &str) -> WebhookPatch {
    WebhookPatch { name: Some(name.to_owned()), ..WebhookPatch::default() }
}

async fn what_was_read_before_another_change_is_read_again<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    let ctx = world.now_ctx(&org);
    let old = world.webhook_view(&org, id).await;
    world.update_webhook(&org, id, renamed("first")).await.unwrap();
    let directory = &world.directory;
    let only_old = || {
        let holds: muster_domain::Precondition<WebhookView> = Box::new(|view| view.webhook.version == 1);
        Some(holds)
    };
    let outcomes = [
        directory.webhook_update(&ctx, old.clone(), renamed("x").into(), only_old()).await.map(drop),
        directory.webhook_rotate_secret(&ctx, &world.key, old.clone(), only_old()).await.map(drop),
        directory.webhook_delete(&ctx, old.clone(), only_old()).await,
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(Error::Precondition)), "{outcome:?}");
    }
    let quiet = WebhookPatch { include_sub_groups: Some(false), ..WebhookPatch::default() };
    let both = directory.webhook_update(&ctx, old.clone(), quiet.into(), None).await.unwrap().webhook;
    assert_eq!((&*both.name, both.include_sub_groups, both.version), ("first", false, 3));
    let rotated = directory.webhook_rotate_secret(&ctx, &world.key, old.clone(), None).await.unwrap();
    assert_eq!(rotated.webhook.version, 4);
    directory.webhook_delete(&ctx, old.clone(), None).await.unwrap();
    assert!(is_gone(&directory.webhook_update(&ctx, old.clone(), renamed("x").into(), None).await));
    assert!(is_gone(&directory.webhook_rotate_secret(&ctx, &world.key, old.clone(), None).await));
    assert!(is_gone(&directory.webhook_delete(&ctx, old, None).await));
}

async fn a_restart_is_told_of_what_happens_from_then_on<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.webhook(&org).await.id;
    world.heard(&org, id).await;
    let mut leased = world.lease(&org, id, ONE).await.unwrap();
    leased.sender.health.note(START, Some(500), false);
    assert!(world.directory.deliveries_note(&mut leased, vec![]).await.unwrap());
    world.update_webhook(&org, id, webhook_status(WebhookStatus::Inactive)).await.unwrap();
    world.create_user(&org, crate::world::with_login("meanwhile@x")).await.unwrap();
    let view = world.update_webhook(&org, id, webhook_status(WebhookStatus::Active)).await.unwrap();
    assert_eq!((view.health.consecutive_failures, view.health.failing_since), (0, None));
    assert_eq!(world.webhook_view(&org, id).await, view);
    let user = world.create_user(&org, crate::world::with_login("after@x")).await.unwrap();
    assert_eq!(world.heard(&org, id).await, [format!("user.created user:{}", user.id)]);
}

async fn a_new_secret_signs_beside_the_one_before<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let first = world.create_webhook(&org, asking(["user.*"])).await.unwrap();
    let id = first.webhook.id;
    world.clock.advance(Duration::from_secs(3));
    let rotate = async || {
        let found = world.webhook_view(&org, id).await;
        world.directory.webhook_rotate_secret(&world.now_ctx(&org), &world.key, found, None).await.unwrap()
    };
    let second = rotate().await;
    assert_ne!(plain(&first), plain(&second));
    let both = (plain(&second).to_owned(), Some(plain(&first).to_owned()));
    assert_eq!(secrets(&world, &org, id).await, both);
    let sender = world.store().webhook_sender(org.tenant, id).await.unwrap().unwrap();
    assert_eq!(sender.secret.before.unwrap().1, world.directory.now().plus(SECRET_OVERLAP));
    assert_eq!((second.webhook.version, second.webhook.modified_at), (2, world.directory.now()));
    assert_eq!(world.webhook_view(&org, id).await.webhook, second.webhook);
    let entry = world.journal(&org).await.pop().unwrap();
    assert_eq!((&*entry.kind, entry.version, entry.payload), ("webhook.secret_rotated", 2, json!({})));
    let third = rotate().await;
    let both = (plain(&third).to_owned(), Some(plain(&second).to_owned()));
    assert_eq!(secrets(&world, &org, id).await, both);
}

async fn a_deleted_webhook_is_gone<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, kept) = (world.webhook(&org).await.id, world.webhook(&org).await.id);
    world.delete_webhook(&org, id).await.unwrap();
    assert!(is_gone(&world.directory.webhook_get(&org.ctx, id).await));
    assert!(is_gone(&world.delete_webhook(&org, id).await));
    let list = world.directory.webhook_list(&org.ctx).await.unwrap();
    assert_eq!(list.into_iter().map(|view| view.webhook.id).collect::<Vec<_>>(), [kept]);
    let entry = world.journal(&org).await.pop().unwrap();
    assert_eq!((&*entry.kind, entry.version, entry.org_unit_id), ("webhook.deleted", 2, Some(org.top)));
}

async fn only_admins_of_the_branch_see_a_webhook<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let chain = world.add_chain(&org, 3).await;
    let beside = world.add_unit(&org, org.top, "Beside").await.id;
    let mut ids = Vec::new();
    for unit in [org.top, chain[0], chain[1], chain[2], beside] {
        ids.push(
            world.create_webhook(&org, in_unit(unit, true, asking(["user.*"]))).await.unwrap().webhook.id,
        );
    }
    let admin = as_admin(world.user(&org, chain[1], "branch@x").await, false);
    let standard = world.user(&org, org.top, "standard@x").await;
    assert_eq!(standard.role, Role::Standard);
    world
        .commit(
            &org,
            vec![Change::UserInsert(Box::new(admin.clone())), Change::UserInsert(Box::new(standard.clone()))],
        )
        .await
        .unwrap();
    let (ctx, reader) = (world.ctx_of(&admin).await, world.ctx_of(&standard).await);
    let directory = &world.directory;
    let seen = async |ctx: &Ctx| {
        let list = directory.webhook_list(ctx).await.unwrap();
        list.into_iter().map(|view| view.webhook.id).collect::<Vec<_>>()
    };
    assert_eq!(seen(&org.ctx).await, ids);
    assert_eq!(seen(&ctx).await, ids[2..4]);
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(is_gone(&directory.webhook_get(&ctx, *id).await), !(2..4).contains(&n), "{n}");
        assert!(matches!(directory.webhook_get(&reader, *id).await, Err(Error::Forbidden(_))));
    }
    assert!(matches!(directory.webhook_list(&reader).await, Err(Error::Forbidden(_))));
    // Their own is of their unit, and none is moved out of their sight.
    let made = directory.webhook_create(&ctx, &world.key, asking(["user.*"]).into()).await.unwrap();
    assert_eq!(made.webhook.org_unit_id, chain[1]);
    let found = directory.webhook_get(&ctx, made.webhook.id).await.unwrap();
    let up = WebhookPatch { org_unit_id: Some(chain[0]), ..WebhookPatch::default() };
    let outcome = directory.webhook_update(&ctx, found.clone(), up.into(), None).await;
    assert!(is_refused(&outcome, &[("org_unit_id", Problem::Unknown("org unit"))]), "{outcome:?}");
    let outcomes = [
        directory.webhook_create(&reader, &world.key, asking(["user.*"]).into()).await.map(drop),
        directory.webhook_update(&reader, found.clone(), renamed("x").into(), None).await.map(drop),
        directory.webhook_rotate_secret(&reader, &world.key, found.clone(), None).await.map(drop),
        directory.webhook_delete(&reader, found, None).await,
        directory.delivery_retry(&reader, ids[0], DeliveryId(1)).await.map(drop),
        directory.deliveries_retry(&reader, ids[0], START).await.map(drop),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
    }
}

async fn a_tenant_has_so_many_webhooks<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let lox24 = |patch| WebhookPatch { format: Some(WebhookFormat::Lox24), ..patch };
    for _ in 0..5 {
        world.create_webhook(&org, lox24(asking(["sms.*"]))).await.unwrap();
    }
    let plain = world.webhook(&org).await.id;
    let full = Error::Rule(Rule::TooManyLox24Webhooks).to_string();
    for outcome in [
        world.create_webhook(&org, lox24(asking(["sms.*"]))).await.map(drop),
        world.update_webhook(&org, plain, lox24(asking(["sms.*"]))).await.map(drop),
    ] {
        assert_eq!(outcome.unwrap_err().to_string(), full);
    }
    // One that is in that format already stays so.
    let first = world.directory.webhook_list(&org.ctx).await.unwrap().remove(0).webhook.id;
    world.update_webhook(&org, first, lox24(renamed("x"))).await.unwrap();
    for _ in 6..250 {
        world.webhook(&org).await;
    }
    let full = Error::Rule(Rule::TooManyWebhooks).to_string();
    assert_eq!(world.create_webhook(&org, asking(["user.*"])).await.unwrap_err().to_string(), full);
    world.update_webhook(&org, plain, renamed("x")).await.unwrap();
    world.delete_webhook(&org, first).await.unwrap();
    world.update_webhook(&org, plain, lox24(asking(["sms.*"]))).await.unwrap();
    world.webhook(&org).await;
    assert!(world.create_webhook(&org, asking(["user.*"])).await.is_err());
}
