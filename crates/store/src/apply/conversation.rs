//! Writing conversations.

use muster_domain::TenantId;
use muster_domain::message::{Conversation, Direction, ThreadMove};

use super::Outcome;
use crate::driver::Write;
use crate::statements::conversation;
use crate::value::values;

pub(super) async fn thread_move(on: &mut impl Write, tenant: TenantId, moved: &ThreadMove) -> Outcome {
    let [ours, theirs] = &moved.numbers;
    let values = values![tenant.0, moved.id.0, ours, theirs, moved.at.0, moved.message.0];
    let statement = match moved.direction {
        Direction::Incoming => &conversation::COMES,
        Direction::Outgoing => &conversation::GOES,
    };
    on.one_row(statement, &values).await
}

pub(super) async fn update(on: &mut impl Write, c: &Conversation) -> Outcome {
    let values = values![
        c.tenant.0,
        c.id.0,
        c.version - 1,
        c.version,
        c.assigned_to.map(|user| user.0),
        c.is_pinned,
        c.unread,
        c.closed_at.map(|at| at.0),
    ];
    on.change(&conversation::UPDATE, &conversation::UPDATE_CLOSED, &values).await
}
