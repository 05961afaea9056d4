//! Writing tenants, their credentials and tokens, and removing them.

use muster_domain::TenantId;
use muster_domain::credential::Credential;
use muster_domain::session::SessionToken;
use muster_domain::tenant::Tenant;

use super::Outcome;
use crate::codes;
use crate::driver::{Wanted, Write};
use crate::statements::{purge, session, tenant};
use crate::value::values;

pub(super) async fn insert(on: &mut impl Write, t: &Tenant) -> Outcome {
    let values = values![
        t.id.0,
        t.organization_id,
        &t.name,
        &t.country,
        &t.currency,
        codes::tenant_status(t.status),
        t.top_org_unit_id.0,
        t.version,
        t.created_at.0,
        t.modified_at.0,
        codes::tier(t.tier),
    ];
    on.run(&tenant::INSERT, &values).await?;
    on.run(&tenant::STATE_INSERT, &values![t.id.0]).await
}

pub(super) async fn update(on: &mut impl Write, t: &Tenant) -> Outcome {
    let values = values![
        t.id.0,
        &t.name,
        &t.country,
        &t.currency,
        codes::tenant_status(t.status),
        t.version,
        t.version - 1,
        t.modified_at.0,
        codes::tier(t.tier),
    ];
    on.one_row(&tenant::UPDATE, &values).await
}

/// Removes at most `limit` rows of a tenant that is being deleted, and the tenant itself when nothing else is left.
pub(super) async fn purge(on: &mut impl Write, id: TenantId, limit: u32) -> Outcome {
    on.send(&tenant::IS_DELETING, &values![id.0], Wanted::Holds).await?;
    for step in purge::STEPS {
        let [before @ .., removal] = step else { continue };
        for statement in before {
            on.run(statement, &values![id.0, limit]).await?;
        }
        if on.written(removal, &values![id.0, limit]).await? > 0 {
            return Ok(());
        }
    }
    on.run(&purge::STATE, &values![id.0]).await?;
    on.run(&purge::TENANT, &values![id.0]).await
}

pub(super) async fn credential_insert(on: &mut impl Write, c: &Credential) -> Outcome {
    let values = values![
        c.id.0,
        c.tenant.0,
        codes::dialect(c.dialect),
        &c.name,
        &c.public_id,
        &c.secret_hash,
        &c.secret_sealed,
        c.read_only,
        c.expires_at.map(|at| at.0),
        c.revoked_at.map(|at| at.0),
        c.created_at.0,
        c.last_used_at.map(|at| at.0),
        codes::profile(c.profile),
    ];
    on.run(&tenant::CREDENTIAL_INSERT, &values).await
}

pub(super) async fn token_insert(on: &mut impl Write, t: &SessionToken) -> Outcome {
    let values = values![
        t.tenant.0,
        &t.hash,
        codes::token_kind(t.kind),
        t.family,
        t.user.0,
        t.created_at.0,
        t.expires_at.0,
        t.retired_at.map(|at| at.0),
    ];
    on.run(&session::INSERT, &values).await
}
