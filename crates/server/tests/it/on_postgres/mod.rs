//! What there is of a database only: this is tested with PostgreSQL, whatever store the others have.

mod nodes;
mod outages;
