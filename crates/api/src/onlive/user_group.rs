//! User groups (`/api/v1/user-groups`; Onlive contract, section 3).

use http::StatusCode;
use muster_domain::session::Subject;
use muster_domain::user_group::{UserGroup, WithMembers, limits};
use muster_domain::{Ended, Error, Page, UserGroupId};

use super::auth::{Caller, enter, enter_for};
use super::format::{Deleted, Wanted, listed, query, reply};
use super::user_group_wire::{UserGroupBody, decode, name_of, tag};
use crate::http::{Call, Failure, Mode, Outcome, Query};

pub(super) async fn user_group_list(call: &mut Call) -> Outcome {
    let Caller { ctx, organization } = enter(call).await?;
    let wanted = query(call, list)?;
    if wanted.is_foreign(organization) {
        return listed(wanted.paging, Page::<UserGroupBody>::default());
    }
    let page = call.directory().user_group_list(&ctx, wanted.search, wanted.paging.slice()).await?;
    listed(wanted.paging, page.map(|group| UserGroupBody::new(group, organization)))
}

/// Reads whose groups are wanted, which of them, and how many.
pub(super) fn list(query: &mut Query<'_>) -> Wanted {
    // No description is longer.
    Wanted::read(query, limits::DESCRIPTION)
}

pub(super) async fn user_group_get(call: &mut Call) -> Outcome {
    let (caller, group) = find(call).await?;
    item(StatusCode::OK, group, &caller)
}

pub(super) async fn user_group_create(call: &mut Call) -> Outcome {
    let caller = enter(call).await?;
    let draft = call.object(Mode::Create, decode).await?;
    let group = call.directory().user_group_create(&caller.ctx, draft).await.map_err(in_wire_names)?;
    item(StatusCode::CREATED, group, &caller)
}

pub(super) async fn user_group_update(call: &mut Call) -> Outcome {
    let (caller, found) = find(call).await?;
    let draft = call.object(Mode::Merge, decode).await?;
    let condition = call.if_match(tag);
    let group = call.directory().user_group_update(&caller.ctx, found, draft, condition).await;
    item(StatusCode::OK, group.map_err(in_wire_names)?, &caller)
}

pub(super) async fn user_group_delete(call: &mut Call) -> Outcome {
    let (caller, found) = find(call).await?;
    let condition = call.if_match(tag);
    let Ended { before, after } =
        call.directory().user_group_delete(&caller.ctx, found, WithMembers::Refuse, condition).await?;
    let was = UserGroupBody::new(before, caller.organization);
    reply(StatusCode::OK, &Deleted::new(was, after.modified_at))
}

/// The caller, and the group that the path names.
async fn find(call: &mut Call) -> Result<(Caller, UserGroup), Failure> {
    let (caller, found) = enter_for(call, |id| Subject::UserGroup(UserGroupId(id))).await?;
    let group = call.directory().user_group_found(&caller.ctx, found)?;
    Ok((caller, group))
}

fn item(status: StatusCode, group: UserGroup, caller: &Caller) -> Outcome {
    let tag = tag(&group);
    Ok(reply(status, &UserGroupBody::new(group, caller.organization))?.tag(tag))
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, name_of)
}
