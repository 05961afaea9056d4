//! What the document says of a body, and what becomes of it: both must see the same fields as misshapen.

use std::collections::BTreeSet;

use http::Method;
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use muster_api::Settings;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::conformance::validator;
use crate::support::{Reply, World, documents};

/// A call with a body.
struct Operation {
    method: Method,
    path: String,
    schema: Value,
    body: Validator,
}

impl Operation {
    fn fields(&self) -> Vec<String> {
        self.schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    /// The first name of a field, which is the one that answers use.
    fn first_name(&self, field: &str) -> String {
        let description = self.schema["properties"][field]["description"].as_str().unwrap_or_default();
        let name = description.strip_prefix("Another name of ").and_then(|name| name.strip_suffix('.'));
        name.unwrap_or(field).to_owned()
    }

    /// The fields with which a body does not fit the schema.
    fn misshapen(&self, body: &Value) -> BTreeSet<String> {
        let field = |error: jsonschema::ValidationError<'_>| match error.kind() {
            ValidationErrorKind::Required { property } => property.as_str().unwrap().to_owned(),
            // Of a field with two names, neither was there.
            ValidationErrorKind::AnyOf { .. } => {
                let either = self.schema.pointer(&error.schema_path().to_string()).unwrap();
                either[0]["required"][0].as_str().unwrap().to_owned()
            }
            _ => self.first_name(error.instance_path().to_string().trim_start_matches('/')),
        };
        self.body.iter_errors(body).map(field).collect()
    }
}

async fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in documents().await[0].value["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_null() {
                continue;
            }
            let id = if path.starts_with("/v3/users") { "2" } else { "1002" };
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.replace("{id}", id),
                schema: schema.clone(),
                body: validator(schema, &Value::Null),
            });
        }
    }
    operations
}

/// Values of every type, and texts around every length that is a limit somewhere.
fn value() -> impl Strategy<Value = Value> {
    let lengths = [0, 1, 11, 12, 20, 21, 32, 33, 100, 101, 128, 129, 254, 255, 256];
    let words = [
        "active",
        "inactive",
        "deleted",
        "access",
        "refresh",
        "Admin",
        "Standard User",
        "nobody",
        "true",
        " ",
        "\t a ",
        "a\0b",
        "UTC",
        "+13035550110",
        "+0",
        "ann@example.org",
        "ann@example",
        "a b@example.org",
        "@.",
        "1",
    ];
    prop_oneof![
        4 => proptest::sample::select(words.to_vec()).prop_map(Value::from),
        4 => (proptest::sample::select(lengths.to_vec()), "[a-zä€😀]").prop_map(|(length, text)| json!(text.repeat(length))),
        1 => "\\PC{0,12}".prop_map(Value::from),
        4 => prop_oneof![-2..5_i64, Just(1001), any::<i64>()].prop_map(Value::from),
        1 => (0.1..0.9).prop_map(Value::from),
        2 => any::<bool>().prop_map(Value::from),
        2 => Just(Value::Null),
        1 => Just(json!([])),
        1 => Just(json!({"org_unit_name": "inner"})),
    ]
}

#[test]
fn the_document_and_the_server_see_the_same_shapes() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let settings = Settings { rate_limits: false, ..Settings::default() };
    let world = runtime.block_on(World::with(settings));
    runtime.block_on(world.user("ben@acme.example", muster_domain::user::Role::Standard, 1001));
    let token = runtime.block_on(world.admin());
    for operation in runtime.block_on(operations()) {
        let field = proptest::sample::select(operation.fields());
        let body = proptest::collection::hash_map(field, value(), 0..6);
        let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&body, |body| {
            let body = Value::Object(body.into_iter().collect());
            let call =
                world.call(operation.method.as_str(), &operation.path).json(body.clone()).bearer(&token);
            let reply = runtime.block_on(call.send());
            let contradictory = named(&reply, |message| message.starts_with("differs from its alias"));
            let mut refused = named(&reply, is_about_shape);
            let mut expected = operation.misshapen(&body);
            for field in &contradictory {
                // Neither of two names is looked at when they say different things.
                refused.remove(field);
                expected.remove(field);
            }
            prop_assert_eq!(
                &refused,
                &expected,
                "{} {} {}: {}",
                operation.method,
                operation.path,
                body,
                reply
            );
            prop_assert!(expected.is_empty() || reply.status == 400, "{}: {}", body, reply);
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{} {}: {error}", operation.method, operation.path));
    }
}

/// The failing fields whose messages are of some kind.
fn named(reply: &Reply, is_meant: fn(&str) -> bool) -> BTreeSet<String> {
    let errors = reply.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let meant = errors.iter().filter(|error| is_meant(error["message"].as_str().unwrap()));
    meant.map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

/// Whether a schema could say so. What needs stored data, or a list of names, it cannot.
fn is_about_shape(message: &str) -> bool {
    let about_content = [
        "does not refer to",
        "refers to an inactive",
        "differs from its alias",
        "is not right",
        "must be an IANA",
        "already exists",
        "cannot be",
        "is needed",
        "You cannot",
        "can be null only",
    ];
    !about_content.iter().any(|text| message.contains(text))
}
