//! The plan of every statement is looked at: none may read a whole table.

use muster_domain::Timestamp;
use muster_domain::secret::ServerKey;
use rusqlite::Connection;
use tempfile::TempDir;

use super::plan_rows::ROWS;
use super::{connect, migrate};
use crate::statements::{
    LISTS, Statement, balance, block, bulk, contact, conversation, incoming, installation, media, message,
    org_unit, purge, tag, tenant, user, user_group, webhook,
};

/// A store as opening makes it.
pub(super) fn migrated(folder: &TempDir) -> Connection {
    let mut connection = connect(&folder.path().join("muster.db"), true).unwrap();
    migrate::run(&mut connection, Timestamp(0), true, |_, _| Ok(ServerKey::new([7; 32]))).unwrap();
    connection
}

pub(super) fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    // Nothing is bound: with a value the planner would look at how often that very value occurs.
    statement.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect()
}

/// Whether a step reads all of a table. What a recursion (`sub`) or a subquery has found, and rows that stand in
/// the statement itself, have to be read whole; an automatic index is one that is made of a whole table
/// for this one statement.
pub(super) fn reads_whole_table(step: &str) -> bool {
    let scanned = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
    let found = |table: &str| matches!(table, "sub" | "CONSTANT") || table.starts_with("(subquery-");
    scanned.is_some_and(|table| !found(table)) || step.contains("AUTOMATIC")
}

/// Whether a step reads all that a tenant has in a table.
pub(super) fn reads_whole_tenant(step: &str) -> bool {
    step.contains("(tenant_id=?)")
}

/// The steps of all statements that `bad` tells, each after the name of its statement.
fn steps(connection: &Connection, bad: fn(&str) -> bool) -> Vec<String> {
    let statements = LISTS.iter().flat_map(|(module, list)| list.iter().map(move |entry| (module, entry)));
    statements
        .flat_map(|(module, (name, statement))| {
            let steps = plan(connection, statement.sqlite()).into_iter();
            steps.filter(|step| bad(step)).map(move |step| format!("{module}::{name}: {step}"))
        })
        .collect()
}

/// A store with the rows of [`ROWS`], opened after they were analysed.
pub(super) fn with_statistics(folder: &TempDir) -> Connection {
    migrated(folder).execute_batch(ROWS).unwrap();
    connect(&folder.path().join("muster.db"), true).unwrap()
}

#[test]
fn no_statement_reads_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(steps(&migrated(&folder), reads_whole_table), Vec::<String>::new());
}

#[test]
fn no_statement_reads_a_whole_table_when_the_planner_knows_statistics() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(steps(&with_statistics(&folder), reads_whole_table), Vec::<String>::new());
}

/// Wanted: a tenant's credentials, few webhooks, tags, media prompts, user groups and contact groups are listed whole, a number is
/// looked for in each contact group, those of which rows are to be removed are in an index of their own, a tenant is removed whole, and a list of all users is read in its
/// order until the page is full. Their counts are kept, but for those of a filter.
const WHOLE: [&str; 54] = [
    "contact::GROUPS",
    "contact::GROUPS_COUNT",
    "contact::GROUP_IDS",
    "contact::GARBAGE",
    "conversation::GET",
    "media::LIST",
    "media::LIST_COUNT",
    "message::WORK",
    "purge::SESSION_TOKENS",
    "purge::MEDIA_OBJECTS",
    "purge::MEDIA_PROMPTS",
    "purge::TAGS",
    "purge::CONTACTS",
    "purge::CONTACT_GROUPS",
    "purge::USER_GROUP_MEMBERS",
    "purge::USER_GROUPS",
    "purge::CREDENTIALS",
    "purge::WEBHOOK_DELIVERIES",
    "purge::WEBHOOKS",
    "purge::LOGIN_CLAIMS",
    "purge::USER_EMAILS",
    "purge::USERS",
    "purge::ORG_UNITS",
    "purge::CARRIER_PARTS",
    "purge::MESSAGE_QUEUE",
    "purge::MESSAGES",
    "purge::INCOMINGS",
    "purge::CONVERSATIONS",
    "purge::BLOCKED_NUMBERS",
    "purge::BULK_PHONES",
    "purge::BULKS",
    "purge::MOVEMENTS",
    "purge::JOURNAL",
    "purge::TENANT",
    "tag::LIST",
    "tag::LIST_COUNT",
    "tenant::CREDENTIALS",
    "user::LIST_CREATED",
    "user::LIST_CREATED_DESC",
    "user::LIST_NAME",
    "user::LIST_NAME_DESC",
    "user::LIST_LOGIN",
    "user::LIST_LOGIN_DESC",
    "user::LIST_DELETED_LOGIN",
    "user::LIST_DELETED_LOGIN_DESC",
    "user::LIST_COUNT",
    "user_group::LIST",
    "user_group::LIST_COUNT",
    "user_group::GARBAGE",
    "webhook::LIST",
    "webhook::WORK",
    "webhook::HAS_ROOM",
    "webhook::JOURNAL_NEEDED",
    "webhook::GARBAGE",
];

/// The names of the statements that read all that a tenant has in a table.
fn whole(connection: &Connection) -> Vec<String> {
    let steps = steps(connection, reads_whole_tenant);
    let mut names: Vec<String> =
        steps.iter().filter_map(|step| step.split_once(": ")).map(|(name, _)| name.to_owned()).collect();
    names.dedup();
    // The doctor looks at everything.
    names.retain(|name| !name.starts_with("doctor::"));
    names
}

#[test]
fn only_a_list_of_all_reads_all_that_a_tenant_has() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(whole(&migrated(&folder)), WHOLE);
}

#[test]
fn only_a_list_of_all_reads_all_that_a_tenant_has_when_the_planner_knows_statistics() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(whole(&with_statistics(&folder)), WHOLE);
}

/// A step of a removal looks at the rows that it removes, not at all rows of the tenant for each.
#[test]
fn a_removal_goes_by_the_rows_that_were_chosen() {
    let folder = tempfile::tempdir().unwrap();
    for connection in [migrated(&folder), with_statistics(&tempfile::tempdir().unwrap())] {
        let steps = [
            (&purge::USERS, "users"),
            (&purge::ORG_UNITS, "org_units"),
            (&purge::TAGS, "tags"),
            (&purge::MEDIA_PROMPTS, "media_prompts"),
            (&purge::CONTACTS, "contacts"),
            (&purge::CONTACT_GROUPS, "contact_groups"),
            (&contact::REAP, "contacts"),
        ];
        for (statement, table) in steps {
            let plan = plan(&connection, statement.sqlite());
            let by_id = format!("SEARCH {table} USING INTEGER PRIMARY KEY (rowid=?)");
            assert!(plan.contains(&by_id), "{plan:?}");
        }
        for (statement, key) in [
            (&purge::USER_GROUPS, "(tenant_id=? AND id=?)"),
            (&purge::USER_GROUP_MEMBERS, "(tenant_id=? AND group_id=? AND user_id=?)"),
        ] {
            let plan = plan(&connection, statement.sqlite());
            assert!(plan[0].ends_with(key), "{plan:?}");
        }
    }
}

#[test]
fn lists_are_read_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let connection = migrated(&folder);
    let sorts = |statement: &Statement| {
        plan(&connection, statement.sqlite()).iter().any(|step| step.contains("TEMP B-TREE"))
    };
    let of_users =
        user::ALL.iter().filter(|(name, _)| name.starts_with("LIST_") && !name.contains("DELETED"));
    let others = [&tenant::LIST, &tenant::JOURNAL_LIST, &tenant::JOURNAL_NEWEST, &tenant::CREDENTIALS];
    let of_groups = [&user_group::LIST, &user_group::MEMBERS];
    let of_webhooks = [
        &webhook::LIST,
        &webhook::WORK,
        &webhook::DELIVERIES,
        &webhook::DELIVERIES_FAILED,
        &webhook::DELIVERIES_OPEN,
    ];
    let of_contacts = [&contact::GROUPS, &contact::GROUP_IDS, &contact::LIST, &contact::AFTER];
    for sorted in others
        .into_iter()
        .chain(of_contacts)
        .chain(of_groups)
        .chain(of_webhooks)
        .chain([&org_unit::CHILDREN, &tag::LIST, &media::LIST, &media::MARKED])
        .chain(of_users.map(|(_, list)| *list))
    {
        assert!(!sorts(sorted), "{}", sorted.sqlite());
    }
    assert!(sorts(&org_unit::SUBTREE), "units come in the order in which they are found");
}

/// What a reader of contacts looks at is what it asked for, whatever the tenant has.
#[test]
fn contacts_are_found_by_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for connection in [migrated(&folder), with_statistics(&tempfile::tempdir().unwrap())] {
        for (statement, index) in [
            (&contact::GARBAGE, "contact_groups_garbage (tenant_id=?)"),
            (&contact::EXPIRED, "contact_groups_expiry (tenant_id=? AND expires_at<?)"),
            (&contact::LIST, "contacts_group (group_id=? AND tenant_id=? AND edition=?)"),
            (&contact::AFTER, "contacts_group (group_id=? AND tenant_id=? AND edition=? AND id>?)"),
            (&contact::REAP, "contacts_group (group_id=? AND tenant_id=? AND edition<?)"),
            (&contact::BY_PHONE, "contacts_phone (tenant_id=? AND group_id=? AND edition=? AND phone=?)"),
        ] {
            let plan = plan(&connection, statement.sqlite());
            assert!(plan.iter().any(|step| step.ends_with(index)), "{index}: {plan:?}");
        }
    }
}

/// Groups and memberships cost what is asked for, whatever the tenant has and whatever a group.
#[test]
fn memberships_are_found_by_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let by_user = "user_group_members_user (user_id=? AND tenant_id=?)";
    let key = "PRIMARY KEY (tenant_id=? AND group_id=? AND user_id=?)";
    let marked = "user_group_members_user (user_id=? AND tenant_id=? AND is_primary=?)";
    for connection in [migrated(&folder), with_statistics(&tempfile::tempdir().unwrap())] {
        for (statement, index) in [
            (&user_group::GET, "(tenant_id=? AND id=?)"),
            (&user_group::OF_USER, by_user),
            (&user_group::PRIMARY_OF_USER, by_user),
            (&user::GET, by_user),
            (&user::VIEW, by_user),
            (&user::VIEW_BY_UUID, "users_uuid (tenant_id=? AND uuid=?)"),
            (&user::BY_UUID, "users_uuid (tenant_id=? AND uuid=?)"),
            (&user_group::MEMBERS, "PRIMARY KEY (tenant_id=? AND group_id=? AND user_id>?)"),
            (&user_group::REAPABLE, "PRIMARY KEY (tenant_id=? AND group_id=?)"),
            (&user_group::MEMBER_DELETE, key),
            (&user_group::MARK, key),
            (&user_group::UNMARK, marked),
            (&user_group::GARBAGE, "user_groups_garbage (tenant_id=?)"),
            (&user::GROUP_CREATED, "PRIMARY KEY (tenant_id=? AND group_id=?)"),
            (&user::LIST_CREATED_DESC, key),
        ] {
            let plan = plan(&connection, statement.sqlite());
            assert!(plan.iter().any(|step| step.ends_with(index)), "{index}: {plan:?}");
        }
    }
}

/// Looking after a webhook costs what there is to do, however much was sent.
#[test]
fn deliveries_are_found_by_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let key = "PRIMARY KEY (tenant_id=? AND webhook_id=? AND id=?)";
    let open = "webhook_deliveries_open (tenant_id=? AND webhook_id=?)";
    let failed = "webhook_deliveries_failed (tenant_id=? AND webhook_id=?)";
    for connection in [migrated(&folder), with_statistics(&tempfile::tempdir().unwrap())] {
        for (statement, index) in [
            (&webhook::DELIVERY, key),
            (&webhook::DELIVERIES, "PRIMARY KEY (tenant_id=? AND webhook_id=?)"),
            (&webhook::DELIVERIES_OPEN, open),
            (&webhook::DELIVERIES_FAILED, failed),
            (&webhook::DELIVERIES_FAILED_COUNT, failed),
            (&webhook::WORK, "webhook_deliveries_due (tenant_id=? AND webhook_id=?)"),
            (&webhook::JOURNAL_NEEDED, open),
            (&webhook::DELIVERY_ATTEMPTED, key),
            (&webhook::DELIVERY_RETRY, key),
            (&webhook::REAP, "PRIMARY KEY (tenant_id=? AND webhook_id=? AND id>?)"),
            (&webhook::REAP_DELETED, key),
            (&purge::WEBHOOK_DELIVERIES, key),
        ] {
            let plan = plan(&connection, statement.sqlite());
            assert!(plan.iter().any(|step| step.ends_with(index)), "{index}: {plan:?}");
        }
    }
}

/// The tags and prompts of a unit are found by the unit, and marks by their time.
#[test]
fn tags_and_prompts_are_found_by_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for connection in [migrated(&folder), with_statistics(&tempfile::tempdir().unwrap())] {
        for (statement, table, by) in [
            (&tag::SUBTREE, "SEARCH g", "org_unit_id=?"),
            (&tag::SUBTREE_COUNT, "SEARCH g", "org_unit_id=?"),
            (&media::SUBTREE, "SEARCH p", "org_unit_id=?"),
            (&media::SUBTREE_COUNT, "SEARCH p", "org_unit_id=?"),
            (&media::MARKED, "SEARCH object_garbage", "due_at<?"),
        ] {
            let plan = plan(&connection, statement.sqlite());
            let searches = |step: &String| step.starts_with(table) && step.contains(by);
            assert!(plan.iter().any(searches), "{table} {by}: {plan:?}");
        }
    }
}

/// Whoever hands messages over looks at what is due and at what it has claimed, however much waits or was sent.
#[test]
fn messages_are_found_by_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let part = "PRIMARY KEY (carrier=? AND carrier_id=?)";
    for connection in [migrated(&folder), with_statistics(&tempfile::tempdir().unwrap())] {
        for (statement, index) in [
            (&message::GET, "PRIMARY KEY (tenant_id=? AND id=?)"),
            (&message::CLAIM, "message_queue_due (tenant_id=? AND lane=? AND due_at<?)"),
            (&message::CLAIM_LOST, "message_queue_lost (tenant_id=? AND claim_until<?)"),
            (&message::CLAIMED, "message_queue_claims (tenant_id=? AND claim=?)"),
            (&message::CLAIMED, "(tenant_id=? AND number=?)"),
            (&message::KEEP, "message_queue_claims (tenant_id=? AND claim=?)"),
            (&message::RELEASE, "message_queue_claims (tenant_id=? AND claim=?)"),
            (&message::HELD, "message_queue_claims (tenant_id=? AND claim=?)"),
            (&message::WORK, "message_queue_due (tenant_id=? AND lane=?)"),
            (&message::WORK, "message_queue_lost (tenant_id=?)"),
            (&message::DEFER, "PRIMARY KEY (tenant_id=? AND message_id=?)"),
            (&message::PART, part),
            (&message::PART_RECEIPT, part),
            (&message::PARTS_OF, "carrier_parts_message (tenant_id=? AND message_id=?)"),
            (&message::PARTS_REAP, "carrier_parts_handed_over (handed_over_at<?)"),
            (&message::PARTS_REAP, part),
            (&incoming::ANSWERED, "messages_phone (tenant_id=? AND phone=?)"),
            (&installation::TENANT_LAST, "messages_phone (tenant_id=? AND phone=?)"),
            (&bulk::TO_DO, "bulks_work (tenant_id=? AND "),
            (&bulk::TO_DO, "message_queue_due (tenant_id=? AND lane=?)"),
            (&bulk::NEXT, "bulks_work (tenant_id=? AND work_at>?)"),
            (&incoming::OF_CARRIER, "incomings_carrier (tenant_id=? AND carrier=? AND carrier_id=?)"),
            (&conversation::GET, "PRIMARY KEY (tenant_id=? AND id=?)"),
            (&conversation::GET, "contacts_phone (tenant_id=? AND group_id=? AND edition=? AND phone=?)"),
            (&conversation::THREAD, "messages_phone (tenant_id=? AND phone=?)"),
            (&conversation::THREAD, "incomings_sender (sender=? AND tenant_id=?)"),
            (&conversation::THREAD_COUNT, "incomings_sender (sender=? AND tenant_id=?)"),
            (&block::OF_NUMBER, "blocked_numbers_number (tenant_id=? AND number=?)"),
            (&balance::MOVEMENTS, "PRIMARY KEY (tenant_id=? AND id<?)"),
            (&balance::QUOTE, "PRIMARY KEY (edition=? AND country=? AND currency=?)"),
            (&purge::MESSAGES, "PRIMARY KEY (tenant_id=? AND id=?)"),
            (&purge::CARRIER_PARTS, part),
        ] {
            let plan = plan(&connection, statement.sqlite());
            let goes_by = |step: &String| step.contains(index);
            assert!(plan.iter().any(goes_by), "{index}: {plan:?}");
        }
    }
}

/// A tenant may have many access keys; one is looked for with each request.
#[test]
fn an_access_key_is_found_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    for connection in [migrated(&folder), with_statistics(&tempfile::tempdir().unwrap())] {
        let plan = plan(&connection, tenant::CREDENTIAL_SIGNED_CALLER.sqlite());
        let index = "credentials_access_key (tenant_id=? AND dialect=? AND public_id=?)";
        assert!(plan.iter().any(|step| step.ends_with(index)), "{plan:?}");
    }
}

#[test]
fn what_reads_whole_tables_is_understood_too() {
    let folder = tempfile::tempdir().unwrap();
    let connection = migrated(&folder);
    for (_, statement) in installation::ALL {
        plan(&connection, statement.sqlite());
    }
}

#[test]
fn a_whole_read_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let connection = migrated(&folder);
    let noticed = |sql, bad: fn(&str) -> bool| plan(&connection, sql).iter().any(|step| bad(step));
    assert!(noticed("SELECT * FROM users WHERE first_name = ?1", reads_whole_table));
    assert!(noticed("SELECT * FROM org_units o WHERE o.status = 1 ORDER BY o.id", reads_whole_table));
    assert!(noticed("SELECT COUNT(*) FROM tenants", reads_whole_table));
    assert!(!noticed("SELECT * FROM users WHERE tenant_id = ?1 AND id = ?2", reads_whole_table));
    assert!(noticed("SELECT * FROM users WHERE tenant_id = ?1", reads_whole_tenant));
    assert!(!noticed("SELECT * FROM users WHERE tenant_id = ?1 AND id = ?2", reads_whole_tenant));
}
