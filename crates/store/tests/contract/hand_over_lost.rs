//! Claims on messages that go wrong: their answers are lost, they end too early, or what they hold is not wanted any more.

use std::time::Duration;

use muster_domain::MessageId;
use muster_domain::message::{Arrival, CLAIM, Claimed, MessageStatus, Money, Noted, Outcome, Receipt};

use crate::balance::cents;
use crate::hand_over::{accepted, ids, news};
use crate::messages::{PHONE, insert, plain, wish};
use crate::support::{Backend, START, findings};
use crate::world::{Org, World};

contract![
    a_claim_that_nobody_was_told_of_is_released,
    a_lost_claim_that_nobody_was_told_of_stays_in_doubt,
    who_said_stop_gets_nothing_that_waits,
    a_claim_that_has_ended_is_not_renewed,
    who_knows_what_a_carrier_has_is_believed,
    what_a_carrier_has_not_named_is_not_delivered,
];

const OTHER: &str = "+4915112345679";

impl<B: Backend> World<B> {
    async fn claim(&self, org: &Org) -> Option<Claimed> {
        self.directory.messages_claim(org.tenant, None, 9).await.unwrap()
    }

    async fn claim_lost(&self, org: &Org) -> Option<Claimed> {
        self.directory.messages_claim_lost(org.tenant, 9).await.unwrap()
    }

    async fn note_at(&self, claimed: &Claimed, at: usize, outcome: Outcome) -> Noted {
        let all = vec![(claimed.messages[at].clone(), outcome)];
        self.directory.messages_note(claimed, all).await.unwrap()
    }

    async fn status(&self, org: &Org, id: MessageId) -> MessageStatus {
        self.directory.message_get(&org.ctx, id).await.unwrap().state.status
    }

    async fn receipt(&self, org: &Org, id: MessageId) -> Receipt {
        self.directory.message_get(&org.ctx, id).await.unwrap().state.receipt
    }

    /// A number of theirs says a word to ours.
    async fn say(&self, org: &Org, from: &str, text: &str) {
        let arrival = Arrival {
            carrier: "sandbox".to_owned(),
            carrier_id: None,
            from: from.to_owned(),
            to: "+4915199999999".to_owned(),
            text: text.to_owned(),
            received_at: START,
        };
        self.directory.incoming_receive(org.tenant, arrival).await.unwrap();
    }

    /// Whether messages can be read: a status that is none makes each read fail, as one of a store that has gone does.
    fn readable(&self, is_readable: bool) {
        let status = if is_readable { 0 } else { 77 };
        self.backend.tamper(&format!("UPDATE messages SET status = {status}"));
    }
}

async fn a_claim_that_nobody_was_told_of_is_released<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    world.commit(&org, (0..3).map(|n| insert(&plain(&org, n))).collect()).await.unwrap();
    world.commit(&other, vec![insert(&plain(&other, 9))]).await.unwrap();
    let of_other = world.claim(&other).await.unwrap();
    let before = world.backend.dump();
    world.readable(false);
    let failed = world.directory.messages_claim(org.tenant, None, 9).await.unwrap_err();
    world.readable(true);
    assert_eq!((failed.tenant, world.claim(&org).await), (org.tenant, None));
    for tenant in [other.tenant, org.tenant, org.tenant] {
        world.directory.messages_release(tenant, failed.claim).await.unwrap();
    }
    assert_eq!(world.backend.dump(), before);
    // They wait as before, and nobody takes them for handed over.
    world.clock.advance(CLAIM);
    assert_eq!(world.claim_lost(&org).await, None);
    let again = world.claim(&org).await.unwrap();
    assert_eq!((again.messages.len(), again.is_lost), (3, false));
    // Who has claimed them since has nothing to do with that.
    world.directory.messages_release(org.tenant, failed.claim).await.unwrap();
    assert_eq!(world.claim(&org).await, None);
    assert_eq!(world.note_at(&again, 0, accepted(&["1"])).await, Noted { noted: 1, lost: 0 });
    assert_eq!(world.claim_lost(&other).await.map(|claimed| ids(&claimed)), Some(ids(&of_other)));
}

async fn a_lost_claim_that_nobody_was_told_of_stays_in_doubt<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.commit(&org, vec![insert(&plain(&org, 1))]).await.unwrap();
    world.claim(&org).await.unwrap();
    world.clock.advance(CLAIM);
    world.readable(false);
    world.directory.messages_claim_lost(org.tenant, 9).await.unwrap_err();
    world.readable(true);
    assert_eq!((world.claim(&org).await, world.claim_lost(&org).await), (None, None));
    world.clock.advance(CLAIM);
    assert_eq!(world.claim(&org).await, None);
    assert!(world.claim_lost(&org).await.unwrap().is_lost);
}

async fn who_said_stop_gets_nothing_that_waits<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(100)).await;
    let stopped = [world.sent(&org, PHONE).await.id, world.sent(&org, PHONE).await.id];
    world.clock.advance(Duration::from_secs(1));
    let wanted = world.sent(&org, OTHER).await;
    world.say(&org, PHONE, "STOP").await;
    // All that is due first is blocked.
    let claimed = world.directory.messages_claim(org.tenant, None, 2).await.unwrap().unwrap();
    assert_eq!(ids(&claimed), [wanted.id]);
    for id in stopped {
        let message = world.directory.message_get(&org.ctx, id).await.unwrap();
        assert_eq!((message.state.status, message.price), (MessageStatus::Blocked, Money::ZERO));
    }
    assert_eq!(world.balance(&org).await, cents(93));
    assert_eq!(world.kinds(&org, "sms.failed").await.len(), 2);
    // What goes back to those that wait is looked at again.
    let later = world.directory.now().plus(Duration::from_secs(9));
    assert_eq!(world.note_at(&claimed, 0, Outcome::Later(later)).await, Noted { noted: 1, lost: 0 });
    world.block(&org, OTHER).await;
    world.clock.advance(Duration::from_secs(9));
    assert_eq!(world.claim(&org).await, None);
    assert_eq!(world.status(&org, wanted.id).await, MessageStatus::Blocked);
    assert_eq!(world.balance(&org).await, cents(100));
    // One that somebody may have handed over is not said to be blocked.
    world.say(&org, PHONE, "START").await;
    let doubtful = world.sent(&org, PHONE).await;
    world.claim(&org).await.unwrap();
    world.say(&org, PHONE, "STOP").await;
    world.clock.advance(CLAIM);
    assert_eq!(ids(&world.claim_lost(&org).await.unwrap()), [doubtful.id]);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn a_claim_that_has_ended_is_not_renewed<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for _ in 0..3 {
        world.sent(&org, PHONE).await;
    }
    let keep = async |claimed: &mut Claimed| world.directory.messages_keep(claimed).await.unwrap();
    let mut claimed = world.claim(&org).await.unwrap();
    world.clock.advance(CLAIM / 2);
    assert_eq!(keep(&mut claimed).await, 3);
    assert_eq!(claimed.until, world.directory.now().plus(CLAIM));
    world.note_at(&claimed, 0, accepted(&["1"])).await;
    assert_eq!(keep(&mut claimed).await, 2);
    let until = claimed.until;
    world.clock.advance(CLAIM);
    assert_eq!((keep(&mut claimed).await, claimed.until), (0, until));
    // Another clock is ahead, and its process has taken one of the two.
    let lost = world.directory.messages_claim_lost(org.tenant, 1).await.unwrap().unwrap();
    claimed.until = world.directory.now().plus(CLAIM);
    assert_eq!(keep(&mut claimed).await, 1);
    assert_eq!((lost.messages.len(), world.claim_lost(&org).await), (1, None));
}

async fn who_knows_what_a_carrier_has_is_believed<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for _ in 0..2 {
        world.sent(&org, PHONE).await;
    }
    let late = world.claim(&org).await.unwrap();
    let [one, two] = [late.messages[0].id, late.messages[1].id];
    world.clock.advance(CLAIM);
    let settling = world.claim_lost(&org).await.unwrap();
    // A guess of who is late counts for nothing, what the carrier has said does.
    assert_eq!(world.note_at(&late, 0, Outcome::Refused).await, Noted { noted: 0, lost: 1 });
    assert_eq!(world.status(&org, one).await, MessageStatus::New);
    assert_eq!(world.note_at(&late, 1, accepted(&["two"])).await, Noted { noted: 1, lost: 0 });
    assert_eq!(world.note_at(&settling, 1, Outcome::Unknown).await, Noted { noted: 0, lost: 1 });
    // Also when it waits again.
    let later = world.directory.now().plus(Duration::from_secs(9));
    assert_eq!(world.note_at(&settling, 0, Outcome::Later(later)).await, Noted { noted: 1, lost: 0 });
    assert_eq!(world.note_at(&late, 0, accepted(&["one"])).await, Noted { noted: 1, lost: 0 });
    world.clock.advance(CLAIM);
    assert_eq!((world.claim(&org).await, world.claim_lost(&org).await), (None, None));
    let told = ["one", "two"].map(|id| news(id, Receipt::Delivered)).to_vec();
    assert_eq!(world.directory.receipts_note("sandbox", told).await.unwrap(), []);
    for id in [one, two] {
        assert_eq!(world.receipt(&org, id).await, Receipt::Delivered);
    }
    assert_eq!(world.kinds(&org, "sms.sent").await.len(), 2);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn what_a_carrier_has_not_named_is_not_delivered<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let named = |ids: &[Option<&str>], is_whole| Outcome::Accepted {
        carrier: "sandbox".to_owned(),
        ids: ids.iter().map(|id| id.map(str::to_owned)).collect(),
        is_whole,
    };
    let tell = async |id: &str| {
        let told = vec![news(id, Receipt::Delivered)];
        assert_eq!(world.directory.receipts_note("sandbox", told).await.unwrap(), []);
    };
    for (outcome, told, wanted) in [
        (named(&[Some("a1")], false), &["a1"][..], Receipt::Accepted),
        (named(&[None, Some("b2"), Some("b3")], false), &["b2", "b3"], Receipt::Accepted),
        (named(&[Some("c1"), Some("c2"), Some("c3")], false), &["c1", "c2", "c3"], Receipt::Delivered),
        (named(&[Some("d")], true), &["d"], Receipt::Delivered),
    ] {
        let message = world.send(&org, wish(PHONE, &"x".repeat(400))).await.unwrap();
        assert_eq!(message.parts_count, 3);
        let claimed = world.claim(&org).await.unwrap();
        assert_eq!(world.note_at(&claimed, 0, outcome.clone()).await, Noted { noted: 1, lost: 0 });
        for id in told {
            tell(id).await;
        }
        assert_eq!(world.receipt(&org, message.id).await, wanted, "{outcome:?}");
    }
}
