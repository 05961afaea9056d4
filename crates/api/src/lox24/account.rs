//! The account (`/me`; LOX24 contract, section 2). An account is a tenant.

use std::collections::BTreeMap;

use http::StatusCode;
use muster_domain::ContactGroupId;
use muster_domain::credential::lox24_client_id;
use muster_domain::tenant::Tenant;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth;
use super::format::{Resource, reply};
use crate::http::{Call, Outcome};

/// The account that the key belongs to.
#[derive(Serialize, ToSchema)]
pub(super) struct Account {
    /// The client id.
    id: i64,
    /// ISO 4217.
    currency: String,
    /// Nothing costs anything here, so nothing is ever paid.
    #[schema(value_type = f64)]
    balance_amount: i64,
    /// When the account was made, in seconds since 1970.
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
    fn new(tenant: &Tenant, groups: &[ContactGroupId]) -> Self {
        Self {
            id: lox24_client_id(tenant.id),
            currency: tenant.currency.clone(),
            balance_amount: 0,
            balance_changed_at: tenant.created_at.0.div_euclid(1_000_000),
            is_text_deleted: false,
            services: ["direct"],
            groups: groups.iter().map(|id| (id.0, format!("/groups/{id}"))).collect(),
        }
    }
}

pub(super) async fn account_get(call: &mut Call) -> Outcome {
    let (ctx, format) = auth::enter(call).await?;
    let tenant = call.directory().account_get(&ctx).await?;
    let groups = call.directory().contact_group_ids(&ctx).await?;
    reply(StatusCode::OK, format, &Account::new(&tenant, &groups))
}
