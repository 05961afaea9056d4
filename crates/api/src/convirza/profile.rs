//! The caller itself (`/v3/auth`; Convirza contract, section 2).

use muster_domain::user::password;
use muster_domain::{Access, Dialect};
use secrecy::SecretString;
use serde::Serialize;

use super::envelope::success;
use super::user_wire::{UserDetail, tag};
use crate::http::{Call, Fields, Mode, Outcome, string};

pub(super) async fn profile_get(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza, Access::None).await?;
    let view = call.directory().profile_get(&ctx).await?;
    Ok(success(call, &UserDetail::new(&view))?.tag(tag(&view)))
}

#[derive(Serialize)]
struct Changed {
    success: bool,
}

pub(super) async fn password_change(call: &mut Call) -> Outcome {
    let (ctx, caller) = call.authenticate(Dialect::Convirza, Access::None).await?;
    let app = call.app();
    if app.settings.rate_limits {
        app.password_changes.count((ctx.tenant(), caller.user), ctx.now())?;
    }
    let (current, new) = call
        .small_object(|body| {
            let mut fields = Fields::new(body, Mode::Create);
            let current = string(|text| Ok(SecretString::from(text)));
            let current = fields.required("current_password", "current_password", current);
            let new = fields.required("new_password", "new_password", string(password::check));
            fields.errors.complete(current.zip(new))
        })
        .await??;
    call.directory().password_change(&ctx, &caller, current, new).await?;
    success(call, &Changed { success: true })
}
