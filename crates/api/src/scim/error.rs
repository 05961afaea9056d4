//! What SCIM calls wrong (RFC 7644, section 3.12; RFC 9865, section 2).

use std::fmt;

use serde_json::{Value, json};

pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The kinds of errors that have a name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimType {
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
    InvalidVers,
    Sensitive,
    InvalidCursor,
    ExpiredCursor,
    InvalidCount,
    /// Ours, for what is beyond a limit on the size of a request.
    TooLarge,
}

impl ScimType {
    pub const ALL: [Self; 14] = [
        Self::InvalidFilter,
        Self::TooMany,
        Self::Uniqueness,
        Self::Mutability,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::InvalidValue,
        Self::InvalidVers,
        Self::Sensitive,
        Self::InvalidCursor,
        Self::ExpiredCursor,
        Self::InvalidCount,
        Self::TooLarge,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
            Self::TooLarge => "tooLarge",
        }
    }

    /// The status that it comes with.
    pub const fn status(self) -> u16 {
        match self {
            Self::Uniqueness => 409,
            Self::Sensitive => 403,
            Self::TooLarge => 413,
            _ => 400,
        }
    }
}

/// Why a request is refused, with a sentence for whoever reads the client's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimError {
    pub scim_type: ScimType,
    pub detail: String,
}

impl ScimError {
    pub fn new(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self { scim_type, detail: detail.into() }
    }

    pub(super) fn invalid_value(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidValue, detail)
    }

    /// The body of the answer.
    pub fn document(&self) -> Value {
        document(self.scim_type.status(), Some(self.scim_type), &self.detail)
    }
}

impl fmt::Display for ScimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.scim_type.as_str(), self.detail)
    }
}

/// The body of an answer that refuses. The status is a string (RFC 7644, section 3.12).
pub fn document(status: u16, scim_type: Option<ScimType>, detail: &str) -> Value {
    let mut body = json!({"schemas": [ERROR], "status": status.to_string()});
    if let Some(scim_type) = scim_type {
        body["scimType"] = scim_type.as_str().into();
    }
    body["detail"] = detail.into();
    body
}
