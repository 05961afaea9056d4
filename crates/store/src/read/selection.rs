//! Predicates as SQL. The statements are as many as there are predicates, so that they are written when they are needed;
//! every value is a parameter.

use std::fmt::Write as _;

use muster_domain::predicate::{
    Among, Match, Order, Place, Predicate, Selection, Sort, SortColumn, SortKey, Start, TextColumn,
};
use muster_domain::{TenantId, UserGroupId, UserId};
use uuid::Uuid;

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
    created: &'static str,
    id: &'static str,
    text: fn(TextColumn) -> Option<Column>,
    active: &'static str,
    modified: &'static str,
}

/// Where the texts of a column stand.
enum Column {
    /// In a column that always has a value.
    Filled(&'static str),
    /// In a column that may have none.
    Sparse(&'static str),
    /// In a column, as a UUID.
    Uuid(&'static str),
    Emails,
    Members,
}

pub(super) static USERS: Table = Table {
    columns: user::columns!(),
    from: "users u",
    exists: "u.tenant_id = $1 AND u.status <> 3",
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
    modified: "u.modified_at",
};

pub(super) static GROUPS: Table = Table {
    columns: user_group::columns!(),
    from: "user_groups g",
    exists: "g.tenant_id = $1 AND g.deleted = 0",
    created: "g.created_at",
    id: "g.id",
    text: |column| match column {
        TextColumn::Id => Some(Column::Uuid("g.id")),
        TextColumn::DisplayName => Some(Column::Filled("g.name_key")),
        TextColumn::ExternalId => Some(Column::Sparse("g.external_id")),
        TextColumn::Member => Some(Column::Members),
        TextColumn::Login | TextColumn::Email => None,
    },
    active: NEVER,
    modified: "g.modified_at",
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
        let Self { columns, from, exists, created, id, .. } = self;
        let mut text = format!("SELECT {columns} FROM {from} WHERE {exists} AND {condition}");
        let offset = match &wanted.start {
            Start::Offset(offset) => i64::try_from(*offset).unwrap_or(i64::MAX),
            Start::At(place) => {
                let _ = write!(text, " AND {}", self.beyond(&mut sql, wanted.sort, place));
                0
            }
        };
        let (limit, offset) = (sql.bind(wanted.limit), sql.bind(offset));
        let _ = write!(
            text,
            " ORDER BY {}{created}, {id} LIMIT {limit} OFFSET {offset}",
            self.order(wanted.sort)
        );
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
        match self.sorted_by(sort.by) {
            // What comes last in every order.
            Some(_) if sort == Sort::CREATED => String::new(),
            Some(Column::Filled(column)) => format!("{column}{descending}, "),
            Some(Column::Sparse(column)) => {
                format!("CASE WHEN {column} IS NULL THEN 1 ELSE 0 END{descending}, {column}{descending}, ")
            }
            _ => String::new(),
        }
    }

    fn sorted_by(&self, column: SortColumn) -> Option<Column> {
        match column {
            SortColumn::Created => Some(Column::Filled(self.created)),
            SortColumn::Modified => Some(Column::Filled(self.modified)),
            SortColumn::Login => (self.text)(TextColumn::Login),
            SortColumn::DisplayName => (self.text)(TextColumn::DisplayName),
        }
    }

    /// A condition for the rows beyond a place. Its first part is one that an index knows.
    fn beyond<I: Id>(&self, sql: &mut Sql, sort: Sort, place: &Place<I>) -> String {
        let among = |sql: &mut Sql| match place.among {
            Among::First => ALWAYS.to_owned(),
            Among::Last => NEVER.to_owned(),
            Among::After(at, id) => {
                let (at, after) = (sql.bind(at.0), sql.bind(id.value()));
                format!("({}, {}) > ({at}, {after})", self.created, self.id)
            }
        };
        // The tie says it all, in the words of the index.
        if sort == Sort::CREATED
            && let Among::After(at, _) = place.among
            && place.key == Some(SortKey::Time(at))
        {
            return among(sql);
        }
        let (column, is_sparse) = match self.sorted_by(sort.by) {
            Some(Column::Filled(column)) => (Some(column), false),
            Some(Column::Sparse(column)) => (Some(column), true),
            _ => (None, true),
        };
        // Rows without a value come last, or first if descending.
        match (column, &place.key) {
            (None, None) => among(sql),
            (None, Some(_)) => if sort.descending { NEVER } else { ALWAYS }.to_owned(),
            (Some(_), None) if !is_sparse => if sort.descending { ALWAYS } else { NEVER }.to_owned(),
            (Some(column), None) if sort.descending => format!("({column} IS NOT NULL OR {})", among(sql)),
            (Some(column), None) => format!("({column} IS NULL AND {})", among(sql)),
            (Some(column), Some(key)) => {
                let key = match key {
                    SortKey::Time(at) => sql.bind(at.0),
                    SortKey::Text(text) => sql.bind(text.clone()),
                };
                let order = if sort.descending { '<' } else { '>' };
                let among = among(sql);
                let beyond = format!("({column} {order}= {key} AND ({column} {order} {key} OR {among}))");
                let none_follow = is_sparse && !sort.descending;
                if none_follow { format!("({column} IS NULL OR {beyond})") } else { beyond }
            }
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
            Predicate::All(all) => self.joined(table, all, " AND ", ALWAYS),
            Predicate::Any(any) => self.joined(table, any, " OR ", NEVER),
            Predicate::Not(predicate) => format!("NOT ({})", self.condition(table, predicate)),
            Predicate::Text(column, how, with) => match (table.text)(*column) {
                None => NEVER.to_owned(),
                Some(column) => self.text(&column, *how, with),
            },
            Predicate::Present(column) => match (table.text)(*column) {
                None => NEVER.to_owned(),
                Some(Column::Uuid(_)) => ALWAYS.to_owned(),
                Some(Column::Filled(column)) => format!("{column} <> ''"),
                Some(Column::Sparse(column)) => format!("({column} IS NOT NULL AND {column} <> '')"),
                Some(Column::Emails) => email("<> ''"),
                Some(Column::Members) => "g.members > 0".to_owned(),
            },
            Predicate::Active => table.active.to_owned(),
            Predicate::Modified(order, at) => {
                format!("{} {} {}", table.modified, operator(*order), self.bind(at.0))
            }
        }
    }

    fn joined(&mut self, table: &Table, parts: &[Predicate], word: &str, none: &str) -> String {
        if parts.is_empty() {
            return none.to_owned();
        }
        let parts: Vec<String> = parts.iter().map(|part| self.condition(table, part)).collect();
        format!("({})", parts.join(word))
    }

    fn text(&mut self, column: &Column, how: Match, with: &str) -> String {
        let is_equal = how == Match::Is(Order::Equal);
        match column {
            Column::Filled(column) => self.compared(column, how, with),
            Column::Sparse(column) => {
                format!("({column} IS NOT NULL AND {})", self.compared(column, how, with))
            }
            Column::Uuid(column) if is_equal => match exactly(with) {
                Some(id) => format!("{column} = {}", self.bind(id)),
                None => NEVER.to_owned(),
            },
            Column::Uuid(column) => self.compared(&written(column), how, with),
            Column::Emails if is_equal => {
                let with = self.bind(with.to_owned());
                format!(
                    "u.id IN (SELECT e.user_id FROM user_emails e WHERE e.tenant_id = $1 AND e.email_key = {with}
                         UNION ALL SELECT s.id FROM users s WHERE s.tenant_id = $1 AND s.login_key = {with}
                             AND s.login_is_email = 1 AND s.status <> 3)"
                )
            }
            Column::Emails => {
                let (own, login) =
                    (self.compared("e.email_key", how, with), self.compared("u.login_key", how, with));
                format!("({} OR (u.login_is_email = 1 AND {login}))", exists_email(&own))
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
        let with = self.bind(with.to_owned());
        match how {
            Match::Is(order) => format!("{value} {} {with}", operator(order)),
            Match::Contains => format!("INSTR({value}, {with}) > 0"),
            // The first part is one that an index knows.
            Match::StartsWith => {
                format!("({value} >= {with} AND SUBSTR({value}, 1, LENGTH({with})) = {with})")
            }
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
    /// The text for PostgreSQL, where some functions have other names, and texts an order of their own unless they are
    /// told another.
    pub(crate) fn postgres(&self) -> String {
        let mut text = self.text.replace("INSTR(", "STRPOS(");
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
