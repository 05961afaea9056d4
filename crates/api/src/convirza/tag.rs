//! Tags (`/v3/tag`; Convirza platform contract, section 3).

use muster_domain::session::Subject;
use muster_domain::tag::{self, Tag, TagFilter, TagPatch, limits};
use muster_domain::{Ctx, Dialect, Entity, Error, OrgUnitId, Patch, Precondition, Slice, TagId};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{created, success};
use crate::http::{self, Call, Failure, Fields, Mode, Outcome, Query, Text, integer, required_text, string};

/// A tag.
#[derive(Serialize, ToSchema)]
pub(super) struct TagRow<'a> {
    tag_id: i64,
    tag_name: &'a str,
    tag_color: Option<&'a str>,
    org_unit_id: i64,
    /// How many things have the tag; nothing that is served can have one yet.
    usage_count: u64,
}

impl<'a> TagRow<'a> {
    fn new(tag: &'a Tag) -> Self {
        Self {
            tag_id: tag.id.0,
            tag_name: &tag.name,
            tag_color: tag.color.as_deref(),
            org_unit_id: tag.org_unit_id.0,
            usage_count: 0,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Tags<'a> {
    tags: Vec<TagRow<'a>>,
    total: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagWritten {
    tag_id: i64,
}

pub(super) async fn tag_list(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let (filter, slice) = call.query(list)?;
    let page = call.directory().tag_list(&ctx, filter, slice).await?;
    success(call, &Tags { tags: page.items.iter().map(TagRow::new).collect(), total: page.total })
}

/// Reads which tags, and how many.
pub(super) fn list(query: &mut Query<'_>) -> (TagFilter, Slice) {
    (TagFilter { name: query.limited_text("tag_name", limits::NAME) }, query.slice())
}

pub(super) async fn tag_get(call: &mut Call) -> Outcome {
    let (_, found) = find(call).await?;
    Ok(success(call, &TagRow::new(&found))?.tag(version(&found)))
}

pub(super) async fn tag_create(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let draft = call.object(Mode::Create, |fields| decode(fields, ctx.scope())).await?;
    let tag = call.directory().tag_create(&ctx, draft).await.map_err(in_wire_names)?;
    created(call, &TagWritten { tag_id: tag.id.0 })
}

pub(super) async fn tag_update(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let draft = call.object(Mode::Replace, |fields| decode(fields, ctx.scope())).await?;
    let condition = if_match(call);
    let tag = call.directory().tag_update(&ctx, found, draft, condition).await.map_err(in_wire_names)?;
    success(call, &TagWritten { tag_id: tag.id.0 })
}

pub(super) async fn tag_delete(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let condition = if_match(call);
    let tag = call.directory().tag_delete(&ctx, found, condition).await?;
    success(call, &TagWritten { tag_id: tag.id.0 })
}

/// Reads the body of POST and PUT. `own_unit` is the caller's.
pub(super) fn decode(f: &mut Fields<'_>, own_unit: OrgUnitId) -> TagPatch {
    TagPatch {
        name: f.required("tag_name", "name", required_text(limits::NAME)),
        color: f.optional("tag_color", "color", string(COLOR, tag::color)),
        org_unit_id: match f.lasting("org_unit_id", "org_unit_id", integer()) {
            Patch::Keep => None,
            Patch::Clear => Some(own_unit),
            Patch::Set(id) => Some(OrgUnitId(id)),
        },
    }
}

/// What [`tag::color`] takes.
const COLOR: Text = Text { pattern: Some("^#[0-9A-Fa-f]{6}$"), ..Text::ANY };

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, |field| match field {
        "name" => Some("tag_name"),
        "color" => Some("tag_color"),
        _ => None,
    })
}

/// The caller, and the tag that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, Tag), Failure> {
    let id = call.path_id(Entity::Tag).map(TagId);
    let (ctx, found) = call.authenticate_for(Dialect::Convirza, id, Subject::Tag).await?;
    let found = call.directory().tag_found(&ctx, found).await?;
    Ok((ctx, found))
}

fn if_match(call: &Call) -> Option<Precondition<Tag>> {
    call.if_match(version)
}

/// The version of a tag as it is shown.
fn version(tag: &Tag) -> http::Tag {
    http::Tag::of(&[tag.version])
}
