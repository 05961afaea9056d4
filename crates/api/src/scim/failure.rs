//! The dialect's form of every failure (RFC 7644, section 3.12).

use std::borrow::Cow;
use std::fmt::Display;

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use muster_domain::{Entity, Error, FieldError, Kind, Problem, Rule, Unique};
use serde_json::{Value, json};

use super::auth::CHALLENGE;
use super::error::{self, ScimError, ScimType};
use crate::http::{Content, Failure, Head, Outcome, Reply, Schemas};

/// The content type of all answers.
pub(super) const SCIM_JSON: &str = "application/scim+json";

/// Why a call has no good answer.
pub(super) enum Refusal {
    Scim(ScimError),
    Other(Failure),
}

impl From<ScimError> for Refusal {
    fn from(error: ScimError) -> Self {
        Self::Scim(error)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Other(error.into())
    }
}

/// What a handler gives.
pub(super) fn answered(result: Result<Reply, Refusal>) -> Outcome {
    match result {
        Ok(reply) => Ok(reply),
        Err(Refusal::Other(failure)) => Err(failure),
        Err(Refusal::Scim(error)) => {
            let status = StatusCode::from_u16(error.scim_type.status()).unwrap_or(StatusCode::BAD_REQUEST);
            Ok(reply(status, &error.document()))
        }
    }
}

/// A JSON answer.
pub(super) fn reply(status: StatusCode, body: &Value) -> Reply {
    Reply::of_kind(SCIM_JSON, status, body.to_string().into_bytes())
}

/// What is published of all failures.
pub(super) fn schema(schemas: &mut Schemas) -> Content {
    let types: Vec<&str> = ScimType::ALL.iter().map(|of| of.as_str()).collect();
    let error = json!({
        "type": "object",
        "required": ["schemas", "status", "detail"],
        "properties": {
            "schemas": {"type": "array", "items": {"const": error::ERROR}},
            "status": {"type": "string", "pattern": "^[45][0-9]{2}$"},
            "scimType": {"type": "string", "enum": types},
            "detail": {"type": "string"},
        },
    });
    vec![(SCIM_JSON, schemas.keep("Error".to_owned(), error))]
}

/// The answer for a failure.
pub(super) fn response(_: &Head<'_>, failure: Failure) -> Response {
    let Shape { status, scim_type, detail, header } = Shape::of(failure);
    let body = error::document(status.as_u16(), scim_type, &detail);
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON));
    if let Some((name, value)) = header
        && let Ok(value) = HeaderValue::from_str(&value)
    {
        response.headers_mut().insert(name, value);
    }
    response
}

struct Shape {
    status: StatusCode,
    scim_type: Option<ScimType>,
    detail: Cow<'static, str>,
    header: Option<(HeaderName, String)>,
}

impl Shape {
    fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, scim_type: None, detail: detail.into(), header: None }
    }

    /// What the name of the status says.
    fn plain(status: StatusCode) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or("Error"))
    }

    fn bad(scim_type: ScimType, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { scim_type: Some(scim_type), ..Self::new(StatusCode::BAD_REQUEST, detail) }
    }

    fn too_large(detail: String) -> Self {
        let scim_type = Some(ScimType::TooLarge);
        Self { scim_type, ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail) }
    }

    fn header(self, name: HeaderName, value: impl Display) -> Self {
        Self { header: Some((name, value.to_string())), ..self }
    }

    fn later() -> Self {
        Self::plain(StatusCode::SERVICE_UNAVAILABLE).header(header::RETRY_AFTER, 1)
    }

    fn of(failure: Failure) -> Self {
        match failure {
            Failure::Core(error) => Self::of_error(error),
            Failure::Fields(fields) => Self::bad(ScimType::InvalidValue, sentences(&fields)),
            Failure::PathUnknown => Self::new(StatusCode::NOT_FOUND, "There is no such resource"),
            Failure::MethodNotAllowed { allow } => {
                Self::plain(StatusCode::METHOD_NOT_ALLOWED).header(header::ALLOW, allow)
            }
            Failure::BodyTooLarge { max } => {
                Self::too_large(format!("The body must not be longer than {max} bytes"))
            }
            Failure::TooManyEntries { max } => {
                Self::too_large(format!("The list must not have more than {max} entries"))
            }
            Failure::UnsupportedMediaType { wanted: _ } => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The content type must be application/scim+json or application/json",
            ),
            Failure::RangeNotSatisfiable { size } => {
                Self::new(StatusCode::RANGE_NOT_SATISFIABLE, format!("There are only {size} bytes"))
            }
            Failure::NotAcceptable => Self::plain(StatusCode::NOT_ACCEPTABLE),
            Failure::Malformed(detail) => Self::bad(ScimType::InvalidSyntax, detail),
            Failure::AnswerTooLarge(detail) => Self::bad(ScimType::TooMany, detail),
            Failure::BodyIncomplete => Self::bad(ScimType::InvalidSyntax, "The body broke off"),
            Failure::TimedOut => Self::later(),
        }
    }

    fn of_error(error: Error) -> Self {
        match error {
            Error::Unauthenticated(_) | Error::TenantDisabled => {
                Self::new(StatusCode::UNAUTHORIZED, "The bearer token is missing or not valid")
                    .header(header::WWW_AUTHENTICATE, CHALLENGE)
            }
            Error::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, "The token does not permit this"),
            Error::NotFound(entity) => Self::new(StatusCode::NOT_FOUND, unknown(entity)),
            Error::Invalid(fields) => Self::bad(ScimType::InvalidValue, sentences(&fields)),
            Error::Duplicate(unique) | Error::Repeated { rule: unique, fields: _ } => Self {
                scim_type: Some(ScimType::Uniqueness),
                ..Self::new(StatusCode::CONFLICT, taken(unique))
            },
            Error::Rule(rule) => Self::new(StatusCode::CONFLICT, rule_text(rule)),
            Error::NoMoney => Self::plain(StatusCode::PAYMENT_REQUIRED),
            Error::Precondition => {
                Self::new(StatusCode::PRECONDITION_FAILED, "The resource has another version")
            }
            Error::TooMany { retry_after } => {
                Self::plain(StatusCode::TOO_MANY_REQUESTS).header(header::RETRY_AFTER, retry_after)
            }
            Error::Unavailable(_) => Self::later(),
            Error::Internal(_) => Self::plain(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

fn unknown(entity: Entity) -> &'static str {
    match entity {
        Entity::User => "There is no such user",
        Entity::UserGroup => "There is no such group",
        Entity::Tenant
        | Entity::OrgUnit
        | Entity::Credential
        | Entity::ContactGroup
        | Entity::Contact
        | Entity::Webhook
        | Entity::Delivery
        | Entity::Tag
        | Entity::MediaPrompt
        | Entity::Message
        | Entity::Block
        | Entity::Incoming
        | Entity::Bulk => "There is no such resource",
    }
}

fn taken(unique: Unique) -> &'static str {
    match unique {
        Unique::Login => "A user with this userName exists already",
        Unique::UserGroupExternalId => "A group with this externalId exists already",
        Unique::OrgUnitName | Unique::ContactPhone | Unique::TagName | Unique::BlockedNumber => {
            "The value is taken"
        }
    }
}

fn rule_text(rule: Rule) -> &'static str {
    match rule {
        Rule::LastAdmin => {
            "The last active Admin of the tenant cannot be removed, deactivated or given another role"
        }
        Rule::UserGroupHasMembers
        | Rule::Cycle
        | Rule::TooDeep
        | Rule::TopMoved
        | Rule::OwnUnitMoved
        | Rule::TopArchived
        | Rule::OwnUnitArchived
        | Rule::NotVacant
        | Rule::ParentArchived
        | Rule::TooManyWebhooks
        | Rule::TooManyLox24Webhooks
        | Rule::DeliveryNotFailed
        | Rule::EventForgotten
        | Rule::NoFilter
        | Rule::NoRecipients
        | Rule::BulkNotEditable
        | Rule::BulkStatus => "The stored data does not permit this",
    }
}

fn sentences(fields: &[FieldError]) -> String {
    let sentence = |FieldError { field, problem }: &FieldError| {
        let name = match &**field {
            "login" => "userName",
            "name" => "displayName",
            "external_id" => "externalId",
            other => other,
        };
        format!("{name} {}", sentence(problem))
    };
    fields.iter().map(sentence).collect::<Vec<_>>().join("; ")
}

fn sentence(problem: &Problem) -> String {
    match problem {
        Problem::Required | Problem::Blank => "is required".to_owned(),
        Problem::TooLong { max } => format!("must not be longer than {max} characters"),
        Problem::TooShort { min } => format!("must not be shorter than {min} characters"),
        Problem::TooManyEntries { max } => format!("must not have more than {max} entries"),
        Problem::WrongType(Kind::Text) => "must be a string".to_owned(),
        Problem::WrongType(Kind::Integer) => "must be an integer".to_owned(),
        Problem::WrongType(Kind::Boolean) => "must be a boolean".to_owned(),
        Problem::WrongType(Kind::Object) => "must be an object".to_owned(),
        Problem::WrongType(Kind::Array) => "must be an array".to_owned(),
        Problem::OutOfRange { min, max } => format!("must be between {min} and {max}"),
        Problem::NotOneOf(values) => format!("must be one of {}", values.join(", ")),
        Problem::Unknown(what) => format!("must be an existing {what}"),
        Problem::Inactive(what) => format!("must be an active {what}"),
        Problem::Conflict(other) => format!("must not differ from {other}"),
        Problem::Mismatch => "is not right".to_owned(),
        Problem::Format(rule) => (*rule).to_owned(),
    }
}

/// What is wrong with the value of an attribute.
pub(super) fn invalid(name: &str, problem: &Problem) -> ScimError {
    ScimError::new(ScimType::InvalidValue, format!("{name} {}", sentence(problem)))
}
