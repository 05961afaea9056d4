//! Putting contacts into a group, one or many at once.

use serde_json::Map;

use super::plan::{ContactIds, Plan, Wish, payload, phones, writes};
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

/// What is thought of the numbers before they are looked at. It changes nothing of what is done, only what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// None of them stands in the group: they are looked up only if that turns out to be wrong.
    AllNew,
    Any,
}

/// Entries whose numbers are read, which is what costs most time of adding many.
#[derive(Debug)]
pub struct ContactWishes {
    wishes: Vec<Wish>,
    /// For each entry why it cannot be read, if so.
    failed: Vec<Option<Error>>,
}

impl ContactWishes {
    /// Reads national numbers by this country ([`crate::tenant::Tenant::country`]).
    pub fn read(drafts: impl IntoIterator<Item = Draft<ContactPatch>>, country: &str) -> Self {
        let mut all = Self { wishes: Vec::new(), failed: Vec::new() };
        for draft in drafts {
            all.failed.push(read(draft, country).map(|wish| all.wishes.push(wish)).err());
        }
        all
    }

    /// What became of each entry; `done` is that of those that can be read.
    fn told(self, done: Vec<Option<Added>>) -> Vec<Result<Added, Error>> {
        let mut done = done.into_iter();
        let result = |failed: Option<Error>| match failed {
            Some(error) => Err(error),
            None => done.next().flatten().ok_or(Error::Duplicate(Unique::ContactPhone)),
        };
        self.failed.into_iter().map(result).collect()
    }
}

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
        let done = self.contacts_put(ctx, group, &[wish], Taken::Refuse, Expect::Any, false).await?;
        match done.into_iter().next() {
            Some(Some(added)) => Ok(added.into_contact()),
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
        wishes: ContactWishes,
        taken: Taken,
        expect: Expect,
    ) -> Result<Vec<Result<Added, Error>>, Error> {
        ctx.allow(Access::Write)?;
        let count = wishes.failed.len();
        if count > MAX_ADDED {
            return Err(Error::Internal(format!("{count} contacts were to be added at once")));
        }
        let done = self.contacts_put(ctx, group, &wishes.wishes, taken, expect, true).await?;
        Ok(wishes.told(done))
    }

    /// What [`Directory::contacts_add`] would tell; nothing is written, and new contacts have no ids. Without a group:
    /// of one that is empty.
    pub async fn contacts_preview(
        &self,
        ctx: &Ctx,
        group: Option<ContactGroupId>,
        wishes: ContactWishes,
        taken: Taken,
    ) -> Result<Vec<Result<Added, Error>>, Error> {
        ctx.allow(Access::Read)?;
        let now = self.now();
        let stored = match group {
            Some(group) => {
                let read =
                    self.store.contacts_by_phone(ctx.tenant(), group, now, phones(&wishes.wishes)).await?;
                read.ok_or(Error::NotFound(Entity::ContactGroup))?.1
            }
            None => Vec::new(),
        };
        let mut plan = Plan::new(stored, now);
        for (phone, patch) in &wishes.wishes {
            plan.put(ctx, group.unwrap_or_default(), 0, phone, patch, taken);
        }
        Ok(wishes.told(plan.done()))
    }

    /// What becomes of each wish; `None` of one whose number is taken.
    async fn contacts_put(
        &self,
        ctx: &Ctx,
        group: ContactGroupId,
        wishes: &[Wish],
        taken: Taken,
        mut expect: Expect,
        in_bulk: bool,
    ) -> Result<Vec<Option<Added>>, Error> {
        let phones = phones(wishes);
        let mut ids = ContactIds::default();
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let asked = if expect == Expect::AllNew { Vec::new() } else { phones.clone() };
            expect = Expect::Any;
            let read = self.store.contacts_by_phone(ctx.tenant(), group, now, asked).await?;
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
                    Map::from_iter([("phones".to_owned(), payload(&plan.inserts, &updates).into())]),
                ),
            };
            let batch = Batch { changes, ..Batch::new(ctx.tenant()) };
            match self.store.commit(batch.journal(JournalEntry { at: now, ..entry })).await {
                Ok(()) => return Ok(plan.done()),
                // A number is there, or the group has gone.
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
    // Whoever decoded an entry without a number may have said why there is none.
    if patch.phone.is_none() && errors.is_empty() {
        errors.push("phone", Problem::Required);
    }
    let phone = patch.phone.as_deref();
    let phone = phone.and_then(|raw| errors.take("phone", PhoneNumber::read(raw, country)));
    let phone = errors.complete(phone)?;
    Ok((phone, patch))
}
