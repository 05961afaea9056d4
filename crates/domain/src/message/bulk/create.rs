//! Making a bulk, and what a request wants of one.

use std::collections::HashSet;

use super::{Bulk, BulkCounts, bulk_limits};
use crate::contact::PhoneNumber;
use crate::directory::ATTEMPTS;
use crate::message::{
    BroadcastEvent, BulkStatus, Encoding, Money, PlaceholderStyle, SendOptions, SendWindow, SenderId,
    schedule,
};
use crate::{
    Access, Area, Batch, BulkId, Change, ContactGroupId, Ctx, Directory, Draft, Error, FieldErrors, Guard,
    IdKind, JournalEntry, OrgUnitId, Patch, Problem, Rule, Store, StoreError, Timestamp, journal,
};

/// What a request wants of a bulk. A new one is a patch of an empty one.
#[derive(Clone, Debug, Default)]
pub struct BulkPatch {
    pub org_unit_id: Option<OrgUnitId>,
    /// Trimmed, NFC, not empty.
    pub name: Patch<String>,
    pub sender: Option<SenderId>,
    /// It has passed [`crate::message::template_text`].
    pub text: Option<String>,
    pub encoding: Patch<Encoding>,
    /// As they were sent; national numbers are read by the tenant's country.
    pub phones: Option<Vec<String>>,
    pub groups: Option<Vec<ContactGroupId>>,
    pub deliver_at: Patch<Timestamp>,
    pub window: Patch<SendWindow>,
    pub options: Option<SendOptions>,
    pub status: Option<BulkStatus>,
}

/// What is only said of a bulk when it is made.
#[derive(Clone, Debug)]
pub struct NewBulk {
    pub patch: BulkPatch,
    pub style: PlaceholderStyle,
    pub is_dry_run: bool,
    /// The address that the request came from.
    pub ip: Option<String>,
}

/// Who a bulk goes to, as far as a request says it: read, and each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Recipients {
    pub(super) phones: Option<Vec<PhoneNumber>>,
    pub(super) groups: Option<Vec<ContactGroupId>>,
}

impl Recipients {
    pub(super) fn apply(&self, bulk: &mut Bulk) {
        if let Some(phones) = &self.phones {
            bulk.phones.clone_from(phones);
        }
        if let Some(groups) = &self.groups {
            bulk.groups.clone_from(groups);
        }
    }
}

impl BulkPatch {
    /// Writes the wishes into a bulk, but for recipients and status.
    pub(super) fn apply(&self, bulk: &mut Bulk) {
        if let Some(unit) = self.org_unit_id {
            bulk.org_unit_id = unit;
        }
        if let Some(sender) = &self.sender {
            bulk.sender.clone_from(sender);
        }
        if let Some(text) = &self.text {
            bulk.text.clone_from(text);
        }
        if let Some(options) = &self.options {
            bulk.options.clone_from(options);
        }
        self.name.clone().apply(&mut bulk.name);
        self.encoding.clone().apply(&mut bulk.encoding);
        self.deliver_at.clone().apply(&mut bulk.deliver_at);
        self.window.clone().apply(&mut bulk.window);
    }

    /// Notes a time of a broadcast that has passed; a bulk of LOX24 begins at once then.
    pub(super) fn check_time(
        &self,
        style: PlaceholderStyle,
        stored: Option<Timestamp>,
        now: Timestamp,
        errors: &mut FieldErrors,
    ) {
        if let (PlaceholderStyle::Braces, Patch::Set(wish)) = (style, &self.deliver_at) {
            errors.take("deliver_at", schedule::scheduled_at(*wish, stored, now));
        }
    }
}

impl<S: Store> Directory<S> {
    /// Makes a bulk, of the caller's own unit by default; it is expanded and sent later. A dry run is kept and counted too,
    /// and costs nothing.
    ///
    /// Errors: `Invalid` (no sender or text; a number that cannot be read; a unit or a group that is unknown; a time that
    /// has passed), `Rule` for one without recipients, and for a status that a new one cannot have.
    pub async fn bulk_create(&self, ctx: &Ctx, draft: Draft<NewBulk>) -> Result<Bulk, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let mut bulk = self.bulk_read(ctx, draft).await?;
        bulk.id = BulkId(self.store.next_id(IdKind::Bulk).await?);
        let unit = bulk.org_unit_id;
        for _ in 0..ATTEMPTS {
            let payload = journal::created(bulk.fields());
            let kind = BroadcastEvent::Created.as_str();
            let batch = Batch::new(bulk.tenant)
                .guard(Guard::UnitActive(unit))
                .change(Change::BulkInsert(Box::new(bulk.clone())))
                .journal(JournalEntry::new(ctx, kind, bulk.id, bulk.version, payload).in_unit(unit));
            match self.store.commit(batch).await {
                Ok(()) => return Ok(bulk),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
            let mut errors = FieldErrors::default();
            self.org_unit_usable(ctx, unit, "org_unit_id", &mut errors).await?;
            errors.finish()?;
        }
        Err(Error::contended())
    }

    /// The bulk that is wished for, without an id.
    async fn bulk_read(&self, ctx: &Ctx, draft: Draft<NewBulk>) -> Result<Bulk, Error> {
        let Draft { value: NewBulk { patch, style, is_dry_run, ip }, mut errors } = draft;
        for (field, is_missing) in [("sender", patch.sender.is_none()), ("text", patch.text.is_none())] {
            if is_missing && !errors.names(field) {
                errors.push(field, Problem::Required);
            }
        }
        patch.check_time(style, None, ctx.now(), &mut errors);
        let recipients = self.bulk_recipients_read(ctx, &patch, &mut errors).await?;
        let org_unit_id = patch.org_unit_id.unwrap_or(ctx.scope());
        self.org_unit_usable(ctx, org_unit_id, "org_unit_id", &mut errors).await?;
        let (sender, text) = errors.complete(patch.sender.clone().zip(patch.text.clone()))?;
        let now = ctx.now();
        let mut bulk = Bulk {
            id: BulkId(0),
            uuid: self.entropy.uuid_at(now),
            tenant: ctx.tenant(),
            org_unit_id,
            name: None,
            sender,
            text,
            style,
            encoding: None,
            phones: Vec::new(),
            groups: Vec::new(),
            deliver_at: None,
            window: None,
            options: SendOptions::default(),
            is_dry_run,
            status: patch.status.unwrap_or(BulkStatus::Scheduled),
            counts: BulkCounts::default(),
            cost: Money::ZERO,
            author: ctx.actor(),
            ip: ctx.kept_address(ip),
            version: 1,
            created_at: now,
            modified_at: now,
            processed_at: None,
        };
        patch.apply(&mut bulk);
        recipients.apply(&mut bulk);
        if !bulk.has_recipients() {
            return Err(Error::Rule(Rule::NoRecipients));
        }
        if bulk.status.is_editable() { Ok(bulk) } else { Err(Error::Rule(Rule::BulkStatus)) }
    }

    /// Reads who a bulk goes to; those that cannot be are noted as `phones[3]` and `groups[0]`.
    pub(super) async fn bulk_recipients_read(
        &self,
        ctx: &Ctx,
        patch: &BulkPatch,
        errors: &mut FieldErrors,
    ) -> Result<Recipients, Error> {
        let mut read = Recipients::default();
        if let Some(raw) = &patch.phones {
            if raw.len() > bulk_limits::PHONES {
                errors.push("phones", Problem::TooManyEntries { max: bulk_limits::PHONES });
            } else {
                let country = if raw.is_empty() { String::new() } else { self.contact_country(ctx).await? };
                // Of those the wire has noted, the first problem is kept.
                let are_known = errors.names("phones");
                let mut phones = Vec::with_capacity(raw.len());
                for (at, raw) in raw.iter().enumerate() {
                    match PhoneNumber::read(raw, &country) {
                        Ok(phone) => phones.push(phone),
                        Err(problem) if are_known => errors.push(format!("phones[{at}]"), problem),
                        Err(problem) => errors.add(format!("phones[{at}]"), problem),
                    }
                }
                read.phones = Some(phones);
            }
        }
        if let Some(groups) = &patch.groups {
            if groups.len() > bulk_limits::GROUPS {
                errors.push("groups", Problem::TooManyEntries { max: bulk_limits::GROUPS });
            } else {
                let (mut seen, mut each) = (HashSet::new(), Vec::with_capacity(groups.len()));
                for (at, id) in groups.iter().enumerate() {
                    if !seen.insert(*id) {
                        continue;
                    }
                    if self.store.contact_group(ctx.tenant(), *id, ctx.now()).await?.is_none() {
                        errors.push(format!("groups[{at}]"), Problem::Unknown("contact group"));
                    }
                    each.push(*id);
                }
                read.groups = Some(each);
            }
        }
        Ok(read)
    }
}
