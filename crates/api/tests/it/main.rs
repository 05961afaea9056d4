//! The dialects through the real router on a real store: small conversations with whole replies in
//! snapshots, under a fixed clock and fixed randomness.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

mod authz_coverage;
mod authz_signed;
mod bad_input;
mod cases;
mod concurrency;
mod conditions;
mod conformance;
mod contract_coverage;
mod cross_dialect;
mod cross_users;
mod group_lists;
mod group_writes;
mod http_surface;
mod lox24;
mod lox24_account;
mod lox24_batch;
mod lox24_blocks;
mod lox24_conditions;
mod lox24_csv;
mod lox24_formats;
mod lox24_group_phones;
mod lox24_groups;
mod lox24_paging;
mod lox24_phones;
mod lox24_races;
mod lox24_random;
mod oauth;
mod onlive;
mod onlive_auth;
mod onlive_groups;
mod onlive_late;
mod onlive_quotas;
mod onlive_users;
mod onlive_users_writes;
mod openapi;
mod people;
mod profile;
mod random_bodies;
mod random_shapes;
mod scim_random;
mod scope;
mod seeds;
mod signing;
mod tenancy;
mod together;
mod tree;
mod user_lists;
mod user_rules;
mod user_writes;
