//! From rows to webhooks and deliveries.

use std::time::Duration;

use muster_domain::webhook::{
    Attempt, Delivery, DeliveryId, Health, Reapable, Sender, StaticParameter, Webhook, WebhookSecret,
    WebhookView, WebhookWork,
};
use muster_domain::{OrgUnitId, TenantId, Timestamp, WebhookId};
use serde_json::Value;
use uuid::Uuid;

use super::{Result, code};
use crate::codes;
use crate::row::{Row, corrupt, get};

fn texts<T>(row: &dyn Row, column: usize, of: fn(Value) -> Option<T>, what: &str) -> Result<Vec<T>> {
    let list: Vec<Value> = serde_json::from_str(&get::<String>(row, column)?).map_err(|_| corrupt(what))?;
    list.into_iter().map(of).collect::<Option<_>>().ok_or_else(|| corrupt(what))
}

fn text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

fn parameter(value: Value) -> Option<StaticParameter> {
    let Value::Array(pair) = value else { return None };
    let [name, value] = <[Value; 2]>::try_from(pair).ok()?;
    Some(StaticParameter { name: text(name)?, value: text(value)? })
}

pub(crate) fn view(row: &dyn Row) -> Result<WebhookView> {
    let webhook = Webhook {
        id: WebhookId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        org_unit_id: OrgUnitId(get(row, 2)?),
        name: get(row, 3)?,
        url: get(row, 4)?,
        events: texts(row, 5, text, "events")?,
        static_parameters: texts(row, 6, parameter, "static parameters")?,
        format: code(row, 7, codes::webhook_format_of, "format of a webhook")?,
        status: code(row, 8, codes::webhook_status_of, "status of a webhook")?,
        include_sub_groups: get(row, 9)?,
        version: get(row, 10)?,
        created_at: get(row, 11)?,
        modified_at: get(row, 12)?,
    };
    Ok(WebhookView { webhook, health: health(row, 13)? })
}

/// From four columns.
fn health(row: &dyn Row, first: usize) -> Result<Health> {
    Ok(Health {
        last_delivery_at: get(row, first)?,
        last_status: get(row, first + 1)?,
        consecutive_failures: get(row, first + 2)?,
        failing_since: get(row, first + 3)?,
    })
}

pub(crate) fn sender(row: &dyn Row) -> Result<Sender> {
    let WebhookView { webhook, health } = view(row)?;
    Ok(Sender {
        webhook,
        health,
        secret: secret(row, 17)?,
        cursor: get(row, 20)?,
        top: OrgUnitId(get(row, 21)?),
    })
}

/// The secret that stands in three columns, from this one on.
pub(crate) fn secret(row: &dyn Row, at: usize) -> Result<WebhookSecret> {
    let before = get::<Option<Vec<u8>>>(row, at + 1)?.zip(get(row, at + 2)?);
    Ok(WebhookSecret { sealed: get(row, at)?, before })
}

pub(crate) fn work(row: &dyn Row) -> Result<WebhookWork> {
    Ok(WebhookWork {
        id: WebhookId(get(row, 0)?),
        version: get(row, 9)?,
        has_news: get(row, 1)?,
        next_at: get(row, 2)?,
        due_at: get(row, 10)?,
        lease: get::<Option<Uuid>>(row, 3)?.zip(get(row, 4)?),
        health: health(row, 5)?,
    })
}

pub(crate) fn garbage(row: &dyn Row) -> Result<Reapable> {
    let id = WebhookId(get(row, 0)?);
    Ok(if get(row, 1)? { Reapable::Emptied(id) } else { Reapable::Deliveries(id) })
}

/// How many columns [`delivery`] reads.
pub(crate) const DELIVERY_COLUMNS: usize = 12;

/// The columns of the last attempt are not read when the first of them is null.
pub(crate) fn delivery(row: &dyn Row) -> Result<Delivery> {
    let number = |at: usize| Ok(get::<i64>(row, at)?.try_into().unwrap_or(0));
    let last = match get::<Option<Timestamp>>(row, 7)? {
        None => None,
        Some(at) => Some(Attempt {
            at,
            duration: Duration::from_micros(get::<i64>(row, 8)?.try_into().unwrap_or(0)),
            status: get(row, 9)?,
            answer: get(row, 10)?,
            problem: get(row, 11)?,
        }),
    };
    Ok(Delivery {
        id: DeliveryId(get(row, 0)?),
        event: get(row, 1)?,
        entity: get(row, 2)?,
        at: get(row, 3)?,
        state: code(row, 4, codes::delivery_state_of, "state of a delivery")?,
        attempts: number(5)?,
        next_at: get(row, 6)?,
        last,
    })
}
