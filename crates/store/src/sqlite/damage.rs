//! What the doctor looks at before the rows: the file, its tables and indexes.

use rusqlite::{Connection, Result};

use super::schema;
use crate::Finding;

/// What is wrong, and whether there are all tables, so that their rows can be looked at.
pub(super) fn find(connection: &Connection) -> Result<(Vec<Finding>, bool)> {
    let texts = |pragma: &str, column: usize| -> Result<Vec<String>> {
        connection.prepare(pragma)?.query_map([], |row| row.get(column))?.collect()
    };
    // Pages, rows and indexes agree, and what rows refer to is there.
    let damage = texts("PRAGMA integrity_check(20)", 0)?.into_iter().filter(|line| line != "ok");
    let mut wrong: Vec<String> = damage.map(|what| format!("the file is damaged: {what}")).collect();
    let dangling = texts("PRAGMA foreign_key_check", 0)?.into_iter().take(20);
    wrong.extend(dangling.map(|table| format!("a row of {table} refers to what is not there")));
    // Tables and indexes are those of a new store.
    let differences = schema::differences(connection)?;
    let tables = !differences.iter().any(|difference| difference.is_table);
    wrong.extend(differences.into_iter().map(|difference| difference.what));
    let findings = wrong.into_iter().map(|what| Finding { tenant: None, what });
    Ok((findings.collect(), tables))
}
