//! The list of tables, held against the schemas of both stores: one that is not in it would not be copied.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::TABLES;
use crate::sqlite::make_tables;

/// What each store writes for itself.
const OWN: [&str; 2] = ["migrations", "server_key"];

/// Tables, columns and their types as the list has them; `types` are the store's words.
fn listed([integer, text, bytes]: [&str; 3]) -> BTreeSet<String> {
    let columns = TABLES.iter().flat_map(|table| {
        let of_type = |columns: &'static [&str], kind: &str| {
            columns.iter().map(|column| format!("{}.{column} {kind}", table.name)).collect::<Vec<_>>()
        };
        [of_type(table.integers, integer), of_type(table.texts, text), of_type(table.bytes, bytes)].concat()
    });
    columns.collect()
}

fn without_own(found: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let is_own = |column: &String| OWN.iter().any(|own| column.starts_with(&format!("{own}.")));
    found.into_iter().filter(|column| !is_own(column)).collect()
}

/// The columns that tell rows apart are in the key by which rows are copied, so no two rows have the same.
fn has_keys(primary: impl IntoIterator<Item = String>) {
    let keys: BTreeSet<String> = TABLES
        .iter()
        .flat_map(|table| table.key.iter().map(|column| format!("{}.{column}", table.name)))
        .collect();
    let outside: Vec<String> = without_own(primary).difference(&keys).cloned().collect();
    assert_eq!(outside, Vec::<String>::new());
}

#[test]
fn the_list_has_all_columns_of_a_file() {
    let connection = Connection::open_in_memory().unwrap();
    make_tables(&connection).unwrap();
    let texts = |query: &str| -> Vec<String> {
        let mut statement = connection.prepare(query).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let from = "FROM sqlite_schema t, pragma_table_info(t.name) c
                WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
    let found = texts(&format!("SELECT t.name || '.' || c.name || ' ' || c.type {from}"));
    assert_eq!(without_own(found), listed(["INTEGER", "TEXT", "BLOB"]));
    has_keys(texts(&format!("SELECT t.name || '.' || c.name {from} AND c.pk > 0")));
}

#[tokio::test]
async fn the_list_has_all_columns_of_a_database() {
    let client = crate::postgres::plan_tests::migrated("list").await;
    let texts = async |query: &str| -> Vec<String> {
        client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    };
    let columns =
        "SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
                   WHERE table_schema = current_schema";
    let found = texts(columns).await;
    let primary = "SELECT c.relname || '.' || a.attname FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
                   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (x.indkey)
                   WHERE x.indisprimary AND c.relnamespace = CAST(current_schema AS regnamespace)";
    let primary = texts(primary).await;
    assert_eq!(without_own(found), listed(["bigint", "text", "bytea"]));
    has_keys(primary);
}
