//! What a program may know of the tenant that it belongs to.

use super::Tenant;
use crate::{Access, Ctx, Directory, Error, Store};

impl<S: Store> Directory<S> {
    /// The caller's tenant. Errors: `NotFound` for one that was deleted meanwhile.
    pub async fn account_get(&self, ctx: &Ctx) -> Result<Tenant, Error> {
        ctx.allow(Access::Read)?;
        self.tenant_get(ctx.tenant()).await
    }
}
