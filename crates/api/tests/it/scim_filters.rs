//! What a filter selects over HTTP, by the SQL of the store or not, is what it selects of the resources as they are shown.

use muster_api::scim::filter::{Condition, parse};
use muster_api::scim::schema::{GROUPS as GROUP, ResourceType, USERS as USER};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Value, json};

use crate::people::patch;
use crate::scim::{Client, GROUPS, USERS, id};
use crate::support::World;

/// Few texts, so that there are many hits; some differ in case, normal form or blanks only, and some mean something to SQL.
const TEXTS: [&str; 14] =
    ["", " ", "a", "A", "ab", " ab ", "ß", "SS", "e\u{301}", "\u{e9}", "a%", "a_", "\\", "a@x.org"];

const USER_NAMES: [&str; 17] = [
    "id",
    "userName",
    "USERNAME",
    "displayName",
    "externalId",
    "title",
    "timezone",
    "emails",
    "emails.value",
    "emails.type",
    "roles",
    "phoneNumbers.value",
    "name.givenName",
    "groups",
    "groups.display",
    "urn:ietf:params:scim:schemas:core:2.0:User:userName",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
];
const GROUP_NAMES: [&str; 7] =
    ["id", "displayName", "externalId", "members", "members.value", "userName", "meta.resourceType"];
const OPERATORS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "GE", "lt", "Le"];

async fn populate(world: &World, client: &Client<'_>, random: &mut StdRng) {
    let token = world.admin().await;
    let mut paths = Vec::new();
    for n in 0..24 {
        let text = |random: &mut StdRng| *TEXTS.choose(random).unwrap();
        let suffix = ["", "@x.org"].choose(random).unwrap();
        let mut body = json!({"userName": format!("{}{n}{suffix}", text(random).trim())});
        for name in ["displayName", "externalId", "title", "timezone"] {
            if random.random_bool(0.6) {
                body[name] = text(random).into();
            }
        }
        if random.random_bool(0.5) {
            let emails =
                (0..random.random_range(0..3)).map(|_| json!({"value": text(random), "type": text(random)}));
            body["emails"] = emails.collect();
        }
        if random.random_bool(0.5) {
            body["active"] = random.random_bool(0.5).into();
            body["name"] = json!({"givenName": text(random)});
            body["roles"] = json!([{"value": text(random)}]);
            body["phoneNumbers"] = json!([{"value": text(random)}]);
        }
        paths.push(client.created(USERS, body).await);
        world.advance(std::time::Duration::from_micros(700));
    }
    // Some that other dialects have made or changed.
    for n in 0..4 {
        let login = format!("convirza{n}@x.org");
        let number = world.user(&login, muster_domain::user::Role::Standard, 1002).await;
        patch(world, &token, number, json!({"user_ext_id": "a", "user_status": "inactive"})).await;
    }
    for path in paths.iter().step_by(3) {
        let uuid = id(path).parse().unwrap();
        let number = world.directory().user_get_by_uuid(&world.acme, uuid).await.unwrap().user.id.0;
        let change =
            json!({"user_ext_id": "A", "role": "ReadOnly", "timezone": "Asia/Tokyo", "first_name": "a"});
        assert_eq!(patch(world, &token, number, change).await.status, 200);
    }
    for n in 0..8 {
        let name = if n == 0 { "ab" } else { TEXTS[n + 2] };
        let members: Vec<&str> =
            paths.iter().map(String::as_str).filter(|_| random.random_bool(0.2)).collect();
        let path = client.group(&format!("g{name}"), &members).await;
        if random.random_bool(0.5) {
            let external = json!([{"op": "add", "path": "externalId", "value": format!("a{n}")}]);
            assert_eq!(client.patch(&path, external).await.status, 200);
        }
    }
}

/// Every resource of a collection, as it is shown.
async fn everything(client: &Client<'_>, collection: &str) -> Vec<Map<String, Value>> {
    let body = client.get(&format!("{collection}?count=200")).await.body;
    body["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource.as_object().unwrap().clone())
        .collect()
}

fn filters(names: &'static [&'static str], texts: Vec<String>) -> impl Strategy<Value = String> {
    let text = move || prop::sample::select(texts.clone()).prop_map(|text| Value::from(text).to_string());
    let name = || prop::sample::select(names);
    let test = (name(), prop::sample::select(&OPERATORS[..]), text())
        .prop_map(|(name, operator, text)| format!("{name} {operator} {text}"));
    let within = (
        prop::sample::select(&["value", "type", "primary"][..]),
        prop::sample::select(&OPERATORS[..]),
        text(),
    )
        .prop_map(|(name, operator, text)| format!("emails[{name} {operator} {text}]"));
    let both =
        (text(), text()).prop_map(|(of, value)| format!("emails[type eq {of} and not (value eq {value})]"));
    let present = name().prop_map(|name| format!("{name} pr"));
    let absent = name().prop_map(|name| format!("{name} eq null"));
    let active =
        prop::sample::select(&["active eq true", "active ne \"False\"", "not (ACTIVE eq false)"][..])
            .prop_map(str::to_owned);
    let modified = (prop::sample::select(&OPERATORS[..]), 0..25_u32).prop_map(|(operator, at)| {
        format!("meta.lastModified {operator} \"2026-02-03T04:05:06.{:03}Z\"", 789 + at)
    });
    let leaf =
        prop_oneof![8 => test, 2 => within, 1 => both, 2 => present, 1 => absent, 2 => active, 1 => modified];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let many = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            many().prop_map(|all| format!("({})", all.join(" and "))),
            many().prop_map(|any| format!("({})", any.join(" or "))),
            inner.clone().prop_map(|one| format!("not ({one})")),
        ]
    })
}

/// The ids that a filter selects by its definition, or `invalidFilter`.
fn selected(kind: &'static ResourceType, all: &[Map<String, Value>], filter: &str) -> Vec<String> {
    let condition = parse(filter).and_then(|filter| Condition::of(&filter, kind));
    let Ok(condition) = condition else { return vec!["invalidFilter".to_owned()] };
    let found = all.iter().filter(|resource| condition.holds(resource));
    found.map(|resource| resource["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_and_the_definition_select_the_same() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    populate(&world, &client, &mut StdRng::seed_from_u64(11)).await;
    for (kind, collection, names) in [(&USER, USERS, &USER_NAMES[..]), (&GROUP, GROUPS, &GROUP_NAMES[..])] {
        let all = everything(&client, collection).await;
        assert!(all.len() >= 8);
        let mut texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
        for resource in all.iter().step_by(5) {
            texts.push(resource["id"].as_str().unwrap().to_owned());
            texts.extend(resource.get("userName").and_then(Value::as_str).map(str::to_uppercase));
            texts.extend(
                resource.get("members").map(|members| members[0]["value"].as_str().unwrap().to_owned()),
            );
        }
        let config = Config { cases: 600, failure_persistence: None, ..Config::default() };
        let done = tokio::task::block_in_place(|| {
            TestRunner::new(config).run(&filters(names, texts), |filter| {
                let found =
                    tokio::runtime::Handle::current().block_on(client.select(collection, &filter, "id"));
                let (mut found, mut expected) = (found, selected(kind, &all, &filter));
                found.sort();
                expected.sort();
                prop_assert_eq!(found, expected);
                Ok(())
            })
        });
        done.unwrap_or_else(|failure| panic!("{failure}"));
    }
}
