//! The tables and indexes of a store, beside those of a new one.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result};

use super::migrate;

pub(super) struct Difference {
    pub(super) is_table: bool,
    /// A sentence.
    pub(super) what: String,
}

/// What is missing, and what is not as the migrations make it. What somebody has added is left to them.
pub(super) fn differences(connection: &Connection) -> Result<Vec<Difference>> {
    let new = Connection::open_in_memory()?;
    migrate::make_tables(&new)?;
    let found = parts(connection)?;
    let wrong = parts(&new)?.into_iter().filter_map(|((kind, name), sql)| {
        let what = match found.get(&(kind.clone(), name.clone())) {
            None => format!("the {kind} {name} is missing"),
            Some(other) if *other != sql => format!("the {kind} {name} is not as muster makes it"),
            Some(_) => return None,
        };
        Some(Difference { is_table: kind == "table", what })
    });
    Ok(wrong.collect())
}

/// What each part was made with, by its kind and name. Parts that come with a table have no text of their own.
fn parts(connection: &Connection) -> Result<BTreeMap<(String, String), String>> {
    let parts = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
    let mut statement = connection.prepare(parts)?;
    let parts = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    parts.collect()
}
