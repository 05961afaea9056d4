//! The members of a group, which may be very many.

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use http::StatusCode;
use muster_domain::user_group::UserGroup;
use muster_domain::{Error, UserGroupId, UserId};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::auth::Caller;
use super::failure::SCIM_JSON;
use super::group_map::{member, resource, tag};
use super::projection::Projection;
use crate::http::Reply;

/// They are read in steps of so many.
const STEP: u32 = 1000;

/// The members of a group with more are sent step by step.
const MOST_AT_ONCE: u64 = 1000;

/// Those after one, and where the next step begins unless these were the last.
async fn step(
    caller: &Caller,
    group: UserGroupId,
    after: UserId,
    limit: u32,
) -> Result<(Vec<Uuid>, Option<UserId>), Error> {
    let members = caller.directory().user_group_members(&caller.ctx, group, after, limit).await?;
    let next = members.last().filter(|_| members.len() == limit as usize).map(|last| last.user);
    Ok((members.into_iter().map(|member| member.uuid).collect(), next))
}

/// All members of a group; none of one that is gone by now.
pub(super) async fn members(caller: &Caller, group: &UserGroup) -> Result<Vec<Uuid>, Error> {
    let (mut all, mut after) = (Vec::new(), Some(UserId(0)));
    if group.members == 0 {
        return Ok(all);
    }
    // Of a few no more is asked for, which the store has at once.
    let limit = u32::try_from(group.members).map_or(STEP, |members| members.saturating_add(1).min(STEP));
    while let Some(from) = after {
        let (members, next) = match step(caller, group.id, from, limit).await {
            Err(Error::NotFound(_)) => return Ok(all),
            step => step?,
        };
        all.extend(members);
        after = next;
    }
    Ok(all)
}

/// Whether a group has so many members that it is sent as a [`stream`].
pub(super) fn are_many(group: &UserGroup) -> bool {
    group.members > MOST_AT_ONCE
}

/// A group whose members stand at the end and are read while it is sent. If it is deleted meanwhile, the answer breaks
/// off: half of the members are not all of them.
pub(super) fn stream(caller: Caller, group: &UserGroup, projection: Projection) -> Reply {
    let mut begin = Value::from(projection.apply(resource(group, None, &caller.base))).to_string();
    // The end of the object comes after the members.
    begin.pop();
    let begin = stream::once(async move { Ok(Bytes::from(begin)) });
    let chunks = begin.chain(chunks(caller, group.id, projection));
    Reply::stream(SCIM_JSON, StatusCode::OK, chunks).tag(tag(group))
}

/// What is sent after the beginning of a group.
fn chunks(
    caller: Caller,
    group: UserGroupId,
    projection: Projection,
) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    let all = Sending { caller, group, projection, is_open: false };
    stream::try_unfold((all, Some(Some(UserId(0)))), |(mut all, after)| async move {
        match after {
            None => Ok(None),
            Some(None) => {
                let end = if all.is_open { "]}" } else { "}" };
                Ok(Some((Bytes::from_static(end.as_bytes()), (all, None))))
            }
            Some(Some(after)) => {
                let (members, next) = step(&all.caller, all.group, after, STEP).await?;
                Ok(Some((all.chunk(&members), (all, Some(next)))))
            }
        }
    })
}

/// The members of a group on their way.
struct Sending {
    caller: Caller,
    group: UserGroupId,
    projection: Projection,
    /// Whether any were sent.
    is_open: bool,
}

impl Sending {
    fn chunk(&mut self, members: &[Uuid]) -> Bytes {
        let members = members.iter().map(|id| member(id, &self.caller.base)).collect::<Vec<_>>();
        let shown = self.projection.apply(Map::from_iter([("members".to_owned(), members.into())]));
        let mut chunk = String::new();
        for member in shown.get("members").and_then(Value::as_array).into_iter().flatten() {
            chunk.push_str(if self.is_open { "," } else { ",\"members\":[" });
            chunk.push_str(&member.to_string());
            self.is_open = true;
        }
        chunk.into()
    }
}
