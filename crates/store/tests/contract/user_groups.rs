//! What is done with a user group, as conversations.

use std::time::Duration;

use muster_domain::user::{Role, User};
use muster_domain::user_group::{UserGroup, UserGroupPatch, WithMembers};
use muster_domain::{Draft, Entity, Error, Patch, Precondition, Problem, Rule, Slice, Unique, UserGroupId};
use serde_json::json;
use uuid::Uuid;

use crate::contact_books::ALL;
use crate::support::{Backend, START};
use crate::user_books::{joining, leaving, user_group_named, with_external_id};
use crate::world::{Org, World, user_insert};

contract![
    a_group_is_kept_as_it_was_given,
    a_change_keeps_what_it_does_not_name,
    a_change_that_changes_nothing_commits_nothing,
    an_external_id_stands_once_in_a_tenant,
    groups_are_listed_newest_first_and_searched,
    a_deleted_group_is_gone,
    a_group_with_members_is_spared,
    a_precondition_holds_until_the_change_is_written,
    only_admins_see_or_change_groups,
    a_group_survives_the_store,
];

fn unknown() -> UserGroupId {
    UserGroupId(Uuid::from_u128(7))
}

fn full() -> UserGroupPatch {
    let extra = json!({ "z": 1.50, "a": { "list": [1, null, "ß"] }, "big": 12_345_678_901_234_567_890_u64 });
    UserGroupPatch {
        name: Some("Night desk".to_owned()),
        description: Patch::Set("Covers 22-06".to_owned()),
        external_id: Patch::Set("ND-7".to_owned()),
        extra_fields: Patch::Set(extra.as_object().unwrap().clone()),
    }
}

async fn a_group_is_kept_as_it_was_given<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.directory.user_group_create(&org.ctx, full().into()).await.unwrap();
    assert_eq!((group.version, group.members, group.created_at), (1, 0, START));
    assert_eq!(group.id.0.get_version_num(), 7);
    assert_eq!(world.stored_user_group(&org, group.id).await, group);
    let kept = group.extra_fields.as_ref().unwrap();
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["z", "a", "big"], "in their order");
    let bare = world.user_group(&org, "Bare").await;
    let stored = world.stored_user_group(&org, bare.id).await;
    assert_eq!((&stored.description, &stored.external_id, &stored.extra_fields), (&None, &None, &None));
    let mut draft = Draft::from(UserGroupPatch::default());
    draft.errors.push("external_id", Problem::Blank);
    let Err(Error::Invalid(fields)) = world.directory.user_group_create(&org.ctx, draft).await else {
        panic!("it has no name");
    };
    assert_eq!(fields.iter().map(|error| &*error.field).collect::<Vec<_>>(), ["external_id", "name"]);
    let said = world.journal(&org).await;
    let [made, other] = &said[said.len() - 2..] else { panic!("{said:?}") };
    assert_eq!(
        (made.kind.as_str(), made.entity.as_str(), made.version),
        ("user_group.created", "user_group", 1)
    );
    assert_eq!(made.entity_id, group.id.to_string());
    assert_eq!(made.payload["name"], json!([null, "Night desk"]));
    assert_eq!(made.payload["extra_fields"][1]["a"]["list"], json!([1, null, "ß"]));
    assert_eq!(other.payload, json!({ "name": [null, "Bare"] }));
    world.is_sound().await;
}

async fn a_change_keeps_what_it_does_not_name<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.directory.user_group_create(&org.ctx, full().into()).await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    let renamed = world.update_user_group(&org, group.id, user_group_named("Day desk")).await.unwrap();
    let modified_at = START.plus(Duration::from_secs(5));
    let expected = UserGroup { name: "Day desk".to_owned(), version: 2, modified_at, ..group.clone() };
    assert_eq!(renamed, expected);
    let replaced = json!({ "site": "Turin" });
    let patch = UserGroupPatch {
        description: Patch::Clear,
        external_id: Patch::Clear,
        extra_fields: Patch::Set(replaced.as_object().unwrap().clone()),
        ..UserGroupPatch::default()
    };
    let replaced = world.update_user_group(&org, group.id, patch).await.unwrap();
    assert_eq!(json!(replaced.extra_fields), json!({ "site": "Turin" }), "replaced whole");
    assert_eq!((&replaced.description, &replaced.external_id, replaced.version), (&None, &None, 3));
    assert_eq!(world.stored_user_group(&org, group.id).await, replaced);
    let said = world.journal(&org).await.pop().unwrap();
    assert_eq!((said.kind.as_str(), said.version), ("user_group.updated", 3));
    assert_eq!(said.payload["external_id"], json!(["ND-7", null]));
    assert!(said.payload.get("name").is_none());
    let outcome = world.update_user_group(&org, unknown(), user_group_named("x")).await;
    assert!(matches!(outcome, Err(Error::NotFound(Entity::UserGroup))));
    world.is_sound().await;
}

async fn a_change_that_changes_nothing_commits_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.directory.user_group_create(&org.ctx, full().into()).await.unwrap();
    let member = world.add_user(&org, org.top, "ann").await;
    world.change_members(&org, group.id, joining([&member])).await.unwrap();
    let before = world.backend.dump();
    world.clock.advance(Duration::from_secs(5));
    let stored = world.stored_user_group(&org, group.id).await;
    for patch in [full(), UserGroupPatch::default(), with_external_id("ND-7")] {
        assert_eq!(world.update_user_group(&org, group.id, patch).await.unwrap(), stored);
    }
    for wishes in [joining([&member]), leaving([&org.admin]), joining([]), leaving([])] {
        assert_eq!(world.change_members(&org, group.id, wishes).await.unwrap(), stored);
    }
    assert_eq!(world.backend.dump(), before);
}

fn is_taken<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Duplicate(Unique::UserGroupExternalId)))
}

async fn an_external_id_stands_once_in_a_tenant<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let group = world.directory.user_group_create(&org.ctx, full().into()).await.unwrap();
    let second = world.user_group(&org, "second").await;
    for same in ["ND-7", "nd-7"] {
        assert!(is_taken(&world.update_user_group(&org, second.id, with_external_id(same)).await));
        let patch = UserGroupPatch { name: Some("new".to_owned()), ..with_external_id(same) };
        assert!(is_taken(&world.directory.user_group_create(&org.ctx, patch.into()).await));
    }
    // Its own value is fine, in another case too; others may have it in other tenants.
    let own = world.update_user_group(&org, group.id, with_external_id("nD-7")).await.unwrap();
    assert_eq!(own.external_id.as_deref(), Some("nD-7"));
    world.directory.user_group_create(&other.ctx, full().into()).await.unwrap();
    world.drop_user_group(&org, group.id).await.unwrap();
    world.update_user_group(&org, second.id, with_external_id("ND-7")).await.unwrap();
    world.update_user_group(&org, second.id, with_external_id("other")).await.unwrap();
    world.directory.user_group_create(&org.ctx, full().into()).await.unwrap();
    world.is_sound().await;
}

async fn names<B: Backend>(world: &World<B>, org: &Org, search: &str, slice: Slice) -> (Vec<String>, u64) {
    let search = (!search.is_empty()).then(|| search.to_owned());
    let page = world.directory.user_group_list(&org.ctx, search, slice).await.unwrap();
    (page.items.into_iter().map(|group| group.name).collect(), page.total)
}

async fn groups_are_listed_newest_first_and_searched<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    world.user_group(&other, "Zoë").await;
    assert_eq!(names(&world, &org, "", ALL).await, (vec![], 0));
    let mut same_time = Vec::new();
    for (n, name) in ["Zoë", "STRASSE", "50%", "a_b", "Night desk"].into_iter().enumerate() {
        if n > 1 {
            world.clock.advance(Duration::from_secs(1));
        }
        let group = world.user_group(&org, name).await;
        same_time.extend((n < 2).then_some((group.id, name)));
    }
    let described =
        UserGroupPatch { description: Patch::Set("Nachtwache ZOË".to_owned()), ..user_group_named("Watch") };
    world.clock.advance(Duration::from_secs(1));
    let watch = world.directory.user_group_create(&world.now_ctx(&org), described.into()).await.unwrap();
    same_time.sort_unstable_by(|a, b| b.cmp(a));
    let mut expected = vec!["Watch", "Night desk", "a_b", "50%"];
    expected.extend(same_time.iter().map(|(_, name)| *name));
    assert_eq!(names(&world, &org, "", ALL).await.0, expected);
    assert_eq!(
        names(&world, &org, "", Slice { limit: 2, offset: 3 }).await,
        (expected[3..5].iter().map(|&name| name.to_owned()).collect(), 6)
    );
    assert_eq!(names(&world, &org, "", Slice { limit: 2, offset: 30 }).await, (vec![], 6));
    for (search, found) in [
        ("zoë", &["Watch", "Zoë"][..]),
        ("ZOE\u{308}", &["Watch", "Zoë"]),
        ("straße", &["STRASSE"]),
        ("NIGHT", &["Night desk"]),
        ("t", &["Watch", "Night desk", "STRASSE"]),
        ("%", &["50%"]),
        ("_", &["a_b"]),
        ("\\", &[]),
        ("desk Watch", &[]),
    ] {
        let (names, total) = names(&world, &org, search, ALL).await;
        assert_eq!(
            (names, total),
            (found.iter().map(|&n| n.to_owned()).collect(), found.len() as u64),
            "{search}"
        );
    }
    let patch = UserGroupPatch { description: Patch::Clear, ..UserGroupPatch::default() };
    world.update_user_group(&org, watch.id, patch).await.unwrap();
    assert_eq!(names(&world, &org, "zoë", ALL).await.1, 1);
    world.drop_user_group(&org, watch.id).await.unwrap();
    assert_eq!(names(&world, &org, "", ALL).await.1, 5);
    world.is_sound().await;
}

async fn a_deleted_group_is_gone<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.directory.user_group_create(&org.ctx, full().into()).await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    let deleted = world.spare_user_group(&org, group.id).await.unwrap();
    let modified_at = START.plus(Duration::from_secs(5));
    assert_eq!(deleted, UserGroup { version: 2, modified_at, ..group.clone() });
    let said = world.journal(&org).await.pop().unwrap();
    assert_eq!((said.kind.as_str(), said.version, said.at), ("user_group.deleted", 2, modified_at));
    let (directory, ctx) = (&world.directory, &org.ctx);
    for reaped in [false, true] {
        let outcomes = [
            directory.user_group_get(ctx, group.id).await.map(drop),
            directory
                .user_group_update(ctx, group.clone(), user_group_named("x").into(), None)
                .await
                .map(drop),
            directory.user_group_delete(ctx, group.clone(), WithMembers::Drop, None).await.map(drop),
            directory.user_group_delete(ctx, group.clone(), WithMembers::Refuse, None).await.map(drop),
            directory
                .user_group_members_change(ctx, group.clone(), joining([&org.admin]), None)
                .await
                .map(drop),
        ];
        for (n, outcome) in outcomes.iter().enumerate() {
            assert!(matches!(outcome, Err(Error::NotFound(Entity::UserGroup))), "{reaped} {n}: {outcome:?}");
        }
        assert_eq!(world.members_of(&org, group.id).await, None);
        world.is_sound().await;
        directory.user_groups_reap().await.unwrap();
        assert_eq!(world.backend.look("SELECT COUNT(*) FROM user_groups"), 0);
    }
}

async fn a_group_with_members_is_spared<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.user_group(&org, "desk").await;
    let users: Vec<User> =
        vec![world.add_user(&org, org.top, "a").await, world.add_user(&org, org.top, "b").await];
    world.change_members(&org, group.id, joining(&users)).await.unwrap();
    let refused = |outcome| matches!(outcome, Err(Error::Rule(Rule::UserGroupHasMembers)));
    assert!(refused(world.spare_user_group(&org, group.id).await));
    // Also by what was read before anybody was in it.
    let delete = world.directory.user_group_delete(&org.ctx, group.clone(), WithMembers::Refuse, None);
    assert!(refused(delete.await.map(|ended| ended.after)));
    let full = world.stored_user_group(&org, group.id).await;
    world.delete_user(&org, users[0].id).await.unwrap();
    assert!(refused(world.spare_user_group(&org, group.id).await));
    world.erase_user(&org, users[1].id).await.unwrap();
    // And not by what was read while somebody was.
    world.directory.user_group_delete(&org.ctx, full, WithMembers::Refuse, None).await.unwrap();
    world.is_sound().await;
}

async fn a_precondition_holds_until_the_change_is_written<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.user_group(&org, "desk").await;
    let version = |wanted: i64| -> Option<Precondition<UserGroup>> {
        Some(Box::new(move |group| group.version == wanted))
    };
    let (directory, ctx) = (&world.directory, &org.ctx);
    let joined =
        directory.user_group_members_change(ctx, group.clone(), joining([&org.admin]), version(1)).await;
    assert_eq!(joined.unwrap().version, 2, "who joins raises the version");
    // What was read is as old as the precondition; the store knows better.
    let outcomes = [
        directory
            .user_group_update(ctx, group.clone(), user_group_named("x").into(), version(1))
            .await
            .map(drop),
        directory.user_group_delete(ctx, group.clone(), WithMembers::Drop, version(1)).await.map(drop),
        directory
            .user_group_members_change(ctx, group.clone(), leaving([&org.admin]), version(1))
            .await
            .map(drop),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(Error::Precondition)), "{outcome:?}");
    }
    let stored = world.stored_user_group(&org, group.id).await;
    directory.user_group_update(ctx, stored, user_group_named("x").into(), version(2)).await.unwrap();
    let stored = world.stored_user_group(&org, group.id).await;
    directory.user_group_delete(ctx, stored, WithMembers::Drop, version(3)).await.unwrap();
}

async fn only_admins_see_or_change_groups<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.user_group(&org, "desk").await;
    let plain = User { role: Role::ReadOnly, ..world.user(&org, org.top, "plain").await };
    world.commit(&org, vec![user_insert(&plain)]).await.unwrap();
    let (directory, ctx) = (&world.directory, &world.ctx_of(&plain).await);
    let before = world.backend.dump();
    let outcomes = [
        directory.user_group_create(ctx, user_group_named("x").into()).await.map(drop),
        directory.user_group_update(ctx, group.clone(), user_group_named("x").into(), None).await.map(drop),
        directory.user_group_delete(ctx, group.clone(), WithMembers::Drop, None).await.map(drop),
        directory.user_group_members_change(ctx, group.clone(), joining([&plain]), None).await.map(drop),
        directory.user_group_get(ctx, group.id).await.map(drop),
        directory.user_group_list(ctx, None, ALL).await.map(drop),
        directory.user_group_members(ctx, group.id, plain.id, 9).await.map(drop),
        directory.user_memberships(ctx, plain.id).await.map(drop),
        directory.user_get_by_uuid(ctx, plain.uuid).await.map(drop),
    ];
    for (n, outcome) in outcomes.iter().enumerate() {
        assert!(matches!(outcome, Err(Error::Forbidden(_))), "{n}: {outcome:?}");
    }
    assert_eq!(world.backend.dump(), before);
}

async fn a_group_survives_the_store<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.directory.user_group_create(&org.ctx, full().into()).await.unwrap();
    let joined = world.change_members(&org, group.id, joining([&org.admin])).await.unwrap();
    let world = world.reopened().await;
    assert_eq!(world.stored_user_group(&org, group.id).await, joined);
    assert_eq!(world.groups_of(&org, org.admin.id).await, [group.id]);
    world.is_sound().await;
}
