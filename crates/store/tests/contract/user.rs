//! Users: columns, versions, logins and their claims, views.

use muster_domain::user::{Role, UnitRef, User, UserFilter, UserOrder, UserSort, UserStatus, UserStore as _};
use muster_domain::{Slice, StoreError, Timestamp, Unique, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Backend, START};
use crate::world::{Org, World, user_insert, user_update};

contract![
    a_user_reads_back_with_every_column,
    a_user_reads_back_with_every_optional_column_empty,
    aliases_of_every_json_form_read_back,
    an_update_writes_every_column,
    an_update_of_another_version_is_stale_and_changes_nothing,
    a_login_stands_once_in_a_tenant,
    an_update_cannot_take_a_login_of_the_tenant,
    a_deleted_user_frees_its_login,
    an_unclaimed_login_repeats_over_tenants,
    a_claimed_login_stands_once_over_all_tenants,
    a_claim_finds_its_user,
    an_update_moves_the_claim,
    a_refused_update_leaves_the_claims_as_they_were,
    an_update_releases_no_claim_of_another_user,
    a_view_shows_the_unit_its_parent_and_the_top,
    a_text_with_a_nul_finds_nobody,
];

const DUPLICATE: StoreError = StoreError::Duplicate(Unique::Login);

/// The user with every optional column set, each column to a value of its own.
fn filled(user: User) -> User {
    User {
        uuid: Uuid::from_u128(0x0198_2f5e_1111_7222_8333_4444_5555_6666),
        login_claimed: true,
        first_name: "Zoë".to_owned(),
        last_name: "O'Neil".to_owned(),
        role: Role::ReadOnly,
        status: UserStatus::Inactive,
        password_hash: Some("$argon2id$not-a-real-one".to_owned()),
        external_id: Some("E-71".to_owned()),
        timezone: "Europe/Zurich".to_owned(),
        aliases: Some(json!([{"type": "agent", "value": "zoë"}, 5, null])),
        agent_ring_to: Some("+1-775-555-0100".to_owned()),
        agent_code: Some(4711),
        score_call: true,
        access_audio: false,
        group_access: 3,
        report_access: 9,
        version: 5,
        created_at: Timestamp(START.0 + 1),
        modified_at: Timestamp(START.0 + 2),
        ..user
    }
}

async fn stored<B: Backend>(world: &World<B>, user: &User) -> User {
    world.store().user(user.tenant, user.id).await.unwrap().unwrap()
}

/// Who can log in with a login key.
async fn holder<B: Backend>(world: &World<B>, key: &str) -> Option<UserId> {
    world.store().user_by_claim(key).await.unwrap().map(|user| user.id)
}

async fn claimed<B: Backend>(world: &World<B>, org: &Org, login: &str) -> User {
    User { login_claimed: true, ..world.user(org, org.top, login).await }
}

async fn a_user_reads_back_with_every_column<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = filled(world.user(&org, org.top, "Zoë@Example.org").await);
    let other = User {
        id: UserId(user.id.0 + 1000),
        uuid: Uuid::from_u128(1),
        login: "other".to_owned(),
        role: Role::Admin,
        status: UserStatus::Deleted,
        score_call: false,
        access_audio: true,
        ..user.clone()
    };
    world.commit(&org, vec![user_insert(&user), user_insert(&other)]).await.unwrap();
    assert_eq!(stored(&world, &user).await, user);
    assert_eq!(stored(&world, &other).await, other);
}

async fn a_user_reads_back_with_every_optional_column_empty<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.add_user(&org, org.top, "bob").await;
    assert_eq!(stored(&world, &user).await, user);
    assert_eq!(world.store().user(org.tenant, UserId(i64::MAX)).await.unwrap(), None);
}

async fn aliases_of_every_json_form_read_back<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let forms = [
        json!(null),
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(0.1),
        json!("ä\u{0}\u{1f600}\"\\"),
        json!([]),
        json!({"": {"b": [1, [2]]}}),
    ];
    for (n, form) in forms.into_iter().enumerate() {
        let user = world.user(&org, org.top, &format!("user {n}")).await;
        let user = User { aliases: Some(form), ..user };
        world.commit(&org, vec![user_insert(&user)]).await.unwrap();
        assert_eq!(stored(&world, &user).await, user);
    }
}

async fn an_update_writes_every_column<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "North").await;
    let before = world.add_user(&org, org.top, "bob").await;
    let full = filled(before.clone());
    let full = User {
        uuid: before.uuid,
        org_unit_id: unit.id,
        login: "Robert".to_owned(),
        created_at: before.created_at,
        ..full
    };
    world.commit(&org, vec![user_update(&before, &full)]).await.unwrap();
    assert_eq!(stored(&world, &before).await, full);

    let emptied = User { version: 6, ..before };
    world.commit(&org, vec![user_update(&full, &emptied)]).await.unwrap();
    assert_eq!(stored(&world, &emptied).await, emptied);
    assert_eq!(stored(&world, &org.admin).await, org.admin);
}

async fn an_update_of_another_version_is_stale_and_changes_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.add_user(&org, org.top, "bob").await;
    for version in [0, 2, 3] {
        let wrong = User { version, ..user.clone() };
        let outcome = world.change_user(&org, &wrong, |user| "Never".clone_into(&mut user.first_name)).await;
        assert_eq!(outcome, Err(StoreError::Stale));
    }
    let unknown = world.user(&org, org.top, "eve").await;
    assert_eq!(world.change_user(&org, &unknown, |_| {}).await, Err(StoreError::Stale));
    assert_eq!(stored(&world, &user).await, user);
    assert_eq!(world.store().user(org.tenant, unknown.id).await.unwrap(), None);
}

async fn a_login_stands_once_in_a_tenant<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "North").await;
    world.add_user(&org, org.top, "Jürg Groß").await;
    for login in ["Jürg Groß", "JÜRG GROSS", "ju\u{308}rg groß"] {
        for unit in [org.top, unit.id] {
            let user = world.user(&org, unit, login).await;
            assert_eq!(world.commit(&org, vec![user_insert(&user)]).await, Err(DUPLICATE), "{login}");
        }
    }
    world.add_user(&org, org.top, "Jurg Gross").await;
}

async fn an_update_cannot_take_a_login_of_the_tenant<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.add_user(&org, org.top, "ann").await;
    let bob = world.add_user(&org, org.top, "bob").await;
    let outcome = world.change_user(&org, &bob, |user| "ANN".clone_into(&mut user.login)).await;
    assert_eq!(outcome, Err(DUPLICATE));
    // Its own login, written otherwise, is not taken by anybody else.
    world.change_user(&org, &bob, |user| "BOB".clone_into(&mut user.login)).await.unwrap();
}

async fn a_deleted_user_frees_its_login<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let first = claimed(&world, &org, "ann").await;
    world.commit(&org, vec![user_insert(&first)]).await.unwrap();
    let first = world.change_user(&org, &first, |user| user.status = UserStatus::Inactive).await.unwrap();
    let again = claimed(&world, &org, "ann").await;
    assert_eq!(
        world.commit(&org, vec![user_insert(&again)]).await,
        Err(DUPLICATE),
        "inactive is not deleted"
    );

    let first = world.change_user(&org, &first, |user| user.status = UserStatus::Deleted).await.unwrap();
    assert_eq!(holder(&world, "ann").await, None);
    world.add_user(&org, org.top, "Ann").await;
    let elsewhere = claimed(&world, &other, "ann").await;
    world.commit(&other, vec![user_insert(&elsewhere)]).await.unwrap();
    let outcome = world.change_user(&org, &first, |user| user.status = UserStatus::Active).await;
    assert_eq!(outcome, Err(DUPLICATE), "meanwhile the login belongs to another");
}

async fn an_unclaimed_login_repeats_over_tenants<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    world.add_user(&org, org.top, "ann").await;
    world.add_user(&other, other.top, "ann").await;
    assert_eq!(holder(&world, "ann").await, None);
    // One of them may be claimed beside the others.
    let third = world.org("third").await;
    let ann = claimed(&world, &third, "ann").await;
    world.commit(&third, vec![user_insert(&ann)]).await.unwrap();
    assert_eq!(holder(&world, "ann").await, Some(ann.id));
}

async fn a_claimed_login_stands_once_over_all_tenants<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let ann = claimed(&world, &org, "Ann@Example.org").await;
    world.commit(&org, vec![user_insert(&ann)]).await.unwrap();
    let second = claimed(&world, &other, "ann@example.ORG").await;
    assert_eq!(world.commit(&other, vec![user_insert(&second)]).await, Err(DUPLICATE));
    assert_eq!(world.store().user(other.tenant, second.id).await.unwrap(), None);
    assert_eq!(holder(&world, "ann@example.org").await, Some(ann.id));
}

async fn a_claim_finds_its_user<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    assert_eq!(world.store().user_by_claim("admin@acme").await.unwrap(), Some(org.admin));
    assert_eq!(world.store().user_by_claim("admin@other").await.unwrap(), Some(other.admin));
    assert_eq!(holder(&world, "admin").await, None);
    assert_eq!(holder(&world, "").await, None);
}

async fn an_update_moves_the_claim<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.add_user(&org, org.top, "ann").await;
    let user = world.change_user(&org, &user, |user| user.login_claimed = true).await.unwrap();
    assert_eq!(holder(&world, "ann").await, Some(user.id));
    // The same key in other letters is the same claim.
    let user = world.change_user(&org, &user, |user| "ANN".clone_into(&mut user.login)).await.unwrap();
    assert_eq!(holder(&world, "ann").await, Some(user.id));
    let user = world.change_user(&org, &user, |user| "beth".clone_into(&mut user.login)).await.unwrap();
    assert_eq!((holder(&world, "ann").await, holder(&world, "beth").await), (None, Some(user.id)));
    let user = world.change_user(&org, &user, |user| user.status = UserStatus::Inactive).await.unwrap();
    assert_eq!(holder(&world, "beth").await, Some(user.id), "it keeps its login for its return");
    let user = world.change_user(&org, &user, |user| user.login_claimed = false).await.unwrap();
    assert_eq!(holder(&world, "beth").await, None);
    let user = world.change_user(&org, &user, |user| user.login_claimed = true).await.unwrap();
    world.change_user(&org, &user, |user| user.status = UserStatus::Deleted).await.unwrap();
    assert_eq!(holder(&world, "beth").await, None);
}

async fn a_refused_update_leaves_the_claims_as_they_were<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let ann = claimed(&world, &org, "ann").await;
    let bob = claimed(&world, &other, "bob").await;
    world.commit(&org, vec![user_insert(&ann)]).await.unwrap();
    world.commit(&other, vec![user_insert(&bob)]).await.unwrap();

    let outcome = world.change_user(&other, &bob, |user| "ann".clone_into(&mut user.login)).await;
    assert_eq!(outcome, Err(DUPLICATE));
    assert_eq!(holder(&world, "ann").await, Some(ann.id));
    assert_eq!(holder(&world, "bob").await, Some(bob.id));
    assert_eq!(stored(&world, &bob).await, bob);
}

async fn an_update_releases_no_claim_of_another_user<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let ann = claimed(&world, &org, "ann").await;
    world.commit(&org, vec![user_insert(&ann)]).await.unwrap();
    let bob = world.add_user(&org, org.top, "bob").await;
    // What a caller says of the row before is not taken on trust.
    let pretended = User { login: "ann".to_owned(), login_claimed: true, ..bob.clone() };
    let after = User { version: 2, ..bob };
    world.commit(&org, vec![user_update(&pretended, &after)]).await.unwrap();
    assert_eq!(holder(&world, "ann").await, Some(ann.id));
}

async fn a_view_shows_the_unit_its_parent_and_the_top<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let north = world.add_unit(&org, org.top, "North").await;
    let city = world.unit(&org, north.id, "City").await;
    let city = muster_domain::org_unit::OrgUnit { external_id: Some("C".to_owned()), version: 3, ..city };
    world.commit(&org, vec![crate::world::unit_insert(&city)]).await.unwrap();
    let top = UnitRef { id: org.top, name: "acme".to_owned(), external_id: None, version: 1 };
    let north_ref = UnitRef { id: north.id, name: "North".to_owned(), external_id: None, version: 1 };
    let city_ref =
        UnitRef { id: city.id, name: "City".to_owned(), external_id: Some("C".to_owned()), version: 3 };

    for (unit, parent) in
        [(top.clone(), None), (north_ref.clone(), Some(top.clone())), (city_ref, Some(north_ref))]
    {
        let user = filled(world.user(&org, unit.id, &format!("user of {}", unit.name)).await);
        let user = User { uuid: Uuid::from_u128(u128::try_from(unit.id.0).unwrap()), ..user };
        world.commit(&org, vec![user_insert(&user)]).await.unwrap();
        let view = world.store().user_view(org.tenant, user.id).await.unwrap().unwrap();
        assert_eq!((view.user, view.unit, view.parent, view.top), (user, unit, parent, top.clone()));
    }
    assert_eq!(world.store().user_view(org.tenant, UserId(i64::MAX)).await.unwrap(), None);
}

async fn a_text_with_a_nul_finds_nobody<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (order, slice) = (UserOrder { by: UserSort::Name, descending: false }, Slice { limit: 9, offset: 0 });
    for text in ["\0", "admin@acme\0", "admin\0@acme"] {
        assert_eq!(world.store().user_by_claim(text).await.unwrap(), None);
        let filter = UserFilter { search: Some(text.to_owned()), ..UserFilter::default() };
        assert_eq!(world.store().users(org.tenant, filter, order, slice).await.unwrap().total, 0);
    }
}
