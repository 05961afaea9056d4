//! Who calls.

use muster_domain::credential::signature::{self, BodyHash, SignedRequest};
use serde::{Deserialize, Serialize};

use crate::clock::time;

/// Who calls, and what a request's head says of it.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    Nobody,
    /// Whoever shows these lines.
    Shows(String),
    /// Whoever signs with this key.
    Signs(AccessKey),
}

/// A key of the Onlive dialect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccessKey {
    pub(super) id: String,
    pub(super) secret: String,
}

impl Caller {
    /// Whoever has an access token.
    pub(super) fn bearer(token: &str) -> Self {
        Self::Shows(format!("Authorization: Bearer {token}\r\n"))
    }

    /// A program with a LOX24 key, that of the form `client id:key`, which wants plain JSON.
    pub(super) fn lox24(key: &str) -> Self {
        Self::Shows(format!("X-LOX24-AUTH-TOKEN: {key}\r\nAccept: application/json\r\n"))
    }

    /// The headers that all requests have. A signature is of this request, which has no query, and good for 15 minutes.
    pub(super) fn headers(&self, method: &str, path: &str, body: &str) -> String {
        match self {
            Self::Nobody => "Host: bench\r\n".to_owned(),
            Self::Shows(lines) => format!("Host: bench\r\n{lines}"),
            Self::Signs(AccessKey { id, secret }) => {
                let date = signature::date(time());
                let body = BodyHash::of(body.as_bytes());
                let request = SignedRequest { method, path, query: "", date: &date, body: &body };
                let signature = request.sign(secret.as_bytes());
                format!(
                    "Host: bench\r\nAuthorization: ONLIVESITE Credential:{id}, Signature={signature}\r\n\
                     x-onlive-site-date: {date}\r\n"
                )
            }
        }
    }
}
