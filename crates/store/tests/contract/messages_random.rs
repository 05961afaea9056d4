//! Whatever is done to messages, and whoever dies over it: the balance is what was given less what is paid for, what
//! waits is what is new, and nothing is handed over twice.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use muster_domain::message::{
    CLAIM, Claimed, Filter, Message, MessageField, Money, Noted, Outcome, Receipt, ReceiptNews, Test,
};
use muster_domain::{Error, MessageId};
use proptest::prelude::*;

use crate::balance::cents;
use crate::messages::{PHONE, wish};
use crate::random::try_cases;
use crate::support::{Backend, findings};
use crate::world::{Org, World};

contract![nothing_is_lost_or_sent_twice_whatever_happens];

#[derive(Clone, Debug)]
enum Step {
    /// With so many parts.
    Send(usize),
    Stop,
    DeleteOne(usize),
    Claim(u32),
    /// What came of the oldest claim, by message.
    Note(Vec<u8>),
    /// Who has the oldest claim dies, and nobody notices for a minute.
    Die,
    TakeOver,
    Tell(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..4_usize).prop_map(Step::Send),
        1 => Just(Step::Stop),
        2 => any::<usize>().prop_map(Step::DeleteOne),
        3 => (1..4_u32).prop_map(Step::Claim),
        3 => prop::collection::vec(0..6_u8, 4).prop_map(Step::Note),
        1 => Just(Step::Die),
        1 => Just(Step::TakeOver),
        2 => (0..6_u8).prop_map(Step::Tell),
    ];
    prop::collection::vec(step, 1..45)
}

/// What a test knows besides the store.
#[derive(Default)]
struct Model {
    claims: Vec<Claimed>,
    /// How often a carrier was given each message.
    given: HashMap<MessageId, usize>,
    /// Those of which the carrier's answer was lost.
    lost: HashSet<MessageId>,
    /// What is paid for and deleted.
    buried: Money,
}

impl Model {
    async fn step<B: Backend>(&mut self, world: &World<B>, org: &Org, step: &Step) {
        let (directory, tenant) = (&world.directory, org.tenant);
        match step {
            Step::Send(parts) => match world.send(org, wish(PHONE, &"x".repeat(150 * parts))).await {
                Ok(_) | Err(Error::NoMoney) => {}
                Err(error) => panic!("{error}"),
            },
            Step::Stop => {
                let new = Filter::of(Test::is(MessageField::Status, 0));
                directory.messages_stop(&org.ctx, new, |_| {}).await.unwrap();
            }
            Step::DeleteOne(nth) => {
                let all = world.all_messages(org).await;
                let Some(message) = all.get(nth % all.len().max(1)) else { return };
                match directory.message_delete(&org.ctx, message.id, None).await {
                    Ok(()) if message.is_sent() => self.buried = self.buried + message.price,
                    Ok(()) | Err(Error::Unavailable(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Claim(limit) => {
                self.claims.extend(directory.messages_claim(tenant, None, *limit).await.unwrap());
            }
            Step::TakeOver => {
                self.claims.extend(directory.messages_claim_lost(tenant, 9).await.unwrap());
            }
            Step::Die => {
                if !self.claims.is_empty() {
                    let dead = self.claims.remove(0);
                    // It had given all of them to the carrier, unless it was to settle what another one had given.
                    for message in dead.messages.into_iter().filter(|_| !dead.is_lost) {
                        *self.given.entry(message.id).or_default() += 1;
                        self.lost.insert(message.id);
                    }
                }
                world.clock.advance(CLAIM);
            }
            Step::Note(outcomes) => {
                if !self.claims.is_empty() {
                    let claimed = self.claims.remove(0);
                    self.note(world, claimed, outcomes).await;
                }
            }
            Step::Tell(receipt) => {
                let receipt = Receipt::ALL[usize::from(*receipt)];
                let all = world.all_messages(org).await;
                let told =
                    all.iter().map(|message| ReceiptNews { carrier_id: message.id.to_string(), receipt });
                directory.receipts_note("random", told.collect()).await.unwrap();
            }
        }
    }

    async fn note<B: Backend>(&mut self, world: &World<B>, claimed: Claimed, outcomes: &[u8]) {
        let now = world.directory.now();
        if claimed.until <= now {
            // Too late, unless nobody has noticed.
            let all = claimed.messages.iter().map(|message| (message.clone(), Outcome::Unknown)).collect();
            world.directory.messages_note(&claimed, all).await.unwrap();
            return;
        }
        let outcome = |message: &Message, code: &u8| match code {
            _ if self.lost.contains(&message.id) => Outcome::Unknown,
            0 | 1 => {
                let ids = vec![Some(message.id.to_string())];
                Outcome::Accepted { carrier: "random".to_owned(), ids, is_whole: true }
            }
            2 => Outcome::Refused,
            3 => Outcome::Later(now.plus(Duration::from_secs(1))),
            4 => Outcome::NoOperator,
            _ => Outcome::Maintenance,
        };
        let all: Vec<(Message, Outcome)> = claimed
            .messages
            .iter()
            .zip(outcomes.iter().cycle())
            .map(|(message, code)| (message.clone(), outcome(message, code)))
            .collect();
        for (message, outcome) in &all {
            if matches!(outcome, Outcome::Accepted { .. }) {
                *self.given.entry(message.id).or_default() += 1;
            }
        }
        let count = all.len() as u64;
        let noted = world.directory.messages_note(&claimed, all).await.unwrap();
        assert_eq!(noted, Noted { noted: count, lost: 0 });
    }
}

async fn nothing_is_lost_or_sent_twice_whatever_happens<B: Backend>() {
    let world = World::<B>::new();
    world.load_prices().await;
    try_cases::<B, _, _>(12, steps(), |steps| {
        let world = &world;
        async move {
            let org = world.org(&world.directory.entropy.uuid().to_string()).await;
            let given = cents(150);
            world.credit(&org, given).await;
            let mut model = Model::default();
            for step in &steps {
                model.step(world, &org, step).await;
                let paid: Money = world.all_messages(&org).await.iter().map(|message| message.price).sum();
                prop_assert_eq!(world.balance(&org).await + paid + model.buried, given, "after {:?}", step);
            }
            prop_assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
            prop_assert!(model.given.values().all(|times| *times == 1), "{:?}", model.given);
            let sent = world.kinds(&org, "sms.sent").await.len();
            let ids: HashSet<String> = (world.journal(&org).await.into_iter())
                .filter(|entry| entry.kind == "sms.sent")
                .map(|entry| entry.entity_id)
                .collect();
            prop_assert_eq!(ids.len(), sent);
            Ok(())
        }
    });
}
