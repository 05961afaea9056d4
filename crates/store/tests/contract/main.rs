//! The contract suite: what a store is, and the rules of the directory over a real one.
//!
//! Every test is generic over the backend ([`support::Backend`]) and instantiated for each by the
//! `contract!` macro, so that a new backend is one more implementation and one more line there.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]
#![expect(clippy::panic, reason = "a helper that fails is a test that fails")]

#[macro_use]
mod support;
mod support_postgres;

mod balance;
mod balance_races;
mod bulk_books;
mod bulks;
mod bulks_many;
mod bulks_random;
mod bulks_sent;
mod commit;
mod commit_changes;
mod contact_books;
mod contact_groups;
mod contact_lists;
mod contact_races;
mod contact_random;
mod contact_reap;
mod contact_tenants;
mod contacts;
mod contacts_bulk;
mod conversations;
mod conversations_random;
mod counts;
mod credential;
mod credential_callers;
mod credential_signers;
mod erasure;
mod erasure_messages;
mod hand_over;
mod hand_over_lost;
mod incomings;
mod journal;
mod journal_lists;
mod media;
mod messages;
mod messages_many;
mod messages_random;
mod migrate_store;
mod migrate_store_ends;
mod org_unit;
mod org_unit_lists;
mod postgres;
mod postgres_faults;
mod random;
mod rules;
mod rules_admins;
mod rules_deliveries;
mod rules_races;
mod rules_sessions;
mod rules_sessions_races;
mod rules_tree;
mod rules_users;
mod rules_users_change;
mod rules_users_end;
mod rules_users_races;
mod rules_webhooks;
mod rules_webhooks_events;
mod schema;
mod selections;
mod session;
mod sqlite;
mod tags;
mod tenant;
mod tenant_delete;
mod tenant_writes;
mod upkeep;
mod user;
mod user_books;
mod user_documents;
mod user_group_ends;
mod user_group_members;
mod user_group_races;
mod user_group_random;
mod user_group_tenants;
mod user_groups;
mod user_lists;
mod user_lists_random;
mod webhook;
mod webhook_books;
mod webhook_deliveries;
mod webhook_races;
mod webhook_tenants;
mod world;
