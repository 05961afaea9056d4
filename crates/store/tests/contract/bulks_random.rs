//! Whatever is done to bulks and their messages: what is counted is what there is, the balance is what was given less what
//! is paid for, and nobody gets two messages.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use muster_domain::message::{
    BulkStatus, Claimed, Filter, Message, MessageField, Money, Outcome, Receipt, ReceiptNews, Test,
};
use muster_domain::{BulkId, Directory, Error, Rule};
use muster_store::Store;
use proptest::prelude::*;

use crate::balance::cents;
use crate::bulk_books::{contact, to_groups};
use crate::random::try_cases;
use crate::support::{Backend, all_at_once, findings};
use crate::world::{Org, World};

contract![what_is_counted_is_what_there_is_whatever_happens];

#[derive(Clone, Debug)]
enum Step {
    /// To so many of the lists, and to single numbers.
    Make(usize, bool),
    Steps(usize),
    Steer(usize, usize),
    Delete(usize),
    Claim(usize, u32),
    /// What came of the oldest claim, by message.
    Note(Vec<u8>),
    /// What came of all claims, each told by a worker of its own, while carriers report and bulks go on.
    NoteAll(Vec<u8>, u8),
    Tell(u8),
    StopAll,
    DeleteOne(usize),
    Block(usize),
    /// A list is gone.
    Forget(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (1..4_usize, any::<bool>()).prop_map(|(groups, dry)| Step::Make(groups, dry)),
        5 => (1..5_usize).prop_map(Step::Steps),
        2 => (any::<usize>(), 0..8_usize).prop_map(|(bulk, status)| Step::Steer(bulk, status)),
        1 => any::<usize>().prop_map(Step::Delete),
        3 => (any::<usize>(), 1..6_u32).prop_map(|(bulk, limit)| Step::Claim(bulk, limit)),
        3 => prop::collection::vec(0..6_u8, 4).prop_map(Step::Note),
        2 => (prop::collection::vec(0..6_u8, 4), 0..6_u8).prop_map(|(all, told)| Step::NoteAll(all, told)),
        2 => (0..6_u8).prop_map(Step::Tell),
        1 => Just(Step::StopAll),
        1 => any::<usize>().prop_map(Step::DeleteOne),
        1 => (0..12_usize).prop_map(Step::Block),
        1 => any::<usize>().prop_map(Step::Forget),
    ];
    prop::collection::vec(step, 1..35)
}

#[derive(Default)]
struct Model {
    groups: Vec<muster_domain::ContactGroupId>,
    bulks: Vec<BulkId>,
    claims: Vec<Claimed>,
    /// What is paid for and deleted.
    buried: Money,
}

impl Model {
    async fn note_all<B: Backend>(&mut self, world: &World<B>, org: &Org, outcomes: &[u8], receipt: u8) {
        let (tenant, receipt) = (org.tenant, Receipt::ALL[usize::from(receipt)]);
        let all = world.all_messages(org).await;
        let mut tasks: Vec<BoxFuture<'static, ()>> = Vec::new();
        for (nth, claimed) in self.claims.drain(..).enumerate() {
            // Not what the others make of theirs.
            let outcomes = outcomes.iter().map(|code| (usize::from(*code) + nth) % 6);
            let outcomes = outcomes.filter_map(|code| u8::try_from(code).ok()).collect();
            tasks.push(note(world.node(), claimed, outcomes).boxed());
        }
        for half in all.chunks(all.len().div_ceil(2).max(1)) {
            let told = |message: &Message| ReceiptNews { carrier_id: message.id.to_string(), receipt };
            let (directory, told) = (world.node(), half.iter().map(told).collect());
            let told = async move { _ = directory.receipts_note("random", told).await.unwrap() };
            tasks.push(told.boxed());
        }
        for bulk in self.bulks.clone() {
            let directory = world.node();
            tasks.push(async move { _ = directory.bulk_step(tenant, bulk, 4).await.unwrap() }.boxed());
        }
        all_at_once(tasks).await;
    }

    fn bulk(&self, nth: usize) -> Option<BulkId> {
        self.bulks.get(nth % self.bulks.len().max(1)).copied()
    }

    async fn step<B: Backend>(&mut self, world: &World<B>, org: &Org, step: &Step) {
        let (directory, tenant) = (&world.directory, org.tenant);
        match step {
            Step::Make(groups, is_dry_run) => {
                let groups: Vec<_> = self.groups.iter().copied().take(*groups).collect();
                let mut new = to_groups("Hi {{name}}", &groups);
                new.is_dry_run = *is_dry_run && self.bulks.len() % 3 == 2;
                new.patch.phones = Some([3, 11].map(crate::bulk_books::mobile).to_vec());
                if groups.is_empty() {
                    new.patch.groups = None;
                }
                self.bulks.push(world.bulk(org, new).await.id);
            }
            Step::Steps(count) => {
                for _ in 0..*count {
                    for bulk in &self.bulks {
                        world.node().bulk_step(tenant, *bulk, 1).await.unwrap();
                    }
                }
            }
            Step::Steer(nth, status) => {
                let Some(bulk) = self.bulk(*nth) else { return };
                match world.steer(org, bulk, BulkStatus::ALL[*status]).await {
                    Ok(_) | Err(Error::Rule(Rule::BulkStatus)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Delete(nth) => {
                let Some(bulk) = self.bulk(*nth) else { return };
                let found = world.found_bulk(org, bulk).await;
                directory.bulk_delete(&org.ctx, found, None).await.unwrap();
                while world.node().bulk_step(tenant, bulk, 4).await.unwrap() {}
                self.bulks.retain(|other| *other != bulk);
            }
            Step::Claim(nth, limit) => {
                let Some(bulk) = self.bulk(*nth) else { return };
                self.claims.extend(directory.messages_claim(tenant, Some(bulk), *limit).await.unwrap());
            }
            Step::Note(outcomes) => {
                if !self.claims.is_empty() {
                    let claimed = self.claims.remove(0);
                    note(world.node(), claimed, outcomes.clone()).await;
                }
            }
            Step::NoteAll(outcomes, receipt) => self.note_all(world, org, outcomes, *receipt).await,
            Step::Tell(receipt) => {
                let receipt = Receipt::ALL[usize::from(*receipt)];
                let all = world.all_messages(org).await;
                let told =
                    all.iter().map(|message| ReceiptNews { carrier_id: message.id.to_string(), receipt });
                directory.receipts_note("random", told.collect()).await.unwrap();
            }
            Step::StopAll => {
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
            Step::Block(n) => {
                let number = Some(crate::bulk_books::mobile(*n));
                match directory.block_create(&org.ctx, number.into()).await {
                    Ok(_) | Err(Error::Duplicate(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Forget(nth) => {
                if self.groups.len() > 1 {
                    let gone = self.groups.remove(nth % self.groups.len());
                    world.delete_group(org, gone).await.unwrap();
                }
            }
        }
    }
}

async fn note(directory: Arc<Directory<Store>>, claimed: Claimed, outcomes: Vec<u8>) {
    let now = directory.now();
    let outcome = |message: &Message, code: &u8| match code {
        0 | 1 => Outcome::Accepted {
            carrier: "random".to_owned(),
            ids: vec![Some(message.id.to_string())],
            is_whole: true,
        },
        2 => Outcome::Refused,
        3 => Outcome::Later(now),
        4 => Outcome::NoOperator,
        _ => Outcome::Maintenance,
    };
    let codes = outcomes.iter().cycle();
    let all = claimed.messages.iter().zip(codes).map(|(one, code)| (one.clone(), outcome(one, code)));
    let all = all.collect();
    directory.messages_note(&claimed, all).await.unwrap();
}

async fn what_is_counted_is_what_there_is_whatever_happens<B: Backend>() {
    let world = World::<B>::new();
    world.load_prices().await;
    try_cases::<B, _, _>(12, steps(), |steps| {
        let world = &world;
        async move {
            let org = world.org(&world.directory.entropy.uuid().to_string()).await;
            let given = cents(250);
            world.credit(&org, given).await;
            let mut model = Model::default();
            for first in [0, 3, 6] {
                let contacts = (first..first + 6).map(|n| contact(n, "Kim"));
                model.groups.push(world.named_group(&org, contacts).await.id);
            }
            for step in &steps {
                model.step(world, &org, step).await;
                let paid: Money = world.all_messages(&org).await.iter().map(|message| message.price).sum();
                prop_assert_eq!(world.balance(&org).await + paid + model.buried, given, "after {:?}", step);
            }
            // Nobody gets two messages of a bulk, and the doctor counts.
            for bulk in &model.bulks {
                world.of_bulk(&org, *bulk).await;
            }
            prop_assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
            Ok(())
        }
    });
}
