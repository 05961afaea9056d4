//! A directory over a store of its own, with tenants, units and users to test on.

use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use muster_domain::org_unit::{OrgUnit, OrgUnitPatch, OrgUnitStatus, OrgUnitStore as _};
use muster_domain::secret::ServerKey;
use muster_domain::session::{SessionPolicy, SessionToken, TokenKind};
use muster_domain::tenant::NewTenant;
use muster_domain::user::{Role, User, UserPatch, UserStatus, UserStore as _};
use muster_domain::{
    Batch, Change, Ctx, Dialect, Directory, Error, IdKind, JournalEntry, JournalFilter, JournalRecord,
    OrgUnitId, Store as _, StoreError, TenantId, UserId, secret, text,
};
use muster_store::{Limits, Store};
use serde_json::{Map, json};
use uuid::Uuid;

use crate::support::{Backend, DirectPasswords, FixedClock, START, SeededEntropy, start};

pub(crate) struct World<B: Backend> {
    pub(crate) directory: Arc<Directory<Store>>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) key: ServerKey,
    pub(crate) backend: B,
    /// The same directory on a server of its own, once one is asked for.
    other: OnceLock<Arc<Directory<Store>>>,
    turn: AtomicUsize,
}

/// A tenant with its top unit and its admin, and the operator's right to do everything in it.
pub(crate) struct Org {
    pub(crate) tenant: TenantId,
    pub(crate) top: OrgUnitId,
    pub(crate) admin: User,
    pub(crate) ctx: Ctx,
}

impl<B: Backend> World<B> {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self::over(B::create(), limits)
    }

    /// Over a store that was filled before: what is made at random is other than that.
    pub(crate) fn later(backend: B) -> Self {
        Self::seeded(backend, Limits::default(), 2)
    }

    fn over(backend: B, limits: Limits) -> Self {
        Self::seeded(backend, limits, 1)
    }

    fn seeded(backend: B, limits: Limits, seed: u64) -> Self {
        let (store, key) = backend.open(limits);
        let clock = Arc::new(FixedClock::default());
        let directory = Arc::new(Directory {
            store,
            clock: Arc::<FixedClock>::clone(&clock),
            entropy: Arc::new(SeededEntropy::new(seed)),
            passwords: Arc::new(DirectPasswords),
            sessions: SessionPolicy::default(),
        });
        Self { directory, clock, key, backend, other: OnceLock::new(), turn: AtomicUsize::new(0) }
    }

    /// The directory for the next one of those who act at once: on as many servers as the backend has at a time, in
    /// turn.
    pub(crate) fn node(&self) -> Arc<Directory<Store>> {
        if self.turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(B::NODES) {
            return Arc::clone(&self.directory);
        }
        let other = self.other.get_or_init(|| {
            Arc::new(Directory {
                store: self.backend.open(Limits::default()).0,
                clock: Arc::clone(&self.directory.clock),
                entropy: Arc::clone(&self.directory.entropy),
                passwords: Arc::clone(&self.directory.passwords),
                sessions: self.directory.sessions.clone(),
            })
        });
        Arc::clone(other)
    }

    /// Closes the store and opens the same database again.
    pub(crate) async fn reopened(self) -> Self {
        Self::over(self.closed().await, Limits::default())
    }

    /// Closes the store; what is left of it.
    pub(crate) async fn closed(self) -> B {
        self.store().close().await;
        self.backend
    }

    pub(crate) fn store(&self) -> &Store {
        &self.directory.store
    }

    /// A new tenant whose admin has the login `admin@<name>` and no password.
    pub(crate) async fn org(&self, name: &str) -> Org {
        self.org_with(name, None).await
    }

    pub(crate) async fn org_with(&self, name: &str, password: Option<&str>) -> Org {
        let new = NewTenant {
            name: name.to_owned(),
            country: "US".to_owned(),
            admin: UserPatch {
                login: Some(format!("admin@{name}")),
                first_name: Some("Ann".to_owned()),
                last_name: Some("Lee".to_owned()),
                password: password.map(Into::into),
                ..UserPatch::default()
            },
            timezone: "America/New_York".to_owned(),
        };
        let made = self.directory.tenant_create(&self.key, new).await.unwrap();
        let (tenant, top) = (made.tenant.id, made.tenant.top_org_unit_id);
        Org { tenant, top, admin: made.admin, ctx: Ctx::operator(tenant, top, START) }
    }

    /// Commits changes of a tenant without guards or journal.
    pub(crate) async fn commit(&self, org: &Org, changes: Vec<Change>) -> Result<(), StoreError> {
        self.store().commit(Batch { changes, ..Batch::new(org.tenant) }).await
    }

    /// A unit that is not stored yet.
    pub(crate) async fn unit(&self, org: &Org, parent: OrgUnitId, name: &str) -> OrgUnit {
        let id = OrgUnitId(self.store().next_id(IdKind::OrgUnit).await.unwrap());
        OrgUnit::new(org.tenant, id, Some(parent), name.to_owned(), "UTC".to_owned(), START)
    }

    pub(crate) async fn add_unit(&self, org: &Org, parent: OrgUnitId, name: &str) -> OrgUnit {
        let unit = self.unit(org, parent, name).await;
        self.commit(org, vec![unit_insert(&unit)]).await.unwrap();
        unit
    }

    /// Stores an archived unit.
    pub(crate) async fn add_archived(&self, org: &Org, parent: OrgUnitId, name: &str) -> OrgUnit {
        let unit = OrgUnit { status: OrgUnitStatus::Inactive, ..self.unit(org, parent, name).await };
        self.commit(org, vec![unit_insert(&unit)]).await.unwrap();
        unit
    }

    /// A unit as it is stored.
    pub(crate) async fn stored_unit(&self, org: &Org, id: OrgUnitId) -> OrgUnit {
        self.store().org_unit_located(org.tenant, id).await.unwrap().unwrap().unit
    }

    /// Units below the top, each under the one before; the first has level 2.
    pub(crate) async fn add_chain(&self, org: &Org, length: usize) -> Vec<OrgUnitId> {
        let mut parent = org.top;
        let mut changes = Vec::new();
        let mut ids = Vec::new();
        for n in 0..length {
            let unit = self.unit(org, parent, &format!("chain {n}")).await;
            parent = unit.id;
            ids.push(unit.id);
            changes.push(unit_insert(&unit));
        }
        self.commit(org, changes).await.unwrap();
        ids
    }

    /// A user without any optional column, not stored yet; its login is not claimed.
    pub(crate) async fn user(&self, org: &Org, unit: OrgUnitId, login: &str) -> User {
        let id = self.store().next_id(IdKind::User).await.unwrap();
        User {
            id: UserId(id),
            tenant: org.tenant,
            uuid: Uuid::from_u128(u128::try_from(id).unwrap()),
            org_unit_id: unit,
            login: login.to_owned(),
            login_claimed: false,
            first_name: String::new(),
            last_name: String::new(),
            role: Role::Standard,
            status: UserStatus::Active,
            password_hash: None,
            external_id: None,
            timezone: "UTC".to_owned(),
            aliases: None,
            agent_ring_to: None,
            agent_code: None,
            score_call: false,
            access_audio: false,
            group_access: 0,
            report_access: 0,
            avatar: None,
            document: None,
            user_group_id: None,
            version: 1,
            created_at: START,
            modified_at: START,
        }
    }

    pub(crate) async fn add_user(&self, org: &Org, unit: OrgUnitId, login: &str) -> User {
        let user = self.user(org, unit, login).await;
        self.commit(org, vec![user_insert(&user)]).await.unwrap();
        user
    }

    /// Changes a stored user; its version goes up by one.
    pub(crate) async fn change_user(
        &self,
        org: &Org,
        before: &User,
        change: impl FnOnce(&mut User),
    ) -> Result<User, StoreError> {
        let mut after = User { version: before.version + 1, ..before.clone() };
        change(&mut after);
        self.commit(org, vec![user_update(before, &after)]).await.map(|()| after)
    }

    pub(crate) async fn stored_user(&self, user: &User) -> User {
        self.store().user(user.tenant, user.id).await.unwrap().unwrap()
    }

    /// Creates a user through its use case, as the operator.
    pub(crate) async fn create_user(&self, org: &Org, new: UserPatch) -> Result<User, Error> {
        self.directory.user_create(&org.ctx, new.into()).await
    }

    /// Reads and changes a user through the use cases, as the operator.
    pub(crate) async fn update_user(&self, org: &Org, id: UserId, patch: UserPatch) -> Result<User, Error> {
        let found = self.directory.user_get_writable(&org.ctx, id).await?;
        self.directory.user_update(&org.ctx, found, patch.into(), None).await
    }

    pub(crate) async fn delete_user(&self, org: &Org, id: UserId) -> Result<User, Error> {
        let found = self.directory.user_get_writable(&org.ctx, id).await?;
        self.directory.user_delete(&org.ctx, found, None).await
    }

    /// Erases a user, also one that was deleted before.
    pub(crate) async fn erase_user(&self, org: &Org, id: UserId) -> Result<User, Error> {
        let found = self.directory.user_get(&org.ctx, id).await?;
        Ok(self.directory.user_erase(&org.ctx, found, None).await?.after)
    }

    /// The tokens of a log-in of `user`, made without a look at its password: access, then refresh.
    pub(crate) async fn session(&self, user: &User) -> [String; 2] {
        let family = self.directory.entropy.uuid();
        let mut random = [0; 32];
        let tokens = [(TokenKind::Access, "mua"), (TokenKind::Refresh, "mur")].map(|(kind, prefix)| {
            self.directory.entropy.fill(&mut random);
            (kind, secret::token(prefix, user.tenant, random))
        });
        let changes = tokens.iter().map(|(kind, token)| {
            Change::TokenInsert(Box::new(SessionToken {
                tenant: user.tenant,
                hash: secret::digest(token),
                kind: *kind,
                family,
                user: user.id,
                created_at: START,
                expires_at: self.directory.now().plus(Duration::from_hours(24)),
                retired_at: None,
            }))
        });
        let batch = Batch { changes: changes.collect(), ..Batch::new(user.tenant) };
        self.store().commit(batch).await.unwrap();
        tokens.map(|(_, token)| token)
    }

    /// Whether an access token gets its caller in.
    pub(crate) async fn lets_in(&self, token: &str) -> bool {
        match self.directory.session_authenticate(Dialect::Convirza, token).await {
            Ok(_) => true,
            Err(Error::Unauthenticated(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// The rights of a user, who calls through a session of its own.
    pub(crate) async fn ctx_of(&self, user: &User) -> Ctx {
        let [token, _] = self.session(user).await;
        let ctx = self.directory.session_authenticate(Dialect::Convirza, &token).await.unwrap().0;
        // That the session lasts longer now is written by somebody for whom nobody waits.
        self.store().commit(Batch::new(user.tenant)).await.unwrap();
        ctx
    }

    /// The whole journal of a tenant, whose sequence is checked to be without gaps.
    pub(crate) async fn journal(&self, org: &Org) -> Vec<JournalRecord> {
        let records = self.store().journal(org.tenant, 0, JournalFilter::default(), u32::MAX).await.unwrap();
        let sequences: Vec<i64> = records.iter().map(|record| record.sequence).collect();
        assert_eq!(sequences, (1..=i64::try_from(records.len()).unwrap()).collect::<Vec<_>>());
        records
    }
}

pub(crate) fn unit_insert(unit: &OrgUnit) -> Change {
    Change::OrgUnitInsert(Box::new(unit.clone()))
}

/// The update to `unit`, whose version is one above the stored one.
pub(crate) fn unit_update(unit: &OrgUnit) -> Change {
    Change::OrgUnitUpdate { unit: Box::new(unit.clone()), in_place: false }
}

pub(crate) fn user_insert(user: &User) -> Change {
    Change::UserInsert(Box::new(user.clone()))
}

pub(crate) fn user_update(before: &User, after: &User) -> Change {
    Change::UserUpdate { before: Box::new(before.clone()), after: Box::new(after.clone()) }
}

/// A journal entry that is told from others by its entity's id.
pub(crate) fn entry(org: &Org, entity_id: impl Display) -> JournalEntry {
    let payload = Map::from_iter([("n".to_owned(), json!([null, entity_id.to_string()]))]);
    JournalEntry::new(&org.ctx, "test.noted", entity_id, 1, payload)
}

pub(crate) fn named(name: &str) -> OrgUnitPatch {
    OrgUnitPatch { name: Some(name.to_owned()), ..OrgUnitPatch::default() }
}

pub(crate) fn under(parent: OrgUnitId) -> OrgUnitPatch {
    OrgUnitPatch { parent_id: Some(parent), ..OrgUnitPatch::default() }
}

pub(crate) fn with_status(status: OrgUnitStatus) -> OrgUnitPatch {
    OrgUnitPatch { status: Some(status), ..OrgUnitPatch::default() }
}

/// The login as a dialect passes it on.
pub(crate) fn with_login(login: &str) -> UserPatch {
    UserPatch { login: Some(text::normalize(login)), ..UserPatch::default() }
}

/// The user as an admin, with the stand-in of a password hash or without one.
pub(crate) fn as_admin(user: User, with_password: bool) -> User {
    User { role: Role::Admin, password_hash: with_password.then(|| "$stand-in".to_owned()), ..user }
}

/// Commits 20 new units at once, two of which the store has been made to refuse: all others are there. Their ids, in
/// their order.
pub(crate) async fn commit_with_poison<B: Backend>(world: &World<B>, org: &Org) -> Vec<String> {
    let mut units = Vec::new();
    for n in 0..20 {
        let name = if n % 10 == 5 { "poison".to_owned() } else { format!("unit {n}") };
        units.push(world.unit(org, org.top, &name).await);
    }
    let hold = world.backend.hold_writes();
    let started: Vec<_> = units
        .iter()
        .map(|unit| Batch::new(org.tenant).change(unit_insert(unit)).journal(entry(org, unit.id)))
        .map(|batch| start(world.store().commit(batch)).unwrap_or_else(|done| panic!("{done:?}")))
        .collect();
    drop(hold);
    let mut done = Vec::new();
    for (unit, future) in units.iter().zip(started) {
        let outcome = future.await;
        assert_eq!(outcome.is_ok(), unit.name != "poison", "{}: {outcome:?}", unit.name);
        if outcome.is_ok() {
            done.push(unit.id.to_string());
        }
    }
    done
}
