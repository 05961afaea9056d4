//! Session tokens: columns, who is let in, and how tokens end.

use std::time::Duration;

use muster_domain::org_unit::OrgUnitStore as _;
use muster_domain::session::{Found, SessionStore as _, SessionToken, Subject, TokenHash, TokenKind};
use muster_domain::user::{Role, User, UserStatus, UserStore as _};
use muster_domain::{Change, StoreError, Timestamp};
use uuid::Uuid;

use crate::support::{Backend, START};
use crate::world::{Org, World};

contract![
    a_caller_is_read_together_with_what_it_asks_for,
    a_token_reads_back_with_every_column,
    a_token_is_of_one_kind,
    a_caller_is_read_with_its_rights_of_now,
    an_access_token_lets_in_until_it_expires,
    a_user_that_is_not_active_is_not_let_in,
    nobody_of_a_disabled_tenant_is_let_in,
    a_refresh_token_is_retired_once,
    retiring_access_shortens_the_familys_tokens,
    a_retired_access_token_slides_no_more,
    extending_touches_one_access_token,
    deleting_a_token_takes_its_kind_into_account,
    what_has_expired_of_a_user_is_forgotten,
    a_family_ends_as_a_whole,
    the_tokens_of_a_user_end_but_for_one_family,
];

const FAMILY: Uuid = Uuid::from_u128(7);
const OTHER_FAMILY: Uuid = Uuid::from_u128(8);
const HOUR: Duration = Duration::from_hours(1);

fn later(hours: u32) -> Timestamp {
    START.plus(HOUR * hours)
}

/// A token whose hash is `n` over and over; it expires after ten hours.
fn token(user: &User, kind: TokenKind, n: u8) -> SessionToken {
    SessionToken {
        tenant: user.tenant,
        hash: [n; 32],
        kind,
        family: FAMILY,
        user: user.id,
        created_at: START,
        expires_at: later(10),
        retired_at: None,
    }
}

async fn add<B: Backend>(world: &World<B>, org: &Org, token: &SessionToken) {
    world.commit(org, vec![Change::TokenInsert(Box::new(token.clone()))]).await.unwrap();
}

async fn stored<B: Backend>(world: &World<B>, token: &SessionToken) -> Option<SessionToken> {
    world.store().session_token(token.tenant, token.kind, token.hash).await.unwrap()
}

async fn lets_in<B: Backend>(world: &World<B>, org: &Org, hash: TokenHash, at: Timestamp) -> bool {
    world.store().session_caller(org.tenant, hash, at).await.unwrap().is_some()
}

/// A tenant whose admin has an access token `[1; 32]` and a refresh token `[2; 32]`.
async fn logged_in<B: Backend>() -> (World<B>, Org, SessionToken, SessionToken) {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let access = token(&org.admin, TokenKind::Access, 1);
    let refresh = token(&org.admin, TokenKind::Refresh, 2);
    add(&world, &org, &access).await;
    add(&world, &org, &refresh).await;
    (world, org, access, refresh)
}

async fn a_token_reads_back_with_every_column<B: Backend>() {
    let (world, org, access, refresh) = logged_in::<B>().await;
    let retired = SessionToken {
        hash: [3; 32],
        created_at: later(1),
        expires_at: later(2),
        retired_at: Some(later(3)),
        ..access.clone()
    };
    add(&world, &org, &retired).await;
    for token in [access, refresh, retired] {
        assert_eq!(stored(&world, &token).await, Some(token));
    }
}

async fn a_token_is_of_one_kind<B: Backend>() {
    let (world, org, access, refresh) = logged_in::<B>().await;
    let store = world.store();
    assert_eq!(store.session_token(org.tenant, TokenKind::Refresh, access.hash).await.unwrap(), None);
    assert_eq!(store.session_token(org.tenant, TokenKind::Access, refresh.hash).await.unwrap(), None);
    assert!(lets_in(&world, &org, access.hash, START).await);
    assert!(!lets_in(&world, &org, refresh.hash, START).await);
}

async fn a_caller_is_read_with_its_rights_of_now<B: Backend>() {
    let (world, org, access, _) = logged_in::<B>().await;
    let unit = world.add_unit(&org, org.top, "North").await;
    let caller = world.store().session_caller(org.tenant, access.hash, START).await.unwrap().unwrap();
    assert_eq!((caller.tenant, caller.user), (org.tenant, org.admin.id));
    assert_eq!((caller.role, caller.org_unit, caller.top), (Role::Admin, org.top, org.top));
    assert_eq!((caller.family, caller.expires_at, caller.retired), (FAMILY, later(10), false));

    let change = |user: &mut User| (user.role, user.org_unit_id) = (Role::Standard, unit.id);
    world.change_user(&org, &org.admin, change).await.unwrap();
    let caller = world.store().session_caller(org.tenant, access.hash, START).await.unwrap().unwrap();
    assert_eq!((caller.role, caller.org_unit, caller.top), (Role::Standard, unit.id, org.top));
}

async fn an_access_token_lets_in_until_it_expires<B: Backend>() {
    let (world, org, access, _) = logged_in::<B>().await;
    let end = access.expires_at;
    assert!(lets_in(&world, &org, access.hash, Timestamp(end.0 - 1)).await);
    assert!(!lets_in(&world, &org, access.hash, end).await);
    assert!(!lets_in(&world, &org, [9; 32], START).await);
    assert_eq!(stored(&world, &access).await, Some(access), "an expired token can still be looked at");
}

async fn a_user_that_is_not_active_is_not_let_in<B: Backend>() {
    let (world, org, access, _) = logged_in::<B>().await;
    let mut user = org.admin.clone();
    for (status, expected) in
        [(UserStatus::Inactive, false), (UserStatus::Active, true), (UserStatus::Deleted, false)]
    {
        user = world.change_user(&org, &user, |user| user.status = status).await.unwrap();
        assert_eq!(lets_in(&world, &org, access.hash, START).await, expected, "{status:?}");
    }
}

async fn nobody_of_a_disabled_tenant_is_let_in<B: Backend>() {
    let (world, org, access, _) = logged_in::<B>().await;
    let other = world.org("other").await;
    let theirs = token(&other.admin, TokenKind::Access, 1);
    add(&world, &other, &theirs).await;
    world.backend.tamper(&format!("UPDATE tenants SET status = 2 WHERE id = {}", org.tenant));
    assert!(!lets_in(&world, &org, access.hash, START).await);
    assert!(lets_in(&world, &other, theirs.hash, START).await);
}

async fn a_refresh_token_is_retired_once<B: Backend>() {
    let (world, org, access, refresh) = logged_in::<B>().await;
    let retire = async |hash, at| world.commit(&org, vec![Change::RefreshRetire { hash, at }]).await;
    retire(refresh.hash, later(1)).await.unwrap();
    assert_eq!(retire(refresh.hash, later(2)).await, Err(StoreError::Stale));
    let retired = stored(&world, &refresh).await.unwrap();
    assert_eq!(retired, SessionToken { retired_at: Some(later(1)), ..refresh });
    // Neither an access token nor an unknown one can be used up.
    assert_eq!(retire(access.hash, later(1)).await, Err(StoreError::Stale));
    assert_eq!(retire([9; 32], later(1)).await, Err(StoreError::Stale));
    assert_eq!(stored(&world, &access).await, Some(access));
}

async fn retiring_access_shortens_the_familys_tokens<B: Backend>() {
    let (world, org, access, refresh) = logged_in::<B>().await;
    let short = SessionToken { hash: [3; 32], expires_at: later(1), ..access.clone() };
    let old = SessionToken { hash: [4; 32], retired_at: Some(START), ..access.clone() };
    let foreign = SessionToken { hash: [5; 32], family: OTHER_FAMILY, ..access.clone() };
    for token in [&short, &old, &foreign] {
        add(&world, &org, token).await;
    }
    let (at, until) = (later(2), later(3));
    world.commit(&org, vec![Change::AccessRetire { family: FAMILY, at, until }]).await.unwrap();

    let retired_at = Some(at);
    assert_eq!(
        stored(&world, &access).await,
        Some(SessionToken { expires_at: until, retired_at, ..access.clone() })
    );
    assert_eq!(stored(&world, &short).await, Some(SessionToken { retired_at, ..short }), "none lives longer");
    assert_eq!(stored(&world, &old).await, Some(old), "what was retired before stays as it was");
    assert_eq!(stored(&world, &foreign).await, Some(foreign));
    assert_eq!(stored(&world, &refresh).await, Some(refresh));
    assert!(lets_in(&world, &org, access.hash, Timestamp(until.0 - 1)).await);
    assert!(!lets_in(&world, &org, access.hash, until).await);
    let caller = world.store().session_caller(org.tenant, access.hash, at).await.unwrap().unwrap();
    assert!(caller.retired);
}

async fn a_retired_access_token_slides_no_more<B: Backend>() {
    let (world, org, access, _) = logged_in::<B>().await;
    let (at, until) = (later(1), later(2));
    world.commit(&org, vec![Change::AccessRetire { family: FAMILY, at, until }]).await.unwrap();
    // Whoever extends does not know of the rotation, so it is no failure.
    world
        .commit(&org, vec![Change::AccessExtend { hash: access.hash, from: until, until: later(50) }])
        .await
        .unwrap();
    assert_eq!(stored(&world, &access).await.unwrap().expires_at, until);
}

async fn extending_touches_one_access_token<B: Backend>() {
    let (world, org, access, refresh) = logged_in::<B>().await;
    let second = SessionToken { hash: [3; 32], ..access.clone() };
    add(&world, &org, &second).await;
    for hash in [access.hash, refresh.hash, [9; 32]] {
        world
            .commit(&org, vec![Change::AccessExtend { hash, from: access.expires_at, until: later(50) }])
            .await
            .unwrap();
    }
    let extended = SessionToken { expires_at: later(50), ..access.clone() };
    assert_eq!(stored(&world, &access).await, Some(extended));
    assert_eq!(stored(&world, &second).await, Some(second));
    assert_eq!(stored(&world, &refresh).await, Some(refresh));
}

async fn deleting_a_token_takes_its_kind_into_account<B: Backend>() {
    let (world, org, access, refresh) = logged_in::<B>().await;
    let delete = async |kind, hash| world.commit(&org, vec![Change::TokenDelete { kind, hash }]).await;
    delete(TokenKind::Refresh, access.hash).await.unwrap();
    delete(TokenKind::Access, refresh.hash).await.unwrap();
    delete(TokenKind::Access, [9; 32]).await.unwrap();
    assert!(stored(&world, &access).await.is_some());
    assert!(stored(&world, &refresh).await.is_some());

    delete(TokenKind::Access, access.hash).await.unwrap();
    assert_eq!(stored(&world, &access).await, None);
    assert!(!lets_in(&world, &org, access.hash, START).await);
    assert!(stored(&world, &refresh).await.is_some(), "one token ends, not its family");
}

async fn what_has_expired_of_a_user_is_forgotten<B: Backend>() {
    let (world, org, access, refresh) = logged_in::<B>().await;
    let expire = async |user, now| {
        world.commit(&org, vec![Change::UserTokensExpire { user, now }]).await.unwrap();
    };
    expire(muster_domain::UserId(access.user.0 + 1), refresh.expires_at).await;
    expire(access.user, Timestamp(access.expires_at.0 - 1)).await;
    assert!(stored(&world, &access).await.is_some());
    expire(access.user, access.expires_at).await;
    assert_eq!(stored(&world, &access).await, None);
    assert_eq!(stored(&world, &refresh).await.is_some(), refresh.expires_at > access.expires_at);
}

async fn a_family_ends_as_a_whole<B: Backend>() {
    let (world, org, access, refresh) = logged_in::<B>().await;
    let retired = SessionToken { hash: [3; 32], retired_at: Some(START), ..refresh.clone() };
    let foreign = SessionToken { hash: [4; 32], family: OTHER_FAMILY, ..access.clone() };
    add(&world, &org, &retired).await;
    add(&world, &org, &foreign).await;
    for _ in 0..2 {
        world.commit(&org, vec![Change::FamilyDelete { family: FAMILY }]).await.unwrap();
    }
    for token in [access, refresh, retired] {
        assert_eq!(stored(&world, &token).await, None);
    }
    assert_eq!(stored(&world, &foreign).await, Some(foreign));
}

async fn the_tokens_of_a_user_end_but_for_one_family<B: Backend>() {
    let (world, org, access, refresh) = logged_in::<B>().await;
    let bob = world.add_user(&org, org.top, "bob").await;
    let bobs = SessionToken { user: bob.id, hash: [3; 32], ..access.clone() };
    let second = SessionToken { family: OTHER_FAMILY, hash: [4; 32], ..access.clone() };
    add(&world, &org, &bobs).await;
    add(&world, &org, &second).await;

    let end = |keep| vec![Change::UserTokensDelete { user: org.admin.id, keep }];
    world.commit(&org, end(Some(FAMILY))).await.unwrap();
    assert_eq!(stored(&world, &second).await, None);
    assert!(stored(&world, &access).await.is_some() && stored(&world, &refresh).await.is_some());

    world.commit(&org, end(None)).await.unwrap();
    assert_eq!(stored(&world, &access).await, None);
    assert_eq!(stored(&world, &refresh).await, None);
    assert_eq!(stored(&world, &bobs).await, Some(bobs));
}

async fn a_caller_is_read_together_with_what_it_asks_for<B: Backend>() {
    let (world, org, access, _) = logged_in::<B>().await;
    let other = world.org("other").await;
    let team = world.add_unit(&org, org.top, "team").await.id;
    let store = world.store();
    let read =
        async |subject| store.session_caller_and(org.tenant, access.hash, START, subject).await.unwrap();

    let (caller, found) = read(Subject::OrgUnit(team)).await.unwrap();
    assert_eq!(caller.user, org.admin.id);
    let Some(Found::OrgUnit(unit)) = found else { panic!("{found:?}") };
    assert_eq!(Some(*unit), store.org_unit_located(org.tenant, team).await.unwrap());
    let (_, found) = read(Subject::User(org.admin.id)).await.unwrap();
    let Some(Found::User(view)) = found else { panic!("{found:?}") };
    assert_eq!(Some(*view), store.user_view(org.tenant, org.admin.id).await.unwrap());

    for foreign in [Subject::OrgUnit(other.top), Subject::User(other.admin.id)] {
        let (_, found) = read(foreign).await.unwrap();
        assert!(found.is_none(), "{found:?}");
    }
    let nobody = store.session_caller_and(org.tenant, [0; 32], START, Subject::OrgUnit(team)).await.unwrap();
    assert!(nobody.is_none());
}
