//! Writing webhooks and deliveries.

use muster_domain::webhook::{Delivery, Health, NewDelivery, Webhook, limits};
use muster_domain::{TenantId, Timestamp, WebhookId};
use serde_json::json;
use uuid::Uuid;

use super::Outcome;
use crate::codes;
use crate::driver::{ONE_ROW, Write};
use crate::statements::webhook;
use crate::value::{Value, values};

/// The values that both statements on webhooks begin with.
fn values(w: &Webhook) -> Vec<Value<'_>> {
    let parameters: Vec<_> =
        w.static_parameters.iter().map(|parameter| [&parameter.name, &parameter.value]).collect();
    values![
        w.tenant.0,
        w.id.0,
        w.org_unit_id.0,
        &w.name,
        &w.url,
        json!(w.events).to_string(),
        json!(parameters).to_string(),
        codes::webhook_format(w.format),
        codes::webhook_status(w.status),
        w.include_sub_groups,
        w.version,
        w.modified_at.0,
    ]
    .into()
}

pub(super) async fn insert(on: &mut impl Write, w: &Webhook, secret: &Vec<u8>) -> Outcome {
    let mut values = values(w);
    values.extend(values![w.created_at.0, secret]);
    on.one_row(&webhook::INSERT, &values).await
}

pub(super) async fn update(on: &mut impl Write, w: &Webhook, restarts: bool) -> Outcome {
    let mut values = values(w);
    values.push((w.version - 1).into());
    on.one_row(&webhook::UPDATE, &values).await?;
    if restarts {
        on.one_row(&webhook::RESTART, &values![w.tenant.0, w.id.0]).await?;
    }
    Ok(())
}

pub(super) async fn rotate(on: &mut impl Write, w: &Webhook, sealed: &Vec<u8>, until: Timestamp) -> Outcome {
    let values = values![w.tenant.0, w.id.0, w.version - 1, w.modified_at.0, sealed, until.0];
    on.one_row(&webhook::ROTATE, &values).await
}

/// The guard that there is room for a webhook.
pub(super) fn has_room(tenant: TenantId, besides: WebhookId, of_lox24: bool) -> Vec<Value<'static>> {
    values![tenant.0, besides.0, limits::PER_TENANT, limits::LOX24_PER_TENANT, of_lox24].into()
}

pub(super) async fn keep(
    on: &mut impl Write,
    tenant: TenantId,
    id: WebhookId,
    owner: Uuid,
    until: Timestamp,
    health: &Health,
) -> Outcome {
    let values = values![
        tenant.0,
        id.0,
        owner,
        until.0,
        health.last_delivery_at.map(|at| at.0),
        health.last_status,
        health.consecutive_failures,
        health.failing_since.map(|at| at.0),
    ];
    on.one_row(&webhook::KEEP, &values).await
}

pub(super) async fn deliveries(
    on: &mut impl Write,
    tenant: TenantId,
    id: WebhookId,
    owner: Uuid,
    (from, through): (i64, i64),
    deliveries: &[NewDelivery],
) -> Outcome {
    on.one_row(&webhook::ADVANCE, &values![tenant.0, id.0, owner, from, through]).await?;
    let rows = deliveries.iter().map(|new| {
        values![tenant.0, id.0, new.id.0, new.event, &new.entity, new.at.0, new.next_at.0].to_vec()
    });
    on.each(&webhook::DELIVERY_INSERT, &rows.collect::<Vec<_>>(), ONE_ROW).await
}

pub(super) async fn attempted(on: &mut impl Write, tenant: TenantId, id: WebhookId, d: &Delivery) -> Outcome {
    let last = d.last.as_ref();
    let values = values![
        tenant.0,
        id.0,
        d.id.0,
        codes::delivery_state(d.state),
        i64::try_from(d.attempts).unwrap_or(i64::MAX),
        d.next_at.map(|at| at.0),
        last.map(|last| last.at.0),
        last.map(|last| i64::try_from(last.duration.as_micros()).unwrap_or(i64::MAX)),
        last.and_then(|last| last.status),
        last.and_then(|last| last.answer.as_deref()),
        last.and_then(|last| last.problem.as_deref()),
    ];
    on.run(&webhook::DELIVERY_ATTEMPTED, &values).await
}
