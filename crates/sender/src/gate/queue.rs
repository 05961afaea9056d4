//! Who waits in a gate, and whose turn it is.

use std::collections::{HashMap, VecDeque};

use muster_domain::TenantId;
use tokio::time::Instant;

use super::Inside;
use crate::health::Health;

/// What waits in a gate, and what is known of its carrier.
#[derive(Default)]
pub(super) struct State {
    pub(super) health: Health,
    /// Tenants with jobs, in turn.
    turns: VecDeque<TenantId>,
    queues: HashMap<TenantId, VecDeque<Inside>>,
    /// In doubt, with the time when the carrier is asked again.
    pub(super) doubtful: Vec<(Instant, Inside)>,
    /// How many went back since the carrier was well.
    pub(super) returned: u32,
    pub(super) is_closed: bool,
}

impl State {
    /// Takes a job in; one that is in doubt goes first.
    pub(super) fn push(&mut self, inside: Inside) {
        if inside.job.is_doubtful {
            self.doubtful.push((Instant::now(), inside));
            return;
        }
        let tenant = inside.job.tenant;
        let queue = self.queues.entry(tenant).or_default();
        if queue.is_empty() {
            self.turns.push_back(tenant);
        }
        queue.push_back(inside);
    }

    /// What is in doubt and due, else the next of the tenant whose turn it is.
    pub(super) fn next(&mut self, now: Instant) -> Option<Inside> {
        if let Some(due) = self.doubtful.iter().position(|(at, _)| *at <= now) {
            return Some(self.doubtful.swap_remove(due).1);
        }
        let tenant = self.turns.pop_front()?;
        let queue = self.queues.get_mut(&tenant)?;
        let next = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&tenant);
        } else {
            self.turns.push_back(tenant);
        }
        next
    }

    /// All that waits, with what is in doubt or without.
    pub(super) fn drain(&mut self, with_doubtful: bool) -> Vec<Inside> {
        self.turns.clear();
        let mut all: Vec<_> = self.queues.drain().flat_map(|(_, queue)| queue).collect();
        if with_doubtful {
            all.extend(self.doubtful.drain(..).map(|(_, inside)| inside));
        }
        all
    }
}
