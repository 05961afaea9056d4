//! Looking for what must never be in a store: broken trees, counts that disagree, gaps, wrong keys.

use muster_domain::credential::seal_context;
use muster_domain::secret::ServerKey;
use muster_domain::tenant::{Tenant, TenantStatus};
use muster_domain::{IdKind, OrgUnitId, TenantId};
use rusqlite::{Connection, Params, Result, Row, params};

use super::{contents, rekey, rows, schema};
use crate::statements::{self, Statement, doctor as check};

/// Of one kind of finding, so many ids are named for each tenant.
const NAMED: i64 = 10;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The tenant that it is about, or `None` for the store itself.
    pub tenant: Option<TenantId>,
    /// A sentence.
    pub what: String,
}

/// All checks, in one state of the store.
pub(super) fn run(
    connection: &Connection,
    key: &ServerKey,
    mut progress: impl FnMut(&str),
) -> Result<Vec<Finding>> {
    let mut doctor = Doctor { connection, findings: Vec::new() };
    progress("the file and its indexes");
    doctor.file()?;
    if !doctor.schema()? {
        // What is not there cannot be looked at.
        return Ok(doctor.findings);
    }
    progress("what belongs to the installation");
    doctor.claims()?;
    doctor.ids()?;
    doctor.key(key)?;
    doctor.secrets(key)?;
    let mut last = 0;
    loop {
        let row = |row: &Row<'_>| Ok((TenantId(row.get(0)?), rows::tenant(row)));
        let page = doctor.rows(&statements::tenant::LIST, params![last, 500], row)?;
        let Some((end, _)) = page.last() else {
            return Ok(doctor.findings);
        };
        last = end.0;
        for (id, tenant) in page {
            progress(&format!("tenant {id}"));
            match tenant {
                Ok(tenant) => doctor.tenant(&tenant)?,
                Err(error) => doctor.found(Some(id), contents::not_understood("tenant", id.0, &error)),
            }
        }
    }
}

struct Doctor<'a> {
    connection: &'a Connection,
    findings: Vec<Finding>,
}

impl Doctor<'_> {
    fn found(&mut self, tenant: Option<TenantId>, what: String) {
        self.findings.push(Finding { tenant, what });
    }

    fn rows<T>(
        &self,
        statement: &Statement,
        params: impl Params,
        row: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.connection.prepare_cached(statement.sqlite())?.query_map(params, row)?.collect()
    }

    /// Pages, rows and indexes agree, and what rows refer to is there.
    fn file(&mut self) -> Result<()> {
        let texts = |pragma: &str, column: usize| -> Result<Vec<String>> {
            self.connection.prepare(pragma)?.query_map([], |row| row.get(column))?.collect()
        };
        let damage = texts("PRAGMA integrity_check(20)", 0)?;
        let dangling = texts("PRAGMA foreign_key_check", 0)?;
        for what in damage.into_iter().filter(|line| line != "ok") {
            self.found(None, format!("the file is damaged: {what}"));
        }
        for table in dangling.into_iter().take(20) {
            self.found(None, format!("a row of {table} refers to what is not there"));
        }
        Ok(())
    }

    /// Tables and indexes are those of a new store. Whether all tables are.
    fn schema(&mut self) -> Result<bool> {
        let wrong = schema::differences(self.connection)?;
        let tables = !wrong.iter().any(|difference| difference.is_table);
        for difference in wrong {
            self.found(None, difference.what);
        }
        Ok(tables)
    }

    /// The store knows the server key that it was opened with.
    fn key(&mut self, key: &ServerKey) -> Result<()> {
        let mut known = self.connection.prepare("SELECT fingerprint FROM server_key")?;
        let known: Vec<Vec<u8>> = known.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
        if known != [key.fingerprint().to_vec()] {
            self.found(None, "the fingerprint of the server key is missing".to_owned());
        }
        Ok(())
    }

    /// Every claim of a login is that of a user who has it.
    fn claims(&mut self) -> Result<()> {
        let nobodys = "SELECT c.tenant_id, c.user_id FROM login_claims c
            LEFT JOIN users u ON u.tenant_id = c.tenant_id AND u.id = c.user_id AND u.login_key = c.login_key
                AND u.login_claimed = 1 AND u.status <> 3
            WHERE u.id IS NULL LIMIT 20";
        let mut statement = self.connection.prepare(nobodys)?;
        let found = statement.query_map([], |row| Ok((TenantId(row.get(0)?), row.get::<_, i64>(1)?)))?;
        let found: Vec<_> = found.collect::<Result<_>>()?;
        for (tenant, user) in found {
            self.found(Some(tenant), format!("a login is kept for user {user}, who does not have it"));
        }
        Ok(())
    }

    /// No id will be given out a second time.
    fn ids(&mut self) -> Result<()> {
        for kind in IdKind::ALL {
            let table = match kind {
                IdKind::Tenant => "tenants",
                IdKind::OrgUnit => "org_units",
                IdKind::User => "users",
                IdKind::Credential => "credentials",
                IdKind::ContactGroup => "contact_groups",
                IdKind::Contact => "contacts",
            };
            let greatest = format!("SELECT COALESCE(MAX(id), 0) FROM {table}");
            let greatest: i64 = self.connection.query_row(&greatest, [], |row| row.get(0))?;
            let next = "SELECT COALESCE(MAX(next_id), 1) FROM id_blocks WHERE kind = ?1";
            let next: i64 = self.connection.query_row(next, [kind.as_str()], |row| row.get(0))?;
            if greatest >= next {
                self.found(None, format!("{table} has id {greatest}, but {next} is to be given out next"));
            }
        }
        Ok(())
    }

    /// Every sealed secret opens under the server key.
    fn secrets(&mut self, key: &ServerKey) -> Result<()> {
        for (tenant, id, secret) in rekey::sealed_secrets(self.connection)? {
            if key.open(&seal_context(tenant, id), &secret).is_none() {
                self.found(
                    Some(tenant),
                    format!("the server key does not open the secret of credential {id}"),
                );
            }
        }
        Ok(())
    }

    fn tenant(&mut self, tenant: &Tenant) -> Result<()> {
        // What is left of one whose removal was broken off has no shape any more.
        if tenant.status == TenantStatus::Deleting {
            return Ok(());
        }
        let id = tenant.id;
        self.ids_of(id, &check::TOP, "the top of the tree is not")?;
        self.unreached(id, tenant.top_org_unit_id)?;
        self.ids_of(id, &check::ACTIVE_UNDER_ARCHIVED, "active under an archived parent: org unit")?;
        self.ids_of(id, &check::USER_UNITS, "in no org unit, or in an archived one: user")?;
        self.ids_of(id, &check::UNCLAIMED, "can log in, but the login is not kept for it: user")?;
        self.ids_of(id, &check::SESSIONS, "has a session, but is not active: user")?;
        self.ids_of(id, &check::NO_ADMIN, "no active Admin in the top unit of tenant")?;
        self.ids_of(
            id,
            &check::CONTACT_COUNTS,
            "its contacts are not as many as are counted: contact group",
        )?;
        self.ids_of(id, &check::CONTACT_GROUPS, "in no list, or in one of another tenant: contact")?;
        self.ids_of(
            id,
            &check::MEMBERS,
            "in a group as nobody, as a deleted one, or in none that there is: user",
        )?;
        self.ids_of(id, &check::PRIMARIES, "in groups, of which not one is primary: user")?;
        self.counts(id)?;
        self.journal(id)?;
        self.contents(id)
    }

    fn ids_of(&mut self, tenant: TenantId, statement: &Statement, what: &str) -> Result<()> {
        let ids: Vec<i64> = self.rows(statement, [tenant.0, NAMED], |row| row.get(0))?;
        for id in ids {
            self.found(Some(tenant), format!("{what} {id}"));
        }
        Ok(())
    }

    /// The tree is a tree: whatever is in it hangs below the top.
    fn unreached(&mut self, tenant: TenantId, top: OrgUnitId) -> Result<()> {
        let ids: Vec<i64> = self.rows(&check::UNREACHED, [tenant.0, top.0, NAMED], |row| row.get(0))?;
        for id in ids {
            self.found(Some(tenant), format!("not below the top of the tree: org unit {id}"));
        }
        Ok(())
    }

    fn counts(&mut self, tenant: TenantId) -> Result<()> {
        let names = ["org units", "active users", "inactive users", "deleted users"];
        let counts = self.rows(&check::COUNTS, [tenant.0], |row| {
            (0..8).map(|column| row.get(column)).collect::<Result<Vec<i64>>>()
        })?;
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
    fn journal(&mut self, tenant: TenantId) -> Result<()> {
        let row = |row: &Row<'_>| {
            let (entries, head, trimmed): (i64, i64, i64) = (row.get(0)?, row.get(3)?, row.get(4)?);
            Ok((entries, row.get::<_, Option<i64>>(1)?, row.get::<_, Option<i64>>(2)?, head, trimmed))
        };
        for (entries, first, last, head, trimmed) in self.rows(&check::JOURNAL, [tenant.0], row)? {
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
    fn contents(&mut self, tenant: TenantId) -> Result<()> {
        self.ids_of(tenant, &check::TOKENS, "has a token that is not understood: user")?;
        self.each(tenant, &check::UNITS, contents::org_unit)?;
        self.each(tenant, &check::USERS, contents::user)?;
        self.each(tenant, &check::GROUPS, contents::contact_group)?;
        self.each(tenant, &check::CONTACTS, contents::contact)?;
        self.each(tenant, &check::USER_GROUPS, contents::user_group)?;
        self.each(tenant, &check::ENTRIES, contents::journal_entry)?;
        self.each(tenant, &statements::tenant::CREDENTIALS, |row| contents::credential(tenant, row))
    }

    /// Notes the first things that `wrong` says, row by row, so that no tenant is too large.
    fn each(
        &mut self,
        tenant: TenantId,
        statement: &Statement,
        wrong: impl FnMut(&Row<'_>) -> Result<Option<String>>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(statement.sqlite())?;
        let wrong = statement.query_map([tenant.0], wrong)?;
        let named = wrong.filter_map(Result::transpose).take(10).collect::<Result<Vec<_>>>()?;
        for what in named {
            self.found(Some(tenant), what);
        }
        Ok(())
    }
}
