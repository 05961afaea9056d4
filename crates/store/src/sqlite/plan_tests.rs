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
#[expect(clippy::disallowed_methods, reason = "scratch")]
fn zz_print() {
    let raw = |c: &Connection, sql: &str| -> Vec<String> {
        let mut st = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = st.raw_query();
        let mut out = Vec::new();
        while let Some(r) = rows.next().unwrap() { out.push(r.get(3).unwrap()); }
        out
    };
    for stats in ["none", "PRAGMA optimize(0x10002)", "ANALYZE", "PRAGMA optimize"] {
        let folder = tempfile::tempdir().unwrap();
        let connection = migrated(&folder);
        connection.execute_batch(&ROWS.replace("ANALYZE;", "")).unwrap();
        connection.query_row("SELECT count(*) from users where tenant_id=1 and login_key='x'", [], |r| r.get::<_, i64>(0)).unwrap();
        if stats != "none" { connection.execute_batch(stats).unwrap(); }
        let n4: i64 = connection.query_row("select count(*) from sqlite_stat4", [], |r| r.get(0)).unwrap_or(-1);
        drop(connection);
        let connection = connect(&folder.path().join("muster.db"), true).unwrap();
        for (n, s) in [("unit GET", &org_unit::GET), ("PARENT", &org_unit::PARENT), ("children_count", &org_unit::CHILDREN_COUNT)] {
            let t = std::time::Instant::now();
            for i in 0..2000_i64 {
                let mut st = connection.prepare_cached(s.sqlite()).unwrap();
                for p in 1..=st.parameter_count() { st.raw_bind_parameter(p, [1, 10000 + i % 1000, 1, 2, 0][p - 1]).unwrap(); }
                let mut rows = st.raw_query();
                let _ = rows.next().unwrap().is_some();
            }
            println!("=  {stats} stat4 rows {n4} {n}: {:?} each", t.elapsed() / 2000);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let connection = migrated(&folder);
    connection.execute_batch("ANALYZE;
      INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
      ('session_tokens', 'session_tokens', '1000000 10000 1'),
      ('session_tokens', 'session_tokens_family', '1000000 10000 4 1'),
      ('session_tokens', 'session_tokens_user', '1000000 10000 10 1'),
      ('org_units', 'org_units_parent', '1000000 10 10 9'),
      ('org_units', 'org_units_children', '1000000 10000 10 1 1 1'),
      ('org_units', 'org_units_sibling_name', '900000 9000 10 1'),
      ('org_units', 'org_units_top', '100 1'),
      ('users', 'users_org_unit', '1000000 10 10 9'),
      ('users', 'users_uuid', '1000000 10000 1'),
      ('users', 'users_login', '1000000 10000 1'),
      ('credentials', 'credentials_tenant', '300 3 1'),
      ('credentials', 'credentials_secret', '300 3 2 1'),
      ('journal', 'journal', '10000000 100000 1');").unwrap();
    drop(connection);
    let connection = connect(&folder.path().join("muster.db"), true).unwrap();
    for (m, l) in LISTS { for (n, s) in l { println!("=  seeded {m}::{n}: {}", raw(&connection, s.sqlite()).join(" | ")); } }
}
