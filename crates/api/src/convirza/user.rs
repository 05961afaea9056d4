//! Users (`/v3/users`; Convirza contract, section 5).

use muster_domain::user::{UserFilter, UserOrder, UserSort, UserStatus, UserView};
use muster_domain::{Access, Ctx, Dialect, Entity, Error, OrgUnitId, Precondition, UserId};
use serde::Serialize;

use super::envelope::{created, success};
use super::user_wire::{self as wire, UserDetail, UserRow, tag};
use crate::http::{Call, Failure, Mode, Outcome, Query};

/// The longest part of a name or an address that is searched for, in characters: no name or address is longer.
const MAX_SEARCH: usize = 255;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    user_id: i64,
}

#[derive(Serialize)]
struct Users<'a> {
    users: Vec<UserRow<'a, &'static str>>,
    total: u64,
}

pub(super) async fn user_list(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza, Access::Read).await?;
    let mut query = call.query();
    let root = query.integer("org_unit_id", i64::MIN, i64::MAX).map(OrgUnitId);
    let filter = filter(&mut query);
    let order = order(&mut query);
    let slice = query.slice(&call.app().settings);
    query.finish()?;
    let page = call.directory().user_list(&ctx, root, filter, order, slice).await?;
    success(call, &Users { users: page.items.iter().map(wire::user_row).collect(), total: page.total })
}

fn filter(query: &mut Query) -> UserFilter {
    let statuses = [UserStatus::Active, UserStatus::Inactive, UserStatus::Deleted];
    UserFilter {
        within: None,
        name: query.limited_text("name", MAX_SEARCH),
        login: query.limited_text("email", MAX_SEARCH),
        role: query.integer("role_id", 1, 3).and_then(wire::role_by_id),
        status: query.choice("user_status", &["active", "inactive", "deleted"], &statuses),
    }
}

/// The newest first, unless the caller wants another order.
fn order(query: &mut Query) -> UserOrder {
    let sorts = [UserSort::Created, UserSort::Name, UserSort::Login];
    let by = query.choice("sort_by", &["created_on", "name", "email"], &sorts).unwrap_or(UserSort::Created);
    let descending = query.choice("sort_order", &["asc", "desc"], &[false, true]).unwrap_or(true);
    UserOrder { by, descending }
}

pub(super) async fn user_get(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza, Access::Read).await?;
    let id = UserId(call.path_id(Entity::User)?);
    let view = call.directory().user_get(&ctx, id).await?;
    Ok(success(call, &UserDetail::new(&view))?.tag(tag(&view)))
}

pub(super) async fn user_create(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza, Access::Write).await?;
    let draft = call.object(|body| wire::decode(body, Mode::Create, None, ctx.scope())).await?;
    let user = call.directory().user_create(&ctx, draft).await.map_err(in_wire_names)?;
    created(call, &Written { user_id: user.id.0 })
}

pub(super) async fn user_update(call: &mut Call) -> Outcome {
    write(call, Mode::Replace).await
}

pub(super) async fn user_patch(call: &mut Call) -> Outcome {
    write(call, Mode::Merge).await
}

async fn write(call: &mut Call, mode: Mode) -> Outcome {
    let (ctx, found) = find(call).await?;
    let draft = call.object(|body| wire::decode(body, mode, Some(&found.user), ctx.scope())).await?;
    let condition = if_match(call);
    let user = call.directory().user_update(&ctx, found, draft, condition).await.map_err(in_wire_names)?;
    success(call, &Written { user_id: user.id.0 })
}

pub(super) async fn user_delete(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let condition = if_match(call);
    let user = call.directory().user_delete(&ctx, found, condition).await?;
    success(call, &Written { user_id: user.id.0 })
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, wire::name_of)
}

/// The caller, and the user to be changed that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, UserView), Failure> {
    let (ctx, _) = call.authenticate(Dialect::Convirza, Access::Write).await?;
    let id = UserId(call.path_id(Entity::User)?);
    let found = call.directory().user_get_writable(&ctx, id).await?;
    Ok((ctx, found))
}

fn if_match(call: &Call) -> Option<Precondition<UserView>> {
    call.if_match(tag)
}
