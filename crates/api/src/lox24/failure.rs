//! The dialect's form of every failure (LOX24 contract, section 1), in the words of Symfony and API Platform.

use std::borrow::Cow;
use std::fmt::Display;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use muster_domain::{Error, Rule, Unique};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::CHALLENGE;
use super::format::{Format, JSON_LD, context, write};
use super::violation::{Violation, taken, violation};
use crate::http::{Content, Failure, Head, Schemas};

const PROBLEM: &str = "application/problem+json";
const PHONE_TAKEN: &str = "This phone is already in the group.";
const TITLE: &str = "An error occurred";

/// Why there is no good answer.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
struct ProblemBody<'a> {
    r#type: &'static str,
    title: &'static str,
    /// One line a failing field.
    detail: &'a str,
    /// The failing fields, if that is what is wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    violations: &'a [Violation],
}

/// Why there is no good answer, in Hydra's words.
#[derive(Serialize, ToSchema)]
#[schema(as = HydraError)]
struct HydraBody<'a> {
    #[serde(rename = "@context")]
    context: String,
    /// `hydra:Error`, or `ConstraintViolationList`.
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "hydra:title")]
    title: &'static str,
    #[serde(rename = "hydra:description")]
    description: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    violations: &'a [Violation],
}

/// The schemas of a failure.
pub(super) fn schemas(schemas: &mut Schemas) -> Content {
    let problem = schemas.reference::<ProblemBody<'_>>();
    let hydra = schemas.reference::<HydraBody<'_>>();
    vec![(PROBLEM, problem), (JSON_LD, hydra)]
}

/// A failure as the dialect tells it: a status, a text, failing fields and one more header.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    detail: Cow<'static, str>,
    violations: Vec<Violation>,
    header: Option<(HeaderName, String)>,
}

/// The answer for a failure: JSON where nothing is negotiated, JSON-LD for a client that takes neither format.
pub(super) fn response(head: &Head<'_>, failure: Failure) -> Response {
    let format =
        if head.negotiates { Format::of(head.headers).unwrap_or(Format::JsonLd) } else { Format::Json };
    let refusal = Refusal::of(failure);
    let kind = match format {
        Format::Json => PROBLEM,
        Format::JsonLd => JSON_LD,
    };
    let mut body = Vec::new();
    // Strings always serialise.
    let _ = refusal.write(&mut body, format, &refusal.violations);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = refusal.status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some((name, value)) = refusal.header
        && let Ok(value) = HeaderValue::from_str(&value)
    {
        response.headers_mut().insert(name, value);
    }
    response
}

impl Refusal {
    fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), violations: Vec::new(), header: None }
    }

    /// What the name of the status says.
    fn plain(status: StatusCode) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or(TITLE))
    }

    fn violating(status: StatusCode, violations: Vec<Violation>) -> Self {
        let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
        Self { violations, ..Self::new(status, lines.join("\n")) }
    }

    fn header(mut self, name: HeaderName, value: impl Display) -> Self {
        self.header = Some((name, value.to_string()));
        self
    }

    /// Writes the body for one entry of a batch, which has its status beside it and no violations.
    pub(super) fn write_entry(&self, out: &mut Vec<u8>, format: Format) -> Result<(), Error> {
        self.write(out, format, &[])
    }

    fn write(&self, out: &mut Vec<u8>, format: Format, violations: &[Violation]) -> Result<(), Error> {
        let kind = if violations.is_empty() { "Error" } else { "ConstraintViolationList" };
        match format {
            Format::Json => write(
                out,
                &ProblemBody {
                    r#type: "https://tools.ietf.org/html/rfc2616#section-10",
                    title: TITLE,
                    detail: &self.detail,
                    violations,
                },
            ),
            Format::JsonLd => write(
                out,
                &HydraBody {
                    context: context(kind),
                    kind: if violations.is_empty() { "hydra:Error" } else { kind },
                    title: TITLE,
                    description: &self.detail,
                    violations,
                },
            ),
        }
    }

    /// What the dialect makes of a failure.
    pub(super) fn of(failure: Failure) -> Self {
        match failure {
            Failure::Core(error) => Self::of_error(error),
            Failure::Fields(fields) => {
                Self::violating(StatusCode::BAD_REQUEST, fields.into_iter().map(violation).collect())
            }
            Failure::PathUnknown => Self::plain(StatusCode::NOT_FOUND),
            Failure::MethodNotAllowed { allow } => {
                Self::plain(StatusCode::METHOD_NOT_ALLOWED).header(header::ALLOW, allow)
            }
            Failure::BodyTooLarge { max } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The body must not be longer than {max} bytes."),
            ),
            Failure::TooManyEntries { max } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The list must not have more than {max} entries."),
            ),
            Failure::UnsupportedMediaType { wanted: _ } => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The content-type is not supported. Supported MIME types are \"application/json\".",
            ),
            Failure::RangeNotSatisfiable { size } => {
                Self::new(StatusCode::RANGE_NOT_SATISFIABLE, format!("There are only {size} bytes."))
            }
            Failure::NotAcceptable => Self::new(
                StatusCode::NOT_ACCEPTABLE,
                "Requested format is not supported. Supported MIME types are \"application/ld+json\", \
                 \"application/json\".",
            ),
            Failure::Malformed(detail) => Self::new(StatusCode::BAD_REQUEST, detail),
            Failure::AnswerTooLarge(detail) => Self::new(StatusCode::BAD_REQUEST, detail),
            Failure::BodyIncomplete => Self::new(StatusCode::BAD_REQUEST, "The body broke off."),
            Failure::TimedOut => Self::plain(StatusCode::SERVICE_UNAVAILABLE).header(header::RETRY_AFTER, 1),
        }
    }

    fn of_error(error: Error) -> Self {
        match error {
            Error::Unauthenticated(_) => {
                Self::new(StatusCode::UNAUTHORIZED, "Client ID or API key isn't active or invalid!")
                    .header(header::WWW_AUTHENTICATE, CHALLENGE)
            }
            Error::TenantDisabled => Self::new(
                StatusCode::FORBIDDEN,
                "Account isn't activated. Please wait or contact to support!",
            ),
            Error::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, "Access Denied."),
            Error::NotFound(_) => Self::plain(StatusCode::NOT_FOUND),
            Error::Invalid(fields) => Self::of(Failure::Fields(fields)),
            Error::Duplicate(unique) => Self::violating(
                match unique {
                    Unique::BlockedNumber => StatusCode::CONFLICT,
                    _ => StatusCode::UNPROCESSABLE_ENTITY,
                },
                match unique {
                    Unique::OrgUnitName | Unique::TagName => vec![taken("name", "This value is already used.")],
                    Unique::Login => vec![taken("login", "This value is already used.")],
                    Unique::UserGroupExternalId => vec![taken("external_id", "This value is already used.")],
                    Unique::ContactPhone => vec![taken("phone", PHONE_TAKEN)],
                    Unique::BlockedNumber => vec![taken("number", "This value is already used.")],
                },
            ),
            Error::Repeated { rule: _, fields } => Self::violating(
                StatusCode::UNPROCESSABLE_ENTITY,
                fields.into_iter().map(|field| taken(field, PHONE_TAKEN)).collect(),
            ),
            Error::Rule(rule) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, rule_text(rule)),
            Error::NoMoney => Self::new(StatusCode::PAYMENT_REQUIRED, "Not enough money in the account."),
            Error::Precondition => Self::plain(StatusCode::PRECONDITION_FAILED),
            Error::TooMany { retry_after } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "IP address was temporary blocked, because during short time from it was sent many request with \
                 invalid credentials. Please wait and try later.",
            )
            .header(header::RETRY_AFTER, retry_after),
            Error::Unavailable(_) => {
                Self::plain(StatusCode::SERVICE_UNAVAILABLE).header(header::RETRY_AFTER, 1)
            }
            Error::Internal(_) => Self::plain(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// The rules of the tree and of users, which no call of the dialect can break today.
fn rule_text(rule: Rule) -> &'static str {
    match rule {
        Rule::NoFilter => "At least one filter is needed.",
        Rule::NoRecipients => "At least one phone or group is needed.",
        Rule::BulkStatus => "Only a bulk that is new or in progress can be cancelled.",
        Rule::BulkNotEditable => "The bulk cannot be changed any more.",
        Rule::Cycle
        | Rule::TooDeep
        | Rule::TopMoved
        | Rule::OwnUnitMoved
        | Rule::TopArchived
        | Rule::OwnUnitArchived
        | Rule::NotVacant
        | Rule::ParentArchived
        | Rule::LastAdmin
        | Rule::UserGroupHasMembers
        | Rule::TooManyWebhooks
        | Rule::TooManyLox24Webhooks
        | Rule::DeliveryNotFailed
        | Rule::EventForgotten => "The stored data does not permit this.",
    }
}

#[cfg(test)]
mod tests {
    use muster_domain::{FieldErrors, Kind, Problem};

    use super::*;

    fn written(refusal: &Refusal, format: Format, violations: &[Violation]) -> String {
        let mut out = Vec::new();
        refusal.write(&mut out, format, violations).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_failing_field_is_told_but_not_in_an_entry_of_a_batch() {
        let mut errors = FieldErrors::default();
        errors.push("name", Problem::TooLong { max: 50 });
        errors.push(format!("phones[{}].phone", 3), Problem::WrongType(Kind::Text));
        errors.push("name", Problem::Blank);
        let refusal = Refusal::of(errors.finish().unwrap_err().into());
        assert_eq!(refusal.status, 400);
        for format in [Format::Json, Format::JsonLd] {
            insta::assert_snapshot!(written(&refusal, format, &refusal.violations));
            let mut entry = Vec::new();
            refusal.write_entry(&mut entry, format).unwrap();
            insta::assert_snapshot!(String::from_utf8(entry).unwrap());
        }
    }

    #[test]
    fn every_failure_has_its_status_and_text() {
        let core = [
            Error::Unauthenticated("x"),
            Error::TenantDisabled,
            Error::Forbidden("x"),
            Error::NotFound(muster_domain::Entity::Tenant),
            Error::field("name", Problem::Required),
            Error::Duplicate(Unique::Login),
            Error::Duplicate(Unique::ContactPhone),
            Error::Repeated { rule: Unique::ContactPhone, fields: vec!["phones[3].phone".into()] },
            Error::Rule(Rule::Cycle),
            Error::NoMoney,
            Error::Precondition,
            Error::TooMany { retry_after: 7 },
            Error::Unavailable("secret".into()),
            Error::Internal("secret".to_owned()),
        ];
        let http = Failure::each("Too much.");
        let lines: Vec<String> = core
            .into_iter()
            .map(Failure::from)
            .chain(http)
            .map(Refusal::of)
            .map(|refusal| {
                let header = refusal.header.map(|(name, value)| format!("[{name}: {value}]"));
                format!("{} {}{}", refusal.status.as_u16(), refusal.detail, header.unwrap_or_default())
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
