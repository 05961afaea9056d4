//! Lists of messages, and what is done to many of them at once.

use std::sync::Arc;
use std::time::Duration;

use muster_domain::message::{
    CarrierPart, Filter, Holder, ListQuery, Message, MessageField, MessageStatus, MessageStore as _,
    MessageUpdate, Money, PartUpdate, Receipt, SenderId, Test,
};
use muster_domain::{Change, Error, Rule, Slice, StoreError};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use uuid::Uuid;

use crate::balance::cents;
use crate::messages::{PHONE, id, insert, listed, plain, rich, wish};
use crate::random::try_cases;
use crate::support::{Backend, START, all_at_once, findings};
use crate::world::World;

contract![
    filters_are_what_they_are_defined_as,
    lists_are_in_their_order,
    what_waits_is_stopped_and_given_back,
    what_is_deleted_is_gone_and_paid_if_it_was_sent,
    what_is_being_handed_over_is_left_alone,
    many_who_stop_and_delete_give_back_once,
    of_many_that_change_at_once_all_do_or_none,
];

fn any_message() -> impl Strategy<Value = (u8, u8, u8, u8, u8)> {
    (0..4_u8, 0..4_u8, 0..4_u8, 0..4_u8, 0..4_u8)
}

/// A message of few values, so that tests meet.
fn made(org: &crate::world::Org, n: u128, choices: (u8, u8, u8, u8, u8)) -> Message {
    let (kind, status, sender, text, reference) = choices;
    let base = if kind % 2 == 0 { rich(org, n) } else { plain(org, n) };
    let state = MessageStatus::ALL[usize::from(status)];
    let state = base.state.with_status(state).unwrap_or(base.state);
    let (mut message, _) = base.in_state(state, START.plus(Duration::from_secs(u64::from(sender))));
    message.version = 1;
    message.sender = SenderId::from_stored(["Bank", "bank 2", "+49151", "X"][usize::from(sender)].to_owned());
    ["Hello", "hELLO Wörld", "", "%_\\"][usize::from(text)].clone_into(&mut message.text);
    message.callback_data =
        [None, Some("a"), Some("A"), Some("b")][usize::from(reference)].map(str::to_owned);
    message.created_at = START.plus(Duration::from_secs(u64::from(text)));
    message.bulk = message.bulk.filter(|_| reference > 1);
    message.chars_count = u32::from(reference);
    message
}

fn any_test() -> impl Strategy<Value = Test<MessageField>> {
    use MessageField::*;
    let second = 1_000_000;
    let number = prop_oneof![
        Just((Status, 0)),
        Just((Status, 100)),
        Just((Receipt, 4)),
        Just((IsSent, 1)),
        Just((IsSent, 0)),
        Just((IsUnicode, 1)),
        Just((Key, 12)),
        Just((Key, 0)),
        Just((HandedOverAt, 0)),
        Just((DeliverAt, 0)),
        Just((CreatedAt, START.0 + second)),
        Just((CharsCount, 2)),
        Just((PartsCount, 3)),
        Just((Source, -7)),
    ];
    let number = (number, 0..4_u8).prop_map(|((field, n), how)| match how {
        0 => Test::is(field, n),
        1 => Test::Number(field, n, i64::MAX),
        2 => Test::Number(field, i64::MIN, n - 1),
        _ => Test::Number(field, n, n.saturating_add(1_000_000)),
    });
    let texts = prop::sample::select(vec![
        "a", "A", "DE", "b", "hello", "ELLO w", "%", "_", "\\", "", "BANK", "151", "ö", "Ö", ":db8", "\0",
    ]);
    let text =
        (prop::sample::select(vec![Country, CallbackData, Text, Phone, Sender, Ip]), texts, any::<bool>());
    let text = text.prop_map(|(field, text, exact)| {
        if exact { Test::Text(field, text.to_owned()) } else { Test::Contains(field, text.to_owned()) }
    });
    let ids = (0..12_u128, any::<bool>())
        .prop_map(|(n, of_bulk)| Test::Id(if of_bulk { Bulk } else { Id }, Uuid::from_u128(n)));
    prop_oneof![3 => number, 3 => text, 2 => ids]
}

async fn filters_are_what_they_are_defined_as<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let all: Vec<Message> =
        (0..40).map(|n| made(&org, n, any_message().new_tree(&mut runner).unwrap().current())).collect();
    world.commit(&org, all.iter().map(insert).collect()).await.unwrap();
    let filters = prop::collection::vec(prop::collection::vec(any_test(), 0..3), 1..4);
    try_cases::<B, _, _>(150, (filters, 0..3_u64), |(tests, offset)| {
        let (world, org, all) = (&world, &org, &all);
        async move {
            let filter = Filter { all: tests };
            let mut wanted: Vec<Message> =
                all.iter().filter(|message| filter.holds(|field| field.of(message))).cloned().collect();
            wanted.sort_by_key(|message| std::cmp::Reverse((message.created_at, message.id)));
            let slice = Slice { limit: 5, offset };
            let query = listed(filter.clone(), MessageField::CreatedAt, slice);
            let page = world.directory.message_list(&org.ctx, query).await.unwrap();
            prop_assert_eq!(page.total, wanted.len() as u64, "{:?}", &filter);
            let wanted: Vec<_> = wanted.into_iter().skip(usize::try_from(offset).unwrap()).take(5).collect();
            prop_assert_eq!(page.items, wanted, "{:?}", filter);
            Ok(())
        }
    });
}

async fn lists_are_in_their_order<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let all: Vec<Message> = (0..9_u8).map(|n| made(&org, n.into(), (n, n % 2, n % 4, n % 3, 0))).collect();
    world.commit(&org, all.iter().map(insert).collect()).await.unwrap();
    let key = |message: &Message, by| match by {
        MessageField::CreatedAt => (message.created_at.0, message.id),
        _ => (message.handed_over_at.map_or(0, |at| at.0), message.id),
    };
    for by in [MessageField::CreatedAt, MessageField::HandedOverAt] {
        for is_descending in [false, true] {
            let mut wanted = all.clone();
            wanted.sort_by_key(|message| key(message, by));
            if is_descending {
                wanted.reverse();
            }
            for offset in [0, 4, 9] {
                let slice = Slice { limit: 4, offset };
                let query = ListQuery { filter: Filter::default(), by, is_descending, slice };
                let page = world.directory.message_list(&org.ctx, query).await.unwrap();
                let from = usize::try_from(offset).unwrap();
                assert_eq!((page.items, page.total), (wanted[from..9.min(from + 4)].to_vec(), 9), "{by:?}");
            }
        }
    }
}

async fn what_waits_is_stopped_and_given_back<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    world.load_prices().await;
    for org in [&org, &other] {
        world.credit(org, cents(10_000)).await;
    }
    let mut ids = Vec::new();
    for n in 0..12 {
        let mut wish = wish(PHONE, "hello");
        wish.callback_data = Some(format!("c{}", n % 2));
        ids.push(world.send(&org, wish).await.unwrap().id);
    }
    world.sent(&other, PHONE).await;
    world.sent(&org, "+4930123456").await;
    let stop = async |filter| {
        let mut told = Vec::new();
        let count = world.directory.messages_stop(&org.ctx, filter, |count| told.push(count)).await;
        count.map(|count| (count, told))
    };
    let none = stop(Filter::default()).await;
    assert!(matches!(none, Err(Error::Rule(Rule::NoFilter))), "{none:?}");
    let mine = || Filter::of(Test::Text(MessageField::CallbackData, "c1".to_owned()));
    assert_eq!(stop(mine()).await.unwrap(), (6, vec![6]));
    assert_eq!(world.balance(&org).await, cents(10_000 - 6 * 7));
    assert_eq!(stop(mine()).await.unwrap(), (0, vec![]));
    let all = world.all_messages(&org).await;
    let stopped: Vec<&Message> =
        all.iter().filter(|message| message.state.status == MessageStatus::StoppedByCustomer).collect();
    assert_eq!(stopped.len(), 6);
    assert!(
        stopped.iter().all(|it| it.price == Money::ZERO && it.version == 2 && it.handed_over_at.is_none())
    );
    assert_eq!(world.kinds(&org, "sms.stopped").await.len(), 1);
    let one = Filter {
        all: vec![vec![Test::Id(MessageField::Id, ids[0].0), Test::Id(MessageField::Id, ids[1].0)]],
    };
    assert_eq!(stop(one).await.unwrap(), (1, vec![1]));
    assert_eq!(world.balance(&other).await, cents(10_000 - 7));
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn what_is_deleted_is_gone_and_paid_if_it_was_sent<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(100)).await;
    let waiting = world.sent(&org, PHONE).await;
    let kept = world.sent(&org, "+436641234567").await;
    let sent = Message { price: cents(7), bulk: None, ..rich(&org, 5) };
    world.commit(&org, vec![insert(&sent)]).await.unwrap();
    assert_eq!(world.balance(&org).await, cents(88));
    let refused = world
        .directory
        .message_delete(&org.ctx, sent.id, Some(Box::new(|message: &Message| message.version == 9)))
        .await;
    assert!(matches!(refused, Err(Error::Precondition)), "{refused:?}");
    world.directory.message_delete(&org.ctx, sent.id, None).await.unwrap();
    assert_eq!(world.balance(&org).await, cents(88));
    world.directory.message_delete(&org.ctx, waiting.id, None).await.unwrap();
    assert_eq!(world.balance(&org).await, cents(95));
    let gone = world.directory.message_delete(&org.ctx, waiting.id, None).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
    assert_eq!(world.all_messages(&org).await, std::slice::from_ref(&kept));
    let filter = Filter::of(Test::Contains(MessageField::Phone, "664".to_owned()));
    assert_eq!(world.directory.messages_delete(&org.ctx, filter, |_| {}).await.unwrap(), 1);
    assert_eq!((world.balance(&org).await, world.all_messages(&org).await), (cents(100), vec![]));
    assert_eq!(world.kinds(&org, "sms.deleted").await.len(), 3);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn what_is_being_handed_over_is_left_alone<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let all: Vec<Message> = (1..=9).map(|n| plain(&org, n)).collect();
    world.commit(&org, all.iter().map(insert).collect()).await.unwrap();
    let held = id(4);
    let claim = B::bytes(Uuid::from_u128(1).as_bytes());
    let sql = format!(
        "UPDATE message_queue SET claim = {claim}, claim_until = 5 WHERE message_id = {}",
        B::bytes(held.0.as_bytes())
    );
    world.backend.tamper(&sql);
    let any = || Filter::of(Test::Contains(MessageField::Text, "HELL".to_owned()));
    assert_eq!(world.directory.messages_stop(&org.ctx, any(), |_| {}).await.unwrap(), 8);
    assert_eq!(world.directory.messages_delete(&org.ctx, any(), |_| {}).await.unwrap(), 8);
    let refused = world.directory.message_delete(&org.ctx, held, None).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert_eq!(world.all_messages(&org).await, [plain(&org, 4)]);
}

async fn many_who_stop_and_delete_give_back_once<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(10_000)).await;
    let sends = (0..60).map(|_| {
        let (directory, ctx) = (world.node(), org.ctx.clone());
        async move { directory.message_create(&ctx, wish(PHONE, "hello").into()).await.unwrap() }
    });
    assert_eq!(all_at_once(sends).await.len(), 60);
    assert_eq!(world.balance(&org).await, cents(10_000 - 60 * 7));
    let tasks = (0..4_u8).map(|n| {
        let (directory, ctx) = (Arc::clone(&world.node()), org.ctx.clone());
        async move {
            let any = Filter::of(Test::is(MessageField::Receipt, Receipt::Pending.code()));
            if n % 2 == 0 {
                directory.messages_stop(&ctx, any, |_| {}).await.unwrap()
            } else {
                directory.messages_delete(&ctx, any, |_| {}).await.unwrap()
            }
        }
    });
    all_at_once(tasks).await;
    assert_eq!(world.balance(&org).await, cents(10_000));
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn of_many_that_change_at_once_all_do_or_none<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let all = [1, 2, 3, 4].map(|n| plain(&org, n));
    world.commit(&org, all.iter().map(insert).collect()).await.unwrap();
    let updates = |wrong: Option<usize>| {
        let update = |(n, before): (usize, &Message)| {
            let sent = before.state.with_status(MessageStatus::HandedOver).unwrap();
            let (mut after, _) = before.clone().in_state(sent, START);
            after.version += i64::from(wrong == Some(n));
            MessageUpdate { before: before.clone(), after }
        };
        let updates = all.iter().enumerate().map(update).collect();
        vec![Change::MessagesUpdate { updates, holder: Holder::Nobody }]
    };
    let before = world.backend.dump();
    for wrong in 0..all.len() {
        assert_eq!(world.commit(&org, updates(Some(wrong))).await, Err(StoreError::Stale));
        assert_eq!(world.backend.dump(), before);
    }
    world.commit(&org, updates(None)).await.unwrap();
    for message in &all {
        let found = world.store().message(org.tenant, message.id).await.unwrap().unwrap().message;
        assert_eq!((found.state.status, found.version), (MessageStatus::HandedOver, 2));
    }
    // And the parts of them that a carrier has.
    let part = |(n, message): (usize, &Message)| CarrierPart {
        carrier: "sandbox".to_owned(),
        carrier_id: n.to_string(),
        tenant: org.tenant,
        message: message.id,
        part: 1,
        receipt: Receipt::Pending,
    };
    let parts: Vec<_> = all.iter().enumerate().map(part).collect();
    world.commit(&org, vec![Change::CarrierPartsInsert { parts: parts.clone(), at: START }]).await.unwrap();
    let told = |wrong: Option<usize>| {
        let told = |(n, part): (usize, &CarrierPart)| PartUpdate {
            before: if wrong == Some(n) { Receipt::Queued } else { Receipt::Pending },
            after: CarrierPart { receipt: Receipt::Delivered, ..part.clone() },
        };
        vec![Change::CarrierPartsUpdate(parts.iter().enumerate().map(told).collect())]
    };
    let before = world.backend.dump();
    for wrong in 0..parts.len() {
        assert_eq!(world.commit(&org, told(Some(wrong))).await, Err(StoreError::Stale));
        assert_eq!(world.backend.dump(), before);
    }
    world.commit(&org, told(None)).await.unwrap();
    let delivered = "SELECT COUNT(*) FROM carrier_parts WHERE receipt = ";
    assert_eq!(world.backend.look(&format!("{delivered}{}", Receipt::Delivered.code())), 4);
}
