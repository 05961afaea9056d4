//! What there is of a file only: this is tested with SQLite, whatever store the others have.

mod configuration;
mod held;
mod restore;
mod secrets;
mod store;
mod webhooks;
