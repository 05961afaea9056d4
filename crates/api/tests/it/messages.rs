//! Messages that tests are about, in whichever dialect.

use muster_domain::message::{
    Arrival, BulkPatch, Claimed, Country, Currency, Message, MessageWish, Money, NewBulk, Outcome,
    PlaceholderStyle, Price, PriceTable, SenderId, blocked_number,
};
use muster_domain::{BulkId, Ctx, Draft};
use uuid::Uuid;

use crate::support::World;

/// A message of a tenant that waits; its id.
pub(crate) async fn waiting(world: &World, tenant: &Ctx) -> Uuid {
    sent(world, tenant, "+12015550180", "hello").await.id.0
}

/// A message that a tenant has sent.
pub(crate) async fn sent(world: &World, tenant: &Ctx, phone: &str, text: &str) -> Message {
    let wish = MessageWish {
        sender: SenderId::read("Muster").ok(),
        text: Some(text.to_owned()),
        phone: Some(phone.to_owned()),
        ..MessageWish::default()
    };
    world.directory().message_create(tenant, Draft::from(wish)).await.unwrap()
}

/// A bulk of a tenant that has not begun; its UUID.
pub(crate) async fn bulk(world: &World, tenant: &Ctx) -> Uuid {
    let patch = BulkPatch {
        sender: SenderId::read("Muster").ok(),
        text: Some("hello".to_owned()),
        phones: Some(vec!["+12015550183".to_owned()]),
        ..BulkPatch::default()
    };
    let new = NewBulk { patch, style: PlaceholderStyle::Brackets, is_dry_run: false, ip: None };
    world.directory().bulk_create(tenant, Draft::from(new)).await.unwrap().uuid
}

/// A message from a phone to a tenant; its id.
pub(crate) async fn incoming(world: &World, tenant: &Ctx) -> Uuid {
    came(world, tenant, "+12015550181", "+12015550199", "thanks").await
}

/// A message that has come in; its id.
pub(crate) async fn came(world: &World, tenant: &Ctx, from: &str, to: &str, text: &str) -> Uuid {
    let arrival = Arrival {
        carrier: "play".to_owned(),
        carrier_id: None,
        from: from.to_owned(),
        to: to.to_owned(),
        text: text.to_owned(),
        received_at: world.directory().now(),
    };
    world.directory().incoming_receive(tenant.tenant(), arrival).await.unwrap().id.0
}

/// A number that a tenant has blocked; the id of the entry.
pub(crate) async fn block(world: &World, tenant: &Ctx) -> i64 {
    let number = blocked_number("+12015550182").ok();
    world.directory().block_create(tenant, Draft::from(number)).await.unwrap().id.0
}

/// What waits of a tenant, claimed by somebody who is about to hand it over.
pub(crate) async fn claimed(world: &World, tenant: &Ctx) -> Claimed {
    world.directory().messages_claim(tenant.tenant(), None, 100).await.unwrap().unwrap()
}

/// Hands over what waits of a tenant.
pub(crate) async fn hand_over(world: &World, tenant: &Ctx) {
    take(world, &claimed(world, tenant).await).await;
}

/// A carrier takes all that is claimed.
async fn take(world: &World, claimed: &Claimed) {
    let accepted = |message: &Message| {
        let ids = vec![Some(format!("play-{}", message.id))];
        (message.clone(), Outcome::Accepted { carrier: "play".to_owned(), ids, is_whole: true })
    };
    let all = claimed.messages.iter().map(accepted).collect();
    world.directory().messages_note(claimed, all).await.unwrap();
}

pub(crate) fn cents(cents: i64) -> Money {
    Money::from_millionths(cents * 10_000)
}

/// The prices of a country, in tier S and, each a cent less, in the others.
pub(crate) fn price(country: &str, name: &str, currency: Currency, of_s: i64) -> Price {
    Price {
        country: Country::read(country).unwrap(),
        name: name.to_owned(),
        currency,
        per_part: [of_s, of_s - 1, of_s - 2, of_s - 3].map(cents),
        requirements: (country == "IT").then(|| "=Register, \u{201c}first\u{201d}.".to_owned()),
    }
}

/// Loads prices: of DE 7 cents, of IT 8, also in francs.
pub(crate) async fn load_prices(world: &World) {
    let prices = [
        price("DE", "Germany", Currency::EUR, 7),
        price("IT", "Italy", Currency::EUR, 8),
        price("IT", "Italy", Currency::CHF, 9),
    ];
    world.directory().prices_load(Some(PriceTable::new(prices))).await.unwrap();
}

/// Does all that there is to do for a bulk now, but for handing over.
pub(crate) async fn run(world: &World, tenant: &Ctx, uuid: &str) -> BulkId {
    let bulk = world.directory().bulk_by_uuid(tenant, uuid.parse().unwrap()).await.unwrap();
    while world.directory().bulk_step(tenant.tenant(), bulk.id, 16).await.unwrap() {}
    bulk.id
}

/// Sends a bulk to its end.
pub(crate) async fn run_and_hand_over(world: &World, tenant: &Ctx, uuid: &str) {
    let id = run(world, tenant, uuid).await;
    while let Some(claimed) = world.directory().messages_claim(tenant.tenant(), Some(id), 100).await.unwrap()
    {
        take(world, &claimed).await;
    }
    run(world, tenant, uuid).await;
}
