//! One statement that does for many rows of values what another does for one: sending it, planning it and beginning it
//! cost more than a row does.
//!
//! The rows are arrays, one for each parameter, and `$2` becomes a column of them. What a statement reads is read for each of
//! them as it stands (`LATERAL`), behind a fence (`OFFSET 0`): so each goes by the index that it would go by alone, where a
//! planner that takes a table for small would join all of it with the rows.

use std::fmt::Write as _;

use muster_domain::StoreError;
use tokio_postgres::types::Type;

use crate::value::Value;

/// The statement for many rows, whose parameters have these types in the one for one row. Of a `SELECT` each row that is
/// found has as its last column which row of values it is for, from 1.
///
/// A row of a table that two rows of values are about is written once by an `UPDATE`, and is an error of the statement for
/// `ON CONFLICT DO UPDATE`, which may name no parameter. Rows that are found for one row of values keep the order that the statement
/// gives them, as the rows of a nested loop do.
pub(super) fn statement(one: &str, types: &[Type]) -> String {
    let one = with_columns(one.trim());
    let rows = rows(types);
    match word(&one, 0) {
        "INSERT" => {
            let (into, rest) = split(&one, &["VALUES", "SELECT"]);
            let (inserted, tail) = split(rest, &["ON CONFLICT"]);
            format!("{into}SELECT made.* FROM {rows} CROSS JOIN LATERAL ({inserted} OFFSET 0) made {tail}")
        }
        "UPDATE" => {
            let (set, condition) = split(&one, &["WHERE"]);
            let table = word(set, 1);
            format!("{set}FROM {}", found(&rows, table, condition))
        }
        "DELETE" => {
            let (from, condition) = split(&one, &["WHERE"]);
            let table = word(from, 2);
            format!("{from}USING {}", found(&rows, table, condition))
        }
        _ => format!("SELECT found.*, n.place FROM {rows} CROSS JOIN LATERAL ({one} OFFSET 0) found"),
    }
}

fn word(text: &str, at: usize) -> &str {
    text.split_whitespace().nth(at).unwrap_or_default()
}

/// The rows of values, as `n`, each with where the row of the table is that it is about. The condition is looked at again there, in a
/// form that no index fits: somebody else may have written the row meanwhile.
fn found(rows: &str, table: &str, condition: &str) -> String {
    let is_so = condition.trim_start_matches("WHERE");
    format!(
        "(SELECT n.*, found.ctid AS found_at FROM {rows} CROSS JOIN LATERAL \
         (SELECT {table}.ctid FROM {table} {condition} OFFSET 0) found) n \
         WHERE {table}.ctid = n.found_at AND CASE WHEN{is_so} THEN 1 ELSE 0 END = 1"
    )
}

/// The rows of values, as `n`.
fn rows(types: &[Type]) -> String {
    let (mut arrays, mut names) = (String::new(), String::new());
    for (n, kind) in types.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(arrays, "{}${}::{}[]", if n == 0 { "" } else { ", " }, n + 1, kind.name());
        let _ = write!(names, "p{}, ", n + 1);
    }
    format!("UNNEST({arrays}) WITH ORDINALITY n ({names}place)")
}

/// With `n.p1` for `$1`.
fn with_columns(one: &str) -> String {
    let mut parts = one.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("n.p");
        text.push_str(part);
    }
    text
}

/// The text before and from the first of these words that stands outside of parentheses.
fn split<'a>(text: &'a str, words: &[&str]) -> (&'a str, &'a str) {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && words.iter().any(|word| text[at..].starts_with(word)) => {
                return text.split_at(at);
            }
            _ => {}
        }
    }
    (text, "")
}

/// The arrays for rows of values, all of which are of one length.
pub(super) fn columns(rows: &[Vec<Value<'_>>]) -> Result<Vec<Vec<Value<'static>>>, StoreError> {
    let width = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != width) {
        return Err(StoreError::Internal("rows of values are of several lengths".to_owned()));
    }
    Ok((0..width).map(|n| rows.iter().map(|row| row[n].to_owned()).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [Type; 2] = [Type::INT8, Type::TEXT];

    #[test]
    fn each_kind_of_statement_has_a_form_for_many_rows() {
        const ROWS: &str = "UNNEST($1::int8[], $2::text[]) WITH ORDINALITY n (p1, p2, place)";
        for (one, many) in [
            (
                "INSERT INTO t (a, b) VALUES ($1, (SELECT x FROM u WHERE y = $2)) ON CONFLICT (a) DO NOTHING",
                format!(
                    "INSERT INTO t (a, b) SELECT made.* FROM {ROWS} CROSS JOIN LATERAL \
                     (VALUES (n.p1, (SELECT x FROM u WHERE y = n.p2))  OFFSET 0) made ON CONFLICT (a) DO NOTHING"
                ),
            ),
            (
                "INSERT INTO t (a) SELECT u.x + $1 FROM u WHERE y = $2",
                format!(
                    "INSERT INTO t (a) SELECT made.* FROM {ROWS} CROSS JOIN LATERAL \
                     (SELECT u.x + n.p1 FROM u WHERE y = n.p2 OFFSET 0) made "
                ),
            ),
            (
                "UPDATE t SET a = (SELECT 1 FROM u WHERE x = $1) WHERE b = $2",
                format!(
                    "UPDATE t SET a = (SELECT 1 FROM u WHERE x = n.p1) FROM (SELECT n.*, found.ctid AS found_at FROM {ROWS} \
                     CROSS JOIN LATERAL (SELECT t.ctid FROM t WHERE b = n.p2 OFFSET 0) found) n WHERE t.ctid = n.found_at \
                     AND CASE WHEN b = n.p2 THEN 1 ELSE 0 END = 1"
                ),
            ),
            (
                "DELETE FROM t WHERE a = $1 AND b = $2",
                format!(
                    "DELETE FROM t USING (SELECT n.*, found.ctid AS found_at FROM {ROWS} CROSS JOIN LATERAL \
                     (SELECT t.ctid FROM t WHERE a = n.p1 AND b = n.p2 OFFSET 0) found) n WHERE t.ctid = n.found_at \
                     AND CASE WHEN a = n.p1 AND b = n.p2 THEN 1 ELSE 0 END = 1"
                ),
            ),
            (
                "SELECT a FROM t WHERE b = $1 AND c = $2",
                format!(
                    "SELECT found.*, n.place FROM {ROWS} CROSS JOIN LATERAL \
                     (SELECT a FROM t WHERE b = n.p1 AND c = n.p2 OFFSET 0) found"
                ),
            ),
        ] {
            assert_eq!(statement(one, &TYPES), many);
        }
    }

    #[test]
    fn arrays_have_the_values_of_a_column() {
        let rows = [vec![Value::from(1_i64), Value::from("a")], vec![Value::from(2_i64), Value::from("b")]];
        let columns = columns(&rows).unwrap();
        assert_eq!(
            format!("{columns:?}"),
            r#"[[Integer(Some(1)), Integer(Some(2))], [Text(Some("a")), Text(Some("b"))]]"#
        );
        assert!(super::columns(&[vec![], vec![Value::from(1_i64)]]).is_err());
    }
}
