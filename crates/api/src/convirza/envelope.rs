//! The envelope of good answers (Convirza contract, section 1).

use http::StatusCode;
use muster_domain::{Error, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::http::{Call, Failure, Reply, Schemas};

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
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}

impl ToSchema for Time {}

/// The schema of one of some words.
pub(super) fn words(words: &'static [&'static str]) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied())).into()
}

/// The schema of `T` in the envelope.
pub(super) fn data<T: ToSchema>(schemas: &mut Schemas) -> Value {
    schemas.reference::<T>();
    schemas.reference_as::<Success<'_, T>>(format!("{}Success", T::name()))
}

/// A 200 with `data` in the envelope.
pub(super) fn success(call: &Call, data: &impl Serialize) -> Result<Reply, Failure> {
    with_status(call, StatusCode::OK, data)
}

/// A 201 with `data` in the envelope.
pub(super) fn created(call: &Call, data: &impl Serialize) -> Result<Reply, Failure> {
    with_status(call, StatusCode::CREATED, data)
}

fn with_status(call: &Call, status: StatusCode, data: &impl Serialize) -> Result<Reply, Failure> {
    let meta = call.meta();
    let envelope = Success {
        code: 200,
        message: "Success",
        data,
        request_id: meta.request_id,
        timestamp: Time(meta.started),
    };
    bare(status, &envelope)
}

/// An answer without an envelope, as those of `/oauth`.
pub(super) fn bare(status: StatusCode, data: &impl Serialize) -> Result<Reply, Failure> {
    let body = serde_json::to_vec(data).map_err(|error| Error::Internal(format!("an answer: {error}")))?;
    Ok(Reply::json(status, body))
}
