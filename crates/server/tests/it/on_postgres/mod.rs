//! What there is of a database only: this is tested with PostgreSQL, whatever store the others have.

mod moved;
mod nodes;
mod outages;
mod webhooks;
