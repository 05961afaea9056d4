//! Putting contacts into a group, one or many at once.

use super::plan::{ContactIds, Plan, payload, writes};
use super::{Contact, ContactPatch, MAX_ADDED, PhoneNumber};
use crate::directory::ATTEMPTS;
use crate::{
    Access, Batch, ContactGroupId, Ctx, Directory, Draft, Entity, Error, JournalEntry, Problem, Store,
    StoreError, Unique, journal,
};

/// What becomes of an entry whose number stands in the group already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is refused.
    Refuse,
    /// It changes the contact that is there.
    Update,
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    Created(Contact),
    Updated(Contact),
    /// The contact was there and says the same.
    Unchanged(Contact),
}

impl Added {
    pub fn contact(&self) -> &Contact {
        match self {
            Self::Created(contact) | Self::Updated(contact) | Self::Unchanged(contact) => contact,
        }
    }
}

/// An entry that can be read.
type Wish = (PhoneNumber, ContactPatch);

impl<S: Store> Directory<S> {
    /// Puts one contact into a group.
    ///
    /// Errors: `Invalid`, `Duplicate` when the number stands in the group already, `NotFound`.
    pub async fn contact_create(
        &self,
        ctx: &Ctx,
        group: ContactGroupId,
        draft: Draft<ContactPatch>,
    ) -> Result<Contact, Error> {
        ctx.allow(Access::Write)?;
        let wish = read(draft, &self.contact_country(ctx).await?)?;
        let done = self.contacts_put(ctx, group, std::slice::from_ref(&wish), Taken::Refuse, false).await?;
        match done.into_iter().next() {
            Some(Some(added)) => Ok(added.contact().clone()),
            _ => Err(Error::Duplicate(Unique::ContactPhone)),
        }
    }

    /// Puts contacts into a group, at most [`MAX_ADDED`], in one transaction; what becomes of each entry is told in
    /// their order, and one that fails keeps no other out. Of a number that stands twice among them the first is
    /// taken as there when the second is looked at. The journal gets one entry for all.
    ///
    /// Errors: `NotFound`; of an entry: `Invalid`, `Duplicate`.
    pub async fn contacts_add(
        &self,
        ctx: &Ctx,
        group: ContactGroupId,
        drafts: Vec<Draft<ContactPatch>>,
        taken: Taken,
    ) -> Result<Vec<Result<Added, Error>>, Error> {
        ctx.allow(Access::Write)?;
        if drafts.len() > MAX_ADDED {
            return Err(Error::Internal(format!("{} contacts were to be added at once", drafts.len())));
        }
        let country = self.contact_country(ctx).await?;
        let mut wishes = Vec::with_capacity(drafts.len());
        let mut failed = Vec::with_capacity(drafts.len());
        for draft in drafts {
            match read(draft, &country) {
                Ok(wish) => {
                    wishes.push(wish);
                    failed.push(None);
                }
                Err(error) => failed.push(Some(error)),
            }
        }
        let mut done = self.contacts_put(ctx, group, &wishes, taken, true).await?.into_iter();
        let result = |failed: Option<Error>| match failed {
            Some(error) => Err(error),
            None => done.next().flatten().ok_or(Error::Duplicate(Unique::ContactPhone)),
        };
        Ok(failed.into_iter().map(result).collect())
    }

    /// What becomes of each wish; `None` of one whose number is taken.
    async fn contacts_put(
        &self,
        ctx: &Ctx,
        group: ContactGroupId,
        wishes: &[Wish],
        taken: Taken,
        in_bulk: bool,
    ) -> Result<Vec<Option<Added>>, Error> {
        let phones: Vec<PhoneNumber> = wishes.iter().map(|(phone, _)| phone.clone()).collect();
        let mut ids = ContactIds::default();
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let read = self.store.contacts_by_phone(ctx.tenant(), group, now, phones.clone()).await?;
            let (found, stored) = read.ok_or(Error::NotFound(Entity::ContactGroup))?;
            let mut plan = Plan::new(stored, now);
            let first = ids.at_least(self, plan.count_new(&phones)).await?;
            for (phone, patch) in wishes {
                plan.put(ctx, group, first, phone, patch, taken);
            }
            let updates = plan.updates();
            let changes = writes(group, &plan.inserts, &updates);
            if changes.is_empty() {
                return Ok(plan.done());
            }
            let entry = match plan.inserts.first() {
                Some(new) if !in_bulk => {
                    let payload = journal::created(new.fields());
                    JournalEntry::new(ctx, "contact.created", new.id, new.version, payload)
                }
                _ => JournalEntry::new(
                    ctx,
                    "contact_group.contacts_added",
                    group,
                    found.version,
                    payload(&plan.inserts, &updates),
                ),
            };
            let batch = Batch { changes, ..Batch::new(ctx.tenant()) };
            match self.store.commit(batch.journal(JournalEntry { at: now, ..entry })).await {
                Ok(()) => return Ok(plan.done()),
                // Somebody else was faster with a number, or the group has gone.
                Err(
                    StoreError::Duplicate(Unique::ContactPhone) | StoreError::GuardFailed | StoreError::Stale,
                ) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}

fn read(draft: Draft<ContactPatch>, country: &str) -> Result<Wish, Error> {
    let Draft { value: patch, mut errors } = draft;
    let parsed = patch.phone.as_deref().ok_or(Problem::Required);
    let phone = errors.take("phone", parsed.and_then(|raw| PhoneNumber::read(raw, country)));
    let phone = errors.complete(phone)?;
    Ok((phone, patch))
}
