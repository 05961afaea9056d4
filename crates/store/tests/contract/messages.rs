//! Messages to phones: what is taken, what it costs, and what is read of it.

use std::time::Duration;

use muster_domain::contact::PhoneNumber;
use muster_domain::message::{
    Country, DRY_RUN, Encoding, Filter, Holder, ListQuery, Message, MessageField, MessageState,
    MessageStatus, MessageStore as _, MessageUpdate, MessageWish, Money, MovementReason, Receipt,
    SendOptions, SenderId, Test,
};
use muster_domain::{
    Actor, BulkId, Change, CredentialId, Draft, Error, MessageId, Slice, StoreError, Timestamp, UserId,
};
use serde_json::json;
use uuid::Uuid;

use crate::balance::{ALL, cents};
use crate::support::{Backend, START, findings};
use crate::webhook_books::is_stale;
use crate::world::{Org, World};

contract![
    a_message_reads_back_whole,
    a_message_is_changed_by_whom_it_waits_for,
    a_message_is_taken_with_its_price,
    what_cannot_be_sent_is_kept_and_costs_nothing,
    without_money_nothing_is_kept,
    bad_input_is_named_whole,
    a_dry_run_stores_nothing,
    blocked_numbers_are_added_once_and_listed,
    messages_go_with_their_tenant,
    the_doctor_sees_what_is_wrong_with_messages,
];

/// In DE, by default.
pub(crate) const PHONE: &str = "+4915112345678";

pub(crate) fn wish(phone: &str, text: &str) -> MessageWish {
    MessageWish {
        sender: SenderId::read("Muster").ok(),
        text: Some(text.to_owned()),
        phone: Some(phone.to_owned()),
        ..MessageWish::default()
    }
}

pub(crate) fn listed(
    filter: Filter<MessageField>,
    by: MessageField,
    slice: Slice,
) -> ListQuery<MessageField> {
    ListQuery { filter, by, is_descending: true, slice }
}

pub(crate) fn id(n: u128) -> MessageId {
    MessageId(Uuid::from_u128(n))
}

/// A message with a value in every column.
pub(crate) fn rich(org: &Org, n: u128) -> Message {
    Message {
        id: id(n),
        tenant: org.tenant,
        sender: SenderId::from_stored("+49151".to_owned()),
        phone: PhoneNumber::from_stored(PHONE.to_owned()),
        country: Country::read("DE").ok(),
        text: "Grüße “漢” {€}".to_owned(),
        encoding: Encoding::Ucs2,
        chars_count: 14,
        parts_count: 3,
        options: SendOptions {
            source: -7,
            voice_lang: Some("de-DE".to_owned()),
            is_text_deleted: true,
            ..SendOptions::default()
        },
        callback_data: Some("order 7".to_owned()),
        deliver_at: Some(Timestamp(5)),
        state: MessageState { status: MessageStatus::HandedOver, receipt: Receipt::Accepted },
        handed_over_at: Some(Timestamp(6)),
        price: cents(21),
        bulk: Some((BulkId(9), Uuid::from_u128(10))),
        author: Actor::Credential(CredentialId(12)),
        ip: Some("2001:db8::1".to_owned()),
        version: 3,
        created_at: Timestamp(4),
    }
}

/// One that waits, without anything that may be missing.
pub(crate) fn plain(org: &Org, n: u128) -> Message {
    Message {
        text: "hello".to_owned(),
        encoding: Encoding::Gsm,
        country: None,
        options: SendOptions::default(),
        callback_data: None,
        deliver_at: None,
        state: MessageState::default(),
        handed_over_at: None,
        price: Money::ZERO,
        bulk: None,
        author: Actor::User(UserId(4)),
        ip: None,
        version: 1,
        created_at: START,
        ..rich(org, n)
    }
}

pub(crate) fn insert(message: &Message) -> Change {
    Change::MessageInsert(Box::new(message.clone()))
}

impl<B: Backend> World<B> {
    pub(crate) async fn send(&self, org: &Org, wish: MessageWish) -> Result<Message, Error> {
        self.directory.message_create(&org.ctx, Draft::from(wish)).await
    }

    pub(crate) async fn sent(&self, org: &Org, phone: &str) -> Message {
        self.send(org, wish(phone, "hello")).await.unwrap()
    }

    pub(crate) async fn all_messages(&self, org: &Org) -> Vec<Message> {
        let query = listed(Filter::default(), MessageField::CreatedAt, ALL);
        let page = self.directory.message_list(&org.ctx, query).await.unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items
    }

    pub(crate) async fn block(&self, org: &Org, number: &str) {
        self.directory.block_create(&org.ctx, Draft::from(Some(number.to_owned()))).await.unwrap();
    }

    pub(crate) async fn kinds(&self, org: &Org, prefix: &str) -> Vec<String> {
        let kinds = self.journal(org).await.into_iter().map(|entry| entry.kind);
        kinds.filter(|kind| kind.starts_with(prefix)).collect()
    }
}

async fn a_message_reads_back_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let all = [rich(&org, 1), plain(&org, 2)];
    world.commit(&org, all.iter().map(insert).collect()).await.unwrap();
    for message in &all {
        let found = world.store().message(org.tenant, message.id).await.unwrap().unwrap();
        assert_eq!((&found.message, found.is_claimed), (message, false));
    }
    assert_eq!(world.store().message(org.tenant, id(3)).await.unwrap(), None);
    let [old, new] = all;
    assert_eq!(world.all_messages(&org).await, [new, old]);
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM message_queue"), 1);
}

async fn a_message_is_changed_by_whom_it_waits_for<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let before = plain(&org, 1);
    world.commit(&org, vec![insert(&before)]).await.unwrap();
    let (claim, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let sent = before.state.with_status(MessageStatus::HandedOver).unwrap();
    let (after, _) = before.clone().in_state(sent, Timestamp(77));
    let update = |after: &Message, holder| {
        let updates = vec![MessageUpdate { before: before.clone(), after: after.clone() }];
        vec![Change::MessagesUpdate { updates, holder }]
    };
    let wrong = Message { version: 3, ..after.clone() };
    assert!(is_stale(&world.commit(&org, update(&wrong, Holder::Nobody)).await));
    assert!(is_stale(&world.commit(&org, update(&after, Holder::Claim(claim))).await));
    let held = format!("UPDATE message_queue SET claim = {}, claim_until = 5", B::bytes(claim.as_bytes()));
    world.backend.tamper(&held);
    assert!(world.store().message(org.tenant, before.id).await.unwrap().unwrap().is_claimed);
    for holder in [Holder::Nobody, Holder::Claim(other)] {
        assert!(is_stale(&world.commit(&org, update(&after, holder)).await), "{holder:?}");
    }
    assert!(is_stale(&world.commit(&org, vec![Change::MessagesDelete(vec![before.clone()])]).await));
    world.commit(&org, update(&after, Holder::Claim(claim))).await.unwrap();
    assert_eq!(world.all_messages(&org).await, std::slice::from_ref(&after));
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM message_queue"), 0);
    // Of several either all are changed or none.
    let other = plain(&org, 2);
    world.commit(&org, vec![insert(&other)]).await.unwrap();
    let all = |version| Change::MessagesDelete(vec![Message { version, ..other.clone() }, after.clone()]);
    let before = world.backend.dump();
    assert!(is_stale(&world.commit(&org, vec![all(9)]).await));
    assert_eq!(world.backend.dump(), before);
    world.commit(&org, vec![all(1)]).await.unwrap();
    assert_eq!(world.all_messages(&org).await, []);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn a_message_is_taken_with_its_price<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(100)).await;
    world.clock.advance(Duration::from_secs(3));
    let wished = MessageWish {
        options: SendOptions { source: 7, ..SendOptions::default() },
        callback_data: Some("mine".to_owned()),
        deliver_at: Some(START.plus(Duration::from_hours(1))),
        ip: Some("192.0.2.1".to_owned()),
        ..wish("0049 (151) 1234-5678", &"ä".repeat(161))
    };
    let message = world.send(&org, wished).await.unwrap();
    let wanted = Message {
        id: message.id,
        sender: SenderId::read("Muster").unwrap(),
        country: Country::read("DE").ok(),
        text: "ä".repeat(161),
        chars_count: 161,
        parts_count: 2,
        options: SendOptions { source: 7, ..SendOptions::default() },
        callback_data: Some("mine".to_owned()),
        deliver_at: Some(START.plus(Duration::from_hours(1))),
        price: cents(14),
        author: Actor::Operator,
        ip: Some("192.0.2.1".to_owned()),
        ..plain(&org, 0)
    };
    assert_eq!(message, wanted);
    assert_eq!(world.directory.message_get(&org.ctx, message.id).await.unwrap(), wanted);
    assert_eq!(world.balance(&org).await, cents(86));
    assert_eq!(world.movements(&org).await[0].reason, MovementReason::Charge(message.id));
    assert_eq!(world.kinds(&org, "sms.").await, ["sms.created"]);
    let entry = world.journal(&org).await.pop().unwrap();
    assert_eq!((entry.entity_id, entry.version), (message.id.to_string(), 1));
    assert_eq!((&entry.payload["phone"], &entry.payload["text"]), (&json!([null, PHONE]), &json!(null)));
    // Without a table it costs nothing, and nothing is moved.
    world.directory.prices_load(None).await.unwrap();
    assert_eq!(world.sent(&org, PHONE).await.price, Money::ZERO);
    assert_eq!(world.movements(&org).await.len(), 2);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn what_cannot_be_sent_is_kept_and_costs_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.block(&org, "+436641234567").await;
    for (phone, status) in [
        ("+436641234567", MessageStatus::Blocked),
        ("+4930123456", MessageStatus::Landline),
        ("+33612345678", MessageStatus::NoOperator),
        ("+881612345678", MessageStatus::NoOperator),
    ] {
        let message = world.sent(&org, phone).await;
        assert_eq!((message.state.status, message.price), (status, Money::ZERO), "{phone}");
        assert_eq!(world.directory.message_get(&org.ctx, message.id).await.unwrap(), message);
        let entry = world.journal(&org).await.pop().unwrap();
        assert_eq!((entry.kind.as_str(), entry.entity_id), ("sms.failed", message.id.to_string()));
        assert_eq!(entry.payload["status"], json!([0, status.code()]));
    }
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM message_queue"), 0);
    assert_eq!(world.movements(&org).await, []);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn without_money_nothing_is_kept<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(13)).await;
    let before = world.backend.dump();
    let refused = world.send(&org, wish(PHONE, &"x".repeat(161))).await;
    assert!(matches!(refused, Err(Error::NoMoney)), "{refused:?}");
    assert_eq!(world.backend.dump(), before);
    world.sent(&org, PHONE).await;
    assert_eq!(world.balance(&org).await, cents(6));
    let refused = world.commit(&org, vec![World::<B>::moved(cents(-7), MovementReason::Charge(id(1)))]).await;
    assert_eq!(refused, Err(StoreError::Balance));
}

async fn bad_input_is_named_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for (wish, wanted) in [
        (MessageWish::default(), &["sender", "text", "phone"][..]),
        (wish("12", "  "), &["text", "phone"]),
        (wish(PHONE, &"x".repeat(1531)), &["text"]),
        (
            MessageWish { encoding: Some(Encoding::Ucs2), ..wish("call me", &"x".repeat(671)) },
            &["text", "phone"],
        ),
    ] {
        let refused = world.send(&org, wish).await;
        let Err(Error::Invalid(fields)) = refused else { panic!("{refused:?}") };
        assert_eq!(fields.iter().map(|error| error.field.as_ref()).collect::<Vec<_>>(), wanted);
    }
    assert_eq!(world.all_messages(&org).await, []);
}

async fn a_dry_run_stores_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.block(&org, "+436641234567").await;
    let before = world.backend.dump();
    let dry = async |phone| {
        world.directory.message_dry_run(&org.ctx, Draft::from(wish(phone, "hello"))).await.unwrap()
    };
    let message = dry(PHONE).await;
    assert_eq!((message.id, message.price, message.state), (DRY_RUN, cents(7), MessageState::default()));
    assert_eq!(dry("+436641234567").await.state.status, MessageStatus::Blocked);
    assert_eq!(world.backend.dump(), before);
}

async fn blocked_numbers_are_added_once_and_listed<B: Backend>() {
    use muster_domain::Unique;
    use muster_domain::message::{BlockField, BlockedBy};

    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    for number in ["+491", "+492", "+493"] {
        world.block(&org, number).await;
    }
    world.block(&other, "+491").await;
    let again = world.directory.block_create(&org.ctx, Draft::from(Some("+492".to_owned()))).await;
    assert!(matches!(again, Err(Error::Duplicate(Unique::BlockedNumber))), "{again:?}");
    let missing = world.directory.block_create(&org.ctx, Draft::from(None)).await;
    assert!(matches!(missing, Err(Error::Invalid(_))), "{missing:?}");
    let list = async |org: &Org, filter| {
        let query = ListQuery { filter, by: BlockField::AddedAt, is_descending: false, slice: ALL };
        let page = world.directory.block_list(&org.ctx, query).await.unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items
    };
    let all = list(&org, Filter::default()).await;
    let numbers = |blocks: &[muster_domain::message::Block]| {
        blocks.iter().map(|block| block.number.clone()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&all), ["+491", "+492", "+493"]);
    assert!(all.iter().all(|block| block.by == BlockedBy::Customer && block.added_at == START));
    let one_of = |list: &[&str]| Filter {
        all: vec![list.iter().map(|number| Test::Text(BlockField::Number, (*number).to_owned())).collect()],
    };
    assert_eq!(numbers(&list(&org, one_of(&["+493", "+491", "+7"])).await), ["+491", "+493"]);
    assert_eq!(list(&org, Filter::of(Test::is(BlockField::By, 2))).await, []);
    let [first, ..] = &all[..] else { panic!() };
    assert_eq!(world.directory.block_get(&org.ctx, first.id).await.unwrap(), *first);
    let foreign = world.directory.block_get(&other.ctx, first.id).await;
    assert!(matches!(foreign, Err(Error::NotFound(_))), "{foreign:?}");
    let refused = world
        .directory
        .block_delete(&org.ctx, first.clone(), Some(Box::new(|block| block.version > 1)))
        .await;
    assert!(matches!(refused, Err(Error::Precondition)), "{refused:?}");
    world.directory.block_delete(&org.ctx, first.clone(), None).await.unwrap();
    let gone = world.directory.block_delete(&org.ctx, first.clone(), None).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
    assert_eq!(numbers(&list(&org, Filter::default()).await), ["+492", "+493"]);
    assert_eq!(list(&other, Filter::default()).await.len(), 1);
    assert_eq!(world.kinds(&org, "blocked_number.").await.len(), 4);
}

async fn messages_go_with_their_tenant<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    for org in [&org, &other] {
        world.commit(org, vec![insert(&rich(org, 1)), insert(&plain(org, 2))]).await.unwrap();
        world.block(org, "+491").await;
    }
    let foreign = Message { tenant: other.tenant, ..plain(&org, 3) };
    assert!(matches!(world.commit(&org, vec![insert(&foreign)]).await, Err(StoreError::Internal(_))));
    world.directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), vec![]);
    assert_eq!(world.all_messages(&other).await.len(), 2);
    assert!(world.commit(&org, vec![insert(&plain(&org, 3))]).await.is_err());
}

async fn the_doctor_sees_what_is_wrong_with_messages<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world
        .commit(&org, vec![insert(&rich(&org, 1)), insert(&plain(&org, 2)), insert(&plain(&org, 3))])
        .await
        .unwrap();
    world.block(&org, "+4912345").await;
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
    let told = async |sql: String, wanted: &str| {
        world.backend.tamper(&sql);
        let findings = findings(world.store(), &world.key).await;
        assert!(findings.iter().any(|what| what.contains(wanted)), "{wanted}: {findings:?}");
    };
    let of = |n| format!("WHERE id = {}", B::bytes(id(n).0.as_bytes()));
    told(format!("UPDATE messages SET phone = '49151' {}", of(1)), "the number is not in E.164: message")
        .await;
    told(format!("UPDATE messages SET status = 208, price = 5 {}", of(2)), "it is paid, but was not sent")
        .await;
    told("UPDATE message_queue SET due_at = 1".to_owned(), "waits to be handed over, but is not new").await;
    told("DELETE FROM message_queue".to_owned(), "is new, but nobody will hand it over").await;
    told("UPDATE tenant_state SET messages = 9".to_owned(), "9 messages are counted, but there are 3").await;
    told("UPDATE blocked_numbers SET number = '1'".to_owned(), "it is none: blocked number").await;
    told(format!("UPDATE messages SET receipt = 3 {}", of(3)), "receipt of a message is not understood")
        .await;
}
