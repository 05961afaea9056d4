//! Random bodies and conditions: every answer is a documented one, and what was read can be sent back.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::World;

/// A value that fits a field of the body, or does not.
fn value() -> impl Strategy<Value = Value> {
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
        2 => prop_oneof![Just("active"), Just("inactive"), Just("UTC"), Just("Europe/Berlin")].prop_map(Value::from),
    ]
}

fn body() -> impl Strategy<Value = Map<String, Value>> {
    let fields = [
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
    ];
    let field = proptest::sample::select(fields.to_vec()).prop_map(ToOwned::to_owned);
    // Most bodies have a name, or nearly none would get beyond it.
    let named = prop_oneof![4 => "[a-zA-Zäß ]{1,20}".prop_map(Some), 1 => Just(None)];
    (proptest::collection::vec((field, value()), 0..6), named).prop_map(|(fields, name)| {
        let mut body: Map<String, Value> = fields.into_iter().collect();
        if let Some(name) = name {
            body.insert("org_unit_name".to_owned(), name.into());
        }
        body
    })
}

#[test]
fn any_body_gets_a_documented_answer() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let token = runtime.block_on(world.admin());
    let method = proptest::sample::select(vec!["POST", "PUT", "PATCH"]);
    let condition = prop_oneof![Just(None), "\\PC{0,20}".prop_map(Some), Just(Some("*".to_owned()))];
    let input = (method, proptest::sample::select(vec![1000, 1001, 1002, 1003, 1004]), body(), condition);
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&input, |(method, id, body, condition)| {
        runtime.block_on(async {
            let path = if method == "POST" { "/v3/groups".to_owned() } else { format!("/v3/groups/{id}") };
            let before = world.journal().await.len();
            let mut call = world.call(method, &path).json(Value::Object(body)).bearer(&token);
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

            let id = reply.body["data"]["orgUnitId"].as_i64().unwrap_or(id);
            let path = format!("/v3/groups/{id}");
            let read = world.get(&path).bearer(&token).send().await;
            prop_assert_eq!(read.status, 200);
            let again = world.put(&path, read.body["data"].clone()).bearer(&token).send().await;
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
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_query_gets_a_documented_answer(query in "[a-z_]{0,12}=[\\x21-\\x7e&&[^#]]{0,20}(&(limit|offset|status|group_name|org_unit_id)=[a-z0-9%_-]{0,8}){0,4}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(async {
            let (world, token) = shared().await;
            let mut statuses = Vec::new();
            for list in ["/v3/groups/list", "/v3/groups", "/v3/groups/tree"] {
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
