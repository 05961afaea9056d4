//! Messages of a tenant, beside the processes that work on its store.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use muster_domain::message::{Filter, Incoming, IncomingField, ListQuery, MessageField};
use muster_domain::{Clock as _, Ctx, Directory, Slice, TenantId, Timestamp};
use muster_store::Store;
use tokio::runtime::Runtime;

use super::world::{MovedClock, open_store, wish};
use crate::place::Place;

/// What processes are told that call this machine.
pub(super) const FLAGS: [&str; 8] = [
    "--rate-limits",
    "off",
    "--webhook-allow",
    "127.0.0.0/8",
    "--webhook-http",
    "on",
    "--log",
    "warn,muster=info,muster::request=off",
];

const ALL: Slice = Slice { offset: 0, limit: 100_000 };

pub(super) fn real_now() -> Timestamp {
    MovedClock::default().now()
}

/// A tenant's messages, as another process sees them.
pub(super) struct Sent {
    runtime: Runtime,
    directory: Directory<Store>,
    ctx: Ctx,
    _place: Arc<Place>,
}

impl Sent {
    pub(super) fn new(place: Arc<Place>, tenant: i64) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clock = Arc::new(MovedClock::default());
        let (directory, _) = runtime.block_on(open_store(&place, &clock, false));
        let ctx = runtime.block_on(directory.tenant_operator(TenantId(tenant))).unwrap();
        Self { runtime, directory, ctx, _place: place }
    }

    /// Takes a message: its id.
    pub(super) fn send(&self, phone: &str) -> String {
        let made = self.directory.message_create(&self.ctx, wish(phone).into());
        self.runtime.block_on(made).unwrap().id.to_string()
    }

    /// The status and the receipt of each message, by its id.
    pub(super) fn states(&self) -> HashMap<String, (i64, i64)> {
        let query = ListQuery {
            filter: Filter::default(),
            by: MessageField::CreatedAt,
            is_descending: true,
            slice: ALL,
        };
        let page = self.runtime.block_on(self.directory.message_list(&self.ctx, query)).unwrap();
        let state = |message: &muster_domain::message::Message| {
            (message.state.status.code(), message.state.receipt.code())
        };
        page.items.iter().map(|message| (message.id.to_string(), state(message))).collect()
    }

    pub(super) fn incomings(&self) -> Vec<Incoming> {
        let query = ListQuery {
            filter: Filter::default(),
            by: IncomingField::ReceivedAt,
            is_descending: true,
            slice: ALL,
        };
        self.runtime.block_on(self.directory.incoming_list(&self.ctx, query)).unwrap().items
    }

    /// Waits until the messages are as they are to be.
    pub(super) fn wait(&self, are: impl Fn(&HashMap<String, (i64, i64)>) -> bool) {
        for _ in 0..600 {
            if are(&self.states()) {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("they are not: {:?}", self.states());
    }
}
