//! From rows to domain types; the order of the columns is that of the statements.

pub(crate) mod balance;
pub(crate) mod bulk;
pub(crate) mod message;
pub(crate) mod webhook;

use std::time::Duration;

use muster_domain::contact::{Contact, ContactGroup, PhoneNumber, Reapable};
use muster_domain::credential::{Credential, CredentialCaller, SignedCaller};
use muster_domain::media::{MediaPrompt, ObjectKey};
use muster_domain::org_unit::{OrgUnit, TreeRows};
use muster_domain::session::{Caller, SessionToken, TokenHash, TokenKind};
use muster_domain::tag::Tag;
use muster_domain::tenant::{Tenant, TenantCounts, TenantStatus};
use muster_domain::user::{UnitRef, User, UserDocument, UserView};
use muster_domain::user_group::{self, GroupOfUser, Member, UserGroup};
use muster_domain::{
    ContactGroupId, ContactId, CredentialId, JournalRecord, MediaPromptId, OrgUnitId, StoreError, TagId,
    TenantId, Timestamp, UserGroupId, UserId,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::codes;
use crate::row::{Row, corrupt, get};

type Result<T> = std::result::Result<T, StoreError>;

/// How many columns a user and a unit have.
pub(crate) const USER_COLUMNS: usize = 26;
pub(crate) const ORG_UNIT_COLUMNS: usize = 17;
pub(crate) const USER_GROUP_COLUMNS: usize = 10;
pub(crate) const TAG_COLUMNS: usize = 8;

fn code<T>(row: &dyn Row, column: usize, of: fn(i64) -> Option<T>, what: &str) -> Result<T> {
    of(get(row, column)?).ok_or_else(|| corrupt(what))
}

pub(crate) fn org_unit(row: &dyn Row) -> Result<OrgUnit> {
    Ok(OrgUnit {
        id: OrgUnitId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        parent_id: get::<Option<i64>>(row, 2)?.map(OrgUnitId),
        status: code(row, 3, codes::org_unit_status_of, "status of an org unit")?,
        name: get(row, 4)?,
        external_id: get(row, 5)?,
        billing_id: get(row, 6)?,
        address: get(row, 7)?,
        city: get(row, 8)?,
        state: get(row, 9)?,
        zip: get(row, 10)?,
        phone_number: get(row, 11)?,
        industry_id: get(row, 12)?,
        timezone: get(row, 13)?,
        version: get(row, 14)?,
        created_at: get(row, 15)?,
        modified_at: get(row, 16)?,
    })
}

/// Adds a unit to those of a tree, without a copy of its name on the way.
pub(crate) fn push_tree_row(rows: &mut TreeRows, row: &dyn Row) -> Result<()> {
    let parent = get::<Option<i64>>(row, 1)?.map(OrgUnitId);
    let text = |at: usize| row.text(at)?.ok_or_else(|| corrupt("name of an org unit"));
    let (name, key) = (text(2)?, text(3)?);
    rows.push(OrgUnitId(get(row, 0)?), parent, name, key);
    Ok(())
}

pub(crate) fn user(row: &dyn Row) -> Result<User> {
    let aliases: Option<String> = get(row, 13)?;
    let aliases = aliases.map(|text| serde_json::from_str(&text).map_err(|_| corrupt("aliases")));
    Ok(User {
        id: UserId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        uuid: get(row, 2)?,
        org_unit_id: OrgUnitId(get(row, 3)?),
        login: get(row, 4)?,
        login_claimed: get(row, 5)?,
        first_name: get(row, 6)?,
        last_name: get(row, 7)?,
        role: code(row, 8, codes::role_of, "role")?,
        status: code(row, 9, codes::user_status_of, "status of a user")?,
        password_hash: get(row, 10)?,
        external_id: get(row, 11)?,
        timezone: get(row, 12)?,
        aliases: aliases.transpose()?,
        agent_ring_to: get(row, 14)?,
        agent_code: get(row, 15)?,
        score_call: get(row, 16)?,
        access_audio: get(row, 17)?,
        group_access: get(row, 18)?,
        report_access: get(row, 19)?,
        version: get(row, 20)?,
        created_at: get(row, 21)?,
        modified_at: get(row, 22)?,
        avatar: get(row, 23)?,
        user_group_id: get::<Option<Uuid>>(row, 24)?.map(UserGroupId),
        document: row.text(25)?.map(document).transpose()?,
    })
}

/// A document as it is stored.
fn document(stored: &str) -> Result<Box<UserDocument>> {
    let wrong = || corrupt("document of a user");
    let mut stored: Map<String, Value> = serde_json::from_str(stored).map_err(|_| wrong())?;
    let mut take = |name: &str| stored.remove(name).unwrap_or_default();
    let object = |value: Value| match value {
        Value::Object(object) => Ok(object),
        _ => Err(wrong()),
    };
    let text = |value: Value| match value {
        Value::String(text) => Ok(text),
        _ => Err(wrong()),
    };
    let (sent, columns) = (object(take("sent"))?, object(take("columns"))?);
    let emails = match take("emails") {
        Value::Null => None,
        Value::Array(emails) => Some(emails.into_iter().map(text).collect::<Result<_>>()?),
        _ => return Err(wrong()),
    };
    let display_name = match take("display_name") {
        Value::Null => None,
        name => Some(text(name)?),
    };
    Ok(Box::new(UserDocument { sent, columns, display_name, emails }))
}

pub(crate) fn user_view(row: &dyn Row) -> Result<UserView> {
    let unit = |at: usize| -> Result<Option<UnitRef>> {
        let Some(id) = get::<Option<i64>>(row, at)? else {
            return Ok(None);
        };
        Ok(Some(UnitRef {
            id: OrgUnitId(id),
            name: get(row, at + 1)?,
            external_id: get(row, at + 2)?,
            version: get(row, at + 3)?,
        }))
    };
    Ok(UserView {
        user: user(row)?,
        unit: unit(USER_COLUMNS)?.ok_or_else(|| corrupt("org unit of a user"))?,
        parent: unit(USER_COLUMNS + 4)?,
        top: unit(USER_COLUMNS + 8)?.ok_or_else(|| corrupt("top unit of a tenant"))?,
    })
}

pub(crate) fn caller(tenant: TenantId, row: &dyn Row) -> Result<Caller> {
    Ok(Caller {
        tenant,
        user: UserId(get(row, 0)?),
        role: code(row, 1, codes::role_of, "role")?,
        org_unit: OrgUnitId(get(row, 2)?),
        top: OrgUnitId(get(row, 3)?),
        family: get(row, 4)?,
        expires_at: get(row, 5)?,
        retired: get::<Option<Timestamp>>(row, 6)?.is_some(),
    })
}

pub(crate) fn session_token(
    tenant: TenantId,
    kind: TokenKind,
    hash: TokenHash,
    row: &dyn Row,
) -> Result<SessionToken> {
    Ok(SessionToken {
        tenant,
        hash,
        kind,
        family: get(row, 0)?,
        user: UserId(get(row, 1)?),
        created_at: get(row, 2)?,
        expires_at: get(row, 3)?,
        retired_at: get(row, 4)?,
    })
}

pub(crate) fn tenant(row: &dyn Row) -> Result<Tenant> {
    Ok(Tenant {
        id: TenantId(get(row, 0)?),
        organization_id: get(row, 1)?,
        name: get(row, 2)?,
        country: get(row, 3)?,
        currency: get(row, 4)?,
        status: code(row, 5, codes::tenant_status_of, "status of a tenant")?,
        top_org_unit_id: OrgUnitId(get(row, 6)?),
        version: get(row, 7)?,
        created_at: get(row, 8)?,
        modified_at: get(row, 9)?,
        tier: code(row, 10, codes::tier_of, "tier of a tenant")?,
    })
}

pub(crate) fn tenant_counts(row: &dyn Row) -> Result<TenantCounts> {
    let count = |column: usize| -> Result<u64> { Ok(u64::try_from(get::<i64>(row, column)?).unwrap_or(0)) };
    Ok(TenantCounts {
        org_units: count(0)?,
        users_active: count(1)?,
        users_inactive: count(2)?,
        users_deleted: count(3)?,
        user_groups: count(4)?,
        journal: count(5)?,
        messages: count(6)?,
        incomings: count(7)?,
    })
}

pub(crate) fn credential(tenant: TenantId, row: &dyn Row) -> Result<Credential> {
    Ok(Credential {
        id: CredentialId(get(row, 0)?),
        tenant,
        dialect: code(row, 1, codes::dialect_of, "dialect")?,
        name: get(row, 2)?,
        public_id: get(row, 3)?,
        secret_hash: get(row, 4)?,
        secret_sealed: get(row, 5)?,
        read_only: get(row, 6)?,
        expires_at: get(row, 7)?,
        revoked_at: get(row, 8)?,
        created_at: get(row, 9)?,
        last_used_at: get(row, 10)?,
        profile: code(row, 11, codes::profile_of, "profile")?,
    })
}

pub(crate) fn credential_caller(tenant: TenantId, row: &dyn Row) -> Result<CredentialCaller> {
    let status = code(row, 4, codes::tenant_status_of, "status of a tenant")?;
    Ok(CredentialCaller {
        tenant,
        credential: CredentialId(get(row, 0)?),
        read_only: get(row, 1)?,
        last_used_at: get(row, 2)?,
        top: OrgUnitId(get(row, 3)?),
        tenant_active: status == TenantStatus::Active,
        profile: code(row, 5, codes::profile_of, "profile")?,
    })
}

pub(crate) fn signed_caller(tenant: TenantId, row: &dyn Row) -> Result<SignedCaller> {
    Ok(SignedCaller {
        caller: credential_caller(tenant, row)?,
        organization_id: get(row, 6)?,
        secret_sealed: get(row, 7)?,
    })
}

pub(crate) fn journal_record(row: &dyn Row) -> Result<JournalRecord> {
    let payload: String = get(row, 9)?;
    Ok(JournalRecord {
        sequence: get(row, 0)?,
        at: get(row, 1)?,
        actor: codes::actor_of(get(row, 2)?, get(row, 3)?).ok_or_else(|| corrupt("actor"))?,
        dialect: code(row, 4, codes::dialect_of, "dialect")?,
        kind: get(row, 5)?,
        entity: get(row, 6)?,
        entity_id: get(row, 7)?,
        version: get(row, 8)?,
        org_unit_id: get::<Option<i64>>(row, 10)?.map(OrgUnitId),
        payload: serde_json::from_str(&payload).map_err(|_| corrupt("journal payload"))?,
    })
}

pub(crate) fn user_group(row: &dyn Row) -> Result<UserGroup> {
    let extra: Option<String> = get(row, 5)?;
    let extra = extra.map(|text| serde_json::from_str(&text).map_err(|_| corrupt("extra fields")));
    Ok(UserGroup {
        id: UserGroupId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        name: get(row, 2)?,
        description: get(row, 3)?,
        external_id: get(row, 4)?,
        extra_fields: extra.transpose()?,
        members: get::<i64>(row, 6)?.try_into().map_err(|_| corrupt("count of members"))?,
        version: get(row, 7)?,
        created_at: get(row, 8)?,
        modified_at: get(row, 9)?,
    })
}

pub(crate) fn member(row: &dyn Row) -> Result<Member> {
    Ok(Member { user: UserId(get(row, 0)?), uuid: get(row, 1)?, primary: get(row, 2)?, since: get(row, 3)? })
}

/// A group that a user is in, and since when.
pub(crate) fn group_since(row: &dyn Row) -> Result<(UserGroupId, Timestamp)> {
    Ok((UserGroupId(get(row, 0)?), get(row, 1)?))
}

pub(crate) fn group_of_user(row: &dyn Row) -> Result<GroupOfUser> {
    Ok(GroupOfUser { user: UserId(get(row, 0)?), group: UserGroupId(get(row, 1)?), name: get(row, 2)? })
}

pub(crate) fn user_group_garbage(row: &dyn Row) -> Result<user_group::Reapable> {
    let id = UserGroupId(get(row, 0)?);
    Ok(if get(row, 1)? { user_group::Reapable::Emptied(id) } else { user_group::Reapable::Memberships(id) })
}

/// Five texts in a row, from a column on.
fn five(row: &dyn Row, from: usize) -> Result<[Option<String>; 5]> {
    let text = |at: usize| get(row, from + at);
    Ok([text(0)?, text(1)?, text(2)?, text(3)?, text(4)?])
}

pub(crate) fn contact_group(row: &dyn Row) -> Result<ContactGroup> {
    Ok(ContactGroup {
        id: ContactGroupId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        name: get(row, 2)?,
        description: get(row, 3)?,
        labels: five(row, 4)?,
        expires_at: get(row, 9)?,
        contacts: get::<i64>(row, 10)?.try_into().map_err(|_| corrupt("count of contacts"))?,
        contacts_version: get(row, 11)?,
        version: get(row, 12)?,
        created_at: get(row, 13)?,
        modified_at: get(row, 14)?,
    })
}

pub(crate) fn contact(row: &dyn Row) -> Result<Contact> {
    Ok(Contact {
        id: ContactId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        group: ContactGroupId(get(row, 2)?),
        phone: PhoneNumber::from_stored(get(row, 3)?),
        columns: five(row, 4)?,
        callback_data: get(row, 9)?,
        version: get(row, 10)?,
        created_at: get(row, 11)?,
        modified_at: get(row, 12)?,
    })
}

pub(crate) fn tag(row: &dyn Row) -> Result<Tag> {
    Ok(Tag {
        id: TagId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        org_unit_id: OrgUnitId(get(row, 2)?),
        name: get(row, 3)?,
        color: get(row, 4)?,
        version: get(row, 5)?,
        created_at: get(row, 6)?,
        modified_at: get(row, 7)?,
    })
}

pub(crate) fn media_prompt(row: &dyn Row) -> Result<MediaPrompt> {
    let millis = get::<Option<i64>>(row, 8)?.map(u64::try_from);
    let millis = millis.transpose().map_err(|_| corrupt("duration of a media prompt"))?;
    Ok(MediaPrompt {
        id: MediaPromptId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        org_unit_id: OrgUnitId(get(row, 2)?),
        name: get(row, 3)?,
        message_type: code(row, 4, codes::message_type_of, "type of a media prompt")?,
        file_name: get(row, 5)?,
        kind: code(row, 6, codes::media_kind_of, "kind of a media prompt")?,
        size: get::<i64>(row, 7)?.try_into().map_err(|_| corrupt("size of a media prompt"))?,
        duration: millis.map(Duration::from_millis),
        checksum: get(row, 9)?,
        object: object_key(row, 10)?,
        created_at: get(row, 11)?,
    })
}

pub(crate) fn object_key(row: &dyn Row, at: usize) -> Result<ObjectKey> {
    get::<String>(row, at)?.parse().map_err(|()| corrupt("key of an object"))
}

pub(crate) fn expired(row: &dyn Row) -> Result<Reapable> {
    Ok(Reapable::Expired { id: ContactGroupId(get(row, 0)?), version: get(row, 1)? })
}

pub(crate) fn garbage(row: &dyn Row) -> Result<Reapable> {
    let id = ContactGroupId(get(row, 0)?);
    Ok(if get(row, 1)? { Reapable::Emptied(id) } else { Reapable::Contacts(id) })
}
