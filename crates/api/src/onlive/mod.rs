//! The Onlive.site Open API dialect under `/api/v1`.
//!
//! One file a resource; what all of them share of signatures, formats and failures stands beside them.

mod auth;
mod failure;
mod format;
mod user;
mod user_wire;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use self::format::Listed;
use self::user_wire::{Deleted, UserBody};
use crate::App;
use crate::http::Mode::{Create, Merge};
use crate::http::{About, Dialect, Head, Header, Ids, Published, Routes, Schemas, routes};

/// What needs stored data and is refused because of it.
const CONFLICT: &[StatusCode] = &[StatusCode::CONFLICT];

const LIST_USERS: About = About::read("The users, the newest first")
    .query(|q| _ = user::list(q))
    .answers(Schemas::json::<Listed<UserBody>>);
const CREATE_USER: About = About::write("Create a user")
    .body(Create, |f| _ = user_wire::decode(f, None))
    .refuses(CONFLICT)
    .creates(Schemas::json::<UserBody>);

/// Every call of the dialect. A slash at the end of a collection says the same.
pub(crate) const ROUTES: Routes = routes![
    GET "/api/v1/users" => user::user_list, LIST_USERS;
    GET "/api/v1/users/" => user::user_list, LIST_USERS;
    POST "/api/v1/users" => user::user_create, CREATE_USER;
    POST "/api/v1/users/" => user::user_create, CREATE_USER;
    GET "/api/v1/users/{id}" => user::user_get,
        About::read("One user").versioned().answers(Schemas::json::<UserBody>);
    PUT "/api/v1/users/{id}" => user::user_update,
        About::write("Change what is named of a user").versioned()
            .body(Merge, |f| _ = user_wire::decode(f, None)).answers(Schemas::json::<UserBody>);
    DELETE "/api/v1/users/{id}" => user::user_erase,
        About::write("Delete a user for good").versioned().answers(Schemas::json::<Deleted<UserBody>>);
];

pub(crate) const DIALECT: Dialect = Dialect {
    name: "onlive",
    title: "Onlive.site Open API",
    routes: ROUTES,
    prefixes: &["/api/v1"],
    door: |_| Ok(()),
    failure: failure::response,
    finish,
    published: Published {
        failure: Schemas::json::<failure::Body>,
        schemes: || {
            let key = |name, description| json!({"type": "apiKey", "in": "header", "name": name, "description": description});
            json!({
                "signature": key("Authorization", "`ONLIVESITE Credential:<access key id>, Signature=<signature>`. The \
                    signature is the lower-case hexadecimal HMAC-SHA256, with the secret of the key, of five lines: the \
                    method; the path as it is sent; the query, its pairs percent-encoded (RFC 3986, all but unreserved \
                    characters), sorted by name and value and joined by `&`; `x-onlive-site-date:` and the date; the \
                    lower-case hexadecimal SHA-256 of the body. `muster sign` makes it."),
                "date": key("x-onlive-site-date", "When the request was signed, as `YYYYMMDDTHHMMSSZ` in UTC; at most 15 \
                    minutes from the server's time."),
            })
        },
        security: &[&["signature", "date"]],
        challenge: auth::CHALLENGE,
        headers: &[
            Header {
                name: LIMIT,
                description: "Calls of this kind (reads or writes) that the access key may make within a minute. On every \
                    answer to a caller that is known, if such calls are limited.",
                pattern: "^[0-9]+$",
                required: false,
            },
            Header {
                name: REMAINING,
                description: "How many of them are left.",
                pattern: "^[0-9]+$",
                required: false,
            },
        ],
        // Any body is part of the signature.
        refusals: &[StatusCode::PAYLOAD_TOO_LARGE, StatusCode::TOO_MANY_REQUESTS],
        ids: Ids::Uuids,
    },
};

const LIMIT: &str = "x-ratelimit-limit";
const REMAINING: &str = "x-ratelimit-remaining";

pub(crate) fn router(app: &Arc<App>) -> Router {
    DIALECT.router(app)
}

/// Every answer tells what is left to the caller, once it is known who that is.
fn finish(head: &Head<'_>, response: &mut Response) {
    if let Some(quota) = head.quota {
        for (name, number) in [(LIMIT, quota.limit), (REMAINING, quota.left)] {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(number));
        }
    }
}
