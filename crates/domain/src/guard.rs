//! What a write rests on besides the versions of what it changes.

use crate::message::Currency;
use crate::{BulkId, ContactGroupId, OrgUnitId, UserGroupId, UserId, WebhookId};

/// A condition that the version of a changed row cannot carry. One that fails makes the use case read
/// and decide again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The unit exists and is active (a child or a user is put into it).
    UnitActive(OrgUnitId),
    /// The unit has no active child unit and no user that is not deleted (it is archived).
    UnitVacant(OrgUnitId),
    /// No unit of the tenant was moved since this version of the tree was read.
    TreeVersion(i64),
    /// The unit still has this version (what an answer showed of it is a precondition).
    UnitVersion { id: OrgUnitId, version: i64 },
    /// The top unit has an active Admin besides this user, with `with_password` one who has a password.
    AdminRemains { besides: UserId, with_password: bool },
    /// The store's secrets are sealed under the server key with this fingerprint (one is added).
    ServerKey { fingerprint: [u8; 32] },
    /// The user still has this version (a session is opened on what was verified).
    UserVersion { id: UserId, version: i64 },
    /// The user is in these groups, the primary one first, then by how long; see [`crate::user_group::Memberships`].
    UserGroups { user: UserId, groups: Vec<UserGroupId> },
    /// This is still the user's primary group (what an answer showed of it is a precondition).
    PrimaryGroup { user: UserId, group: Option<UserGroupId> },
    /// The user group still has this version (its members are changed under a precondition).
    UserGroupVersion { id: UserGroupId, version: i64 },
    /// The user group exists and has no members.
    UserGroupVacant(UserGroupId),
    /// The contact group still has this version (what an answer showed of it is a precondition).
    ContactGroupVersion { id: ContactGroupId, version: i64 },
    /// No contact was put into the group, taken out of it or changed since this version of its list was read.
    ContactsVersion { group: ContactGroupId, version: i64 },
    /// The number is on the block list, or is not (a message to it is taken).
    NumberBlocked { number: String, is_blocked: bool },
    /// No message of the bulk waits to be handed over (it ends).
    BulkSettled(BulkId),
    /// Nothing was ever given to the balance or taken from it (its currency is changed).
    BalanceUntouched,
    /// The tenant pays in this currency (an amount is taken that was decided on in it).
    PaysIn(Currency),
    /// The tenant may have one more webhook besides this one, `of_lox24` one more in that format; see
    /// [`crate::webhook::limits`].
    WebhookRoom { besides: WebhookId, of_lox24: bool },
}
