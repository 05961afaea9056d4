//! What all answers share: times, ids and lists (Onlive contract, section 1).

use http::StatusCode;
use muster_domain::credential::signature::canonical_query;
use muster_domain::{Error, Page, Problem, Slice, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::http::{Call, Content, Failure, JSON, Outcome, Query, Reply, Schemas, Text};

/// A time to the second.
pub(super) struct Time(pub(super) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.seconds_z())
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}

impl ToSchema for Time {}

/// How a UUID is written (RFC 9562, section 4), in upper or lower case.
pub(super) const UUID: Text = Text {
    pattern: Some("^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"),
    ..Text::ANY
};

/// A UUID with its hyphens, and without anything around it.
pub(super) fn uuid(text: &str) -> Result<Uuid, Problem> {
    let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
    uuid.ok_or(Problem::Format("must be a valid UUID"))
}

/// Reads the parameters of a call in the order in which they are signed, so that of a repeated one the same counts in
/// whatever order it was sent.
pub(super) fn query<T>(call: &Call, read: impl FnOnce(&mut Query<'_>) -> T) -> Result<T, Failure> {
    call.query_of(&canonical_query(call.uri().query().unwrap_or_default()), read)
}

/// What all lists are asked for.
pub(super) struct Wanted {
    /// None but what belongs to this organization.
    organization: Option<Uuid>,
    pub(super) search: Option<String>,
    pub(super) paging: Paging,
}

impl Wanted {
    /// Reads it. What is searched for has at most `max_search` characters.
    pub(super) fn read(query: &mut Query<'_>, max_search: usize) -> Self {
        Self {
            organization: query.parsed("organizationId", UUID, uuid),
            search: query.limited_text("search", max_search),
            paging: Paging::read(query),
        }
    }

    /// Whether it is about another organization than the caller's, of which nobody is told anything.
    pub(super) fn is_foreign(&self, organization: Uuid) -> bool {
        self.organization.is_some_and(|asked| asked != organization)
    }
}

/// A page of a list.
#[derive(Clone, Copy)]
pub(super) struct Paging {
    page: u64,
    limit: u32,
}

impl Paging {
    /// Reads `page` and `limit`.
    fn read(query: &mut Query<'_>) -> Self {
        Self { page: query.page().unwrap_or(1), limit: query.integer_or("limit", 1, 100, 20) }
    }

    pub(super) fn slice(self) -> Slice {
        Slice { limit: self.limit, offset: (self.page - 1).saturating_mul(self.limit.into()) }
    }
}

/// A page of a list, as it is sent.
#[derive(Serialize, ToSchema)]
pub(super) struct Listed<T> {
    items: Vec<T>,
    /// How many there are on all pages.
    total: u64,
    page: u64,
    limit: u32,
    pages: u64,
}

/// The schema of a page of a list.
pub(super) fn list<T: ToSchema>(schemas: &mut Schemas) -> Content {
    vec![(JSON, schemas.reference_as::<Listed<T>>(format!("{}List", T::name())))]
}

/// The schema of what was deleted.
pub(super) fn deleted<T: ToSchema>(schemas: &mut Schemas) -> Content {
    vec![(JSON, schemas.reference_as::<Deleted<T>>(format!("Deleted{}", T::name())))]
}

/// What was deleted, as it was before.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deleted<T> {
    #[serde(flatten)]
    was: T,
    deleted_at: Time,
}

impl<T> Deleted<T> {
    pub(super) fn new(was: T, at: Timestamp) -> Self {
        Self { was, deleted_at: Time(at) }
    }
}

/// An answer with a page of a list.
pub(super) fn listed<T: Serialize>(paging: Paging, page: Page<T>) -> Outcome {
    let Paging { page: number, limit } = paging;
    let Page { items, total } = page;
    let pages = total.div_ceil(limit.into());
    reply(StatusCode::OK, &Listed { items, total, page: number, limit, pages })
}

pub(super) fn reply(status: StatusCode, body: &impl Serialize) -> Outcome {
    let body = serde_json::to_vec(body).map_err(|error| Error::Internal(format!("an answer: {error}")))?;
    Ok(Reply::json(status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_one_form() {
        let text = "550e8400-e29b-41d4-a716-446655440000";
        let id = Uuid::from_u128(0x550e_8400_e29b_41d4_a716_4466_5544_0000);
        assert_eq!(uuid(text), Ok(id));
        assert_eq!(uuid(&text.to_uppercase()), Ok(id));
        for wrong in [
            "",
            "71",
            "550e8400e29b41d4a716446655440000",
            &format!("{{{text}}}"),
            &format!("urn:uuid:{text}"),
        ] {
            assert!(uuid(wrong).is_err(), "{wrong}");
        }
    }
}
