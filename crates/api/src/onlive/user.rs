//! Users (`/api/v1/users`; Onlive contract, section 4).

use http::StatusCode;
use muster_domain::session::Subject;
use muster_domain::user::{User, UserFilter, UserOrder, UserSort, UserView};
use muster_domain::{Error, Page};
use uuid::Uuid;

use super::auth::{Caller, enter, enter_for};
use super::format::{Paging, UUID, listed, reply, uuid};
use super::user_wire::{self as wire, Deleted, UserBody, tag};
use crate::http::{Call, Failure, Mode, Outcome, Query};

/// The longest part of a name or an address that is searched for, in characters: no name or address is longer.
const MAX_SEARCH: usize = 255;

/// Which users are wanted.
pub(super) struct Wanted {
    /// None but those of this organization.
    organization: Option<Uuid>,
    filter: UserFilter,
    paging: Paging,
}

pub(super) async fn user_list(call: &mut Call) -> Outcome {
    let Caller { ctx, organization } = enter(call).await?;
    let wanted = call.query(list)?;
    if wanted.organization.is_some_and(|other| other != organization) {
        return listed(wanted.paging, Page::<UserBody> { items: Vec::new(), total: 0 });
    }
    let order = UserOrder { by: UserSort::Created, descending: true };
    let slice = wanted.paging.slice();
    let page = call.directory().user_list(&ctx, None, wanted.filter, order, slice).await?;
    let bodies = page.items.into_iter().map(|view| UserBody::new(view.user, organization));
    listed(wanted.paging, Page { items: bodies.collect(), total: page.total })
}

/// Reads whose users are wanted, which of them, and how many.
pub(super) fn list(query: &mut Query<'_>) -> Wanted {
    let paging = Paging::read(query);
    let filter = UserFilter { name: query.limited_text("search", MAX_SEARCH), ..UserFilter::default() };
    Wanted { organization: query.parsed("organizationId", UUID, uuid), filter, paging }
}

pub(super) async fn user_get(call: &mut Call) -> Outcome {
    let (caller, view) = find(call).await?;
    let tag = tag(&view);
    Ok(item(StatusCode::OK, view.user, &caller)?.tag(tag))
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
    let condition = call.if_match(tag);
    let user = call.directory().user_update(&caller.ctx, found, draft, condition).await;
    item(StatusCode::OK, user.map_err(in_wire_names)?, &caller)
}

pub(super) async fn user_erase(call: &mut Call) -> Outcome {
    let (caller, found) = find(call).await?;
    let was = UserBody::new(found.user.clone(), caller.organization);
    let condition = call.if_match(tag);
    let tombstone = call.directory().user_erase(&caller.ctx, found, condition).await?;
    reply(StatusCode::OK, &Deleted::new(was, tombstone.modified_at))
}

/// The caller, and the user that the path names; one that is deleted is not found, in whatever dialect that was done.
async fn find(call: &mut Call) -> Result<(Caller, UserView), Failure> {
    let (caller, found) = enter_for(call, Subject::UserUuid).await?;
    let view = call.directory().user_found(&caller.ctx, found).await?.writable()?;
    Ok((caller, view))
}

fn item(status: StatusCode, user: User, caller: &Caller) -> Outcome {
    reply(status, &UserBody::new(user, caller.organization))
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, wire::name_of)
}
