//! What a bulk would come to: how many get it, and who does not, and why (Convirza platform contract, section 4).

use super::expand::{CHUNK, Made, Texts};
use super::recipients::Walk;
use super::{Bulk, Expansion};
use crate::message::{MessageStatus, Money, TooManyParts};
use crate::{Access, Area, Ctx, Directory, Entity, Error, Store};

/// About how many recipients are looked at; of more than that it is not said what would become of them.
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

impl<S: Store> Directory<S> {
    /// What a bulk that the caller has read would come to, if it began now.
    pub async fn bulk_preview(&self, ctx: &Ctx, bulk: &Bulk) -> Result<BulkPreview, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        let quote = self.store.quote(ctx.tenant(), None).await?.ok_or(Error::NotFound(Entity::Tenant))?;
        let mut walk = Walk::new(bulk, Expansion::START, CHUNK);
        let mut preview = BulkPreview::NOTHING;
        while walk.at != Expansion::Done {
            if preview.recipients >= LOOKED_AT {
                preview.is_complete = false;
                break;
            }
            let found = self.bulk_recipients(&mut walk, CHUNK).await?;
            let mut texts = Texts::new(bulk, &quote, &walk.labels);
            for recipient in found {
                preview.recipients += 1 + recipient.doubled;
                preview.doubled += recipient.doubled;
                preview.add(texts.make(&recipient.contact, recipient.source));
            }
        }
        Ok(preview)
    }
}
