//! The gates of all carriers.

use std::collections::HashMap;
use std::sync::Arc;

use muster_carrier::Carriers;
use muster_domain::{Clock, TenantId};
use tokio::sync::Notify;

use crate::Counts;
use crate::gate::{Gate, Places};

pub(crate) struct Gates {
    carriers: Arc<Carriers>,
    all: HashMap<String, Arc<Gate>>,
}

impl Gates {
    pub(crate) fn new(
        carriers: Arc<Carriers>,
        clock: &Arc<dyn Clock>,
        counts: &Arc<Counts>,
        freed: &Arc<Notify>,
    ) -> Self {
        let gate = |name: &str| {
            let carrier = carriers.get(name)?;
            let gate = Gate::new(name, carrier, Arc::clone(clock), Arc::clone(counts), Arc::clone(freed));
            Some((name.to_owned(), Arc::new(gate)))
        };
        let all = carriers.names().filter_map(gate).collect();
        Self { carriers, all }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Gate>> {
        self.all.values()
    }

    /// The gate for a number of a tenant's message.
    pub(crate) fn route(&self, tenant: TenantId, to: &str) -> Option<&Arc<Gate>> {
        self.all.get(self.carriers.router().route(tenant, to))
    }

    /// Room for a tenant's messages: the most that any of its carriers has, at most so many.
    pub(crate) fn reserve(&self, tenant: TenantId, most: usize) -> Option<(usize, Places)> {
        let gates =
            self.carriers.router().names_for(tenant).into_iter().filter_map(|name| self.all.get(name));
        let (wanted, gate) =
            gates.map(|gate| (gate.wants(tenant), gate)).max_by_key(|(wanted, _)| *wanted)?;
        let count = wanted.min(most);
        let places = gate.room.take(tenant, count).filter(|_| count > 0)?;
        Some((count, places))
    }
}
