//! Every statement is prepared on PostgreSQL, and its plan looked at: none may read a whole table.

use tokio_postgres::{Client, NoTls};

use super::many;
use crate::statements::{
    LISTS, balance, block, bulk, contact, conversation, incoming, installation, media, message, org_unit,
    postgres, purge, session, tag, tenant, user, user_group, webhook,
};

/// Three tenants of one size, each with units of which every tenth is archived, four to a parent, and
/// with a user and two tokens for each unit.
pub(super) const ROWS: &str = "
    INSERT INTO tenants SELECT id, convert_to('org' || id, 'UTF8'), 'n', 'US', 'EUR', 1, id * 10000, 1, 0, 0, 0
    FROM generate_series(1, 3) id;
    INSERT INTO tenant_state (tenant_id) SELECT id FROM tenants;
    INSERT INTO id_blocks VALUES ('org_unit', 1), ('user', 1), ('tenant', 1), ('credential', 1);
    INSERT INTO org_units (id, tenant_id, parent_id, status, name, name_key, timezone, version, created_at,
        modified_at)
    SELECT t.id * 10000 + n, t.id, CASE n WHEN 0 THEN NULL ELSE t.id * 10000 + (n - 1) / 4 END,
        CASE WHEN n % 10 = 9 THEN 2 ELSE 1 END, 'Unit ' || n, 'unit ' || n, 'UTC', 1, 0, 0
    FROM tenants t, generate_series(0, 1500) n;
    INSERT INTO users (id, tenant_id, uuid, org_unit_id, login, login_key, login_claimed, first_name, last_name,
        name_key, role, status, timezone, score_call, access_audio, group_access, report_access, version, created_at,
        modified_at)
    SELECT id, tenant_id, convert_to('user' || id, 'UTF8'), id, name, 'login ' || id, 1, '', '', '', 1, 1, 'UTC', 0, 0, 0,
        0, 1, 0, 0
    FROM org_units;
    INSERT INTO login_claims SELECT login_key, tenant_id, id FROM users;
    INSERT INTO session_tokens
    SELECT tenant_id, convert_to('token' || id || kind, 'UTF8'), kind, convert_to('family' || id, 'UTF8'), id, 0, 0, NULL
    FROM users, generate_series(1, 2) kind;
    INSERT INTO credentials
    SELECT id * 10 + n, id, 2, 'key', NULL, convert_to('key' || n, 'UTF8'), NULL, 0, NULL, NULL, 0, NULL, 0
    FROM tenants, generate_series(1, 3) n;
    INSERT INTO user_groups (tenant_id, id, name, name_key, version, created_at, modified_at)
    SELECT tenant_id, convert_to('group' || id, 'UTF8'), name, name_key, 1, 0, 0 FROM org_units WHERE status = 2;
    INSERT INTO user_group_members
    SELECT u.tenant_id, g.id, u.id, 0, 0 FROM users u JOIN user_groups g ON g.tenant_id = u.tenant_id
    WHERE u.id % 7 = ascii(right(g.name, 1)) % 7;
    INSERT INTO contact_groups (id, tenant_id, name, version, created_at, modified_at)
    SELECT id, tenant_id, name, 1, 0, 0 FROM org_units WHERE status = 2;
    INSERT INTO contacts (id, tenant_id, group_id, edition, phone, version, created_at, modified_at)
    SELECT g.id * 100 + n, g.tenant_id, g.id, 1, '+49151' || n, 1, 0, 0 FROM contact_groups g, generate_series(1, 4) n;
    INSERT INTO webhooks (id, tenant_id, org_unit_id, name, url, events, static_parameters, format, status,
        include_sub_groups, secret_sealed, version, created_at, modified_at, journal_cursor)
    SELECT id, tenant_id, id, name, '', '[]', '[]', 0, CASE WHEN id % 20 = 9 THEN 2 ELSE 1 END, 1, '', 1, 0, 0, 1
    FROM org_units WHERE status = 2;
    INSERT INTO webhook_deliveries (tenant_id, webhook_id, id, event, entity, at, state, attempts, next_at)
    SELECT w.tenant_id, w.id, n, 'user.created', 'user:1', n, n % 3, 0, CASE WHEN n % 3 = 0 THEN n END
    FROM webhooks w, generate_series(1, CASE w.id WHEN 10009 THEN 5000 ELSE 30 END) n;
    INSERT INTO tags (id, tenant_id, org_unit_id, name, name_key, version, created_at, modified_at)
    SELECT id, tenant_id, id, name, name_key, 1, 0, 0 FROM org_units WHERE id % 3 = 0;
    INSERT INTO media_prompts
    SELECT id, tenant_id, id, name, 1, 'a.wav', 1, 44, NULL, convert_to('sum', 'UTF8'), tenant_id || '/' || id, id
    FROM org_units WHERE id % 3 = 0;
    INSERT INTO object_garbage SELECT 'x' || object_key, id FROM media_prompts;
    INSERT INTO price_table VALUES (1, 3);
    INSERT INTO prices SELECT 3, 'C' || id, 'EUR', 'n', 1, 1, 1, 1, NULL FROM org_units WHERE tenant_id = 1;
    INSERT INTO movements SELECT tenant_id, id % 10000 + 1, 0, 1, 1, 'credit', NULL, NULL, NULL, NULL FROM org_units;
    INSERT INTO blocked_numbers SELECT tenant_id, id, '+49' || id, 1, id, 1 FROM org_units WHERE id % 5 = 0;
    INSERT INTO messages (tenant_id, id, sender, phone, is_unicode, chars_count, parts_count, service, source,
        is_text_deleted, callback_data, deliver_at, status, receipt, handed_over_at, price, bulk_id, bulk_uuid, actor_kind,
        version, created_at, text)
    SELECT tenant_id, convert_to('m' || id, 'UTF8'), 'M', '+4915' || id, 0, 1, 1, 1, 0, 0, CASE WHEN id % 2 = 0 THEN 'c' || id END, 0,
        CASE WHEN id % 50 = 0 THEN 0 ELSE 100 END, 0, id, 0, CASE WHEN id % 3 = 0 THEN id % 300 END,
        CASE WHEN id % 3 = 0 THEN convert_to('b' || id % 300, 'UTF8') END, 0, 1, id, 'x' FROM org_units;
    INSERT INTO message_queue (tenant_id, message_id, lane, due_at)
    SELECT tenant_id, id, COALESCE(bulk_id, 0), created_at FROM messages WHERE status = 0;
    INSERT INTO incomings SELECT tenant_id, convert_to('i' || id, 'UTF8'), '+4915' || id, '+491', id, CASE WHEN id % 2 = 0 THEN convert_to('i' || id, 'UTF8') END,
        'c', id, 1, 'x' FROM org_units;
    INSERT INTO bulks (tenant_id, id, uuid, org_unit_id, sender, style, group_ids, deliver_at, service, source,
        is_text_deleted, is_dry_run, status, work_at, actor_kind, version, created_at, modified_at, processed_at, text)
    SELECT tenant_id, id, CONVERT_TO(id::TEXT, 'UTF8'), id, 'M', 'braces', '', 0, 1, 0, 0, 0, 'completed',
        CASE WHEN id % 50 = 0 THEN id END, 0, 1, id, id, id, 'x' FROM org_units WHERE id % 3 = 0;
    INSERT INTO bulk_phones SELECT tenant_id, id, '+491' FROM bulks WHERE id % 2 = 0;
    INSERT INTO conversations (tenant_id, id, our_number, their_number, is_incoming, last_at, last_message, unread,
        responses_sum, responses, assigned_to, is_pinned, closed_at, version, started_at)
    SELECT tenant_id, id, '491', '4915' || id, 1, id, convert_to('i' || id, 'UTF8'), 1, 0, 0, id, 0, CASE WHEN id % 4 = 0 THEN id END, 1, id
    FROM org_units;
    INSERT INTO journal
    SELECT tenant_id, id % 10000 + 1, 0, 0, NULL, 0, 'unit.made', 'unit', id, 1, '{}', id FROM org_units;
";

/// What a planner that knows statistics sees in real life.
pub(super) const STATISTICS: &str =
    "ANALYZE tenants, tenant_state, org_units, users, login_claims, session_tokens, credentials, user_groups,
        user_group_members, contact_groups, contacts, webhooks, webhook_deliveries, tags, media_prompts, object_garbage,
        price_table, prices, movements, blocked_numbers, messages, message_queue, incomings, bulks, conversations,
        bulk_phones, journal;
";

/// A connection with the settings of the store, to new tables in a schema that is gone after the transaction.
pub(crate) async fn migrated(schema: &str) -> Client {
    let url = std::env::var("MUSTER_TEST_POSTGRES").expect(
        "MUSTER_TEST_POSTGRES is the URL of a PostgreSQL for tests; crates/store/tests/postgres.sh COMMAND… gives one",
    );
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let tables = include_str!("../migrations/postgres/0001_directory.sql");
    client.batch_execute(super::connection::SETTINGS).await.unwrap();
    client
        .batch_execute(&format!(
            "BEGIN; CREATE SCHEMA {schema}_{}; SET LOCAL search_path = {schema}_{0}; {tables}",
            std::process::id()
        ))
        .await
        .unwrap();
    client
}

/// The plan of a statement for these values.
async fn plan_for(client: &Client, sql: &str, values: &str) -> Vec<String> {
    client.batch_execute(&format!("{}; PREPARE it AS {sql}", super::read::PLANS)).await.unwrap();
    let rows = client.query(&format!("EXPLAIN (COSTS OFF) EXECUTE it ({values})"), &[]).await.unwrap();
    client.batch_execute("DEALLOCATE it").await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The plan that is made once for all values, as one that is used again and again is.
async fn plan(client: &Client, sql: &str) -> Vec<String> {
    client
        .batch_execute(&format!("SET LOCAL plan_cache_mode = force_generic_plan; PREPARE it AS {sql}"))
        .await
        .unwrap();
    let parameters =
        "SELECT COALESCE(array_length(parameter_types, 1), 0) FROM pg_prepared_statements WHERE name = 'it'";
    let parameters: i32 = client.query_one(parameters, &[]).await.unwrap().get(0);
    let nulls = vec!["NULL"; usize::try_from(parameters).unwrap()].join(", ");
    let execute = if nulls.is_empty() { "it".to_owned() } else { format!("it ({nulls})") };
    let rows = client.query(&format!("EXPLAIN (COSTS OFF) EXECUTE {execute}"), &[]).await.unwrap();
    client.batch_execute("DEALLOCATE it").await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The steps that read a whole table, or an index without a condition on the tenant or on what is asked for, each after
/// the name of its statement.
async fn whole(client: &Client) -> Vec<String> {
    let mut found = Vec::new();
    for (module, list) in LISTS.into_iter().chain([("postgres", postgres::ALL)]) {
        for (name, statement) in list {
            let steps = plan(client, statement.postgres()).await;
            for (n, step) in steps.iter().enumerate() {
                let scans_table = step.contains("Seq Scan on");
                let scans_index = step.contains("Index Scan") || step.contains("Index Only Scan");
                let condition = steps.get(n + 1).is_some_and(|next| next.contains("Index Cond"));
                if scans_table || (scans_index && !condition) {
                    found.push(format!("{module}::{name}: {}", step.trim()));
                }
            }
        }
    }
    found
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let client = migrated("plans").await;
    assert_eq!(whole(&client).await, Vec::<String>::new());
}

#[tokio::test]
async fn no_statement_reads_a_whole_table_when_the_planner_knows_statistics() {
    let client = migrated("statistics").await;
    client.batch_execute(ROWS).await.unwrap();
    client.batch_execute(STATISTICS).await.unwrap();
    assert_eq!(whole(&client).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_reads_whole_tables_is_understood_too() {
    let client = migrated("installation").await;
    for (_, statement) in installation::ALL {
        plan(&client, statement.postgres()).await;
    }
}

#[tokio::test]
async fn a_whole_read_is_noticed() {
    let client = migrated("noticed").await;
    for sql in
        ["SELECT * FROM users WHERE first_name = $1", "SELECT * FROM journal ORDER BY tenant_id, sequence"]
    {
        let steps = plan(&client, sql).await.join("\n");
        assert!(steps.contains("Scan") && !steps.contains("Index Cond"), "{steps}");
    }
}

/// A page of a list without a filter ends when it is full.
#[tokio::test]
async fn lists_are_read_in_their_order() {
    let client = migrated("lists").await;
    client.batch_execute(ROWS).await.unwrap();
    client.batch_execute(STATISTICS).await.unwrap();
    let of_users = "1, NULL, NULL, NULL, NULL, 1, 2, NULL, NULL, 10, 0";
    for (statement, values, index) in [
        (&user::LIST_CREATED, of_users, "users_created"),
        (&user::LIST_CREATED_DESC, of_users, "users_created"),
        (&user::LIST_NAME, of_users, "users_name"),
        (&user::LIST_LOGIN_DESC, of_users, "users_login"),
        (&user_group::LIST, "1, NULL, 10, 0", "user_groups_created"),
        (&org_unit::CHILDREN, "1, 10000, 1, 2, NULL, 10, 0", "org_units_children"),
        (&contact::GROUPS, "1, 0, 10, 0", "contact_groups_pkey"),
        (&webhook::DELIVERIES, "1, 10009, NULL, 0, 10, 0", "webhook_deliveries_pkey"),
        (&webhook::DELIVERIES_FAILED, "1, 10009, 0, 10, 0", "webhook_deliveries_failed"),
        (&webhook::DELIVERIES_OPEN, "1, 10009, 10", "webhook_deliveries_open"),
        (&tag::LIST, "1, NULL, NULL, 10, 0", "tags_list"),
        (&media::LIST, "1, NULL, 10, 0", "media_prompts_created"),
        (&media::MARKED, "20000, 10", "object_garbage_due"),
        (&tenant::JOURNAL_NEWEST, "1, 0, NULL, NULL, NULL, NULL, 0, 9, 10", "journal_pkey"),
    ] {
        let steps = plan_for(&client, statement.postgres(), values).await;
        // An incremental one puts those in order that are alike in the index.
        let sorts = steps.iter().any(|step| step.trim_start_matches([' ', '-', '>']) == "Sort");
        assert!(steps.iter().any(|step| step.contains(index)) && !sorts, "{index}:\n{steps:#?}");
    }
}

/// What a reader looks at is what it asked for, whatever the tenant has.
#[tokio::test]
async fn rows_are_found_by_what_is_asked_for() {
    for (schema, statistics) in [("young", ""), ("known", STATISTICS)] {
        let client = migrated(schema).await;
        client.batch_execute(ROWS).await.unwrap();
        client.batch_execute(statistics).await.unwrap();
        for (statement, index) in [
            (&session::CALLER, "session_tokens_pkey"),
            (&session::FAMILY_DELETE, "session_tokens_family"),
            (&session::USER_DELETE, "session_tokens_user"),
            (&user::GET, "users_pkey"),
            (&user::VIEW_BY_UUID, "users_uuid"),
            (&user::BY_CLAIM, "login_claims_pkey"),
            (&user_group::OF_USER, "user_group_members_user"),
            (&user_group::MEMBERS, "user_group_members_pkey"),
            (&org_unit::CHILDREN, "org_units_children"),
            (&org_unit::SUBTREE_IDS, "parent_id = sub"),
            (&org_unit::TREE, "parent_id = sub"),
            (&contact::BY_PHONE, "contacts_phone"),
            (&contact::AFTER, "contacts_group"),
            (&contact::GARBAGE, "contact_groups_garbage"),
            (&tag::GET, "tags_pkey"),
            (&media::GET, "media_prompts_pkey"),
            (&media::UNMARK, "object_garbage_pkey"),
            (&purge::USERS, "users_pkey"),
            (&contact::REAP, "contacts_pkey"),
            (&webhook::DELIVERY, "webhook_deliveries_pkey"),
            (&webhook::DELIVERIES_OPEN, "webhook_deliveries_open"),
            (&webhook::DELIVERIES_FAILED, "webhook_deliveries_failed"),
            (&webhook::DELIVERIES_FAILED_COUNT, "webhook_deliveries_failed"),
            (&webhook::WORK, "webhook_deliveries_due"),
            (&webhook::JOURNAL_NEEDED, "webhook_deliveries_open"),
            (&webhook::DELIVERY_ATTEMPTED, "webhook_deliveries"),
            (&webhook::GARBAGE, "webhook_deliveries_pkey"),
            (&webhook::REAP, "webhook_deliveries_pkey"),
            (&webhook::REAP_DELETED, "webhook_deliveries_pkey"),
            (&purge::WEBHOOK_DELIVERIES, "webhook_deliveries_pkey"),
            (&message::GET, "messages_pkey"),
            (&message::CLAIM, "message_queue_due"),
            // By either index of what is claimed, which is little.
            (&message::CLAIMED, "using message_queue_"),
            (&message::QUEUE_LEAVE, "message_queue_pkey"),
            (&message::QUEUE_LEAVE_CLAIMED, "message_queue_pkey"),
            (&message::DEFER, "message_queue_pkey"),
            (&message::WORK, "message_queue_due"),
            (&message::PART, "carrier_parts_pkey"),
            (&message::PARTS_OF, "carrier_parts_message"),
            (&incoming::ANSWERED, "messages_phone"),
            (&installation::TENANT_LAST, "messages_phone"),
            (&bulk::TO_DO, "bulks_work"),
            (&bulk::TO_DO, "message_queue_due"),
            (&incoming::OF_CARRIER, "incomings_carrier"),
            (&conversation::GET, "contacts_phone"),
            (&conversation::GET, "conversations_pkey"),
            (&conversation::THREAD, "messages_phone"),
            (&conversation::THREAD, "incomings_sender"),
            (&balance::MOVEMENTS, "movements_pkey"),
            (&balance::QUOTE, "prices_pkey"),
        ] {
            let steps = plan(&client, statement.postgres()).await.join("\n");
            assert!(steps.contains(index), "{index}:\n{steps}");
        }
    }
}

/// What is done for many rows of values looks up each by its key.
#[tokio::test]
async fn many_are_found_each_by_its_key() {
    for (schema, statistics) in [("young_many", ""), ("known_many", STATISTICS)] {
        let client = migrated(schema).await;
        client.batch_execute(ROWS).await.unwrap();
        client.batch_execute(statistics).await.unwrap();
        for (statement, index) in [
            (&message::GET, "messages_pkey"),
            (&message::PARTS_OF, "carrier_parts_message"),
            (&message::PART, "carrier_parts_pkey"),
            (&message::UPDATE, "messages_pkey"),
            (&message::UPDATE_HANDED_OVER, "messages_pkey"),
            (&message::DELETE, "messages_pkey"),
            (&message::QUEUE_LEAVE, "message_queue_pkey"),
            (&message::QUEUE_LEAVE_CLAIMED, "message_queue_pkey"),
            (&message::QUEUE_LEAVE_ANY, "message_queue_pkey"),
            (&message::PART_INSERT, "Insert on carrier_parts"),
            (&message::PART_RECEIPT, "carrier_parts_pkey"),
            (&message::PARTS_FORGET, "carrier_parts_message"),
            (&incoming::GET, "incomings_pkey"),
            (&block::IS_BLOCKED, "blocked_numbers_number"),
            (&contact::BY_PHONE, "contacts_phone"),
            (&contact::INSERT, "contact_groups_pkey"),
            (&contact::KEEP, "contacts_pkey"),
            (&user::VIEW, "users_pkey"),
            (&user::BY_UUID, "users_uuid"),
            (&user_group::OF_USER, "user_group_members_user"),
            (&tenant::JOURNAL_INSERT, "tenant_state_pkey"),
            (&tenant::JOURNAL_INSERT_OF_USER_GROUP, "user_groups_pkey"),
            (&webhook::DELIVERY_INSERT, "Insert on webhook_deliveries"),
            (&balance::PRICE_INSERT, "price_table_pkey"),
        ] {
            let prepared = client.prepare(statement.postgres()).await.unwrap();
            let steps = plan(&client, &many::statement(statement.postgres(), prepared.params())).await;
            let wrong = ["Seq Scan", "Hash Join"];
            let is_right = !steps.iter().any(|step| wrong.iter().any(|wrong| step.contains(wrong)));
            assert!(is_right && steps.iter().any(|step| step.contains(index)), "{index}:\n{steps:#?}");
        }
    }
}
