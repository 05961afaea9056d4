//! Prices and balances in a store: what is loaded is read, what moves a balance is told of, and the sum is the balance.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use muster_domain::message::{
    Account, BalanceStore as _, Country, Currency, Message, Money, Movement, MovementReason, Price,
    PriceTable, Tier,
};
use muster_domain::tenant::BillingPatch;
use muster_domain::{
    Batch, BulkId, Change, Draft, Error, Guard, MessageId, MovementId, Page, Problem, Slice, Store as _,
    StoreError, TenantId,
};
use uuid::Uuid;

use crate::messages::{PHONE, wish};
use crate::support::{Backend, START, findings, start};
use crate::world::{Org, World};

contract![
    prices_are_taken_whole,
    a_quote_says_all_that_a_price_rests_on,
    movements_read_back_whole_and_make_the_balance,
    a_charge_needs_money_and_a_credit_room,
    a_batch_that_fails_moves_nothing,
    a_currency_is_kept_once_there_was_money,
    a_movement_of_the_same_commit_keeps_a_currency,
    an_amount_is_taken_in_the_currency_that_it_was_decided_on,
    the_doctor_sees_a_wrong_balance,
    a_balance_goes_with_its_tenant,
];

pub(crate) const ALL: Slice = Slice { limit: 1000, offset: 0 };

pub(crate) fn cents(cents: i64) -> Money {
    Money::from_millionths(cents * 10_000)
}

pub(crate) fn price(country: &str, currency: Currency, of_s: i64) -> Price {
    Price {
        country: Country::read(country).unwrap(),
        name: format!("“{country}”"),
        currency,
        per_part: [of_s, of_s - 1, of_s - 2, of_s - 3].map(cents),
        requirements: (country == "US").then(|| "Register first.".to_owned()),
    }
}

impl<B: Backend> World<B> {
    /// The operator gives an amount.
    pub(crate) async fn credit(&self, org: &Org, amount: Money) {
        self.directory.tenant_credit(org.tenant, amount, None).await.unwrap();
    }

    pub(crate) async fn balance(&self, org: &Org) -> Money {
        self.directory.account_balance(&org.ctx).await.unwrap().balance
    }

    pub(crate) async fn movements(&self, org: &Org) -> Vec<Movement> {
        let Page { items, total } = self.directory.movement_list(&org.ctx, ALL).await.unwrap();
        assert_eq!(total, items.len() as u64);
        items
    }

    /// DE costs 7 cents of a euro (tier S), AT 5, US 1.
    pub(crate) async fn load_prices(&self) {
        let eur = Currency::EUR;
        let table = PriceTable::new([price("DE", eur, 7), price("AT", eur, 5), price("US", eur, 4)]);
        self.directory.prices_load(Some(table)).await.unwrap();
    }

    /// What a change of the balance would be.
    pub(crate) fn moved(amount: Money, reason: MovementReason) -> Change {
        Change::BalanceMove { at: START, amount, reason }
    }
}

async fn prices_are_taken_whole<B: Backend>() {
    let world = World::<B>::new();
    let directory = &world.directory;
    assert_eq!(directory.price_list(None, None).await.unwrap(), None);
    let (de, us) = (Country::read("DE").unwrap(), Country::read("US").unwrap());
    let eur = price("DE", Currency::EUR, 7);
    let first = [eur.clone(), price("DE", Currency::CHF, 8), price("US", Currency::EUR, 5)];
    directory.prices_load(Some(PriceTable::new(first.clone()))).await.unwrap();
    // By country, then currency.
    let [eur, chf, us_eur] = first;
    let all = vec![chf.clone(), eur.clone(), us_eur.clone()];
    assert_eq!(directory.price_list(None, None).await.unwrap(), Some(all));
    assert_eq!(directory.price_list(Some(de), None).await.unwrap(), Some(vec![chf.clone(), eur.clone()]));
    assert_eq!(directory.price_list(Some(de), Some(Currency::CHF)).await.unwrap(), Some(vec![chf]));
    assert_eq!(directory.price_list(None, Some(Currency::EUR)).await.unwrap(), Some(vec![eur, us_eur]));
    let second = price("DE", Currency::EUR, 9);
    directory.prices_load(Some(PriceTable::new([second.clone()]))).await.unwrap();
    assert_eq!(directory.price_list(None, None).await.unwrap(), Some(vec![second]));
    assert_eq!(directory.price_list(Some(us), None).await.unwrap(), Some(vec![]));
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM prices"), 1);
    directory.prices_load(Some(PriceTable::default())).await.unwrap();
    assert_eq!(directory.price_list(None, None).await.unwrap(), Some(vec![]));
    directory.prices_load(None).await.unwrap();
    assert_eq!(directory.price_list(Some(de), None).await.unwrap(), None);
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM prices"), 0);
}

async fn a_quote_says_all_that_a_price_rests_on<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (de, fr) = (Country::read("DE").unwrap(), Country::read("FR").unwrap());
    let quote = async |country| world.store().quote(org.tenant, country).await.unwrap().unwrap();
    let free = quote(Some(de)).await;
    assert_eq!(free.account, Account { currency: Currency::EUR, tier: Tier::S, balance: Money::ZERO });
    assert_eq!(free.tariff().per_part(de), Some(Money::ZERO));
    let billing = BillingPatch { currency: Some(Currency::CHF), tier: Some(Tier::Xl) };
    let tenant = world.directory.tenant_set_billing(org.tenant, billing).await.unwrap();
    assert_eq!((tenant.currency.as_str(), tenant.tier, tenant.version), ("CHF", Tier::Xl, 2));
    assert_eq!(world.directory.tenant_set_billing(org.tenant, billing).await.unwrap(), tenant);
    world.credit(&org, cents(100)).await;
    let table = [price("DE", Currency::EUR, 7), price("DE", Currency::CHF, 8), price("US", Currency::CHF, 5)];
    world.directory.prices_load(Some(PriceTable::new(table))).await.unwrap();
    let priced = quote(Some(de)).await;
    let account = Account { currency: Currency::CHF, tier: Tier::Xl, balance: cents(100) };
    assert_eq!((priced.account, priced.tariff().per_part(de)), (account, Some(cents(5))));
    assert_eq!(quote(Some(fr)).await.tariff().per_part(fr), None);
    let all = quote(None).await;
    assert_eq!((all.account, all.table.as_ref().map(|table| table.iter().count())), (account, Some(2)));
    assert_eq!(all.tariff().per_part(de), Some(cents(5)));
    for country in [None, Some(de)] {
        assert_eq!(world.store().quote(TenantId(org.tenant.0 + 1), country).await.unwrap(), None);
    }
    assert_eq!(world.store().account(TenantId(org.tenant.0 + 1)).await.unwrap(), None);
}

async fn movements_read_back_whole_and_make_the_balance<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    world.directory.tenant_credit(org.tenant, cents(1000), Some(" first “€” ")).await.unwrap();
    world.credit(&other, cents(5)).await;
    let (message, bulk) = (MessageId(Uuid::from_u128(7)), BulkId(9));
    let moves = [
        (cents(-70), MovementReason::Charge(message)),
        (cents(70), MovementReason::Refund(message)),
        (cents(-300), MovementReason::BulkCharge { bulk, messages: 3 }),
        (cents(200), MovementReason::BulkRefund { bulk, messages: 2 }),
    ];
    world
        .commit(&org, moves.iter().cloned().map(|(by, why)| World::<B>::moved(by, why)).collect())
        .await
        .unwrap();
    world.clock.advance(Duration::from_secs(1));
    world.directory.tenant_credit(org.tenant, cents(-1000), None).await.unwrap();
    let movement = |id, seconds, amount, balance, reason| Movement {
        id: MovementId(id),
        tenant: org.tenant,
        at: START.plus(Duration::from_secs(seconds)),
        amount: cents(amount),
        balance: cents(balance),
        reason,
    };
    let [(_, charge), (_, refund), (_, bulk_charge), (_, bulk_refund)] = moves;
    let wanted = vec![
        movement(6, 1, -1000, -100, MovementReason::Credit(None)),
        movement(5, 0, 200, 900, bulk_refund),
        movement(4, 0, -300, 700, bulk_charge),
        movement(3, 0, 70, 1000, refund),
        movement(2, 0, -70, 930, charge),
        movement(1, 0, 1000, 1000, MovementReason::Credit(Some("first “€”".to_owned()))),
    ];
    assert_eq!(world.movements(&org).await, wanted);
    assert_eq!((world.balance(&org).await, world.balance(&other).await), (cents(-100), cents(5)));
    let page = Slice { limit: 2, offset: 3 };
    let found = world.directory.movement_list(&org.ctx, page).await.unwrap();
    assert_eq!((found.items, found.total), (wanted[3..5].to_vec(), 6));
    let past = Slice { limit: 2, offset: u64::MAX };
    assert_eq!(world.directory.movement_list(&org.ctx, past).await.unwrap().items, vec![]);
    let kinds: Vec<_> = world.journal(&org).await.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "tenant.credited").count(), 2);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn a_charge_needs_money_and_a_credit_room<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let charge =
        |amount: i64| World::<B>::moved(cents(-amount), MovementReason::Charge(MessageId(Uuid::nil())));
    assert_eq!(world.commit(&org, vec![charge(1)]).await, Err(StoreError::Balance));
    world.credit(&org, cents(10)).await;
    world.commit(&org, vec![charge(7)]).await.unwrap();
    assert_eq!(world.commit(&org, vec![charge(4)]).await, Err(StoreError::Balance));
    // What one change takes is not there for the next one of its batch.
    assert_eq!(world.commit(&org, vec![charge(2), charge(2)]).await, Err(StoreError::Balance));
    world.commit(&org, vec![charge(3)]).await.unwrap();
    assert_eq!((world.balance(&org).await, world.movements(&org).await.len()), (Money::ZERO, 3));
    let refused = |outcome| match outcome {
        Err(Error::Invalid(fields)) => fields.into_iter().map(|error| error.field.into_owned()).collect(),
        other => panic!("{other:?}"),
    };
    let directory = &world.directory;
    let none: Vec<String> = refused(directory.tenant_credit(org.tenant, Money::ZERO, None).await);
    assert_eq!(none, ["amount"]);
    world.credit(&org, Money::FULL).await;
    let most: Vec<String> = refused(directory.tenant_credit(org.tenant, cents(1), None).await);
    assert_eq!(most, ["amount"]);
    let note: Vec<String> =
        refused(directory.tenant_credit(org.tenant, cents(1), Some(&"x".repeat(201))).await);
    assert_eq!(note, ["note"]);
    let nobody = directory.tenant_credit(TenantId(99), cents(1), None).await;
    assert!(matches!(nobody, Err(Error::NotFound(_))), "{nobody:?}");
    assert_eq!(world.balance(&org).await, Money::FULL);
    // What is given back fits all the same.
    let back = World::<B>::moved(cents(1), MovementReason::Refund(MessageId(Uuid::nil())));
    world.commit(&org, vec![back]).await.unwrap();
    assert_eq!(world.balance(&org).await, Money::FULL + cents(1));
}

async fn a_batch_that_fails_moves_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.credit(&org, cents(10)).await;
    let credit = |amount: i64| World::<B>::moved(cents(amount), MovementReason::Credit(None));
    let hold = world.backend.hold_writes();
    let mut started = Vec::new();
    for n in 0..9_i64 {
        // Every third one fails after its movement.
        let mut changes = vec![credit(1 << n)];
        changes.extend((n % 3 == 1).then_some(Change::TagDelete { id: muster_domain::TagId(1), version: 1 }));
        started.push(
            crate::support::start(world.commit(&org, changes)).unwrap_or_else(|done| panic!("{done:?}")),
        );
    }
    drop(hold);
    let mut sum = 10;
    for (n, done) in started.into_iter().enumerate() {
        let outcome = done.await;
        assert_eq!(outcome.is_ok(), n % 3 != 1, "{n}: {outcome:?}");
        sum += if outcome.is_ok() { 1 << n } else { 0 };
    }
    assert_eq!((world.balance(&org).await, world.movements(&org).await.len()), (cents(sum), 7));
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn a_currency_is_kept_once_there_was_money<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.credit(&org, cents(10)).await;
    world.credit(&org, cents(-10)).await;
    let patch = BillingPatch { currency: Some(Currency::CHF), tier: None };
    let refused = world.directory.tenant_set_billing(org.tenant, patch).await;
    let Err(Error::Invalid(fields)) = refused else { panic!("{refused:?}") };
    assert!(fields[0].field == "currency" && matches!(fields[0].problem, Problem::Format(_)), "{fields:?}");
    let patch = BillingPatch { currency: Some(Currency::EUR), tier: Some(Tier::M) };
    let tenant = world.directory.tenant_set_billing(org.tenant, patch).await.unwrap();
    assert_eq!((tenant.currency.as_str(), tenant.tier), ("EUR", Tier::M));
    assert_eq!(world.journal(&org).await.last().unwrap().payload, serde_json::json!({"tier": ["S", "M"]}));
}

async fn a_movement_of_the_same_commit_keeps_a_currency<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    let credit = |org: &Org| {
        let change = World::<B>::moved(cents(1), MovementReason::Credit(None));
        Batch::new(org.tenant).change(change)
    };
    let untouched = || Batch::new(org.tenant).guard(Guard::BalanceUntouched);
    world.store().commit(untouched()).await.unwrap();
    let hold = world.backend.hold_writes();
    // The first waits alone, and those that come meanwhile share a commit.
    let commit = |batch| start(world.store().commit(batch)).unwrap_or_else(|done| panic!("{done:?}"));
    let mut started = vec![commit(credit(&other))];
    tokio::time::sleep(Duration::from_millis(100)).await;
    for batch in [credit(&org), untouched()] {
        started.push(commit(batch));
    }
    drop(hold);
    let mut outcomes = Vec::new();
    for done in started {
        outcomes.push(done.await);
    }
    assert_eq!(outcomes, [Ok(()), Ok(()), Err(StoreError::GuardFailed)]);
}

async fn an_amount_is_taken_in_the_currency_that_it_was_decided_on<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    let prices = [price("DE", Currency::EUR, 7), price("DE", Currency::CHF, 8)];
    world.directory.prices_load(Some(PriceTable::new(prices))).await.unwrap();
    let commit = async |currency| {
        let charge = World::<B>::moved(cents(-1), MovementReason::Charge(MessageId(Uuid::from_u128(1))));
        let batch = Batch::new(org.tenant).guard(Guard::PaysIn(currency)).change(charge);
        world.store().commit(batch).await
    };
    assert_eq!(commit(Currency::EUR).await, Err(StoreError::Balance));
    assert_eq!(commit(Currency::CHF).await, Err(StoreError::GuardFailed));

    // What writes waits in the order in which it came: the message is priced while the tenant still pays in euros.
    let hold = world.backend.hold_writes();
    let node = || Arc::clone(&world.directory);
    let (tenant, ctx) = (org.tenant, org.ctx.clone());
    let tasks: [BoxFuture<'static, Option<Result<Message, Error>>>; 4] = [
        {
            // Who comes first is alone in its commit.
            let (node, tenant) = (node(), other.tenant);
            async move { node.tenant_credit(tenant, cents(1), None).await.map(|()| None).unwrap() }.boxed()
        },
        {
            let (node, patch) = (node(), BillingPatch { currency: Some(Currency::CHF), tier: None });
            let change = async move {
                // Refused if it comes too late.
                _ = node.tenant_set_billing(tenant, patch).await;
                None
            };
            change.boxed()
        },
        {
            let node = node();
            async move { node.tenant_credit(tenant, cents(100), None).await.map(|()| None).unwrap() }.boxed()
        },
        {
            let node = node();
            async move { Some(node.message_create(&ctx, Draft::from(wish(PHONE, "hello"))).await) }.boxed()
        },
    ];
    let mut started = Vec::new();
    for task in tasks {
        started.push(tokio::spawn(task));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop(hold);
    let mut sent = None;
    for task in started {
        sent = task.await.unwrap().or(sent);
    }
    // On a machine so busy that they come in another order there may be no money, or the currency may stay.
    let account = world.directory.account_balance(&org.ctx).await.unwrap();
    let price = if account.currency == Currency::CHF { cents(8) } else { cents(7) };
    match sent.unwrap() {
        Ok(message) => assert_eq!((message.price, account.balance), (price, cents(100) - price)),
        Err(error) => {
            assert_eq!((error.to_string(), account.balance), (Error::NoMoney.to_string(), cents(100)));
        }
    }
}

async fn the_doctor_sees_a_wrong_balance<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for amount in [5, 7, 9] {
        world.credit(&org, cents(amount)).await;
    }
    world.load_prices().await;
    let told = async |sql: &str, wanted: &str| {
        world.backend.tamper(sql);
        let findings = findings(world.store(), &world.key).await;
        assert!(findings.iter().any(|what| what.contains(wanted)), "{wanted}: {findings:?}");
    };
    told(
        "UPDATE tenant_state SET balance = 3",
        "the balance is 3 millionths, but the sum of its movements 210000",
    )
    .await;
    told(
        "UPDATE tenant_state SET balance = 210000, movements = 4",
        "4 movements are counted, but there are 3 up to 3",
    )
    .await;
    told(
        "UPDATE movements SET amount = 1 WHERE id = 2",
        "the balance after it is not the one before and it: movement 2",
    )
    .await;
    told(
        "UPDATE movements SET reason = 'gift' WHERE id = 3",
        "reason of a movement is not understood): movement 3",
    )
    .await;
    told("UPDATE prices SET country = '?' WHERE country = 'AT'", "country is not understood): price").await;
    told("UPDATE prices SET edition = 7 WHERE country = 'DE'", "there are prices of no price table").await;
}

async fn a_balance_goes_with_its_tenant<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    for org in [&org, &other] {
        world.credit(org, cents(3)).await;
    }
    world.directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), vec![]);
    assert_eq!(world.balance(&other).await, cents(3));
}
