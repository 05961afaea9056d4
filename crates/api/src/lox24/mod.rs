//! The LOX24 dialect (documentation version 2.24): `/me`, `/groups`, `/phones`, `/sms` and what belongs to them at the root
//! of the listener.
//!
//! One file a resource; what all of them share of formats, failures and authentication stands beside them.

mod account;
mod auth;
mod block;
mod bulk;
mod bulk_wire;
mod collection;
mod contact;
mod contact_group;
mod contact_group_wire;
mod contact_wire;
mod failure;
mod filter;
mod format;
mod incoming;
mod message;
mod message_wire;
mod price;
mod violation;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use muster_domain::Area::Resources;
use muster_domain::contact::MAX_ADDED;
use serde_json::json;

use self::account::Account;
use self::block::BlockBody;
use self::bulk_wire::{BulkBody, BulkStatusBody};
use self::collection::list;
use self::contact_group_wire::Group;
use self::contact_wire::PhoneBody;
use self::format::item;
use self::incoming::IncomingBody;
use self::message::Operated;
use self::message_wire::{Sms, UUIDS};
use self::price::{AccountPrice, COUNTRIES, PriceBody};
use crate::App;
use crate::http::Mode::{Create, Merge};
use crate::http::{About, Dialect, Head, Header, Ids, Published, Routes, Schemas, routes};

/// A number that is in the group already.
const UNPROCESSABLE: &[StatusCode] = &[StatusCode::UNPROCESSABLE_ENTITY];
/// Not enough money.
const UNPAID: &[StatusCode] = &[StatusCode::PAYMENT_REQUIRED];
/// A number that is blocked already.
const CONFLICT: &[StatusCode] = &[StatusCode::CONFLICT];
/// What calls that are open to everybody answer as well: no acceptable format, a blocked address.
const REFUSED: &[StatusCode] = &[StatusCode::NOT_ACCEPTABLE, StatusCode::TOO_MANY_REQUESTS];

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
    GET "/sms" => message::message_list,
        About::read("The messages, the newest first").of(Resources)
            .query(|q| _ = message::list(q)).answers(list::<Sms>);
    POST "/sms" => message::message_create,
        About::write("Send a message").of(Resources)
            .body(Create, |f| _ = message_wire::decode(f)).refuses(UNPAID).creates(item::<Sms>);
    POST "/sms/dryrun" => message::message_dry_run,
        About::write("Say what would become of a message, and what it would cost").of(Resources)
            .body(Create, |f| _ = message_wire::decode(f)).creates(item::<Sms>);
    POST "/sms/ops/batch_cancel" => message::messages_stop,
        About::write("Stop the messages that fit the filters and are not handed over").of(Resources).one_format()
            .query(|q| _ = message::select(q)).refuses(UNPROCESSABLE).answers(Schemas::json::<Operated>);
    POST "/sms/ops/batch_delete" => message::messages_delete,
        About::write("Delete the messages that fit the filters").of(Resources).one_format()
            .query(|q| _ = message::select(q)).refuses(UNPROCESSABLE).answers(Schemas::json::<Operated>);
    GET "/sms/{uuid}" => message::message_get,
        About::read("One message").of(Resources).ids(UUIDS).versioned().answers(item::<Sms>);
    DELETE "/sms/{uuid}" => message::message_delete,
        About::write("Delete a message; one that waits is not sent").of(Resources).ids(UUIDS).versioned().deletes();
    GET "/bulks" => bulk::bulk_list,
        About::read("The bulks, the newest first").of(Resources)
            .query(|q| _ = bulk::list(q)).answers(list::<BulkStatusBody>);
    POST "/bulks" => bulk::bulk_create,
        About::write("Send one text to many").of(Resources)
            .body(Create, |f| _ = bulk_wire::decode(f)).refuses(UNPROCESSABLE).creates(item::<BulkBody>);
    POST "/bulks/dryrun" => bulk::bulk_dry_run,
        About::write("Keep a bulk that is counted and not sent").of(Resources)
            .body(Create, |f| _ = bulk_wire::decode(f)).refuses(UNPROCESSABLE).creates(item::<BulkBody>);
    GET "/bulks/{id}" => bulk::bulk_get,
        About::read("One bulk").of(Resources).ids(UUIDS).versioned().answers(item::<BulkBody>);
    GET "/bulks/{id}/status" => bulk::bulk_status_get,
        About::read("How far a bulk is").of(Resources).ids(UUIDS).versioned().answers(item::<BulkStatusBody>);
    PUT "/bulks/{id}/cancel" => bulk::bulk_cancel,
        About::write("Cancel a bulk that has not ended; what is not handed over is stopped").of(Resources).ids(UUIDS)
            .versioned().refuses(UNPROCESSABLE).answers(item::<BulkStatusBody>);
    DELETE "/bulks/{id}" => bulk::bulk_delete,
        About::write("Delete a bulk; its messages stay, but for those that wait").of(Resources).ids(UUIDS)
            .versioned().deletes();
    GET "/incomings" => incoming::incoming_list,
        About::read("The messages from phones, the newest first").of(Resources)
            .query(|q| _ = incoming::list(q)).answers(list::<IncomingBody>);
    GET "/incomings/{uuid}" => incoming::incoming_get,
        About::read("One message from a phone").of(Resources).ids(UUIDS).versioned().answers(item::<IncomingBody>);
    DELETE "/incomings/{uuid}" => incoming::incoming_delete,
        About::write("Delete a message from a phone").of(Resources).ids(UUIDS).versioned().deletes();
    GET "/blocked_numbers" => block::block_list,
        About::read("The numbers that get no messages, the newest first").of(Resources)
            .query(|q| _ = block::list(q)).answers(list::<BlockBody>);
    POST "/blocked_numbers" => block::block_create,
        About::write("Block a number").of(Resources)
            .body(Create, |f| _ = block::decode(f)).refuses(CONFLICT).creates(item::<BlockBody>);
    GET "/blocked_numbers/{id}" => block::block_get,
        About::read("One blocked number").of(Resources).versioned().answers(item::<BlockBody>);
    DELETE "/blocked_numbers/{id}" => block::block_delete,
        About::write("Unblock a number").of(Resources).versioned().deletes();
    GET "/pricelist/{country}" => price::price_list,
        About::open("The prices of a country, or of all").ids(COUNTRIES).unknown_id(StatusCode::BAD_REQUEST)
            .refuses(REFUSED).query(|q| _ = price::wanted(q)).answers(price::answer::<PriceBody>);
    GET "/me/pricelist/{country}" => price::account_price_list,
        About::read("What the account pays for messages to a country, or to all").of(Resources).ids(COUNTRIES)
            .query(|q| _ = price::wanted_by_account(q)).answers(price::answer::<AccountPrice>);
];

pub(crate) const DIALECT: Dialect = Dialect {
    name: "lox24",
    title: "LOX24 API 2.24",
    routes: ROUTES,
    prefixes: &[
        "/me",
        "/groups",
        "/phones",
        "/sms",
        "/bulks",
        "/incomings",
        "/blocked_numbers",
        "/pricelist",
    ],
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
