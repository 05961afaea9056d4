//! The rules of creating users, of scopes and of logins, as use cases keep them over a real store.

use std::time::Duration;

use muster_domain::user::{
    Role, User, UserFilter, UserOrder, UserPatch, UserSort, UserStatus, UserStore as _,
};
use muster_domain::{
    Ctx, Draft, Entity, Error, FieldErrors, OrgUnitId, Patch, Problem, Slice, Unique, UserId,
};
use serde_json::json;

use crate::support::{Backend, START};
use crate::world::{Org, World, as_admin, user_insert, with_login};

contract![
    a_new_user_begins_with_what_its_unit_has,
    a_new_user_has_all_that_was_wished,
    every_failing_field_of_a_new_user_is_named,
    a_user_is_put_into_active_units_of_the_scope_only,
    a_branch_admin_sees_and_changes_its_branch_only,
    only_admins_read_and_write_users,
    a_login_stands_once_in_the_tenant_however_it_is_written,
    a_claimed_login_stands_once_over_all_tenants,
    a_password_claims_the_login_or_is_refused,
    a_deletion_frees_the_login_for_everybody,
];

const PASSWORD: &str = "correct horse battery";

fn in_unit(login: &str, unit: OrgUnitId) -> UserPatch {
    UserPatch { org_unit_id: Some(unit), ..with_login(login) }
}

fn with_password() -> UserPatch {
    UserPatch { password: Some(PASSWORD.into()), ..UserPatch::default() }
}

/// The only failing field of a refusal and what is wrong with it.
fn failing<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (String, Problem) {
    match outcome {
        Err(Error::Invalid(fields)) if fields.len() == 1 => {
            (fields[0].field.clone().into_owned(), fields[0].problem.clone())
        }
        other => panic!("{other:?}"),
    }
}

fn is_duplicate<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Duplicate(Unique::Login)))
}

fn is_unknown<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::NotFound(Entity::User)))
}

/// Who can log in with a login key.
async fn holder<B: Backend>(world: &World<B>, key: &str) -> Option<UserId> {
    world.store().user_by_claim(key).await.unwrap().map(|user| user.id)
}

/// A stored admin of a unit with its rights.
async fn branch_admin<B: Backend>(world: &World<B>, org: &Org, unit: OrgUnitId, login: &str) -> (User, Ctx) {
    let admin = as_admin(world.user(org, unit, login).await, false);
    world.commit(org, vec![user_insert(&admin)]).await.unwrap();
    let ctx = world.ctx_of(&admin).await;
    (admin, ctx)
}

async fn a_new_user_begins_with_what_its_unit_has<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.clock.advance(Duration::from_mins(5));
    let org = Org { ctx: world.directory.tenant_operator(org.tenant).await.unwrap(), ..org };
    let user = world.create_user(&org, with_login("bob")).await.unwrap();
    let blank = world.user(&org, org.top, "bob").await;
    let at = world.directory.now();
    assert_ne!(at, START);
    let (id, uuid, timezone) = (user.id, user.uuid, "America/New_York".to_owned());
    assert_eq!(user, User { id, uuid, timezone, created_at: at, modified_at: at, ..blank });
    assert_eq!(world.stored_user(&user).await, user);
    assert_eq!((user.role, user.status, user.version), (Role::Standard, UserStatus::Active, 1));

    let record = world.journal(&org).await.pop().unwrap();
    assert_eq!((record.kind.as_str(), record.entity.as_str()), ("user.created", "user"));
    assert_eq!((record.entity_id, record.version, record.at), (user.id.to_string(), 1, at));
    assert_eq!(record.payload["login"], json!([null, "bob"]));
    assert_eq!(record.payload["timezone"], json!([null, "America/New_York"]));
    assert_eq!(record.payload["has_password"], json!([null, false]));
    assert!(record.payload.get("external_id").is_none());
}

/// A wish for every field.
fn full(unit: OrgUnitId) -> UserPatch {
    UserPatch {
        claims_login: true,
        first_name: Some("Zoë".to_owned()),
        last_name: Some("O'Neil".to_owned()),
        role: Some(Role::ReadOnly),
        status: Some(UserStatus::Inactive),
        external_id: Patch::Set("E-71".to_owned()),
        timezone: Patch::Set("Europe/Zurich".to_owned()),
        aliases: Patch::Set(json!({"z": 1, "a": [null]})),
        agent_ring_to: Patch::Set("+17755550100".to_owned()),
        agent_code: Patch::Set(4711),
        score_call: Some(true),
        access_audio: Some(true),
        ..in_unit("zoë", unit)
    }
}

/// What [`full`] makes of a user.
fn filled(user: User, unit: OrgUnitId) -> User {
    User {
        login: "zoë".to_owned(),
        org_unit_id: unit,
        first_name: "Zoë".to_owned(),
        last_name: "O'Neil".to_owned(),
        role: Role::ReadOnly,
        status: UserStatus::Inactive,
        external_id: Some("E-71".to_owned()),
        timezone: "Europe/Zurich".to_owned(),
        aliases: Some(json!({"z": 1, "a": [null]})),
        agent_ring_to: Some("+17755550100".to_owned()),
        agent_code: Some(4711),
        score_call: true,
        access_audio: true,
        ..user
    }
}

async fn a_new_user_has_all_that_was_wished<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let user = world.create_user(&org, full(unit)).await.unwrap();
    assert_eq!(world.stored_user(&user).await, user);
    assert_eq!(user, User { login_claimed: true, ..filled(user.clone(), unit) });
    assert_eq!(holder(&world, "zoë").await, Some(user.id));
}

async fn every_failing_field_of_a_new_user_is_named<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (journal, counts) = (world.journal(&org).await, world.backend.rows_of(org.tenant));
    let mut errors = FieldErrors::default();
    errors.push("first_name", Problem::Blank);
    let value = UserPatch { org_unit_id: Some(OrgUnitId(i64::MAX)), ..UserPatch::default() };
    match world.directory.user_create(&org.ctx, Draft { value, errors }).await {
        Err(Error::Invalid(fields)) => {
            let mut fields: Vec<_> = fields.iter().map(|field| field.field.as_ref()).collect();
            fields.sort_unstable();
            assert_eq!(fields, ["first_name", "login", "org_unit_id"]);
        }
        other => panic!("{other:?}"),
    }
    let outcome = world.create_user(&org, UserPatch::default()).await;
    assert_eq!(failing(outcome), ("login".to_owned(), Problem::Required));
    assert_eq!((world.journal(&org).await, world.backend.rows_of(org.tenant)), (journal, counts));
}

async fn a_user_is_put_into_active_units_of_the_scope_only<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let beside = world.add_unit(&org, org.top, "beside").await.id;
    let archived = world.add_archived(&org, unit, "archived").await.id;
    let (admin, branch) = branch_admin(&world, &org, unit, "branch").await;
    let journal = world.journal(&org).await;
    let unknown = Problem::Unknown("org unit");
    for (ctx, target, problem) in [
        (&org.ctx, OrgUnitId(i64::MAX), &unknown),
        (&org.ctx, other.top, &unknown),
        (&org.ctx, archived, &Problem::Inactive("org unit")),
        (&branch, archived, &Problem::Inactive("org unit")),
        (&branch, org.top, &unknown),
        (&branch, beside, &unknown),
    ] {
        let created = world.directory.user_create(ctx, in_unit("bob", target).into()).await;
        assert_eq!(failing(created), ("org_unit_id".to_owned(), problem.clone()));
        let found = world.directory.user_get_writable(ctx, admin.id).await.unwrap();
        let patch = UserPatch { org_unit_id: Some(target), ..UserPatch::default() };
        let moved = world.directory.user_update(ctx, found, patch.into(), None).await;
        assert_eq!(failing(moved), ("org_unit_id".to_owned(), problem.clone()));
    }
    assert_eq!(world.journal(&org).await, journal);
    assert_eq!(world.stored_user(&admin).await, admin);
}

async fn a_branch_admin_sees_and_changes_its_branch_only<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let below = world.add_unit(&org, unit, "below").await.id;
    let beside = world.add_unit(&org, org.top, "beside").await.id;
    let (admin, ctx) = branch_admin(&world, &org, unit, "branch").await;
    let directory = &world.directory;

    let own = directory.user_create(&ctx, with_login("own").into()).await.unwrap();
    let lower = directory.user_create(&ctx, in_unit("lower", below).into()).await.unwrap();
    assert_eq!((own.org_unit_id, lower.org_unit_id), (unit, below));
    let found = directory.user_get_writable(&ctx, own.id).await.unwrap();
    let patch = UserPatch { org_unit_id: Some(below), ..UserPatch::default() };
    directory.user_update(&ctx, found, patch.into(), None).await.unwrap();

    let strange = world.add_user(&org, beside, "strange").await;
    for id in [org.admin.id, strange.id, UserId(i64::MAX)] {
        assert!(is_unknown(&directory.user_get(&ctx, id).await));
        assert!(is_unknown(&directory.user_get_writable(&ctx, id).await));
    }
    let order = UserOrder { by: UserSort::Login, descending: false };
    let slice = Slice { limit: 9, offset: 0 };
    let list = async |root| directory.user_list(&ctx, root, UserFilter::default(), order, slice).await;
    for (root, logins) in [(None, vec!["branch", "lower", "own"]), (Some(below), vec!["lower", "own"])] {
        let page = list(root).await.unwrap();
        assert_eq!(page.items.iter().map(|view| view.user.login.as_str()).collect::<Vec<_>>(), logins);
        assert_eq!(page.total, logins.len() as u64);
    }
    for root in [org.top, beside, OrgUnitId(i64::MAX)] {
        assert!(matches!(list(Some(root)).await, Err(Error::Forbidden(_))));
    }
    // It may be the only one who governs its branch and still go.
    let found = directory.user_get_writable(&ctx, admin.id).await.unwrap();
    directory.user_delete(&ctx, found, None).await.unwrap();
}

async fn only_admins_read_and_write_users<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let journal = world.journal(&org).await;
    let order = UserOrder { by: UserSort::Login, descending: false };
    let slice = Slice { limit: 9, offset: 0 };
    for (login, role) in [("standard", Role::Standard), ("reader", Role::ReadOnly)] {
        let user = User { role, ..world.user(&org, org.top, login).await };
        world.commit(&org, vec![user_insert(&user)]).await.unwrap();
        let ctx = world.ctx_of(&user).await;
        let directory = &world.directory;
        let found = async || world.store().user_view(org.tenant, user.id).await.unwrap().unwrap();
        let patch = UserPatch { first_name: Some("Never".to_owned()), ..UserPatch::default() };
        let outcomes = [
            directory.user_create(&ctx, with_login("bob").into()).await.map(drop),
            directory.user_get(&ctx, user.id).await.map(drop),
            directory.user_get_writable(&ctx, user.id).await.map(drop),
            directory.user_list(&ctx, None, UserFilter::default(), order, slice).await.map(drop),
            directory.user_update(&ctx, found().await, patch.into(), None).await.map(drop),
            directory.user_delete(&ctx, found().await, None).await.map(drop),
            directory.user_erase(&ctx, found().await, None).await.map(drop),
        ];
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::Forbidden(_)))), "{outcomes:?}");
        assert_eq!(directory.profile_get(&ctx).await.unwrap().user, user);
    }
    assert_eq!(world.journal(&org).await, journal);
}

async fn a_login_stands_once_in_the_tenant_however_it_is_written<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    world.create_user(&org, with_login("Jürg Groß")).await.unwrap();
    let bob = world.create_user(&org, with_login("bob")).await.unwrap();
    let made = (world.journal(&org).await, world.backend.rows_of(org.tenant));
    for login in ["Jürg Groß", "JÜRG GROSS", " ju\u{308}rg groß\t", "\u{a0}jürg grosS"] {
        for new in [with_login(login), in_unit(login, unit)] {
            assert!(is_duplicate(&world.create_user(&org, new).await), "{login}");
        }
        assert!(is_duplicate(&world.update_user(&org, bob.id, with_login(login)).await), "{login}");
    }
    assert_eq!((world.journal(&org).await, world.backend.rows_of(org.tenant)), made);
    assert_eq!(world.stored_user(&bob).await, bob);
    // Its own login in other letters is a change, and nobody else's.
    let bob = world.update_user(&org, bob.id, with_login("BOB")).await.unwrap();
    assert_eq!((bob.login.as_str(), bob.version), ("BOB", 2));
    world.create_user(&org, with_login("Jurg Gross")).await.unwrap();
}

async fn a_claimed_login_stands_once_over_all_tenants<B: Backend>() {
    let world = World::<B>::new();
    let (org, other, third) = (world.org("acme").await, world.org("other").await, world.org("third").await);
    let claiming = |login: &str| UserPatch { claims_login: true, ..with_login(login) };
    let ann = world.create_user(&org, claiming("Ann")).await.unwrap();
    let journal = world.journal(&other).await;
    assert!(is_duplicate(&world.create_user(&other, claiming("ANN")).await));
    assert_eq!(world.journal(&other).await, journal);
    // Who cannot log in claims nothing and is kept out by no claim.
    let beside = world.create_user(&other, with_login("ann")).await.unwrap();
    world.create_user(&third, with_login("ann")).await.unwrap();
    assert_eq!(holder(&world, "ann").await, Some(ann.id));
    // In the tenant itself even the unclaimed ones stand once.
    assert!(is_duplicate(&world.create_user(&org, with_login("ann")).await));
    assert!(is_duplicate(&world.create_user(&third, claiming("ann")).await));
    // The claim goes with the login.
    world.update_user(&org, ann.id, with_login("beth")).await.unwrap();
    assert_eq!((holder(&world, "ann").await, holder(&world, "beth").await), (None, Some(ann.id)));
    world.update_user(&other, beside.id, with_login("beth")).await.unwrap();
    // A creation or a password claims a login; another login alone does not.
    world.update_user(&other, beside.id, claiming("carl")).await.unwrap();
    assert_eq!(holder(&world, "carl").await, None);
}

async fn a_password_claims_the_login_or_is_refused<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let first = world.create_user(&org, with_login("ann")).await.unwrap();
    let second = world.create_user(&other, with_login("Ann")).await.unwrap();
    let first = world.update_user(&org, first.id, with_password()).await.unwrap();
    assert!(first.login_claimed && first.password_hash.is_some());
    assert_eq!(holder(&world, "ann").await, Some(first.id));

    let journal = world.journal(&other).await;
    assert!(is_duplicate(&world.update_user(&other, second.id, with_password()).await));
    let new = UserPatch { password: Some(PASSWORD.into()), ..with_login("ANN") };
    world.delete_user(&other, second.id).await.unwrap();
    assert!(is_duplicate(&world.create_user(&other, new).await));
    assert_eq!(world.journal(&other).await.len(), journal.len() + 1);
    assert_eq!(world.stored_user(&second).await.password_hash, None);
    // A login that is free together with the password is fine.
    let patch = UserPatch { password: Some(PASSWORD.into()), ..with_login("beth") };
    let third = world.create_user(&other, with_login("ann")).await.unwrap();
    world.update_user(&other, third.id, patch).await.unwrap();
    assert_eq!(holder(&world, "beth").await, Some(third.id));
    world.directory.session_open("ann", PASSWORD.into()).await.unwrap();
    world.directory.session_open("beth", PASSWORD.into()).await.unwrap();
}

async fn a_deletion_frees_the_login_for_everybody<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let claiming = || UserPatch { claims_login: true, ..with_login("ann") };
    let mut owner = &org;
    for round in 0..4 {
        let user = world.create_user(owner, claiming()).await.unwrap();
        assert_eq!(holder(&world, "ann").await, Some(user.id));
        // Whoever is inactive keeps the login.
        let patch = UserPatch { status: Some(UserStatus::Inactive), ..UserPatch::default() };
        world.update_user(owner, user.id, patch).await.unwrap();
        owner = if round % 2 == 0 { &other } else { &org };
        assert!(is_duplicate(&world.create_user(owner, claiming()).await));
        let of = if user.tenant == org.tenant { &org } else { &other };
        if round < 2 {
            world.delete_user(of, user.id).await.unwrap();
        } else {
            world.erase_user(of, user.id).await.unwrap();
        }
        assert_eq!(holder(&world, "ann").await, None);
    }
    world.create_user(&org, claiming()).await.unwrap();
}
