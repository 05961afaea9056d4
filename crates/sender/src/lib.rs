//! Hands messages over to carriers, and takes in what carriers report: what connects the use cases of messages with
//! [`muster_carrier`].
//!
//! [`Sender`] finds tenants with messages that are due, claims these in chunks, and hands each of them to its carrier.
//! Before every carrier stands a [`gate`], which lets tenants through in turn, and nobody while the carrier fails: so a
//! tenant with a million messages delays nobody else's, and a carrier that is down or hangs delays no other one. What came
//! of a chunk is noted in one commit, or in a few when some of it takes long.
//!
//! [`Intake`] notes receipts and stores what phones send, and only then acknowledges it.

mod chunk;
mod counts;
mod gate;
mod gates;
mod health;
mod incoming;
mod intake;
mod look;
mod outgoing;
mod receipts;
mod sender;

pub use counts::Counts;
pub use incoming::tenant_of;
pub use intake::Intake;
pub use sender::{Pace, STOP, Sender};
