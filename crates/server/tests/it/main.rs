//! The binary as an operator runs it: through a real listener, with real signals, in a real folder.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../../../api/tests/it/place.rs"]
mod place;
mod support;

mod billing;
mod bulk_crash;
mod callers;
mod commands;
mod configuration;
mod contact_files;
mod contacts;
mod crash;
mod demo;
mod lifecycle;
mod limits;
mod load;
mod messages;
mod on_file;
mod on_postgres;
mod operator;
mod receipts;
mod sign;
mod webhooks;
