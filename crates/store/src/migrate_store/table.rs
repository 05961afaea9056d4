//! One table of a store, for what copies its rows as they are.

use muster_domain::{StoreError, TenantId};

use crate::row::Row;
use crate::value::Value;

/// The columns of a row, in the order of [`Table::columns`].
pub(crate) type Cells = Vec<Value<'static>>;

/// A table. A column is nullable or not, and indexed or not, as the migrations say.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// What tells its rows apart and is their order, by which the stores agree; the tenant first, if there is one.
    pub(crate) key: &'static [&'static str],
    pub(crate) integers: &'static [&'static str],
    pub(crate) texts: &'static [&'static str],
    pub(crate) bytes: &'static [&'static str],
}

impl Table {
    /// The columns, those of a type together.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.integers.iter().chain(self.texts).chain(self.bytes).copied()
    }

    /// A row as it is.
    pub(crate) fn cells(&self, row: &dyn Row) -> Result<Cells, StoreError> {
        let (texts, bytes) = (self.integers.len(), self.integers.len() + self.texts.len());
        let cell = |at: usize| {
            Ok(if at < texts {
                Value::Integer(row.integer(at)?)
            } else if at < bytes {
                Value::Text(row.text(at)?.map(|text| text.to_owned().into()))
            } else {
                Value::Bytes(row.bytes(at)?.map(|bytes| bytes.to_vec().into()))
            })
        };
        (0..bytes + self.bytes.len()).map(cell).collect::<Result<_, StoreError>>().map_err(
            |error| match error {
                StoreError::Internal(what) => StoreError::Internal(format!("{}: {what}", self.name)),
                error => error,
            },
        )
    }

    /// The key of a row.
    pub(crate) fn key_of(&self, cells: &[Value<'static>]) -> Cells {
        let place = |name: &&str| self.columns().position(|column| column == *name);
        self.key.iter().filter_map(place).filter_map(|at| cells.get(at).cloned()).collect()
    }

    /// Whose a row is, if the table is one of tenants: its key begins with theirs.
    pub(crate) fn tenant_of(&self, cells: &[Value<'static>]) -> Option<TenantId> {
        let first = self.columns().position(|column| self.key.first() == Some(&column))?;
        match cells.get(first) {
            Some(Value::Integer(Some(id))) => Some(TenantId(*id)),
            _ => None,
        }
    }

    /// All rows in the order of the key, those after a key alone if there is one. `hint` stands behind the table's name.
    pub(crate) fn select(&self, after: bool, hint: &str) -> String {
        let (name, key) = (self.name, self.key.join(", "));
        let columns = self.columns().collect::<Vec<_>>().join(", ");
        let places = places(self.key.len());
        let after = if after { format!("WHERE ({key}) > ({places}) ") } else { String::new() };
        format!("SELECT {columns} FROM {name} {hint}{after}ORDER BY {key}")
    }

    /// The last row in the order of the key.
    pub(crate) fn last(&self) -> String {
        let columns = self.columns().collect::<Vec<_>>().join(", ");
        let order: Vec<String> = self.key.iter().map(|column| format!("{column} DESC")).collect();
        format!("SELECT {columns} FROM {} ORDER BY {} LIMIT 1", self.name, order.join(", "))
    }

    pub(crate) fn count(&self) -> String {
        format!("SELECT COUNT(*) FROM {}", self.name)
    }
}

/// `$1, $2, …`, which SQLite takes for names that are numbered as they appear.
pub(crate) fn places(count: usize) -> String {
    (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
