//! The dialect's form of every failure (Convirza contract, section 1).

use std::borrow::Cow;
use std::fmt::Display;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use muster_domain::org_unit::MAX_LEVEL;
use muster_domain::{Entity, Error, FieldError, Kind, Problem, Rule, Unique, webhook};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::Time;
use crate::http::{Failure, Head};

/// Why there is no good answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
pub(super) struct ErrorBody<'a> {
    status_code: u16,
    message: &'a str,
    error: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldBody>,
    timestamp: Time,
    path: &'a str,
    request_id: uuid::Uuid,
}

/// A failing field of a body, or parameter of a query.
#[derive(Serialize, ToSchema)]
#[schema(as = FailingField)]
pub(super) struct FieldBody {
    field: Cow<'static, str>,
    message: String,
}

/// Status, detail, failing fields and one more header.
struct Shape {
    status: StatusCode,
    error: Cow<'static, str>,
    errors: Vec<FieldBody>,
    header: Option<(HeaderName, String)>,
}

impl Shape {
    fn new(status: StatusCode, error: impl Into<Cow<'static, str>>) -> Self {
        Self { status, error: error.into(), errors: Vec::new(), header: None }
    }

    fn field(mut self, field: &'static str) -> Self {
        self.errors = vec![FieldBody { field: field.into(), message: self.error.to_string() }];
        self
    }

    fn header(mut self, name: HeaderName, value: impl Display) -> Self {
        self.header = Some((name, value.to_string()));
        self
    }
}

/// The answer for a failure.
pub(super) fn response(head: &Head<'_>, failure: Failure) -> Response {
    let shape = shape(failure);
    let body = ErrorBody {
        status_code: shape.status.as_u16(),
        message: shape.status.canonical_reason().unwrap_or("Error"),
        error: shape.error,
        errors: shape.errors,
        timestamp: Time(head.meta.started),
        path: head.path,
        request_id: head.meta.request_id,
    };
    // Strings and numbers always serialise.
    let mut response = Response::new(Body::from(serde_json::to_vec(&body).unwrap_or_default()));
    *response.status_mut() = shape.status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some((name, value)) = shape.header
        && let Ok(value) = HeaderValue::from_str(&value)
    {
        response.headers_mut().insert(name, value);
    }
    response
}

fn shape(failure: Failure) -> Shape {
    match failure {
        Failure::Core(error) => core(error),
        Failure::Fields(fields) => invalid(fields),
        Failure::PathUnknown => Shape::new(StatusCode::NOT_FOUND, "There is no such path"),
        Failure::MethodNotAllowed { allow } => {
            Shape::new(StatusCode::METHOD_NOT_ALLOWED, format!("This path takes only {allow}"))
                .header(header::ALLOW, allow)
        }
        Failure::BodyTooLarge { max } => {
            Shape::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body must not be longer than {max} bytes"))
        }
        Failure::TooManyEntries { max } => Shape::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The list must not have more than {max} entries"),
        ),
        Failure::UnsupportedMediaType { wanted } => {
            Shape::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("The content type must be {wanted}"))
        }
        Failure::RangeNotSatisfiable { size } => {
            Shape::new(StatusCode::RANGE_NOT_SATISFIABLE, format!("There are only {size} bytes"))
                .header(header::CONTENT_RANGE, format!("bytes */{size}"))
        }
        Failure::NotAcceptable => {
            Shape::new(StatusCode::NOT_ACCEPTABLE, "The answer can only be application/json")
        }
        Failure::Malformed(detail) => Shape::new(StatusCode::BAD_REQUEST, detail),
        Failure::AnswerTooLarge(detail) => Shape::new(StatusCode::BAD_REQUEST, detail),
        Failure::BodyIncomplete => Shape::new(StatusCode::BAD_REQUEST, "The body broke off"),
        Failure::TimedOut => {
            let text = "The request took too long; a write that had begun may still be carried out";
            Shape::new(StatusCode::SERVICE_UNAVAILABLE, text).header(header::RETRY_AFTER, 1)
        }
    }
}

fn core(error: Error) -> Shape {
    match error {
        Error::Unauthenticated(detail) => unauthenticated(detail),
        // Sessions do not tell a disabled tenant from an unknown token.
        Error::TenantDisabled => unauthenticated("Invalid or expired token"),
        Error::Forbidden(detail) => Shape::new(StatusCode::FORBIDDEN, detail),
        Error::NotFound(entity) => Shape::new(
            StatusCode::NOT_FOUND,
            match entity {
                Entity::Tenant => "Account not found",
                Entity::OrgUnit => "Group not found",
                Entity::User => "User not found",
                Entity::Credential => "Credential not found",
                Entity::UserGroup => "User group not found",
                Entity::ContactGroup => "Contact list not found",
                Entity::Contact => "Contact not found",
                Entity::Webhook => "Webhook not found",
                Entity::Delivery => "Delivery not found",
                Entity::Tag => "Tag not found",
                Entity::MediaPrompt => "Media prompt not found",
                Entity::Message => "Message not found",
                Entity::Block => "Blocked number not found",
                Entity::Incoming => "Incoming message not found",
                Entity::Bulk => "Broadcast not found",
            },
        ),
        Error::Invalid(fields) => invalid(fields),
        Error::Duplicate(Unique::OrgUnitName) => Shape::new(
            StatusCode::BAD_REQUEST,
            "A group with this org_unit_name already exists within the parent group",
        )
        .field("org_unit_name"),
        Error::Duplicate(Unique::Login) => {
            Shape::new(StatusCode::BAD_REQUEST, "A user with this username already exists").field("username")
        }
        Error::Duplicate(Unique::ContactPhone) => {
            Shape::new(StatusCode::BAD_REQUEST, "This phone number is already in the list").field("phone")
        }
        Error::Duplicate(Unique::UserGroupExternalId) => {
            Shape::new(StatusCode::BAD_REQUEST, "A user group with this external id already exists")
        }
        Error::Duplicate(Unique::TagName) => {
            Shape::new(StatusCode::BAD_REQUEST, "A tag with this tag_name already exists in the group")
                .field("tag_name")
        }
        Error::Duplicate(Unique::BlockedNumber) => {
            Shape::new(StatusCode::BAD_REQUEST, "The number is blocked already").field("number")
        }
        Error::Repeated { rule: _, fields } => Shape {
            errors: fields
                .into_iter()
                .map(|field| FieldBody { field, message: "is there twice".to_owned() })
                .collect(),
            ..Shape::new(StatusCode::BAD_REQUEST, "A value is there twice")
        },
        Error::Rule(rule) => rule_shape(rule),
        Error::NoMoney => {
            Shape::new(StatusCode::PAYMENT_REQUIRED, "The balance of the account does not suffice")
        }
        Error::Precondition => Shape::new(
            StatusCode::PRECONDITION_FAILED,
            "The record was changed by someone else: If-Match does not hold",
        ),
        Error::TooMany { retry_after } => Shape::new(
            StatusCode::TOO_MANY_REQUESTS,
            format!("Too many requests; try again in {retry_after} seconds"),
        )
        .header(header::RETRY_AFTER, retry_after),
        Error::Unavailable(_) => {
            Shape::new(StatusCode::SERVICE_UNAVAILABLE, "The service cannot do that now; try again")
                .header(header::RETRY_AFTER, 1)
        }
        Error::Internal(_) => {
            Shape::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side")
        }
    }
}

fn unauthenticated(detail: &'static str) -> Shape {
    Shape::new(StatusCode::UNAUTHORIZED, detail).header(header::WWW_AUTHENTICATE, "Bearer")
}

fn invalid(fields: Vec<FieldError>) -> Shape {
    let errors: Vec<FieldBody> = fields.into_iter().map(field_body).collect();
    let summary: Vec<String> =
        errors.iter().map(|error| format!("{} {}", error.field, error.message)).collect();
    Shape { errors, ..Shape::new(StatusCode::BAD_REQUEST, summary.join("; ")) }
}

fn rule_shape(rule: Rule) -> Shape {
    let (field, detail): (_, Cow<'static, str>) = match rule {
        Rule::Cycle => (
            Some("org_unit_parent_id"),
            "A group cannot be moved under itself or one of its descendants".into(),
        ),
        Rule::TooDeep => (
            Some("org_unit_parent_id"),
            format!("A group cannot be created or moved below level {MAX_LEVEL}").into(),
        ),
        Rule::TopMoved => (Some("org_unit_parent_id"), "The top of the hierarchy cannot be moved".into()),
        Rule::OwnUnitMoved => (Some("org_unit_parent_id"), "You cannot move your own group".into()),
        Rule::TopArchived => (None, "The top of the hierarchy cannot be deleted".into()),
        Rule::OwnUnitArchived => (None, "You cannot delete your own group".into()),
        Rule::NotVacant => (None, "A group with active child groups or users cannot be deleted".into()),
        Rule::LastAdmin => {
            (None, "The account must keep an active Admin in its top group, one who can log in".into())
        }
        Rule::UserGroupHasMembers => (None, "A user group with members cannot be deleted".into()),
        Rule::TooManyWebhooks => {
            (None, format!("An account can have at most {} webhooks", webhook::limits::PER_TENANT).into())
        }
        Rule::TooManyLox24Webhooks => (
            Some("format"),
            format!(
                "An account can have at most {} webhooks of this format",
                webhook::limits::LOX24_PER_TENANT
            )
            .into(),
        ),
        Rule::DeliveryNotFailed => (None, "Only a delivery that has failed can be retried".into()),
        Rule::NoFilter => (None, "At least one filter is needed".into()),
        Rule::NoRecipients => {
            (Some("recipients"), "A broadcast needs recipients or contact_group_ids".into())
        }
        Rule::BulkNotEditable => (None, "Only a draft or a scheduled broadcast can be changed".into()),
        Rule::BulkStatus => (Some("status"), "The broadcast cannot get this status now".into()),
        Rule::EventForgotten => (None, "The event is too old to be delivered again".into()),
        Rule::ParentArchived => {
            (Some("org_unit_status"), "A group cannot be restored under an inactive parent".into())
        }
    };
    let shape = Shape::new(StatusCode::BAD_REQUEST, detail);
    match field {
        Some(field) => shape.field(field),
        None => shape,
    }
}

fn field_body(error: FieldError) -> FieldBody {
    let message = match error.problem {
        Problem::Required => "is required".to_owned(),
        Problem::Blank => "must not be empty".to_owned(),
        Problem::TooLong { max } => format!("must not be longer than {max} characters"),
        Problem::TooShort { min } => format!("must not be shorter than {min} characters"),
        Problem::TooManyEntries { max } => format!("must not have more than {max} entries"),
        Problem::WrongType(Kind::Text) => "must be a string".to_owned(),
        Problem::WrongType(Kind::Integer) => "must be an integer".to_owned(),
        Problem::WrongType(Kind::Boolean) => "must be true or false".to_owned(),
        Problem::WrongType(Kind::Object) => "must be an object".to_owned(),
        Problem::WrongType(Kind::Array) => "must be an array".to_owned(),
        Problem::OutOfRange { min, max: i64::MAX } => format!("must be at least {min}"),
        Problem::OutOfRange { min, max } => format!("must be between {min} and {max}"),
        Problem::NotOneOf(values) => format!("must be one of: {}", values.join(", ")),
        Problem::Unknown(what) => format!("does not refer to an existing {what}"),
        Problem::Inactive(what) => format!("refers to an inactive {what}"),
        Problem::Conflict(alias) => format!("differs from its alias {alias}"),
        Problem::Mismatch => "is not right".to_owned(),
        Problem::Format(rule) => rule.to_owned(),
    };
    FieldBody { field: error.field, message }
}
