//! The plan of every statement is looked at: none may read a whole table.

use muster_domain::Timestamp;
use muster_domain::secret::ServerKey;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{connect, migrate};
use crate::statements::{Statement, org_unit, session, tenant, user};

/// Every list of statements, with the name of its module.
const LISTS: [(&str, &[(&str, &Statement)]); 4] = [
    ("org_unit", org_unit::ALL),
    ("session", session::ALL),
    ("tenant", tenant::ALL),
    ("user", user::ALL),
];

/// Three tenants of one size, each with units of which every tenth is archived, four to a parent, and
/// with a user and two tokens for each unit: what a planner that knows statistics sees in real life.
const ROWS: &str = "
    WITH RECURSIVE t (id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM t WHERE id < 3)
    INSERT INTO tenants SELECT id, randomblob(16), 'n', 'US', 'EUR', 1, id * 10000, 1, 0, 0 FROM t;
    INSERT INTO tenant_state SELECT id, 0, 1 FROM tenants;
    INSERT INTO id_blocks VALUES ('org_unit', 1), ('user', 1), ('tenant', 1), ('credential', 1);
    WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < 1500)
    INSERT INTO org_units (id, tenant_id, parent_id, status, name, name_key, timezone, version, created_at,
        modified_at)
    SELECT t.id * 10000 + n, t.id, CASE n WHEN 0 THEN NULL ELSE t.id * 10000 + (n - 1) / 4 END,
        1 + (n % 10 = 9), 'Unit ' || n, 'unit ' || n, 'UTC', 1, 0, 0 FROM tenants t, n;
    INSERT INTO users (id, tenant_id, uuid, org_unit_id, login, login_key, login_claimed, first_name, last_name,
        role, status, timezone, score_call, access_audio, group_access, report_access, version, created_at,
        modified_at)
    SELECT id, tenant_id, randomblob(16), id, name, 'login ' || id, 1, '', '', 1, 1, 'UTC', 0, 0, 0, 0, 1, 0, 0
    FROM org_units;
    INSERT INTO login_claims SELECT login_key, tenant_id, id FROM users;
    INSERT INTO session_tokens
    SELECT tenant_id, randomblob(32), kind, CAST(id AS BLOB), id, 0, 0, NULL
    FROM users, (SELECT 1 AS kind UNION ALL SELECT 2);
    INSERT INTO credentials
    SELECT id * 10 + n, id, 2, 'key', NULL, randomblob(32), NULL, 0, NULL, NULL, 0
    FROM tenants, (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3);
    INSERT INTO journal
    SELECT tenant_id, id % 10000 + 1, 0, 0, NULL, 0, 'unit.made', 'unit', id, 1, '{}' FROM org_units;
    ANALYZE;
";

/// A store as opening makes it.
fn migrated(folder: &TempDir) -> Connection {
    let mut connection = connect(&folder.path().join("muster.db"), true).unwrap();
    migrate::run(&mut connection, Timestamp(0), |_| Ok(ServerKey::new([7; 32]))).unwrap();
    connection
}

fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let unbound = rusqlite::params_from_iter(vec![None::<i64>; statement.parameter_count()]);
    statement.query_map(unbound, |row| row.get(3)).unwrap().map(Result::unwrap).collect()
}

/// Whether a step reads all of a table. What a recursion has found (`sub`), and rows that stand in the
/// statement itself, have to be read whole; an automatic index is one that is made of a whole table
/// for this one statement.
fn reads_whole_table(step: &str) -> bool {
    let scanned = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
    scanned.is_some_and(|table| !matches!(table, "sub" | "CONSTANT")) || step.contains("AUTOMATIC")
}

fn whole_reads(connection: &Connection) -> Vec<String> {
    let statements = LISTS.iter().flat_map(|(module, list)| list.iter().map(move |entry| (module, entry)));
    statements
        .flat_map(|(module, (name, statement))| {
            let steps = plan(connection, statement.sqlite()).into_iter();
            steps.filter(|step| reads_whole_table(step)).map(move |step| format!("{module}::{name}: {step}"))
        })
        .collect()
}

#[test]
fn no_statement_reads_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(whole_reads(&migrated(&folder)), Vec::<String>::new());
}

#[test]
fn no_statement_reads_a_whole_table_when_the_planner_knows_statistics() {
    let folder = tempfile::tempdir().unwrap();
    let connection = migrated(&folder);
    connection.execute_batch(ROWS).unwrap();
    // The planner takes statistics into account that were there when the connection was opened.
    drop(connection);
    let connection = connect(&folder.path().join("muster.db"), true).unwrap();
    assert_eq!(whole_reads(&connection), Vec::<String>::new());
}

#[test]
fn lists_are_read_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let connection = migrated(&folder);
    for sorted in [&org_unit::CHILDREN, &tenant::LIST, &tenant::JOURNAL_LIST, &tenant::CREDENTIALS] {
        let steps = plan(&connection, sorted.sqlite());
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
    }
}

#[test]
fn a_whole_read_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let connection = migrated(&folder);
    let noticed = |sql| plan(&connection, sql).iter().any(|step| reads_whole_table(step));
    assert!(noticed("SELECT * FROM users WHERE first_name = ?1"));
    assert!(noticed("SELECT * FROM org_units o WHERE o.status = 1 ORDER BY o.id"));
    assert!(noticed("SELECT COUNT(*) FROM tenants"));
    assert!(!noticed("SELECT * FROM users WHERE tenant_id = ?1 AND id = ?2"));
}
#[test]
fn zz_print() {
    let raw = |c: &Connection, sql: &str, bind: i32| -> Vec<String> {
        let mut st = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        for i in 1..=st.parameter_count() {
            match bind { 1 => st.raw_bind_parameter(i, None::<i64>).unwrap(), 2 => st.raw_bind_parameter(i, [1_i64, 10000, 1, 2, 0, 100, 0].get(i - 1).copied().unwrap_or(1)).unwrap(), _ => {} }
        }
        let mut rows = st.raw_query();
        let mut out = Vec::new();
        while let Some(r) = rows.next().unwrap() { out.push(r.get(3).unwrap()); }
        out
    };
    for stats in ["none", "ANALYZE", "PRAGMA optimize(0x10002)"] {
        let folder = tempfile::tempdir().unwrap();
        let connection = migrated(&folder);
        if stats != "none" { connection.execute_batch(&ROWS.replace("ANALYZE;", "")).unwrap(); connection.execute_batch(stats).unwrap(); }
        drop(connection);
        let connection = connect(&folder.path().join("muster.db"), true).unwrap();
        if stats != "none" {
            let n: i64 = connection.query_row("select count(*) from sqlite_stat1", [], |r| r.get(0)).unwrap();
            let n4: i64 = connection.query_row("select count(*) from sqlite_master where name='sqlite_stat4'", [], |r| r.get(0)).unwrap();
            println!("=  stat1 rows {n} stat4 table {n4}");
        }
        for bind in [0, 1, 2] {
            for (m, n, s) in [("s", "FAMILY_DELETE", &session::FAMILY_DELETE), ("s", "USER_DELETE", &session::USER_DELETE), ("s", "ACCESS_RETIRE", &session::ACCESS_RETIRE), ("o", "IDS", &org_unit::SUBTREE_IDS), ("o", "TREE", &org_unit::TREE), ("o", "CHILDREN", &org_unit::CHILDREN), ("o", "SUBTREE", &org_unit::SUBTREE)] {
                println!("=  {stats} bind{bind} {m}::{n}: {}", raw(&connection, s.sqlite(), bind).join(" | "));
            }
        }
    }
}
