//! Bulks: what is kept of them, how they are steered, and who sees them.

use std::time::Duration;

use muster_domain::contact::PhoneNumber;
use muster_domain::message::{
    Bulk, BulkField, BulkPatch, BulkPreview, BulkStatus, BulkStore as _, Encoding, FieldValue, Filter,
    ListQuery, Money, NewBulk, PlaceholderStyle, SendOptions, SendWindow, SenderId, Test,
};
use muster_domain::{BulkId, ContactGroupId, Draft, Entity, Error, FieldErrors, Patch, Problem, Rule, Slice};

use crate::balance::cents;
use crate::bulk_books::{contact, mobile, new, saying, to_groups, to_phones};
use crate::support::{Backend, START, findings};
use crate::world::{Org, World};

contract![
    a_bulk_reads_back_whole,
    bad_input_of_bulks_is_named_whole,
    a_bulk_is_changed_until_it_begins,
    bulks_are_steered_as_their_table_says,
    bulks_are_listed_by_what_they_are,
    a_preview_tells_who_gets_nothing,
    what_is_to_be_done_is_known,
    bulks_go_with_their_tenant,
    the_doctor_sees_what_is_wrong_with_bulks,
];

fn window() -> Option<SendWindow> {
    SendWindow::read("09:00", "20:00", "America/New_York", "window", &mut FieldErrors::default())
}

/// With a value in every field.
fn rich(group: ContactGroupId) -> NewBulk {
    NewBulk {
        patch: BulkPatch {
            org_unit_id: None,
            name: Patch::Set("Spring".to_owned()),
            sender: SenderId::read("+4915199").ok(),
            text: Some("Grüße {{name}} 漢 €".to_owned()),
            encoding: Patch::Set(Encoding::Ucs2),
            phones: Some(vec![mobile(2), mobile(1)]),
            groups: Some(vec![group]),
            deliver_at: Patch::Set(START.plus(Duration::from_hours(7))),
            window: window().map_or(Patch::Keep, Patch::Set),
            options: Some(SendOptions {
                source: -3,
                voice_lang: Some("de".to_owned()),
                is_text_deleted: true,
                ..SendOptions::default()
            }),
            status: Some(BulkStatus::Draft),
        },
        style: PlaceholderStyle::Braces,
        is_dry_run: true,
        ip: Some("2001:db8::1".to_owned()),
    }
}

async fn a_bulk_reads_back_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.named_group(&org, [contact(1, "Kim")]).await;
    let made = world.bulk(&org, rich(group.id)).await;
    assert_eq!((made.status, made.version, made.org_unit_id), (BulkStatus::Draft, 1, org.top));
    assert_eq!(made.phones.iter().map(PhoneNumber::as_str).collect::<Vec<_>>(), [mobile(2), mobile(1)]);
    assert_eq!((made.window.is_some(), made.options.source), (true, -3));
    assert_eq!(world.found_bulk(&org, made.id).await, made);
    assert_eq!(world.directory.bulk_by_uuid(&org.ctx, made.uuid).await.unwrap(), made);
    let plain = world.bulk(&org, to_phones("hello", 0..1)).await;
    assert_eq!(
        (plain.status, plain.name.as_deref(), plain.window.as_ref()),
        (BulkStatus::Scheduled, None, None)
    );
    assert_eq!(world.found_bulk(&org, plain.id).await, plain);
    assert_eq!(world.kinds(&org, "broadcast.").await, ["broadcast.created", "broadcast.created"]);
    let stranger = world.org("other").await;
    for outcome in [
        world.directory.bulk_get(&stranger.ctx, made.id).await,
        world.directory.bulk_by_uuid(&stranger.ctx, made.uuid).await,
        world.directory.bulk_get(&org.ctx, BulkId(77)).await,
    ] {
        assert!(matches!(outcome, Err(Error::NotFound(Entity::Bulk))));
    }
}

async fn bad_input_of_bulks_is_named_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let patch = BulkPatch {
        org_unit_id: Some(muster_domain::OrgUnitId(4711)),
        phones: Some(vec![mobile(1), "abc".to_owned(), "+1".to_owned()]),
        groups: Some(vec![ContactGroupId(4711)]),
        deliver_at: Patch::Set(START),
        ..BulkPatch::default()
    };
    let Err(Error::Invalid(errors)) = world.directory.bulk_create(&org.ctx, Draft::from(new(patch))).await
    else {
        panic!("it was made");
    };
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_ref()).collect();
    assert_eq!(
        fields,
        ["sender", "text", "deliver_at", "phones[1]", "phones[2]", "groups[0]", "org_unit_id"]
    );
    assert_eq!(errors[5].problem, Problem::Unknown("contact group"));
    let outcome = world.directory.bulk_create(&org.ctx, Draft::from(new(saying("hello")))).await;
    assert!(matches!(outcome, Err(Error::Rule(Rule::NoRecipients))));
    let begun = BulkPatch { status: Some(BulkStatus::Sending), ..to_phones("hello", 0..1).patch };
    let outcome = world.directory.bulk_create(&org.ctx, Draft::from(new(begun))).await;
    assert!(matches!(outcome, Err(Error::Rule(Rule::BulkStatus))));
    let many = to_phones("hello", 0..10_001);
    let Err(Error::Invalid(errors)) = world.directory.bulk_create(&org.ctx, Draft::from(many)).await else {
        panic!("it was made");
    };
    assert_eq!(errors[0].problem, Problem::TooManyEntries { max: 10_000 });
    // LOX24 begins at once then.
    let mut late = to_phones("hello", 0..1);
    (late.style, late.patch.deliver_at) = (PlaceholderStyle::Brackets, Patch::Set(START));
    assert_eq!(world.bulk(&org, late).await.deliver_at, Some(START));
}

async fn a_bulk_is_changed_until_it_begins<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.named_group(&org, [contact(1, "Kim")]).await;
    let unit = world.add_unit(&org, org.top, "unit").await;
    let made = world.bulk(&org, rich(group.id)).await;
    let update = async |found: Bulk, patch: BulkPatch| {
        world.directory.bulk_update(&world.now_ctx(&org), found, Draft::from(patch), None).await
    };
    // Nothing changes: also what is stored is only sent again, though its time has passed.
    world.clock.advance(Duration::from_hours(9));
    let same = BulkPatch { status: None, ..rich(group.id).patch };
    assert_eq!(update(made.clone(), same).await.unwrap(), made);
    let other = BulkPatch {
        org_unit_id: Some(unit.id),
        name: Patch::Clear,
        phones: Some(Vec::new()),
        window: Patch::Clear,
        deliver_at: Patch::Clear,
        ..BulkPatch::default()
    };
    let changed = update(made.clone(), other).await.unwrap();
    assert_eq!((changed.version, changed.org_unit_id, changed.phones.len()), (2, unit.id, 0));
    assert_eq!((changed.name.as_deref(), changed.window.as_ref(), changed.deliver_at), (None, None, None));
    assert_eq!(world.found_bulk(&org, made.id).await, changed);
    // Nobody is left; and what was read before is read again.
    let nobody = BulkPatch { groups: Some(Vec::new()), ..BulkPatch::default() };
    assert!(matches!(update(made.clone(), nobody).await, Err(Error::Rule(Rule::NoRecipients))));
    let both =
        BulkPatch { status: Some(BulkStatus::Sending), text: Some("hi".to_owned()), ..BulkPatch::default() };
    let begun = update(changed, both).await.unwrap();
    assert_eq!((begun.status, begun.text.as_str(), begun.version), (BulkStatus::Sending, "hi", 3));
    let late = BulkPatch { text: Some("ho".to_owned()), ..BulkPatch::default() };
    assert!(matches!(update(begun.clone(), late).await, Err(Error::Rule(Rule::BulkNotEditable))));
    let wrong =
        world.directory.bulk_delete(&org.ctx, begun.clone(), Some(Box::new(|bulk: &Bulk| bulk.version == 2)));
    assert!(matches!(wrong.await, Err(Error::Precondition)));
    let kinds = ["broadcast.created", "broadcast.updated", "broadcast.started"];
    assert_eq!(world.kinds(&org, "broadcast.").await, kinds);
}

async fn bulks_are_steered_as_their_table_says<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for (before, reached) in [
        (BulkStatus::Draft, &[][..]),
        (BulkStatus::Scheduled, &[BulkStatus::Scheduled][..]),
        (BulkStatus::Sending, &[BulkStatus::Sending][..]),
        (BulkStatus::Paused, &[BulkStatus::Sending, BulkStatus::Paused][..]),
        (BulkStatus::Cancelled, &[BulkStatus::Cancelled][..]),
    ] {
        for after in BulkStatus::ALL {
            let mut draft = to_phones("hello", 0..3);
            draft.patch.status = Some(BulkStatus::Draft);
            let id = world.bulk(&org, draft).await.id;
            for step in reached {
                world.steer(&org, id, *step).await.unwrap();
            }
            let outcome = world.steer(&org, id, after).await;
            if before.can_be_set(after) || before == after {
                assert_eq!(outcome.unwrap().status, after, "{before:?}");
            } else {
                assert!(matches!(outcome, Err(Error::Rule(Rule::BulkStatus))), "{before:?} {after:?}");
            }
            assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
        }
    }
}

async fn bulks_are_listed_by_what_they_are<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.named_group(&org, [contact(1, "Kim")]).await;
    let unit = world.add_unit(&org, org.top, "unit").await;
    let below = world.add_unit(&org, unit.id, "below").await;
    let mut all = Vec::new();
    for (n, unit) in [org.top, unit.id, below.id, org.top].into_iter().enumerate() {
        world.clock.advance(Duration::from_secs(10));
        let mut new = if n == 1 { rich(group.id) } else { to_phones(&format!("Text {n}"), 0..=n) };
        new.patch.org_unit_id = Some(unit);
        new.patch.name = Patch::Set(format!("Spring {n}"));
        all.push(world.bulk(&org, new).await);
    }
    let gone = world.bulk(&org, to_phones("gone", 0..1)).await;
    world.directory.bulk_delete(&org.ctx, gone.clone(), None).await.unwrap();
    let again = world.directory.bulk_delete(&org.ctx, gone, None).await;
    assert!(matches!(again, Err(Error::NotFound(Entity::Bulk))));
    let slice = Slice { limit: 9, offset: 0 };
    let mut tests = vec![Filter::default()];
    for bulk in &all {
        for field in [
            BulkField::Id,
            BulkField::Uuid,
            BulkField::Name,
            BulkField::Text,
            BulkField::Sender,
            BulkField::Status,
            BulkField::IsUnicode,
            BulkField::HasEncoding,
            BulkField::IsDryRun,
            BulkField::Key,
            BulkField::Style,
            BulkField::Source,
            BulkField::DeliverAt,
            BulkField::CreatedAt,
            BulkField::ProcessedAt,
            BulkField::MessagesCount,
        ] {
            tests.push(Filter::of(match field.of(bulk) {
                FieldValue::Number(number) => Test::is(field, number),
                FieldValue::Text(text) => Test::Text(field, text.unwrap_or_default()),
                FieldValue::Id(id) => Test::Id(field, id.unwrap_or_default()),
            }));
        }
    }
    tests.push(Filter::of(Test::Contains(BulkField::Name, "PRING 2".to_owned())));
    tests.push(Filter::of(Test::Number(BulkField::CreatedAt, i64::MIN, all[1].created_at.0)));
    for filter in tests {
        let query =
            ListQuery { filter: filter.clone(), by: BulkField::CreatedAt, is_descending: true, slice };
        let found = world.directory.bulk_list(&org.ctx, query.clone()).await.unwrap();
        let wanted: Vec<&Bulk> =
            all.iter().rev().filter(|bulk| filter.holds(|field| field.of(bulk))).collect();
        assert_eq!(found.items.iter().collect::<Vec<_>>(), wanted, "{filter:?}");
        assert_eq!(found.total, wanted.len() as u64);
        let within = world.store().bulks(org.tenant, Some(unit.id), query).await.unwrap();
        let wanted: Vec<&Bulk> = wanted.into_iter().filter(|bulk| bulk.org_unit_id != org.top).collect();
        assert_eq!(within.items.iter().collect::<Vec<_>>(), wanted, "{filter:?}");
        assert_eq!(within.total, wanted.len() as u64);
    }
}

async fn a_preview_tells_who_gets_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    let long = "x".repeat(1530);
    let contacts = [
        contact(1, "Kim"),
        contact(2, &long),
        contact(3, &"y".repeat(200)),
        contact(4, "Bo"),
        contact(5, "Al"),
    ];
    let group = world.named_group(&org, contacts).await;
    world.block(&org, &mobile(4)).await;
    let mut new = to_phones("Hi {{name}}", [1, 1, 9]);
    let phones = new.patch.phones.as_mut().unwrap();
    // A fixed line, and a number of no country with a price.
    phones.extend(["+493012345678".to_owned(), "+33612345678".to_owned()]);
    new.patch.groups = Some(vec![group.id]);
    let wanted = BulkPreview {
        recipients: 10,
        is_complete: true,
        sendable: 4,
        blocked: 1,
        doubled: 2,
        invalid: 3,
        parts: 5,
        cost: cents(35),
    };
    let bulk = world.bulk(&org, new).await;
    assert_eq!(world.directory.bulk_preview(&org.ctx, &bulk).await.unwrap(), wanted);
    assert_eq!(world.balance(&org).await, Money::ZERO);
    world.delete_group(&org, group.id).await.unwrap();
    let without = world.directory.bulk_preview(&org.ctx, &bulk).await.unwrap();
    assert_eq!((without.recipients, without.sendable, without.doubled), (5, 2, 1));
}

async fn what_is_to_be_done_is_known<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let work = async || world.directory.message_work(org.tenant, None).await.unwrap();
    let tenants = async || world.directory.tenants_with_messages(None, 9).await.unwrap();
    assert_eq!(tenants().await, []);
    // It is 21:40 in New York, and the window opens at nine.
    let mut new = to_phones("hello", 0..3);
    new.patch.window = window().map_or(Patch::Keep, Patch::Set);
    let id = world.bulk(&org, new).await.id;
    let opens = window().unwrap().next_open(START);
    assert!(opens > START);
    assert_eq!(tenants().await, [org.tenant]);
    assert_eq!(work().await.bulks_at, Some(opens));
    world.run(&org, id).await;
    assert_eq!(world.found_bulk(&org, id).await.status, BulkStatus::Scheduled);
    while world.directory.now() < opens {
        world.clock.advance(Duration::from_mins(10));
    }
    let now = work().await;
    assert_eq!((now.steps, now.lanes, now.bulks_at), (vec![id], vec![], None));
    world.run(&org, id).await;
    let now = work().await;
    assert_eq!((now.steps, now.lanes, now.bulks_at), (vec![], vec![id], None));
    world.clock.advance(Duration::from_hours(12));
    let night = work().await;
    let opens = window().unwrap().next_open(world.directory.now());
    assert_eq!((night.steps, night.lanes, night.bulks_at), (vec![], vec![], Some(opens)));
    world.steer(&org, id, BulkStatus::Paused).await.unwrap();
    assert_eq!(work().await.bulks_at, None);
    assert_eq!(world.claim_bulk(&org, id, 9).await, None);
    world.steer(&org, id, BulkStatus::Cancelled).await.unwrap();
    assert_eq!(work().await.steps, [id]);
    world.run(&org, id).await;
    let nothing = work().await;
    assert_eq!((nothing.steps, nothing.lanes, nothing.bulks_at), (vec![], vec![], None));
    assert_eq!(tenants().await, []);
}

async fn bulks_go_with_their_tenant<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    for org in [&org, &other] {
        let group = world.named_group(org, (0..5).map(|n| contact(n, "Kim"))).await;
        let id = world.bulk(org, to_groups("Hi {{name}}", &[group.id])).await.id;
        // It has begun and reached some.
        for _ in 0..2 {
            world.directory.bulk_step(org.tenant, id, 1).await.unwrap();
        }
        world.bulk(org, to_phones("hello", 0..3)).await;
    }
    let foreign = world.bulk(&other, to_phones("hello", 0..3)).await;
    let change = muster_domain::Change::BulkUpdate { bulk: Box::new(foreign), expansion: None };
    assert!(matches!(world.commit(&org, vec![change]).await, Err(muster_domain::StoreError::Internal(_))));
    world.directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), vec![]);
    let query = ListQuery {
        filter: Filter::default(),
        by: BulkField::CreatedAt,
        is_descending: true,
        slice: Slice { limit: 9, offset: 0 },
    };
    assert_eq!(world.directory.bulk_list(&other.ctx, query).await.unwrap().total, 3);
    assert_eq!(world.all_messages(&other).await.len(), 5);
}

async fn the_doctor_sees_what_is_wrong_with_bulks<B: Backend>() {
    let world = World::<B>::new();
    let org: Org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(100)).await;
    let id = world.bulk(&org, to_phones("hello", 0..3)).await.id;
    world.run(&org, id).await;
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
    for (broken, whole, wanted) in [
        ("queued = 2", "queued = 3", "its messages are not as many as are counted: bulk"),
        ("failed = 1", "failed = 0", "its messages are not as many as are counted: bulk"),
        ("cost = 1", "cost = 210000", "its cost is not what its movements say: bulk"),
        ("processed_at = 1", "processed_at = 0", "the time of its end is wrong: bulk"),
        ("sender = ''", "sender = 'M'", "the sender is none: bulk"),
        ("status = 'lost'", "status = 'sending'", "status of a bulk is not understood"),
        ("expansion = 'x'", "expansion = 'done'", "progress of a bulk is not understood"),
        ("window_from = '9'", "window_from = NULL", "is not understood"),
        ("group_ids = 'x'", "group_ids = ''", "list of groups is not understood"),
    ] {
        world.backend.tamper(&format!("UPDATE bulks SET {broken}"));
        let findings = findings(world.store(), &world.key).await;
        assert!(findings.iter().any(|what| what.contains(wanted)), "{wanted}: {findings:?}");
        world.backend.tamper(&format!("UPDATE bulks SET {whole}"));
    }
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}
