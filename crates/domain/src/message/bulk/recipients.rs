//! Who a bulk goes to: its single numbers and the contacts of its groups, all in the order of their numbers. So each number
//! comes once, however many lists it stands in, and how far a bulk has come is one number.

use std::collections::{HashSet, VecDeque};

use super::{Bulk, BulkContact, Expansion};
use crate::contact::{COLUMNS, PhoneNumber};
use crate::{ContactGroupId, Directory, Error, Store, TenantId};

/// The least that is read of a source at once, however many there are.
const LEAST: usize = 50;

/// Where recipients come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Phones,
    /// The place of a group among those of the bulk.
    Group(usize),
}

/// Somebody who gets the bulk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recipient {
    pub(super) contact: BulkContact,
    /// The first one that has the number: single numbers, then groups in their order.
    pub(super) source: Source,
    /// How often the number comes besides.
    pub(super) doubled: u64,
}

/// The labels of the columns of a group.
pub(super) type Labels = [Option<String>; COLUMNS];

/// A walk along the recipients of a bulk. What it has read of a source and not come to yet it keeps.
pub(super) struct Walk {
    tenant: TenantId,
    /// In their order, each as often as it was named.
    phones: Vec<PhoneNumber>,
    groups: Vec<ContactGroupId>,
    /// Of each group; of one that is gone there are none.
    pub(super) labels: Vec<Labels>,
    sources: Sources,
    /// What is read of a source at once.
    step: usize,
    pub(super) at: Expansion,
}

impl Walk {
    /// From this place on, to read about so many recipients at once.
    pub(super) fn new(bulk: &Bulk, at: Expansion, step: usize) -> Self {
        let mut phones = bulk.phones.clone();
        phones.sort_unstable();
        let after = if let Expansion::After(after) = &at { after.as_str() } else { "" };
        let count = bulk.groups.len() + 1;
        Self {
            tenant: bulk.tenant,
            phones,
            groups: bulk.groups.clone(),
            labels: vec![Labels::default(); bulk.groups.len()],
            sources: Sources::new(count, after),
            step: (step / bulk.groups.len().max(1)).max(LEAST),
            at,
        }
    }
}

/// The single numbers after this one, at most so many, but all of one that comes several times; and whether there are more.
fn next_phones<'a>(phones: &'a [PhoneNumber], after: &str, limit: usize) -> (&'a [PhoneNumber], bool) {
    let rest = &phones[phones.partition_point(|phone| phone.as_str() <= after)..];
    if rest.len() <= limit {
        return (rest, false);
    }
    let last = &rest[limit - 1];
    (&rest[..rest.partition_point(|phone| phone <= last)], true)
}

impl<S: Store> Directory<S> {
    /// The next recipients, at most so many; none when there are no more.
    pub(super) async fn bulk_recipients(
        &self,
        walk: &mut Walk,
        limit: usize,
    ) -> Result<Vec<Recipient>, Error> {
        let mut found = Vec::new();
        if walk.at == Expansion::Done {
            return Ok(found);
        }
        loop {
            while let Some((source, after)) = walk.sources.wanting() {
                let (contacts, may_be_more) = self.bulk_source(walk, source, after).await?;
                walk.sources.fill(source, contacts, may_be_more);
            }
            if found.len() >= limit {
                break;
            }
            match walk.sources.next() {
                Some(next) => found.push(next),
                None => break,
            }
        }
        walk.at = match found.last() {
            Some(last) if !walk.sources.is_empty() => {
                Expansion::After(last.contact.phone.as_str().to_owned())
            }
            _ => Expansion::Done,
        };
        Ok(found)
    }

    /// The next of one source, and whether it may have more.
    async fn bulk_source(
        &self,
        walk: &mut Walk,
        source: Source,
        after: String,
    ) -> Result<(Vec<BulkContact>, bool), Error> {
        let Source::Group(at) = source else {
            let (phones, are_more) = next_phones(&walk.phones, &after, walk.step);
            if phones.is_empty() {
                return Ok((Vec::new(), false));
            }
            let blocked = self.store.blocked_among(walk.tenant, phones.to_vec()).await?;
            let blocked: HashSet<PhoneNumber> = blocked.into_iter().collect();
            let single = |phone: &PhoneNumber| BulkContact {
                is_blocked: blocked.contains(phone),
                ..BulkContact::single(phone.clone())
            };
            return Ok((phones.iter().map(single).collect(), are_more));
        };
        let limit = u32::try_from(walk.step).unwrap_or(u32::MAX);
        let found = self.store.bulk_contacts(walk.tenant, walk.groups[at], self.now(), after, limit).await?;
        Ok(match found {
            Some((group, contacts)) => {
                walk.labels[at] = group.labels;
                let may_be_more = contacts.len() >= walk.step;
                (contacts, may_be_more)
            }
            None => (Vec::new(), false),
        })
    }
}

/// Sources that are walked along together: single numbers, then groups, each in the order of its numbers.
struct Sources(Vec<Buffer>);

struct Buffer {
    read: VecDeque<BulkContact>,
    /// Up to this number it is read.
    to: String,
    may_be_more: bool,
}

impl Sources {
    fn new(count: usize, after: &str) -> Self {
        let unread = || Buffer { read: VecDeque::new(), to: after.to_owned(), may_be_more: true };
        Self((0..count).map(|_| unread()).collect())
    }

    fn source(at: usize) -> Source {
        at.checked_sub(1).map_or(Source::Phones, Source::Group)
    }

    /// A source of which more has to be read before anybody can be next, and after which number.
    fn wanting(&self) -> Option<(Source, String)> {
        let wants = |buffer: &Buffer| buffer.read.is_empty() && buffer.may_be_more;
        let at = self.0.iter().position(wants)?;
        Some((Self::source(at), self.0[at].to.clone()))
    }

    fn fill(&mut self, source: Source, contacts: Vec<BulkContact>, may_be_more: bool) {
        let at = if let Source::Group(at) = source { at + 1 } else { 0 };
        let buffer = &mut self.0[at];
        if let Some(last) = contacts.last() {
            last.phone.as_str().clone_into(&mut buffer.to);
        }
        buffer.may_be_more = may_be_more && !contacts.is_empty();
        buffer.read.extend(contacts);
    }

    /// Whoever has the lowest number, once nothing is wanting.
    fn next(&mut self) -> Option<Recipient> {
        let mut first: Option<(usize, &PhoneNumber)> = None;
        for (at, buffer) in self.0.iter().enumerate() {
            if let Some(contact) = buffer.read.front()
                && first.is_none_or(|(_, phone)| contact.phone < *phone)
            {
                first = Some((at, &contact.phone));
            }
        }
        let (at, _) = first?;
        let contact = self.0[at].read.pop_front()?;
        let mut doubled = 0;
        for buffer in &mut self.0[at..] {
            while buffer.read.front().is_some_and(|other| other.phone == contact.phone) {
                buffer.read.pop_front();
                doubled += 1;
            }
        }
        Some(Recipient { contact, source: Self::source(at), doubled })
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|buffer| buffer.read.is_empty() && !buffer.may_be_more)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phone(number: u16) -> PhoneNumber {
        PhoneNumber::from_stored(format!("+49{number:05}"))
    }

    /// Walks along single numbers and groups as a store gives them, so many at once.
    fn walk(phones: &[u16], groups: &[Vec<u16>], limit: usize) -> Vec<(String, Source, u64)> {
        let mut phones: Vec<PhoneNumber> = phones.iter().copied().map(phone).collect();
        phones.sort_unstable();
        let mut sources = Sources::new(groups.len() + 1, "");
        let mut all = Vec::new();
        loop {
            while let Some((source, after)) = sources.wanting() {
                let (next, may_be_more) = match source {
                    Source::Phones => {
                        let (next, are_more) = next_phones(&phones, &after, limit);
                        (next.to_vec(), are_more)
                    }
                    Source::Group(at) => {
                        let rest =
                            groups[at].iter().copied().map(phone).filter(|phone| *phone.as_str() > *after);
                        let next: Vec<_> = rest.take(limit).collect();
                        let is_full = next.len() >= limit;
                        (next, is_full)
                    }
                };
                sources.fill(source, next.into_iter().map(BulkContact::single).collect(), may_be_more);
            }
            let Some(next) = sources.next() else {
                assert!(sources.is_empty());
                return all;
            };
            all.push((next.contact.phone.into_string(), next.source, next.doubled));
        }
    }

    proptest! {
        /// However many are read at once, each number comes once, from the first source that has it.
        #[test]
        fn each_number_comes_once(
            phones in prop::collection::vec(0..60_u16, 0..40),
            groups in prop::collection::vec(prop::collection::btree_set(0..60_u16, 0..40), 0..5),
            limit in 1..9_usize,
        ) {
            let groups: Vec<Vec<u16>> = groups.into_iter().map(|set| set.into_iter().collect()).collect();
            let mut wanted = Vec::new();
            for number in 0..60 {
                let singles = phones.iter().filter(|phone| **phone == number).map(|_| Source::Phones);
                let in_groups = groups.iter().enumerate().filter(|(_, group)| group.contains(&number));
                let those: Vec<Source> = singles.chain(in_groups.map(|(at, _)| Source::Group(at))).collect();
                if let Some(first) = those.first() {
                    let doubled = u64::try_from(those.len()).unwrap_or(0) - 1;
                    wanted.push((phone(number).into_string(), *first, doubled));
                }
            }
            prop_assert_eq!(walk(&phones, &groups, limit), wanted);
        }
    }
}
