//! Webhooks (`/v3/webhooks`; Convirza platform contract, section 1).

use muster_delivery::message;
use muster_domain::webhook::{DeliveryFilter, DeliveryId, WebhookView};
use muster_domain::{Ctx, Dialect, Entity, Error, Precondition, Slice, Timestamp, WebhookId};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{created, success};
use super::webhook_wire::{self as wire, DeliveryBody, WebhookBody, WebhookTested, tag};
use crate::http::{Call, Failure, Fields, Mode, Outcome, Query, date_time};

#[derive(Serialize, ToSchema)]
pub(super) struct Webhooks<'a> {
    webhooks: Vec<WebhookBody<'a>>,
    total: usize,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookWritten {
    webhook_id: i64,
}

/// A secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookSigned<'a> {
    #[serde(rename = "webhookId")]
    webhook_id: i64,
    /// `whsec_` and Base64, as the libraries of Standard Webhooks take it.
    signing_secret: &'a str,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Deliveries<'a> {
    deliveries: Vec<DeliveryBody<'a>>,
    total: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryRetried {
    delivery_id: i64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct DeliveriesRetried {
    /// How many are tried again.
    retried: u64,
}

pub(super) async fn webhook_list(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let slice = call.query(list)?;
    let all = call.directory().webhook_list(&ctx).await?;
    let offset = usize::try_from(slice.offset).unwrap_or(usize::MAX);
    let page = all.iter().skip(offset).take(slice.limit as usize).map(WebhookBody::new);
    success(call, &Webhooks { webhooks: page.collect(), total: all.len() })
}

/// Reads which of the webhooks are wanted.
pub(super) fn list(query: &mut Query<'_>) -> Slice {
    query.slice()
}

pub(super) async fn webhook_get(call: &mut Call) -> Outcome {
    let (_, found) = find(call).await?;
    Ok(success(call, &WebhookBody::new(&found))?.tag(tag(&found)))
}

pub(super) async fn webhook_create(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let app = call.shared_app();
    let policy = app.client.policy();
    let draft = call.object(Mode::Create, |f| wire::decode(f, policy, None, ctx.scope())).await?;
    let new = app.directory.webhook_create(&ctx, &app.server_key, draft).await.map_err(in_wire_names)?;
    let (webhook_id, signing_secret) = (new.webhook.id.0, new.secret.expose_secret());
    created(call, &WebhookSigned { webhook_id, signing_secret })
}

pub(super) async fn webhook_update(call: &mut Call) -> Outcome {
    write(call, Mode::Replace).await
}

pub(super) async fn webhook_patch(call: &mut Call) -> Outcome {
    write(call, Mode::Merge).await
}

async fn write(call: &mut Call, mode: Mode) -> Outcome {
    let (ctx, found) = find(call).await?;
    let app = call.shared_app();
    let (policy, stored) = (app.client.policy(), &found.webhook);
    let draft = call.object(mode, |f| wire::decode(f, policy, Some(stored), ctx.scope())).await?;
    let condition = if_match(call);
    let view = app.directory.webhook_update(&ctx, found, draft, condition).await.map_err(in_wire_names)?;
    success(call, &WebhookWritten { webhook_id: view.webhook.id.0 })
}

pub(super) async fn webhook_delete(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let (id, condition) = (found.webhook.id, if_match(call));
    call.directory().webhook_delete(&ctx, found, condition).await?;
    success(call, &WebhookWritten { webhook_id: id.0 })
}

pub(super) async fn webhook_rotate_secret(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let condition = if_match(call);
    let key = &call.app().server_key;
    let new = call.directory().webhook_rotate_secret(&ctx, key, found, condition).await?;
    let (webhook_id, signing_secret) = (new.webhook.id.0, new.secret.expose_secret());
    success(call, &WebhookSigned { webhook_id, signing_secret })
}

/// Sends a sample at once, and waits for what comes of it. It is no delivery: nothing of it is kept.
pub(super) async fn webhook_test(call: &mut Call) -> Outcome {
    let (ctx, WebhookView { webhook, .. }) = find(call).await?;
    let (app, directory) = (call.app(), call.directory());
    let room = app.webhook_tests.take_now(ctx.tenant());
    let _room = room.ok_or(Error::TooMany { retry_after: 1 })?;
    let now = directory.now();
    let secret = directory.webhook_secret(&ctx, webhook.id).await?;
    let sample = message::sample(&webhook, directory.entropy.uuid(), now);
    let id = sample.id.clone();
    let outcome = message::send(&app.client, &app.server_key, (&webhook, &secret), sample, now)
        .await
        .map_err(|error| Error::Internal(format!("webhook {}: {error}", webhook.id)))?;
    success(call, &WebhookTested::new(&id, &outcome))
}

pub(super) async fn delivery_list(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let (filter, slice) = call.query(deliveries)?;
    let page = call.directory().delivery_list(&ctx, found.webhook.id, filter, slice).await?;
    let deliveries = page.items.iter().map(DeliveryBody::new).collect();
    success(call, &Deliveries { deliveries, total: page.total })
}

/// Reads which deliveries are wanted.
pub(super) fn deliveries(query: &mut Query<'_>) -> (DeliveryFilter, Slice) {
    (DeliveryFilter { state: wire::delivery_state(query), since: None }, query.slice())
}

pub(super) async fn delivery_retry(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let id = call.path_id_at(1, Entity::Delivery).map(DeliveryId)?;
    let delivery = call.directory().delivery_retry(&ctx, found.webhook.id, id).await?;
    success(call, &DeliveryRetried { delivery_id: delivery.id.0 })
}

pub(super) async fn deliveries_retry(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let since = call.small_object(since).await?;
    let retried = call.directory().deliveries_retry(&ctx, found.webhook.id, since).await?;
    success(call, &DeliveriesRetried { retried })
}

/// Reads since when.
pub(super) fn since(fields: &mut Fields<'_>) -> Option<Timestamp> {
    fields.required("since", "since", date_time())
}

/// The caller, and the webhook that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, WebhookView), Failure> {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let id = call.path_id(Entity::Webhook).map(WebhookId)?;
    let found = call.directory().webhook_get(&ctx, id).await?;
    Ok((ctx, found))
}

/// The webhook itself is what a condition is about: how its endpoint does changes with every delivery, and is no reason
/// to refuse a change.
fn if_match(call: &Call) -> Option<Precondition<WebhookView>> {
    call.if_version_matches(|view: &WebhookView| view.webhook.version)
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, wire::name_of)
}
