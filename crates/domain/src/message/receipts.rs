//! What carriers tell of messages that they have. They know them by ids of their own, one for each part, and do not
//! know whose they are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::iter::repeat_n;
use std::time::Duration;

use super::tally::Tally;
use super::{Holder, PartUpdate, Receipt, StoredMessage, WithParts};
use crate::directory::ATTEMPTS;
use crate::upkeep::STEP;
use crate::{Batch, Change, Directory, Error, MessageId, Store, StoreError, TenantId};

/// How long receipts are waited for. Operators try for seven days at most.
pub const RECEIPTS_KEPT: Duration = Duration::from_hours(10 * 24);

/// The part that stands for all of a message, where a carrier knows it by one id.
pub(super) const WHOLE: u32 = 0;

/// What a carrier tells of a part of a message, or of all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptNews {
    pub carrier_id: String,
    pub receipt: Receipt,
}

/// A part of a message, or all of it, as a carrier knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarrierPart {
    pub carrier: String,
    pub carrier_id: String,
    pub tenant: TenantId,
    pub message: MessageId,
    /// From 1; 0 stands for all of the message.
    pub part: u32,
    pub receipt: Receipt,
}

/// What a message of so many parts is, by what is known of them. Of those that its carrier has not named, and has perhaps
/// not taken, nothing will ever be told: it is not delivered without them.
fn of_message(parts: &[CarrierPart], parts_count: u32) -> Receipt {
    let named: BTreeSet<u32> = parts.iter().map(|part| part.part).filter(|part| *part != WHOLE).collect();
    let count = usize::try_from(parts_count).unwrap_or(usize::MAX);
    let missing = if named.is_empty() { 0 } else { count.saturating_sub(named.len()) };
    Receipt::of_parts(parts.iter().map(|part| part.receipt).chain(repeat_n(Receipt::Pending, missing)))
}

/// What is new of the parts of messages, by their carrier's ids.
type News = BTreeMap<MessageId, HashMap<String, Receipt>>;

impl<S: Store> Directory<S> {
    /// Takes what a carrier tells. What nothing is known of is given back: a receipt may be faster than the note of what
    /// it is about, so it is to be told again for a while before it is counted and dropped. Telling all of it again is fine.
    pub async fn receipts_note(
        &self,
        carrier: &str,
        news: Vec<ReceiptNews>,
    ) -> Result<Vec<ReceiptNews>, Error> {
        let ids = news.iter().map(|news| news.carrier_id.clone()).collect();
        let parts = self.store.carrier_parts(carrier, ids).await?;
        let parts: HashMap<&str, &CarrierPart> =
            parts.iter().map(|part| (part.carrier_id.as_str(), part)).collect();
        let (mut known, mut unknown) = (BTreeMap::<TenantId, News>::new(), Vec::new());
        for ReceiptNews { carrier_id, receipt } in news {
            let Some(part) = parts.get(carrier_id.as_str()) else {
                unknown.push(ReceiptNews { carrier_id, receipt });
                continue;
            };
            let of_message = known.entry(part.tenant).or_default().entry(part.message).or_default();
            let before = of_message.entry(carrier_id).or_default();
            *before = before.after(receipt);
        }
        for (tenant, news) in known {
            self.receipts_of(tenant, carrier, news).await?;
        }
        Ok(unknown)
    }

    /// Takes what is told of messages of one tenant: in one commit, else message by message.
    async fn receipts_of(&self, tenant: TenantId, carrier: &str, news: News) -> Result<(), Error> {
        let mut several = Vec::new();
        let found = self.store.messages_with_parts(tenant, news.keys().copied().collect()).await?;
        let mut tally = Tally::new(tenant, Holder::Anybody, self.now());
        for ((message, news), found) in news.iter().zip(found) {
            if add(&mut tally, carrier, found, news) > 1 {
                several.push(*message);
            }
        }
        match self.commit_if_any(tally.settle()).await {
            Ok(()) => {}
            Err(StoreError::Stale) => {
                for (message, news) in &news {
                    self.receipt_settle(tenant, carrier, *message, news).await?;
                }
            }
            Err(error) => return Err(error.into()),
        }
        // Who has told of another part at the same time has not seen this one either: whoever comes last sees both.
        for message in several {
            self.receipt_settle(tenant, carrier, message, &HashMap::new()).await?;
        }
        Ok(())
    }

    async fn receipt_settle(
        &self,
        tenant: TenantId,
        carrier: &str,
        message: MessageId,
        news: &HashMap<String, Receipt>,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let Some(found) = self.store.messages_with_parts(tenant, vec![message]).await?.pop() else {
                return Ok(());
            };
            let mut tally = Tally::new(tenant, Holder::Anybody, self.now());
            add(&mut tally, carrier, found, news);
            match self.commit_if_any(tally.settle()).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// A change that changes nothing commits nothing.
    async fn commit_if_any(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.changes.is_empty() { Ok(()) } else { self.store.commit(batch).await }
    }

    /// Forgets which ids carriers had for messages that were handed over [`RECEIPTS_KEPT`] ago: what is told of them now
    /// is told of nothing.
    pub async fn receipts_reap(&self) -> Result<(), Error> {
        let horizon = self.now().minus(RECEIPTS_KEPT);
        while self.store.has_old_carrier_parts(horizon).await? {
            // They are of all tenants.
            let reap = Change::CarrierPartsReap { horizon, limit: STEP };
            self.store.commit(Batch::new(TenantId(0)).change(reap)).await?;
        }
        Ok(())
    }
}

/// What the parts of a message and the message itself become. How many parts are known.
fn add(
    tally: &mut Tally,
    carrier: &str,
    (found, mut parts): WithParts,
    news: &HashMap<String, Receipt>,
) -> usize {
    for part in parts.iter_mut().filter(|part| part.carrier == carrier) {
        let Some(news) = news.get(&part.carrier_id) else { continue };
        let after = part.receipt.after(*news);
        if after != part.receipt {
            let before = std::mem::replace(&mut part.receipt, after);
            tally.parts.push(PartUpdate { before, after: part.clone() });
        }
    }
    let Some(StoredMessage { message: before, .. }) = found else {
        return 0;
    };
    let whole = of_message(&parts, before.parts_count);
    if let Some(state) = before.state.with_receipt(whole) {
        let (after, _) = before.clone().in_state(state, tally.at);
        tally.told(before, after);
    }
    parts.len()
}
