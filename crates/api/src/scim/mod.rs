//! The SCIM 2.0 dialect (RFC 7643, RFC 7644) under `/scim/v2`.
//!
//! A resource is a JSON object under the names of the [`schema`]'s one table. Bodies are read into it ([`read`]),
//! changed ([`patch`]), selected ([`filter`]), ordered ([`sort`]) and shown ([`projection`]), for which no store is needed.
//! What a resource is in the directory stands in the `_map` files, and one file a resource has its calls.

mod auth;
mod bulk;
mod cursor;
mod discovery;
pub mod error;
mod failure;
pub mod filter;
mod group;
mod group_map;
mod group_members;
mod list;
pub mod patch;
pub mod path;
pub mod projection;
mod published;
pub mod read;
mod routes;
pub mod schema;
mod search;
pub mod sort;
mod user;
mod user_map;
mod value;
mod wanted;

#[cfg(test)]
mod corpus_tests;

pub use error::{ScimError, ScimType};
pub(crate) use routes::{DIALECT, router};

/// What all paths begin with.
const PREFIX: &str = "/scim/v2";
