//! The rules of sessions, as use cases keep them over a real store (Convirza contract, section 2).

use std::time::Duration;

use muster_domain::session::{Grant, SessionStore as _, TokenKind};
use muster_domain::user::UserStatus;
use muster_domain::{Change, Dialect, Error, Problem, secret};
use secrecy::ExposeSecret as _;

use crate::support::{Backend, all_at_once};
use crate::world::{Org, World};

contract![
    a_log_in_opens_a_session_with_the_users_rights,
    no_wrong_log_in_can_be_told_from_another,
    of_parallel_refreshes_exactly_one_wins_and_the_family_lives,
    a_used_refresh_token_within_the_grace_is_a_race,
    a_used_refresh_token_after_the_grace_ends_the_family,
    the_access_token_of_before_a_refresh_dies_after_the_grace,
    an_expired_refresh_token_is_refused,
    a_revoked_token_ends_alone,
    a_password_change_ends_the_other_sessions,
    a_wrong_current_password_changes_nothing,
    a_password_set_by_the_operator_ends_all_sessions,
    whoever_is_not_active_does_not_get_in,
    nobody_gets_into_a_disabled_tenant,
    rights_are_those_of_now,
    a_sliding_expiry_is_written_at_most_once_an_hour,
    sessions_and_their_expiries_are_not_journaled,
];

const PASSWORD: &str = "correct horse battery";
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const GRACE_BUT_ONE: Duration = Duration::from_secs(59);
const DAY: Duration = Duration::from_hours(24);

async fn opened<B: Backend>() -> (World<B>, Org) {
    let world = World::<B>::new();
    let org = world.org_with("acme", Some(PASSWORD)).await;
    (world, org)
}

impl<B: Backend> World<B> {
    async fn log_in(&self) -> Grant {
        self.directory.session_open("admin@acme", PASSWORD.into()).await.unwrap()
    }

    async fn gets_in(&self, grant: &Grant) -> bool {
        let token = grant.access_token.expose_secret();
        match self.directory.session_authenticate(Dialect::Convirza, token).await {
            Ok(_) => true,
            Err(Error::Unauthenticated(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    async fn refresh(&self, grant: &Grant) -> Option<Grant> {
        answered(self.directory.session_refresh(grant.refresh_token.expose_secret()).await)
    }

    async fn expiry(&self, org: &Org, grant: &Grant) -> i64 {
        // A renewal is not waited for, but the writer takes one batch after the other.
        self.commit(org, Vec::new()).await.unwrap();
        let hash = secret::digest(grant.access_token.expose_secret());
        let token = self.store().session_token(org.tenant, TokenKind::Access, hash).await.unwrap();
        token.unwrap().expires_at.0
    }
}

/// `None` for the one refusal that a caller may see.
fn answered(outcome: Result<Grant, Error>) -> Option<Grant> {
    match outcome {
        Ok(grant) => Some(grant),
        Err(Error::Unauthenticated(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

async fn a_log_in_opens_a_session_with_the_users_rights<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let grant = world.directory.session_open("  ADMIN@Acme ", PASSWORD.into()).await.unwrap();
    let token = grant.access_token.expose_secret();
    let (ctx, caller) = world.directory.session_authenticate(Dialect::Convirza, token).await.unwrap();
    assert_eq!((ctx.tenant(), ctx.scope(), ctx.top()), (org.tenant, org.top, org.top));
    assert_eq!((caller.user, caller.retired), (org.admin.id, false));
    assert_eq!(grant.user.id, org.admin.id);
    assert_eq!(grant.access_expires_at.0 - ctx.now().0, 7 * 86_400_000_000);
    assert_eq!(grant.refresh_expires_at.0 - ctx.now().0, 180 * 86_400_000_000);
    assert_eq!(grant.frontend_token.expose_secret().len(), 32);
    world.directory.org_unit_get(&ctx, org.top).await.unwrap();

    let second = world.log_in().await;
    assert_ne!(second.access_token.expose_secret(), token);
    assert!(world.gets_in(&grant).await && world.gets_in(&second).await, "log-ins stand side by side");
    // A refresh token opens nothing, and what is made up neither.
    let refresh = second.refresh_token.expose_secret();
    for wrong in [refresh, "", "mua_1_", "mua_9_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let outcome = world.directory.session_authenticate(Dialect::Convirza, wrong).await;
        assert!(matches!(outcome, Err(Error::Unauthenticated(_))), "{wrong}");
    }
}

async fn no_wrong_log_in_can_be_told_from_another<B: Backend>() {
    let (world, org) = opened::<B>().await;
    world.add_user(&org, org.top, "unclaimed").await;
    world.org("second").await;
    let mut answers = Vec::new();
    for (login, password) in [
        ("admin@acme", "correct horse batterY"),
        ("admin@acme", ""),
        ("nobody", PASSWORD),
        ("unclaimed", PASSWORD),
        // Claimed, but without a password.
        ("admin@second", PASSWORD),
        ("", ""),
    ] {
        match world.directory.session_open(login, password.into()).await {
            Err(Error::Unauthenticated(text)) => answers.push(text),
            other => panic!("{login}: {other:?}"),
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

async fn of_parallel_refreshes_exactly_one_wins_and_the_family_lives<B: Backend>() {
    let (world, _) = opened::<B>().await;
    let mut grant = world.log_in().await;
    for _ in 0..5 {
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (directory, token) = (world.node(), grant.refresh_token.clone());
                async move { answered(directory.session_refresh(token.expose_secret()).await) }
            })
            .collect();
        let mut winners: Vec<Grant> = all_at_once(tasks).await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1);
        grant = winners.remove(0);
        assert!(world.gets_in(&grant).await);
    }
}

async fn a_used_refresh_token_within_the_grace_is_a_race<B: Backend>() {
    let (world, _) = opened::<B>().await;
    let first = world.log_in().await;
    let second = world.refresh(&first).await.unwrap();
    world.clock.advance(MINUTE);
    assert!(world.refresh(&first).await.is_none());
    assert!(world.gets_in(&second).await);
    let third = world.refresh(&second).await.unwrap();
    assert!(world.gets_in(&third).await);
}

async fn a_used_refresh_token_after_the_grace_ends_the_family<B: Backend>() {
    let (world, _) = opened::<B>().await;
    let (first, other) = (world.log_in().await, world.log_in().await);
    let second = world.refresh(&first).await.unwrap();
    world.clock.advance(MINUTE + SECOND);
    assert!(world.gets_in(&second).await);
    assert!(world.refresh(&first).await.is_none());
    assert!(!world.gets_in(&second).await);
    assert!(world.refresh(&second).await.is_none());
    // It is the family that ends, not the user's other log-ins.
    assert!(world.gets_in(&other).await);
    assert!(world.refresh(&other).await.is_some());
}

async fn the_access_token_of_before_a_refresh_dies_after_the_grace<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let first = world.log_in().await;
    world.clock.advance(DAY);
    let second = world.refresh(&first).await.unwrap();
    assert!(world.gets_in(&first).await, "requests in flight are let in");
    let dies = world.expiry(&org, &first).await;
    world.clock.advance(GRACE_BUT_ONE);
    assert!(world.gets_in(&first).await);
    assert_eq!(world.expiry(&org, &first).await, dies, "it slides no more");
    world.clock.advance(SECOND);
    assert!(!world.gets_in(&first).await);
    assert!(world.gets_in(&second).await);
}

async fn an_expired_refresh_token_is_refused<B: Backend>() {
    let (world, _) = opened::<B>().await;
    let grant = world.log_in().await;
    world.clock.advance(179 * DAY);
    let renewed = world.refresh(&grant).await.unwrap();
    world.clock.advance(180 * DAY);
    assert!(world.refresh(&renewed).await.is_none(), "its last moment is over");
    let directory = &world.directory;
    for wrong in ["", "mur_1_x", renewed.access_token.expose_secret()] {
        assert!(matches!(directory.session_refresh(wrong).await, Err(Error::Unauthenticated(_))));
    }
}

async fn a_revoked_token_ends_alone<B: Backend>() {
    let (world, _) = opened::<B>().await;
    let grant = world.log_in().await;
    let (access, refresh) = (grant.access_token.expose_secret(), grant.refresh_token.expose_secret());
    let revoke = async |kind, token: &str| world.directory.session_revoke(kind, token).await.unwrap();
    for nothing in ["", "mua_1_x", refresh] {
        revoke(TokenKind::Access, nothing).await;
    }
    revoke(TokenKind::Refresh, access).await;
    assert!(world.gets_in(&grant).await);

    revoke(TokenKind::Access, access).await;
    revoke(TokenKind::Access, access).await;
    assert!(!world.gets_in(&grant).await);
    let second = world.refresh(&grant).await.unwrap();
    revoke(TokenKind::Refresh, second.refresh_token.expose_secret()).await;
    assert!(world.refresh(&second).await.is_none());
    assert!(world.gets_in(&second).await);
}

async fn change_password<B: Backend>(
    world: &World<B>,
    grant: &Grant,
    current: &str,
    new: &str,
) -> Result<(), Error> {
    let token = grant.access_token.expose_secret();
    let (ctx, caller) = world.directory.session_authenticate(Dialect::Convirza, token).await.unwrap();
    world.directory.password_change(&ctx, &caller, current.into(), new.into()).await
}

async fn a_password_change_ends_the_other_sessions<B: Backend>() {
    const NEW: &str = "battery staple horse";

    let (world, org) = opened::<B>().await;
    let (own, other) = (world.log_in().await, world.log_in().await);
    change_password(&world, &own, PASSWORD, NEW).await.unwrap();
    assert!(world.gets_in(&own).await);
    assert!(!world.gets_in(&other).await);
    assert!(world.refresh(&other).await.is_none());
    assert!(world.refresh(&own).await.is_some());
    assert!(world.directory.session_open("admin@acme", PASSWORD.into()).await.is_err());
    world.directory.session_open("admin@acme", NEW.into()).await.unwrap();
    let last = world.journal(&org).await.pop().unwrap();
    assert_eq!((last.kind.as_str(), last.version), ("user.password_changed", 2));
    assert_eq!(last.payload, serde_json::json!({}), "no secret is written");
}

async fn a_wrong_current_password_changes_nothing<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let (own, other) = (world.log_in().await, world.log_in().await);
    let journal = world.journal(&org).await.len();
    match change_password(&world, &own, "wrong horse battery", "battery staple horse").await {
        Err(Error::Invalid(fields)) => {
            assert_eq!(fields[0].field, "current_password");
            assert_eq!(fields[0].problem, Problem::Mismatch);
        }
        other => panic!("{other:?}"),
    }
    assert!(world.gets_in(&own).await && world.gets_in(&other).await);
    assert_eq!(world.journal(&org).await.len(), journal);
    world.log_in().await;
}

async fn a_password_set_by_the_operator_ends_all_sessions<B: Backend>() {
    const NEW: &str = "battery staple horse";

    let (world, _) = opened::<B>().await;
    let grant = world.log_in().await;
    assert!(matches!(world.directory.password_set("nobody", NEW).await, Err(Error::NotFound(_))));
    assert!(matches!(world.directory.password_set("admin@acme", "short").await, Err(Error::Invalid(_))));
    assert!(world.gets_in(&grant).await);
    world.directory.password_set(" Admin@ACME", NEW).await.unwrap();
    assert!(!world.gets_in(&grant).await);
    assert!(world.refresh(&grant).await.is_none());
    world.directory.session_open("admin@acme", NEW.into()).await.unwrap();
}

async fn whoever_is_not_active_does_not_get_in<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let grant = world.log_in().await;
    let mut user = org.admin.clone();
    for status in [UserStatus::Inactive, UserStatus::Deleted] {
        user = world.change_user(&org, &user, |user| user.status = status).await.unwrap();
        assert!(!world.gets_in(&grant).await, "{status:?}");
        assert!(world.refresh(&grant).await.is_none(), "{status:?}");
        assert!(answered(world.directory.session_open("admin@acme", PASSWORD.into()).await).is_none());
        user = world.change_user(&org, &user, |user| user.status = UserStatus::Active).await.unwrap();
        // A refused refresh has used nothing up.
        assert!(world.gets_in(&grant).await);
    }
    assert!(world.refresh(&grant).await.is_some());
    world.log_in().await;
}

async fn nobody_gets_into_a_disabled_tenant<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let grant = world.log_in().await;
    let set_status = |status: i64| {
        world.backend.tamper(&format!("UPDATE tenants SET status = {status} WHERE id = {}", org.tenant));
    };
    set_status(2);
    assert!(!world.gets_in(&grant).await);
    assert!(world.refresh(&grant).await.is_none());
    assert!(answered(world.directory.session_open("admin@acme", PASSWORD.into()).await).is_none());
    set_status(1);
    assert!(world.gets_in(&grant).await);
    assert!(world.refresh(&grant).await.is_some());
}

async fn rights_are_those_of_now<B: Backend>() {
    use muster_domain::Access;
    use muster_domain::user::Role;

    let (world, org) = opened::<B>().await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let grant = world.log_in().await;
    let ctx = async || {
        let token = grant.access_token.expose_secret();
        world.directory.session_authenticate(Dialect::Scim, token).await.unwrap().0
    };
    assert!(ctx().await.allow(Access::Write).is_ok());
    let user = world.change_user(&org, &org.admin, |user| user.org_unit_id = unit).await.unwrap();
    let now = ctx().await;
    assert_eq!((now.scope(), now.top(), now.dialect()), (unit, org.top, Dialect::Scim));
    assert!(world.directory.org_unit_get(&now, org.top).await.is_err());
    world.change_user(&org, &user, |user| user.role = Role::Standard).await.unwrap();
    assert!(matches!(ctx().await.allow(Access::Read), Err(Error::Forbidden(_))));
    assert!(world.directory.org_unit_get(&ctx().await, unit).await.is_err());
    world.directory.profile_get(&ctx().await).await.unwrap();
}

async fn a_sliding_expiry_is_written_at_most_once_an_hour<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let grant = world.log_in().await;
    let first = world.expiry(&org, &grant).await;
    for _ in 0..59 {
        world.clock.advance(MINUTE);
        assert!(world.gets_in(&grant).await);
        assert_eq!(world.expiry(&org, &grant).await, first);
    }
    world.clock.advance(MINUTE);
    assert!(world.gets_in(&grant).await);
    let hour = 3_600_000_000;
    assert_eq!(world.expiry(&org, &grant).await, first + hour);
    // In use it outlives its seven days; left alone it does not.
    for day in 1..=10 {
        world.clock.advance(DAY);
        assert!(world.gets_in(&grant).await);
        assert_eq!(world.expiry(&org, &grant).await, first + hour + day * 24 * hour);
    }
    world.clock.advance(7 * DAY);
    assert!(!world.gets_in(&grant).await);
}

async fn sessions_and_their_expiries_are_not_journaled<B: Backend>() {
    let (world, org) = opened::<B>().await;
    let journal = world.journal(&org).await;
    let grant = world.log_in().await;
    world.clock.advance(DAY);
    assert!(world.gets_in(&grant).await);
    let second = world.refresh(&grant).await.unwrap();
    let token = second.access_token.expose_secret();
    world.directory.session_revoke(TokenKind::Access, token).await.unwrap();
    let end = Change::UserTokensDelete { user: org.admin.id, keep: None };
    world.commit(&org, vec![end]).await.unwrap();
    assert_eq!(world.journal(&org).await, journal);
}
