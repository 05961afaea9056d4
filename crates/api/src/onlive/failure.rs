//! The dialect's form of every failure (Onlive contract, section 1).

use std::borrow::Cow;
use std::fmt::Display;

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use muster_domain::{Entity, Error, FieldError, Kind, Problem, Rule, Unique};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::CHALLENGE;
use crate::http::{Failure, Head, JSON};

/// Why there is no good answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
pub(super) struct Body {
    status_code: u16,
    message: Cow<'static, str>,
    /// The failing fields, if that is what is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldBody>,
    #[serde(skip)]
    header: Option<(HeaderName, String)>,
}

/// A failing field of a body, parameter of a query, or id in a path.
#[derive(Serialize, ToSchema)]
#[schema(as = FailingField)]
struct FieldBody {
    field: Cow<'static, str>,
    message: Cow<'static, str>,
}

/// The answer for a failure.
pub(super) fn response(_: &Head<'_>, failure: Failure) -> Response {
    let body = Body::of(failure);
    // Strings and numbers always serialise.
    let mut response = Response::new(serde_json::to_vec(&body).unwrap_or_default().into());
    *response.status_mut() = StatusCode::from_u16(body.status_code).unwrap_or_default();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    if let Some((name, value)) = body.header
        && let Ok(value) = HeaderValue::from_str(&value)
    {
        response.headers_mut().insert(name, value);
    }
    response
}

impl Body {
    fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status_code: status.as_u16(), message: message.into(), errors: Vec::new(), header: None }
    }

    /// What the name of the status says.
    fn plain(status: StatusCode) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or("Error"))
    }

    fn invalid(fields: Vec<FieldError>) -> Self {
        let errors = fields.into_iter().map(field_body).collect();
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, "Invalid input") }
    }

    fn header(mut self, name: HeaderName, value: impl Display) -> Self {
        self.header = Some((name, value.to_string()));
        self
    }

    /// What the dialect makes of a failure.
    fn of(failure: Failure) -> Self {
        match failure {
            Failure::Core(error) => Self::of_error(error),
            Failure::Fields(fields) => Self::invalid(fields),
            Failure::PathUnknown => Self::plain(StatusCode::NOT_FOUND),
            Failure::MethodNotAllowed { allow } => {
                Self::plain(StatusCode::METHOD_NOT_ALLOWED).header(header::ALLOW, allow)
            }
            Failure::BodyTooLarge { max } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The body must not be longer than {max} bytes"),
            ),
            Failure::TooManyEntries { max } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The list must not have more than {max} entries"),
            ),
            Failure::UnsupportedMediaType { wanted: _ } => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The content type must be application/json")
            }
            Failure::RangeNotSatisfiable { size } => {
                Self::new(StatusCode::RANGE_NOT_SATISFIABLE, format!("There are only {size} bytes"))
            }
            Failure::NotAcceptable => {
                Self::new(StatusCode::NOT_ACCEPTABLE, "The answer can only be application/json")
            }
            Failure::Malformed(detail) => Self::new(StatusCode::BAD_REQUEST, detail),
            Failure::AnswerTooLarge(detail) => Self::new(StatusCode::BAD_REQUEST, detail),
            Failure::BodyIncomplete => Self::new(StatusCode::BAD_REQUEST, "The body broke off"),
            Failure::TimedOut => Self::plain(StatusCode::SERVICE_UNAVAILABLE).header(header::RETRY_AFTER, 1),
        }
    }

    fn of_error(error: Error) -> Self {
        match error {
            // The signature of a disabled organization is like any wrong one.
            Error::Unauthenticated(_) | Error::TenantDisabled => {
                Self::new(StatusCode::UNAUTHORIZED, "Invalid or missing authorization credentials")
                    .header(header::WWW_AUTHENTICATE, CHALLENGE)
            }
            Error::Forbidden(_) => {
                Self::new(StatusCode::FORBIDDEN, "The access key does not permit this operation")
            }
            Error::NotFound(entity) => Self::new(StatusCode::NOT_FOUND, unknown(entity)),
            Error::Invalid(fields) => Self::invalid(fields),
            Error::Duplicate(unique) | Error::Repeated { rule: unique, fields: _ } => {
                Self::new(StatusCode::CONFLICT, taken(unique))
            }
            Error::Rule(rule) => Self::new(StatusCode::FORBIDDEN, rule_text(rule)),
            Error::NoMoney => {
                Self::new(StatusCode::PAYMENT_REQUIRED, "The balance of the organization does not suffice")
            }
            Error::Precondition => Self::plain(StatusCode::PRECONDITION_FAILED),
            Error::TooMany { retry_after } => Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
                .header(header::RETRY_AFTER, retry_after),
            Error::Unavailable(_) => {
                Self::plain(StatusCode::SERVICE_UNAVAILABLE).header(header::RETRY_AFTER, 1)
            }
            Error::Internal(_) => Self::plain(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

fn unknown(entity: Entity) -> &'static str {
    match entity {
        Entity::User => "User not found",
        Entity::UserGroup => "User group not found",
        Entity::Tenant => "Organization not found",
        Entity::OrgUnit => "Org unit not found",
        Entity::Credential => "Access key not found",
        Entity::ContactGroup => "Contact group not found",
        Entity::Contact => "Contact not found",
        Entity::Webhook => "Webhook not found",
        Entity::Delivery => "Delivery not found",
        Entity::Tag => "Tag not found",
        Entity::MediaPrompt => "Media prompt not found",
        Entity::Message => "Message not found",
        Entity::Block => "Blocked number not found",
        Entity::Incoming => "Incoming message not found",
        Entity::Bulk => "Broadcast not found",
    }
}

fn taken(unique: Unique) -> &'static str {
    match unique {
        Unique::Login => "A user with this email already exists",
        Unique::UserGroupExternalId => "A user group with this externalId already exists",
        Unique::OrgUnitName => "An org unit with this name already exists",
        Unique::ContactPhone => "A contact with this phone already exists",
        Unique::TagName => "A tag with this name already exists",
        Unique::BlockedNumber => "This number is blocked already",
    }
}

fn rule_text(rule: Rule) -> &'static str {
    match rule {
        Rule::LastAdmin => "Cannot delete the organization's last admin user",
        Rule::UserGroupHasMembers => "Cannot delete user group with active members",
        Rule::Cycle
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

fn field_body(error: FieldError) -> FieldBody {
    let FieldError { field, problem } = error;
    let message = message(&field, &problem);
    FieldBody { field, message }
}

/// What is wrong with a field, which stands beside it: only the message of an empty one names it again, as the vendor's
/// does. For some fields the contract has one message, whatever is wrong.
fn message(field: &str, problem: &Problem) -> Cow<'static, str> {
    match (field, problem) {
        ("email", _) => "must be a valid email".into(),
        ("role", _) => "must be one of: creator, editor, admin".into(),
        (_, Problem::Format(rule)) => (*rule).into(),
        ("avatar", _) => "must be an HTTPS URL".into(),
        ("userGroupId", Problem::WrongType(_)) => "must be a valid UUID".into(),
        (_, Problem::Required | Problem::Blank) => format!("{field} must not be empty").into(),
        (_, Problem::TooLong { max }) => format!("must not be longer than {max} characters").into(),
        (_, Problem::TooShort { min }) => format!("must not be shorter than {min} characters").into(),
        (_, Problem::TooManyEntries { max }) => format!("must not have more than {max} entries").into(),
        (_, Problem::WrongType(Kind::Text)) => "must be a string".into(),
        (_, Problem::WrongType(Kind::Integer)) => "must be an integer".into(),
        (_, Problem::WrongType(Kind::Boolean)) => "must be true or false".into(),
        (_, Problem::WrongType(Kind::Object)) => "must be an object".into(),
        (_, Problem::WrongType(Kind::Array)) => "must be an array".into(),
        (_, Problem::OutOfRange { min, max: i64::MAX }) => format!("must be at least {min}").into(),
        (_, Problem::OutOfRange { min, max }) => format!("must be between {min} and {max}").into(),
        (_, Problem::NotOneOf(values)) => format!("must be one of: {}", values.join(", ")).into(),
        (_, Problem::Unknown(what)) => format!("must be an existing {what}").into(),
        (_, Problem::Inactive(what)) => format!("must be an active {what}").into(),
        (_, Problem::Conflict(alias)) => format!("must not differ from {alias}").into(),
        (_, Problem::Mismatch) => "is not right".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_status_and_text() {
        let core = [
            Error::Unauthenticated("x"),
            Error::TenantDisabled,
            Error::Forbidden("x"),
            Error::NotFound(Entity::User),
            Error::NotFound(Entity::UserGroup),
            Error::field("firstName", Problem::Required),
            Error::Duplicate(Unique::Login),
            Error::Duplicate(Unique::UserGroupExternalId),
            Error::Repeated { rule: Unique::ContactPhone, fields: Vec::new() },
            Error::Rule(Rule::LastAdmin),
            Error::Rule(Rule::UserGroupHasMembers),
            Error::Rule(Rule::Cycle),
            Error::Precondition,
            Error::TooMany { retry_after: 7 },
            Error::Unavailable("secret".into()),
            Error::Internal("secret".to_owned()),
        ];
        let http = Failure::each("Too much");
        let line = |body: Body| {
            let header = body.header.as_ref().map(|(name, value)| format!(" [{name}: {value}]"));
            format!("{}{}", serde_json::to_string(&body).unwrap(), header.unwrap_or_default())
        };
        let lines: Vec<String> =
            core.into_iter().map(Failure::from).chain(http).map(Body::of).map(line).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn failing_fields_are_told_in_the_vendors_words() {
        for (field, problem, text) in [
            ("firstName", Problem::Required, "firstName must not be empty"),
            ("lastName", Problem::Blank, "lastName must not be empty"),
            ("lastName", Problem::TooLong { max: 9 }, "must not be longer than 9 characters"),
            ("email", Problem::Required, "must be a valid email"),
            ("email", Problem::Format("must be an email address"), "must be a valid email"),
            ("role", Problem::Required, "must be one of: creator, editor, admin"),
            ("avatar", Problem::WrongType(Kind::Text), "must be an HTTPS URL"),
            ("userGroupId", Problem::Unknown("user group"), "must be an existing user group"),
            ("userGroupId", Problem::Format("must be a valid UUID"), "must be a valid UUID"),
            ("page", Problem::OutOfRange { min: 1, max: i64::MAX }, "must be at least 1"),
            ("limit", Problem::OutOfRange { min: 1, max: 100 }, "must be between 1 and 100"),
            ("limit", Problem::WrongType(Kind::Integer), "must be an integer"),
        ] {
            assert_eq!(message(field, &problem), text);
        }
    }
}
