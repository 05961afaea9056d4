//! Writing users and the claims of their logins.

use muster_domain::user::{User, UserDocument, UserStatus};
use serde_json::json;

use super::Outcome;
use crate::codes;
use crate::driver::Write;
use crate::statements::user;
use crate::value::{Value, values};

/// The values that both statements on users begin with.
fn values(u: &User) -> Vec<Value<'_>> {
    values![
        u.tenant.0,
        u.id.0,
        u.org_unit_id.0,
        &u.login,
        u.login_key(),
        u.login_claimed,
        &u.first_name,
        &u.last_name,
        u.name_key(),
        codes::role(u.role),
        codes::user_status(u.status),
        &u.password_hash,
        &u.external_id,
        &u.timezone,
        u.aliases.as_ref().map(ToString::to_string),
        &u.agent_ring_to,
        u.agent_code,
        u.score_call,
        u.access_audio,
        u.group_access,
        u.report_access,
        u.version,
        u.modified_at.0,
        &u.avatar,
        u.display_name_key(),
        u.login_is_email(),
        u.document.as_deref().map(document),
    ]
    .into()
}

/// A document as it is stored.
fn document(of: &UserDocument) -> String {
    let UserDocument { sent, columns, display_name, emails } = of;
    json!({"sent": sent, "columns": columns, "display_name": display_name, "emails": emails}).to_string()
}

pub(super) async fn insert(on: &mut impl Write, u: &User) -> Outcome {
    let mut values = values(u);
    values.extend(values![u.uuid, u.created_at.0]);
    on.run(&user::INSERT, &values).await?;
    add_emails(on, u, u.email_keys()).await?;
    claim(on, None, claim_of(u), u).await
}

pub(super) async fn update(on: &mut impl Write, before: &User, u: &User) -> Outcome {
    let mut values = values(u);
    values.push(before.version.into());
    on.change(&user::UPDATE_IN_PLACE, &user::UPDATE, &values).await?;
    let keys = u.email_keys();
    if before.email_keys() != keys {
        on.run(&user::EMAILS_DELETE, &values![u.tenant.0, u.id.0]).await?;
        add_emails(on, u, keys).await?;
    }
    claim(on, claim_of(before), claim_of(u), u).await
}

async fn add_emails(on: &mut impl Write, u: &User, keys: Vec<String>) -> Outcome {
    for key in keys {
        on.run(&user::EMAIL_INSERT, &values![u.tenant.0, u.id.0, key]).await?;
    }
    Ok(())
}

/// The login key that a user keeps from every other user of the installation.
fn claim_of(user: &User) -> Option<String> {
    (user.login_claimed && user.status != UserStatus::Deleted).then(|| user.login_key())
}

async fn claim(on: &mut impl Write, before: Option<String>, after: Option<String>, user: &User) -> Outcome {
    if before == after {
        return Ok(());
    }
    if let Some(key) = before {
        on.run(&user::UNCLAIM, &values![key, user.tenant.0, user.id.0]).await?;
    }
    if let Some(key) = after {
        on.run(&user::CLAIM, &values![key, user.tenant.0, user.id.0]).await?;
    }
    Ok(())
}
