//! Carriers on this machine: a message centre by others, message centres that do what none should, and gateways.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod smsc;
mod world;

mod gateway;
mod hostile;
mod inbound;
mod noise;
mod pace;
mod submit;
mod trouble;
