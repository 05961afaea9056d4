//! The Onlive.site Open API dialect under `/api/v1`.
//!
//! One file a resource; what all of them share of signatures, formats and failures stands beside them.

mod auth;
mod failure;
mod format;
mod user;
mod user_group;
mod user_group_wire;
mod user_wire;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use self::format::{deleted, list};
use self::user_group_wire::UserGroupBody;
use self::user_wire::UserBody;
use crate::App;
use crate::http::Mode::{Create, Merge};
use crate::http::{About, Dialect, Head, Header, Ids, Published, Routes, Schemas, routes};

/// What needs stored data and is refused because of it.
const CONFLICT: &[StatusCode] = &[StatusCode::CONFLICT];

const LIST_USERS: About =
    About::read("The users, the newest first").query(|q| _ = user::list(q)).answers(list::<UserBody>);
const CREATE_USER: About = About::write("Create a user")
    .body(Create, |f| _ = user_wire::decode(f, None))
    .refuses(CONFLICT)
    .creates(Schemas::json::<UserBody>);

const LIST_USER_GROUPS: About = About::read("The user groups, the newest first")
    .query(|q| _ = user_group::list(q))
    .answers(list::<UserGroupBody>);
const CREATE_USER_GROUP: About = About::write("Create a user group")
    .body(Create, |f| _ = user_group_wire::decode(f))
    .refuses(CONFLICT)
    .creates(Schemas::json::<UserGroupBody>);

/// Every call of the dialect. A slash at the end of a collection says the same.
pub(crate) const ROUTES: Routes = routes![
    GET "/api/v1/user-groups" => user_group::user_group_list, LIST_USER_GROUPS;
    GET "/api/v1/user-groups/" => user_group::user_group_list, LIST_USER_GROUPS;
    POST "/api/v1/user-groups" => user_group::user_group_create, CREATE_USER_GROUP;
    POST "/api/v1/user-groups/" => user_group::user_group_create, CREATE_USER_GROUP;
    GET "/api/v1/user-groups/{id}" => user_group::user_group_get,
        About::read("One user group").versioned().answers(Schemas::json::<UserGroupBody>);
    PUT "/api/v1/user-groups/{id}" => user_group::user_group_update,
        About::write("Change what is named of a user group; extra fields are replaced whole").versioned()
            .body(Merge, |f| _ = user_group_wire::decode(f)).refuses(CONFLICT)
            .answers(Schemas::json::<UserGroupBody>);
    DELETE "/api/v1/user-groups/{id}" => user_group::user_group_delete,
        About::write("Delete a user group that has no members, for good").versioned()
            .answers(deleted::<UserGroupBody>);
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
        About::write("Delete a user for good").versioned().answers(deleted::<UserBody>);
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
