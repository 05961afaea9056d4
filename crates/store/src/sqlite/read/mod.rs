//! The reads of the embedded store.

mod contact;
mod org_unit;
mod user;
mod user_group;

use muster_domain::credential::{Credential, CredentialCaller, CredentialStore, SignedCaller};
use muster_domain::session::{Caller, Found, SessionStore, SessionToken, Subject, TokenHash, TokenKind};
use muster_domain::tenant::{Tenant, TenantCounts, TenantStore};
use muster_domain::{
    Batch, Dialect, IdKind, JournalFilter, JournalRecord, Slice, Store, StoreError, TenantId, Timestamp, text,
};
use rusqlite::{Connection, OptionalExtension as _, Params, Result as SqlResult, Row, params};

use super::{SqliteStore, rows};
use crate::codes;
use crate::statements::{Statement, session, tenant};

fn one<T>(
    connection: &Connection,
    statement: &Statement,
    params: impl Params,
    row: impl FnOnce(&Row<'_>) -> SqlResult<T>,
) -> SqlResult<Option<T>> {
    connection.prepare_cached(statement.sqlite())?.query_row(params, row).optional()
}

fn all<T>(
    connection: &Connection,
    statement: &Statement,
    params: impl Params,
    row: impl FnMut(&Row<'_>) -> SqlResult<T>,
) -> SqlResult<Vec<T>> {
    connection.prepare_cached(statement.sqlite())?.query_map(params, row)?.collect()
}

fn count(connection: &Connection, statement: &Statement, params: impl Params) -> SqlResult<u64> {
    let count: i64 = connection.prepare_cached(statement.sqlite())?.query_row(params, |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// A `LIKE` pattern for keys that contain the key of `part`.
fn contains_pattern(part: &str) -> String {
    let mut pattern = String::from("%");
    for character in text::key(part).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn caller(
    connection: &Connection,
    tenant: TenantId,
    hash: &TokenHash,
    now: Timestamp,
) -> SqlResult<Option<Caller>> {
    one(connection, &session::CALLER, params![tenant.0, hash, now.0], |row| rows::caller(tenant, row))
}

fn credential_caller(
    connection: &Connection,
    tenant: TenantId,
    dialect: Dialect,
    hash: &TokenHash,
    now: Timestamp,
) -> SqlResult<Option<CredentialCaller>> {
    let params = params![tenant.0, codes::dialect(dialect), hash, now.0];
    one(connection, &tenant::CREDENTIAL_CALLER, params, |row| rows::credential_caller(tenant, row))
}

/// What a request is about, as it is at this time.
fn found(
    connection: &Connection,
    tenant: TenantId,
    now: Timestamp,
    subject: Subject,
) -> SqlResult<Option<Found>> {
    Ok(match subject {
        Subject::OrgUnit(id) => {
            org_unit::located(connection, tenant, id)?.map(|unit| Found::OrgUnit(Box::new(unit)))
        }
        Subject::User(id) => user::view(connection, tenant, id)?.map(|view| Found::User(Box::new(view))),
        Subject::UserByUuid(uuid) => {
            user::view_by_uuid(connection, tenant, uuid)?.map(|view| Found::User(Box::new(view)))
        }
        Subject::UserGroup(id) => {
            user_group::get(connection, tenant, id)?.map(|group| Found::UserGroup(Box::new(group)))
        }
        Subject::ContactGroup(id) => {
            contact::group(connection, tenant, id, now)?.map(|group| Found::ContactGroup(Box::new(group)))
        }
        Subject::Contact(id) => {
            contact::get(connection, tenant, id, now)?.map(|contact| Found::Contact(Box::new(contact)))
        }
    })
}

fn bounds(slice: Slice) -> (i64, i64) {
    (i64::from(slice.limit), i64::try_from(slice.offset).unwrap_or(i64::MAX))
}

impl SessionStore for SqliteStore {
    async fn session_caller(
        &self,
        tenant: TenantId,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Caller>, StoreError> {
        self.read(|connection| caller(connection, tenant, &hash, now))
    }

    async fn session_caller_and(
        &self,
        tenant: TenantId,
        hash: TokenHash,
        now: Timestamp,
        subject: Subject,
    ) -> Result<Option<(Caller, Option<Found>)>, StoreError> {
        self.snapshot(|connection| {
            let Some(caller) = caller(connection, tenant, &hash, now)? else {
                return Ok(None);
            };
            let found = found(connection, tenant, now, subject)?;
            Ok(Some((caller, found)))
        })
    }

    async fn session_token(
        &self,
        tenant: TenantId,
        kind: TokenKind,
        hash: TokenHash,
    ) -> Result<Option<SessionToken>, StoreError> {
        self.read(|connection| {
            let params = params![tenant.0, hash, codes::token_kind(kind)];
            one(connection, &session::GET, params, |row| rows::session_token(tenant, kind, hash, row))
        })
    }

    async fn has_expired_tokens(&self, tenant: TenantId, now: Timestamp) -> Result<bool, StoreError> {
        self.read(|connection| {
            Ok(one(connection, &session::HAS_EXPIRED, [tenant.0, now.0], |_| Ok(()))?.is_some())
        })
    }
}

impl TenantStore for SqliteStore {
    async fn tenant(&self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        self.read(|connection| one(connection, &tenant::GET, [id.0], rows::tenant))
    }

    async fn tenants(&self, after: Option<TenantId>, limit: u32) -> Result<Vec<Tenant>, StoreError> {
        let after = after.map_or(0, |id| id.0);
        self.read(|connection| all(connection, &tenant::LIST, [after, i64::from(limit)], rows::tenant))
    }

    async fn tenant_counts(&self, id: TenantId) -> Result<Option<TenantCounts>, StoreError> {
        self.read(|connection| one(connection, &tenant::COUNTS, [id.0], rows::tenant_counts))
    }
}

impl CredentialStore for SqliteStore {
    async fn credentials(&self, tenant: TenantId) -> Result<Vec<Credential>, StoreError> {
        self.read(|connection| {
            all(connection, &tenant::CREDENTIALS, [tenant.0], |row| rows::credential(tenant, row))
        })
    }

    async fn credential_caller(
        &self,
        tenant: TenantId,
        dialect: Dialect,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<CredentialCaller>, StoreError> {
        self.read(|connection| credential_caller(connection, tenant, dialect, &hash, now))
    }

    async fn credential_caller_and(
        &self,
        tenant: TenantId,
        dialect: Dialect,
        hash: TokenHash,
        now: Timestamp,
        subject: Subject,
    ) -> Result<Option<(CredentialCaller, Option<Found>)>, StoreError> {
        self.snapshot(|connection| {
            let Some(caller) = credential_caller(connection, tenant, dialect, &hash, now)? else {
                return Ok(None);
            };
            let found = found(connection, tenant, now, subject)?;
            Ok(Some((caller, found)))
        })
    }

    async fn credential_signed_caller(
        &self,
        tenant: TenantId,
        dialect: Dialect,
        public_id: &str,
        now: Timestamp,
        subject: Option<Subject>,
    ) -> Result<Option<(SignedCaller, Option<Found>)>, StoreError> {
        self.snapshot(|connection| {
            let params = params![tenant.0, codes::dialect(dialect), public_id, now.0];
            let row = |row: &Row<'_>| rows::signed_caller(tenant, row);
            let Some(caller) = one(connection, &tenant::CREDENTIAL_SIGNED_CALLER, params, row)? else {
                return Ok(None);
            };
            let found = subject.map(|subject| found(connection, tenant, now, subject)).transpose()?;
            Ok(Some((caller, found.flatten())))
        })
    }
}

impl Store for SqliteStore {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.writer.commit(batch).await
    }

    fn submit(&self, batch: Batch) -> Result<(), StoreError> {
        self.writer.submit_batch(batch)
    }

    async fn next_ids(&self, kind: IdKind, count: u32) -> Result<i64, StoreError> {
        self.take_ids(kind, count).await
    }

    async fn journal(
        &self,
        tenant: TenantId,
        after: i64,
        filter: JournalFilter,
        limit: u32,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        self.journal_entries(&tenant::JOURNAL_LIST, tenant, after, filter, limit).await
    }

    async fn journal_newest(
        &self,
        tenant: TenantId,
        filter: JournalFilter,
        limit: u32,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        self.journal_entries(&tenant::JOURNAL_NEWEST, tenant, 0, filter, limit).await
    }
}

impl SqliteStore {
    async fn journal_entries(
        &self,
        statement: &'static Statement,
        tenant: TenantId,
        after: i64,
        filter: JournalFilter,
        limit: u32,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        self.scan(move |connection| {
            let (actor_kind, actor_id) = filter.actor.map(codes::actor).unzip();
            let params = params![
                tenant.0,
                after,
                filter.entity,
                filter.entity_id,
                actor_kind,
                actor_id.flatten(),
                filter.since.map_or(i64::MIN, |at| at.0),
                filter.until.map_or(i64::MAX, |at| at.0),
                limit
            ];
            all(connection, statement, params, rows::journal_record)
        })
        .await
    }
}
