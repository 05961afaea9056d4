//! The caller itself (`/v3/auth`; Convirza contract, section 2).

use muster_domain::Dialect;
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::success;
use super::user_wire::{UserDetail, new_password, tag};
use crate::http::{Call, Fields, Outcome, Text, string};

pub(super) async fn profile_get(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let view = call.directory().profile_get(&ctx).await?;
    Ok(success(call, &UserDetail::new(&view))?.tag(tag(&view)))
}

#[derive(Serialize, ToSchema)]
pub(super) struct PasswordChanged {
    success: bool,
}

pub(super) async fn password_change(call: &mut Call) -> Outcome {
    let (ctx, caller) = call.authenticate(Dialect::Convirza).await?;
    let app = call.app();
    if app.settings.rate_limits {
        app.password_changes.count((ctx.tenant(), caller.user), ctx.now())?;
    }
    let (current, new) = call.small_object(passwords).await?;
    call.directory().password_change(&ctx, &caller, current, new).await?;
    success(call, &PasswordChanged { success: true })
}

/// Reads the password of before and the new one.
pub(super) fn passwords(fields: &mut Fields<'_>) -> Option<(SecretString, SecretString)> {
    let current = string(Text::ANY, |text| Ok(SecretString::from(text)));
    let current = fields.required("current_password", "current_password", current);
    let new = fields.required("new_password", "new_password", new_password());
    current.zip(new)
}
