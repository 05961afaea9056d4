//! Random bodies and conditions: every answer is a documented one, and what was read can be sent back.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::people::{created, full, plain, provisioned};
use crate::support::World;

/// What is written with random bodies.
struct Resource {
    collection: &'static str,
    /// The name of the id in an answer to a write.
    id: &'static str,
    fields: &'static [&'static str],
}

const GROUPS: Resource = Resource {
    collection: "/v3/groups",
    id: "orgUnitId",
    fields: &[
        "org_unit_name",
        "org_unit_ext_id",
        "org_unit_parent_id",
        "parent_org_unit_id",
        "address",
        "city",
        "state",
        "zip",
        "phone_number",
        "industry_id",
        "timezone",
        "org_unit_status",
        "top_ou_id",
        "billing_id",
        "unknown",
        "org_unit_id",
        "group_created",
    ],
};

const USERS: Resource = Resource {
    collection: "/v3/users",
    id: "userId",
    fields: &[
        "username",
        "email",
        "first_name",
        "last_name",
        "role",
        "role_id",
        "ct_user_ou_id",
        "user_ext_id",
        "aliases",
        "agent_ring_to",
        "agent_code",
        "user_status",
        "timezone",
        "score_call",
        "access_audio",
        "password",
        "unknown",
        "ct_user_id",
        "status",
        "access",
    ],
};

/// A value that fits a field of a body, or does not.
fn value() -> impl Strategy<Value = Value> {
    let words = ["active", "inactive", "UTC", "Europe/Berlin"];
    prop_oneof![
        3 => "\\PC{0,12}".prop_map(Value::from),
        1 => "(?s).{0,300}".prop_map(Value::from),
        3 => prop_oneof![Just(1000), Just(1001), Just(1002), Just(1003), Just(1004), 0..30_i64].prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        2 => Just(Value::Null),
        1 => Just(json!([])),
        1 => Just(json!({"org_unit_name": "inner"})),
        2 => proptest::sample::select(words.to_vec()).prop_map(Value::from),
    ]
}

/// A value that mostly fits the field of this name.
fn fitting(field: &'static str) -> BoxedStrategy<Value> {
    let words =
        |words: &[&'static str]| proptest::sample::select(words.to_vec()).prop_map(Value::from).boxed();
    match field {
        "username" | "email" => "[a-c\u{e4}]{1,3}@acme.example".prop_map(Value::from).boxed(),
        "role" => words(&["Admin", "Standard", "ReadOnly", "Standard User"]),
        "role_id" => (1..=3_i64).prop_map(Value::from).boxed(),
        "ct_user_ou_id" | "org_unit_parent_id" | "parent_org_unit_id" => {
            (1000..=1004_i64).prop_map(Value::from).boxed()
        }
        "agent_code" | "billing_id" => (0..i64::MAX).prop_map(Value::from).boxed(),
        "industry_id" => (1..=20_i64).prop_map(Value::from).boxed(),
        "agent_ring_to" => "\\+[1-9][0-9]{1,14}".prop_map(Value::from).boxed(),
        "user_status" | "org_unit_status" => words(&["active", "inactive"]),
        "timezone" => words(&["UTC", "europe/berlin", "Asia/Tokyo"]),
        "score_call" | "access_audio" => any::<bool>().prop_map(Value::from).boxed(),
        "aliases" => value().boxed(),
        "password" => "\\PC{12,20}".prop_map(Value::from).boxed(),
        _ => "\\PC{1,12}".prop_map(Value::from).boxed(),
    }
}

/// What most bodies have, or nearly none would get beyond what is required.
fn required(resource: &Resource) -> BoxedStrategy<Map<String, Value>> {
    let group = "[a-zA-Z\u{e4}\u{df} ]{1,20}".prop_map(|name| json!({"org_unit_name": name}));
    let user = "[a-z\u{e4}]{1,3}".prop_map(|name| plain(&format!("{name}@acme.example")));
    let body = if resource.collection == GROUPS.collection { group.boxed() } else { user.boxed() };
    body.prop_map(|body| body.as_object().unwrap().clone()).boxed()
}

fn body(resource: &Resource) -> impl Strategy<Value = Map<String, Value>> {
    let field = proptest::sample::select(resource.fields)
        .prop_flat_map(|field| (Just(field.to_owned()), prop_oneof![1 => value(), 4 => fitting(field)]));
    let named = prop_oneof![4 => required(resource), 1 => Just(Map::new())];
    (proptest::collection::vec(field, 0..6), named).prop_map(|(fields, mut body)| {
        body.extend(fields);
        body
    })
}

/// Writes random bodies to things with these ids, and sends back what is read after each.
fn try_bodies(
    runtime: &tokio::runtime::Runtime,
    world: &World,
    token: &str,
    resource: &Resource,
    ids: &[i64],
) {
    let method = proptest::sample::select(vec!["POST", "PUT", "PATCH"]);
    let condition =
        prop_oneof![2 => Just(None), 1 => "\\PC{0,20}".prop_map(Some), 1 => Just(Some("*".to_owned()))];
    let input = (method, proptest::sample::select(ids.to_vec()), body(resource), condition);
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let written = Cell::new(0);
    let outcome = runner.run(&input, |(method, id, body, condition)| {
        runtime.block_on(async {
            let one = |id: i64| format!("{}/{id}", resource.collection);
            let path = if method == "POST" { resource.collection.to_owned() } else { one(id) };
            let before = world.journal().await.len();
            let mut call = world.call(method, &path).json(Value::Object(body)).bearer(token);
            if let Some(condition) = condition.filter(|text| text.is_ascii()) {
                call = call.header("if-match", &condition);
            }
            let reply = call.send().await;
            let status = reply.status.as_u16();
            let expected: &[u16] = if method == "POST" { &[201, 400] } else { &[200, 400, 412] };
            prop_assert!(expected.contains(&status), "{}", reply);
            let after = world.journal().await.len();
            let most = before + usize::from(status < 300);
            prop_assert!(after == before || after == most, "{} entries more after {}", after - before, reply);
            if status == 400 {
                prop_assert!(!reply.body["error"].as_str().unwrap_or_default().is_empty());
                return Ok(());
            }

            written.set(written.get() + usize::from(after > before));
            let path = one(reply.body["data"][resource.id].as_i64().unwrap_or(id));
            let read = world.get(&path).bearer(token).send().await;
            prop_assert_eq!(read.status, 200);
            let again = world.put(&path, read.body["data"].clone()).bearer(token).send().await;
            prop_assert_eq!(again.status, 200, "{}", again);
            prop_assert_eq!(
                world.journal().await.len(),
                after,
                "what was read was sent back, and changed something"
            );
            Ok(())
        })
    });
    outcome.unwrap();
    assert!(written.get() > 40, "only {} bodies changed anything", written.get());
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

#[test]
fn any_body_of_a_group_gets_a_documented_answer() {
    let runtime = runtime();
    let world = runtime.block_on(World::new());
    let token = runtime.block_on(world.admin());
    try_bodies(&runtime, &world, &token, &GROUPS, &[1000, 1001, 1002, 1003, 1004]);
}

#[test]
fn any_body_of_a_user_gets_a_documented_answer() {
    let runtime = runtime();
    let world = runtime.block_on(World::new());
    let token = runtime.block_on(world.admin());
    // Not the caller itself, which could send itself away.
    let ids = runtime.block_on(async {
        [
            created(&world, &token, plain("bob@acme.example")).await,
            created(&world, &token, full()).await,
            provisioned(&world, "jdoe", "", "").await,
        ]
    });
    try_bodies(&runtime, &world, &token, &USERS, &ids);
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_query_gets_a_documented_answer(query in "[a-z_]{0,12}=[\\x21-\\x7e&&[^#]]{0,20}(&(limit|offset|status|group_name|org_unit_id|name|email|role_id|user_status|sort_by|sort_order)=[a-z0-9%_-]{0,8}){0,4}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(async {
            let (world, token) = shared().await;
            let mut statuses = Vec::new();
            for list in ["/v3/groups/list", "/v3/groups", "/v3/groups/tree", "/v3/users/list", "/v3/users"] {
                let Ok(uri) = format!("{list}?{query}").parse::<http::Uri>() else {
                    continue;
                };
                statuses.push(world.get(&uri.to_string()).bearer(token).send().await.status.as_u16());
            }
            statuses
        });
        prop_assert!(answer.iter().all(|status| matches!(status, 200 | 400 | 403)), "{:?}", answer);
    }
}

/// One world for all cases: a log-in costs more than a query.
async fn shared() -> &'static (World, String) {
    static SHARED: tokio::sync::OnceCell<(World, String)> = tokio::sync::OnceCell::const_new();
    SHARED
        .get_or_init(|| async {
            let world = World::new().await;
            let token = world.admin().await;
            (world, token)
        })
        .await
}
