//! The account (`/me`; LOX24 contract, section 2). An account is a tenant.

use std::collections::BTreeMap;

use http::StatusCode;
use muster_domain::credential::lox24_client_id;
use muster_domain::message::Money;
use muster_domain::tenant::Tenant;
use muster_domain::{ContactGroupId, Slice, Timestamp};
use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

use super::auth;
use super::contact_group_wire::group_path;
use super::format::{Resource, reply};
use super::message_wire::seconds;
use crate::http::{Call, Outcome};

/// The account that the key belongs to.
#[derive(Serialize, ToSchema)]
pub(super) struct Account {
    /// The client id.
    id: i64,
    /// ISO 4217.
    currency: String,
    #[schema(value_type = f64)]
    balance_amount: Number,
    /// When something was given or taken last, or the account was made, in seconds since 1970.
    balance_changed_at: i64,
    is_text_deleted: bool,
    services: [&'static str; 1],
    /// The path of every contact group, by its id.
    #[schema(value_type = BTreeMap<String, String>)]
    groups: BTreeMap<i64, String>,
}

impl Resource for Account {
    const NAME: &'static str = "me";

    fn path(&self) -> String {
        "/me".to_owned()
    }
}

impl Account {
    fn new(
        tenant: &Tenant,
        balance: Money,
        changed_at: Option<Timestamp>,
        groups: &[ContactGroupId],
    ) -> Self {
        Self {
            id: lox24_client_id(tenant.id),
            currency: tenant.currency.clone(),
            balance_amount: balance.to_json(),
            balance_changed_at: seconds(changed_at.unwrap_or(tenant.created_at)),
            is_text_deleted: false,
            services: ["direct"],
            groups: groups.iter().map(|id| (id.0, group_path(id.0))).collect(),
        }
    }
}

pub(super) async fn account_get(call: &mut Call) -> Outcome {
    let (ctx, format) = auth::enter(call).await?;
    let tenant = call.directory().account_get(&ctx).await?;
    let balance = call.directory().account_balance(&ctx).await?.balance;
    let last = call.directory().movement_list(&ctx, Slice { limit: 1, offset: 0 }).await?;
    let groups = call.directory().contact_group_ids(&ctx).await?;
    let changed_at = last.items.first().map(|movement| movement.at);
    reply(StatusCode::OK, format, &Account::new(&tenant, balance, changed_at, &groups))
}
