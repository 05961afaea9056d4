//! Predicates as SQL. The statements are as many as there are predicates, so that they are written when they are needed;
//! every value is a parameter.

use std::fmt::Write as _;

use muster_domain::predicate::{
    Among, Place, Predicate, Selection, Sort, SortColumn, SortKey, Start, TextColumn,
};
use muster_domain::tenant::TenantCounts;
use muster_domain::{TenantId, UserGroupId, UserId};

use super::condition::{ALWAYS, Column, NEVER, Sql};
use super::selected::Kept;
use crate::statements::{org_unit, user, user_group};
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
    pub(super) exists: &'static str,
    /// Of the row whose id is that of `w`.
    by_id: &'static str,
    created: &'static str,
    id: &'static str,
    pub(super) text: fn(TextColumn) -> Option<Column>,
    pub(super) active: &'static str,
    pub(super) inactive: &'static str,
    pub(super) modified: &'static str,
    /// What is kept of how many there are.
    pub(super) kept: fn(&TenantCounts) -> Kept,
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
        let offset = match &wanted.start {
            Start::Offset(offset) => i64::try_from(*offset).unwrap_or(i64::MAX),
            Start::At(place) => {
                let _ = write!(text, " AND {}", self.beyond(&mut sql, wanted.sort, place));
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
        match self.sorted_by(sort.by) {
            // What comes last in every order.
            Some(_) if sort == Sort::CREATED => String::new(),
            Some(Column::Filled(column)) => format!("{column}{descending}, "),
            Some(Column::Sparse(column)) => {
                // The order of PostgreSQL's indexes, so that it need not be told to it.
                let nulls = if sort.descending { "FIRST" } else { "LAST" };
                format!("{column}{descending} NULLS {nulls}, ")
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
/// Whether what is selected lies after or before a time of change.
fn is_of_time(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Modified(..) => true,
        Predicate::All(all) => all.iter().any(is_of_time),
        _ => false,
    }
}

impl Written {
    /// The text for PostgreSQL, where some functions have other names, a hint is none, and texts an order of their own unless they are
    /// told another.
    pub(crate) fn postgres(&self) -> String {
        let mut text = self.text.replace("INSTR(", "STRPOS(").replace("BY +", "BY ");
        text = text.replace(org_unit::BELOW, org_unit::BELOW_IN_POSTGRES);
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
