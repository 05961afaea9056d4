//! Writing users and the claims of their logins.

use muster_domain::user::{User, UserStatus};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::{Outcome, exactly_one, run};
use crate::codes;
use crate::statements::user;

/// The values that both statements on users begin with.
fn values(u: &User) -> Vec<Value> {
    vec![
        u.tenant.0.into(),
        u.id.0.into(),
        u.org_unit_id.0.into(),
        u.login.clone().into(),
        u.login_key().into(),
        u.login_claimed.into(),
        u.first_name.clone().into(),
        u.last_name.clone().into(),
        u.name_key().into(),
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
        u.avatar.clone().into(),
    ]
}

pub(super) fn insert(connection: &Connection, u: &User) -> Outcome {
    let mut values = values(u);
    values.extend([u.uuid.as_bytes().to_vec().into(), u.created_at.0.into()]);
    run(connection, &user::INSERT, params_from_iter(values))?;
    claim(connection, None, claim_of(u).as_deref(), u)
}

pub(super) fn update(connection: &Connection, before: &User, u: &User) -> Outcome {
    let mut values = values(u);
    values.push(before.version.into());
    exactly_one(run(connection, &user::UPDATE, params_from_iter(values))?)?;
    claim(connection, claim_of(before).as_deref(), claim_of(u).as_deref(), u)
}

/// The login key that a user keeps from every other user of the installation.
fn claim_of(user: &User) -> Option<String> {
    (user.login_claimed && user.status != UserStatus::Deleted).then(|| user.login_key())
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
