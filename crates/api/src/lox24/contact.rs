//! Phones (`/groups/{id}/phones`, `/phones`; LOX24 contract, section 4). A phone is a contact.

use futures_util::stream::{self, Stream};
use http::StatusCode;
use muster_domain::contact::{Contact, ContactWishes, Expect, MAX_ADDED, Taken};
use muster_domain::session::Subject;
use muster_domain::{ContactGroupId, ContactId, Ctx, Entity, Error};
use serde_json::{Value, json};

use super::auth::enter_for;
use super::collection::{Writer, collection_schema, page_reply, slice, stream_reply};
use super::contact_group::page;
use super::contact_group_wire::group_path;
use super::contact_wire::{PhoneBody, decode, tag};
use super::failure::Refusal;
use super::format::{Format, JSON_LD, linked_schema, reply, write, write_item};
use crate::http::{Call, Content, Failure, JSON, Mode, Outcome, Reply, Schemas};

/// Contacts that are read at once where all of them are sent.
const STEP: u32 = 250;

pub(super) async fn contact_list(call: &mut Call) -> Outcome {
    let id = call.path_id(Entity::ContactGroup).map(ContactGroupId);
    let (ctx, format, found) = enter_for(call, id, Subject::ContactGroup).await?;
    let group = call.directory().contact_group_found(&ctx, found)?;
    let path = format!("{}/phones", group_path(group.id.0));
    let Some(page) = call.query(page)? else {
        let pages = stream::StreamExt::map(pages(call, ctx, group.id), |contacts| {
            Ok(contacts?.into_iter().map(PhoneBody::from).collect())
        });
        return stream_reply::<PhoneBody>(format, &path, group.contacts, pages).await;
    };
    let contacts = call.directory().contact_list(&ctx, group.id, slice(page)).await?;
    let items: Vec<PhoneBody> = contacts.items.into_iter().map(PhoneBody::from).collect();
    page_reply(format, &path, &items, page, contacts.total)
}

/// All contacts of a group, by id, page by page. It fails when the group goes on the way.
pub(super) fn pages(
    call: &Call,
    ctx: Ctx,
    group: ContactGroupId,
) -> impl Stream<Item = Result<Vec<Contact>, Error>> + Send + 'static {
    let app = call.shared_app();
    stream::try_unfold(Some(ContactId(0)), move |after| {
        let (app, ctx) = (app.clone(), ctx.clone());
        async move {
            let Some(after) = after else {
                return Ok(None);
            };
            let contacts = app.directory.contacts_after(&ctx, group, after, STEP).await?;
            let last = contacts.last().map(|contact| contact.id);
            // A page that is not full is the last one.
            let next = last.filter(|_| contacts.len() == STEP as usize);
            Ok(last.map(|_| (contacts, next)))
        }
    })
}

pub(super) async fn contact_create(call: &mut Call) -> Outcome {
    let (ctx, format, group) = of_group(call).await?;
    let draft = call.object(Mode::Create, decode).await?;
    let contact = call.directory().contact_create(&ctx, group, draft).await?;
    item(StatusCode::CREATED, format, contact)
}

/// Adds many. Each entry is told for itself, beside the others.
pub(super) async fn contacts_add(call: &mut Call) -> Outcome {
    let (ctx, format, group) = of_group(call).await?;
    let country = call.directory().contact_country(&ctx).await?;
    let read = move |drafts: Vec<_>| ContactWishes::read(drafts, &country);
    let wishes = call.large_array(MAX_ADDED, decode, read).await?;
    let results = call.directory().contacts_add(&ctx, group, wishes, Taken::Refuse, Expect::AllNew).await?;
    let mut body = Vec::with_capacity(results.len() * 256 + 256);
    let total = u64::try_from(results.len()).unwrap_or(u64::MAX);
    let path = format!("{}/phones/batch", group_path(group.0));
    let mut writer = Writer::begin::<PhoneBody>(&mut body, format, &path, total)?;
    for result in results {
        writer.next(&mut body);
        match result {
            Ok(added) => {
                entry(&mut body, StatusCode::CREATED)?;
                write_item(&mut body, format, &PhoneBody::from(added.into_contact()))?;
            }
            Err(error) => {
                let refusal = Refusal::of(error.into());
                entry(&mut body, refusal.status)?;
                refusal.write_entry(&mut body, format)?;
            }
        }
        body.push(b'}');
    }
    writer.end(&mut body, None)?;
    Ok(Reply::of_kind(format.content_type(), StatusCode::CREATED, body))
}

/// Begins an entry of a batch's answer.
fn entry(out: &mut Vec<u8>, status: StatusCode) -> Result<(), Error> {
    out.extend_from_slice(b"{\"status\":");
    write(out, &status.as_u16())?;
    out.extend_from_slice(b",\"body\":");
    Ok(())
}

pub(super) async fn contact_get(call: &mut Call) -> Outcome {
    let (_, format, contact) = find(call).await?;
    item(StatusCode::OK, format, contact)
}

pub(super) async fn contact_update(call: &mut Call) -> Outcome {
    let (ctx, format, found) = find(call).await?;
    let draft = call.object(Mode::Merge, decode).await?;
    let condition = call.if_match(tag);
    let contact = call.directory().contact_update(&ctx, found, draft, condition).await?;
    item(StatusCode::OK, format, contact)
}

pub(super) async fn contact_delete(call: &mut Call) -> Outcome {
    let (ctx, _, found) = find(call).await?;
    let condition = call.if_match(tag);
    call.directory().contact_delete(&ctx, found, condition).await?;
    Ok(Reply::empty())
}

/// The caller, and the group that the path names.
async fn of_group(call: &mut Call) -> Result<(Ctx, Format, ContactGroupId), Failure> {
    let id = call.path_id(Entity::ContactGroup).map(ContactGroupId);
    let (ctx, format, found) = enter_for(call, id, Subject::ContactGroup).await?;
    let group = call.directory().contact_group_found(&ctx, found)?;
    Ok((ctx, format, group.id))
}

/// The caller, and the phone that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, Format, Contact), Failure> {
    let id = call.path_id(Entity::Contact).map(ContactId);
    let (ctx, format, found) = enter_for(call, id, Subject::Contact).await?;
    let contact = call.directory().contact_found(&ctx, found)?;
    Ok((ctx, format, contact))
}

fn item(status: StatusCode, format: Format, contact: Contact) -> Outcome {
    let tag = tag(&contact);
    Ok(reply(status, format, &PhoneBody::from(contact))?.tag(tag))
}

/// The schemas of the answer to a batch.
pub(super) fn batch(schemas: &mut Schemas) -> Content {
    let plain = schemas.reference::<PhoneBody>();
    let linked = linked_schema::<PhoneBody>(schemas);
    let [(_, problem), (_, hydra)] = super::failure::schemas(schemas).try_into().unwrap_or_default();
    let entries = |good: Value, bad: Value| {
        let entry = |status: Value, body: Value| {
            json!({
                "type": "object",
                "properties": {"status": status, "body": body},
                "required": ["status", "body"],
            })
        };
        let refused = json!({"type": "integer", "minimum": 400, "maximum": 599});
        let created = json!({"type": "integer", "const": 201});
        json!({"type": "array", "items": {"oneOf": [entry(created, good), entry(refused, bad)]}})
    };
    let collection = collection_schema::<PhoneBody>(&entries(linked, hydra), None);
    vec![(JSON, entries(plain, problem)), (JSON_LD, collection)]
}
