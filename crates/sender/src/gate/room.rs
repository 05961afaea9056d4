//! How many messages may be in a gate.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use muster_domain::TenantId;
use tokio::sync::Notify;

/// What a tenant may have in a gate, for each place in the window of its carrier, and the most of it.
const SHARE: usize = 3;
const LARGEST_SHARE: usize = 500;
/// How many shares there are: tenants that fill theirs leave room for others.
const SHARES: usize = 4;

/// Counts the messages in a gate, those for which room is reserved included.
pub(crate) struct Room {
    share: usize,
    taken: Mutex<Taken>,
    freed: Arc<Notify>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    of: HashMap<TenantId, usize>,
}

/// Some places of a tenant, which are given back when this is dropped.
pub(crate) struct Places {
    room: Arc<Room>,
    tenant: TenantId,
    count: usize,
}

impl Room {
    pub(crate) fn new(window: usize, freed: Arc<Notify>) -> Self {
        let share = window.saturating_mul(SHARE).min(LARGEST_SHARE);
        Self { share, taken: Mutex::default(), freed }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.taken().all == 0
    }

    /// How many more a tenant may have, if these are not too few to be worth a claim.
    pub(crate) fn of(&self, tenant: TenantId) -> usize {
        let free = self.free(&self.taken(), tenant);
        if free >= self.share.div_ceil(4) { free } else { 0 }
    }

    /// Takes so many places, or none.
    pub(crate) fn take(self: &Arc<Self>, tenant: TenantId, count: usize) -> Option<Places> {
        let mut taken = self.taken();
        if self.free(&taken, tenant) < count {
            return None;
        }
        taken.all += count;
        *taken.of.entry(tenant).or_default() += count;
        Some(Places { room: Arc::clone(self), tenant, count })
    }

    fn free(&self, taken: &Taken, tenant: TenantId) -> usize {
        let of = taken.of.get(&tenant).copied().unwrap_or(0);
        let all = self.share * SHARES;
        self.share.saturating_sub(of).min(all.saturating_sub(taken.all))
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    /// One of these places.
    pub(crate) fn one(&mut self) -> Option<Self> {
        self.count = self.count.checked_sub(1)?;
        Some(Self { room: Arc::clone(&self.room), tenant: self.tenant, count: 1 })
    }

    /// Whether these are places of this room.
    pub(crate) fn are_of(&self, room: &Arc<Room>) -> bool {
        Arc::ptr_eq(&self.room, room)
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        let mut taken = self.room.taken();
        taken.all -= self.count;
        if let Some(of) = taken.of.get_mut(&self.tenant) {
            *of -= self.count;
            if *of == 0 {
                taken.of.remove(&self.tenant);
            }
        }
        drop(taken);
        self.room.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: TenantId = TenantId(1);
    const TWO: TenantId = TenantId(2);

    #[test]
    fn a_tenant_has_a_share_and_leaves_room_for_others() {
        let room = Arc::new(Room::new(10, Arc::new(Notify::new())));
        assert_eq!(room.of(ONE), 30);
        let mut places = room.take(ONE, 30).unwrap();
        assert!(room.take(ONE, 1).is_none());
        assert_eq!((room.of(ONE), room.of(TWO)), (0, 30));
        let one = places.one().unwrap();
        drop(places);
        assert_eq!(room.of(ONE), 29);
        drop(one);
        assert!(room.is_empty());
        let all: Vec<_> = (1..=4).map(|tenant| room.take(TenantId(tenant), 30).unwrap()).collect();
        assert!(room.take(TenantId(5), 1).is_none(), "the gate is full");
        drop(all);
        assert_eq!(room.of(TenantId(5)), 30);
    }

    #[test]
    fn few_places_are_not_worth_a_claim() {
        let room = Arc::new(Room::new(10, Arc::new(Notify::new())));
        let _taken = room.take(ONE, 23);
        assert_eq!(room.of(ONE), 0);
        assert!(room.take(ONE, 7).is_some());
        let small = Arc::new(Room::new(1, Arc::new(Notify::new())));
        let _taken = small.take(ONE, 2);
        assert_eq!(small.of(ONE), 1);
    }
}
