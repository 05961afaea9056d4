//! Creating, changing and deleting webhooks.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::Map;

use super::{Webhook, WebhookFormat, WebhookPatch, WebhookSecret, WebhookStatus, WebhookView, seal_context};
use crate::directory::{ATTEMPTS, check_precondition};
use crate::secret::ServerKey;
use crate::{
    Access, Batch, Change, Ctx, Directory, Draft, Entity, Error, FieldErrors, Guard, IdKind, JournalEntry,
    Precondition, Problem, Rule, Store, StoreError, WebhookId, journal,
};

/// How long the secret of before a rotation signs too.
pub const SECRET_OVERLAP: Duration = Duration::from_hours(24);

/// A webhook with its plain secret, to be shown once.
#[derive(Debug)]
pub struct NewWebhook {
    pub webhook: Webhook,
    /// `whsec_` and Base64 (Standard Webhooks specification).
    pub secret: SecretString,
}

impl<S: Store> Directory<S> {
    /// Creates a webhook; without a unit it is the caller's own that is told of.
    ///
    /// Errors: `Invalid` (no name, address or events; events or parameters that cannot be; a unit that is unknown, out of
    /// scope or archived),
    /// `Rule` when the tenant has as many as it may.
    pub async fn webhook_create(
        &self,
        ctx: &Ctx,
        key: &ServerKey,
        draft: Draft<WebhookPatch>,
    ) -> Result<NewWebhook, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        let missing = [
            ("name", patch.name.is_none()),
            ("url", patch.url.is_none()),
            ("events", patch.events.is_none()),
        ];
        for (field, _) in missing.into_iter().filter(|(_, missing)| *missing) {
            if !errors.names(field) {
                errors.push(field, Problem::Required);
            }
        }
        let unit = patch.org_unit_id.unwrap_or(ctx.scope());
        let mut id = None;
        for _ in 0..ATTEMPTS {
            self.org_unit_usable(ctx, unit, "org_unit_id", &mut errors).await?;
            let mut webhook = Webhook::new(ctx, id.unwrap_or(WebhookId(0)), unit);
            patch.apply(&mut webhook);
            webhook.check(&mut errors);
            std::mem::take(&mut errors).finish()?;
            let id = match id {
                Some(id) => id,
                None => *id.insert(WebhookId(self.store.next_id(IdKind::Webhook).await?)),
            };
            webhook.id = id;
            let (secret, sealed) = self.webhook_secret_new(key, &webhook);
            let payload = journal::created(webhook.fields());
            let entry = JournalEntry::new(ctx, "webhook.created", id, webhook.version, payload).in_unit(unit);
            let batch = Batch::new(ctx.tenant())
                .guard(Guard::ServerKey { fingerprint: key.fingerprint() })
                .guard(Guard::UnitActive(unit))
                .guard(room(&webhook))
                .change(Change::WebhookInsert(Box::new((webhook.clone(), sealed))))
                .journal(entry);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(NewWebhook { webhook, secret }),
                // A new row rests on nothing but its tenant.
                Err(StoreError::Stale) => return Err(Error::NotFound(Entity::Tenant)),
                Err(StoreError::GuardFailed) => self.webhook_has_room(ctx, &webhook).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Changes a webhook that the caller has read. A change that changes nothing commits nothing. One that becomes active
    /// again is told of what happens from then on.
    ///
    /// Errors: `Invalid`, `Precondition`, `Rule`, `NotFound` when the webhook is gone meanwhile.
    pub async fn webhook_update(
        &self,
        ctx: &Ctx,
        found: WebhookView,
        draft: Draft<WebhookPatch>,
        precondition: Option<Precondition<WebhookView>>,
    ) -> Result<WebhookView, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        let id = found.webhook.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let current = match found.take() {
                Some(found) => found,
                None => self.webhook_get(ctx, id).await?,
            };
            let before = &current.webhook;
            let new_unit = patch.org_unit_id.filter(|unit| *unit != before.org_unit_id);
            if let Some(unit) = new_unit {
                self.org_unit_usable(ctx, unit, "org_unit_id", &mut errors).await?;
            }
            let mut after = before.clone();
            patch.apply(&mut after);
            after.check(&mut errors);
            std::mem::take::<FieldErrors>(&mut errors).finish()?;
            check_precondition(precondition.as_ref(), &current)?;
            if after == *before {
                return Ok(current);
            }
            after.version += 1;
            after.modified_at = self.now().max(before.modified_at);
            let payload = journal::changed(before.fields(), after.fields());
            let entry = JournalEntry::new(ctx, "webhook.updated", id, after.version, payload);
            let entry = JournalEntry { at: after.modified_at, ..entry }.in_unit(after.org_unit_id);
            let restarts = before.status == WebhookStatus::Inactive && after.status == WebhookStatus::Active;
            let mut batch = Batch::new(ctx.tenant())
                .change(Change::WebhookUpdate { webhook: Box::new(after.clone()), restarts })
                .journal(entry);
            batch.guards.extend(new_unit.map(Guard::UnitActive));
            if after.format == WebhookFormat::Lox24 && before.format != after.format {
                batch.guards.push(room(&after));
            }
            match self.store.commit(batch).await {
                Ok(()) if restarts => return self.webhook_get(ctx, id).await,
                Ok(()) => return Ok(WebhookView { webhook: after, health: current.health }),
                Err(StoreError::GuardFailed) => self.webhook_has_room(ctx, &after).await?,
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Gives a webhook that the caller has read a new secret; the one before signs too for [`SECRET_OVERLAP`].
    ///
    /// Errors: `Precondition`, `NotFound` when the webhook is gone meanwhile.
    pub async fn webhook_rotate_secret(
        &self,
        ctx: &Ctx,
        key: &ServerKey,
        found: WebhookView,
        precondition: Option<Precondition<WebhookView>>,
    ) -> Result<NewWebhook, Error> {
        ctx.allow(Access::Write)?;
        let id = found.webhook.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let current = match found.take() {
                Some(found) => found,
                None => self.webhook_get(ctx, id).await?,
            };
            check_precondition(precondition.as_ref(), &current)?;
            let mut webhook = current.webhook;
            webhook.version += 1;
            webhook.modified_at = self.now().max(webhook.modified_at);
            let (secret, WebhookSecret { sealed, .. }) = self.webhook_secret_new(key, &webhook);
            let entry = JournalEntry::new(ctx, "webhook.secret_rotated", id, webhook.version, Map::new());
            let entry = JournalEntry { at: webhook.modified_at, ..entry }.in_unit(webhook.org_unit_id);
            let until = webhook.modified_at.plus(SECRET_OVERLAP);
            let rotate = Change::WebhookSecretRotate { webhook: Box::new(webhook.clone()), sealed, until };
            let batch = Batch::new(ctx.tenant())
                .guard(Guard::ServerKey { fingerprint: key.fingerprint() })
                .change(rotate)
                .journal(entry);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(NewWebhook { webhook, secret }),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Deletes a webhook that the caller has read; what was to be sent is not sent any more.
    ///
    /// Errors: `Precondition`, `NotFound` when the webhook is gone meanwhile.
    pub async fn webhook_delete(
        &self,
        ctx: &Ctx,
        found: WebhookView,
        precondition: Option<Precondition<WebhookView>>,
    ) -> Result<(), Error> {
        ctx.allow(Access::Write)?;
        let id = found.webhook.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let current = match found.take() {
                Some(found) => found,
                None => self.webhook_get(ctx, id).await?,
            };
            check_precondition(precondition.as_ref(), &current)?;
            let webhook = current.webhook;
            let at = self.now().max(webhook.modified_at);
            let entry = JournalEntry::new(ctx, "webhook.deleted", id, webhook.version + 1, Map::new());
            let batch = Batch::new(ctx.tenant())
                .change(Change::WebhookDelete { id, version: webhook.version, at })
                .journal(JournalEntry { at, ..entry }.in_unit(webhook.org_unit_id));
            match self.store.commit(batch).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// A new secret of 256 bits: plain, and under the server key.
    fn webhook_secret_new(&self, key: &ServerKey, webhook: &Webhook) -> (SecretString, WebhookSecret) {
        let plain = format!("whsec_{}", STANDARD.encode(self.random::<32>()));
        let sealed = key.seal(self.random(), &seal_context(webhook.tenant, webhook.id), plain.as_bytes());
        (plain.into(), WebhookSecret { sealed, before: None })
    }

    /// Says why there is no room for a webhook, if there is none. Errors: `Rule`.
    async fn webhook_has_room(&self, ctx: &Ctx, wanted: &Webhook) -> Result<(), Error> {
        let others = self.store.webhooks(ctx.tenant()).await?;
        let others = others.iter().map(|view| &view.webhook).filter(|webhook| webhook.id != wanted.id);
        let lox24 = others.clone().filter(|webhook| webhook.format == WebhookFormat::Lox24).count();
        if wanted.format == WebhookFormat::Lox24 && lox24 >= super::limits::LOX24_PER_TENANT as usize {
            Err(Error::Rule(Rule::TooManyLox24Webhooks))
        } else if others.count() >= super::limits::PER_TENANT as usize {
            Err(Error::Rule(Rule::TooManyWebhooks))
        } else {
            Ok(())
        }
    }
}

fn room(webhook: &Webhook) -> Guard {
    Guard::WebhookRoom { besides: webhook.id, of_lox24: webhook.format == WebhookFormat::Lox24 }
}
