//! The SCIM 2.0 dialect (RFC 7643, RFC 7644): what can be said of resources without a store.
//!
//! A resource is a JSON object under the names of the [`schema`]'s one table. Bodies are read into it ([`read`]),
//! changed ([`patch`]), selected ([`filter`]), ordered ([`sort`]) and shown ([`projection`]).

pub mod error;
pub mod filter;
pub mod patch;
pub mod path;
pub mod projection;
pub mod read;
pub mod schema;
pub mod sort;
mod value;

#[cfg(test)]
mod corpus_tests;

pub use error::{ScimError, ScimType};
