//! What ends memberships: the end of a user, the end of a group; and what else is shown of a user with its group.

use muster_domain::user::{UserPatch, UserStatus, UserView};
use muster_domain::user_group::UserGroupStore as _;
use muster_domain::{
    Batch, Change, Entity, Error, Guard, Patch, Precondition, Store as _, StoreError, UserGroupId,
};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Backend, START};
use crate::user_books::{in_group, joining, kinds, user_groups};
use crate::world::World;

contract![
    whoever_is_deleted_is_in_no_group,
    the_groups_of_an_erased_user_are_forgotten,
    a_deleted_group_is_nobodys,
    a_user_is_tagged_with_its_primary_group,
    an_avatar_is_kept_and_erased,
    a_membership_that_is_decided_on_old_rows_is_stale,
];

async fn whoever_is_deleted_is_in_no_group<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let groups = user_groups(&world, &org, 3).await;
    let user = world.add_user(&org, org.top, "ann").await;
    for group in &groups {
        world.change_members(&org, group.id, joining([&user])).await.unwrap();
    }
    let inactive = UserPatch { status: Some(UserStatus::Inactive), ..UserPatch::default() };
    world.update_user(&org, user.id, inactive).await.unwrap();
    assert_eq!(world.groups_of(&org, user.id).await.len(), 3, "who is inactive stays");
    let deleted = world.delete_user(&org, user.id).await.unwrap();
    assert_eq!((deleted.user_group_id, deleted.version), (None, 4));
    assert_eq!(world.stored_user(&user).await, deleted);
    for group in &groups {
        let stored = world.stored_user_group(&org, group.id).await;
        assert_eq!((stored.members, stored.version), (0, 3));
    }
    let said = world.journal(&org).await;
    let [gone, left @ ..] = &said[said.len() - 4..] else { panic!() };
    assert_eq!(gone.payload["user_group_id"], json!([groups[0].id.0, null]));
    assert!(left.iter().all(|record| record.payload == json!({ "members": [[user.id.0], []] })));
    world.is_sound().await;
}

async fn the_groups_of_an_erased_user_are_forgotten<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let groups = user_groups(&world, &org, 2).await;
    for deleted in [false, true] {
        let user = world.add_user(&org, org.top, "ann").await;
        for group in &groups {
            world.change_members(&org, group.id, joining([&user])).await.unwrap();
        }
        if deleted {
            world.delete_user(&org, user.id).await.unwrap();
        }
        let erased = world.erase_user(&org, user.id).await.unwrap();
        assert_eq!(erased.user_group_id, None);
        assert_eq!(world.backend.look("SELECT COUNT(*) FROM user_group_members"), 0);
        let said = world.journal(&org).await;
        let of_user =
            said.iter().filter(|record| record.entity == "user" && record.entity_id == user.id.to_string());
        assert!(of_user.into_iter().all(|record| record.payload == json!({})));
        world.is_sound().await;
    }
}

async fn a_deleted_group_is_nobodys<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let ids: Vec<UserGroupId> = user_groups(&world, &org, 3).await.iter().map(|group| group.id).collect();
    let mut users = Vec::new();
    for n in 0..5_usize {
        let user = world.add_user(&org, org.top, &format!("user {n}")).await;
        for group in &ids[..=n.min(2)] {
            world.change_members(&org, *group, joining([&user])).await.unwrap();
        }
        users.push(user);
    }
    world.drop_user_group(&org, ids[0]).await.unwrap();
    let look = async || {
        let mut seen = Vec::new();
        for user in &users {
            let stored = world.stored_user(user).await;
            assert_eq!(world.groups_of(&org, user.id).await.first().copied(), stored.user_group_id);
            seen.push((stored, world.groups_of(&org, user.id).await));
        }
        seen
    };
    let seen = look().await;
    assert_eq!(seen.iter().map(|(_, groups)| groups.len()).collect::<Vec<_>>(), [0, 1, 2, 2, 2]);
    world.is_sound().await;
    // Before and after its rows are removed, one of them being somebody's who has another primary group by then, and one
    // somebody's who is deleted.
    world.update_user(&org, users[3].id, in_group(ids[2])).await.unwrap();
    world.delete_user(&org, users[4].id).await.unwrap();
    world.is_sound().await;
    let seen = look().await;
    let reap = Batch::new(org.tenant).change(Change::MembershipsReap { group: ids[0], limit: 2 });
    world.store().commit(reap.clone()).await.unwrap();
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM user_group_members m WHERE is_primary = 1"), 4);
    world.is_sound().await;
    world.directory.user_groups_reap().await.unwrap();
    assert_eq!(world.store().user_group_to_reap(org.tenant).await.unwrap(), None);
    assert_eq!(world.store().commit(reap).await, Err(StoreError::Stale));
    assert_eq!(look().await, seen);
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM user_groups"), 2);
    assert_eq!(seen[3].1, [ids[2]]);
    world.is_sound().await;
}

async fn a_user_is_tagged_with_its_primary_group<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.user_group(&org, "desk").await.id;
    let user = world.add_user(&org, org.top, "ann").await;
    world.update_user(&org, user.id, in_group(group)).await.unwrap();
    let found = world.directory.user_get(&org.ctx, user.id).await.unwrap();
    world.drop_user_group(&org, group).await.unwrap();
    // The group is gone, which is no change of the user's row.
    let same: Precondition<UserView> = Box::new(move |view| view.user.user_group_id == Some(group));
    let patch = UserPatch { first_name: Some("Ann".to_owned()), ..UserPatch::default() };
    let outcome = world.directory.user_update(&org.ctx, found, patch.into(), Some(same)).await;
    assert!(matches!(outcome, Err(Error::Precondition)), "{outcome:?}");
}

async fn an_avatar_is_kept_and_erased<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let url = "https://img.example.org/1.png";
    let patch = |avatar| UserPatch { avatar, ..UserPatch::default() };
    let new = UserPatch { login: Some("ann".to_owned()), ..patch(Patch::Set(url.to_owned())) };
    let user = world.create_user(&org, new).await.unwrap();
    assert_eq!(world.stored_user(&user).await.avatar.as_deref(), Some(url));
    let cleared = world.update_user(&org, user.id, patch(Patch::Clear)).await.unwrap();
    assert_eq!((&cleared.avatar, cleared.version), (&None, 2));
    assert_eq!(kinds(&world, &org, 1).await, [format!("user.updated {}", json!({ "avatar": [url, null] }))]);
    world.update_user(&org, user.id, patch(Patch::Set(url.to_owned()))).await.unwrap();
    assert_eq!(world.erase_user(&org, user.id).await.unwrap().avatar, None);
    assert!(!world.backend.dump().iter().any(|row| row.contains(url)));
    assert_eq!(world.stored_user(&user).await.created_at, START);
}

async fn a_membership_that_is_decided_on_old_rows_is_stale<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let [a, b] = user_groups(&world, &org, 2).await.iter().map(|group| group.id).collect::<Vec<_>>()[..]
    else {
        panic!()
    };
    let user = org.admin.id;
    world.update_user(&org, user, in_group(a)).await.unwrap();
    let before = world.backend.dump();
    let join = |group| {
        let membership = muster_domain::user_group::Membership { user, group, primary: false, since: START };
        Change::MembershipInsert(membership)
    };
    for change in [
        join(a),
        join(UserGroupId(Uuid::nil())),
        Change::MembershipDelete { user, group: b, at: START },
        Change::MembershipPrimary { user, group: b },
        Change::MembershipsReap { group: a, limit: 9 },
        Change::UserGroupRemove(a),
        Change::UserGroupDelete { id: a, version: 1, at: START },
    ] {
        assert_eq!(world.commit(&org, vec![change.clone()]).await, Err(StoreError::Stale), "{change:?}");
    }
    for guard in [
        Guard::UserGroups { user, groups: vec![] },
        Guard::UserGroups { user, groups: vec![a, b] },
        Guard::PrimaryGroup { user, group: None },
        Guard::PrimaryGroup { user, group: Some(b) },
        Guard::UserGroupVacant(a),
        Guard::UserGroupVacant(UserGroupId(Uuid::nil())),
        Guard::UserGroupVersion { id: a, version: 1 },
    ] {
        let outcome = world.store().commit(Batch::new(org.tenant).guard(guard.clone())).await;
        assert_eq!(outcome, Err(StoreError::GuardFailed), "{guard:?}");
    }
    assert_eq!(world.backend.dump(), before);
    let guards = [
        Guard::UserGroups { user, groups: vec![a] },
        Guard::PrimaryGroup { user, group: Some(a) },
        Guard::UserGroupVacant(b),
        Guard::UserGroupVersion { id: a, version: 2 },
    ];
    world.store().commit(Batch { guards: guards.to_vec(), ..Batch::new(org.tenant) }).await.unwrap();
    assert!(matches!(
        world.directory.user_get_by_uuid(&org.ctx, Uuid::nil()).await,
        Err(Error::NotFound(Entity::User))
    ));
}
