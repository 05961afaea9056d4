//! Hands text messages over to those who carry them, and says what they report: one trait, [`Carrier`], and three of
//! its kind, [`sandbox`], [`smpp`] and [`http`].
//!
//! A carrier keeps nothing. What it could not hand over it says so clearly that the caller can decide whether the
//! message is sent again ([`Failed`]), and what it is told it acknowledges only when the caller has stored it ([`Ack`]).

mod carriers;
mod config;
pub mod http;
mod message;
mod outcome;
mod rate;
mod report;
mod router;
pub mod sandbox;
pub mod smpp;

pub use carriers::{Carriers, OpenError, Sources, open, open_callers};
pub use config::{CarrierConfig, Config, ConfigFault};
pub use message::{Encoding, Outgoing, Part};
pub use outcome::{Failed, HandedOver, Reason};
pub use report::{Ack, Body, Event, Incoming, NotStored, Receipt, Report, Reports, State};
pub use router::{Router, RoutingConfig};

use futures_util::future::BoxFuture;

/// Somebody who carries messages to phones.
pub trait Carrier: Send + Sync {
    /// Hands a message over and waits for the answer; it ends within the time limits of the carrier's configuration.
    /// It may be called from many tasks at once. What is dropped before it ends may have been handed over.
    fn submit(&self, message: Outgoing) -> BoxFuture<'_, Result<HandedOver, Failed>>;

    /// Whether a second submission with the same [`reference`](Outgoing::reference) is recognised and sends nothing
    /// twice, so that one whose outcome is unknown may be repeated.
    fn recognises_repeats(&self) -> bool {
        false
    }

    /// How many submissions at once it has a use for: more would only wait in it, for a second or two.
    fn window(&self) -> usize;

    /// Takes no more, waits for a short time for what is on its way, and takes leave.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
