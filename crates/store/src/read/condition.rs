//! Conditions of written statements: a predicate over a table, with every value a parameter.

use muster_domain::TenantId;
use muster_domain::predicate::{Match, Order, Predicate};
use muster_domain::text;
use uuid::Uuid;

use super::selection::Table;
use crate::value::Value;

pub(super) const ALWAYS: &str = "1 = 1";
pub(super) const NEVER: &str = "1 = 0";

/// Where the texts of a column stand.
pub(super) enum Column {
    /// In a column that always has a value.
    Filled(&'static str),
    /// In a column that may have none.
    Sparse(&'static str),
    /// In a column that may have none, with an index of the keys in another.
    Keyed {
        column: &'static str,
        key: &'static str,
    },
    /// In a column, as a UUID.
    Uuid(&'static str),
    Emails,
    Members,
}

/// The values of a statement that is being written; $1 is the tenant.
pub(super) struct Sql {
    pub(super) values: Vec<Value<'static>>,
    /// Whether a part of an `or` is being written.
    is_in_any: bool,
}

impl Sql {
    pub(super) fn new(tenant: TenantId) -> Self {
        Self { values: vec![tenant.0.into()], is_in_any: false }
    }

    /// The parameter for a value.
    pub(super) fn bind(&mut self, value: impl Into<Value<'static>>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// A condition that is true or false, and never neither.
    pub(super) fn condition(&mut self, table: &Table, predicate: &Predicate) -> String {
        match predicate {
            Predicate::All(all) => self.joined(table, all, None),
            Predicate::Any(any) => self.joined(table, any, Some(table.exists)),
            // The index of these rows says it so; beside other ways to find rows, SQLite's planner fails over it.
            Predicate::Not(predicate) if **predicate == Predicate::Active && !self.is_in_any => {
                table.inactive.to_owned()
            }
            Predicate::Not(predicate) => format!("NOT ({})", self.condition(table, predicate)),
            Predicate::Text(column, how, with) => match (table.text)(*column) {
                None => NEVER.to_owned(),
                Some(column) => self.text(&column, *how, with),
            },
            Predicate::Present(column) => match (table.text)(*column) {
                None => NEVER.to_owned(),
                Some(Column::Uuid(_)) => ALWAYS.to_owned(),
                Some(Column::Filled(column)) => format!("{column} <> ''"),
                Some(Column::Sparse(column) | Column::Keyed { column, .. }) => {
                    format!("({column} IS NOT NULL AND {column} <> '')")
                }
                Some(Column::Emails) => email("<> ''"),
                Some(Column::Members) => "g.members > 0".to_owned(),
            },
            Predicate::Active => table.active.to_owned(),
            Predicate::Modified(order, at) => {
                format!("{} {} {}", table.modified, operator(*order), self.bind(at.0))
            }
        }
    }

    /// All of the parts, or any of them, each with what holds for every row that is wanted: an index of these rows alone
    /// is one for a part only if the part says so.
    fn joined(&mut self, table: &Table, parts: &[Predicate], any_of: Option<&str>) -> String {
        let (word, none) = if any_of.is_some() { (" OR ", NEVER) } else { (" AND ", ALWAYS) };
        if parts.is_empty() {
            return none.to_owned();
        }
        let was_in_any = self.is_in_any;
        self.is_in_any = was_in_any || any_of.is_some();
        let part = |part| {
            let condition = self.condition(table, part);
            any_of.map_or(condition.clone(), |exists| format!("({exists} AND {condition})"))
        };
        let parts: Vec<String> = parts.iter().map(part).collect();
        self.is_in_any = was_in_any;
        format!("({})", parts.join(word))
    }

    fn text(&mut self, column: &Column, how: Match, with: &str) -> String {
        let is_equal = how == Match::Is(Order::Equal);
        match column {
            Column::Filled(column) => self.compared(column, how, with),
            Column::Keyed { column, key } if is_equal => {
                let (is_key, is_it) = (self.bind(text::key(with)), self.compared(column, how, with));
                format!("({key} IS NOT NULL AND {key} = {is_key} AND {is_it})")
            }
            Column::Sparse(column) | Column::Keyed { column, .. } => {
                format!("({column} IS NOT NULL AND {})", self.compared(column, how, with))
            }
            Column::Uuid(column) if is_equal => match exactly(with) {
                Some(id) => format!("{column} = {}", self.bind(id)),
                None => NEVER.to_owned(),
            },
            Column::Uuid(column) => self.compared(&written(column), how, with),
            // Both are found by an index, if there is one for the comparison at all, and looked at once if there is none.
            Column::Emails => {
                let (own, login) =
                    (self.compared("e.email_key", how, with), self.compared("s.login_key", how, with));
                format!(
                    "u.id IN (SELECT e.user_id FROM user_emails e WHERE e.tenant_id = $1 AND {own}
                         UNION ALL SELECT s.id FROM users s WHERE s.tenant_id = $1 AND {login}
                             AND s.login_is_email = 1 AND s.status <> 3)"
                )
            }
            Column::Members if is_equal => match exactly(with) {
                Some(id) => format!(
                    "g.id IN (SELECT m.group_id FROM users w
                         JOIN user_group_members m ON m.user_id = w.id AND m.tenant_id = w.tenant_id
                         WHERE w.tenant_id = $1 AND w.uuid = {})",
                    self.bind(id)
                ),
                None => NEVER.to_owned(),
            },
            Column::Members => format!(
                "EXISTS (SELECT 1 FROM user_group_members m
                     JOIN users w ON w.tenant_id = m.tenant_id AND w.id = m.user_id
                     WHERE m.tenant_id = $1 AND m.group_id = g.id AND {})",
                self.compared(&written("w.uuid"), how, with)
            ),
        }
    }

    /// A comparison with an expression that has a value. No pattern is made of what is compared with: what `LIKE` takes
    /// for equal differs between stores.
    fn compared(&mut self, value: &str, how: Match, with: &str) -> String {
        let text = with;
        let with = self.bind(text.to_owned());
        match how {
            Match::Is(order) => format!("{value} {} {with}", operator(order)),
            Match::Contains => format!("INSTR({value}, {with}) > 0"),
            Match::StartsWith => match after_all_with(text) {
                Some(end) => format!("({value} >= {with} AND {value} < {})", self.bind(end)),
                None => format!("{value} >= {with}"),
            },
            Match::EndsWith => format!(
                "(LENGTH({value}) >= LENGTH({with})
                  AND SUBSTR({value}, LENGTH({value}) - LENGTH({with}) + 1) = {with})"
            ),
        }
    }
}

const fn operator(order: Order) -> &'static str {
    match order {
        Order::Equal => "=",
        Order::Greater => ">",
        Order::GreaterOrEqual => ">=",
        Order::Less => "<",
        Order::LessOrEqual => "<=",
    }
}

fn exists_email(condition: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM user_emails e WHERE e.tenant_id = $1 AND e.user_id = u.id AND {condition})"
    )
}

fn email(condition: &str) -> String {
    format!("({} OR u.login_is_email = 1)", exists_email(&format!("e.email_key {condition}")))
}

/// The least text that is greater than all that start with this one, if there is any: texts are in the order of their
/// characters.
fn after_all_with(start: &str) -> Option<String> {
    let mut characters: Vec<char> = start.chars().collect();
    while let Some(last) = characters.pop() {
        // Between those of UTF-16's halves there is no character.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// The id that is written exactly so.
fn exactly(text: &str) -> Option<Uuid> {
    let id: Uuid = text.parse().ok()?;
    (id.to_string() == text).then_some(id)
}

/// A UUID in its usual form.
fn written(column: &str) -> String {
    let hex = format!("LOWER(HEX({column}))");
    let part = |from: u8, length: u8| format!("SUBSTR({hex}, {from}, {length})");
    let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)];
    format!("({})", parts.join(" || '-' || "))
}
