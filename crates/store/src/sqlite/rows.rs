//! From rows to domain types; the order of the columns is that of the statements.

use muster_domain::contact::{Contact, ContactGroup, PhoneNumber, Reapable};
use muster_domain::credential::{Credential, CredentialCaller, SignedCaller};
use muster_domain::org_unit::{OrgUnit, TreeRows};
use muster_domain::session::{Caller, SessionToken, TokenHash, TokenKind};
use muster_domain::tenant::{Tenant, TenantCounts, TenantStatus};
use muster_domain::user::{UnitRef, User, UserView};
use muster_domain::user_group::{self, Member, UserGroup};
use muster_domain::{
    ContactGroupId, ContactId, CredentialId, JournalRecord, OrgUnitId, TenantId, Timestamp, UserGroupId,
    UserId,
};
use rusqlite::{Result, Row};
use uuid::Uuid;

use super::error::corrupt;
use crate::codes;

/// How many columns a user and a unit have.
pub(super) const USER_COLUMNS: usize = 25;
pub(super) const ORG_UNIT_COLUMNS: usize = 17;
pub(super) const USER_GROUP_COLUMNS: usize = 10;

fn code<T>(row: &Row<'_>, column: usize, of: fn(i64) -> Option<T>, what: &'static str) -> Result<T> {
    of(row.get(column)?).ok_or_else(|| corrupt(what))
}

fn uuid(row: &Row<'_>, column: usize) -> Result<Uuid> {
    Ok(Uuid::from_bytes(row.get(column)?))
}

fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    Ok(Timestamp(row.get(column)?))
}

fn time_or_none(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

pub(super) fn org_unit(row: &Row<'_>) -> Result<OrgUnit> {
    Ok(OrgUnit {
        id: OrgUnitId(row.get(0)?),
        tenant: TenantId(row.get(1)?),
        parent_id: row.get::<_, Option<i64>>(2)?.map(OrgUnitId),
        status: code(row, 3, codes::org_unit_status_of, "status of an org unit")?,
        name: row.get(4)?,
        external_id: row.get(5)?,
        billing_id: row.get(6)?,
        address: row.get(7)?,
        city: row.get(8)?,
        state: row.get(9)?,
        zip: row.get(10)?,
        phone_number: row.get(11)?,
        industry_id: row.get(12)?,
        timezone: row.get(13)?,
        version: row.get(14)?,
        created_at: time(row, 15)?,
        modified_at: time(row, 16)?,
    })
}

/// Adds a unit to those of a tree, without a copy of its name on the way.
pub(super) fn push_tree_row(rows: &mut TreeRows, row: &Row<'_>) -> Result<()> {
    let parent = row.get::<_, Option<i64>>(1)?.map(OrgUnitId);
    let (name, key) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
    rows.push(OrgUnitId(row.get(0)?), parent, name, key);
    Ok(())
}

pub(super) fn user(row: &Row<'_>) -> Result<User> {
    let aliases: Option<String> = row.get(13)?;
    let aliases = aliases.map(|text| serde_json::from_str(&text).map_err(|_| corrupt("aliases")));
    Ok(User {
        id: UserId(row.get(0)?),
        tenant: TenantId(row.get(1)?),
        uuid: uuid(row, 2)?,
        org_unit_id: OrgUnitId(row.get(3)?),
        login: row.get(4)?,
        login_claimed: row.get(5)?,
        first_name: row.get(6)?,
        last_name: row.get(7)?,
        role: code(row, 8, codes::role_of, "role")?,
        status: code(row, 9, codes::user_status_of, "status of a user")?,
        password_hash: row.get(10)?,
        external_id: row.get(11)?,
        timezone: row.get(12)?,
        aliases: aliases.transpose()?,
        agent_ring_to: row.get(14)?,
        agent_code: row.get(15)?,
        score_call: row.get(16)?,
        access_audio: row.get(17)?,
        group_access: row.get(18)?,
        report_access: row.get(19)?,
        version: row.get(20)?,
        created_at: time(row, 21)?,
        modified_at: time(row, 22)?,
        avatar: row.get(23)?,
        user_group_id: row.get::<_, Option<[u8; 16]>>(24)?.map(|id| UserGroupId(Uuid::from_bytes(id))),
    })
}

pub(super) fn user_view(row: &Row<'_>) -> Result<UserView> {
    let unit = |at: usize| -> Result<Option<UnitRef>> {
        let Some(id) = row.get::<_, Option<i64>>(at)? else {
            return Ok(None);
        };
        Ok(Some(UnitRef {
            id: OrgUnitId(id),
            name: row.get(at + 1)?,
            external_id: row.get(at + 2)?,
            version: row.get(at + 3)?,
        }))
    };
    Ok(UserView {
        user: user(row)?,
        unit: unit(USER_COLUMNS)?.ok_or_else(|| corrupt("org unit of a user"))?,
        parent: unit(USER_COLUMNS + 4)?,
        top: unit(USER_COLUMNS + 8)?.ok_or_else(|| corrupt("top unit of a tenant"))?,
    })
}

pub(super) fn caller(tenant: TenantId, row: &Row<'_>) -> Result<Caller> {
    Ok(Caller {
        tenant,
        user: UserId(row.get(0)?),
        role: code(row, 1, codes::role_of, "role")?,
        org_unit: OrgUnitId(row.get(2)?),
        top: OrgUnitId(row.get(3)?),
        family: uuid(row, 4)?,
        expires_at: time(row, 5)?,
        retired: time_or_none(row, 6)?.is_some(),
    })
}

pub(super) fn session_token(
    tenant: TenantId,
    kind: TokenKind,
    hash: TokenHash,
    row: &Row<'_>,
) -> Result<SessionToken> {
    Ok(SessionToken {
        tenant,
        hash,
        kind,
        family: uuid(row, 0)?,
        user: UserId(row.get(1)?),
        created_at: time(row, 2)?,
        expires_at: time(row, 3)?,
        retired_at: time_or_none(row, 4)?,
    })
}

pub(super) fn tenant(row: &Row<'_>) -> Result<Tenant> {
    Ok(Tenant {
        id: TenantId(row.get(0)?),
        organization_id: uuid(row, 1)?,
        name: row.get(2)?,
        country: row.get(3)?,
        currency: row.get(4)?,
        status: code(row, 5, codes::tenant_status_of, "status of a tenant")?,
        top_org_unit_id: OrgUnitId(row.get(6)?),
        version: row.get(7)?,
        created_at: time(row, 8)?,
        modified_at: time(row, 9)?,
    })
}

pub(super) fn tenant_counts(row: &Row<'_>) -> Result<TenantCounts> {
    let count = |column: usize| -> Result<u64> { Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0)) };
    Ok(TenantCounts {
        org_units: count(0)?,
        users_active: count(1)?,
        users_inactive: count(2)?,
        users_deleted: count(3)?,
        journal: count(4)?,
    })
}

pub(super) fn credential(tenant: TenantId, row: &Row<'_>) -> Result<Credential> {
    Ok(Credential {
        id: CredentialId(row.get(0)?),
        tenant,
        dialect: code(row, 1, codes::dialect_of, "dialect")?,
        name: row.get(2)?,
        public_id: row.get(3)?,
        secret_hash: row.get(4)?,
        secret_sealed: row.get(5)?,
        read_only: row.get(6)?,
        expires_at: time_or_none(row, 7)?,
        revoked_at: time_or_none(row, 8)?,
        created_at: time(row, 9)?,
        last_used_at: time_or_none(row, 10)?,
    })
}

pub(super) fn credential_caller(tenant: TenantId, row: &Row<'_>) -> Result<CredentialCaller> {
    let status = code(row, 4, codes::tenant_status_of, "status of a tenant")?;
    Ok(CredentialCaller {
        tenant,
        credential: CredentialId(row.get(0)?),
        read_only: row.get(1)?,
        last_used_at: time_or_none(row, 2)?,
        top: OrgUnitId(row.get(3)?),
        tenant_active: status == TenantStatus::Active,
    })
}

pub(super) fn signed_caller(tenant: TenantId, row: &Row<'_>) -> Result<SignedCaller> {
    Ok(SignedCaller {
        caller: credential_caller(tenant, row)?,
        organization_id: uuid(row, 5)?,
        secret_sealed: row.get(6)?,
    })
}

pub(super) fn journal_record(row: &Row<'_>) -> Result<JournalRecord> {
    let payload: String = row.get(9)?;
    Ok(JournalRecord {
        sequence: row.get(0)?,
        at: time(row, 1)?,
        actor: codes::actor_of(row.get(2)?, row.get(3)?).ok_or_else(|| corrupt("actor"))?,
        dialect: code(row, 4, codes::dialect_of, "dialect")?,
        kind: row.get(5)?,
        entity: row.get(6)?,
        entity_id: row.get(7)?,
        version: row.get(8)?,
        payload: serde_json::from_str(&payload).map_err(|_| corrupt("journal payload"))?,
    })
}

pub(super) fn user_group(row: &Row<'_>) -> Result<UserGroup> {
    let extra: Option<String> = row.get(5)?;
    let extra = extra.map(|text| serde_json::from_str(&text).map_err(|_| corrupt("extra fields")));
    Ok(UserGroup {
        id: UserGroupId(uuid(row, 0)?),
        tenant: TenantId(row.get(1)?),
        name: row.get(2)?,
        description: row.get(3)?,
        external_id: row.get(4)?,
        extra_fields: extra.transpose()?,
        members: row.get::<_, i64>(6)?.try_into().map_err(|_| corrupt("count of members"))?,
        version: row.get(7)?,
        created_at: time(row, 8)?,
        modified_at: time(row, 9)?,
    })
}

pub(super) fn member(row: &Row<'_>) -> Result<Member> {
    // There is no primary group of a user when rows are damaged.
    let primary = row.get::<_, Option<bool>>(2)?.unwrap_or(false);
    Ok(Member { user: UserId(row.get(0)?), uuid: uuid(row, 1)?, primary, since: time(row, 3)? })
}

/// A group that a user is in, and since when.
pub(super) fn group_since(row: &Row<'_>) -> Result<(UserGroupId, Timestamp)> {
    Ok((UserGroupId(uuid(row, 0)?), time(row, 1)?))
}

pub(super) fn user_group_garbage(row: &Row<'_>) -> Result<user_group::Reapable> {
    let id = UserGroupId(uuid(row, 0)?);
    Ok(if row.get(1)? { user_group::Reapable::Emptied(id) } else { user_group::Reapable::Memberships(id) })
}

/// Five texts in a row, from a column on.
fn five(row: &Row<'_>, from: usize) -> Result<[Option<String>; 5]> {
    let text = |at: usize| row.get(from + at);
    Ok([text(0)?, text(1)?, text(2)?, text(3)?, text(4)?])
}

pub(super) fn contact_group(row: &Row<'_>) -> Result<ContactGroup> {
    Ok(ContactGroup {
        id: ContactGroupId(row.get(0)?),
        tenant: TenantId(row.get(1)?),
        name: row.get(2)?,
        description: row.get(3)?,
        labels: five(row, 4)?,
        expires_at: time_or_none(row, 9)?,
        contacts: row.get::<_, i64>(10)?.try_into().map_err(|_| corrupt("count of contacts"))?,
        contacts_version: row.get(11)?,
        version: row.get(12)?,
        created_at: time(row, 13)?,
        modified_at: time(row, 14)?,
    })
}

pub(super) fn contact(row: &Row<'_>) -> Result<Contact> {
    Ok(Contact {
        id: ContactId(row.get(0)?),
        tenant: TenantId(row.get(1)?),
        group: ContactGroupId(row.get(2)?),
        phone: PhoneNumber::from_stored(row.get(3)?),
        columns: five(row, 4)?,
        callback_data: row.get(9)?,
        version: row.get(10)?,
        created_at: time(row, 11)?,
        modified_at: time(row, 12)?,
    })
}

pub(super) fn expired(row: &Row<'_>) -> Result<Reapable> {
    Ok(Reapable::Expired { id: ContactGroupId(row.get(0)?), version: row.get(1)? })
}

pub(super) fn garbage(row: &Row<'_>) -> Result<Reapable> {
    let id = ContactGroupId(row.get(0)?);
    Ok(if row.get(1)? { Reapable::Emptied(id) } else { Reapable::Contacts(id) })
}
