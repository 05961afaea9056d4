//! The plan of every statement is looked at: none may read a whole table.

use muster_domain::Timestamp;
use muster_domain::secret::ServerKey;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{connect, migrate};
use crate::statements::{
    LISTS, Statement, contact, installation, media, org_unit, purge, tag, tenant, user, user_group, webhook,
};

/// Three tenants of one size, each with units of which every tenth is archived, four to a parent, and
/// with a user and two tokens for each unit: what a planner that knows statistics sees in real life.
const ROWS: &str = "
    WITH RECURSIVE t (id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM t WHERE id < 3)
    INSERT INTO tenants SELECT id, randomblob(16), 'n', 'US', 'EUR', 1, id * 10000, 1, 0, 0 FROM t;
    INSERT INTO tenant_state (tenant_id) SELECT id FROM tenants;
    INSERT INTO id_blocks VALUES ('org_unit', 1), ('user', 1), ('tenant', 1), ('credential', 1);
    WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < 1500)
    INSERT INTO org_units (id, tenant_id, parent_id, status, name, name_key, timezone, version, created_at,
        modified_at)
    SELECT t.id * 10000 + n, t.id, CASE n WHEN 0 THEN NULL ELSE t.id * 10000 + (n - 1) / 4 END,
        1 + (n % 10 = 9), 'Unit ' || n, 'unit ' || n, 'UTC', 1, 0, 0 FROM tenants t, n;
    INSERT INTO users (id, tenant_id, uuid, org_unit_id, login, login_key, login_claimed, first_name, last_name,
        name_key, role, status, timezone, score_call, access_audio, group_access, report_access, version, created_at,
        modified_at)
    SELECT id, tenant_id, randomblob(16), id, name, 'login ' || id, 1, '', '', '', 1, 1, 'UTC', 0, 0, 0, 0, 1, 0, 0
    FROM org_units;
    INSERT INTO login_claims SELECT login_key, tenant_id, id FROM users;
    INSERT INTO session_tokens
    SELECT tenant_id, randomblob(32), kind, CAST(id AS BLOB), id, 0, 0, NULL
    FROM users, (SELECT 1 AS kind UNION ALL SELECT 2);
    INSERT INTO credentials
    SELECT id * 10 + n, id, 2, 'key', NULL, randomblob(32), NULL, 0, NULL, NULL, 0, NULL, 0
    FROM tenants, (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3);
    INSERT INTO user_groups (tenant_id, id, name, name_key, version, created_at, modified_at)
    SELECT tenant_id, CAST(id AS BLOB), name, name_key, 1, 0, 0 FROM org_units WHERE status = 2;
    INSERT INTO user_group_members
    SELECT u.tenant_id, g.id, u.id, 0, 0 FROM users u JOIN user_groups g ON g.tenant_id = u.tenant_id
    WHERE u.id % 7 = unicode(substr(g.name, -1)) % 7;
    INSERT INTO contact_groups (id, tenant_id, name, version, created_at, modified_at)
    SELECT id, tenant_id, name, 1, 0, 0 FROM org_units WHERE status = 2;
    INSERT INTO contacts (id, tenant_id, group_id, edition, phone, version, created_at, modified_at)
    SELECT g.id * 100 + n, g.tenant_id, g.id, 1, '+49151' || n, 1, 0, 0
    FROM contact_groups g, (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4);
    INSERT INTO webhooks (id, tenant_id, org_unit_id, name, url, events, static_parameters, format, status,
        include_sub_groups, secret_sealed, version, created_at, modified_at, journal_cursor)
    SELECT id, tenant_id, id, name, '', '[]', '[]', 0, 1 + (id % 20 = 9), 1, X'', 1, 0, 0, 1
    FROM org_units WHERE status = 2;
    INSERT INTO webhook_deliveries (tenant_id, webhook_id, id, event, entity, at, state, attempts, next_at)
    SELECT w.tenant_id, w.id, n, 'user.created', 'user:1', n, n % 3, 0, iif(n % 3 = 0, n, NULL)
    FROM webhooks w, (SELECT id % 10000 AS n FROM org_units WHERE tenant_id = 1 AND id % 10000 < 60);
    INSERT INTO tags (id, tenant_id, org_unit_id, name, name_key, version, created_at, modified_at)
    SELECT id, tenant_id, id, name, name_key, 1, 0, 0 FROM org_units WHERE id % 3 = 0;
    INSERT INTO media_prompts
    SELECT id, tenant_id, id, name, 1, 'a.wav', 1, 44, NULL, randomblob(32), tenant_id || '/' || id, id FROM org_units
    WHERE id % 3 = 0;
    INSERT INTO object_garbage SELECT 'x' || object_key, id FROM media_prompts;
    INSERT INTO journal
    SELECT tenant_id, id % 10000 + 1, 0, 0, NULL, 0, 'unit.made', 'unit', id, 1, '{}', id FROM org_units;
    ANALYZE;
";

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

/// Wanted: a tenant's credentials, few webhooks, tags, media prompts, user groups and contact groups are listed whole, those of which rows are to be removed are in an
/// index of their own, a tenant is removed whole, and a list of all users is read in its
/// order until the page is full. Their counts are kept, but for those of a filter.
const WHOLE: [&str; 43] = [
    "contact::GROUPS",
    "contact::GROUPS_COUNT",
    "contact::GROUP_IDS",
    "contact::GARBAGE",
    "media::LIST",
    "media::LIST_COUNT",
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
