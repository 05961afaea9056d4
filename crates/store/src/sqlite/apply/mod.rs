//! Applying one batch inside a transaction of the writer.

mod contact;
mod org_unit;
mod tenant;
mod user;
mod user_group;

use muster_domain::user::{User, UserStatus};
use muster_domain::{Batch, Change, Entity, Guard, JournalEntry, StoreError, TenantId};
use rusqlite::{Connection, OptionalExtension as _, Params, params, params_from_iter};

use super::error::store_error;
use crate::codes;
use crate::statements::{self, Statement, session};

type Outcome = Result<(), StoreError>;

/// What a group of batches changes of a tenant's state, written once for all of them.
#[derive(Clone, Copy, Default)]
pub(super) struct State {
    /// The journal's head, once it was read.
    journal_sequence: Option<i64>,
    counts: Counts,
}

/// By how much the kept counts of a tenant change.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    org_units: i64,
    users_active: i64,
    users_inactive: i64,
    users_deleted: i64,
}

impl Counts {
    fn user(&mut self, user: &User, by: i64) {
        match user.status {
            UserStatus::Active => self.users_active += by,
            UserStatus::Inactive => self.users_inactive += by,
            UserStatus::Deleted => self.users_deleted += by,
        }
    }
}

/// Guards, changes, journal. `state` is what the group has done to the tenant's state so far; it is moved on when
/// everything went well, and only then. After an error the caller rolls back.
pub(super) fn batch(connection: &Connection, batch: &Batch, state: &mut State) -> Outcome {
    let tenant = batch.tenant;
    for wanted in &batch.guards {
        if !guard(connection, tenant, wanted)? {
            return Err(StoreError::GuardFailed);
        }
    }
    let mut next = *state;
    for wanted in &batch.changes {
        change(connection, tenant, wanted, &mut next.counts)?;
    }
    if !batch.journal.is_empty() {
        let mut sequence = match next.journal_sequence {
            Some(sequence) => sequence,
            None => head(connection, tenant)?,
        };
        for entry in &batch.journal {
            sequence += 1;
            journal(connection, tenant, sequence, entry)?;
        }
        next.journal_sequence = Some(sequence);
    }
    *state = next;
    Ok(())
}

/// Writes what a group of batches has changed of a tenant's state.
pub(super) fn write_state(connection: &Connection, tenant: TenantId, state: &State) -> Outcome {
    let State { journal_sequence, counts } = state;
    if journal_sequence.is_none() && *counts == Counts::default() {
        return Ok(());
    }
    let params = params![
        tenant.0,
        journal_sequence,
        counts.org_units,
        counts.users_active,
        counts.users_inactive,
        counts.users_deleted
    ];
    exactly_one(run(connection, &statements::tenant::STATE_UPDATE, params)?)
}

/// The head of the journal; a tenant that is gone has none.
fn head(connection: &Connection, tenant: TenantId) -> Result<i64, StoreError> {
    number(connection, &statements::tenant::JOURNAL_HEAD, &[tenant.0])?.ok_or(StoreError::Stale)
}

/// The number that a look-up gives, if it finds a row.
fn number(connection: &Connection, statement: &Statement, params: &[i64]) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached(statement.sqlite()).map_err(store_error)?;
    statement.query_row(params_from_iter(params), |row| row.get(0)).optional().map_err(store_error)
}

/// Whether a look-up finds a row.
fn found(connection: &Connection, statement: &Statement, params: &[i64]) -> Result<bool, StoreError> {
    Ok(number(connection, statement, params)?.is_some())
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
    use crate::statements::{contact, org_unit, tenant as of_tenant, user};

    match guard {
        Guard::UnitActive(id) => found(connection, &org_unit::IS_ACTIVE, &[tenant.0, id.0]),
        Guard::UnitVacant(id) => Ok(number(connection, &org_unit::IS_VACANT, &[tenant.0, id.0])? == Some(1)),
        Guard::UnitVersion { id, version } => {
            found(connection, &org_unit::VERSION_IS, &[tenant.0, id.0, *version])
        }
        Guard::TreeVersion(version) => {
            Ok(number(connection, &of_tenant::TREE_VERSION, &[tenant.0])? == Some(*version))
        }
        Guard::UserVersion { id, version } => {
            found(connection, &user::VERSION_IS, &[tenant.0, id.0, *version])
        }
        Guard::ContactGroupVersion { id, version } => {
            found(connection, &contact::VERSION_IS, &[tenant.0, id.0, *version])
        }
        Guard::ContactsVersion { group, version } => {
            found(connection, &contact::CONTACTS_VERSION_IS, &[tenant.0, group.0, *version])
        }
        Guard::UserGroups { user, groups } => Ok(user_group::of_user(connection, tenant, *user)? == *groups),
        Guard::PrimaryGroup { user, group } => {
            Ok(user_group::primary_of(connection, tenant, *user)? == *group)
        }
        Guard::UserGroupVersion { id, version } => user_group::version_is(connection, tenant, *id, *version),
        Guard::UserGroupVacant(id) => user_group::is_vacant(connection, tenant, *id),
        Guard::ServerKey { fingerprint } => {
            let mut statement =
                connection.prepare_cached(of_tenant::SERVER_KEY_IS.sqlite()).map_err(store_error)?;
            statement.exists([fingerprint]).map_err(store_error)
        }
        Guard::AdminRemains { besides, with_password } => {
            found(connection, &user::ADMIN_REMAINS, &[tenant.0, besides.0, i64::from(*with_password)])
        }
    }
}

/// The tenant that a changed row says it belongs to.
fn row_tenant(change: &Change) -> Option<TenantId> {
    match change {
        Change::TenantInsert(tenant) | Change::TenantUpdate(tenant) => Some(tenant.id),
        Change::OrgUnitInsert(unit) | Change::OrgUnitUpdate { unit, .. } => Some(unit.tenant),
        Change::UserInsert(user) | Change::UserUpdate { after: user, .. } => Some(user.tenant),
        Change::UserGroupInsert(group) | Change::UserGroupUpdate(group) => Some(group.tenant),
        Change::ContactGroupInsert(group) | Change::ContactGroupUpdate(group) => Some(group.tenant),
        Change::ContactUpdate(contact) | Change::ContactDelete(contact) => Some(contact.tenant),
        Change::CredentialInsert(credential) => Some(credential.tenant),
        Change::TokenInsert(token) => Some(token.tenant),
        _ => None,
    }
}

fn change(connection: &Connection, tenant: TenantId, change: &Change, counts: &mut Counts) -> Outcome {
    if row_tenant(change).is_some_and(|owner| owner != tenant) {
        return Err(StoreError::Internal("a batch has a row of another tenant".to_owned()));
    }
    let id = tenant.0;
    match change {
        Change::TenantInsert(new) => tenant::insert(connection, new),
        Change::TenantUpdate(changed) => tenant::update(connection, changed),
        Change::TenantPurge { limit } => tenant::purge(connection, tenant, *limit),
        Change::OrgUnitInsert(unit) => {
            counts.org_units += 1;
            org_unit::insert(connection, unit)
        }
        Change::OrgUnitUpdate { unit, in_place } => org_unit::update(connection, unit, *in_place),
        Change::TreeChanged => exactly_one(run(connection, &statements::tenant::TREE_CHANGED, [id])?),
        Change::UserInsert(new) => {
            counts.user(new, 1);
            user::insert(connection, new)
        }
        Change::UserUpdate { before, after } => {
            counts.user(before, -1);
            counts.user(after, 1);
            user::update(connection, before, after)
        }
        Change::UserJournalForget(user) => {
            let params = params![id, user.to_string()];
            run(connection, &statements::tenant::JOURNAL_FORGET_USER, params).map(drop)
        }
        Change::UserGroupInsert(new) => user_group::insert(connection, new),
        Change::UserGroupUpdate(changed) => user_group::update(connection, changed),
        Change::UserGroupDelete { id: group, version, at } => {
            user_group::delete(connection, tenant, *group, *version, *at)
        }
        Change::MembershipInsert(new) => user_group::join(connection, tenant, new),
        Change::MembershipDelete { user, group, at } => {
            user_group::leave(connection, tenant, *user, *group, *at)
        }
        Change::MembershipPrimary { user, group } => {
            user_group::make_primary(connection, tenant, *user, *group)
        }
        Change::MembershipsReap { group, limit } => user_group::reap(connection, tenant, *group, *limit),
        Change::UserGroupRemove(group) => user_group::remove(connection, tenant, *group),
        Change::JournalTrim { through } => {
            run(connection, &statements::tenant::JOURNAL_TRIM, [id, *through])?;
            run(connection, &statements::tenant::JOURNAL_TRIMMED, [id, *through]).map(drop)
        }
        Change::ContactGroupInsert(new) => contact::group_insert(connection, new),
        Change::ContactGroupUpdate(changed) => contact::group_update(connection, changed),
        Change::ContactGroupDelete { id: group, version, at } => {
            let params = [id, group.0, *version, at.0];
            exactly_one(run(connection, &statements::contact::GROUP_DELETE, params)?)
        }
        Change::ContactsReplace { group, keep } => contact::replace(connection, tenant, *group, keep),
        Change::ContactsInsert { group, contacts } => contact::insert(connection, tenant, *group, contacts),
        Change::ContactUpdate(changed) => contact::update(connection, changed),
        Change::ContactDelete(gone) => contact::delete(connection, gone),
        Change::ContactsReap { group, limit } => contact::reap(connection, tenant, *group, *limit),
        Change::ContactGroupRemove(group) => {
            exactly_one(run(connection, &statements::contact::GROUP_REMOVE, [id, group.0])?)
        }
        Change::CredentialInsert(new) => tenant::credential_insert(connection, new),
        Change::CredentialRevoke { id: credential, at } => {
            let params = [id, credential.0, at.0];
            exactly_one(run(connection, &statements::tenant::CREDENTIAL_REVOKE, params)?)
        }
        Change::CredentialUsed { id: credential, from, at } => {
            let params = params![id, credential.0, from.map(|from| from.0), at.0];
            run(connection, &statements::tenant::CREDENTIAL_USED, params).map(drop)
        }
        Change::TokenInsert(token) => tenant::token_insert(connection, token),
        Change::RefreshRetire { hash, at } => {
            exactly_one(run(connection, &session::REFRESH_RETIRE, params![id, hash, at.0])?)
        }
        Change::AccessRetire { family, at, until } => {
            let params = params![id, family.as_bytes(), at.0, until.0];
            run(connection, &session::ACCESS_RETIRE, params).map(drop)
        }
        Change::AccessExtend { hash, from, until } => {
            run(connection, &session::ACCESS_EXTEND, params![id, hash, until.0, from.0]).map(drop)
        }
        Change::TokensExpire { now, limit } => {
            run(connection, &session::EXPIRE, [id, now.0, i64::from(*limit)]).map(drop)
        }
        Change::UserTokensExpire { user, now } => {
            run(connection, &session::USER_EXPIRE, [id, user.0, now.0]).map(drop)
        }
        Change::TokenDelete { kind, hash } => {
            run(connection, &session::DELETE, params![id, hash, codes::token_kind(*kind)]).map(drop)
        }
        Change::FamilyDelete { family } => {
            run(connection, &session::FAMILY_DELETE, params![id, family.as_bytes()]).map(drop)
        }
        Change::UserTokensDelete { user, keep } => {
            let keep = keep.as_ref().map(uuid::Uuid::as_bytes);
            run(connection, &session::USER_DELETE, params![id, user.0, keep]).map(drop)
        }
    }
}

fn journal(connection: &Connection, tenant: TenantId, sequence: i64, entry: &JournalEntry) -> Outcome {
    let (actor_kind, actor_id) = codes::actor(entry.actor);
    let version = if entry.version == JournalEntry::AS_STORED && entry.entity == Entity::UserGroup.as_str() {
        user_group::version(connection, tenant, &entry.entity_id)?
    } else {
        entry.version
    };
    run(
        connection,
        &statements::tenant::JOURNAL_INSERT,
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
            version,
            entry.payload.to_string()
        ],
    )
    .map(drop)
}
