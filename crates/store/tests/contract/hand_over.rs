//! Messages on their way to carriers: who has them, what becomes of them, and what a crash leaves behind.

use std::collections::HashSet;
use std::time::Duration;

use muster_domain::message::{
    BulkStatus, CLAIM, Claimed, Filter, Message, MessageField, MessageStatus, MessageStore as _, MessageWork,
    Money, Noted, Outcome, RECEIPTS_KEPT, Receipt, ReceiptNews, SendOptions, Test,
};
use muster_domain::tenant::TenantStatus;
use muster_domain::{BulkId, Error, MessageId};

use crate::balance::cents;
use crate::bulk_books::to_phones;
use crate::messages::{PHONE, id, insert, plain, rich, wish};
use crate::support::{Backend, START, all_at_once, findings};
use crate::world::{Org, World};

contract![
    what_is_due_is_claimed_in_its_order,
    each_message_is_claimed_by_one,
    outcomes_are_noted_with_what_follows,
    a_claim_that_is_lost_is_settled_by_another,
    what_is_handed_over_is_not_said_to_be_stopped,
    nothing_is_handed_over_for_who_is_disabled,
    receipts_find_their_messages,
    an_id_that_is_given_to_many_at_once_is_the_last_ones,
    parts_that_are_told_of_at_once_make_a_whole,
    old_receipts_are_forgotten,
    messages_that_are_taken_are_told,
];

/// A second less than [`CLAIM`].
const ALMOST: Duration = Duration::from_secs(59);

/// A carrier has named its parts so.
pub(crate) fn accepted(ids: &[&str]) -> Outcome {
    let ids = ids.iter().map(|id| Some((*id).to_owned())).collect();
    Outcome::Accepted { carrier: "sandbox".to_owned(), ids, is_whole: false }
}

pub(crate) fn news(carrier_id: &str, receipt: Receipt) -> ReceiptNews {
    ReceiptNews { carrier_id: carrier_id.to_owned(), receipt }
}

pub(crate) fn ids(claimed: &Claimed) -> Vec<MessageId> {
    claimed.messages.iter().map(|message| message.id).collect()
}

impl<B: Backend> World<B> {
    async fn claimed(&self, org: &Org, limit: u32) -> Option<Claimed> {
        self.directory.messages_claim(org.tenant, None, limit).await.unwrap()
    }

    async fn found(&self, org: &Org, id: MessageId) -> Message {
        self.directory.message_get(&org.ctx, id).await.unwrap()
    }

    /// The same outcome for all that is claimed.
    async fn note_all(&self, claimed: &Claimed, outcome: &Outcome) -> Noted {
        let all = claimed.messages.iter().map(|message| (message.clone(), outcome.clone())).collect();
        self.directory.messages_note(claimed, all).await.unwrap()
    }

    /// A message that a carrier has under these ids.
    async fn handed_over(&self, org: &Org, text: &str, ids: &[&str]) -> MessageId {
        let message = self.send(org, wish(PHONE, text)).await.unwrap();
        let claimed = self.claimed(org, 1).await.unwrap();
        assert_eq!(self.note_all(&claimed, &accepted(ids)).await, Noted { noted: 1, lost: 0 });
        message.id
    }
}

async fn what_is_due_is_claimed_in_its_order<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let at = |seconds: u64| START.plus(Duration::from_secs(seconds));
    let message = |n: u128, seconds: u64| Message { deliver_at: Some(at(seconds)), ..plain(&org, n) };
    let made = world.bulk(&org, to_phones("hello", 0..1)).await;
    world.steer(&org, made.id, BulkStatus::Sending).await.unwrap();
    let bulk = (made.id, made.uuid);
    let of_bulk = Message { bulk: Some(bulk), ..message(6, 1) };
    let all = [message(1, 3), message(2, 1), message(3, 1), message(4, 9), of_bulk];
    world.commit(&org, all.iter().map(insert).collect()).await.unwrap();
    assert_eq!(world.directory.tenants_with_messages(None, 9).await.unwrap(), [org.tenant]);
    let work = async || world.directory.message_work(org.tenant, None).await.unwrap();
    let wanted = MessageWork {
        next_at: Some(at(1)),
        steps: vec![made.id],
        bulks_at: Some(at(1)),
        ..MessageWork::default()
    };
    assert_eq!(work().await, wanted);
    assert_eq!(world.claimed(&org, 9).await, None);
    world.clock.advance(Duration::from_secs(3));
    let first = world.claimed(&org, 2).await.unwrap();
    assert_eq!((ids(&first), first.is_lost, first.until), (vec![id(2), id(3)], false, at(3).plus(CLAIM)));
    assert_eq!(first.messages[0], all[1]);
    let wanted = MessageWork {
        next_at: Some(at(3)),
        lost_at: Some(at(3).plus(CLAIM)),
        lanes: vec![made.id],
        bulks_at: None,
        ..wanted
    };
    assert_eq!(work().await, wanted);
    assert_eq!(ids(&world.claimed(&org, 9).await.unwrap()), [id(1)]);
    assert_eq!(world.claimed(&org, 9).await, None);
    let of_bulk = world.directory.messages_claim(org.tenant, Some(made.id), 9).await.unwrap().unwrap();
    assert_eq!(ids(&of_bulk), [id(6)]);
    assert_eq!(
        world.directory.messages_claim(org.tenant, Some(BulkId(made.id.0 + 1)), 9).await.unwrap(),
        None
    );
}

async fn each_message_is_claimed_by_one<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let all: Vec<Message> = (0..200).map(|n| plain(&org, n)).collect();
    world.commit(&org, all.iter().map(insert).collect()).await.unwrap();
    let tasks = (0..8).map(|_| {
        let (directory, tenant) = (world.node(), org.tenant);
        async move {
            let mut mine = Vec::new();
            while let Some(claimed) = directory.messages_claim(tenant, None, 7).await.unwrap() {
                mine.extend(ids(&claimed));
            }
            mine
        }
    });
    let claimed: Vec<MessageId> = all_at_once(tasks).await.into_iter().flatten().collect();
    assert_eq!((claimed.len(), claimed.iter().collect::<HashSet<_>>().len()), (200, 200));
}

async fn outcomes_are_noted_with_what_follows<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(100)).await;
    let mut sent = Vec::new();
    for n in 0..6 {
        let mut wish = wish(PHONE, &format!("hello {n}"));
        wish.options = SendOptions { is_text_deleted: n == 0, ..SendOptions::default() };
        sent.push(world.send(&org, wish).await.unwrap());
    }
    world.clock.advance(Duration::from_secs(9));
    let now = world.directory.now();
    let claimed = world.claimed(&org, 9).await.unwrap();
    let later = now.plus(Duration::from_secs(30));
    let outcomes = [
        accepted(&["a"]),
        Outcome::Refused,
        Outcome::Later(later),
        Outcome::Unknown,
        Outcome::NoOperator,
        Outcome::Maintenance,
    ];
    let all = sent.iter().cloned().zip(outcomes).collect();
    let noted = world.directory.messages_note(&claimed, all).await.unwrap();
    assert_eq!(noted, Noted { noted: 6, lost: 0 });
    let mut found = Vec::new();
    for message in &sent {
        let Message { state, price, handed_over_at, text, version, .. } = world.found(&org, message.id).await;
        found.push((state.status, state.receipt, price, handed_over_at.is_some(), text.is_empty(), version));
    }
    let handed_over = MessageStatus::HandedOver;
    let pending = Receipt::Pending;
    let wanted = [
        (handed_over, pending, cents(7), true, true, 2),
        (handed_over, Receipt::Rejected, cents(7), true, false, 2),
        (MessageStatus::New, pending, cents(7), false, false, 1),
        (handed_over, pending, cents(7), true, false, 2),
        (MessageStatus::NoOperator, pending, Money::ZERO, false, false, 2),
        (MessageStatus::Maintenance, pending, Money::ZERO, false, false, 2),
    ];
    assert_eq!(found, wanted);
    assert_eq!(world.balance(&org).await, cents(100 - 4 * 7));
    let events = world.kinds(&org, "sms.").await.split_off(6);
    assert_eq!(events, ["sms.sent", "sms.sent", "sms.failed", "sms.sent", "sms.failed", "sms.failed"]);
    let entry = world.journal(&org).await.into_iter().find(|entry| entry.kind == "sms.sent").unwrap();
    assert_eq!((entry.entity.as_str(), entry.version, entry.at), ("sms", 2, now));
    assert_eq!(entry.payload["status"], serde_json::json!([0, 100]));
    assert_eq!(entry.payload["phone"], serde_json::json!([PHONE, PHONE]));
    // What waits again is claimed again when it is due, and can be stopped until then.
    assert_eq!(world.claimed(&org, 9).await, None);
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(ids(&world.claimed(&org, 9).await.unwrap()), [sent[2].id]);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn a_claim_that_is_lost_is_settled_by_another<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let [one, two] = [world.sent(&org, PHONE).await, world.sent(&org, PHONE).await];
    let mut claimed = world.claimed(&org, 9).await.unwrap();
    let lost = async || world.directory.messages_claim_lost(org.tenant, 9).await.unwrap();
    world.clock.advance(ALMOST);
    assert_eq!(lost().await, None);
    assert_eq!(world.directory.messages_keep(&mut claimed).await.unwrap(), 2);
    world.clock.advance(ALMOST);
    assert_eq!((lost().await, world.claimed(&org, 9).await), (None, None));
    world.clock.advance(Duration::from_secs(1));
    let taken_over = lost().await.unwrap();
    let mut wanted = vec![one.id, two.id];
    wanted.sort_unstable();
    assert_eq!((ids(&taken_over), taken_over.is_lost), (wanted, true));
    assert_eq!(lost().await, None);
    // Who had them comes back: it is too late for one that was settled, but what is known counts more than what is asked.
    let settled = vec![(one.clone(), Outcome::Unknown)];
    assert_eq!(
        world.directory.messages_note(&taken_over, settled).await.unwrap(),
        Noted { noted: 1, lost: 0 }
    );
    let late = vec![(one.clone(), accepted(&["late"])), (two.clone(), accepted(&["x"]))];
    assert_eq!(world.directory.messages_note(&claimed, late).await.unwrap(), Noted { noted: 1, lost: 1 });
    assert_eq!(world.found(&org, two.id).await.state.status, MessageStatus::HandedOver);
    // Under what id the carrier has the first is known all the same.
    let delivered = vec![news("late", Receipt::Delivered), news("x", Receipt::Delivered)];
    let unknown = world.directory.receipts_note("sandbox", delivered).await.unwrap();
    assert_eq!(unknown, []);
    for id in [one.id, two.id] {
        assert_eq!(world.found(&org, id).await.state.receipt, Receipt::Delivered);
    }
    let again = vec![(two.clone(), accepted(&["x"]))];
    assert_eq!(world.directory.messages_note(&taken_over, again).await.unwrap(), Noted { noted: 0, lost: 1 });
    let kinds = world.kinds(&org, "sms.sent").await;
    assert_eq!(kinds.len(), 2);
}

async fn what_is_handed_over_is_not_said_to_be_stopped<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for n in 0..80 {
        world.commit(&org, vec![insert(&plain(&org, n))]).await.unwrap();
    }
    let sender = {
        let (directory, tenant) = (world.node(), org.tenant);
        async move {
            let mut sent = 0;
            while let Some(claimed) = directory.messages_claim(tenant, None, 3).await.unwrap() {
                let all: Vec<_> =
                    claimed.messages.iter().map(|message| (message.clone(), accepted(&[]))).collect();
                let count = all.len() as u64;
                let noted = directory.messages_note(&claimed, all).await.unwrap();
                assert_eq!(noted, Noted { noted: count, lost: 0 });
                sent += count;
            }
            sent
        }
    };
    let stopper = {
        let (directory, ctx) = (world.node(), org.ctx.clone());
        async move {
            let all = Filter::of(Test::is(MessageField::Status, 0));
            directory.messages_stop(&ctx, all, |_| {}).await.unwrap()
        }
    };
    let (sent, stopped) = tokio::join!(tokio::spawn(sender), tokio::spawn(stopper));
    let (sent, stopped) = (sent.unwrap(), stopped.unwrap());
    let all = world.all_messages(&org).await;
    let count = |status| all.iter().filter(|message| message.state.status == status).count() as u64;
    assert_eq!((count(MessageStatus::HandedOver), count(MessageStatus::StoppedByCustomer)), (sent, stopped));
    assert_eq!(world.kinds(&org, "sms.sent").await.len() as u64, sent);
    assert_eq!(sent + stopped, 80);
}

async fn nothing_is_handed_over_for_who_is_disabled<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.sent(&org, PHONE).await;
    assert_eq!(world.directory.tenant_disable(org.tenant).await.unwrap().status, TenantStatus::Disabled);
    assert_eq!(world.claimed(&org, 9).await, None);
    assert_eq!(world.directory.message_work(org.tenant, None).await.unwrap(), MessageWork::default());
    assert_eq!(world.directory.tenants_with_messages(None, 9).await.unwrap(), []);
    world.directory.tenant_enable(org.tenant).await.unwrap();
    assert_eq!(world.claimed(&org, 9).await.unwrap().messages.len(), 1);
}

async fn receipts_find_their_messages<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    let one = world.handed_over(&org, "hello", &["1"]).await;
    let two = world.handed_over(&other, "hello", &["2"]).await;
    let all = vec![
        news("1", Receipt::Queued),
        news("2", Receipt::Expired),
        news("3", Receipt::Delivered),
        news("1", Receipt::Delivered),
        news("1", Receipt::Accepted),
    ];
    let elsewhere = world.directory.receipts_note("other", all.clone()).await.unwrap();
    assert_eq!(elsewhere, all);
    let unknown = world.directory.receipts_note("sandbox", all.clone()).await.unwrap();
    assert_eq!(unknown, [news("3", Receipt::Delivered)]);
    assert_eq!(world.found(&org, one).await.state.receipt, Receipt::Delivered);
    assert_eq!(world.found(&other, two).await.state.receipt, Receipt::Expired);
    assert_eq!(world.kinds(&org, "sms.").await, ["sms.created", "sms.sent", "sms.delivered"]);
    assert_eq!(world.kinds(&other, "sms.").await, ["sms.created", "sms.sent", "sms.failed"]);
    // All of it once more changes nothing.
    let before = world.backend.dump();
    world.directory.receipts_note("sandbox", all).await.unwrap();
    assert_eq!(world.backend.dump(), before);
    // An id that a carrier gives out again belongs to the later message.
    let three = world.handed_over(&org, "again", &["1"]).await;
    world.directory.receipts_note("sandbox", vec![news("1", Receipt::Rejected)]).await.unwrap();
    assert_eq!(world.found(&org, three).await.state.receipt, Receipt::Rejected);
    assert_eq!(world.found(&org, one).await.state.receipt, Receipt::Delivered);
    // What is deleted is unknown to carriers too.
    world.directory.message_delete(&org.ctx, three, None).await.unwrap();
    let unknown =
        world.directory.receipts_note("sandbox", vec![news("1", Receipt::Delivered)]).await.unwrap();
    assert_eq!(unknown.len(), 1);
}

async fn an_id_that_is_given_to_many_at_once_is_the_last_ones<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.commit(&org, [1, 2, 3].map(|n| insert(&plain(&org, n))).to_vec()).await.unwrap();
    let claimed = world.claimed(&org, 9).await.unwrap();
    assert_eq!(world.note_all(&claimed, &accepted(&["same"])).await, Noted { noted: 3, lost: 0 });
    let told = vec![news("same", Receipt::Delivered)];
    assert_eq!(world.directory.receipts_note("sandbox", told).await.unwrap(), []);
    let mut receipts = Vec::new();
    for message in &claimed.messages {
        receipts.push(world.found(&org, message.id).await.state.receipt);
    }
    // It has another part, which was not named.
    assert_eq!(receipts, [Receipt::Pending, Receipt::Pending, Receipt::Accepted]);
}

async fn parts_that_are_told_of_at_once_make_a_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let parts: Vec<String> = (0..10).map(|n| format!("part {n}")).collect();
    let names: Vec<&str> = parts.iter().map(String::as_str).collect();
    let message = world.handed_over(&org, &"x".repeat(1530), &names).await;
    let tell = |parts: Vec<String>| {
        let directory = world.node();
        async move {
            for part in parts {
                let told = vec![news(&part, Receipt::Delivered)];
                assert_eq!(directory.receipts_note("sandbox", told).await.unwrap(), []);
            }
        }
    };
    all_at_once(parts[..9].iter().map(|part| tell(vec![part.clone()]))).await;
    assert_eq!(world.found(&org, message).await.state.receipt, Receipt::Accepted);
    tell(parts[9..].to_vec()).await;
    assert_eq!(world.found(&org, message).await.state.receipt, Receipt::Delivered);
    assert_eq!(world.kinds(&org, "sms.delivered").await.len(), 1);
    // And all ten at once.
    let other: Vec<String> = (0..10).map(|n| format!("other {n}")).collect();
    let names: Vec<&str> = other.iter().map(String::as_str).collect();
    let message = world.handed_over(&org, &"x".repeat(1530), &names).await;
    all_at_once(other.iter().map(|part| tell(vec![part.clone()]))).await;
    assert_eq!(world.found(&org, message).await.state.receipt, Receipt::Delivered);
}

async fn old_receipts_are_forgotten<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.handed_over(&org, "old", &["old"]).await;
    world.clock.advance(RECEIPTS_KEPT);
    world.handed_over(&org, "new", &["new"]).await;
    world.clock.advance(Duration::from_secs(1));
    world.directory.receipts_reap().await.unwrap();
    let told = vec![news("old", Receipt::Delivered), news("new", Receipt::Delivered)];
    let unknown = world.directory.receipts_note("sandbox", told).await.unwrap();
    assert_eq!(unknown, [news("old", Receipt::Delivered)]);
    world.directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), vec![]);
}

async fn messages_that_are_taken_are_told<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    // Nothing is kept before somebody asks.
    assert!(crate::support::start(world.store().messages_taken()).is_ok());
    world.sent(&org, PHONE).await;
    world.credit(&other, cents(1)).await;
    world.commit(&org, vec![insert(&rich(&org, 9))]).await.unwrap();
    assert_eq!(world.store().messages_taken().await, [org.tenant]);
    let gone = world.directory.message_get(&other.ctx, id(9)).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
}
