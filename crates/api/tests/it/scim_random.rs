//! Random filters and PATCH bodies of SCIM, and the seeds of the fuzz targets.

use std::fs;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

#[path = "../../../../fuzz/checks/filter.rs"]
mod filter;
#[path = "../../../../fuzz/checks/patch.rs"]
mod patch;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds");

fn seeds(target: &str) -> Vec<String> {
    let entries = fs::read_dir(format!("{SEEDS}/{target}")).unwrap();
    let seeds: Vec<String> =
        entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    assert!(seeds.len() > 5, "the seeds of {target} are missing");
    seeds
}

#[test]
fn the_seeds_of_the_fuzz_targets_hold() {
    for seed in seeds("filter") {
        filter::check(&seed);
    }
    for seed in seeds("patch") {
        patch::check(&serde_json::from_str(&seed).unwrap());
    }
}

const PATHS: &[&str] = &[
    "userName",
    "displayName",
    "active",
    "password",
    "title",
    "name",
    "NAME.givenName",
    "emails",
    "emails.value",
    "emails.primary",
    "emails[type eq \"work\"]",
    "emails[type eq \"work\"].primary",
    "emails[not (type eq \"work\") or primary pr].value",
    "emails[type eq \"other\" and primary eq true].value",
    "emails[value co \"@\"].type",
    "addresses[type eq \"work\"].locality",
    "roles[primary eq \"True\"].value",
    "members",
    "members[value eq \"a\"]",
    "groups",
    "id",
    "nothing",
    "emails[",
    "urn:ietf:params:scim:schemas:core:2.0:User",
    "urn:ietf:params:scim:schemas:core:2.0:User:title",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
];

fn name() -> impl Strategy<Value = String> {
    let subs = ["value", "type", "primary", "Display", "givenName", "locality", "manager", "department"];
    prop_oneof![
        proptest::sample::select(PATHS.to_vec()).prop_map(str::to_owned),
        proptest::sample::select(subs.to_vec()).prop_map(str::to_owned),
        "\\PC{0,5}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let words =
        ["", " ", "work", "other", "a@work.example", "a@home.example", "True", "false", "a", "b", "\0"];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        6 => proptest::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let object = proptest::collection::vec((name(), inner.clone()), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let op = proptest::sample::select(vec!["add", "Add", "replace", "Replace", "remove", "move"]);
    let part = |strategy: BoxedStrategy<Value>| proptest::option::weighted(0.9, strategy);
    (op, part(name().prop_map(Value::from).boxed()), part(value().boxed())).prop_map(|(op, path, value)| {
        let mut operation = Map::from_iter([("op".to_owned(), op.into())]);
        operation.extend(path.map(|path| ("path".to_owned(), path)));
        operation.extend(value.map(|value| ("value".to_owned(), value)));
        operation.into()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn whatever_a_patch_leaves_could_have_been_sent(operations in proptest::collection::vec(operation(), 1..4)) {
        patch::check(&json!({"Operations": operations}));
        for operation in operations {
            patch::check(&json!({"Operations": [operation]}));
        }
    }

    #[test]
    fn any_text_is_a_filter_or_is_not(text in "(emails|userName|[a-z]{1,3}|[ ()\\[\\].:\"\\\\]|\\PC| (eq|and|or|not|pr) |\"a\"|true|1e5){0,20}") {
        filter::check(&text);
    }
}
