//! What a bulk would come to: how many get it, and who does not, and why (Convirza platform contract, section 4).

use std::collections::HashSet;

use super::Bulk;
use super::expand::{CHUNK, Made, Ready};
use crate::contact::PhoneNumber;
use crate::message::{MessageStatus, Money, Quote, TooManyParts};
use crate::{Access, Area, BulkId, ContactId, Ctx, Directory, Entity, Error, Store};

/// Recipients that are looked at; of more than that it is not said what would become of them.
const LOOKED_AT: u64 = 100_000;

/// What would become of the recipients of a bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkPreview {
    /// Who was looked at.
    pub recipients: u64,
    /// Whether that is everybody.
    pub is_complete: bool,
    pub sendable: u64,
    /// On the block list.
    pub blocked: u64,
    /// Their number comes once more.
    pub doubled: u64,
    /// The text would be too long, or their number is a fixed line, or nobody sends there.
    pub invalid: u64,
    /// Messages are sent in so many parts.
    pub parts: u64,
    /// Whether the balance suffices is not looked at.
    pub cost: Money,
}

impl BulkPreview {
    const NOTHING: Self = Self {
        recipients: 0,
        is_complete: true,
        sendable: 0,
        blocked: 0,
        doubled: 0,
        invalid: 0,
        parts: 0,
        cost: Money::ZERO,
    };

    fn add(&mut self, made: Result<Made, TooManyParts>) {
        match made.map(|made| (made.price, made.text.parts_count())) {
            Ok((Ok(price), parts)) => {
                self.sendable += 1;
                self.parts += u64::from(parts);
                self.cost = self.cost + price;
            }
            Ok((Err(MessageStatus::Blocked), _)) => self.blocked += 1,
            Ok((Err(_), _)) | Err(_) => self.invalid += 1,
        }
    }
}

/// A preview as it is made.
struct Looking {
    preview: BulkPreview,
    /// Numbers that were met: a few bytes for each.
    met: HashSet<u64>,
}

impl Looking {
    /// How many more are looked at, in one go.
    fn room(&self) -> u32 {
        u32::try_from(LOOKED_AT - self.preview.recipients.min(LOOKED_AT)).unwrap_or(u32::MAX).min(CHUNK)
    }

    /// Whether the number is a new one.
    fn meets(&mut self, phone: &PhoneNumber) -> bool {
        self.preview.recipients += 1;
        // At most 15 digits, which are another number for each.
        let number = phone.as_str().trim_start_matches('+').parse().unwrap_or(0);
        let is_new = self.met.insert(number);
        self.preview.doubled += u64::from(!is_new);
        is_new
    }
}

impl<S: Store> Directory<S> {
    /// What a bulk that the caller has read would come to, if it began now.
    pub async fn bulk_preview(&self, ctx: &Ctx, bulk: &Bulk) -> Result<BulkPreview, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        let tenant = ctx.tenant();
        let quote = self.store.quote(tenant, None).await?.ok_or(Error::NotFound(Entity::Tenant))?;
        let mut looking = Looking { preview: BulkPreview::NOTHING, met: HashSet::new() };
        self.preview_phones(bulk, &quote, &mut looking).await?;
        for group in &bulk.groups {
            let mut after = ContactId(0);
            loop {
                let room = looking.room();
                // Whether there is one more is told by one more.
                let limit = room.max(1);
                let found =
                    self.store.bulk_contacts(tenant, BulkId(0), *group, self.now(), after, limit).await?;
                let Some((group, contacts)) = found else { break };
                let Some(last) = contacts.last() else { break };
                if room == 0 {
                    looking.preview.is_complete = false;
                    return Ok(looking.preview);
                }
                after = last.id;
                let ready = Ready::new(bulk, &group.labels, &quote);
                for contact in &contacts {
                    if looking.meets(&contact.phone) {
                        looking.preview.add(ready.make(&contact.phone, &contact.columns, contact.is_blocked));
                    }
                }
            }
        }
        Ok(looking.preview)
    }

    async fn preview_phones(&self, bulk: &Bulk, quote: &Quote, looking: &mut Looking) -> Result<(), Error> {
        let ready = Ready::new(bulk, &Default::default(), quote);
        for phones in bulk.phones.chunks(CHUNK as usize) {
            let blocked: HashSet<PhoneNumber> =
                self.store.blocked_among(bulk.tenant, phones.to_vec()).await?.into_iter().collect();
            for phone in phones {
                if looking.meets(phone) {
                    looking.preview.add(ready.make(phone, &Default::default(), blocked.contains(phone)));
                }
            }
        }
        Ok(())
    }
}
