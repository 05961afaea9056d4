//! Balances that many move at once: the sum over all movements is the balance, whatever was refused.

use muster_domain::message::{Money, MovementReason};
use muster_domain::{Batch, Change, MessageId, Store as _, StoreError};
use proptest::prelude::*;
use uuid::Uuid;

use crate::balance::cents;
use crate::random::try_cases;
use crate::support::{Backend, START, all_at_once, findings};
use crate::world::{Org, World};

contract![the_sum_is_the_balance_after_anything, many_at_once_take_no_more_than_there_is];

#[derive(Clone, Debug)]
enum Step {
    Credit(i64),
    Charge(i64),
    Refund(i64),
    /// A batch that fails after its movement.
    Broken(i64),
}

fn change(step: &Step) -> Vec<Change> {
    let moved = |amount: i64, reason| Change::BalanceMove { at: START, amount: cents(amount), reason };
    let message = MessageId(Uuid::nil());
    match step {
        Step::Credit(amount) => vec![moved(*amount, MovementReason::Credit(None))],
        Step::Charge(amount) => vec![moved(-amount, MovementReason::Charge(message))],
        Step::Refund(amount) => vec![moved(*amount, MovementReason::Refund(message))],
        Step::Broken(amount) => vec![
            moved(*amount, MovementReason::Credit(None)),
            Change::TagDelete { id: muster_domain::TagId(1), version: 1 },
        ],
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (-40..60_i64).prop_filter("moves", |amount| *amount != 0).prop_map(Step::Credit),
        (1..50_i64).prop_map(Step::Charge),
        (1..30_i64).prop_map(Step::Refund),
        (1..30_i64).prop_map(Step::Broken),
    ];
    prop::collection::vec(step, 1..40)
}

/// What is kept is the sum, and the doctor finds nothing.
async fn sums_up<B: Backend>(world: &World<B>, org: &Org) -> Money {
    let movements = world.movements(org).await;
    let sum: Money = movements.iter().map(|movement| movement.amount).sum();
    assert_eq!(world.balance(org).await, sum);
    assert_eq!(movements.first().map_or(Money::ZERO, |last| last.balance), sum);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
    sum
}

async fn the_sum_is_the_balance_after_anything<B: Backend>() {
    let world = World::<B>::new();
    try_cases::<B, _, _>(12, steps(), |steps| {
        let world = &world;
        async move {
            let org = world.org(&world.directory.entropy.uuid().to_string()).await;
            let mut model = 0;
            for step in &steps {
                let outcome = world.commit(&org, change(step)).await;
                let wanted = match step {
                    Step::Charge(amount) if *amount > model => Err(StoreError::Balance),
                    Step::Broken(_) => Err(StoreError::Stale),
                    _ => Ok(()),
                };
                prop_assert_eq!(&outcome, &wanted, "{:?} at {}", step, model);
                model += match (step, outcome) {
                    (_, Err(_)) | (Step::Broken(_), _) => 0,
                    (Step::Charge(amount), _) => -amount,
                    (Step::Credit(amount) | Step::Refund(amount), _) => *amount,
                };
            }
            prop_assert_eq!(sums_up(world, &org).await, cents(model));
            Ok(())
        }
    });
}

async fn many_at_once_take_no_more_than_there_is<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.credit(&org, cents(100)).await;
    for round in 0..3 {
        let tasks = (0..60_i64).map(|n| {
            let (directory, tenant) = (world.node(), org.tenant);
            let step = match n % 6 {
                0 => Step::Credit(2),
                1 => Step::Broken(5),
                2 => Step::Refund(1),
                _ => Step::Charge(3 + n % 4),
            };
            async move {
                let batch = Batch { changes: change(&step), ..Batch::new(tenant) };
                match directory.store.commit(batch).await {
                    Ok(()) => true,
                    Err(StoreError::Balance) => matches!(step, Step::Charge(_)),
                    Err(StoreError::Stale) => matches!(step, Step::Broken(_)),
                    Err(error) => panic!("{error}"),
                }
            }
        });
        assert!(all_at_once(tasks).await.into_iter().all(|as_wanted| as_wanted), "{round}");
        assert!(!sums_up(&world, &org).await.is_negative());
    }
}
