//! What a row says that no release has written. Each function gives a sentence, or `None` for a sound row.

use std::fmt::Display;

use muster_domain::message::{Money, SenderId, blocked_number};
use muster_domain::secret::hex;
use muster_domain::tag;
use muster_domain::user::{name_key, password};
use muster_domain::webhook::is_event_pattern;
use muster_domain::{StoreError, TenantId, text};

use crate::row::{Row, get};
use crate::rows;

type Result<T> = std::result::Result<T, StoreError>;

/// A row that cannot be read.
pub(super) fn not_understood(what: &str, id: i64, error: &StoreError) -> String {
    format!("a row is not understood ({error}): {what} {id}")
}

/// The row as it is read, or the sentence for one that cannot be.
fn read<T>(row: &dyn Row, what: &str, as_read: Result<T>) -> Result<std::result::Result<T, String>> {
    let id = get(row, 0)?;
    Ok(as_read.map_err(|error| not_understood(what, id, &error)))
}

/// As [`read`], of a row that has a UUID, shown as its bytes are, which may not be one.
fn read_with_uuid<T>(
    row: &dyn Row,
    what: &str,
    as_read: Result<T>,
) -> Result<std::result::Result<T, String>> {
    let id = hex(row.bytes(0)?.unwrap_or_default());
    Ok(as_read.map_err(|error| format!("a row is not understood ({error}): {what} {id}")))
}

fn first(problems: &[(bool, &str)], what: &str, id: impl Display) -> Option<String> {
    let found = problems.iter().find(|(is_wrong, _)| *is_wrong);
    found.map(|(_, problem)| format!("{problem}: {what} {id}"))
}

fn is_time_zone(name: &str) -> bool {
    text::time_zone(name).as_deref() == Ok(name)
}

pub(super) fn org_unit(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "org unit";
    let unit = match read(row, WHAT, rows::org_unit(row))? {
        Ok(unit) => unit,
        Err(problem) => return Ok(Some(problem)),
    };
    let key: String = get(row, rows::ORG_UNIT_COLUMNS)?;
    let problems = [
        (text::key(&unit.name) != key, "the name is not the one it is compared by"),
        (!is_time_zone(&unit.timezone), "there is no such time zone"),
    ];
    Ok(first(&problems, WHAT, unit.id))
}

pub(super) fn user(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "user";
    let user = match read(row, WHAT, rows::user(row))? {
        Ok(user) => user,
        Err(problem) => return Ok(Some(problem)),
    };
    let login_key: String = get(row, rows::USER_COLUMNS)?;
    let names: String = get(row, rows::USER_COLUMNS + 1)?;
    let keys_fit = user.login_key() == login_key && name_key(&user.first_name, &user.last_name) == names;
    let display_name: Option<String> = get(row, rows::USER_COLUMNS + 2)?;
    let stands_in: bool = get(row, rows::USER_COLUMNS + 3)?;
    let addresses: i64 = get(row, rows::USER_COLUMNS + 4)?;
    let problems = [
        (!keys_fit, "login or name is not the one it is compared by"),
        (user.display_name_key() != display_name, "the display name is not the one it is compared by"),
        (user.login_is_email() != stands_in, "whether the login stands in for addresses is wrong"),
        (
            i64::try_from(user.email_keys().len()) != Ok(addresses),
            "its addresses are not as many as its document has",
        ),
        (!is_time_zone(&user.timezone), "there is no such time zone"),
        (
            user.password_hash.as_deref().is_some_and(|hash| !password::is_hash(hash)),
            "no password fits what is stored for it",
        ),
    ];
    Ok(first(&problems, WHAT, user.id))
}

/// An address with the user that it is one of.
pub(super) fn user_email(row: &dyn Row) -> Result<Option<String>> {
    // A user that cannot be read is found as such.
    let Ok(user) = rows::user(row) else { return Ok(None) };
    let key: String = get(row, rows::USER_COLUMNS)?;
    Ok(first(
        &[(!user.email_keys().contains(&key), "its document does not have an address of")],
        "user",
        user.id,
    ))
}

pub(super) fn contact_group(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "contact group";
    let group = match read(row, WHAT, rows::contact_group(row))? {
        Ok(group) => group,
        Err(problem) => return Ok(Some(problem)),
    };
    Ok(first(&[(group.name.trim().is_empty(), "the name is empty")], WHAT, group.id))
}

pub(super) fn contact(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "contact";
    let contact = match read(row, WHAT, rows::contact(row))? {
        Ok(contact) => contact,
        Err(problem) => return Ok(Some(problem)),
    };
    Ok(first(&[(!is_e164(contact.phone.as_str()), "the number is not in E.164")], WHAT, contact.id))
}

/// A plus sign and 4 to 15 digits (ITU-T E.164, section 6.2.1).
fn is_e164(phone: &str) -> bool {
    let digits = phone.strip_prefix('+').unwrap_or_default();
    (4..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn user_group(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "user group";
    // What cannot be read has no id that can be shown, if it is that which is wrong.
    let group = match rows::user_group(row) {
        Ok(group) => group,
        Err(error) => return Ok(Some(format!("a row is not understood ({error}): {WHAT}"))),
    };
    let at = rows::USER_GROUP_COLUMNS;
    let (name, description, external_id): (String, _, _) =
        (get(row, at)?, get(row, at + 1)?, get(row, at + 2)?);
    let keys_fit = group.name_key() == name
        && group.description_key() == description
        && group.external_id_key() == external_id;
    let problems = [
        (!keys_fit, "a text is not the one it is compared by"),
        (i64::try_from(group.members) != Ok(get(row, at + 3)?), "its members are not as many as are counted"),
    ];
    Ok(first(&problems, WHAT, group.id))
}

pub(super) fn webhook(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "webhook";
    let webhook = match read(row, WHAT, rows::webhook::view(row))? {
        Ok(view) => view.webhook,
        Err(problem) => return Ok(Some(problem)),
    };
    let problems = [
        (webhook.name.trim().is_empty(), "the name is empty"),
        (webhook.url.is_empty(), "the address is empty"),
        (!webhook.events.iter().all(|event| is_event_pattern(event)), "there is no such event"),
    ];
    Ok(first(&problems, WHAT, webhook.id))
}

pub(super) fn delivery(row: &dyn Row) -> Result<Option<String>> {
    let webhook: i64 = get(row, rows::webhook::DELIVERY_COLUMNS)?;
    Ok(read(row, &format!("webhook {webhook}, delivery"), rows::webhook::delivery(row))?.err())
}

pub(super) fn tag(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "tag";
    let tag = match read(row, WHAT, rows::tag(row))? {
        Ok(tag) => tag,
        Err(problem) => return Ok(Some(problem)),
    };
    let key: String = get(row, rows::TAG_COLUMNS)?;
    let has_color = |color: &String| tag::color(color).as_ref() == Ok(color);
    let problems = [
        (tag.name_key() != key, "the name is not the one it is compared by"),
        (!tag.color.iter().all(has_color), "the colour is none"),
    ];
    Ok(first(&problems, WHAT, tag.id))
}

pub(super) fn media_prompt(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "media prompt";
    let prompt = match read(row, WHAT, rows::media_prompt(row))? {
        Ok(prompt) => prompt,
        Err(problem) => return Ok(Some(problem)),
    };
    let foreign = prompt.object.tenant != prompt.tenant;
    Ok(first(&[(foreign, "its object is of another tenant")], WHAT, prompt.id))
}

pub(super) fn journal_entry(row: &dyn Row) -> Result<Option<String>> {
    Ok(read(row, "journal entry", rows::journal_record(row))?.err())
}

pub(super) fn block(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "blocked number";
    let block = match read(row, WHAT, rows::message::block(row))? {
        Ok(block) => block,
        Err(problem) => return Ok(Some(problem)),
    };
    Ok(first(&[(blocked_number(&block.number).is_err(), "it is none")], WHAT, block.id))
}

pub(super) fn bulk(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "bulk";
    let bulk = match read(row, WHAT, rows::bulk::stored(row))? {
        Ok(stored) => stored.bulk,
        Err(problem) => return Ok(Some(problem)),
    };
    let problems = [
        (SenderId::read(bulk.sender.as_str()).is_err(), "the sender is none"),
        (!bulk.has_recipients(), "it goes to nobody"),
        (!bulk.phones.iter().all(|phone| is_e164(phone.as_str())), "a number is not in E.164"),
        (bulk.status.has_ended() != bulk.processed_at.is_some(), "the time of its end is wrong"),
    ];
    Ok(first(&problems, WHAT, bulk.id))
}

pub(super) fn message(row: &dyn Row) -> Result<Option<String>> {
    const WHAT: &str = "message";
    let message = match read_with_uuid(row, WHAT, rows::message::message(row))? {
        Ok(message) => message,
        Err(problem) => return Ok(Some(problem)),
    };
    let is_kept = message.is_sent() && !message.options.is_text_deleted;
    let problems = [
        (!is_e164(message.phone.as_str()), "the number is not in E.164"),
        (SenderId::read(message.sender.as_str()).is_err(), "the sender is none"),
        (!message.state.status.is_paid() && message.price != Money::ZERO, "it is paid, but was not sent"),
        (message.is_sent() != message.handed_over_at.is_some(), "the time of its hand-over is wrong"),
        (is_kept && message.text.is_empty() && message.chars_count > 0, "its text is gone"),
    ];
    Ok(first(&problems, WHAT, message.id))
}

pub(super) fn incoming(row: &dyn Row) -> Result<Option<String>> {
    Ok(read_with_uuid(row, "incoming message", rows::message::incoming(row))?.err())
}

pub(super) fn movement(row: &dyn Row) -> Result<Option<String>> {
    Ok(read(row, "movement", rows::balance::movement(row))?.err())
}

/// Its tenant is what the statement asks for.
pub(super) fn credential(row: &dyn Row) -> Result<Option<String>> {
    Ok(read(row, "credential", rows::credential(TenantId(0), row))?.err())
}
