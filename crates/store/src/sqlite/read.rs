//! The reads of the embedded store.

use muster_domain::credential::{Credential, CredentialStore};
use muster_domain::org_unit::{Located, OrgUnit, OrgUnitFilter, OrgUnitStatus, OrgUnitStore, TreeRow};
use muster_domain::session::{Caller, SessionStore, SessionToken, TokenHash, TokenKind};
use muster_domain::tenant::{Tenant, TenantStore};
use muster_domain::user::{User, UserStore, UserView};
use muster_domain::{
    Batch, IdKind, JournalRecord, OrgUnitId, Page, Slice, Store, StoreError, TenantId, Timestamp, UserId,
    text,
};
use rusqlite::{Connection, OptionalExtension as _, Params, Result as SqlResult, Row, params};

use super::{SqliteStore, rows};
use crate::codes;
use crate::statements::{Statement, org_unit, session, tenant, user};

/// Walks up a tree end here even on a cycle; no tree is so deep.
const LONGEST_PATH: usize = 100_000;

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

/// A unit's path to the top, itself first. In SQLite a loop of look-ups is cheaper than a recursive
/// query: most units are a few steps from the top.
fn path(connection: &Connection, unit: &OrgUnit) -> SqlResult<Vec<OrgUnitId>> {
    let mut statement = connection.prepare_cached(org_unit::PARENT.sqlite())?;
    let mut path = vec![unit.id];
    let mut above = unit.parent_id;
    while let Some(id) = above {
        if path.len() == LONGEST_PATH {
            break;
        }
        path.push(id);
        above =
            statement.query_row([unit.tenant.0, id.0], |row| row.get::<_, Option<i64>>(0))?.map(OrgUnitId);
    }
    Ok(path)
}

/// The least and the greatest status, and the pattern of the name.
fn filter_params(filter: &OrgUnitFilter) -> (i64, i64, Option<String>) {
    let (least, greatest) = match filter.status {
        Some(status) => (codes::org_unit_status(status), codes::org_unit_status(status)),
        None => {
            (codes::org_unit_status(OrgUnitStatus::Active), codes::org_unit_status(OrgUnitStatus::Inactive))
        }
    };
    (least, greatest, filter.name.as_deref().map(contains_pattern))
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

fn bounds(slice: Slice) -> (i64, i64) {
    (i64::from(slice.limit), i64::try_from(slice.offset).unwrap_or(i64::MAX))
}

impl OrgUnitStore for SqliteStore {
    async fn org_unit_located(&self, tenant: TenantId, id: OrgUnitId) -> Result<Option<Located>, StoreError> {
        self.snapshot(|connection| {
            let unit = one(connection, &org_unit::GET, [tenant.0, id.0], rows::org_unit)?;
            unit.map(|unit| Ok(Located { path: path(connection, &unit)?, unit })).transpose()
        })
    }

    async fn tree_version(&self, tenant: TenantId) -> Result<i64, StoreError> {
        self.read(|connection| {
            let version = one(connection, &tenant::TREE_VERSION, [tenant.0], |row| row.get(0))?;
            Ok(version.unwrap_or(0))
        })
    }

    async fn org_unit_vacant(&self, tenant: TenantId, id: OrgUnitId) -> Result<bool, StoreError> {
        self.read(|connection| Ok(count(connection, &org_unit::IS_VACANT, [tenant.0, id.0])? == 1))
    }

    async fn org_unit_children(
        &self,
        tenant: TenantId,
        parent: OrgUnitId,
        filter: OrgUnitFilter,
        slice: Slice,
    ) -> Result<Page<OrgUnit>, StoreError> {
        self.scan(move |connection| {
            let (least, greatest, name) = filter_params(&filter);
            let (limit, offset) = bounds(slice);
            let total = count(
                connection,
                &org_unit::CHILDREN_COUNT,
                params![tenant.0, parent.0, least, greatest, name],
            )?;
            let params = params![tenant.0, parent.0, least, greatest, name, limit, offset];
            let items = all(connection, &org_unit::CHILDREN, params, rows::org_unit)?;
            Ok(Page { items, total })
        })
        .await
    }

    async fn org_unit_subtree(
        &self,
        tenant: TenantId,
        root: OrgUnitId,
        filter: OrgUnitFilter,
        slice: Slice,
    ) -> Result<Page<Located>, StoreError> {
        self.scan(move |connection| {
            let (least, greatest, name) = filter_params(&filter);
            let (limit, offset) = bounds(slice);
            let total = count(
                connection,
                &org_unit::SUBTREE_COUNT,
                params![tenant.0, root.0, least, greatest, name],
            )?;
            let params = params![tenant.0, root.0, least, greatest, name, limit, offset];
            let units = all(connection, &org_unit::SUBTREE, params, rows::org_unit)?;
            let located = |unit: OrgUnit| Ok(Located { path: path(connection, &unit)?, unit });
            Ok(Page { items: units.into_iter().map(located).collect::<SqlResult<_>>()?, total })
        })
        .await
    }

    async fn org_unit_tree(
        &self,
        tenant: TenantId,
        root: OrgUnitId,
        active_only: bool,
    ) -> Result<Vec<TreeRow>, StoreError> {
        let greatest =
            codes::org_unit_status(if active_only { OrgUnitStatus::Active } else { OrgUnitStatus::Inactive });
        self.scan(move |connection| {
            all(connection, &org_unit::TREE, [tenant.0, root.0, greatest], rows::tree_row)
        })
        .await
    }

    async fn org_unit_ids(&self, tenant: TenantId, root: OrgUnitId) -> Result<Vec<OrgUnitId>, StoreError> {
        self.scan(move |connection| {
            all(connection, &org_unit::SUBTREE_IDS, [tenant.0, root.0], |row| Ok(OrgUnitId(row.get(0)?)))
        })
        .await
    }
}

impl UserStore for SqliteStore {
    async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(|connection| one(connection, &user::GET, [tenant.0, id.0], rows::user))
    }

    async fn user_view(&self, tenant: TenantId, id: UserId) -> Result<Option<UserView>, StoreError> {
        self.read(|connection| one(connection, &user::VIEW, [tenant.0, id.0], rows::user_view))
    }

    async fn user_by_claim(&self, login_key: &str) -> Result<Option<User>, StoreError> {
        self.read(|connection| one(connection, &user::BY_CLAIM, [login_key], rows::user))
    }
}

impl SessionStore for SqliteStore {
    async fn session_caller(
        &self,
        tenant: TenantId,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Caller>, StoreError> {
        self.read(|connection| {
            one(connection, &session::CALLER, params![tenant.0, hash, now.0], |row| rows::caller(tenant, row))
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
}

impl TenantStore for SqliteStore {
    async fn tenant(&self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        self.read(|connection| one(connection, &tenant::GET, [id.0], rows::tenant))
    }

    async fn tenants(&self, after: Option<TenantId>, limit: u32) -> Result<Vec<Tenant>, StoreError> {
        let after = after.map_or(0, |id| id.0);
        self.read(|connection| all(connection, &tenant::LIST, [after, i64::from(limit)], rows::tenant))
    }
}

impl CredentialStore for SqliteStore {
    async fn credentials(&self, tenant: TenantId) -> Result<Vec<Credential>, StoreError> {
        self.read(|connection| {
            all(connection, &tenant::CREDENTIALS, [tenant.0], |row| rows::credential(tenant, row))
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

    async fn next_id(&self, kind: IdKind) -> Result<i64, StoreError> {
        self.take_id(kind).await
    }

    async fn journal(
        &self,
        tenant: TenantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        self.scan(move |connection| {
            let params = [tenant.0, after, i64::from(limit)];
            all(connection, &tenant::JOURNAL_LIST, params, rows::journal_record)
        })
        .await
    }
}
