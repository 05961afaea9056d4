//! The envelope of good answers (Convirza contract, section 1).

use http::StatusCode;
use muster_domain::{Error, Timestamp};
use serde::{Serialize, Serializer};

use crate::http::{Call, Failure, Reply};

#[derive(Serialize)]
struct Envelope<'a, T> {
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
    let envelope = Envelope {
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
