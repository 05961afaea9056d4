//! The Convirza Platform API V3 dialect: OAuth under `/oauth`, the API under `/v3`.
//!
//! One file a resource; a resource with a body has its wire shapes in a file beside it.

mod ad_source;
mod broadcast;
mod broadcast_wire;
mod conversation;
mod conversation_wire;
mod envelope;
mod failure;
mod industry;
mod media_prompt;
mod oauth;
mod org_unit;
mod org_unit_wire;
mod profile;
mod tag;
mod tree_wire;
mod user;
mod user_wire;
mod webhook;
mod webhook_wire;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::{HeaderValue, Method, StatusCode, header};
use muster_delivery::Policy;
use muster_domain::Area::Resources;
use muster_domain::OrgUnitId;
use serde_json::json;
use tower_http::cors::{AllowOrigin, CorsLayer};

use self::ad_source::AdSources;
use self::broadcast::{BroadcastWritten, Broadcasts};
use self::broadcast_wire::{BroadcastRow, PreviewBody};
use self::conversation::{ConversationReplied, ConversationWritten};
use self::conversation_wire::{ConversationDetail, Conversations};
use self::envelope::data;
use self::industry::Industries;
use self::media_prompt::{MediaPromptWritten, MediaPrompts};
use self::oauth::{Revoked, TokenBody};
use self::org_unit::{GroupWritten, Groups, OrgUnits};
use self::org_unit_wire::GroupDetail;
use self::profile::PasswordChanged;
use self::tag::{TagRow, TagWritten, Tags};
use self::tree_wire::Tree;
use self::user::{UserWritten, Users};
use self::user_wire::UserDetail;
use self::webhook::{
    Deliveries, DeliveriesRetried, DeliveryRetried, WebhookSigned, WebhookWritten, Webhooks,
};
use self::webhook_wire::{WebhookBody, WebhookTested};
use crate::App;
use crate::http::Mode::{Create, Merge, Replace};
use crate::http::{About, Dialect, Fields, Published, Routes, Schemas, routes};

/// Every call of the dialect.
pub(crate) const ROUTES: Routes = routes![
    POST "/oauth/token" => oauth::session_open,
        About::open("Log in with a password").limited().refuses(&[StatusCode::UNAUTHORIZED])
            .body(Create, |f| _ = oauth::log_in(f)).answers(Schemas::json::<TokenBody<'_>>);
    POST "/oauth/refresh-token" => oauth::session_refresh,
        About::open("Exchange a refresh token for a new pair").refuses(&[StatusCode::UNAUTHORIZED])
            .body(Create, |f| _ = oauth::refresh(f)).answers(Schemas::json::<TokenBody<'_>>);
    POST "/oauth/revoke-token" => oauth::session_revoke,
        About::open("End one token").body(Create, |f| _ = oauth::revocation(f)).answers(Schemas::json::<Revoked>);
    GET "/v3/auth/profile" => profile::profile_get,
        About::any_role("The caller").versioned().answers(data::<UserDetail<'_>>);
    POST "/v3/auth/password" => profile::password_change,
        About::any_role("Change one's own password").limited()
            .body(Create, |f| _ = profile::passwords(f)).answers(data::<PasswordChanged>);
    GET "/v3/groups" => org_unit::org_unit_list,
        About::read("The caller's group and all below it, by id")
            .query(|q| _ = org_unit::list(q)).answers(data::<Groups<'_>>);
    POST "/v3/groups" => org_unit::org_unit_create,
        About::write("Create a group")
            .body(Create, |f| _ = org_unit_wire::decode(f, None)).creates(data::<GroupWritten>);
    GET "/v3/groups/list" => org_unit::org_unit_children,
        About::read("The children of a group, by name")
            .query(|q| _ = org_unit::children(q)).answers(data::<Groups<'_>>);
    GET "/v3/groups/tree" => org_unit::org_unit_tree,
        About::read("The caller's group and all below it, as a tree")
            .query(|q| _ = org_unit::tree(q)).answers(data::<Tree<'_>>);
    GET "/v3/groups/org-list/{id}" => org_unit::org_unit_ids,
        About::read("The ids of a group and all below it")
            .unknown_id(StatusCode::UNAUTHORIZED).answers(data::<OrgUnits>);
    GET "/v3/groups/{id}" => org_unit::org_unit_get,
        About::read("One group").versioned().answers(data::<GroupDetail<'_>>);
    PUT "/v3/groups/{id}" => org_unit::org_unit_update,
        About::write("Replace a group").versioned()
            .body(Replace, |f| _ = org_unit_wire::decode(f, None)).answers(data::<GroupWritten>);
    PATCH "/v3/groups/{id}" => org_unit::org_unit_patch,
        About::write("Change what is named of a group").versioned()
            .body(Merge, |f| _ = org_unit_wire::decode(f, None)).answers(data::<GroupWritten>);
    DELETE "/v3/groups/{id}" => org_unit::org_unit_archive,
        About::write("Archive a group").versioned().answers(data::<GroupWritten>);
    GET "/v3/users" => user::user_list,
        About::read("The users of a group and all below it")
            .query(|q| _ = user::list(q)).answers(data::<Users<'_>>);
    POST "/v3/users" => user::user_create,
        About::write("Create a user")
            .body(Create, |f| _ = user_wire::decode(f, None, OrgUnitId(0))).creates(data::<UserWritten>);
    GET "/v3/users/list" => user::user_list,
        About::read("The users of a group and all below it; the same as /v3/users")
            .query(|q| _ = user::list(q)).answers(data::<Users<'_>>);
    GET "/v3/users/{id}" => user::user_get,
        About::read("One user").versioned().answers(data::<UserDetail<'_>>);
    PUT "/v3/users/{id}" => user::user_update,
        About::write("Replace a user").versioned()
            .body(Replace, |f| _ = user_wire::decode(f, None, OrgUnitId(0))).answers(data::<UserWritten>);
    PATCH "/v3/users/{id}" => user::user_patch,
        About::write("Change what is named of a user").versioned()
            .body(Merge, |f| _ = user_wire::decode(f, None, OrgUnitId(0))).answers(data::<UserWritten>);
    DELETE "/v3/users/{id}" => user::user_delete,
        About::write("Delete a user").versioned().answers(data::<UserWritten>);
    GET "/v3/industry" => industry::industry_list,
        About::any_role("The industries").answers(data::<Industries>);
    GET "/v3/webhooks" => webhook::webhook_list,
        About::write("The webhooks of the caller's group and all below it, by id")
            .query(|q| _ = webhook::list(q)).answers(data::<Webhooks<'_>>);
    POST "/v3/webhooks" => webhook::webhook_create,
        About::write("Create a webhook; its secret is shown this once")
            .body(Create, read_webhook).creates(data::<WebhookSigned<'_>>);
    GET "/v3/webhooks/{id}" => webhook::webhook_get,
        About::write("One webhook").versioned().answers(data::<WebhookBody<'_>>);
    PUT "/v3/webhooks/{id}" => webhook::webhook_update,
        About::write("Replace a webhook").versioned().body(Replace, read_webhook).answers(data::<WebhookWritten>);
    PATCH "/v3/webhooks/{id}" => webhook::webhook_patch,
        About::write("Change what is named of a webhook").versioned()
            .body(Merge, read_webhook).answers(data::<WebhookWritten>);
    DELETE "/v3/webhooks/{id}" => webhook::webhook_delete,
        About::write("Delete a webhook").versioned().answers(data::<WebhookWritten>);
    POST "/v3/webhooks/{id}/rotate-secret" => webhook::webhook_rotate_secret,
        About::write("Give a webhook a new secret; the old one signs too for 24 hours").versioned()
            .answers(data::<WebhookSigned<'_>>);
    POST "/v3/webhooks/{id}/test" => webhook::webhook_test,
        About::write("Send a sample event and tell what came of it").limited().answers(data::<WebhookTested<'_>>);
    GET "/v3/webhooks/{id}/deliveries" => webhook::delivery_list,
        About::write("What was and is to be sent for a webhook, the newest first")
            .query(|q| _ = webhook::deliveries(q)).answers(data::<Deliveries<'_>>);
    POST "/v3/webhooks/{id}/deliveries/retry" => webhook::deliveries_retry,
        About::write("Try all deliveries again that have failed, of events since a time")
            .body(Create, |f| _ = webhook::since(f)).answers(data::<DeliveriesRetried>);
    POST "/v3/webhooks/{id}/deliveries/{delivery_id}/retry" => webhook::delivery_retry,
        About::write("Try a delivery again that has failed").answers(data::<DeliveryRetried>);
    GET "/v3/ad-source" => ad_source::ad_source_list,
        About::any_role("The ad sources").answers(data::<AdSources>);
    GET "/v3/media-prompts" => media_prompt::media_prompt_list,
        About::read("The media prompts of the caller's group and all below it, the newest first").of(Resources)
            .query(|q| _ = media_prompt::list(q)).answers(data::<MediaPrompts<'_>>);
    POST "/v3/media-prompts" => media_prompt::media_prompt_create,
        About::write("Upload a media prompt, of at most 50 MB").of(Resources)
            .form(media_prompt::FILE, |f| _ = media_prompt::decode(f)).creates(data::<MediaPromptWritten>);
    DELETE "/v3/media-prompts/{id}" => media_prompt::media_prompt_delete,
        About::write("Delete a media prompt").of(Resources).answers(data::<MediaPromptWritten>);
    GET "/v3/media-prompts/{id}/content" => media_prompt::media_prompt_content,
        About::read("The file of a media prompt").of(Resources).ranges().answers(media_prompt::content);
    GET "/v3/tag" => tag::tag_list,
        About::read("The tags of the caller's group and all below it, by name").of(Resources)
            .query(|q| _ = tag::list(q)).answers(data::<Tags<'_>>);
    POST "/v3/tag" => tag::tag_create,
        About::write("Create a tag").of(Resources)
            .body(Create, |f| _ = tag::decode(f, OrgUnitId(0))).creates(data::<TagWritten>);
    GET "/v3/tag/{id}" => tag::tag_get,
        About::read("One tag").of(Resources).versioned().answers(data::<TagRow<'_>>);
    PUT "/v3/tag/{id}" => tag::tag_update,
        About::write("Replace a tag").of(Resources).versioned()
            .body(Replace, |f| _ = tag::decode(f, OrgUnitId(0))).answers(data::<TagWritten>);
    DELETE "/v3/tag/{id}" => tag::tag_delete,
        About::write("Delete a tag").of(Resources).versioned().answers(data::<TagWritten>);
    GET "/v3/conversations/sms" => conversation::conversation_list,
        About::read("The conversations of the last 30 days, or of a range, by their last message").of(Resources)
            .query(|q| _ = conversation::list(q)).answers(data::<Conversations<'_>>);
    GET "/v3/conversations/sms/{id}" => conversation::conversation_get,
        About::read("One conversation with its messages, the newest first").of(Resources).versioned()
            .query(|q| _ = conversation::messages(q)).answers(data::<ConversationDetail<'_>>);
    POST "/v3/conversations/sms/{id}/messages" => conversation::conversation_reply,
        About::write("Answer in a conversation").of(Resources).refuses(&[StatusCode::PAYMENT_REQUIRED])
            .body(Create, |f| _ = conversation_wire::reply(f)).creates(data::<ConversationReplied>);
    PATCH "/v3/conversations/sms/{id}" => conversation::conversation_patch,
        About::write("Assign, pin, close or open a conversation, or mark it read").of(Resources).versioned()
            .body(Merge, |f| _ = conversation_wire::decode(f)).answers(data::<ConversationWritten>);
    GET "/v3/broadcast" => broadcast::broadcast_list,
        About::read("The SMS broadcasts of the caller's group and all below it, the newest first").of(Resources)
            .query(|q| _ = broadcast::list(q)).answers(data::<Broadcasts<'_>>);
    POST "/v3/broadcast" => broadcast::broadcast_create,
        About::write("Create an SMS broadcast").of(Resources)
            .body(Create, read_broadcast).creates(data::<BroadcastWritten>);
    GET "/v3/broadcast/{id}" => broadcast::broadcast_get,
        About::read("One SMS broadcast").of(Resources).versioned().answers(data::<BroadcastRow<'_>>);
    PUT "/v3/broadcast/{id}" => broadcast::broadcast_update,
        About::write("Replace an SMS broadcast that has not begun").of(Resources).versioned()
            .body(Replace, read_broadcast).answers(data::<BroadcastWritten>);
    PATCH "/v3/broadcast/{id}" => broadcast::broadcast_patch,
        About::write("Change what is named of an SMS broadcast, or steer it by its status").of(Resources).versioned()
            .body(Merge, read_broadcast).answers(data::<BroadcastWritten>);
    DELETE "/v3/broadcast/{id}" => broadcast::broadcast_delete,
        About::write("Delete an SMS broadcast; what waits of it is stopped").of(Resources).versioned()
            .answers(data::<BroadcastWritten>);
    GET "/v3/broadcast/{id}/preview" => broadcast::broadcast_preview,
        About::read("Who would get an SMS broadcast, and who not, and why").of(Resources)
            .answers(data::<PreviewBody>);
    GET "/v3/sms-broadcasts" => broadcast::broadcast_list,
        About::read("The SMS broadcasts of the caller's group and all below it, the newest first; the same as /v3/broadcast").of(Resources)
            .query(|q| _ = broadcast::list(q)).answers(data::<Broadcasts<'_>>);
    POST "/v3/sms-broadcasts" => broadcast::broadcast_create,
        About::write("Create an SMS broadcast; the same as /v3/broadcast").of(Resources)
            .body(Create, read_broadcast).creates(data::<BroadcastWritten>);
    GET "/v3/sms-broadcasts/{id}" => broadcast::broadcast_get,
        About::read("One SMS broadcast; the same as /v3/broadcast").of(Resources).versioned().answers(data::<BroadcastRow<'_>>);
    PUT "/v3/sms-broadcasts/{id}" => broadcast::broadcast_update,
        About::write("Replace an SMS broadcast that has not begun; the same as /v3/broadcast").of(Resources).versioned()
            .body(Replace, read_broadcast).answers(data::<BroadcastWritten>);
    PATCH "/v3/sms-broadcasts/{id}" => broadcast::broadcast_patch,
        About::write("Change what is named of an SMS broadcast, or steer it by its status; the same as /v3/broadcast").of(Resources).versioned()
            .body(Merge, read_broadcast).answers(data::<BroadcastWritten>);
    DELETE "/v3/sms-broadcasts/{id}" => broadcast::broadcast_delete,
        About::write("Delete an SMS broadcast; what waits of it is stopped; the same as /v3/broadcast").of(Resources).versioned()
            .answers(data::<BroadcastWritten>);
    GET "/v3/sms-broadcasts/{id}/preview" => broadcast::broadcast_preview,
        About::read("Who would get an SMS broadcast, and who not, and why; the same as /v3/broadcast").of(Resources)
            .answers(data::<PreviewBody>);
];

/// Reads a broadcast as the document tells of it.
fn read_broadcast(fields: &mut Fields<'_>) {
    broadcast_wire::decode(fields, None, OrgUnitId(0));
}

/// Reads a webhook as the document tells of it; which addresses are allowed is the operator's matter.
fn read_webhook(fields: &mut Fields<'_>) {
    webhook_wire::decode(fields, &Policy::default(), None, OrgUnitId(0));
}

pub(crate) const DIALECT: Dialect = Dialect {
    name: "convirza",
    title: "Convirza Platform API V3",
    routes: ROUTES,
    prefixes: &["/v3", "/oauth"],
    door: |_| Ok(()),
    failure: failure::response,
    finish: |_, _| (),
    published: Published {
        failure: Schemas::json::<failure::ErrorBody<'static>>,
        schemes: || json!({"bearer": {"type": "http", "scheme": "bearer"}}),
        security: &[&["bearer"]],
        challenge: "Bearer",
        ..Published::NOTHING
    },
};

pub(crate) fn router(app: &Arc<App>) -> Router {
    let router = DIALECT.router(app);
    let origins = &app.settings.cors_origins;
    if origins.is_empty() { router } else { router.layer(cors(origins)) }
}

/// Browsers of the configured origins may call, with a bearer token and conditions.
fn cors(origins: &[String]) -> CorsLayer {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            header::IF_RANGE,
            header::RANGE,
        ])
        .expose_headers([
            header::CONTENT_DISPOSITION,
            header::CONTENT_RANGE,
            header::ETAG,
            header::RETRY_AFTER,
            http::HeaderName::from_static("x-request-id"),
        ])
        .max_age(Duration::from_mins(10))
}
