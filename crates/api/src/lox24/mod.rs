//! The LOX24 dialect (documentation version 2.24): `/me`, `/groups` and `/phones` at the root of the listener.
//!
//! One file a resource; what all of them share of formats, failures and authentication stands beside them.

mod account;
mod auth;
mod collection;
mod failure;
mod format;
mod violation;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use self::account::Account;
use self::format::item;
use crate::App;
use crate::http::{About, Dialect, Head, Header, Published, Routes, routes};

/// Every call of the dialect.
pub(crate) const ROUTES: Routes = routes![
    GET "/me" => account::account_get, About::read("The account").answers(item::<Account>);
];

pub(crate) const DIALECT: Dialect = Dialect {
    name: "lox24",
    title: "LOX24 API 2.24",
    routes: ROUTES,
    prefixes: &["/me", "/groups", "/phones"],
    door: auth::door,
    failure: failure::response,
    finish,
    published: Published {
        failure: failure::schemas,
        schemes: || {
            let key = |name, description| json!({"type": "apiKey", "in": "header", "name": name, "description": description});
            json!({
                "token": key("X-LOX24-AUTH-TOKEN", "`<client id>:<key>`, or the key alone beside the client id."),
                "clientId": key("X-LOX24-CLIENT-ID", "The numeric client id, where the token is the key alone."),
            })
        },
        security: &[&["token"], &["clientId", "token"]],
        challenge: auth::CHALLENGE,
        headers: &[Header {
            name: REQUEST_ID,
            description: "Names the request: `x-request-id` without its hyphens.",
            pattern: "^[0-9a-f]{32}$",
        }],
        // A disabled account, no acceptable format, a blocked address.
        refusals: &[StatusCode::FORBIDDEN, StatusCode::NOT_ACCEPTABLE, StatusCode::TOO_MANY_REQUESTS],
    },
};

const REQUEST_ID: &str = "x-lox24-request-id";

pub(crate) fn router(app: &Arc<App>) -> Router {
    DIALECT.router(app)
}

/// Every answer names its request, and depends on the format that was asked for.
fn finish(head: &Head<'_>, response: &mut Response) {
    let mut id = [0; uuid::fmt::Simple::LENGTH];
    let id = head.meta.request_id.simple().encode_lower(&mut id);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static(REQUEST_ID), id);
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
}
