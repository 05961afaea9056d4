//! Which events a webhook hears: patterns, units, and each of them once.

use std::slice::from_ref;
use std::time::Duration;

use muster_domain::org_unit::OrgUnitPatch;
use muster_domain::user::{User, UserPatch};
use muster_domain::webhook::{DeliveryState, Event, LEASE, Leased, WebhookPatch, WebhookStatus};
use muster_domain::{OrgUnitId, StoreError, WebhookId};

use crate::support::Backend;
use crate::user_books::{joining, leaving};
use crate::webhook_books::{ONE, TWO, asking, in_unit, webhook_status};
use crate::world::{Org, World, named, under, with_login};

contract![
    a_webhook_hears_what_it_asks_for,
    a_branch_is_heard_with_or_without_what_is_below,
    what_has_no_unit_belongs_to_the_top,
    what_is_moved_is_heard_at_both_ends,
    members_are_heard_as_they_come_and_go,
    a_delivery_tells_of_its_entry,
    nothing_is_heard_twice_or_lost,
    a_cursor_stays_while_nothing_is_wanted_but_not_for_ever,
    what_was_changed_ends_what_is_read,
    what_was_not_written_does_not_count_as_read,
    who_has_lost_the_lease_derives_nothing,
    nothing_is_sent_for_a_tenant_that_is_not_active,
];

async fn hearing<B: Backend>(world: &World<B>, org: &Org, patch: WebhookPatch) -> WebhookId {
    world.create_webhook(org, patch).await.unwrap().webhook.id
}

/// Changes a unit through its use case.
async fn change_unit<B: Backend>(world: &World<B>, org: &Org, id: OrgUnitId, patch: OrgUnitPatch) {
    let ctx = world.now_ctx(org);
    let found = world.directory.org_unit_get(&ctx, id).await.unwrap();
    world.directory.org_unit_update(&ctx, found, patch.into(), None).await.unwrap();
}

async fn make_user<B: Backend>(world: &World<B>, org: &Org, unit: OrgUnitId, login: &str) -> User {
    let patch = UserPatch { org_unit_id: Some(unit), ..with_login(login) };
    world.create_user(org, patch).await.unwrap()
}

async fn a_webhook_hears_what_it_asks_for<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let created = hearing(&world, &org, asking(["user.created", "sms.*"])).await;
    let users = hearing(&world, &org, asking(["user.*"])).await;
    let all = hearing(&world, &org, asking(["user.*", "group.*", "user_group.*", "user.created"])).await;
    let user = make_user(&world, &org, org.top, "ada@x").await;
    let ctx = world.now_ctx(&org);
    let unit = world.directory.org_unit_create(&ctx, named("North").into()).await.unwrap().id;
    let group = world.user_group(&org, "Sales").await.id;
    world.delete_user(&org, user.id).await.unwrap();
    let user = user.id;
    let (made, gone) = (format!("user.created user:{user}"), format!("user.deleted user:{user}"));
    let (north, sales) =
        (format!("group.created org_unit:{unit}"), format!("user_group.created user_group:{group}"));
    assert_eq!(world.heard(&org, created).await, from_ref(&made));
    assert_eq!(world.heard(&org, users).await, [made.clone(), gone.clone()]);
    assert_eq!(world.heard(&org, all).await, [made, north, sales, gone], "each once, in the journal's order");
    world.is_sound().await;
}

async fn a_branch_is_heard_with_or_without_what_is_below<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let chain = world.add_chain(&org, 3).await;
    let beside = world.add_unit(&org, org.top, "Beside").await.id;
    let units = [org.top, chain[0], chain[1], chain[2], beside];
    let mut hooks = Vec::new();
    for unit in units {
        for below in [true, false] {
            hooks.push((
                unit,
                below,
                hearing(&world, &org, in_unit(unit, below, asking(["user.created"]))).await,
            ));
        }
    }
    let mut made = Vec::new();
    for (n, unit) in units.into_iter().enumerate() {
        made.push(make_user(&world, &org, unit, &format!("u{n}@x")).await.id);
    }
    for (unit, below, id) in hooks {
        let place = units.iter().position(|other| *other == unit).unwrap();
        let heard = match (place, below) {
            (_, false) => vec![made[place]],
            (0, true) => made.clone(),
            (4, true) => vec![made[4]],
            (_, true) => made[place..4].to_vec(),
        };
        let heard: Vec<String> = heard.iter().map(|user| format!("user.created user:{user}")).collect();
        assert_eq!(world.heard(&org, id).await, heard, "{place} {below}");
    }
}

async fn what_has_no_unit_belongs_to_the_top<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "North").await.id;
    let mut hooks = Vec::new();
    for (unit, below) in [(org.top, true), (org.top, false), (unit, true), (unit, false)] {
        let patch = in_unit(unit, below, asking(["contact_group.*", "user_group.*"]));
        hooks.push(hearing(&world, &org, patch).await);
    }
    let list = world.group(&org, "list").await.id;
    let group = world.user_group(&org, "Sales").await.id;
    let heard = [
        format!("contact_group.created contact_group:{list}"),
        format!("user_group.created user_group:{group}"),
    ];
    for (n, id) in hooks.into_iter().enumerate() {
        assert_eq!(world.heard(&org, id).await, heard[..if n < 2 { 2 } else { 0 }], "{n}");
    }
}

async fn what_is_moved_is_heard_at_both_ends<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (from, to) =
        (world.add_unit(&org, org.top, "From").await.id, world.add_unit(&org, org.top, "To").await.id);
    let user = make_user(&world, &org, from, "ada@x").await.id;
    let unit = world.add_unit(&org, from, "Unit").await.id;
    let mut hooks = Vec::new();
    for place in [from, to, unit] {
        for below in [true, false] {
            let patch = in_unit(place, below, asking(["user.updated", "group.moved", "group.updated"]));
            hooks.push(hearing(&world, &org, patch).await);
        }
    }
    world.update_user(&org, user, UserPatch { org_unit_id: Some(to), ..UserPatch::default() }).await.unwrap();
    change_unit(&world, &org, unit, under(to)).await;
    change_unit(&world, &org, unit, named("Other")).await;
    let user = format!("user.updated user:{user}");
    let moved = format!("group.moved org_unit:{unit}");
    let renamed = format!("group.updated org_unit:{unit}");
    let expected: [&[&String]; 6] = [
        &[&user, &moved],
        &[&user],
        &[&user, &moved, &renamed],
        &[&user],
        &[&moved, &renamed],
        &[&moved, &renamed],
    ];
    for (n, (id, expected)) in hooks.into_iter().zip(expected).enumerate() {
        let heard = world.heard(&org, id).await;
        assert_eq!(heard.iter().collect::<Vec<_>>(), expected, "{n}");
    }
}

async fn members_are_heard_as_they_come_and_go<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.user_group(&org, "Sales").await.id;
    let (ada, bo) = (world.add_user(&org, org.top, "ada").await, world.add_user(&org, org.top, "bo").await);
    let id = hearing(&world, &org, asking(["membership.*"])).await;
    let added = hearing(&world, &org, asking(["membership.added"])).await;
    world.change_members(&org, group, joining([&ada])).await.unwrap();
    let mut both = joining([&bo]);
    both.leave = leaving([&ada]).leave;
    world.change_members(&org, group, both).await.unwrap();
    let (joins, leaves) =
        (format!("membership.added user_group:{group}"), format!("membership.removed user_group:{group}"));
    assert_eq!(world.heard(&org, added).await, [joins.clone(), joins.clone()]);
    let mut leased = world.lease(&org, id, ONE).await.unwrap();
    let derived = world.derive(&mut leased).await.unwrap();
    let heard: Vec<String> = derived.iter().map(|d| format!("{} {}", d.event, d.entity)).collect();
    assert_eq!(heard, [joins.clone(), leaves, joins]);
    let journal = world.journal(&org).await;
    let members = derived.iter().map(|d| {
        let entry = journal.iter().find(|entry| entry.sequence == d.id.sequence()).unwrap();
        let event = Event::of(entry).into_iter().find(|event| event.part == d.id.part()).unwrap();
        event.members.unwrap().to_string()
    });
    let members: Vec<String> = members.collect();
    let names = |user: &User, members: &str| members.contains(&user.id.to_string());
    assert!(names(&ada, &members[0]) && names(&ada, &members[1]) && names(&bo, &members[2]), "{members:?}");
    // Two events of one entry are two deliveries.
    assert_eq!(derived[1].id.sequence(), derived[2].id.sequence());
    assert_eq!(world.told(&org, id, Some(DeliveryState::Open)).await.len(), 3);
}

async fn a_delivery_tells_of_its_entry<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = hearing(&world, &org, asking(["user.*"])).await;
    world.clock.advance(Duration::from_secs(4));
    let user = make_user(&world, &org, org.top, "ada@x").await.id;
    let entry = world.journal(&org).await.pop().unwrap();
    let mut leased = world.lease(&org, id, ONE).await.unwrap();
    let derived = world.derive(&mut leased).await.unwrap();
    assert_eq!(derived.len(), 1);
    let made = &derived[0];
    assert_eq!(world.directory.deliveries_open(&leased, 9).await.unwrap(), from_ref(made));
    assert_eq!((made.id.sequence(), made.id.part(), made.at), (entry.sequence, 0, entry.at));
    assert_eq!((&*made.event, &made.entity), ("user.created", &format!("user:{user}")));
    assert_eq!((made.state, made.attempts, made.next_at), (DeliveryState::Open, 0, Some(entry.at)));
}

async fn nothing_is_heard_twice_or_lost<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = hearing(&world, &org, asking(["user.*"])).await;
    let first = make_user(&world, &org, org.top, "ada@x").await.id;
    let mut leased = world.lease(&org, id, ONE).await.unwrap();
    let page = world.directory.journal_page(org.tenant, leased.read, 200).await.unwrap();
    assert_eq!(world.directory.webhook_derive(&mut leased, &page).await.unwrap().unwrap().len(), 1);
    assert_eq!((leased.read, world.cursor(id)), (world.head(org.tenant), world.head(org.tenant)));
    // The same page again, and one that begins before.
    for _ in 0..2 {
        assert_eq!(world.directory.webhook_derive(&mut leased, &page).await.unwrap().unwrap().len(), 0);
    }
    let second = make_user(&world, &org, org.top, "bo@x").await.id;
    let page = world.directory.journal_page(org.tenant, 0, 200).await.unwrap();
    let derived = world.directory.webhook_derive(&mut leased, &page).await.unwrap().unwrap();
    assert_eq!(derived[0].entity, format!("user:{second}"));
    // Whoever comes next goes on where this one died.
    world.clock.advance(LEASE);
    let third = make_user(&world, &org, org.top, "cy@x").await.id;
    let mut leased = world.lease(&org, id, TWO).await.unwrap();
    world.derive(&mut leased).await.unwrap();
    let open = world.directory.deliveries_open(&leased, 9).await.unwrap();
    let about: Vec<String> = open.into_iter().map(|delivery| delivery.entity).collect();
    assert_eq!(about, [first, second, third].map(|user| format!("user:{user}")));
}

async fn a_cursor_stays_while_nothing_is_wanted_but_not_for_ever<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = hearing(&world, &org, asking(["sms.*"])).await;
    let begin = world.cursor(id);
    let mut leased = world.lease(&org, id, ONE).await.unwrap();
    world.note(&org, 998).await;
    assert!(world.derive(&mut leased).await.unwrap().is_empty());
    assert_eq!((leased.read, world.cursor(id)), (begin + 999, begin));
    world.note(&org, 1).await;
    assert!(world.derive(&mut leased).await.unwrap().is_empty());
    assert_eq!((leased.read, world.cursor(id)), (begin + 1000, begin + 1000));
    world.note(&org, 5).await;
    assert!(world.derive(&mut leased).await.unwrap().is_empty());
    assert_eq!(world.cursor(id), begin + 1000);
    world.directory.webhook_release(leased).await.unwrap();
    assert_eq!(world.cursor(id), begin + 1005, "who leaves says how far it came");
}

async fn what_was_changed_ends_what_is_read<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = hearing(&world, &org, asking(["user.created"])).await;
    let mut leased = world.lease(&org, id, ONE).await.unwrap();
    // That it was made is known.
    assert!(world.derive(&mut leased).await.unwrap().is_empty());
    assert!(!leased.is_outdated);
    let before = make_user(&world, &org, org.top, "ada@x").await.id;
    let patch = WebhookPatch { events: Some(vec!["group.*".to_owned()]), ..WebhookPatch::default() };
    world.update_webhook(&org, id, patch).await.unwrap();
    make_user(&world, &org, org.top, "bo@x").await;
    let ctx = world.now_ctx(&org);
    let unit = world.directory.org_unit_create(&ctx, named("North").into()).await.unwrap().id;
    let derived = world.derive(&mut leased).await.unwrap();
    assert_eq!(derived.len(), 1);
    assert_eq!((&derived[0].entity, leased.is_outdated), (&format!("user:{before}"), true));
    assert_eq!(leased.read, world.head(org.tenant) - 2);
    assert!(world.derive(&mut leased).await.unwrap().is_empty(), "not before it is leased anew");
    assert_eq!(world.heard(&org, id).await, [format!("group.created org_unit:{unit}")]);
    // Nothing of another webhook.
    let mut leased = world.lease(&org, id, ONE).await.unwrap();
    let other = hearing(&world, &org, asking(["sms.*"])).await;
    world.update_webhook(&org, other, webhook_status(WebhookStatus::Inactive)).await.unwrap();
    world.derive(&mut leased).await.unwrap();
    assert_eq!((leased.is_outdated, leased.read), (false, world.head(org.tenant)));
}

/// All that is kept in memory of a lease.
fn place(leased: &Leased) -> (i64, i64, bool) {
    (leased.read, leased.sender.cursor, leased.is_outdated)
}

async fn what_was_not_written_does_not_count_as_read<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = hearing(&world, &org, asking(["user.*"])).await;
    let user = make_user(&world, &org, org.top, "ada@x").await.id;
    let mut leased = world.lease(&org, id, ONE).await.unwrap();
    let before = place(&leased);
    let page = world.directory.journal_page(org.tenant, leased.read, 200).await.unwrap();
    world.backend.tamper("ALTER TABLE webhook_deliveries RENAME TO elsewhere");
    let outcome = world.directory.webhook_derive(&mut leased, &page).await;
    assert!(outcome.is_err(), "{outcome:?}");
    world.backend.tamper("ALTER TABLE elsewhere RENAME TO webhook_deliveries");
    assert_eq!(place(&leased), before);
    // So nobody passes it over.
    world.directory.webhook_release(leased).await.unwrap();
    assert_eq!(world.heard(&org, id).await, [format!("user.created user:{user}")]);
}

async fn who_has_lost_the_lease_derives_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = hearing(&world, &org, asking(["user.*"])).await;
    make_user(&world, &org, org.top, "ada@x").await;
    let mut leased = world.lease(&org, id, ONE).await.unwrap();
    let was = place(&leased);
    world.clock.advance(LEASE);
    let mut theirs = world.lease(&org, id, TWO).await.unwrap();
    let before = world.backend.dump();
    assert!(world.derive(&mut leased).await.is_none());
    assert_eq!(place(&leased), was);
    world.directory.webhook_release(leased).await.unwrap();
    assert_eq!(world.backend.dump(), before);
    assert_eq!(world.derive(&mut theirs).await.unwrap().len(), 1);
}

async fn nothing_is_sent_for_a_tenant_that_is_not_active<B: Backend>() {
    use muster_domain::tenant::{Tenant, TenantStatus, TenantStore as _};
    use muster_domain::webhook::WebhookStore as _;
    use muster_domain::{Batch, Change, Store as _};

    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = hearing(&world, &org, asking(["user.*"])).await;
    let tenant = world.store().tenant(org.tenant).await.unwrap().unwrap();
    let set = async |status, version| -> Result<(), StoreError> {
        let tenant = Tenant { status, version, ..tenant.clone() };
        world.store().commit(Batch::new(org.tenant).change(Change::TenantUpdate(Box::new(tenant)))).await
    };
    set(TenantStatus::Disabled, 2).await.unwrap();
    assert!(world.lease(&org, id, ONE).await.is_none());
    assert_eq!(world.store().webhook_work(org.tenant, world.directory.now()).await.unwrap(), []);
    set(TenantStatus::Active, 3).await.unwrap();
    let mut leased = world.lease(&org, id, TWO).await.expect("nobody has leased it meanwhile");
    make_user(&world, &org, org.top, "ada@x").await;
    set(TenantStatus::Disabled, 4).await.unwrap();
    assert!(world.derive(&mut leased).await.is_none());
    assert!(!world.directory.deliveries_note(&mut leased, vec![]).await.unwrap());
    set(TenantStatus::Active, 5).await.unwrap();
    assert_eq!(world.derive(&mut leased).await.unwrap().len(), 1);
}
