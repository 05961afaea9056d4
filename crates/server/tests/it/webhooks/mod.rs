//! Webhooks: what is sent, when, and by whom, to endpoints on this machine.

mod broadcasts;
mod changes;
mod commands;
pub(crate) mod crash;
mod messages;
mod order;
pub(crate) mod sink;
pub(crate) mod told;
mod workers;
pub(crate) mod world;
