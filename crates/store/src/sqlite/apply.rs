//! Applying one batch inside a transaction of the writer.

use muster_domain::credential::Credential;
use muster_domain::org_unit::OrgUnit;
use muster_domain::session::SessionToken;
use muster_domain::tenant::Tenant;
use muster_domain::user::User;
use muster_domain::{Batch, Change, Guard, JournalEntry, StoreError, TenantId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Params, ToSql, params, params_from_iter};

use super::error::store_error;
use crate::codes;
use crate::statements::{Statement, org_unit, session, tenant, user};

type Outcome = Result<(), StoreError>;

/// Guards, changes, journal. `journal_sequence` is the tenant's head, if it was read already; it is moved
/// on when everything went well, and only then. After an error the caller rolls back.
pub(super) fn batch(connection: &Connection, batch: &Batch, journal_sequence: &mut Option<i64>) -> Outcome {
    let tenant = batch.tenant;
    for wanted in &batch.guards {
        if !guard(connection, tenant, wanted)? {
            return Err(StoreError::GuardFailed);
        }
    }
    for wanted in &batch.changes {
        change(connection, tenant, wanted)?;
    }
    if batch.journal.is_empty() {
        return Ok(());
    }
    let mut sequence = match *journal_sequence {
        Some(sequence) => sequence,
        None => head(connection, tenant)?,
    };
    for entry in &batch.journal {
        sequence += 1;
        journal(connection, tenant, sequence, entry)?;
    }
    *journal_sequence = Some(sequence);
    Ok(())
}

/// Writes a tenant's head of the journal, once for a group of batches.
pub(super) fn set_head(connection: &Connection, tenant: TenantId, sequence: i64) -> Outcome {
    exactly_one(run(connection, &tenant::JOURNAL_HEAD_SET, [tenant.0, sequence])?)
}

fn head(connection: &Connection, tenant: TenantId) -> Result<i64, StoreError> {
    connection
        .prepare_cached(tenant::JOURNAL_HEAD.sqlite())
        .and_then(|mut statement| statement.query_row([tenant.0], |row| row.get(0)))
        .map_err(store_error)
}

fn run(connection: &Connection, statement: &Statement, params: impl Params) -> Result<usize, StoreError> {
    connection
        .prepare_cached(statement.sqlite())
        .and_then(|mut statement| statement.execute(params))
        .map_err(store_error)
}

/// An update that found no row was decided on something that is not there any more.
fn exactly_one(rows: usize) -> Outcome {
    if rows == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

fn guard(connection: &Connection, tenant: TenantId, guard: &Guard) -> Result<bool, StoreError> {
    let number = |statement: &Statement, params: &[i64]| -> Result<Option<i64>, StoreError> {
        let mut statement = connection.prepare_cached(statement.sqlite()).map_err(store_error)?;
        statement.query_row(params_from_iter(params), |row| row.get(0)).optional().map_err(store_error)
    };
    Ok(match guard {
        Guard::UnitActive(id) => number(&org_unit::IS_ACTIVE, &[tenant.0, id.0])?.is_some(),
        Guard::UnitVacant(id) => number(&org_unit::IS_VACANT, &[tenant.0, id.0])? == Some(1),
        Guard::TreeVersion(version) => number(&tenant::TREE_VERSION, &[tenant.0])? == Some(*version),
        Guard::UserVersion { id, version } => {
            number(&user::VERSION_IS, &[tenant.0, id.0, *version])?.is_some()
        }
    })
}

/// The tenant that a changed row says it belongs to.
fn row_tenant(change: &Change) -> Option<TenantId> {
    match change {
        Change::TenantInsert(tenant) => Some(tenant.id),
        Change::OrgUnitInsert(unit) | Change::OrgUnitUpdate { unit, .. } => Some(unit.tenant),
        Change::UserInsert(user) | Change::UserUpdate { after: user, .. } => Some(user.tenant),
        Change::CredentialInsert(credential) => Some(credential.tenant),
        Change::TokenInsert(token) => Some(token.tenant),
        _ => None,
    }
}

fn change(connection: &Connection, tenant: TenantId, change: &Change) -> Outcome {
    if row_tenant(change).is_some_and(|owner| owner != tenant) {
        return Err(StoreError::Internal("a batch has a row of another tenant".to_owned()));
    }
    match change {
        Change::TenantInsert(tenant) => tenant_insert(connection, tenant),
        Change::OrgUnitInsert(unit) => org_unit_insert(connection, unit),
        Change::OrgUnitUpdate { unit, in_place } => org_unit_update(connection, unit, *in_place),
        Change::TreeChanged => exactly_one(run(connection, &tenant::TREE_CHANGED, [tenant.0])?),
        Change::UserInsert(user) => user_insert(connection, user),
        Change::UserUpdate { before, after } => user_update(connection, before, after),
        Change::CredentialInsert(credential) => credential_insert(connection, credential),
        Change::TokenInsert(token) => token_insert(connection, token),
        Change::RefreshRetire { hash, at } => {
            exactly_one(run(connection, &session::REFRESH_RETIRE, params![tenant.0, hash, at.0])?)
        }
        Change::AccessRetire { family, at, until } => {
            let params = params![tenant.0, family.as_bytes(), at.0, until.0];
            run(connection, &session::ACCESS_RETIRE, params).map(drop)
        }
        Change::AccessExtend { hash, from, until } => {
            run(connection, &session::ACCESS_EXTEND, params![tenant.0, hash, until.0, from.0]).map(drop)
        }
        Change::UserTokensExpire { user, now } => {
            run(connection, &session::USER_EXPIRE, [tenant.0, user.0, now.0]).map(drop)
        }
        Change::TokenDelete { kind, hash } => {
            run(connection, &session::DELETE, params![tenant.0, hash, codes::token_kind(*kind)]).map(drop)
        }
        Change::FamilyDelete { family } => {
            run(connection, &session::FAMILY_DELETE, params![tenant.0, family.as_bytes()]).map(drop)
        }
        Change::UserTokensDelete { user, keep } => {
            let keep = keep.as_ref().map(uuid::Uuid::as_bytes);
            run(connection, &session::USER_DELETE, params![tenant.0, user.0, keep]).map(drop)
        }
    }
}

fn tenant_insert(connection: &Connection, t: &Tenant) -> Outcome {
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

fn org_unit_insert(connection: &Connection, o: &OrgUnit) -> Outcome {
    run(
        connection,
        &org_unit::INSERT,
        params![
            o.id.0,
            o.tenant.0,
            o.parent_id.map(|id| id.0),
            codes::org_unit_status(o.status),
            o.name,
            o.name_key(),
            o.external_id,
            o.billing_id,
            o.address,
            o.city,
            o.state,
            o.zip,
            o.phone_number,
            o.industry_id,
            o.timezone,
            o.version,
            o.created_at.0,
            o.modified_at.0
        ],
    )
    .map(drop)
}

fn org_unit_update(connection: &Connection, o: &OrgUnit, in_place: bool) -> Outcome {
    let (read_version, parent, status) =
        (o.version - 1, o.parent_id.map(|id| id.0), codes::org_unit_status(o.status));
    let details: [&dyn ToSql; 15] = [
        &o.tenant.0,
        &o.id.0,
        &read_version,
        &o.name,
        &o.external_id,
        &o.billing_id,
        &o.address,
        &o.city,
        &o.state,
        &o.zip,
        &o.phone_number,
        &o.industry_id,
        &o.timezone,
        &o.version,
        &o.modified_at.0,
    ];
    exactly_one(if in_place {
        run(connection, &org_unit::UPDATE_IN_PLACE, &details[..])?
    } else {
        let name_key = o.name_key();
        let place: [&dyn ToSql; 3] = [&parent, &status, &name_key];
        run(connection, &org_unit::UPDATE, &[&details[..], &place[..]].concat()[..])?
    })
}

/// The values that both statements on users begin with.
fn user_values(u: &User) -> Vec<Value> {
    vec![
        u.tenant.0.into(),
        u.id.0.into(),
        u.org_unit_id.0.into(),
        u.login.clone().into(),
        u.login_key().into(),
        u.login_claimed.into(),
        u.first_name.clone().into(),
        u.last_name.clone().into(),
        codes::role(u.role).into(),
        codes::user_status(u.status).into(),
        u.password_hash.clone().into(),
        u.external_id.clone().into(),
        u.timezone.clone().into(),
        u.aliases.as_ref().map(ToString::to_string).into(),
        u.agent_ring_to.clone().into(),
        u.agent_code.into(),
        u.score_call.into(),
        u.access_audio.into(),
        u.group_access.into(),
        u.report_access.into(),
        u.version.into(),
        u.modified_at.0.into(),
    ]
}

fn user_insert(connection: &Connection, u: &User) -> Outcome {
    let mut values = user_values(u);
    values.extend([u.uuid.as_bytes().to_vec().into(), u.created_at.0.into()]);
    run(connection, &user::INSERT, params_from_iter(values))?;
    claim(connection, None, claim_of(u).as_deref(), u)
}

fn user_update(connection: &Connection, before: &User, u: &User) -> Outcome {
    let mut values = user_values(u);
    values.push(before.version.into());
    exactly_one(run(connection, &user::UPDATE, params_from_iter(values))?)?;
    claim(connection, claim_of(before).as_deref(), claim_of(u).as_deref(), u)
}

/// The login key that a user keeps from every other user of the installation.
fn claim_of(user: &User) -> Option<String> {
    (user.login_claimed && user.status != muster_domain::user::UserStatus::Deleted).then(|| user.login_key())
}

fn claim(connection: &Connection, before: Option<&str>, after: Option<&str>, user: &User) -> Outcome {
    if before == after {
        return Ok(());
    }
    if let Some(key) = before {
        run(connection, &user::UNCLAIM, params![key, user.tenant.0, user.id.0])?;
    }
    if let Some(key) = after {
        run(connection, &user::CLAIM, params![key, user.tenant.0, user.id.0])?;
    }
    Ok(())
}

fn credential_insert(connection: &Connection, c: &Credential) -> Outcome {
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
            c.created_at.0
        ],
    )
    .map(drop)
}

fn token_insert(connection: &Connection, t: &SessionToken) -> Outcome {
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

fn journal(connection: &Connection, tenant: TenantId, sequence: i64, entry: &JournalEntry) -> Outcome {
    let (actor_kind, actor_id) = codes::actor(entry.actor);
    run(
        connection,
        &tenant::JOURNAL_INSERT,
        params![
            tenant.0,
            sequence,
            entry.at.0,
            actor_kind,
            actor_id,
            codes::dialect(entry.dialect),
            entry.kind,
            entry.entity,
            entry.entity_id,
            entry.version,
            entry.payload.to_string()
        ],
    )
    .map(drop)
}
