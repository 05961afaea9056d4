//! From PostgreSQL's errors to the store's.

use muster_domain::{StoreError, Unique};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// The indexes behind the uniqueness rules.
const UNIQUE: [(&str, Unique); 7] = [
    ("org_units_sibling_name", Unique::OrgUnitName),
    ("users_login", Unique::Login),
    ("login_claims_pkey", Unique::Login),
    ("user_groups_external_id", Unique::UserGroupExternalId),
    ("contacts_phone", Unique::ContactPhone),
    ("tags_name", Unique::TagName),
    ("blocked_numbers_number", Unique::BlockedNumber),
];

/// What may help against an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// None: the statement itself is refused.
    None,
    /// Nothing now: what the database has is used up, a lock is not free, or it is not known what was done.
    Later,
    /// The database gave the transaction up for another one: the same again.
    Again,
    /// The connection is gone, or to a server that does not write: another connection.
    Reconnect,
}

/// What an error is for the store, and what may help.
pub(super) fn judge(error: &Error) -> (StoreError, Remedy) {
    let Some(from_server) = error.as_db_error() else {
        let lost = error.is_closed() || is_io(error);
        return if lost { (unavailable(error), Remedy::Reconnect) } else { (internal(error), Remedy::None) };
    };
    let code = from_server.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        let index = from_server.constraint().unwrap_or_default();
        let rule = UNIQUE.iter().find(|(name, _)| *name == index).map(|(_, rule)| *rule);
        return (rule.map_or_else(|| internal(error), StoreError::Duplicate), Remedy::None);
    }
    // Nothing is written under a tenant, a unit or a user that was removed meanwhile.
    if *code == SqlState::FOREIGN_KEY_VIOLATION {
        return (StoreError::Stale, Remedy::None);
    }
    if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code) {
        return (unavailable(error), Remedy::Again);
    }
    match code.code().get(..2) {
        // It would take as long again.
        _ if *code == SqlState::QUERY_CANCELED => (unavailable(error), Remedy::Later),
        // The connection, the server's end or start; and a server that is but a copy of the one that writes.
        Some("08" | "57") => (unavailable(error), Remedy::Reconnect),
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => (unavailable(error), Remedy::Reconnect),
        // Its time limits.
        Some("25") if code.code() == "25P03" => (unavailable(error), Remedy::Reconnect),
        // What it has is used up; a lock that is not free.
        Some("53" | "55" | "58") => (unavailable(error), Remedy::Later),
        _ => (internal(error), Remedy::None),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as `map_err(store_error)`")]
pub(super) fn store_error(error: Error) -> StoreError {
    judge(&error).0
}

fn is_io(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

fn unavailable(error: &Error) -> StoreError {
    StoreError::Unavailable(text(error).into())
}

fn internal(error: &Error) -> StoreError {
    StoreError::Internal(text(error))
}

/// The error with its cause, which the error itself does not tell.
fn text(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
