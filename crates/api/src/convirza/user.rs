//! Users (`/v3/users`; Convirza contract, section 5).

use muster_domain::session::Subject;
use muster_domain::user::{UserFilter, UserOrder, UserSort, UserStatus, UserView};
use muster_domain::{Ctx, Dialect, Entity, Error, OrgUnitId, Precondition, Slice, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{created, success};
use super::user_wire::{self as wire, UserDetail, UserRow, YesOrNo, tag};
use crate::http::{Call, Failure, Mode, Outcome, Query};

/// The longest part of a name or an address that is searched for, in characters: no name or address is longer.
const MAX_SEARCH: usize = 255;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserWritten {
    user_id: i64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Users<'a> {
    users: Vec<UserRow<'a, YesOrNo>>,
    total: u64,
}

pub(super) async fn user_list(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let (root, filter, order, slice) = call.query(list)?;
    let page = call.directory().user_list(&ctx, root, filter, order, slice).await?;
    success(call, &Users { users: page.items.iter().map(wire::user_row).collect(), total: page.total })
}

/// Reads the unit, which users of it, in which order and how many.
pub(super) fn list(query: &mut Query<'_>) -> (Option<OrgUnitId>, UserFilter, UserOrder, Slice) {
    let root = query.integer("org_unit_id", i64::MIN, i64::MAX).map(OrgUnitId);
    let statuses = [UserStatus::Active, UserStatus::Inactive, UserStatus::Deleted];
    let filter = UserFilter {
        name: query.limited_text("name", MAX_SEARCH),
        login: query.limited_text("email", MAX_SEARCH),
        role: query.integer("role_id", 1, 3).and_then(wire::role_by_id),
        status: query.choice("user_status", &["active", "inactive", "deleted"], &statuses),
        ..UserFilter::default()
    };
    // The newest first, unless the caller wants another order.
    let sorts = [UserSort::Created, UserSort::Name, UserSort::Login];
    let by = query.choice_or("sort_by", &["created_on", "name", "email"], &sorts, UserSort::Created);
    let descending = query.choice_or("sort_order", &["asc", "desc"], &[false, true], true);
    (root, filter, UserOrder { by, descending }, query.slice())
}

pub(super) async fn user_get(call: &mut Call) -> Outcome {
    let (_, view) = find(call).await?;
    Ok(success(call, &UserDetail::new(&view))?.tag(tag(&view)))
}

pub(super) async fn user_create(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let draft = call.object(Mode::Create, |fields| wire::decode(fields, None, ctx.scope())).await?;
    let user = call.directory().user_create(&ctx, draft).await.map_err(in_wire_names)?;
    created(call, &UserWritten { user_id: user.id.0 })
}

pub(super) async fn user_update(call: &mut Call) -> Outcome {
    write(call, Mode::Replace).await
}

pub(super) async fn user_patch(call: &mut Call) -> Outcome {
    write(call, Mode::Merge).await
}

async fn write(call: &mut Call, mode: Mode) -> Outcome {
    let (ctx, found) = find_writable(call).await?;
    let draft = call.object(mode, |fields| wire::decode(fields, Some(&found.user), ctx.scope())).await?;
    let condition = if_match(call);
    let user = call.directory().user_update(&ctx, found, draft, condition).await.map_err(in_wire_names)?;
    success(call, &UserWritten { user_id: user.id.0 })
}

pub(super) async fn user_delete(call: &mut Call) -> Outcome {
    let (ctx, found) = find_writable(call).await?;
    let condition = if_match(call);
    let user = call.directory().user_delete(&ctx, found, condition).await?;
    success(call, &UserWritten { user_id: user.id.0 })
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, wire::name_of)
}

/// The caller, and the user that the path names, who may be deleted.
async fn find(call: &mut Call) -> Result<(Ctx, UserView), Failure> {
    let id = call.path_id(Entity::User).map(UserId);
    let (ctx, found) = call.authenticate_for(Dialect::Convirza, id, Subject::User).await?;
    let found = call.directory().user_found(&ctx, found).await?;
    Ok((ctx, found))
}

async fn find_writable(call: &mut Call) -> Result<(Ctx, UserView), Failure> {
    let (ctx, found) = find(call).await?;
    Ok((ctx, found.writable()?))
}

fn if_match(call: &Call) -> Option<Precondition<UserView>> {
    call.if_match(tag)
}
