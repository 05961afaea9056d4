//! Whose turn it is.

use std::collections::{HashMap, VecDeque};

use muster_domain::{BulkId, TenantId};
use tokio::time::Instant;

/// What a tenant claims in one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// Messages of which the claims were lost.
    Lost,
    /// Messages that are of no bulk.
    Single,
    /// Messages of a bulk.
    Bulk(BulkId),
    /// What is to be done about a bulk besides: it begins, is expanded, ends.
    Step(BulkId),
}

/// Tenants that have something to do, each once, and what that is.
#[derive(Default)]
pub(super) struct Ring {
    turns: VecDeque<TenantId>,
    tenants: HashMap<TenantId, Tenant>,
}

#[derive(Default)]
struct Tenant {
    /// Lanes in which something is due, in turn.
    due: VecDeque<Lane>,
    /// The lane that is being claimed, and whether it has become due again meanwhile: one at a time, since two would reach for
    /// the same messages.
    claiming: Option<(Lane, bool)>,
    /// Chunks on their way.
    chunks: usize,
    rests_until: Option<Instant>,
    is_in_ring: bool,
}

impl Ring {
    pub(super) fn len(&self) -> usize {
        self.turns.len()
    }

    /// Something is due.
    pub(super) fn due(&mut self, id: TenantId, lane: Lane) {
        let tenant = self.tenants.entry(id).or_default();
        if let Some((claiming, again)) = &mut tenant.claiming
            && *claiming == lane
        {
            *again = true;
        } else if !tenant.due.contains(&lane) {
            match lane {
                // One message does not wait for the turns of many bulks; when there is always another, those are not left out.
                Lane::Single => tenant.due.push_front(lane),
                _ => tenant.due.push_back(lane),
            }
        }
        self.enter(id);
    }

    /// Of bulks nothing but this is due, unless it is a part: others are paused, cancelled, or their window is closed.
    pub(super) fn due_bulks(&mut self, id: TenantId, lanes: &[Lane], is_part: bool) {
        if let Some(tenant) = self.tenants.get_mut(&id).filter(|_| !is_part) {
            tenant.due.retain(|lane| !matches!(lane, Lane::Bulk(_) | Lane::Step(_)) || lanes.contains(lane));
        }
        for lane in lanes {
            self.due(id, *lane);
        }
    }

    /// The next tenant that may claim, and what, with fewer than so many chunks on their way. It has to be said whether it
    /// does ([`Ring::begin`]) or cannot ([`Ring::not_now`]).
    pub(super) fn next(&mut self, chunks: usize) -> Option<(TenantId, Lane)> {
        let now = Instant::now();
        while let Some(id) = self.turns.pop_front() {
            let Some(tenant) = self.tenants.get_mut(&id) else { continue };
            tenant.is_in_ring = false;
            let is_free = tenant.claiming.is_none()
                && tenant.chunks < chunks
                && tenant.rests_until.is_none_or(|until| until <= now);
            // Whoever is not comes back when a claim or a chunk has ended, or after its rest.
            if is_free && let Some(lane) = tenant.due.pop_front() {
                return Some((id, lane));
            }
        }
        None
    }

    pub(super) fn begin(&mut self, id: TenantId, lane: Lane) {
        let tenant = self.tenants.entry(id).or_default();
        tenant.claiming = Some((lane, false));
        tenant.chunks += 1;
    }

    /// There is no room for what it would claim.
    pub(super) fn not_now(&mut self, id: TenantId, lane: Lane) {
        self.tenants.entry(id).or_default().due.push_back(lane);
        self.enter(id);
    }

    /// A claim was made; there may be more to be claimed.
    pub(super) fn claimed(&mut self, id: TenantId, lane: Lane, may_be_more: bool) {
        let tenant = self.tenants.entry(id).or_default();
        let again = tenant.claiming.take().is_some_and(|(_, again)| again);
        if (again || may_be_more) && !tenant.due.contains(&lane) {
            tenant.due.push_back(lane);
        }
        self.enter(id);
    }

    /// A chunk has ended; the tenant rests until then.
    pub(super) fn ended(&mut self, id: TenantId, rest: Option<Instant>) {
        let tenant = self.tenants.entry(id).or_default();
        tenant.chunks = tenant.chunks.saturating_sub(1);
        tenant.rests_until = rest.max(tenant.rests_until);
        if tenant.chunks == 0 && tenant.due.is_empty() && tenant.claiming.is_none() {
            self.tenants.remove(&id);
        } else {
            self.enter(id);
        }
    }

    fn enter(&mut self, id: TenantId) {
        if let Some(tenant) = self.tenants.get_mut(&id)
            && !tenant.is_in_ring
            && !tenant.due.is_empty()
        {
            tenant.is_in_ring = true;
            self.turns.push_back(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ONE: TenantId = TenantId(1);
    const TWO: TenantId = TenantId(2);

    fn turn(ring: &mut Ring) -> Option<(TenantId, Lane)> {
        let next = ring.next(2);
        if let Some((id, lane)) = next {
            ring.begin(id, lane);
        }
        next
    }

    #[test]
    fn tenants_claim_in_turn_however_much_one_of_them_has() {
        let mut ring = Ring::default();
        ring.due(ONE, Lane::Single);
        assert_eq!(turn(&mut ring), Some((ONE, Lane::Single)));
        ring.due(TWO, Lane::Single);
        ring.claimed(ONE, Lane::Single, true);
        assert_eq!(turn(&mut ring), Some((TWO, Lane::Single)));
        assert_eq!(turn(&mut ring), Some((ONE, Lane::Single)));
        assert_eq!(turn(&mut ring), None);
        ring.claimed(ONE, Lane::Single, true);
        assert_eq!(turn(&mut ring), None, "it has two chunks on their way");
        ring.ended(ONE, None);
        assert_eq!(turn(&mut ring), Some((ONE, Lane::Single)));
        ring.claimed(TWO, Lane::Single, false);
        ring.ended(TWO, None);
        assert!(!ring.tenants.contains_key(&TWO), "nothing is kept of it");
    }

    #[test]
    fn what_becomes_due_while_it_is_claimed_is_claimed_again() {
        let mut ring = Ring::default();
        ring.due(ONE, Lane::Single);
        turn(&mut ring);
        ring.due(ONE, Lane::Single);
        ring.due(ONE, Lane::Lost);
        assert_eq!(turn(&mut ring), None, "one claim at a time");
        ring.claimed(ONE, Lane::Single, false);
        assert_eq!(turn(&mut ring), Some((ONE, Lane::Lost)));
        ring.claimed(ONE, Lane::Lost, false);
        ring.ended(ONE, None);
        assert_eq!(turn(&mut ring), Some((ONE, Lane::Single)));
    }

    #[test]
    fn bulks_of_a_tenant_go_in_turn_and_single_messages_before_them() {
        let mut ring = Ring::default();
        let [one, two] = [Lane::Bulk(BulkId(1)), Lane::Bulk(BulkId(2))];
        ring.due_bulks(ONE, &[one, two], false);
        assert_eq!(turn(&mut ring), Some((ONE, one)));
        ring.due(ONE, Lane::Single);
        ring.claimed(ONE, one, true);
        for (lane, is_full) in [(Lane::Single, true), (two, false), (one, true)] {
            ring.ended(ONE, None);
            assert_eq!(turn(&mut ring), Some((ONE, lane)));
            ring.claimed(ONE, lane, is_full);
        }
        ring.ended(ONE, None);
        ring.due_bulks(ONE, &[two], false);
        assert_eq!(turn(&mut ring), Some((ONE, Lane::Single)));
        ring.claimed(ONE, Lane::Single, false);
        assert_eq!(turn(&mut ring), Some((ONE, two)), "the other one is paused");
    }

    #[test]
    fn a_part_of_the_bulks_takes_no_turn_from_the_others() {
        let mut ring = Ring::default();
        let [one, two, three] = [1, 2, 3].map(|id| Lane::Bulk(BulkId(id)));
        ring.due_bulks(ONE, &[one, two], true);
        ring.due_bulks(ONE, &[three], true);
        for lane in [one, two, three] {
            assert_eq!(turn(&mut ring), Some((ONE, lane)));
            ring.claimed(ONE, lane, false);
            ring.ended(ONE, None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_rests_comes_back_when_it_is_due_again() {
        let mut ring = Ring::default();
        ring.due(ONE, Lane::Single);
        turn(&mut ring);
        ring.claimed(ONE, Lane::Single, true);
        let rest = Duration::from_secs(1);
        ring.ended(ONE, Some(Instant::now() + rest));
        assert_eq!(turn(&mut ring), None);
        tokio::time::advance(rest).await;
        ring.due(ONE, Lane::Single);
        assert_eq!(turn(&mut ring), Some((ONE, Lane::Single)));
    }
}
