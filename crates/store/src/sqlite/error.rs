//! From SQLite's errors to the store's.

use muster_domain::{StoreError, Unique};
use rusqlite::{ErrorCode, ffi};

/// The indexes behind the uniqueness rules, by the column that stands in SQLite's message.
const UNIQUE: [(&str, Unique); 7] = [
    ("org_units.name_key", Unique::OrgUnitName),
    ("users.login_key", Unique::Login),
    ("login_claims.login_key", Unique::Login),
    ("user_groups.external_id_key", Unique::UserGroupExternalId),
    ("contacts.phone", Unique::ContactPhone),
    ("tags.name_key", Unique::TagName),
    ("blocked_numbers.number", Unique::BlockedNumber),
];

#[expect(clippy::needless_pass_by_value, reason = "used as `map_err(store_error)`")]
pub(super) fn store_error(error: rusqlite::Error) -> StoreError {
    let text = error.to_string();
    // Nothing is written under a tenant, a unit or a user that was removed meanwhile.
    if error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY) {
        return StoreError::Stale;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => UNIQUE
            .iter()
            .find(|(column, _)| text.contains("UNIQUE") && text.contains(column))
            .map_or(StoreError::Internal(text), |(_, unique)| StoreError::Duplicate(*unique)),
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen,
        ) => StoreError::Unavailable(text.into()),
        _ => StoreError::Internal(text),
    }
}
