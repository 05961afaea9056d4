//! Looking for what must never be in a store: broken trees, counts that disagree, gaps, wrong keys.

mod contents;
mod money;

use std::ops::ControlFlow;

use muster_domain::secret::ServerKey;
use muster_domain::tenant::{Tenant, TenantStatus};
use muster_domain::{IdKind, OrgUnitId, StoreError, TenantId};
use uuid::Uuid;

use crate::driver::Read;
use crate::row::{Row, get};
use crate::rows;
use crate::secrets::{Sealed, sealed_secrets};
use crate::statements::{self, Statement, doctor as check, installation};
use crate::value::values;

type Result<T> = std::result::Result<T, StoreError>;

/// Of one kind of finding, so many ids are named for each tenant.
const NAMED: usize = 10;
const AT_MOST: i64 = 10;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The tenant that it is about, or `None` for the store itself.
    pub tenant: Option<TenantId>,
    /// A sentence.
    pub what: String,
}

/// All checks, in one state of the store. `progress` is told what is looked at.
pub(crate) async fn run(
    on: &impl Read,
    key: &ServerKey,
    mut progress: impl FnMut(&str),
) -> Result<Vec<Finding>> {
    let mut doctor = Doctor { on, findings: Vec::new() };
    progress("what belongs to the installation");
    doctor.claims().await?;
    doctor.ids().await?;
    doctor.key(key).await?;
    doctor.secrets(key).await?;
    doctor.prices().await?;
    let mut last = 0;
    loop {
        let row = |row: &dyn Row| Ok((TenantId(get(row, 0)?), rows::tenant(row)));
        let page = on.all(&statements::tenant::LIST, &values![last, 500_i64], row).await?;
        let Some((end, _)) = page.last() else {
            return Ok(doctor.findings);
        };
        last = end.0;
        for (id, tenant) in page {
            progress(&format!("tenant {id}"));
            match tenant {
                Ok(tenant) => doctor.tenant(&tenant).await?,
                Err(error) => doctor.found(Some(id), contents::not_understood("tenant", id.0, &error)),
            }
        }
    }
}

struct Doctor<'a, R> {
    on: &'a R,
    findings: Vec<Finding>,
}

impl<R: Read> Doctor<'_, R> {
    fn found(&mut self, tenant: Option<TenantId>, what: String) {
        self.findings.push(Finding { tenant, what });
    }

    /// The store knows the server key that it was opened with.
    async fn key(&mut self, key: &ServerKey) -> Result<()> {
        let known: Vec<Vec<u8>> = self.on.all(&installation::SERVER_KEYS, &[], |row| get(row, 0)).await?;
        if known != [key.fingerprint().to_vec()] {
            self.found(None, "the fingerprint of the server key is missing".to_owned());
        }
        Ok(())
    }

    /// Every claim of a login is that of a user who has it.
    async fn claims(&mut self) -> Result<()> {
        let row = |row: &dyn Row| Ok((TenantId(get(row, 0)?), get::<i64>(row, 1)?));
        for (tenant, user) in self.on.all(&installation::NOBODYS_CLAIMS, &[], row).await? {
            self.found(Some(tenant), format!("a login is kept for user {user}, who does not have it"));
        }
        Ok(())
    }

    /// No id will be given out a second time.
    async fn ids(&mut self) -> Result<()> {
        for kind in IdKind::ALL {
            let (table, greatest) = match kind {
                IdKind::Tenant => ("tenants", &installation::GREATEST_TENANT),
                IdKind::OrgUnit => ("org_units", &installation::GREATEST_ORG_UNIT),
                IdKind::User => ("users", &installation::GREATEST_USER),
                IdKind::Credential => ("credentials", &installation::GREATEST_CREDENTIAL),
                IdKind::ContactGroup => ("contact_groups", &installation::GREATEST_CONTACT_GROUP),
                IdKind::Contact => ("contacts", &installation::GREATEST_CONTACT),
                IdKind::Webhook => ("webhooks", &installation::GREATEST_WEBHOOK),
                IdKind::MediaPrompt => ("media_prompts", &installation::GREATEST_MEDIA_PROMPT),
                IdKind::Block => ("blocked_numbers", &installation::GREATEST_BLOCK),
                IdKind::Bulk => ("bulks", &installation::GREATEST_BULK),
                IdKind::Tag => ("tags", &installation::GREATEST_TAG),
            };
            let greatest = self.on.count(greatest, &[]).await?;
            let next = self.on.count(&installation::NEXT_ID, &values![kind.as_str()]).await?;
            if greatest >= next {
                self.found(None, format!("{table} has id {greatest}, but {next} is to be given out next"));
            }
        }
        Ok(())
    }

    /// Every sealed secret opens under the server key.
    async fn secrets(&mut self, key: &ServerKey) -> Result<()> {
        for Sealed { tenant, id, of, secret, .. } in sealed_secrets(self.on).await? {
            if key.open(&of.context(tenant, id), &secret).is_none() {
                let what = format!("the server key does not open the secret of {} {id}", of.name());
                self.found(Some(tenant), what);
            }
        }
        Ok(())
    }

    async fn tenant(&mut self, tenant: &Tenant) -> Result<()> {
        // What is left of one whose removal was broken off has no shape any more.
        if tenant.status == TenantStatus::Deleting {
            return Ok(());
        }
        let id = tenant.id;
        self.ids_of(id, &check::TOP, "the top of the tree is not").await?;
        self.unreached(id, tenant.top_org_unit_id).await?;
        self.ids_of(id, &check::ACTIVE_UNDER_ARCHIVED, "active under an archived parent: org unit").await?;
        self.ids_of(id, &check::USER_UNITS, "in no org unit, or in an archived one: user").await?;
        self.ids_of(id, &check::UNCLAIMED, "can log in, but the login is not kept for it: user").await?;
        self.ids_of(id, &check::SESSIONS, "has a session, but is not active: user").await?;
        self.ids_of(id, &check::NO_ADMIN, "no active Admin in the top unit of tenant").await?;
        self.ids_of(id, &check::CONTACT_COUNTS, "its contacts are not as many as are counted: contact group")
            .await?;
        self.ids_of(id, &check::CONTACT_GROUPS, "in no list, or in one of another tenant: contact").await?;
        self.ids_of(
            id,
            &check::MEMBERS,
            "in a group as nobody, as a deleted one, or in none that there is: user",
        )
        .await?;
        self.ids_of(id, &check::PRIMARIES, "in groups, of which not one is primary: user").await?;
        self.ids_of(id, &check::WEBHOOK_UNITS, "in no org unit: webhook").await?;
        self.ids_of(id, &check::CURSORS, "its place in the journal is not where it can be: webhook").await?;
        self.ids_of(id, &check::NOBODYS_DELIVERIES, "has deliveries, but is not there: webhook").await?;
        self.ids_of(
            id,
            &check::UNTIMELY_DELIVERIES,
            "has an open delivery that is never tried, or tries one that is not open: webhook",
        )
        .await?;
        self.ids_of(id, &check::TAG_UNITS, "of no org unit: tag").await?;
        self.ids_of(id, &check::MEDIA_UNITS, "of no org unit: media prompt").await?;
        self.ids_of(
            id,
            &check::MEDIA_OBJECTS,
            "its object is marked as one that nothing refers to: media prompt",
        )
        .await?;
        self.texts_of(id, &check::UNQUEUED, "is new, but nobody will hand it over: message").await?;
        self.texts_of(id, &check::QUEUED, "waits to be handed over, but is not new: message").await?;
        self.ids_of(id, &check::BULK_UNITS, "of no org unit: bulk").await?;
        self.ids_of(id, &check::BULK_COUNTS, "its messages are not as many as are counted: bulk").await?;
        self.ids_of(id, &check::BULK_COSTS, "its cost is not what its movements say: bulk").await?;
        self.counts(id).await?;
        self.balance(id).await?;
        self.journal(id).await?;
        self.contents(id).await
    }

    async fn ids_of(&mut self, tenant: TenantId, statement: &'static Statement, what: &str) -> Result<()> {
        let ids: Vec<i64> = self.on.all(statement, &values![tenant.0, AT_MOST], |row| get(row, 0)).await?;
        for id in ids {
            self.found(Some(tenant), format!("{what} {id}"));
        }
        Ok(())
    }

    /// As [`Doctor::ids_of`], of what has UUIDs.
    async fn texts_of(&mut self, tenant: TenantId, statement: &'static Statement, what: &str) -> Result<()> {
        let ids: Vec<Uuid> = self.on.all(statement, &values![tenant.0, AT_MOST], |row| get(row, 0)).await?;
        for id in ids {
            self.found(Some(tenant), format!("{what} {id}"));
        }
        Ok(())
    }

    /// The tree is a tree: whatever is in it hangs below the top.
    async fn unreached(&mut self, tenant: TenantId, top: OrgUnitId) -> Result<()> {
        let ids: Vec<i64> =
            self.on.all(&check::UNREACHED, &values![tenant.0, top.0, AT_MOST], |row| get(row, 0)).await?;
        for id in ids {
            self.found(Some(tenant), format!("not below the top of the tree: org unit {id}"));
        }
        Ok(())
    }

    async fn counts(&mut self, tenant: TenantId) -> Result<()> {
        let names = [
            "org units",
            "active users",
            "inactive users",
            "deleted users",
            "user groups",
            "messages",
            "incoming messages",
        ];
        let counts = self
            .on
            .all(&check::COUNTS, &values![tenant.0], |row| {
                (0..2 * names.len()).map(|column| get(row, column)).collect::<Result<Vec<i64>>>()
            })
            .await?;
        let Some((kept, real)) = counts.first().and_then(|row| row.split_at_checked(names.len())) else {
            self.found(Some(tenant), "its counts and the head of its journal are missing".to_owned());
            return Ok(());
        };
        for ((name, kept), real) in names.iter().zip(kept).zip(real) {
            if kept != real {
                self.found(Some(tenant), format!("{kept} {name} are counted, but there are {real}"));
            }
        }
        Ok(())
    }

    /// The journal begins after what was trimmed, ends at its head, and has no gap.
    async fn journal(&mut self, tenant: TenantId) -> Result<()> {
        let row = |row: &dyn Row| {
            let (entries, head, trimmed): (i64, i64, i64) = (get(row, 0)?, get(row, 3)?, get(row, 4)?);
            Ok((entries, get::<Option<i64>>(row, 1)?, get::<Option<i64>>(row, 2)?, head, trimmed))
        };
        for (entries, first, last, head, trimmed) in
            self.on.all(&check::JOURNAL, &values![tenant.0], row).await?
        {
            let (first, last) = (first.unwrap_or(trimmed + 1), last.unwrap_or(trimmed));
            if first != trimmed + 1 {
                self.found(
                    Some(tenant),
                    format!("the journal begins at {first}, but it was trimmed up to {trimmed}"),
                );
            }
            if last != head {
                self.found(Some(tenant), format!("the journal ends at {last}, but its head is {head}"));
            }
            let missing = last - first + 1 - entries;
            if missing != 0 {
                self.found(
                    Some(tenant),
                    format!("of the journal's entries {first} to {last}, {missing} are missing"),
                );
            }
        }
        Ok(())
    }

    /// Every row can be read, and says what a row may say.
    async fn contents(&mut self, tenant: TenantId) -> Result<()> {
        self.ids_of(tenant, &check::TOKENS, "has a token that is not understood: user").await?;
        self.each(tenant, &check::UNITS, contents::org_unit).await?;
        self.each(tenant, &check::USERS, contents::user).await?;
        self.ids_of(tenant, &check::EMAILS_OF_NOBODY, "has an address, but is deleted or nobody: user")
            .await?;
        self.each(tenant, &check::EMAILS, contents::user_email).await?;
        self.each(tenant, &check::GROUPS, contents::contact_group).await?;
        self.each(tenant, &check::CONTACTS, contents::contact).await?;
        self.each(tenant, &check::USER_GROUPS, contents::user_group).await?;
        self.each(tenant, &check::WEBHOOKS, contents::webhook).await?;
        self.each(tenant, &check::DELIVERIES, contents::delivery).await?;
        self.each(tenant, &check::TAGS, contents::tag).await?;
        self.each(tenant, &check::MEDIA_PROMPTS, contents::media_prompt).await?;
        self.each(tenant, &check::BLOCKS, contents::block).await?;
        self.each(tenant, &check::BULKS, contents::bulk).await?;
        self.each(tenant, &check::MESSAGES, contents::message).await?;
        self.each(tenant, &check::INCOMINGS, contents::incoming).await?;
        self.each(tenant, &check::MOVEMENTS, contents::movement).await?;
        self.each(tenant, &check::ENTRIES, contents::journal_entry).await?;
        self.each(tenant, &statements::tenant::CREDENTIALS, contents::credential).await
    }

    /// Notes the first things that `wrong` says, row by row, so that no tenant is too large.
    async fn each(
        &mut self,
        tenant: TenantId,
        statement: &'static Statement,
        wrong: fn(&dyn Row) -> Result<Option<String>>,
    ) -> Result<()> {
        let mut named = Vec::new();
        let see = |row: &dyn Row| {
            named.extend(wrong(row)?);
            Ok(if named.len() < NAMED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        };
        self.on.visit(statement, &values![tenant.0], see).await?;
        for what in named {
            self.found(Some(tenant), what);
        }
        Ok(())
    }
}
