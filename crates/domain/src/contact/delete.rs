//! Deleting a contact group.

use serde_json::Map;

use super::ContactGroup;
use crate::directory::{ATTEMPTS, check_precondition};
use crate::{
    Access, Batch, Change, Ctx, Directory, Entity, Error, Guard, JournalEntry, Precondition, Store,
    StoreError,
};

impl<S: Store> Directory<S> {
    /// Deletes a group that the caller has read, with its list: both are gone for every reader, their rows are
    /// removed by [`Directory::contacts_reap`].
    ///
    /// Errors: `Precondition`, `NotFound` when it is gone already.
    pub async fn contact_group_delete(
        &self,
        ctx: &Ctx,
        found: ContactGroup,
        precondition: Option<Precondition<ContactGroup>>,
    ) -> Result<(), Error> {
        ctx.allow(Access::Write)?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let group = match found.take() {
                Some(found) => found,
                None => self.contact_group_get(ctx, id).await?,
            };
            let now = self.now();
            if group.has_ended(now) {
                return Err(Error::NotFound(Entity::ContactGroup));
            }
            let guards = precondition_guards(precondition.as_ref(), &group)?;
            let at = now.max(group.modified_at);
            let entry = JournalEntry::new(ctx, "contact_group.deleted", id, group.version + 1, Map::new());
            let batch = Batch::new(ctx.tenant())
                .change(Change::ContactGroupDelete { id, version: group.version, at })
                .journal(JournalEntry { at, ..entry });
            match self.store.commit(Batch { guards, ..batch }).await {
                Ok(()) => return Ok(()),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}

/// Refuses a change whose precondition does not hold, and gives the guards that keep it true until the change is written: what
/// is shown of a group includes how many contacts it has, and a change of its list alone names no version of the group.
pub(super) fn precondition_guards(
    precondition: Option<&Precondition<ContactGroup>>,
    group: &ContactGroup,
) -> Result<Vec<Guard>, Error> {
    check_precondition(precondition, group)?;
    let guards = || {
        vec![
            Guard::ContactGroupVersion { id: group.id, version: group.version },
            Guard::ContactsVersion { group: group.id, version: group.contacts_version },
        ]
    };
    Ok(precondition.map_or_else(Vec::new, |_| guards()))
}
