//! What the document says of a body, and what becomes of it: both must see the same fields as misshapen.

use std::collections::BTreeSet;

use http::Method;
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use muster_api::Settings;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::broadcasts;
use crate::conformance::validator;
use crate::conversations;
use crate::onlive::{self, Client, USERS};
use crate::scim;
use crate::support::{Caller, Reply, World, documents};
use crate::webhooks;

/// A call with a body.
struct Operation {
    method: Method,
    path: String,
    /// Of the body, or of each entry where the body is an array.
    schema: Value,
    body: Validator,
    is_array: bool,
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
            // Within an entry of a list, the list fails.
            ValidationErrorKind::Required { property } if error.instance_path().to_string().is_empty() => {
                property.as_str().unwrap().to_owned()
            }
            // Of a field with two names, neither was there.
            ValidationErrorKind::AnyOf { .. } => {
                let either = self.schema.pointer(&error.schema_path().to_string()).unwrap();
                either[0]["required"][0].as_str().unwrap().to_owned()
            }
            _ => {
                let path = error.instance_path().to_string();
                self.first_name(path.trim_start_matches('/').split('/').next().unwrap())
            }
        };
        self.body.iter_errors(body).map(field).collect()
    }
}

/// The calls with a body of the dialect whose document has this place; what stands for the id in each path is told by
/// `id`.
async fn operations(dialect: usize, id: impl Fn(&str) -> String) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in documents().await[dialect].value["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_null() {
                continue;
            }
            let is_array = schema["type"] == "array";
            // Of an entry, whatever it is, something is told.
            let schema = if is_array { &schema["items"]["anyOf"][0] } else { schema };
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.replace("{id}", &id(path)),
                schema: schema.clone(),
                body: validator(schema, &Value::Null),
                is_array,
            });
        }
    }
    operations
}

/// Values of every type, and texts around every length that is a limit somewhere.
fn value() -> impl Strategy<Value = Value> {
    let lengths = [
        0, 1, 11, 12, 20, 21, 30, 31, 32, 33, 36, 37, 50, 51, 100, 101, 128, 129, 254, 255, 256, 1000, 1001,
        1530, 1531,
    ];
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
        "(303) 555-0111",
        "2026-02-03T04:05:06Z",
        "2031-12-31T23:59:59.5+02:00",
        "+0",
        "ann@example.org",
        "ann@example",
        "a b@example.org",
        "@.",
        "1",
        "creator",
        "https://a",
        "https://u@a/",
        "550e8400-e29b-41d4-a716-446655440000",
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

/// What fits into a message in either alphabet, or in none.
fn in_one_alphabet(value: Value) -> Value {
    match value.as_str().map(|text| text.chars().count()) {
        Some(300..=1530) => "x".repeat(600).into(),
        _ => value,
    }
}

/// A list of phones, or what is none.
fn phones() -> impl Strategy<Value = Value> {
    let field = proptest::sample::select(vec!["phone", "a", "e", "callback_data", "unknown"]);
    let named = proptest::collection::hash_map(field.prop_map(str::to_owned), value(), 0..4);
    let fitting = "\\+1201555[0-9]{4}".prop_map(|phone| json!({"phone": phone}));
    let entry = prop_oneof![
        3 => named.prop_map(|fields| Value::Object(fields.into_iter().collect())),
        6 => fitting,
        1 => value(),
    ];
    let object = proptest::collection::hash_map("[a-z.\\]]{0,3}", entry.clone(), 0..3);
    prop_oneof![
        proptest::collection::vec(entry, 0..3).prop_map(Value::from),
        object.prop_map(|entries| Value::Object(entries.into_iter().collect())),
        value(),
    ]
}

/// A list of events, or what is none.
fn events() -> impl Strategy<Value = Value> {
    let words = ["user.*", "user.created", "sms.received", "users.*", "", "*", "User.created"];
    let event =
        prop_oneof![8 => proptest::sample::select(words.to_vec()).prop_map(Value::from), 1 => value()];
    prop_oneof![4 => proptest::collection::vec(event, 0..4).prop_map(Value::from), 1 => value()]
}

/// A list of static parameters, or what is none.
fn parameters() -> impl Strategy<Value = Value> {
    let name = prop_oneof![4 => "[a-z._-]{0,3}".prop_map(Value::from), 1 => value()];
    let fitting = (name, value()).prop_map(|(name, value)| json!({"name": name, "value": value}));
    let entry = prop_oneof![6 => fitting, 1 => value()];
    prop_oneof![4 => proptest::collection::vec(entry, 0..3).prop_map(Value::from), 1 => value()]
}

/// Tries random bodies on every call with one.
fn try_shapes(runtime: &tokio::runtime::Runtime, world: &World, caller: &Caller, operations: Vec<Operation>) {
    for operation in operations {
        let field = proptest::sample::select(operation.fields()).prop_flat_map(|field| {
            let value = match &*field {
                "phones" => phones().boxed(),
                "events" => events().boxed(),
                "text" | "message" => value().prop_map(in_one_alphabet).boxed(),
                "static_parameters" => parameters().boxed(),
                _ => value().boxed(),
            };
            (Just(field), value)
        });
        let body = proptest::collection::vec(field, 0..6);
        let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&body, |body| {
            let body = Value::Object(body.into_iter().collect());
            let sent = if operation.is_array { json!([body]) } else { body.clone() };
            let call = world.call(operation.method.as_str(), &operation.path).json(sent).by(caller);
            let reply = runtime.block_on(call.send());
            let contradictory = named(&reply, |message| message.starts_with("differs from its alias"));
            // What is there already has a shape.
            let is_conflict = reply.status == 409;
            let mut refused = if is_conflict { BTreeSet::new() } else { named(&reply, is_about_shape) };
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
            let status = if operation.is_array {
                reply.body["hydra:member"][0]["status"].clone()
            } else {
                reply.status.as_u16().into()
            };
            prop_assert!(expected.is_empty() || status == 400, "{}: {}", body, reply);
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{} {}: {error}", operation.method, operation.path));
    }
}

#[test]
fn the_document_and_the_server_see_the_same_shapes() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let settings = Settings { rate_limits: false, ..Settings::default() };
    let world = runtime.block_on(World::with(settings));
    runtime.block_on(world.user("ben@acme.example", muster_domain::user::Role::Standard, 1001));
    let token = runtime.block_on(world.admin());
    let broadcast = runtime.block_on(broadcasts::draft(&world, &token)).to_string();
    let conversation = runtime.block_on(conversations::begun(&world, &world.acme, "hello?")).to_string();
    let admin = Caller::Bearer(token);
    let made = |path: &str, body: Value, id: &str| {
        let reply = runtime.block_on(world.post(path, body).by(&admin).send());
        reply.body["data"][id].to_string()
    };
    let webhook = made("/v3/webhooks", webhooks::body("https://crm.example.org/hook"), "webhookId");
    let tag = made("/v3/tag", json!({"tag_name": "Shapes"}), "tagId");
    let id = |path: &str| match path {
        path if path.starts_with("/v3/users") => "2".to_owned(),
        path if path.starts_with("/v3/webhooks") => webhook.clone(),
        path if path.starts_with("/v3/tag") => tag.clone(),
        path if path.starts_with("/v3/broadcast") || path.starts_with("/v3/sms-broadcasts") => {
            broadcast.clone()
        }
        path if path.starts_with("/v3/conversations") => conversation.clone(),
        _ => "1002".to_owned(),
    };
    try_shapes(&runtime, &world, &admin, runtime.block_on(operations(0, id)));
}

#[test]
fn the_lox24_document_and_the_server_see_the_same_shapes() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let key = Caller::Key(runtime.block_on(world.key(&world.acme)));
    let group = || {
        let made = runtime.block_on(world.post("/groups", json!({"name": "Shapes"})).by(&key).send());
        made.body["id"].as_i64().unwrap()
    };
    // The phone is of a group whose list is not replaced.
    let (list, group) = (format!("/groups/{}/phones", group()), group());
    let made = runtime.block_on(world.post(&list, json!({"phone": "+12015550100"})).by(&key).send());
    let phone = made.body["id"].as_str().unwrap();
    let id = |path: &str| if path.starts_with("/phones") { phone.to_owned() } else { group.to_string() };
    try_shapes(&runtime, &world, &key, runtime.block_on(operations(1, id)));
}

#[test]
fn the_onlive_document_and_the_server_see_the_same_shapes() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let settings = Settings { rate_limits: false, ..Settings::default() };
    let world = runtime.block_on(World::with(settings));
    let client = runtime.block_on(Client::new(&world));
    let (user, group) =
        runtime.block_on(async { (client.user("ida@acme.example").await, client.group("Night").await) });
    let id = |path: &str| onlive::id(if path.starts_with(USERS) { &user } else { &group }).to_owned();
    let signer = Caller::Signer(client.key.clone());
    try_shapes(&runtime, &world, &signer, runtime.block_on(operations(2, id)));
}

/// Users of SCIM are told of one fault at a time. Lengths and what stands in several values at once no schema tells.
#[test]
fn the_scim_document_and_the_server_take_the_same_users() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let client = runtime.block_on(scim::Client::new(&world));
    let schemas = &runtime.block_on(documents())[3].value["components"]["schemas"];
    let fits = validator(&schemas["UserBody"], &Value::Null);
    let fields: Vec<String> =
        schemas["UserBody"]["properties"].as_object().unwrap().keys().cloned().collect();
    let element = prop_oneof![
        3 => value(),
        1 => (proptest::sample::select(vec!["value", "type", "primary", "locality"]), value())
            .prop_map(|(name, value)| json!({ name: value })),
    ];
    let value =
        prop_oneof![2 => value(), 1 => proptest::collection::vec(element, 0..3).prop_map(Value::from)];
    let body = proptest::collection::hash_map(proptest::sample::select(fields), value, 0..4);
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&("[a-z]{8}", body), |(name, body)| {
        let mut sent = json!({"userName": name});
        sent.as_object_mut().unwrap().extend(body);
        let reply = runtime.block_on(client.post(scim::USERS, sent.clone()));
        let detail = reply.body["detail"].as_str().unwrap_or_default();
        let is_beyond = detail.contains("must not") || detail.contains("with this");
        prop_assert_eq!(
            reply.status == 201 || is_beyond,
            fits.is_valid(&sent) || is_beyond,
            "{}: {}",
            sent,
            reply
        );
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// The failing fields whose messages are of some kind, in whatever form a dialect tells them. Of what fails inside of
/// a field, the field.
fn named(reply: &Reply, is_meant: fn(&str) -> bool) -> BTreeSet<String> {
    let told = |list: &str, name: &str| -> Vec<(String, String)> {
        let errors = reply.body[list].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors.iter().map(|error| (text(&error[name]), text(&error["message"]))).collect()
    };
    // In an entry of a batch there are lines.
    let entry = &reply.body["hydra:member"][0]["body"]["hydra:description"];
    let lines = entry.as_str().into_iter().flat_map(str::lines);
    let lines = lines.filter_map(|line| line.split_once(": "));
    let lines = lines.map(|(field, message)| (field.to_owned(), message.to_owned()));
    let all = told("errors", "field").into_iter().chain(told("violations", "propertyPath")).chain(lines);
    let meant = all.filter(|(_, message)| is_meant(message));
    meant.map(|(field, _)| field.split(['[', '.']).next().unwrap().to_owned()).collect()
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
        "must be a phone number",
        "must be in the future",
        "bytes of JSON",
        "longer than 2048 bytes",
        "must be an existing",
        "is already in the group",
        "needs recipients",
        "cannot get this status",
        "is no event of the format",
        "must be a URL",
        "must begin with https",
        "must not contain blanks",
        "must not contain a user name",
        "must not contain a fragment",
        "must have a host name",
        "must have the port",
        "must not name an address",
    ];
    !about_content.iter().any(|text| message.contains(text))
}
