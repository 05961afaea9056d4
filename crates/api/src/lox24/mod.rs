//! The LOX24 dialect (documentation version 2.24): `/me`, `/groups` and `/phones` at the root of the listener.
//!
//! One file a resource; what all of them share of formats, failures and authentication stands beside them.

mod account;
mod auth;
mod collection;
mod contact;
mod contact_group;
mod contact_group_wire;
mod contact_wire;
mod failure;
mod format;
mod violation;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use muster_domain::contact::MAX_ADDED;
use serde_json::json;

use self::account::Account;
use self::collection::list;
use self::contact_group_wire::Group;
use self::contact_wire::PhoneBody;
use self::format::item;
use crate::App;
use crate::http::Mode::{Create, Merge};
use crate::http::{About, Dialect, Head, Header, Ids, Published, Routes, routes};

/// A number that is in the group already.
const UNPROCESSABLE: &[StatusCode] = &[StatusCode::UNPROCESSABLE_ENTITY];

/// Every call of the dialect.
pub(crate) const ROUTES: Routes = routes![
    GET "/me" => account::account_get, About::read("The account").answers(item::<Account>);
    GET "/groups" => contact_group::contact_group_list,
        About::read("The groups, the greatest id first")
            .query(|q| _ = contact_group::page(q)).answers(list::<Group>);
    POST "/groups" => contact_group::contact_group_create,
        About::write("Create a group, with its phones if there are any")
            .body(Create, |f| _ = contact_group_wire::decode(f)).refuses(UNPROCESSABLE).creates(item::<Group>);
    GET "/groups/{id}" => contact_group::contact_group_get,
        About::read("One group").versioned().answers(item::<Group>);
    PUT "/groups/{id}" => contact_group::contact_group_update,
        About::write("Change what is named of a group; with `phones`, its list becomes exactly that").versioned()
            .body(Merge, |f| _ = contact_group_wire::decode(f)).refuses(UNPROCESSABLE).answers(item::<Group>);
    DELETE "/groups/{id}" => contact_group::contact_group_delete,
        About::write("Delete a group with its phones").versioned().deletes();
    GET "/groups/{id}/file/csv" => contact_group::contact_export,
        About::read("The phones of a group as CSV; `Accept` is not looked at").one_format()
            .answers(|_| vec![("text/csv", json!({"type": "string"}))]);
    GET "/groups/{id}/phones" => contact::contact_list,
        About::read("The phones of a group, by id: a page, or all of them if none is named")
            .query(|q| _ = contact_group::page(q)).answers(list::<PhoneBody>);
    POST "/groups/{id}/phones" => contact::contact_create,
        About::write("Put a phone into a group")
            .body(Create, |f| _ = contact_wire::decode(f)).refuses(UNPROCESSABLE).creates(item::<PhoneBody>);
    POST "/groups/{id}/phones/batch" => contact::contacts_add,
        About::write("Put many phones into a group; each is told for itself")
            .array(MAX_ADDED, |f| _ = contact_wire::decode(f)).creates(contact::batch);
    GET "/phones/{id}" => contact::contact_get,
        About::read("One phone").versioned().answers(item::<PhoneBody>);
    PUT "/phones/{id}" => contact::contact_update,
        About::write("Change what is named of a phone").versioned()
            .body(Merge, |f| _ = contact_wire::decode(f)).refuses(UNPROCESSABLE).answers(item::<PhoneBody>);
    DELETE "/phones/{id}" => contact::contact_delete,
        About::write("Take a phone out of its group").versioned().deletes();
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
            required: true,
        }],
        // A disabled account, no acceptable format, a blocked address.
        refusals: &[StatusCode::FORBIDDEN, StatusCode::NOT_ACCEPTABLE, StatusCode::TOO_MANY_REQUESTS],
        ids: Ids::Integers,
    },
};

const REQUEST_ID: &str = "x-lox24-request-id";

pub(crate) fn router(app: &Arc<App>) -> Router {
    DIALECT.router(app)
}

/// Every answer names its request, and depends on the format that was asked for, where there are several.
fn finish(head: &Head<'_>, response: &mut Response) {
    let mut id = [0; uuid::fmt::Simple::LENGTH];
    let id = head.meta.request_id.simple().encode_lower(&mut id);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static(REQUEST_ID), id);
    }
    if head.negotiates {
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    }
}
