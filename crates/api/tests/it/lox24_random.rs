//! Random bodies and conditions for the LOX24 dialect: every answer is a documented one, what was read can be sent
//! back, and what is counted is there.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::lox24::Client;
use crate::support::{Reply, World};

/// A value that fits no field for sure.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => "\\PC{0,12}".prop_map(Value::from),
        1 => "(?s).{0,60}".prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        2 => Just(Value::Null),
        1 => Just(json!([])),
        1 => Just(json!({"phone": "+12015550100"})),
        1 => Just(json!([{"phone": "+12015550100"}, null])),
    ]
}

/// A phone that is one, in whatever form: few enough, so that some are there already.
fn phone() -> impl Strategy<Value = Value> {
    (0..40_u32, proptest::sample::select(vec!["+1201555", "001 201 555 ", "(201) 555-", "1.201.555."]))
        .prop_map(|(at, form)| format!("{form}{at:04}").into())
}

fn entry() -> impl Strategy<Value = Value> {
    let field = proptest::sample::select(vec!["a", "b", "e", "callback_data", "id", "unknown"]);
    let text = prop_oneof![6 => "\\PC{0,12}".prop_map(Value::from), 2 => Just(Value::Null), 1 => any_value()];
    let fields = proptest::collection::hash_map(field.prop_map(str::to_owned), text, 0..3);
    let with_phone = (fields, prop_oneof![20 => phone(), 1 => any_value()]).prop_map(|(fields, phone)| {
        let mut entry: Map<String, Value> = fields.into_iter().collect();
        entry.insert("phone".to_owned(), phone);
        Value::Object(entry)
    });
    prop_oneof![20 => with_phone, 1 => any_value()]
}

fn list() -> impl Strategy<Value = Value> {
    let keyed = proptest::collection::hash_map("\\PC{0,4}", entry(), 0..4);
    prop_oneof![
        4 => proptest::collection::vec(entry(), 0..6).prop_map(Value::from),
        2 => keyed.prop_map(|entries| Value::Object(entries.into_iter().collect())),
    ]
}

fn group() -> impl Strategy<Value = Value> {
    let names =
        ["name", "description", "name_a", "name_e", "deleted_at", "phones", "id", "count_items", "unknown"];
    let field = proptest::sample::select(names.to_vec()).prop_flat_map(|name| {
        let fitting = match name {
            "deleted_at" => {
                let times = ["2031-01-31T12:00:00+05:30", "2030-06-30T23:59:59.999Z", "2020-01-01T00:00:00Z"];
                proptest::sample::select(times.to_vec()).prop_map(Value::from).boxed()
            }
            "phones" => list().boxed(),
            _ => "[a-zA-Z\u{e4} ]{1,20}".prop_map(Value::from).boxed(),
        };
        (Just(name.to_owned()), prop_oneof![8 => fitting, 1 => any_value(), 1 => Just(Value::Null)])
    });
    let named = prop_oneof![3 => "[a-z]{1,9}".prop_map(|name| json!({"name": name})), 1 => Just(json!({}))];
    (named, proptest::collection::vec(field, 0..5)).prop_map(|(mut body, fields)| {
        body.as_object_mut().unwrap().extend(fields);
        body
    })
}

/// What is asked for.
fn ask() -> impl Strategy<Value = (&'static str, &'static str, Value)> {
    let any_body = any_value();
    prop_oneof![
        3 => group().prop_map(|body| ("POST", "/groups", body)),
        4 => group().prop_map(|body| ("PUT", "{group}", body)),
        3 => entry().prop_map(|body| ("POST", "{group}/phones", body)),
        3 => proptest::collection::vec(entry(), 0..8).prop_map(|body| ("POST", "{group}/phones/batch", body.into())),
        3 => entry().prop_map(|body| ("PUT", "{phone}", body)),
        1 => Just(("DELETE", "{phone}", Value::Null)),
        1 => any_body.prop_map(|body| ("POST", "{group}/phones/batch", body)),
    ]
}

fn fits(method: &str, path: &str, reply: &Reply) -> bool {
    let status = reply.status.as_u16();
    match (method, path) {
        ("POST", "{group}/phones/batch") => matches!(status, 201 | 400),
        ("POST", _) => matches!(status, 201 | 400 | 422),
        ("PUT", _) => matches!(status, 200 | 400 | 412 | 422),
        _ => matches!(status, 204 | 412),
    }
}

#[test]
fn any_body_gets_a_documented_answer() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let client = runtime.block_on(Client::new(&world));
    let condition =
        prop_oneof![4 => Just(None), 1 => "[ -~]{0,12}".prop_map(Some), 1 => Just(Some("*".to_owned()))];
    let mut runner = TestRunner::new(Config { cases: 600, failure_persistence: None, ..Config::default() });
    let written = Cell::new(0);
    let outcome = runner.run(&(ask(), condition), |((method, pattern, body), condition)| {
        runtime.block_on(async {
            // Always the same two lists, each with a phone at least.
            let group = client.world.get("/groups?page=1").key(&client.key).send().await;
            let group = match group.body["hydra:member"].as_array().unwrap().last() {
                Some(group) => group["@id"].as_str().unwrap().to_owned(),
                None => client.empty_group().await,
            };
            if client.phones(&group).await.is_empty() {
                client.phone(&group, json!({"phone": "+12025550199"})).await;
            }
            let phone = format!("/phones/{}", client.of_phones(&group, "id").await[0]);
            let path = pattern.replace("{group}", &group).replace("{phone}", &phone);
            let before = world.journal().await.len();
            let mut call = client.call(method, &path);
            if !body.is_null() || method != "DELETE" {
                call = call.json(body.clone());
            }
            if let Some(condition) = condition {
                call = call.header("if-match", &condition);
            }
            let reply = call.send().await;
            prop_assert!(fits(method, pattern, &reply), "{} {} {}: {}", method, path, body, reply);
            let after = world.journal().await.len();
            let is_good = reply.status.is_success();
            prop_assert!(after - before <= usize::from(is_good), "{} {}: {}", method, path, reply);
            written.set(written.get() + after - before);

            prop_assert_eq!(client.count(&group).await, client.phones(&group).await.len() as u64);
            let item = match (is_good, method, pattern) {
                (true, "POST", "/groups") => format!("/groups/{}", reply.body["id"]),
                (true, "PUT", _) => path,
                _ => return Ok(()),
            };
            let read = client.get(&item).await;
            prop_assert_eq!(&read.body, &reply.body);
            prop_assert_eq!(read.header("etag"), reply.header("etag"));
            let again = client.put(&item, read.body).await;
            prop_assert_eq!((again.status.as_u16(), &again.body), (200, &reply.body));
            prop_assert_eq!(world.journal().await.len(), after, "what was read changed something");
            Ok(())
        })
    });
    outcome.unwrap();
    assert!(written.get() > 120, "only {} bodies changed anything", written.get());
}
