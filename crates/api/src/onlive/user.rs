//! Users (`/api/v1/users`; Onlive contract, section 4).

use http::StatusCode;
use muster_domain::session::Subject;
use muster_domain::user::{User, UserFilter, UserOrder, UserSort, UserView};
use muster_domain::{Ended, Error, Page, UserGroupId};

use super::auth::{Caller, enter, enter_for};
use super::format::{Deleted, UUID, Wanted, listed, query, reply, uuid};
use super::user_wire::{self as wire, UserBody, tag};
use crate::http::{Call, Failure, Mode, Outcome, Query};

/// The longest part of a name or an address that is searched for, in characters: no name or address is longer.
const MAX_SEARCH: usize = 255;

pub(super) async fn user_list(call: &mut Call) -> Outcome {
    let Caller { ctx, organization } = enter(call).await?;
    let (wanted, user_group) = query(call, list)?;
    if wanted.is_foreign(organization) {
        return listed(wanted.paging, Page::<UserBody>::default());
    }
    let filter = UserFilter { search: wanted.search, user_group, ..UserFilter::default() };
    let order = UserOrder { by: UserSort::Created, descending: true };
    let page = call.directory().user_list(&ctx, None, filter, order, wanted.paging.slice()).await?;
    listed(wanted.paging, page.map(|view| UserBody::new(view.user, organization)))
}

/// Reads whose users are wanted, which of them, and how many. Of a group, those who are in it are, also if another is
/// their primary one.
pub(super) fn list(query: &mut Query<'_>) -> (Wanted, Option<UserGroupId>) {
    (Wanted::read(query, MAX_SEARCH), query.parsed("userGroupId", UUID, uuid).map(UserGroupId))
}

pub(super) async fn user_get(call: &mut Call) -> Outcome {
    let (caller, view) = find(call).await?;
    item(StatusCode::OK, view.user, &caller)
}

pub(super) async fn user_create(call: &mut Call) -> Outcome {
    let caller = enter(call).await?;
    let draft = call.object(Mode::Create, |fields| wire::decode(fields, None)).await?;
    let user = call.directory().user_create(&caller.ctx, draft).await.map_err(in_wire_names)?;
    item(StatusCode::CREATED, user, &caller)
}

pub(super) async fn user_update(call: &mut Call) -> Outcome {
    let (caller, found) = find(call).await?;
    let draft = call.object(Mode::Merge, |fields| wire::decode(fields, Some(&found.user))).await?;
    let condition = call.if_match(|view: &UserView| tag(&view.user));
    let user = call.directory().user_update(&caller.ctx, found, draft, condition).await;
    item(StatusCode::OK, user.map_err(in_wire_names)?, &caller)
}

pub(super) async fn user_erase(call: &mut Call) -> Outcome {
    let (caller, found) = find(call).await?;
    let condition = call.if_match(|view: &UserView| tag(&view.user));
    let Ended { before, after } = call.directory().user_erase(&caller.ctx, found, condition).await?;
    let was = UserBody::new(before, caller.organization);
    reply(StatusCode::OK, &Deleted::new(was, after.modified_at))
}

/// The caller, and the user that the path names; one that is deleted is not found, in whatever dialect that was done.
async fn find(call: &mut Call) -> Result<(Caller, UserView), Failure> {
    let (caller, found) = enter_for(call, Subject::UserByUuid).await?;
    let view = call.directory().user_found(&caller.ctx, found).await?.writable()?;
    Ok((caller, view))
}

fn item(status: StatusCode, user: User, caller: &Caller) -> Outcome {
    let tag = tag(&user);
    Ok(reply(status, &UserBody::new(user, caller.organization))?.tag(tag))
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, wire::name_of)
}
