//! Groups (`/groups`; LOX24 contract, section 3). A group is a contact group.

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::StatusCode;
use muster_domain::contact::ContactGroup;
use muster_domain::session::Subject;
use muster_domain::{ContactGroupId, Ctx, Entity, Error};

use super::auth::{self, enter, enter_for};
use super::collection::{page_reply, slice};
use super::contact::pages;
use super::contact_group_wire::{Group, decode, name_of, tag};
use super::format::{Format, reply};
use crate::contact_csv::Writer;
use crate::http::{Call, Failure, Mode, Outcome, Query, Reply};

const CSV: &str = "text/csv; charset=utf-8";

pub(super) async fn contact_group_list(call: &mut Call) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let page = call.query(page)?.unwrap_or(1);
    let groups = call.directory().contact_group_list(&ctx, slice(page)).await?;
    let items: Vec<Group> = groups.items.into_iter().map(Group::from).collect();
    page_reply(format, "/groups", &items, page, groups.total)
}

/// Reads the number of a page.
pub(super) fn page(query: &mut Query<'_>) -> Option<u64> {
    query.page()
}

pub(super) async fn contact_group_get(call: &mut Call) -> Outcome {
    let (_, format, group) = find(call).await?;
    item(StatusCode::OK, format, group)
}

pub(super) async fn contact_group_create(call: &mut Call) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let draft = call.large_object(Mode::Create, decode).await?;
    let group = call.directory().contact_group_create(&ctx, draft).await.map_err(in_wire_names)?;
    item(StatusCode::CREATED, format, group)
}

pub(super) async fn contact_group_update(call: &mut Call) -> Outcome {
    let (ctx, format, found) = find(call).await?;
    let draft = call.large_object(Mode::Merge, decode).await?;
    let condition = call.if_match(tag);
    let group = call.directory().contact_group_update(&ctx, found, draft, condition).await;
    item(StatusCode::OK, format, group.map_err(in_wire_names)?)
}

pub(super) async fn contact_group_delete(call: &mut Call) -> Outcome {
    let (ctx, _, found) = find(call).await?;
    let condition = call.if_match(tag);
    call.directory().contact_group_delete(&ctx, found, condition).await?;
    Ok(Reply::empty())
}

/// All of the list as CSV, sent while it is read.
pub(super) async fn contact_export(call: &mut Call) -> Outcome {
    const HEADERS: &[(&str, &str)] = &[("content-disposition", "attachment; filename=\"phones.csv\"")];
    // The format is not negotiated here.
    let ctx = auth::authenticate(call).await?;
    let id = call.path_id(Entity::ContactGroup).map(ContactGroupId)?;
    let group = call.directory().contact_group_get(&ctx, id).await?;
    let header = written(|to| to.header(&group))?;
    let rows = pages(call, ctx, group.id).map(|contacts| {
        let contacts = contacts?;
        written(|to| to.contacts(&contacts))
    });
    let chunks = stream::once(async move { Ok(header) }).chain(rows);
    Ok(Reply::stream(CSV, StatusCode::OK, chunks).headers(HEADERS))
}

/// A piece of a file.
fn written(write: impl FnOnce(&mut Writer<Vec<u8>>) -> csv::Result<()>) -> Result<Bytes, Error> {
    let failed = |error: &dyn std::error::Error| Error::Internal(format!("an export: {error}"));
    let mut writer = Writer::new(Vec::with_capacity(64 * 1024));
    write(&mut writer).map_err(|error| failed(&error))?;
    writer.finish().map(Bytes::from).map_err(|error| failed(&error))
}

/// The caller, and the group that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, Format, ContactGroup), Failure> {
    let id = call.path_id(Entity::ContactGroup).map(ContactGroupId);
    let (ctx, format, found) = enter_for(call, id, Subject::ContactGroup).await?;
    let group = call.directory().contact_group_found(&ctx, found)?;
    Ok((ctx, format, group))
}

fn item(status: StatusCode, format: Format, group: ContactGroup) -> Outcome {
    let tag = tag(&group);
    Ok(reply(status, format, &Group::from(group))?.tag(tag))
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, name_of)
}
