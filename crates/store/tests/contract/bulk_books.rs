//! Bulks as the tests make them.

use std::collections::BTreeMap;

use muster_domain::contact::{ContactGroup, ContactPatch};
use muster_domain::message::{
    Bulk, BulkCounts, BulkPatch, BulkStatus, BulkStore as _, Claimed, Counted, Encoding, Filter, ListQuery,
    Message, MessageField, MessageState, Money, Movement, MovementReason, NewBulk, Noted, Outcome,
    PlaceholderStyle, SenderId,
};
use muster_domain::{BulkId, ContactGroupId, Draft, Error, Patch};

use crate::contact_books::{ALL, with_list};
use crate::support::Backend;
use crate::world::{Org, World};

/// A number of DE that a phone for texts can have.
pub(crate) fn mobile(n: usize) -> String {
    format!("+49151{:08}", 20_000_000 + n)
}

pub(crate) fn contact(n: usize, name: &str) -> ContactPatch {
    let mut patch = ContactPatch { phone: Some(mobile(n)), ..ContactPatch::default() };
    patch.columns[0] = Patch::Set(name.to_owned());
    patch.callback_data = Patch::Set(format!("c{n}"));
    patch
}

/// A broadcast to single numbers.
pub(crate) fn to_phones(text: &str, phones: impl IntoIterator<Item = usize>) -> NewBulk {
    let phones = phones.into_iter().map(mobile).collect();
    new(BulkPatch { phones: Some(phones), ..saying(text) })
}

pub(crate) fn to_groups(text: &str, groups: &[ContactGroupId]) -> NewBulk {
    new(BulkPatch { groups: Some(groups.to_vec()), ..saying(text) })
}

pub(crate) fn saying(text: &str) -> BulkPatch {
    BulkPatch {
        sender: SenderId::read("Muster").ok(),
        text: Some(text.to_owned()),
        encoding: Patch::Set(Encoding::Gsm),
        ..BulkPatch::default()
    }
}

pub(crate) fn new(patch: BulkPatch) -> NewBulk {
    NewBulk { patch, style: PlaceholderStyle::Braces, is_dry_run: false, ip: None }
}

impl<B: Backend> World<B> {
    pub(crate) async fn bulk(&self, org: &Org, new: NewBulk) -> Bulk {
        self.directory.bulk_create(&self.now_ctx(org), Draft::from(new)).await.unwrap()
    }

    pub(crate) async fn found_bulk(&self, org: &Org, id: BulkId) -> Bulk {
        self.directory.bulk_get(&org.ctx, id).await.unwrap()
    }

    pub(crate) async fn steer(&self, org: &Org, id: BulkId, status: BulkStatus) -> Result<Bulk, Error> {
        let found = self.found_bulk(org, id).await;
        self.directory.bulk_set_status(&self.now_ctx(org), found, status, None).await
    }

    /// A group whose first column is called `name`.
    pub(crate) async fn named_group(
        &self,
        org: &Org,
        contacts: impl IntoIterator<Item = ContactPatch>,
    ) -> ContactGroup {
        let mut patch = with_list(contacts);
        patch.name = Some("list".to_owned());
        patch.labels[0] = Patch::Set("name".to_owned());
        self.directory.contact_group_create(&self.now_ctx(org), Draft::from(patch)).await.unwrap()
    }

    /// All steps that there are now.
    pub(crate) async fn run(&self, org: &Org, id: BulkId) {
        while self.node().bulk_step(org.tenant, id, 16).await.unwrap() {}
    }

    pub(crate) async fn claim_bulk(&self, org: &Org, id: BulkId, limit: u32) -> Option<Claimed> {
        self.directory.messages_claim(org.tenant, Some(id), limit).await.unwrap()
    }

    /// Hands all over that waits, and ends what has ended by it.
    pub(crate) async fn send_all(&self, org: &Org, id: BulkId) {
        while let Some(claimed) = self.claim_bulk(org, id, 1000).await {
            let taken = |message: &Message| {
                let ids = vec![Some(message.id.to_string())];
                (message.clone(), Outcome::Accepted { carrier: "bulk".to_owned(), ids, is_whole: true })
            };
            let all = claimed.messages.iter().map(taken).collect();
            let noted = self.directory.messages_note(&claimed, all).await.unwrap();
            assert_eq!(noted, Noted { noted: claimed.messages.len() as u64, lost: 0 });
        }
        self.run(org, id).await;
    }

    /// The messages of a bulk, by number.
    pub(crate) async fn of_bulk(&self, org: &Org, id: BulkId) -> BTreeMap<String, Message> {
        let mut all = BTreeMap::new();
        let query = ListQuery {
            filter: Filter::default(),
            by: MessageField::CreatedAt,
            is_descending: false,
            slice: ALL,
        };
        for message in self.directory.message_list(&org.ctx, query).await.unwrap().items {
            if message.bulk.is_some_and(|(bulk, _)| bulk == id) {
                let phone = message.phone.as_str().to_owned();
                assert_eq!(all.insert(phone, message), None, "a number has two messages");
            }
        }
        all
    }

    /// What is counted of a bulk is what there is, and its cost is what its movements say.
    pub(crate) async fn is_counted(&self, org: &Org, id: BulkId) {
        let stored = self.store().bulk(org.tenant, id).await.unwrap().unwrap().bulk;
        let mut counts = BulkCounts { invalid: stored.counts.invalid, ..BulkCounts::default() };
        for message in self.of_bulk(org, id).await.values() {
            counts.add(message.state);
            assert_eq!(
                Counted::of(message.state) == Counted::Queued,
                message.state == MessageState::default()
            );
        }
        assert_eq!(stored.counts, counts);
        let of_bulk = |movement: &Movement| match movement.reason {
            MovementReason::BulkCharge { bulk, .. } | MovementReason::BulkRefund { bulk, .. } => bulk == id,
            _ => false,
        };
        let moved: Money =
            self.movements(org).await.into_iter().filter(of_bulk).map(|movement| movement.amount).sum();
        assert_eq!(stored.cost + moved, Money::ZERO);
    }
}
