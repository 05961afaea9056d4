//! Reads of conversations.

use futures_util::future::try_join;
use muster_domain::message::{
    Conversation, ConversationFilter, ConversationQuery, ConversationSearch, ConversationStore, ThreadMessage,
};
use muster_domain::{ConversationId, Page, Slice, StoreError, TenantId, Timestamp, UserId};
use uuid::Uuid;

use super::condition::{NEVER, Sql};
use super::{Written, bounds, read};
use crate::driver::Read;
use crate::row::get;
use crate::statements::conversation::{self, columns, name, with_user};
use crate::statements::{incoming, message};
use crate::value::values;
use crate::{Store, rows};

impl ConversationStore for Store {
    async fn conversation(
        &self,
        tenant: TenantId,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<Option<Conversation>, StoreError> {
        let values = values![tenant.0, now.0, id.0];
        read!(self, read, |on| on.one(&conversation::GET, &values, rows::conversation::conversation))
    }

    async fn conversations(
        &self,
        tenant: TenantId,
        caller: Option<UserId>,
        now: Timestamp,
        query: ConversationQuery,
    ) -> Result<Page<Conversation>, StoreError> {
        read!(self, scan, |on| listed(on, tenant, caller, now, &query))
    }

    async fn thread_messages(
        &self,
        tenant: TenantId,
        numbers: [String; 2],
        slice: Slice,
    ) -> Result<Page<ThreadMessage>, StoreError> {
        read!(self, scan, |on| thread(on, tenant, &numbers, slice))
    }
}

/// What is asked for of the conversations of a tenant.
pub(super) struct Asked<'a> {
    pub(super) tenant: TenantId,
    pub(super) caller: Option<UserId>,
    pub(super) now: Timestamp,
    pub(super) query: &'a ConversationQuery,
}

impl Asked<'_> {
    pub(super) fn page(&self) -> Written {
        let mut sql = self.sql();
        let condition = self.condition(&mut sql);
        let (limit, offset) = bounds(self.query.slice);
        let (limit, offset) = (sql.bind(limit), sql.bind(offset));
        let direction = if self.query.is_descending { " DESC" } else { "" };
        let order = format!("c.last_at{direction}, c.id{direction}");
        let (columns, with_user) = (columns!(), with_user!());
        // What others say of a conversation is looked up for those alone that are on the page.
        let text = format!(
            "SELECT {columns} FROM (SELECT c.id AS id FROM conversations c WHERE c.tenant_id = $1{condition}
                 ORDER BY {order} LIMIT {limit} OFFSET {offset}) w
             CROSS JOIN {with_user} WHERE c.tenant_id = $1 AND c.id = w.id ORDER BY {order}"
        );
        Written { text, values: sql.values }
    }

    /// The time of the reader is asked for, too, so that it is the second parameter of all statements.
    pub(super) fn count(&self) -> Written {
        let mut sql = self.sql();
        let condition = self.condition(&mut sql);
        let text = format!(
            "SELECT COUNT(*) FROM conversations c WHERE c.tenant_id = $1 AND CAST($2 AS BIGINT) IS NOT NULL{condition}"
        );
        Written { text, values: sql.values }
    }

    fn sql(&self) -> Sql {
        let mut sql = Sql::new(self.tenant);
        sql.bind(self.now.0);
        sql
    }

    /// What stands behind another condition.
    fn condition(&self, sql: &mut Sql) -> String {
        let ConversationQuery { filter, search, since, until, .. } = self.query;
        let mut all = vec![String::from(match filter {
            ConversationFilter::Closed => "c.closed_at IS NOT NULL",
            _ => "c.closed_at IS NULL",
        })];
        match (filter, self.caller) {
            (ConversationFilter::AllOpen | ConversationFilter::Closed, _) => {}
            (ConversationFilter::AssignedToYou, Some(caller)) => {
                all.push(format!("c.assigned_to = {}", sql.bind(caller.0)));
            }
            (ConversationFilter::AssignedToYou, None) => all.push(NEVER.to_owned()),
            (ConversationFilter::Unassigned, _) => all.push(
                "NOT EXISTS (SELECT 1 FROM users v
                     WHERE v.tenant_id = $1 AND v.id = c.assigned_to AND v.status <> 3)"
                    .to_owned(),
            ),
        }
        all.extend(since.map(|since| format!("c.last_at >= {}", sql.bind(since.0))));
        all.extend(until.map(|until| format!("c.last_at <= {}", sql.bind(until.0))));
        if let Some(ConversationSearch { name, digits }) = search {
            let of_name = format!("INSTR(LOWER(COALESCE({}, '')), {}) > 0", name!(), sql.bind(name.clone()));
            let of_number =
                digits.clone().map(|digits| format!("INSTR(c.their_number, {}) > 0", sql.bind(digits)));
            all.push(of_number.map_or(of_name.clone(), |of_number| format!("({of_name} OR {of_number})")));
        }
        format!(" AND {}", all.join(" AND "))
    }
}

async fn listed(
    on: &impl Read,
    tenant: TenantId,
    caller: Option<UserId>,
    now: Timestamp,
    query: &ConversationQuery,
) -> Result<Page<Conversation>, StoreError> {
    let asked = Asked { tenant, caller, now, query };
    let items = on.all_written(&asked.page(), rows::conversation::conversation).await?;
    let found = u64::try_from(items.len()).unwrap_or(u64::MAX);
    let is_last = found < u64::from(query.slice.limit) && (found > 0 || query.slice.offset == 0);
    if is_last {
        return Ok(Page { items, total: query.slice.offset.saturating_add(found) });
    }
    let count: Vec<i64> = on.all_written(&asked.count(), |row| get(row, 0)).await?;
    let total = count.first().and_then(|count| u64::try_from(*count).ok()).unwrap_or(0);
    Ok(Page { items, total })
}

async fn thread(
    on: &impl Read,
    tenant: TenantId,
    [ours, theirs]: &[String; 2],
    slice: Slice,
) -> Result<Page<ThreadMessage>, StoreError> {
    let (limit, offset) = bounds(slice);
    let (plus_ours, plus_theirs) = (format!("+{ours}"), format!("+{theirs}"));
    let numbers = values![tenant.0, ours, &plus_ours, theirs, &plus_theirs, limit, offset];
    let row = |row: &dyn crate::row::Row| Ok((get::<bool>(row, 0)?, get::<Uuid>(row, 1)?));
    let (found, total) = try_join(
        on.all(&conversation::THREAD, &numbers, row),
        on.count(&conversation::THREAD_COUNT, &numbers[..5]),
    )
    .await?;
    let of = |wanted: bool| -> Vec<_> {
        let ids = found.iter().filter(|(is_incoming, _)| *is_incoming == wanted);
        ids.map(|(_, id)| values![tenant.0, *id].to_vec()).collect()
    };
    let (incoming_ids, outgoing_ids) = (of(true), of(false));
    let (incoming, outgoing) = try_join(
        on.each(&incoming::GET, &incoming_ids, rows::message::incoming),
        on.each(&message::GET, &outgoing_ids, rows::message::message),
    )
    .await?;
    let (mut incoming, mut outgoing) = (incoming.into_iter(), outgoing.into_iter());
    let message = |(is_incoming, _): &(bool, Uuid)| {
        if *is_incoming {
            let message = incoming.next().flatten()?;
            Some(ThreadMessage::Incoming(Box::new(message)))
        } else {
            let message = outgoing.next().flatten()?;
            Some(ThreadMessage::Outgoing(Box::new(message)))
        }
    };
    Ok(Page { items: found.iter().filter_map(message).collect(), total })
}
