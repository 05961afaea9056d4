//! The plans of statements that are written for predicates.

use muster_domain::secret::hex;
use tokio_postgres::Client;

use super::plan_tests::{ROWS, STATISTICS, migrated};
use crate::read::Written;
use crate::read::plan_cases::{Case, lists, lookups};
use crate::value::Value;

/// The plan for the values of a statement, as it is made when the statement is run.
async fn plan(client: &Client, written: &Written) -> Vec<String> {
    let values: Vec<String> = written.values.iter().map(literal).collect();
    let mut text = written.postgres();
    // The greatest numbers first, since some begin like others.
    for (n, value) in values.iter().enumerate().rev() {
        text = text.replace(&format!("${}", n + 1), value);
    }
    let rows = client.query(&format!("EXPLAIN (COSTS OFF) {text}"), &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

fn literal(value: &Value<'_>) -> String {
    let bytes = |bytes: &[u8]| format!("CAST('\\x{}' AS BYTEA)", hex(bytes));
    match value {
        Value::Integer(Some(number)) => format!("CAST({number} AS BIGINT)"),
        Value::Text(Some(text)) => format!("'{text}'"),
        Value::Bytes(Some(value)) => bytes(value),
        Value::Uuid(Some(uuid)) => bytes(uuid.as_bytes()),
        _ => "NULL".to_owned(),
    }
}

async fn goes_by_its_indexes(client: &Client, case: &Case) -> Vec<String> {
    let steps = plan(client, &case.written).await;
    for name in &case.by {
        assert!(steps.iter().any(|step| step.contains(name)), "{}: {name}: {steps:#?}", case.name);
    }
    let whole = steps.iter().any(|step| step.contains("Seq Scan on"));
    assert!(!whole, "{}: {steps:#?}", case.name);
    steps
}

#[tokio::test]
async fn what_is_looked_up_is_found_by_an_index() {
    let client = migrated("lookups").await;
    client.batch_execute(ROWS).await.unwrap();
    client.batch_execute(STATISTICS).await.unwrap();
    for case in lookups() {
        goes_by_its_indexes(&client, &case).await;
    }
}

#[tokio::test]
async fn lists_are_read_in_the_order_of_an_index() {
    let client = migrated("selected").await;
    client.batch_execute(ROWS).await.unwrap();
    client.batch_execute(STATISTICS).await.unwrap();
    for case in lists() {
        let steps = goes_by_its_indexes(&client, &case).await;
        // The page is put in its order; below it an incremental sort does that with those that are alike in the index.
        let sorts = |step: &&String| step.trim_start_matches([' ', '-', '>']) == "Sort";
        assert!(steps.iter().filter(sorts).count() <= 1, "{}: {steps:#?}", case.name);
    }
}
