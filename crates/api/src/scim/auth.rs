//! Who calls: whoever bears a token of a tenant.

use std::sync::Arc;

use muster_domain::credential::{self, scim_tenant};
use muster_domain::session::{Found, Subject};
use muster_domain::{Ctx, Dialect, Directory, Entity, Error};
use muster_store::Store;
use uuid::Uuid;

use super::patch::Profile;
use crate::App;
use crate::http::{Call, Failure};

/// What a 401 says in `WWW-Authenticate` (RFC 6750, section 3).
pub(super) const CHALLENGE: &str = "Bearer";

/// Who calls, and what answers are made with.
pub(super) struct Caller {
    pub(super) ctx: Ctx,
    pub(super) app: Arc<App>,
    /// What stands before the paths of resources in their addresses.
    pub(super) base: String,
}

impl Caller {
    /// Whose habits the caller has.
    pub(super) fn profile(&self) -> Profile {
        match self.ctx.profile() {
            credential::Profile::Rfc => Profile::Rfc,
            credential::Profile::Entra => Profile::Entra,
        }
    }

    pub(super) fn directory(&self) -> &Directory<Store> {
        &self.app.directory
    }
}

/// The address of the dialect, as the caller knows it.
pub(super) fn base(call: &Call) -> String {
    format!("{}{}", call.origin(), super::PREFIX)
}

pub(super) async fn enter(call: &mut Call) -> Result<Caller, Failure> {
    let token = call.bearer()?.to_owned();
    let tenant = scim_tenant(&token).ok_or(Error::Unauthenticated("wrong SCIM token"))?;
    let ctx = call.credential(Dialect::Scim, tenant, &token).await?;
    Ok(Caller { ctx, app: call.shared_app(), base: base(call) })
}

/// As [`enter`], with what the id in the path names, read in the same trip to the store.
pub(super) async fn enter_for(
    call: &mut Call,
    entity: Entity,
    subject: fn(Uuid) -> Subject,
) -> Result<(Caller, Option<Found>), Failure> {
    let Some(id) = id(call.path_text()) else {
        enter(call).await?;
        return Err(Error::NotFound(entity).into());
    };
    let token = call.bearer()?.to_owned();
    let tenant = scim_tenant(&token).ok_or(Error::Unauthenticated("wrong SCIM token"))?;
    let (ctx, found) = call.credential_for(Dialect::Scim, tenant, &token, subject(id)).await?;
    Ok((Caller { ctx, app: call.shared_app(), base: base(call) }, found))
}

/// An id, which has one spelling.
pub(super) fn id(text: &str) -> Option<Uuid> {
    text.parse().ok().filter(|id: &Uuid| id.to_string() == text)
}
