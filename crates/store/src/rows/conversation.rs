//! From rows to conversations.

use std::time::Duration;

use muster_domain::message::{Conversation, Direction, ResponseTimes};
use muster_domain::{ConversationId, TenantId, UserId};

use super::Result;
use crate::row::{Row, corrupt, get};

fn count(row: &dyn Row, at: usize) -> Result<u32> {
    get::<i64>(row, at)?.try_into().map_err(|_| corrupt("count of a conversation"))
}

fn duration(micros: i64) -> Result<Duration> {
    micros.try_into().map(Duration::from_micros).map_err(|_| corrupt("response time of a conversation"))
}

pub(crate) fn conversation(row: &dyn Row) -> Result<Conversation> {
    let assigned_to = get::<Option<i64>>(row, 15)?.map(UserId);
    let names = get::<Option<String>>(row, 16)?.zip(get::<Option<String>>(row, 17)?);
    let agent = names.map(|(first, last)| format!("{first} {last}").trim().to_owned());
    Ok(Conversation {
        id: ConversationId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        our_number: get(row, 2)?,
        their_number: get(row, 3)?,
        name: get::<Option<String>>(row, 19)?.filter(|name| !name.is_empty()),
        last: if get(row, 4)? { Direction::Incoming } else { Direction::Outgoing },
        last_at: get(row, 5)?,
        last_text: get::<Option<String>>(row, 18)?.unwrap_or_default(),
        unread: count(row, 6)?,
        responses: ResponseTimes {
            first: get::<Option<i64>>(row, 7)?.map(duration).transpose()?,
            sum: duration(get(row, 8)?)?,
            count: count(row, 9)?,
            waiting_since: get(row, 10)?,
        },
        assigned_to,
        agent: agent.filter(|agent| !agent.is_empty()),
        is_pinned: get(row, 11)?,
        closed_at: get(row, 12)?,
        version: get(row, 13)?,
        started_at: get(row, 14)?,
    })
}
