//! Bulks as they are expanded and sent: each number gets one message at its price, whoever does it and whatever happens
//! to lists meanwhile.

use std::time::Duration;

use muster_domain::contact::ContactGroupPatch;
use muster_domain::message::{
    BulkCounts, BulkStatus, MessageStatus, Money, MovementReason, Outcome, Receipt, ReceiptNews, SendOptions,
};
use muster_domain::{Change, Draft, Entity, Error, Patch, StoreError};

use crate::balance::cents;
use crate::bulk_books::{contact, mobile, new, saying, to_groups, to_phones};
use crate::support::{Backend, all_at_once, findings};
use crate::world::World;

contract![
    each_recipient_gets_what_their_columns_make_of_the_text,
    a_number_that_occurs_twice_gets_one_message,
    who_cannot_have_a_message_costs_nothing,
    counts_follow_what_becomes_of_messages,
    a_dry_run_says_what_it_would_come_to,
    nobody_is_doubled_by_who_sends_at_once,
    lists_may_change_while_they_are_expanded,
    what_is_cancelled_is_stopped_and_given_back,
    what_is_deleted_is_stopped_and_gone,
    a_bulk_to_nobody_ends_so,
];

async fn each_recipient_gets_what_their_columns_make_of_the_text<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(100)).await;
    let names = ["Kim", &"y".repeat(200), "", "{{name}}"];
    let contacts = names.iter().enumerate().map(|(n, name)| contact(n, name));
    let group = world.named_group(&org, contacts).await;
    let mut new = to_groups("Hi {{name}}{{other}}", &[group.id]);
    new.patch.phones = Some(vec![mobile(9)]);
    new.patch.options = Some(SendOptions { source: 5, ..SendOptions::default() });
    new.ip = Some("192.0.2.1".to_owned());
    let bulk = world.bulk(&org, new).await;
    world.run(&org, bulk.id).await;
    let made = world.of_bulk(&org, bulk.id).await;
    let texts: Vec<&str> = made.values().map(|message| message.text.as_str()).collect();
    let second = format!("Hi {}{{{{other}}}}", names[1]);
    assert_eq!(
        texts,
        ["Hi Kim{{other}}", &second, "Hi {{other}}", "Hi {{name}}{{other}}", "Hi {{name}}{{other}}"]
    );
    let prices: Vec<Money> = made.values().map(|message| message.price).collect();
    assert_eq!(prices, [7, 14, 7, 7, 7].map(cents));
    for (n, message) in made.values().enumerate() {
        assert_eq!(message.bulk, Some((bulk.id, bulk.uuid)));
        assert_eq!((message.options.source, message.ip.as_deref()), (5, Some("192.0.2.1")));
        assert_eq!((message.author, message.sender.as_str(), message.version), (bulk.author, "Muster", 1));
        assert_eq!(message.callback_data, (n < 4).then(|| format!("c{n}")));
        assert_eq!(message.country.map(|country| country.to_string()).as_deref(), Some("DE"));
    }
    let sending = world.found_bulk(&org, bulk.id).await;
    assert_eq!((sending.status, sending.cost), (BulkStatus::Sending, cents(42)));
    assert_eq!(world.balance(&org).await, cents(58));
    let reasons: Vec<MovementReason> =
        world.movements(&org).await.into_iter().map(|movement| movement.reason).collect();
    let charge = |messages| MovementReason::BulkCharge { bulk: bulk.id, messages };
    assert_eq!(reasons, [charge(5), MovementReason::Credit(None)]);
    world.is_counted(&org, bulk.id).await;
    // No entry for each message.
    let kinds = ["broadcast.created", "broadcast.started"];
    assert_eq!(world.kinds(&org, "broadcast.").await, kinds);
    assert_eq!(world.kinds(&org, "sms.").await, Vec::<String>::new());
    world.send_all(&org, bulk.id).await;
    let done = world.found_bulk(&org, bulk.id).await;
    assert_eq!(
        (done.status, done.counts.sent, done.processed_at.is_some()),
        (BulkStatus::Completed, 5, true)
    );
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn a_number_that_occurs_twice_gets_one_message<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let first = world.named_group(&org, (0..2500).map(|n| contact(n, "Kim"))).await;
    let second = world.named_group(&org, (1000..4500).map(|n| contact(n, "Bo"))).await;
    let mut new = to_groups("Hi {{name}}", &[first.id, second.id, first.id]);
    new.patch.phones = Some([4499, 7, 7, 5, 9000].into_iter().map(mobile).collect());
    let id = world.bulk(&org, new).await.id;
    world.run(&org, id).await;
    let bulk = world.found_bulk(&org, id).await;
    let wanted = BulkCounts { queued: 4501, ..BulkCounts::default() };
    assert_eq!((bulk.counts, bulk.status), (wanted, BulkStatus::Sending));
    // A chunk is sent in the order of its numbers.
    let mut all: Vec<_> = world.of_bulk(&org, id).await.into_values().collect();
    all.sort_unstable_by_key(|message| message.id);
    let is_early = |phone: &str| [5, 6, 7].map(mobile).iter().any(|early| early == phone);
    let early: Vec<&str> =
        all.iter().map(|message| message.phone.as_str()).filter(|phone| is_early(phone)).collect();
    assert_eq!(early, [5, 6, 7].map(mobile));
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn who_cannot_have_a_message_costs_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(20)).await;
    let mut new = to_phones("hello", 0..4);
    let phones = new.patch.phones.as_mut().unwrap();
    phones.splice(0..0, ["+493012345678".to_owned(), "+33612345678".to_owned()]);
    let long = world.named_group(&org, [contact(8, &"x".repeat(1530))]).await;
    (new.patch.groups, new.patch.text) = (Some(vec![long.id]), Some("hello {{name}}".to_owned()));
    world.block(&org, &mobile(0)).await;
    let id = world.bulk(&org, new).await.id;
    world.run(&org, id).await;
    let made = world.of_bulk(&org, id).await;
    let states: Vec<i64> = made.values().map(|message| message.state.status.code()).collect();
    // By number: of the mobile ones the first is blocked, and the last is without money.
    assert_eq!(states, [5000, 208, 0, 0, 3000, 2000]);
    let bulk = world.found_bulk(&org, id).await;
    let wanted = BulkCounts { queued: 2, failed: 3, skipped: 1, invalid: 1, ..BulkCounts::default() };
    assert_eq!((bulk.counts, bulk.cost), (wanted, cents(14)));
    assert_eq!(world.balance(&org).await, cents(6));
    world.is_counted(&org, id).await;
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn counts_follow_what_becomes_of_messages<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(100)).await;
    let id = world.bulk(&org, to_phones("hello", 0..8)).await.id;
    world.run(&org, id).await;
    let claimed = world.claim_bulk(&org, id, 6).await.unwrap();
    let accepted = |n: usize| Outcome::Accepted {
        carrier: "c".to_owned(),
        ids: vec![Some(format!("id {n}"))],
        is_whole: true,
    };
    let outcomes = [
        accepted(0),
        accepted(1),
        accepted(2),
        Outcome::Refused,
        Outcome::NoOperator,
        Outcome::Later(world.directory.now()),
    ];
    let all = claimed.messages.iter().cloned().zip(outcomes).collect();
    world.directory.messages_note(&claimed, all).await.unwrap();
    let news = [("id 0", Receipt::Delivered), ("id 1", Receipt::Expired), ("id 2", Receipt::Accepted)]
        .map(|(id, receipt)| ReceiptNews { carrier_id: id.to_owned(), receipt });
    assert_eq!(world.directory.receipts_note("c", news.to_vec()).await.unwrap(), []);
    world.is_counted(&org, id).await;
    let counts = world.found_bulk(&org, id).await.counts;
    let wanted = BulkCounts { queued: 3, sent: 1, delivered: 1, failed: 3, ..BulkCounts::default() };
    assert_eq!(counts, wanted);
    // One that waits, and one that was delivered, are deleted by hand.
    for message in [&claimed.messages[0], &claimed.messages[5]] {
        world.directory.message_delete(&org.ctx, message.id, None).await.unwrap();
        world.is_counted(&org, id).await;
    }
    let bulk = world.found_bulk(&org, id).await;
    assert_eq!((bulk.counts.queued, bulk.counts.delivered, bulk.cost), (2, 0, cents(42)));
    assert_eq!(world.balance(&org).await, cents(58));
    world.send_all(&org, id).await;
    assert_eq!(world.found_bulk(&org, id).await.status, BulkStatus::Completed);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn a_dry_run_says_what_it_would_come_to<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(24)).await;
    let group = world.named_group(&org, (0..5).map(|n| contact(n, "Kim"))).await;
    world.block(&org, &mobile(1)).await;
    let mut new = to_groups("Hi {{name}}", &[group.id]);
    (new.patch.phones, new.is_dry_run) = (Some(vec![mobile(2), mobile(9)]), true);
    let id = world.bulk(&org, new).await.id;
    world.run(&org, id).await;
    let bulk = world.found_bulk(&org, id).await;
    let wanted = BulkCounts { queued: 3, failed: 2, skipped: 1, ..BulkCounts::default() };
    assert_eq!((bulk.status, bulk.counts, bulk.cost), (BulkStatus::Completed, wanted, cents(21)));
    assert_eq!((world.balance(&org).await, world.movements(&org).await.len()), (cents(24), 1));
    assert_eq!(world.all_messages(&org).await, []);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
    assert_eq!(world.directory.tenants_with_messages(None, 9).await.unwrap(), []);
}

async fn nobody_is_doubled_by_who_sends_at_once<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(100_000)).await;
    let group = world.named_group(&org, (0..5000).map(|n| contact(n, "Kim"))).await;
    let mut new = to_groups("Hi {{name}}", &[group.id]);
    new.patch.phones = Some((4000..8000).map(mobile).collect());
    let id = world.bulk(&org, new).await.id;
    let tasks = (0..4).map(|_| {
        let (directory, tenant) = (world.node(), org.tenant);
        async move {
            let mut given = 0;
            loop {
                let is_more = directory.bulk_step(tenant, id, 3).await.unwrap();
                // Some of it is handed over meanwhile.
                if let Some(claimed) = directory.messages_claim(tenant, Some(id), 300).await.unwrap() {
                    let all: Vec<_> =
                        claimed.messages.iter().map(|message| (message.clone(), Outcome::Unknown)).collect();
                    given += directory.messages_note(&claimed, all).await.unwrap().noted;
                } else if !is_more {
                    return given;
                }
            }
        }
    });
    let given: u64 = all_at_once(tasks).await.into_iter().sum();
    assert_eq!(given, 8000);
    let bulk = world.found_bulk(&org, id).await;
    assert_eq!((bulk.status, bulk.counts.sent, bulk.cost), (BulkStatus::Completed, 8000, cents(56_000)));
    assert_eq!(world.balance(&org).await, cents(44_000));
    let kinds = ["broadcast.created", "broadcast.started", "broadcast.completed"];
    assert_eq!(world.kinds(&org, "broadcast.").await, kinds);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn lists_may_change_while_they_are_expanded<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let [replaced, deleted, expired] = [0, 10_000, 20_000].map(|first| first..first + 3000);
    let replaced = world.named_group(&org, replaced.map(|n| contact(n, "Kim"))).await;
    let deleted = world.named_group(&org, deleted.map(|n| contact(n, "Bo"))).await;
    let expired = world.named_group(&org, expired.map(|n| contact(n, "Al"))).await;
    let id = world.bulk(&org, to_groups("Hi {{name}}", &[replaced.id, deleted.id, expired.id])).await.id;
    let step = async || assert!(world.directory.bulk_step(org.tenant, id, 1).await.unwrap());
    // It begins, and reaches the first 2000.
    step().await;
    step().await;
    // The list comes anew, with some that were reached and some that were not, and others are gone.
    let list = (1000..2500).chain(5000..5100).map(|n| (String::new(), contact(n, "Kim"))).collect();
    let patch = ContactGroupPatch { phones: Some(list), ..ContactGroupPatch::default() };
    let found = world.stored_group(&org, replaced.id).await;
    let draft = Draft::from(patch);
    world.directory.contact_group_update(&world.now_ctx(&org), found, draft, None).await.unwrap();
    let again =
        world.contacts(&org, replaced.id).await.into_iter().find(|it| it.phone.as_str() == mobile(1500));
    world.remove_contact(&org, again.unwrap().id).await.unwrap();
    world.add(&org, replaced.id, contact(1500, "Kim")).await.unwrap();
    // What is left of it, with the first ones of the next list.
    step().await;
    world.delete_group(&org, deleted.id).await.unwrap();
    let found = world.stored_group(&org, expired.id).await;
    let expiry = ContactGroupPatch {
        expires_at: Patch::Set(world.directory.now().plus(Duration::from_secs(1))),
        ..ContactGroupPatch::default()
    };
    world.directory.contact_group_update(&org.ctx, found, Draft::from(expiry), None).await.unwrap();
    world.clock.advance(Duration::from_secs(2));
    world.run(&org, id).await;
    let made = world.of_bulk(&org, id).await;
    let wanted: Vec<String> = (0..2500).chain(5000..5100).chain(10_000..11_400).map(mobile).collect();
    assert_eq!(made.keys().cloned().collect::<Vec<_>>(), wanted);
    world.send_all(&org, id).await;
    assert_eq!(world.found_bulk(&org, id).await.status, BulkStatus::Completed);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn what_is_cancelled_is_stopped_and_given_back<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(50_000)).await;
    let group = world.named_group(&org, (0..3000).map(|n| contact(n, "Kim"))).await;
    let id = world.bulk(&org, to_groups("Hi {{name}}", &[group.id])).await.id;
    for _ in 0..2 {
        world.directory.bulk_step(org.tenant, id, 1).await.unwrap();
    }
    let claimed = world.claim_bulk(&org, id, 10).await.unwrap();
    world.steer(&org, id, BulkStatus::Paused).await.unwrap();
    assert_eq!(world.claim_bulk(&org, id, 10).await, None);
    assert!(!world.directory.bulk_step(org.tenant, id, 1).await.unwrap());
    world.steer(&org, id, BulkStatus::Cancelled).await.unwrap();
    assert_eq!(world.claim_bulk(&org, id, 10).await, None);
    world.run(&org, id).await;
    world.is_counted(&org, id).await;
    let counts = world.found_bulk(&org, id).await.counts;
    assert_eq!(counts, BulkCounts { queued: 10, skipped: 1990, ..BulkCounts::default() });
    let stopped = world.of_bulk(&org, id).await;
    let is_stopped = |status| stopped.values().filter(|message| message.state.status == status).count();
    assert_eq!(is_stopped(MessageStatus::StoppedByCustomer), 1990);
    // What was claimed goes out, or waits again and is stopped then.
    let later = Outcome::Later(world.directory.now());
    let outcome = |n: usize| if n < 4 { later.clone() } else { Outcome::Unknown };
    let all =
        claimed.messages.iter().cloned().enumerate().map(|(n, message)| (message, outcome(n))).collect();
    world.directory.messages_note(&claimed, all).await.unwrap();
    assert_eq!(world.directory.message_work(org.tenant, None).await.unwrap().steps, [id]);
    world.run(&org, id).await;
    let bulk = world.found_bulk(&org, id).await;
    let wanted = BulkCounts { sent: 6, skipped: 1994, ..BulkCounts::default() };
    assert_eq!((bulk.status, bulk.counts, bulk.cost), (BulkStatus::Cancelled, wanted, cents(42)));
    assert_eq!(world.balance(&org).await, cents(50_000 - 42));
    assert_eq!(world.directory.tenants_with_messages(None, 9).await.unwrap(), []);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn what_is_deleted_is_stopped_and_gone<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(50_000)).await;
    let group = world.named_group(&org, (0..2500).map(|n| contact(n, "Kim"))).await;
    for steps in [0, 1, 2, 9] {
        let id = world.bulk(&org, to_groups("Hi {{name}}", &[group.id])).await.id;
        for _ in 0..steps {
            world.directory.bulk_step(org.tenant, id, 1).await.unwrap();
        }
        let found = world.found_bulk(&org, id).await;
        world.directory.bulk_delete(&org.ctx, found, None).await.unwrap();
        // Whoever thinks that it was only cancelled comes too late.
        let settled = world.commit(&org, vec![Change::BulkSettled(id)]).await;
        assert!(matches!(settled, Err(StoreError::Stale)));
        let gone = world.directory.bulk_get(&org.ctx, id).await;
        assert!(matches!(gone, Err(Error::NotFound(Entity::Bulk))));
        assert_eq!(world.claim_bulk(&org, id, 9).await, None);
        world.run(&org, id).await;
        assert_eq!(world.directory.tenants_with_messages(None, 9).await.unwrap(), []);
        let stopped = world.of_bulk(&org, id).await;
        assert_eq!(stopped.len(), [0, 0, 2000, 2500][steps.min(3)]);
        assert!(stopped.values().all(|it| it.state.status == MessageStatus::StoppedByCustomer));
        assert_eq!(world.balance(&org).await, cents(50_000));
    }
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn a_bulk_to_nobody_ends_so<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let [empty, gone] = [world.group(&org, "empty").await, world.group(&org, "gone").await];
    let id = world.bulk(&org, to_groups("Hi", &[empty.id, gone.id])).await.id;
    world.delete_group(&org, gone.id).await.unwrap();
    world.run(&org, id).await;
    let bulk = world.found_bulk(&org, id).await;
    assert_eq!((bulk.status, bulk.counts), (BulkStatus::NoRecipients, BulkCounts::default()));
    // One whose only contact cannot have it has been somewhere.
    let long = world.named_group(&org, [contact(1, &"x".repeat(1530))]).await;
    let patch = muster_domain::message::BulkPatch { groups: Some(vec![long.id]), ..saying("Hi {{name}}") };
    let id = world.bulk(&org, new(patch)).await.id;
    world.run(&org, id).await;
    let bulk = world.found_bulk(&org, id).await;
    assert_eq!((bulk.status, bulk.counts.invalid), (BulkStatus::Completed, 1));
}
