//! The plans of statements that are written for predicates.

use rusqlite::Connection;

use super::plan_tests::{migrated, plan, reads_whole_table, reads_whole_tenant, with_statistics};
use crate::read::plan_cases::{Case, joined, lists, lookups};

fn stores() -> [Connection; 2] {
    // A file that is open stays until it is closed, its folder or not.
    [migrated(&tempfile::tempdir().unwrap()), with_statistics(&tempfile::tempdir().unwrap())]
}

/// The names that SQLite gives the indexes of keys.
fn index(name: &str) -> &str {
    match name {
        "user_groups_pkey" => "sqlite_autoindex_user_groups_1",
        "user_emails_pkey" => "USING PRIMARY KEY (tenant_id=? AND email_key",
        "messages_pkey" => "USING PRIMARY KEY (tenant_id=? AND id",
        "message_queue_pkey" => "USING PRIMARY KEY (tenant_id=? AND message_id",
        name => name,
    }
}

fn goes_by_its_indexes(steps: &[String], case: &Case) {
    for name in &case.by {
        assert!(steps.iter().any(|step| step.contains(index(name))), "{}: {name}: {steps:#?}", case.name);
    }
    // A page that was found is put in its order.
    let whole = steps.iter().find(|step| reads_whole_table(step) && *step != "SCAN w");
    assert_eq!(whole, None, "{}: {steps:#?}", case.name);
}

#[test]
fn what_is_looked_up_is_found_by_an_index() {
    let [new, known] = stores();
    for case in lookups() {
        let steps = plan(&new, &case.written.sqlite());
        goes_by_its_indexes(&steps, &case);
        let whole = steps.iter().find(|step| reads_whole_tenant(step));
        assert_eq!(whole, None, "{}: {steps:#?}", case.name);
        // Of the few groups that are known there, all may be looked at.
        goes_by_its_indexes(&plan(&known, &case.written.sqlite()), &case);
    }
}

#[test]
fn lists_are_read_in_the_order_of_an_index() {
    for connection in stores() {
        for case in lists() {
            let steps = plan(&connection, &case.written.sqlite());
            goes_by_its_indexes(&steps, &case);
            // Those that are alike in the index are put in order.
            let page = steps.iter().position(|step| step == "SCAN w").unwrap();
            let sorts = steps[..page].iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY");
            assert!(!sorts, "{}: {steps:#?}", case.name);
        }
    }
}

#[test]
fn what_is_joined_has_a_plan() {
    let joined = joined();
    for connection in stores() {
        let refused = joined.iter().filter_map(|written| connection.prepare(&written.sqlite()).err());
        assert_eq!(refused.map(|error| error.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
    }
}
