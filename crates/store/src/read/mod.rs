//! The reads of a store, on whichever backend.

mod balance;
mod block;
mod bulk;
mod condition;
mod contact;
mod incoming;
mod listed;
mod media;
mod message;
mod org_unit;
#[cfg(test)]
pub(crate) mod plan_cases;
mod selected;
mod selection;
mod tag;
mod user;
mod user_group;
mod webhook;

use futures_util::future::try_join;
use muster_domain::credential::{Credential, CredentialCaller, CredentialStore, SignedCaller};
use muster_domain::session::{Caller, Found, SessionStore, SessionToken, Subject, TokenHash, TokenKind};
use muster_domain::tenant::{Tenant, TenantCounts, TenantStore};
use muster_domain::{
    Batch, Change, Dialect, IdKind, JournalFilter, JournalRecord, Slice, StoreError, TenantId, Timestamp,
    text,
};

use crate::driver::Read;
use crate::statements::{Statement, session, tenant};
use crate::value::values;
use crate::{Backend, Store, codes, rows};
pub(crate) use selection::Written;

/// Reads from either backend: `read` a few rows by one statement, `together` by several that go as one, `scan` many, or
/// by statements of which one needs what another has found. A scan sees one state of the store.
///
/// What PostgreSQL needs to wait for the network is kept out of the futures of requests to the embedded store.
macro_rules! read {
    ($store:expr, $how:ident, |$on:ident| $read:expr) => {
        match &$store.0 {
            $crate::Backend::Sqlite(store) => store.$how(move |$on| $crate::driver::now($read)).await,
            $crate::Backend::Postgres(store) => {
                Box::pin(async move {
                    for _ in 0..$crate::postgres::TRIES {
                        let connection = store.$how().await?;
                        let $on = connection.reader();
                        let done = $read.await;
                        if let Some(done) = connection.end(done) {
                            return done;
                        }
                    }
                    Err($crate::postgres::lost())
                })
                .await
            }
        }
    };
}
use read;

/// A `LIKE` pattern for keys that contain the key of `part`.
fn contains_pattern(part: &str) -> String {
    let mut pattern = String::from("%");
    // Nothing that is stored has a NUL, which would end the pattern for SQLite: it stands for what is no character.
    for character in text::key(part).replace('\0', "\u{ffff}").chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

async fn caller(
    on: &impl Read,
    tenant: TenantId,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<Caller>, StoreError> {
    on.one(&session::CALLER, &values![tenant.0, hash, now.0], |row| rows::caller(tenant, row)).await
}

async fn credential_caller(
    on: &impl Read,
    tenant: TenantId,
    dialect: Dialect,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<CredentialCaller>, StoreError> {
    let values = values![tenant.0, codes::dialect(dialect), hash, now.0];
    on.one(&tenant::CREDENTIAL_CALLER, &values, |row| rows::credential_caller(tenant, row)).await
}

async fn signed_caller(
    on: &impl Read,
    tenant: TenantId,
    dialect: Dialect,
    public_id: &str,
    now: Timestamp,
) -> Result<Option<SignedCaller>, StoreError> {
    let values = values![tenant.0, codes::dialect(dialect), public_id, now.0];
    on.one(&tenant::CREDENTIAL_SIGNED_CALLER, &values, |row| rows::signed_caller(tenant, row)).await
}

/// What a request is about, if that is known, as it is at this time.
async fn found(
    on: &impl Read,
    tenant: TenantId,
    now: Timestamp,
    subject: Option<Subject>,
) -> Result<Option<Found>, StoreError> {
    let Some(subject) = subject else {
        return Ok(None);
    };
    Ok(match subject {
        Subject::OrgUnit(id) => on.located(tenant, id).await?.map(|unit| Found::OrgUnit(Box::new(unit))),
        Subject::User(id) => user::view(on, tenant, id).await?.map(|view| Found::User(Box::new(view))),
        Subject::UserByUuid(uuid) => {
            user::view_by_uuid(on, tenant, uuid).await?.map(|view| Found::User(Box::new(view)))
        }
        Subject::UserGroup(id) => {
            user_group::get(on, tenant, id).await?.map(|group| Found::UserGroup(Box::new(group)))
        }
        Subject::ContactGroup(id) => {
            contact::group(on, tenant, id, now).await?.map(|group| Found::ContactGroup(Box::new(group)))
        }
        Subject::Contact(id) => {
            contact::get(on, tenant, id, now).await?.map(|contact| Found::Contact(Box::new(contact)))
        }
        Subject::MediaPrompt(id) => {
            media::get(on, tenant, id).await?.map(|prompt| Found::MediaPrompt(Box::new(prompt)))
        }
        Subject::Tag(id) => tag::get(on, tenant, id).await?.map(|tag| Found::Tag(Box::new(tag))),
    })
}

/// Who calls, and what is asked for, which is nobody's business when nobody calls.
async fn caller_and<C>(
    caller: impl Future<Output = Result<Option<C>, StoreError>>,
    found: impl Future<Output = Result<Option<Found>, StoreError>>,
) -> Result<Option<(C, Option<Found>)>, StoreError> {
    let (caller, found) = try_join(caller, found).await?;
    Ok(caller.map(|caller| (caller, found)))
}

/// Limit and offset.
fn bounds(slice: Slice) -> (i64, i64) {
    (i64::from(slice.limit), i64::try_from(slice.offset).unwrap_or(i64::MAX))
}

impl SessionStore for Store {
    async fn session_caller(
        &self,
        tenant: TenantId,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Caller>, StoreError> {
        read!(self, read, |on| caller(on, tenant, &hash, now))
    }

    async fn session_caller_and(
        &self,
        tenant: TenantId,
        hash: TokenHash,
        now: Timestamp,
        subject: Subject,
    ) -> Result<Option<(Caller, Option<Found>)>, StoreError> {
        read!(self, together, |on| caller_and(
            caller(on, tenant, &hash, now),
            found(on, tenant, now, Some(subject))
        ))
    }

    async fn session_token(
        &self,
        tenant: TenantId,
        kind: TokenKind,
        hash: TokenHash,
    ) -> Result<Option<SessionToken>, StoreError> {
        read!(self, read, |on| on.one(
            &session::GET,
            &values![tenant.0, &hash, codes::token_kind(kind)],
            |row| rows::session_token(tenant, kind, hash, row)
        ))
    }

    async fn has_expired_tokens(&self, tenant: TenantId, now: Timestamp) -> Result<bool, StoreError> {
        read!(self, read, |on| on.exists(&session::HAS_EXPIRED, &values![tenant.0, now.0]))
    }
}

impl TenantStore for Store {
    async fn tenant(&self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        read!(self, read, |on| on.one(&tenant::GET, &values![id.0], rows::tenant))
    }

    async fn tenants(&self, after: Option<TenantId>, limit: u32) -> Result<Vec<Tenant>, StoreError> {
        let after = after.map_or(0, |id| id.0);
        read!(self, read, |on| on.all(&tenant::LIST, &values![after, limit], rows::tenant))
    }

    async fn tenant_counts(&self, id: TenantId) -> Result<Option<TenantCounts>, StoreError> {
        read!(self, read, |on| on.one(&tenant::COUNTS, &values![id.0], rows::tenant_counts))
    }
}

impl CredentialStore for Store {
    async fn credentials(&self, tenant: TenantId) -> Result<Vec<Credential>, StoreError> {
        read!(self, read, |on| on
            .all(&tenant::CREDENTIALS, &values![tenant.0], |row| rows::credential(tenant, row)))
    }

    async fn credential_caller(
        &self,
        tenant: TenantId,
        dialect: Dialect,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<CredentialCaller>, StoreError> {
        read!(self, read, |on| credential_caller(on, tenant, dialect, &hash, now))
    }

    async fn credential_caller_and(
        &self,
        tenant: TenantId,
        dialect: Dialect,
        hash: TokenHash,
        now: Timestamp,
        subject: Subject,
    ) -> Result<Option<(CredentialCaller, Option<Found>)>, StoreError> {
        read!(self, together, |on| caller_and(
            credential_caller(on, tenant, dialect, &hash, now),
            found(on, tenant, now, Some(subject))
        ))
    }

    async fn credential_signed_caller(
        &self,
        tenant: TenantId,
        dialect: Dialect,
        public_id: &str,
        now: Timestamp,
        subject: Option<Subject>,
    ) -> Result<Option<(SignedCaller, Option<Found>)>, StoreError> {
        read!(self, together, |on| caller_and(
            signed_caller(on, tenant, dialect, public_id, now),
            found(on, tenant, now, subject)
        ))
    }
}

impl muster_domain::Store for Store {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let journaled = (!batch.journal.is_empty()).then_some(batch.tenant);
        let is_taken = |change: &Change| {
            matches!(
                change,
                Change::MessageInsert(_)
                    | Change::BulkInsert(_)
                    | Change::BulkUpdate { .. }
                    | Change::BulkDelete { .. }
                    | Change::BulkExpand(_)
            )
        };
        let taken = batch.changes.iter().any(is_taken).then_some(batch.tenant);
        match &self.0 {
            Backend::Sqlite(store) => store.commit(batch).await,
            Backend::Postgres(store) => store.commit(batch).await,
        }?;
        if let Some(tenant) = journaled {
            self.1.add(tenant);
        }
        if let Some(tenant) = taken {
            self.2.add(tenant);
        }
        Ok(())
    }

    fn submit(&self, batch: Batch) -> Result<(), StoreError> {
        match &self.0 {
            Backend::Sqlite(store) => store.submit(batch),
            Backend::Postgres(store) => store.submit(batch),
        }
    }

    async fn next_ids(&self, kind: IdKind, count: u32) -> Result<i64, StoreError> {
        match &self.0 {
            Backend::Sqlite(store) => store.next_ids(kind, count).await,
            Backend::Postgres(store) => store.next_ids(kind, count).await,
        }
    }

    async fn journal(
        &self,
        tenant: TenantId,
        after: i64,
        filter: JournalFilter,
        limit: u32,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        read!(self, scan, |on| journal(on, &tenant::JOURNAL_LIST, tenant, after, &filter, limit))
    }

    async fn journal_newest(
        &self,
        tenant: TenantId,
        filter: JournalFilter,
        limit: u32,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        read!(self, scan, |on| journal(on, &tenant::JOURNAL_NEWEST, tenant, 0, &filter, limit))
    }
}

async fn journal(
    on: &impl Read,
    statement: &'static Statement,
    tenant: TenantId,
    after: i64,
    filter: &JournalFilter,
    limit: u32,
) -> Result<Vec<JournalRecord>, StoreError> {
    let (actor_kind, actor_id) = filter.actor.map(codes::actor).unzip();
    let values = values![
        tenant.0,
        after,
        &filter.entity,
        &filter.entity_id,
        actor_kind,
        actor_id.flatten(),
        filter.since.map_or(i64::MIN, |at| at.0),
        filter.until.map_or(i64::MAX, |at| at.0),
        limit,
    ];
    on.all(statement, &values, rows::journal_record).await
}
