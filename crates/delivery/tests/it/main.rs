//! Requests to real endpoints on this machine, most of them hostile.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod endpoint;

mod answers;
mod connections;
mod guard;
mod hostile;
mod proxy;
mod tls;
