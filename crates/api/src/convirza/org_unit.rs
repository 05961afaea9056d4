//! Groups (`/v3/groups`; Convirza contract, section 4). A group is an org unit.

use muster_domain::org_unit::{Located, OrgUnit, OrgUnitFilter, OrgUnitStatus, limits};
use muster_domain::session::Subject;
use muster_domain::{Ctx, Dialect, Entity, Error, OrgUnitId, Slice};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{created, large_success, success};
use super::org_unit_wire::{self as wire, GroupDetail, GroupRow};
use super::tree_wire::{self, FlatTree, Tree};
use crate::http::{Call, Failure, Mode, Outcome, Query, Tag};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupWritten {
    org_unit_id: i64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Groups<'a> {
    groups: Vec<GroupRow<'a>>,
    total: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrgUnits {
    org_units: Vec<i64>,
}

pub(super) async fn org_unit_children(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let (parent, filter, slice) = call.query(children)?;
    let (parent, page) = call.directory().org_unit_children(&ctx, parent, filter, slice).await?;
    let level = parent.level_in(ctx.scope()).map(|level| level + 1);
    let groups = page.items.iter().map(|unit| GroupRow::new(&ctx, unit, level)).collect();
    success(call, &Groups { groups, total: page.total })
}

pub(super) async fn org_unit_list(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let (filter, slice) = call.query(list)?;
    let page = call.directory().org_unit_list(&ctx, filter, slice).await?;
    let rows = page.items.iter().map(|found| GroupRow::new(&ctx, &found.unit, found.level_in(ctx.scope())));
    success(call, &Groups { groups: rows.collect(), total: page.total })
}

/// Reads what all lists read.
pub(super) fn list(query: &mut Query<'_>) -> (OrgUnitFilter, Slice) {
    let name = query.limited_text("group_name", limits::NAME);
    let choices = [Some(OrgUnitStatus::Active), Some(OrgUnitStatus::Inactive), None];
    let words = &["active", "inactive", "all"];
    let status = query.choice_or("status", words, &choices, Some(OrgUnitStatus::Active));
    (OrgUnitFilter { name, status }, query.slice())
}

/// Reads the parent, and what all lists read.
pub(super) fn children(query: &mut Query<'_>) -> (Option<OrgUnitId>, OrgUnitFilter, Slice) {
    let parent = query.integer("org_unit_id", i64::MIN, i64::MAX).map(OrgUnitId);
    let (filter, slice) = list(query);
    (parent, filter, slice)
}

pub(super) async fn org_unit_tree(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let (active_only, nested) = call.query(tree)?;
    let tree = call.directory().org_unit_tree(&ctx, active_only).await?;
    let size = tree_wire::size(&tree)?;
    if nested {
        large_success(call, &Tree::Nested { groups: tree_wire::nested(&tree, size)? }, size)
    } else {
        large_success(call, &Tree::Flat { groups: FlatTree(&tree) }, size)
    }
}

/// Reads whether only active groups are wanted, and whether they are to be nested.
pub(super) fn tree(query: &mut Query<'_>) -> (bool, bool) {
    (query.boolean_or("active", true), query.boolean_or("nested", false))
}

pub(super) async fn org_unit_ids(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    // The published answer for a unit that is unknown or out of scope is 401 here.
    let unknown = |error| match error {
        Error::NotFound(_) => Error::Unauthenticated("You have no access to this org unit"),
        other => other,
    };
    let id = call.path_id(Entity::OrgUnit).map(OrgUnitId).map_err(unknown)?;
    let ids = call.directory().org_unit_ids(&ctx, id).await.map_err(unknown)?;
    success(call, &OrgUnits { org_units: ids.into_iter().map(|id| id.0).collect() })
}

pub(super) async fn org_unit_get(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let reply = success(call, &GroupDetail::new(&ctx, &found))?;
    Ok(reply.tag(tag(&ctx, &found)))
}

pub(super) async fn org_unit_create(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let draft = call.object(Mode::Create, |fields| wire::decode(fields, None)).await?;
    let unit = call.directory().org_unit_create(&ctx, draft).await.map_err(in_wire_names)?;
    created(call, &GroupWritten { org_unit_id: unit.id.0 })
}

pub(super) async fn org_unit_update(call: &mut Call) -> Outcome {
    write(call, Mode::Replace).await
}

pub(super) async fn org_unit_patch(call: &mut Call) -> Outcome {
    write(call, Mode::Merge).await
}

async fn write(call: &mut Call, mode: Mode) -> Outcome {
    let (ctx, found) = find(call).await?;
    let draft = call.object(mode, |fields| wire::decode(fields, Some(&found.unit))).await?;
    let condition = if_match(call, &ctx);
    let unit =
        call.directory().org_unit_update(&ctx, found, draft, condition).await.map_err(in_wire_names)?;
    written(call, &unit)
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, wire::name_of)
}

pub(super) async fn org_unit_archive(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let condition = if_match(call, &ctx);
    let unit = call.directory().org_unit_archive(&ctx, found, condition).await?;
    written(call, &unit)
}

fn written(call: &Call, unit: &OrgUnit) -> Outcome {
    success(call, &GroupWritten { org_unit_id: unit.id.0 })
}

/// The caller, and the unit that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, Located), Failure> {
    let id = call.path_id(Entity::OrgUnit).map(OrgUnitId);
    let (ctx, found) = call.authenticate_for(Dialect::Convirza, id, Subject::OrgUnit).await?;
    let found = call.directory().org_unit_found(&ctx, found)?;
    Ok((ctx, found))
}

fn if_match(call: &Call, ctx: &Ctx) -> Option<muster_domain::Precondition<Located>> {
    let ctx = ctx.clone();
    call.if_match(move |found| tag(&ctx, found))
}

/// The version of a unit as it is shown: its own, and its level below the caller's unit.
fn tag(ctx: &Ctx, found: &Located) -> Tag {
    Tag::of(&[found.unit.version, wire::level(found.level_in(ctx.scope()))])
}
