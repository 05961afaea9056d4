//! Writing tenants, their credentials and tokens, and removing them.

use muster_domain::credential::Credential;
use muster_domain::session::SessionToken;
use muster_domain::tenant::Tenant;
use muster_domain::{StoreError, TenantId};
use rusqlite::{Connection, params};

use super::{Outcome, exactly_one, found, run};
use crate::codes;
use crate::statements::{purge, session, tenant};

pub(super) fn insert(connection: &Connection, t: &Tenant) -> Outcome {
    run(
        connection,
        &tenant::INSERT,
        params![
            t.id.0,
            t.organization_id.as_bytes(),
            t.name,
            t.country,
            t.currency,
            codes::tenant_status(t.status),
            t.top_org_unit_id.0,
            t.version,
            t.created_at.0,
            t.modified_at.0
        ],
    )?;
    run(connection, &tenant::STATE_INSERT, [t.id.0]).map(drop)
}

pub(super) fn update(connection: &Connection, t: &Tenant) -> Outcome {
    let params = params![
        t.id.0,
        t.name,
        t.country,
        t.currency,
        codes::tenant_status(t.status),
        t.version,
        t.version - 1,
        t.modified_at.0
    ];
    exactly_one(run(connection, &tenant::UPDATE, params)?)
}

/// Removes at most `limit` rows of a tenant that is being deleted, and the tenant itself when nothing else is left.
pub(super) fn purge(connection: &Connection, id: TenantId, limit: u32) -> Outcome {
    if !found(connection, &tenant::IS_DELETING, &[id.0])? {
        return Err(StoreError::GuardFailed);
    }
    for step in purge::STEPS {
        if run(connection, step, [id.0, i64::from(limit)])? > 0 {
            return Ok(());
        }
    }
    run(connection, &purge::STATE, [id.0])?;
    run(connection, &purge::TENANT, [id.0]).map(drop)
}

pub(super) fn credential_insert(connection: &Connection, c: &Credential) -> Outcome {
    run(
        connection,
        &tenant::CREDENTIAL_INSERT,
        params![
            c.id.0,
            c.tenant.0,
            codes::dialect(c.dialect),
            c.name,
            c.public_id,
            c.secret_hash,
            c.secret_sealed,
            c.read_only,
            c.expires_at.map(|at| at.0),
            c.revoked_at.map(|at| at.0),
            c.created_at.0,
            c.last_used_at.map(|at| at.0)
        ],
    )
    .map(drop)
}

pub(super) fn token_insert(connection: &Connection, t: &SessionToken) -> Outcome {
    run(
        connection,
        &session::INSERT,
        params![
            t.tenant.0,
            t.hash,
            codes::token_kind(t.kind),
            t.family.as_bytes(),
            t.user.0,
            t.created_at.0,
            t.expires_at.0,
            t.retired_at.map(|at| at.0)
        ],
    )
    .map(drop)
}
