//! Holds replies to the published document: the call, its status, its headers, and its body, with no property that
//! is not published.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::Reply;

/// The document of a dialect.
pub(crate) struct Document {
    /// Paths under these are the dialect's.
    prefixes: &'static [&'static str],
    pub(crate) value: Value,
    /// Its schemas, of which every object is closed: clients may be sent more one day, but not unnoticed.
    closed: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Document {
    pub(crate) fn new(prefixes: &'static [&'static str], value: Value) -> Self {
        let mut closed = value["components"]["schemas"].clone();
        close(&mut closed);
        Self { prefixes, value, closed, validators: Mutex::default() }
    }

    /// Fails unless this reply to this call is a published one.
    pub(crate) fn check(&self, method: &Method, path: &str, reply: &Reply) {
        let is_under = |prefix: &&str| {
            path.strip_prefix(*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if method == Method::OPTIONS || !self.prefixes.iter().any(is_under) {
            return;
        }
        let call = format!("{method} {path}: {reply}");
        let Some(operations) = self.operations(path) else {
            assert!(matches!(reply.status.as_u16(), 404 | 429), "an unpublished path: {call}");
            return self.check_failure(reply, &call);
        };
        let name = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
        let Some(operation) = operations.get(name) else {
            assert!(matches!(reply.status.as_u16(), 405 | 429), "an unpublished method: {call}");
            assert_eq!(reply.header("allow").is_empty(), reply.status == 429, "{call}");
            return self.check_failure(reply, &call);
        };
        let response = operation["responses"].get(reply.status.as_str());
        let response = self.resolve(response.unwrap_or_else(|| panic!("an unpublished status: {call}")));
        self.check_response(method, response, reply, &call);
    }

    /// A failure that no call has: it looks like all others.
    fn check_failure(&self, reply: &Reply, call: &str) {
        let response = &self.value["components"]["responses"]["InternalServerError"];
        self.check_response(&Method::GET, response, reply, call);
    }

    fn check_response(&self, method: &Method, response: &Value, reply: &Reply, call: &str) {
        for (name, header) in response["headers"].as_object().unwrap() {
            self.check_header(name, self.resolve(header), reply, call);
        }
        match response.get("content") {
            None => assert!(reply.body.is_null(), "an unpublished body: {call}"),
            Some(_) if method == Method::HEAD => assert!(reply.body.is_null(), "{call}"),
            Some(content) => {
                let kind = reply.header("content-type");
                let media = content.get(kind.split_once(';').map_or(kind, |(essence, _)| essence));
                let media = media.unwrap_or_else(|| panic!("an unpublished content type: {call}"));
                self.check_body(&media["schema"], reply, call);
            }
        }
    }

    /// The operations of the path that this one is an example of; one without a parameter goes first.
    fn operations(&self, path: &str) -> Option<&Value> {
        let fits = |pattern: &str| {
            let (pattern, path) = (pattern.split('/'), path.split('/'));
            pattern.clone().count() == path.clone().count()
                && pattern
                    .zip(path)
                    .all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()))
        };
        let paths = self.value["paths"].as_object().unwrap();
        paths.get(path).or_else(|| paths.iter().find(|(pattern, _)| fits(pattern)).map(|(_, found)| found))
    }

    /// What a reference refers to.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.value.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference}")),
            None => value,
        }
    }

    fn check_header(&self, name: &str, header: &Value, reply: &Reply, call: &str) {
        if header["required"] == false && !reply.headers.contains_key(name) {
            return;
        }
        assert!(reply.headers.contains_key(name), "no {name}: {call}");
        let text = reply.header(name);
        let value = if header["schema"]["type"] == "integer" {
            json!(text.parse::<i64>().unwrap())
        } else {
            json!(text)
        };
        assert!(self.validator(&header["schema"]).is_valid(&value), "{name}: {call}");
    }

    fn check_body(&self, schema: &Value, reply: &Reply, call: &str) {
        if let Err(error) = self.validator(schema).validate(&reply.body) {
            panic!("an unpublished shape: {error} at {}: {call}", error.instance_path());
        }
    }

    /// A validator of what is sent.
    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let make = || Arc::new(validator(schema, &self.closed));
        Arc::clone(validators.entry(schema.to_string()).or_insert_with(make))
    }
}

/// A validator of a schema that may refer to others.
pub(crate) fn validator(schema: &Value, others: &Value) -> Validator {
    let mut schema = schema.clone();
    schema["components"] = json!({"schemas": others});
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    options.build(&schema).unwrap_or_else(|error| panic!("{error}: {schema}"))
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.get("properties").is_some_and(Value::is_object) {
                object.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
