//! Log-in and refresh while the user is changed: what was checked either still holds, or nobody gets in.

use std::sync::Arc;

use muster_domain::session::{Grant, SessionPolicy};
use muster_domain::user::{User, UserStatus};
use muster_domain::{Change, Dialect, Directory, Error};
use muster_store::{Limits, Store};
use secrecy::ExposeSecret as _;

use crate::support::{Backend, Meddling, SeededEntropy, start};
use crate::world::{Org, World, user_update};

contract![
    a_log_in_goes_on_when_the_change_meanwhile_is_harmless,
    a_log_in_is_refused_when_what_was_checked_is_not_so_any_more,
    a_refresh_goes_on_when_the_change_meanwhile_is_harmless,
    a_refresh_is_refused_when_the_user_or_its_sessions_end_meanwhile,
    a_password_is_not_changed_for_a_user_who_was_changed_meanwhile,
];

const PASSWORD: &str = "correct horse battery";

async fn opened<B: Backend>() -> (World<B>, Org) {
    let world = World::<B>::new();
    let org = world.org_with("acme", Some(PASSWORD)).await;
    (world, org)
}

impl<B: Backend> World<B> {
    /// A directory on the same database, in which `change` happens to the admin while a password is checked.
    fn meddled(&self, org: &Org, change: fn(&mut User)) -> Directory<Store> {
        let store = Arc::new(self.backend.open(Limits::default()).0);
        Directory {
            store: self.backend.open(Limits::default()).0,
            clock: Arc::clone(&self.directory.clock),
            entropy: Arc::new(SeededEntropy::new(2)),
            passwords: Arc::new(Meddling { store, tenant: org.tenant, user: org.admin.id, change }),
            sessions: SessionPolicy::default(),
        }
    }

    /// A refresh that has read all it rests on before these changes of the admin are made.
    async fn overtaken_refresh(
        &self,
        org: &Org,
        change: fn(&mut User),
        more: Vec<Change>,
    ) -> Result<Grant, Error> {
        let grant = self.directory.session_open("admin@acme", PASSWORD.into()).await.unwrap();
        let before = self.stored_user(&org.admin).await;
        let mut after = User { version: before.version + 1, ..before.clone() };
        change(&mut after);
        let changes = [vec![user_update(&before, &after)], more].concat();
        let hold = self.backend.hold_writes();
        let changed = start(self.commit(org, changes)).unwrap_or_else(|done| panic!("{done:?}"));
        let refresh = self.directory.session_refresh(grant.refresh_token.expose_secret());
        let refresh = start(refresh).unwrap_or_else(|done| panic!("{done:?}"));
        drop(hold);
        changed.await.unwrap();
        refresh.await
    }
}

fn refused(outcome: &Result<Grant, Error>) -> bool {
    matches!(outcome, Err(Error::Unauthenticated(_)))
}

async fn a_log_in_goes_on_when_the_change_meanwhile_is_harmless<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let grant = world.meddled(&org, |user| "Anna".clone_into(&mut user.first_name));
    let grant = grant.session_open("admin@acme", PASSWORD.into()).await.unwrap();
    assert_eq!((grant.user.first_name.as_str(), grant.user.version), ("Anna", 2), "it is the user of now");
    let token = grant.access_token.expose_secret();
    world.directory.session_authenticate(Dialect::Convirza, token).await.unwrap();
    let wrong = world.meddled(&org, |user| "Ann".clone_into(&mut user.first_name));
    assert!(refused(&wrong.session_open("admin@acme", "wrong horse battery".into()).await));
}

async fn a_log_in_is_refused_when_what_was_checked_is_not_so_any_more<B: Backend>() {
    let changes: [fn(&mut User); 4] = [
        |user| user.password_hash = Some("another".to_owned()),
        |user| user.password_hash = None,
        |user| user.status = UserStatus::Inactive,
        |user| "somebody@acme".clone_into(&mut user.login),
    ];
    for change in changes {
        let (world, org) = opened::<B>().await;
        let outcome = world.meddled(&org, change).session_open("admin@acme", PASSWORD.into()).await;
        assert!(refused(&outcome), "{outcome:?}");
    }
}

async fn a_refresh_goes_on_when_the_change_meanwhile_is_harmless<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let rename: fn(&mut User) = |user| "Anna".clone_into(&mut user.first_name);
    let grant = world.overtaken_refresh(&org, rename, Vec::new()).await.unwrap();
    assert_eq!(grant.user.first_name, "Anna");
    let token = grant.access_token.expose_secret();
    world.directory.session_authenticate(Dialect::Convirza, token).await.unwrap();
}

async fn a_refresh_is_refused_when_the_user_or_its_sessions_end_meanwhile<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let end = Change::UserTokensDelete { user: org.admin.id, keep: None };
    let outcome = world.overtaken_refresh(&org, |_| {}, vec![end]).await;
    assert!(refused(&outcome), "{outcome:?}");
    let outcome = world.overtaken_refresh(&org, |user| user.status = UserStatus::Inactive, Vec::new()).await;
    assert!(refused(&outcome), "{outcome:?}");
}

async fn a_password_is_not_changed_for_a_user_who_was_changed_meanwhile<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let open = async || world.directory.session_open("admin@acme", PASSWORD.into()).await.unwrap();
    let grant = open().await;
    let token = grant.access_token.expose_secret();
    let (ctx, caller) = world.directory.session_authenticate(Dialect::Convirza, token).await.unwrap();
    let directory = world.meddled(&org, |_| {});
    let outcome = directory.password_change(&ctx, &caller, PASSWORD.into(), "battery staple".into()).await;
    assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
    open().await;
}
