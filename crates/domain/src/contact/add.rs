//! Putting contacts into a group, one or many at once.

use super::plan::{ContactIds, Plan, payload};
use super::{Contact, ContactPatch, MAX_ADDED, PhoneNumber};
use crate::directory::ATTEMPTS;
use crate::{
    Access, ContactGroupId, Ctx, Directory, Draft, Entity, Error, JournalEntry, Problem, Store, StoreError,
    Unique, journal,
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
    pub fn into_contact(self) -> Contact {
        match self {
            Self::Created(contact) | Self::Updated(contact) | Self::Unchanged(contact) => contact,
        }
    }

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
        let (wishes, failed) = self.contact_wishes(ctx, drafts).await?;
        let done = self.contacts_put(ctx, group, &wishes, taken, true).await?;
        Ok(told(failed, done))
    }

    /// What [`Directory::contacts_add`] would tell; nothing is written, and new contacts have no ids. Without a group:
    /// of one that is empty.
    pub async fn contacts_preview(
        &self,
        ctx: &Ctx,
        group: Option<ContactGroupId>,
        drafts: Vec<Draft<ContactPatch>>,
        taken: Taken,
    ) -> Result<Vec<Result<Added, Error>>, Error> {
        ctx.allow(Access::Read)?;
        let (wishes, failed) = self.contact_wishes(ctx, drafts).await?;
        let now = self.now();
        let stored = match group {
            Some(group) => {
                let phones = wishes.iter().map(|(phone, _)| phone.clone()).collect();
                let read = self.store.contacts_by_phone(ctx.tenant(), group, now, phones).await?;
                read.ok_or(Error::NotFound(Entity::ContactGroup))?.1
            }
            None => Vec::new(),
        };
        let mut plan = Plan::new(stored, now);
        for (phone, patch) in &wishes {
            plan.put(ctx, group.unwrap_or_default(), 0, phone, patch, taken);
        }
        Ok(told(failed, plan.done()))
    }

    /// The entries that can be read, and for all of them why not, if so.
    async fn contact_wishes(
        &self,
        ctx: &Ctx,
        drafts: Vec<Draft<ContactPatch>>,
    ) -> Result<(Vec<Wish>, Vec<Option<Error>>), Error> {
        let country = self.contact_country(ctx).await?;
        let mut wishes = Vec::with_capacity(drafts.len());
        let failed =
            drafts.into_iter().map(|draft| read(draft, &country).map(|wish| wishes.push(wish)).err());
        let failed = failed.collect();
        Ok((wishes, failed))
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
                    payload(&plan.inserts, &plan.updates),
                ),
            };
            let batch = plan.batch(ctx, group);
            if batch.changes.is_empty() {
                return Ok(plan.done());
            }
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

/// What became of each entry: those that could not be read, and the others in their order.
fn told(failed: Vec<Option<Error>>, done: Vec<Option<Added>>) -> Vec<Result<Added, Error>> {
    let mut done = done.into_iter();
    let result = |failed: Option<Error>| match failed {
        Some(error) => Err(error),
        None => done.next().flatten().ok_or(Error::Duplicate(Unique::ContactPhone)),
    };
    failed.into_iter().map(result).collect()
}

fn read(draft: Draft<ContactPatch>, country: &str) -> Result<Wish, Error> {
    let Draft { value: patch, mut errors } = draft;
    // Whoever decoded an entry without a number may have said why there is none.
    if patch.phone.is_none() && errors.is_empty() {
        errors.push("phone", Problem::Required);
    }
    let phone = patch.phone.as_deref();
    let phone = phone.and_then(|raw| errors.take("phone", PhoneNumber::read(raw, country)));
    let phone = errors.complete(phone)?;
    Ok((phone, patch))
}
