//! What every dialect needs of HTTP: routes, one request, bodies, conditions, query parameters.

mod about;
mod accept;
mod body;
mod call;
mod client;
mod fields;
mod form;
mod openapi;
mod query;
mod range;
mod raw;
mod reply;
mod routes;
mod schemas;
mod shape;
mod tags;

use std::net::IpAddr;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use muster_domain::{Error, FieldError, TenantId, Timestamp};
use uuid::Uuid;

use crate::App;

pub(crate) use about::About;
pub(crate) use accept::preferred;
pub(crate) use call::Call;
pub(crate) use fields::{Fields, Mode};
pub(crate) use form::{FORM, File, Form};
pub(crate) use openapi::{Header, Ids, Published};
pub(crate) use query::Query;
pub(crate) use range::{Part, wanted as wanted_part};
pub(crate) use raw::{RawObject, begins_with, entries, value as raw_value};
pub(crate) use reply::Reply;
pub(crate) use routes::{Dialect, routes};
pub use routes::{Route, Routes};
pub(crate) use schemas::{Content, JSON, Schemas, date_time_schema};
pub(crate) use shape::{
    Parser, Shape, Text, any, any_text, boolean, choice, date_time, email, integer, integer_text,
    integer_within, limited_text, list, message_text, object, required_text, string, time_zone, trimmed_text,
};
pub(crate) use tags::Tag;

/// What is known of a request before it is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) request_id: Uuid,
    pub(crate) started: Timestamp,
    /// The other end of the connection; see [`Call::client`] for who is behind it.
    pub(crate) peer: IpAddr,
}

/// A request without its body.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) app: &'a App,
    pub(crate) meta: &'a Meta,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// Whether the format of the answer is up to the client.
    pub(crate) negotiates: bool,
    /// What is left to the caller, once that is known.
    pub(crate) quota: Option<Quota>,
}

/// How many calls a caller may make in its window, and how many are left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    pub(crate) limit: u32,
    pub(crate) left: u32,
}

impl Head<'_> {
    /// The address of the client, seen through trusted proxies.
    pub(crate) fn client(&self) -> IpAddr {
        client::address(self.meta.peer, self.headers, &self.app.settings.trusted_proxies)
    }
}

/// What the log says of a request after it was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Handled {
    /// The pattern of the path, never the path itself.
    pub(crate) route: &'static str,
    pub(crate) verb: &'static str,
    pub(crate) tenant: Option<TenantId>,
}

/// Why a request has no good answer: an error of the core, or one of HTTP itself.
#[derive(Debug)]
pub(crate) enum Failure {
    Core(Error),
    /// Failing fields or parameters under their names on the wire.
    Fields(Vec<FieldError>),
    PathUnknown,
    MethodNotAllowed {
        allow: String,
    },
    BodyTooLarge {
        max: usize,
    },
    /// A list in the body has more entries.
    TooManyEntries {
        max: usize,
    },
    /// The body is of another content type than this one.
    UnsupportedMediaType {
        wanted: &'static str,
    },
    /// The client takes none of the content types that there are.
    NotAcceptable,
    /// The body is not what its content type says; the text may be shown.
    Malformed(String),
    /// The answer would be unreasonably large; the text may be shown.
    AnswerTooLarge(&'static str),
    /// The part that is wanted lies beyond the end of a content of so many bytes.
    RangeNotSatisfiable {
        size: u64,
    },
    /// The body broke off.
    BodyIncomplete,
    TimedOut,
}

impl Failure {
    /// An error whose failing fields get the names that `wire_name` knows for those of the domain, and for what they are
    /// in.
    pub(crate) fn named(error: Error, wire_name: fn(&str) -> Option<&'static str>) -> Self {
        let Error::Invalid(mut fields) = error else {
            return Self::Core(error);
        };
        for error in &mut fields {
            let end = error.field.find(['[', '.']).unwrap_or(error.field.len());
            let (within, place) = error.field.split_at(end);
            if let Some(name) = wire_name(&error.field) {
                error.field = name.into();
            } else if let Some(name) = wire_name(within) {
                error.field = format!("{name}{place}").into();
            }
        }
        Self::Fields(fields)
    }
}

#[cfg(test)]
impl Failure {
    /// One of each kind that is of HTTP itself, for the tests of how a dialect tells them. This text is to be shown of an
    /// answer that would be too large.
    pub(crate) fn each(too_large: &'static str) -> [Self; 11] {
        [
            Self::PathUnknown,
            Self::MethodNotAllowed { allow: "GET".to_owned() },
            Self::BodyTooLarge { max: 9 },
            Self::TooManyEntries { max: 9 },
            Self::UnsupportedMediaType { wanted: JSON },
            Self::NotAcceptable,
            Self::Malformed("Syntax error".to_owned()),
            Self::AnswerTooLarge(too_large),
            Self::RangeNotSatisfiable { size: 9 },
            Self::BodyIncomplete,
            Self::TimedOut,
        ]
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

/// What a handler gives.
pub(crate) type Outcome = Result<Reply, Failure>;

/// A JSON answer of Muster's own, outside of all dialects.
pub(crate) fn plain(status: StatusCode, message: &'static str) -> Response {
    let key = if status.is_success() { "status" } else { "error" };
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{{\"{key}\":\"{message}\"}}"))
        .into_response()
}
