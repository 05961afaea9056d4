//! Prices in the LOX24 dialect: of everybody, and of an account.

use muster_domain::message::{Currency, Tier};
use muster_domain::tenant::BillingPatch;
use serde_json::{Value, json};

use crate::lox24::{Client, told};
use crate::messages::load_prices;
use crate::support::{Reply, World};

async fn public(world: &World, path: &str) -> Reply {
    world.get(path).header("accept", "application/json").send().await
}

#[tokio::test]
async fn prices_are_everybodys_to_see() {
    let world = World::new().await;
    load_prices(&world).await;
    insta::assert_snapshot!(public(&world, "/pricelist/DE").await);
    insta::assert_snapshot!(world.get("/pricelist/it?currency=chf&lang=de").send().await);
    insta::assert_json_snapshot!(public(&world, "/pricelist/all").await.body);
    insta::assert_json_snapshot!(world.get("/pricelist/all?currency=chf").send().await.body);
    insta::assert_snapshot!(world.get("/pricelist/all?format=csv").header("accept", "text/csv").send().await);
    assert_eq!(
        world.get("/pricelist/de?format=csv").send().await.body,
        "country,name,currency,requirements,direct_s,direct_m,direct_l,direct_xl\r\nDE,Germany,EUR,,0.07,0.06,0.05,0.04\r\n"
    );
    // Also to those whose credentials are wrong: nobody looks at them.
    let wrong = world.get("/pricelist/DE").header("x-lox24-auth-token", "1000001:x").send().await;
    assert_eq!(wrong.status, 200);
}

#[tokio::test]
async fn an_account_sees_what_it_pays() {
    let world = World::new().await;
    load_prices(&world).await;
    let client = Client::new(&world).await;
    insta::assert_snapshot!(client.get("/me/pricelist/DE").await);
    insta::assert_snapshot!(client.any("GET", "/me/pricelist/all").send().await);
    let billing = BillingPatch { currency: Some(Currency::CHF), tier: Some(Tier::Xl) };
    world.directory().tenant_set_billing(world.acme.tenant(), billing).await.unwrap();
    let own = client.get("/me/pricelist/it").await.body;
    assert_eq!((&own["currency"], &own["rates"]), (&json!("CHF"), &json!({"direct": 0.06})));
    assert_eq!(told(&client.get("/me/pricelist/de").await), "404 Not Found");
    let table = client.call("GET", "/me/pricelist/all?format=csv").send().await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = table.body.as_str().unwrap().split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "country,name,currency,requirements,direct",
            "IT,Italy,CHF,\"'=Register, \u{201c}first\u{201d}.\",0.06",
            ""
        ]
    );
    assert_eq!(client.get("/me").await.body["currency"], "CHF");
}

#[tokio::test]
async fn without_prices_everything_costs_nothing() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let free = json!({"country": "DE", "name": "DE", "currency": "EUR", "requirements": null, "rates": {"direct": [0, 0, 0, 0]}});
    assert_eq!(public(&world, "/pricelist/de").await.body, free);
    assert_eq!(client.get("/me/pricelist/DE").await.body["rates"], json!({"direct": 0}));
    assert_eq!(public(&world, "/pricelist/all").await.body, json!([]));
    assert_eq!(client.get("/me/pricelist/all").await.body, json!([]));
}

#[tokio::test]
async fn what_is_no_country_or_wish_is_refused() {
    let world = World::new().await;
    load_prices(&world).await;
    let client = Client::new(&world).await;
    for country in ["D", "DEU", "D1", "ALL", "All", "%20DE", "d%C3%A9", "%00%00", "--"] {
        for path in [format!("/pricelist/{country}"), format!("/me/pricelist/{country}")] {
            assert_eq!(client.get(&path).await.status, 400, "{path}");
        }
    }
    insta::assert_snapshot!(public(&world, "/pricelist/DEU").await);
    insta::assert_snapshot!(world.get("/pricelist/FR").send().await);
    let wishes = client.get("/pricelist/DE?format=xlsx&currency=usd&lang=fr").await;
    insta::assert_snapshot!(told(&wishes));
    assert_eq!(client.get("/me/pricelist/DE?format=xlsx").await.status, 400);
    // An account has one currency, so that another is not looked at.
    assert_eq!(client.get("/me/pricelist/DE?currency=usd").await.status, 200);
    for path in ["/pricelist", "/pricelist/", "/me/pricelist", "/pricelist/DE/x"] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
    assert_eq!(world.get("/pricelist/DE").header("accept", "text/html").send().await.status, 406);
    assert_eq!(world.post("/pricelist/DE", Value::Null).send().await.status, 405);
}
