//! The body of a bulk request (RFC 7644, section 3.7).

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use serde_json::value::RawValue;

use super::limits::OPERATIONS;
use crate::http::{Failure, RawObject, begins_with, entries, raw_value};
use crate::scim::failure::Refusal;
use crate::scim::{ScimError, ScimType};

pub(in crate::scim) const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// What is asked for.
pub(super) struct Request {
    /// How many errors end the work.
    pub(super) fail_on_errors: Option<u64>,
    pub(super) operations: Vec<Operation>,
}

/// One of the operations. What it asks for is read when its turn comes.
pub(super) struct Operation {
    pub(super) method: Method,
    /// As it was sent, below the address of the dialect.
    pub(super) path: String,
    pub(super) bulk_id: Option<String>,
    /// What its `If-Match` would say.
    pub(super) version: Option<String>,
    /// The JSON of its body.
    pub(super) data: Bytes,
}

/// Reads a body. As everywhere, names have no case and null is as what is missing.
///
/// Errors: `invalidSyntax` and `invalidValue` with the place of what is wrong, `TooManyEntries`.
pub(super) fn read(body: &RawObject<'_>) -> Result<Request, Refusal> {
    if let Some(schemas) = property(body, "schemas") {
        let schemas = raw_value(schemas);
        let is_bulk = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(BULK_REQUEST));
        if !schemas.as_array().is_some_and(|urns| urns.iter().any(is_bulk)) {
            return Err(syntax(format!("schemas must have {BULK_REQUEST}")).into());
        }
    }
    let fail_on_errors = match property(body, "failOnErrors").map(raw_value) {
        None => None,
        Some(number) => match number.as_u64().filter(|number| *number > 0) {
            None => return Err(ScimError::invalid_value("failOnErrors must be a positive integer").into()),
            number => number,
        },
    };
    let Some(list) = property(body, "Operations").filter(|list| begins_with(list, '[')) else {
        return Err(syntax("Operations must be an array").into());
    };
    let mut operations = Vec::new();
    let all = entries(list.get().as_bytes(), OPERATIONS, |at, entry| {
        operations.push(operation(entry).map_err(|problem| syntax(format!("Operations[{at}]{problem}"))));
    });
    if !all.map_err(|error| Failure::Malformed(error.to_string()))? {
        return Err(Failure::TooManyEntries { max: OPERATIONS }.into());
    }
    let operations = operations.into_iter().collect::<Result<Vec<_>, _>>()?;
    if operations.is_empty() {
        return Err(syntax("Operations must not be empty").into());
    }
    Ok(Request { fail_on_errors, operations })
}

/// Errors: what is wrong, to be said after its place.
fn operation(entry: &RawValue) -> Result<Operation, &'static str> {
    let object = RawObject::parse(entry.get().as_bytes()).map_err(|_| " must be an object")?;
    let text = |name: &str, wrong: &'static str| match property(&object, name).map(raw_value) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong),
    };
    let wrong = ".method must be POST, PUT, PATCH or DELETE";
    let word = text("method", wrong)?.unwrap_or_default();
    let methods = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let method = methods.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(&word));
    let method = method.ok_or(wrong)?;
    let path = text("path", ".path must be a string")?.ok_or(".path is required")?;
    let bulk_id = text("bulkId", ".bulkId must be a string")?.filter(|id| !id.is_empty());
    if method == Method::POST && bulk_id.is_none() {
        return Err(".bulkId is required for POST");
    }
    let version = text("version", ".version must be a string")?;
    let data = property(&object, "data").map_or("", RawValue::get);
    if method != Method::DELETE && data.is_empty() {
        return Err(".data is required for POST, PUT and PATCH");
    }
    Ok(Operation { method, path, bulk_id, version, data: Bytes::copy_from_slice(data.as_bytes()) })
}

fn property<'a>(object: &RawObject<'a>, name: &str) -> Option<&'a RawValue> {
    object.get_ignoring_case(name).filter(|value| value.get() != "null")
}

fn syntax(detail: impl Into<String>) -> ScimError {
    ScimError::new(ScimType::InvalidSyntax, detail)
}
