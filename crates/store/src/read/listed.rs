//! Lists with filters as SQL. The statements are as many as there are filters, so that they are written when they are
//! needed; every value is a parameter.

use muster_domain::message::{
    BlockField, BulkField, Filter, IncomingField, ListQuery, MessageField, Sweep, Test,
};
use muster_domain::{MessageId, OrgUnitId, Page, StoreError, TenantId, Timestamp};

use super::Written;
use super::bounds;
use super::condition::Sql;
use crate::driver::Read;
use crate::row::{Row, get};
use crate::statements::{block, bulk, incoming, message, org_unit};

/// A table of which rows are listed.
pub(super) struct Listed<F> {
    columns: &'static str,
    from: &'static str,
    /// The letter by which the table is called.
    table: &'static str,
    /// What all rows are that are there.
    exists: &'static str,
    /// The column or the expression of a field. One that is only there for some rows has an index of these alone.
    column: fn(F) -> &'static str,
}

pub(super) static MESSAGES: Listed<MessageField> = Listed {
    columns: message::columns!(),
    from: "messages m",
    table: "m",
    exists: "",
    column: |field| match field {
        MessageField::Id => "m.id",
        MessageField::Bulk => "m.bulk_uuid",
        MessageField::Country => "m.country",
        MessageField::CallbackData => "m.callback_data",
        MessageField::Text => "m.text",
        MessageField::Phone => "m.phone",
        MessageField::Sender => "m.sender",
        MessageField::Ip => "m.ip",
        MessageField::Status => "m.status",
        MessageField::Receipt => "m.receipt",
        MessageField::IsSent => "(CASE m.status WHEN 100 THEN 1 ELSE 0 END)",
        MessageField::IsUnicode => "m.is_unicode",
        MessageField::Key => "(CASE m.actor_kind WHEN 2 THEN m.actor_id ELSE 0 END)",
        MessageField::HandedOverAt => "m.handed_over_at",
        MessageField::DeliverAt => "m.deliver_at",
        MessageField::CreatedAt => "m.created_at",
        MessageField::CharsCount => "m.chars_count",
        MessageField::PartsCount => "m.parts_count",
        MessageField::Source => "m.source",
    },
};

pub(super) static INCOMINGS: Listed<IncomingField> = Listed {
    columns: incoming::columns!(),
    from: "incomings i",
    table: "i",
    exists: "",
    column: |field| match field {
        IncomingField::Id => "i.id",
        IncomingField::Answers => "i.answers",
        IncomingField::From => "i.sender",
        IncomingField::To => "i.recipient",
        IncomingField::Text => "i.text",
        IncomingField::ReceivedAt => "i.received_at",
    },
};

pub(super) static BLOCKS: Listed<BlockField> = Listed {
    columns: block::columns!(),
    from: "blocked_numbers b",
    table: "b",
    exists: "",
    column: |field| match field {
        BlockField::Number => "b.number",
        BlockField::By => "b.added_by",
        BlockField::AddedAt => "b.added_at",
    },
};

pub(super) static BULKS: Listed<BulkField> = Listed {
    columns: bulk::columns!(),
    from: bulk::from!(),
    table: "b",
    exists: " AND b.deleted = 0",
    column: |field| match field {
        BulkField::Id => "b.id",
        BulkField::Uuid => "b.uuid",
        BulkField::Name => "b.name_key",
        BulkField::Text => "b.text",
        BulkField::Sender => "b.sender",
        BulkField::Status => "b.status",
        BulkField::IsUnicode => "COALESCE(b.is_unicode, 0)",
        BulkField::HasEncoding => "(CASE WHEN b.is_unicode IS NULL THEN 0 ELSE 1 END)",
        BulkField::IsDryRun => "b.is_dry_run",
        BulkField::Key => "(CASE b.actor_kind WHEN 2 THEN b.actor_id ELSE 0 END)",
        BulkField::Style => "b.style",
        BulkField::Source => "b.source",
        BulkField::DeliverAt => "b.deliver_at",
        BulkField::CreatedAt => "b.created_at",
        BulkField::ProcessedAt => "b.processed_at",
        BulkField::MessagesCount => "(b.queued + b.sent + b.delivered + b.failed + b.skipped)",
    },
};

impl<F: Copy> Listed<F> {
    /// The rows of a page, and how many rows there are; `kept` tells the number of all without a filter, if it is kept.
    pub(super) async fn read<T: Send>(
        &self,
        on: &impl Read,
        tenant: TenantId,
        query: &ListQuery<F>,
        row: fn(&dyn Row) -> Result<T, StoreError>,
        kept: Option<impl Future<Output = Result<u64, StoreError>>>,
    ) -> Result<Page<T>, StoreError> {
        self.read_within(on, tenant, None, query, row, kept).await
    }

    /// As [`Listed::read`], of what belongs to a unit or to one below it, if one is named.
    pub(super) async fn read_within<T: Send>(
        &self,
        on: &impl Read,
        tenant: TenantId,
        within: Option<OrgUnitId>,
        query: &ListQuery<F>,
        row: fn(&dyn Row) -> Result<T, StoreError>,
        kept: Option<impl Future<Output = Result<u64, StoreError>>>,
    ) -> Result<Page<T>, StoreError> {
        let items = on.all_written(&self.page(tenant, within, query), row).await?;
        let found = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let is_last = found < u64::from(query.slice.limit) && (found > 0 || query.slice.offset == 0);
        let total = match kept.filter(|_| query.filter.is_empty() && within.is_none()) {
            _ if is_last => query.slice.offset.saturating_add(found),
            Some(kept) => kept.await?,
            None => {
                let count: Vec<i64> =
                    on.all_written(&self.count(tenant, within, &query.filter), |row| get(row, 0)).await?;
                count.first().and_then(|count| u64::try_from(*count).ok()).unwrap_or(0)
            }
        };
        Ok(Page { items, total })
    }

    pub(super) fn page(&self, tenant: TenantId, within: Option<OrgUnitId>, query: &ListQuery<F>) -> Written {
        let mut sql = Sql::new(tenant);
        let (units, mut condition) = self.scope(&mut sql, within);
        condition.push_str(&self.condition(&mut sql, &query.filter));
        let (limit, offset) = bounds(query.slice);
        let (limit, offset) = (sql.bind(limit), sql.bind(offset));
        let Self { columns, from, table, column, .. } = self;
        let direction = if query.is_descending { " DESC" } else { "" };
        let order = format!("{}{direction}, {table}.id{direction}", column(query.by));
        // What is passed over, or sorted and not wanted, is looked at in indexes only, where there is no filter.
        let text = format!(
            "{units}SELECT {columns} FROM (SELECT {table}.id AS id FROM {from} WHERE {table}.tenant_id = $1{condition}
                 ORDER BY {order} LIMIT {limit} OFFSET {offset}) w
             CROSS JOIN {from} WHERE {table}.tenant_id = $1 AND {table}.id = w.id ORDER BY {order}"
        );
        Written { text, values: sql.values }
    }

    pub(super) fn count(&self, tenant: TenantId, within: Option<OrgUnitId>, filter: &Filter<F>) -> Written {
        let mut sql = Sql::new(tenant);
        let (units, mut condition) = self.scope(&mut sql, within);
        condition.push_str(&self.condition(&mut sql, filter));
        let Self { from, table, .. } = self;
        let text = format!("{units}SELECT COUNT(*) FROM {from} WHERE {table}.tenant_id = $1{condition}");
        Written { text, values: sql.values }
    }

    /// The units of which rows are wanted, which stand before all, as $2, and what holds for every row.
    fn scope(&self, sql: &mut Sql, within: Option<OrgUnitId>) -> (&'static str, String) {
        let Self { table, exists, .. } = self;
        match within {
            Some(unit) => {
                sql.bind(unit.0);
                let condition = format!("{exists} AND {table}.org_unit_id IN (SELECT sub.id FROM sub)");
                (org_unit::subtree!(), condition)
            }
            None => ("", (*exists).to_owned()),
        }
    }

    /// What stands behind another condition.
    fn condition(&self, sql: &mut Sql, filter: &Filter<F>) -> String {
        let any = |any: &Vec<Test<F>>| match any.as_slice() {
            [] => " AND 1 = 0".to_owned(),
            [test] => format!(" AND {}", self.test(sql, test)),
            tests => self.one_of(sql, tests).unwrap_or_else(|| {
                let tests: Vec<String> = tests.iter().map(|test| self.test(sql, test)).collect();
                format!(" AND ({})", tests.join(" OR "))
            }),
        };
        filter.all.iter().map(any).collect()
    }

    /// As [`Listed::condition`]: several values of one column, which its index looks up one after the other.
    fn one_of(&self, sql: &mut Sql, tests: &[Test<F>]) -> Option<String> {
        let equals = |test: &Test<F>| match test {
            Test::Text(field, text) => Some(((self.column)(*field), text.clone().into())),
            Test::Id(field, id) => Some(((self.column)(*field), (*id).into())),
            Test::Number(field, least, most) if least == most => {
                Some(((self.column)(*field), (*least).into()))
            }
            Test::Number(..) | Test::Contains(..) => None,
        };
        let all: Vec<(&str, crate::value::Value<'static>)> =
            tests.iter().map(equals).collect::<Option<_>>()?;
        let column = all.first()?.0;
        if all.iter().any(|(other, _)| *other != column) {
            return None;
        }
        let values: Vec<String> = all.into_iter().map(|(_, value)| sql.bind(value)).collect();
        Some(format!(" AND {column} IS NOT NULL AND {column} IN ({})", values.join(", ")))
    }

    /// One that is not there for a row is no reason to take it: there is no opposite of a test.
    fn test(&self, sql: &mut Sql, test: &Test<F>) -> String {
        let column = self.column;
        match test {
            Test::Number(field, least, most) if least == most => {
                format!("{} = {}", column(*field), sql.bind(*least))
            }
            Test::Number(field, i64::MIN, most) => format!("{} <= {}", column(*field), sql.bind(*most)),
            Test::Number(field, least, i64::MAX) => format!("{} >= {}", column(*field), sql.bind(*least)),
            Test::Number(field, least, most) => {
                let (column, least, most) = (column(*field), sql.bind(*least), sql.bind(*most));
                format!("{column} BETWEEN {least} AND {most}")
            }
            // An index of the rows with a value is one for the test only if that says so.
            Test::Text(field, text) => {
                let column = column(*field);
                format!("({column} IS NOT NULL AND {column} = {})", sql.bind(text.clone()))
            }
            Test::Id(field, id) => {
                let column = column(*field);
                format!("({column} IS NOT NULL AND {column} = {})", sql.bind(*id))
            }
            // Both stores make small letters of those of ASCII alone.
            Test::Contains(field, part) => {
                format!("INSTR(LOWER({}), {}) > 0", column(*field), sql.bind(part.to_ascii_lowercase()))
            }
        }
    }
}

/// Messages, each with whether it is being handed over. All are read in the order in which the indexes of what is asked for
/// have them, so that each step goes on where the one before ended.
pub(super) fn sweep(
    tenant: TenantId,
    sweep: Sweep,
    filter: &Filter<MessageField>,
    (since, after): (Timestamp, MessageId),
    limit: u32,
) -> Written {
    let mut sql = Sql::new(tenant);
    let condition = MESSAGES.condition(&mut sql, filter);
    let (after, limit) = (sql.bind(after.0), sql.bind(limit));
    let since = match sweep {
        Sweep::All => sql.bind(since.0),
        Sweep::Waiting => String::new(),
    };
    let (columns, claimed) = (message::columns!(), message::is_claimed!());
    let text = match sweep {
        Sweep::All => format!(
            "SELECT {columns}{claimed}{} WHERE m.tenant_id = $1
                 AND (m.created_at, m.id) > ({since}, {after}){condition} ORDER BY m.created_at, m.id LIMIT {limit}",
            message::with_queue!()
        ),
        Sweep::Waiting => format!(
            "SELECT {columns}{claimed} FROM message_queue q CROSS JOIN messages m
             WHERE q.tenant_id = $1 AND q.message_id > {after} AND q.claim IS NULL
                 AND m.tenant_id = $1 AND m.id = q.message_id{condition} ORDER BY q.message_id LIMIT {limit}"
        ),
    };
    Written { text, values: sql.values }
}
