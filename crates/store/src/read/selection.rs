//! Predicates as SQL. The statements are as many as there are predicates, so that they are written when they are needed;
//! every value is a parameter.

use std::fmt::Write as _;

use muster_domain::predicate::{Match, Order, Predicate, Selection, Sort, SortColumn, Start, TextColumn};
use muster_domain::tenant::TenantCounts;
use muster_domain::{TenantId, UserGroupId, UserId, text};
use uuid::Uuid;

use super::selected::Kept;
use crate::statements::{user, user_group};
use crate::value::Value;

/// A statement for one use.
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) values: Vec<Value<'static>>,
}

/// A table of which rows are selected.
pub(super) struct Table {
    columns: &'static str,
    from: &'static str,
    /// Of rows that are there at all.
    exists: &'static str,
    /// Of the row whose id is that of `w`.
    by_id: &'static str,
    created: &'static str,
    id: &'static str,
    text: fn(TextColumn) -> Option<Column>,
    active: &'static str,
    inactive: &'static str,
    modified: &'static str,
    /// What is kept of how many there are.
    pub(super) kept: fn(&TenantCounts) -> Kept,
}

/// Where the texts of a column stand.
enum Column {
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

pub(super) static USERS: Table = Table {
    columns: user::columns!(),
    from: "users u",
    exists: "u.tenant_id = $1 AND u.status <> 3",
    by_id: "u.tenant_id = $1 AND u.id = w.id",
    created: "u.created_at",
    id: "u.id",
    text: |column| match column {
        TextColumn::Id => Some(Column::Uuid("u.uuid")),
        TextColumn::Login => Some(Column::Filled("u.login_key")),
        TextColumn::DisplayName => Some(Column::Sparse("u.display_name_key")),
        TextColumn::ExternalId => Some(Column::Sparse("u.external_id")),
        TextColumn::Email => Some(Column::Emails),
        TextColumn::Member => None,
    },
    active: "u.status = 1",
    inactive: "u.status = 2",
    modified: "u.modified_at",
    kept: Kept::of_users,
};

pub(super) static GROUPS: Table = Table {
    columns: user_group::columns!(),
    from: "user_groups g",
    exists: "g.tenant_id = $1 AND g.deleted = 0",
    by_id: "g.tenant_id = $1 AND g.id = w.id",
    created: "g.created_at",
    id: "g.id",
    text: |column| match column {
        TextColumn::Id => Some(Column::Uuid("g.id")),
        TextColumn::DisplayName => Some(Column::Filled("g.name_key")),
        TextColumn::ExternalId => Some(Column::Keyed { column: "g.external_id", key: "g.external_id_key" }),
        TextColumn::Member => Some(Column::Members),
        TextColumn::Login | TextColumn::Email => None,
    },
    active: NEVER,
    inactive: ALWAYS,
    modified: "g.modified_at",
    kept: Kept::of_groups,
};

const ALWAYS: &str = "1 = 1";
const NEVER: &str = "1 = 0";

/// The id of a row as it is bound.
pub(super) trait Id: Copy {
    fn value(self) -> Value<'static>;
}

impl Id for UserId {
    fn value(self) -> Value<'static> {
        self.0.into()
    }
}

impl Id for UserGroupId {
    fn value(self) -> Value<'static> {
        self.0.into()
    }
}

impl Table {
    /// The rows of a page.
    pub(super) fn page<I: Id>(&self, tenant: TenantId, wanted: &Selection<I>) -> Written {
        let mut sql = Sql::new(tenant);
        let condition = sql.condition(self, &wanted.predicate);
        let Self { columns, from, exists, created, id, by_id, .. } = self;
        let mut text = format!("SELECT {id} AS id FROM {from} WHERE {exists} AND {condition}");
        let offset = match wanted.start {
            Start::Offset(offset) => i64::try_from(offset).unwrap_or(i64::MAX),
            Start::After(at, after) => {
                let (at, after) = (sql.bind(at.0), sql.bind(after.value()));
                let _ = write!(text, " AND ({created}, {id}) > ({at}, {after})");
                0
            }
        };
        let (limit, offset) = (sql.bind(wanted.limit), sql.bind(offset));
        // SQLite would rather read all in the order of the list than sort those that were changed lately; PostgreSQL knows
        // how many they are.
        let is_by_time = wanted.sort.by == SortColumn::Modified || !is_of_time(&wanted.predicate);
        let hint = if is_by_time { "" } else { "+" };
        let order = format!("{}{created}, {id}", self.order(wanted.sort));
        let _ = write!(text, " ORDER BY {hint}{order} LIMIT {limit} OFFSET {offset}");
        // What is passed over, or sorted and not wanted, is looked at in indexes only.
        let text =
            format!("SELECT {columns} FROM ({text}) w CROSS JOIN {from} WHERE {by_id} ORDER BY {order}");
        Written { text, values: sql.values }
    }

    /// How many rows there are.
    pub(super) fn count(&self, tenant: TenantId, predicate: &Predicate) -> Written {
        let mut sql = Sql::new(tenant);
        let condition = sql.condition(self, predicate);
        let text = format!("SELECT COUNT(*) FROM {} WHERE {} AND {condition}", self.from, self.exists);
        Written { text, values: sql.values }
    }

    fn order(&self, sort: Sort) -> String {
        let descending = if sort.descending { " DESC" } else { "" };
        let column = match sort.by {
            SortColumn::Created if sort.descending => return format!("{} DESC, ", self.created),
            SortColumn::Created => return String::new(),
            SortColumn::Modified => Some(Column::Filled(self.modified)),
            SortColumn::Login => (self.text)(TextColumn::Login),
            SortColumn::DisplayName => (self.text)(TextColumn::DisplayName),
        };
        match column {
            Some(Column::Filled(column)) => format!("{column}{descending}, "),
            Some(Column::Sparse(column)) => {
                // The order of PostgreSQL's indexes, so that it need not be told to it.
                let nulls = if sort.descending { "FIRST" } else { "LAST" };
                format!("{column}{descending} NULLS {nulls}, ")
            }
            _ => String::new(),
        }
    }
}

/// The values of a statement that is being written; $1 is the tenant.
struct Sql {
    values: Vec<Value<'static>>,
}

impl Sql {
    fn new(tenant: TenantId) -> Self {
        Self { values: vec![tenant.0.into()] }
    }

    /// The parameter for a value.
    fn bind(&mut self, value: impl Into<Value<'static>>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// A condition that is true or false, and never neither.
    fn condition(&mut self, table: &Table, predicate: &Predicate) -> String {
        match predicate {
            Predicate::All(all) => self.joined(table, all, None),
            Predicate::Any(any) => self.joined(table, any, Some(table.exists)),
            // The index of these rows says it so.
            Predicate::Not(predicate) if **predicate == Predicate::Active => table.inactive.to_owned(),
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
        let part = |part| {
            let condition = self.condition(table, part);
            any_of.map_or(condition.clone(), |exists| format!("({exists} AND {condition})"))
        };
        let parts: Vec<String> = parts.iter().map(part).collect();
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

/// Which users are in groups: user, group, name of the group.
pub(super) fn groups_of_users(tenant: TenantId, users: &[UserId]) -> Written {
    let mut sql = Sql::new(tenant);
    let ids: Vec<String> = users.iter().map(|user| sql.bind(user.0)).collect();
    let text = format!(
        "SELECT m.user_id, m.group_id, g.name FROM user_group_members m
             JOIN user_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted = 0
         WHERE m.tenant_id = $1 AND m.user_id IN ({}) ORDER BY m.user_id, m.since, m.group_id",
        ids.join(", ")
    );
    Written { text, values: sql.values }
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

/// Whether what is selected lies after or before a time of change.
fn is_of_time(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Modified(..) => true,
        Predicate::All(all) => all.iter().any(is_of_time),
        _ => false,
    }
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

impl Written {
    /// The text for PostgreSQL, where some functions have other names, a hint is none, and texts an order of their own unless they are
    /// told another.
    pub(crate) fn postgres(&self) -> String {
        let mut text = self.text.replace("INSTR(", "STRPOS(").replace("BY +", "BY ");
        for column in ["u.uuid", "g.id", "w.uuid"] {
            text =
                text.replace(&format!("HEX({column})"), &format!("(ENCODE({column}, 'hex') COLLATE \"C\")"));
        }
        text
    }

    /// The text for SQLite.
    pub(crate) fn sqlite(&self) -> String {
        self.text.replace('$', "?")
    }
}
