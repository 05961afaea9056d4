//! The envelope of good answers (Convirza contract, section 1).

use http::StatusCode;
use muster_domain::{Error, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::http::{Call, Content, Failure, JSON, Reply, Schemas, date_time_schema};

/// A good answer.
#[derive(Serialize, ToSchema)]
struct Success<'a, T> {
    /// Also 200 when the status is 201.
    code: u16,
    message: &'static str,
    data: &'a T,
    request_id: uuid::Uuid,
    timestamp: Time,
}

/// A time as the dialect writes it.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.millis())
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        date_time_schema()
    }
}

impl ToSchema for Time {}

/// The schema of one of some words.
pub(super) fn words(words: &'static [&'static str]) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied())).into()
}

/// The schema of `T` in the envelope.
pub(super) fn data<T: ToSchema>(schemas: &mut Schemas) -> Content {
    schemas.reference::<T>();
    vec![(JSON, schemas.reference_as::<Success<'_, T>>(format!("{}Success", T::name())))]
}

/// What most answers fit into, in bytes.
const USUAL: usize = 1024;

/// A 200 with `data` in the envelope.
pub(super) fn success(call: &Call, data: &impl Serialize) -> Result<Reply, Failure> {
    in_envelope(call, StatusCode::OK, data, USUAL)
}

/// As [`success`], of an answer that is about so many bytes long: a large one is written into memory of its size
/// instead of into twice as much, step by step.
pub(super) fn large_success(call: &Call, data: &impl Serialize, bytes: usize) -> Result<Reply, Failure> {
    in_envelope(call, StatusCode::OK, data, bytes)
}

/// A 201 with `data` in the envelope.
pub(super) fn created(call: &Call, data: &impl Serialize) -> Result<Reply, Failure> {
    in_envelope(call, StatusCode::CREATED, data, USUAL)
}

fn in_envelope(
    call: &Call,
    status: StatusCode,
    data: &impl Serialize,
    bytes: usize,
) -> Result<Reply, Failure> {
    let meta = call.meta();
    let envelope = Success {
        code: 200,
        message: "Success",
        data,
        request_id: meta.request_id,
        timestamp: Time(meta.started),
    };
    written(status, &envelope, bytes)
}

/// An answer without an envelope, as those of `/oauth`.
pub(super) fn bare(status: StatusCode, data: &impl Serialize) -> Result<Reply, Failure> {
    written(status, data, USUAL)
}

fn written(status: StatusCode, data: &impl Serialize, bytes: usize) -> Result<Reply, Failure> {
    let mut body = Vec::with_capacity(bytes);
    serde_json::to_writer(&mut body, data).map_err(|error| Error::Internal(format!("an answer: {error}")))?;
    Ok(Reply::json(status, body))
}
