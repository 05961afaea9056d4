//! Who is in which user group, and which of them is primary, as conversations.

use std::time::Duration;

use muster_domain::user::{User, UserFilter, UserOrder, UserPatch, UserSort};
use muster_domain::user_group::{MemberWishes, UserGroup};
use muster_domain::{Error, FieldError, Patch, Problem, UserGroupId, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::contact_books::ALL;
use crate::support::Backend;
use crate::user_books::{in_group, in_no_group, joining, kinds, leaving, user_groups};
use crate::world::{World, with_login};

contract![
    a_primary_group_is_set_changed_and_left,
    the_oldest_membership_is_primary,
    a_user_is_created_in_a_group,
    an_unknown_group_is_a_failing_field,
    unknown_members_are_failing_fields,
    who_joins_and_leaves_is_told_once,
    a_member_costs_one_row,
    members_are_read_page_by_page,
];

async fn a_primary_group_is_set_changed_and_left<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let [a, b] = &user_groups(&world, &org, 2).await[..] else { panic!() };
    let user = world.add_user(&org, org.top, "ann").await;
    world.clock.advance(Duration::from_secs(5));
    let now = world.directory.now();
    let joined = world.update_user(&org, user.id, in_group(a.id)).await.unwrap();
    let expected = User { user_group_id: Some(a.id), version: 2, modified_at: now, ..user.clone() };
    assert_eq!(joined, expected);
    assert_eq!(world.stored_user(&user).await, expected);
    let group = world.stored_user_group(&org, a.id).await;
    assert_eq!(group, UserGroup { members: 1, version: 2, modified_at: now, ..a.clone() });
    assert_eq!(
        kinds(&world, &org, 2).await,
        [
            format!("user.updated {}", json!({ "user_group_id": [null, a.id.0] })),
            format!("user_group.members_changed {}", json!({ "members": [[], [user.id.0]] })),
        ]
    );
    assert_eq!(world.journal(&org).await.pop().unwrap().version, 2, "of the group");
    let before = world.backend.dump();
    assert_eq!(world.update_user(&org, user.id, in_group(a.id)).await.unwrap(), expected);
    assert_eq!(world.backend.dump(), before, "it is its group already");
    // Another one is joined and this one left.
    let moved = world.update_user(&org, user.id, in_group(b.id)).await.unwrap();
    assert_eq!((moved.user_group_id, moved.version), (Some(b.id), 3));
    assert_eq!(world.groups_of(&org, user.id).await, [b.id]);
    assert_eq!(world.members_of(&org, a.id).await.unwrap(), []);
    assert_eq!(world.members_of(&org, b.id).await.unwrap(), [user.id]);
    assert_eq!(
        kinds(&world, &org, 3).await,
        [
            format!("user.updated {}", json!({ "user_group_id": [a.id.0, b.id.0] })),
            format!("user_group.members_changed {}", json!({ "members": [[user.id.0], []] })),
            format!("user_group.members_changed {}", json!({ "members": [[], [user.id.0]] })),
        ]
    );
    let left = world.update_user(&org, user.id, in_no_group()).await.unwrap();
    assert_eq!((left.user_group_id, left.version), (None, 4));
    let before = world.backend.dump();
    world.update_user(&org, user.id, in_no_group()).await.unwrap();
    assert_eq!(world.backend.dump(), before);
    world.is_sound().await;
}

async fn the_oldest_membership_is_primary<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let ids: Vec<UserGroupId> = user_groups(&world, &org, 4).await.iter().map(|group| group.id).collect();
    let user = world.add_user(&org, org.top, "ann").await;
    let primary = async || world.stored_user(&user).await.user_group_id;
    // All at one time, the last made group first.
    for group in [ids[3], ids[1], ids[0]] {
        world.change_members(&org, group, joining([&user])).await.unwrap();
        assert_eq!(primary().await, Some(ids[3]));
    }
    assert_eq!(world.groups_of(&org, user.id).await, [ids[3], ids[1], ids[0]]);
    assert_eq!(world.stored_user(&user).await.version, 2, "only the primary group is a change of the user");
    // A membership that is there already keeps its age, and the former primary one is left.
    world.update_user(&org, user.id, in_group(ids[0])).await.unwrap();
    assert_eq!(world.groups_of(&org, user.id).await, [ids[0], ids[1]]);
    world.update_user(&org, user.id, in_group(ids[2])).await.unwrap();
    assert_eq!(world.groups_of(&org, user.id).await, [ids[2], ids[1]]);
    world.is_sound().await;
    world.change_members(&org, ids[3], joining([&user])).await.unwrap();
    world.update_user(&org, user.id, in_no_group()).await.unwrap();
    assert_eq!(world.groups_of(&org, user.id).await, [ids[1], ids[3]], "the oldest that remains");
    world.change_members(&org, ids[1], leaving([&user])).await.unwrap();
    assert_eq!(primary().await, Some(ids[3]));
    world.change_members(&org, ids[1], joining([&user])).await.unwrap();
    world.change_members(&org, ids[1], leaving([&user])).await.unwrap();
    assert_eq!(primary().await, Some(ids[3]));
    world.change_members(&org, ids[3], leaving([&user])).await.unwrap();
    assert_eq!(primary().await, None);
    world.is_sound().await;
}

async fn a_user_is_created_in_a_group<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.user_group(&org, "desk").await.id;
    let new = UserPatch { user_group: Patch::Set(group), ..with_login("ann") };
    let user = world.create_user(&org, new).await.unwrap();
    assert_eq!((user.user_group_id, user.version), (Some(group), 1));
    assert_eq!(world.stored_user(&user).await, user);
    let by_uuid = world.directory.user_get_by_uuid(&org.ctx, user.uuid).await.unwrap();
    assert_eq!(by_uuid, world.directory.user_get(&org.ctx, user.id).await.unwrap());
    assert_eq!(by_uuid.user, user);
    let said = world.journal(&org).await;
    let [made, joined] = &said[said.len() - 2..] else { panic!() };
    assert_eq!(made.payload["user_group_id"], json!([null, group.0]));
    assert_eq!(joined.payload, json!({ "members": [[], [user.id.0]] }));
    world.is_sound().await;
}

async fn an_unknown_group_is_a_failing_field<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let gone = world.user_group(&org, "gone").await.id;
    world.drop_user_group(&org, gone).await.unwrap();
    let theirs = world.user_group(&other, "theirs").await.id;
    let user = world.add_user(&org, org.top, "ann").await;
    let before = world.backend.dump();
    for group in [gone, theirs, UserGroupId(Uuid::nil())] {
        let create = UserPatch { user_group: Patch::Set(group), ..with_login("bob") };
        for outcome in
            [world.create_user(&org, create).await, world.update_user(&org, user.id, in_group(group)).await]
        {
            let Err(Error::Invalid(fields)) = outcome else { panic!("{outcome:?}") };
            let problem = Problem::Unknown("user group");
            assert_eq!(fields, [FieldError { field: "user_group_id".into(), problem }]);
        }
    }
    assert_eq!(world.backend.dump(), before);
}

async fn unknown_members_are_failing_fields<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let group = world.user_group(&org, "desk").await.id;
    let (user, gone) = (world.add_user(&org, org.top, "a").await, world.add_user(&org, org.top, "b").await);
    world.delete_user(&org, gone.id).await.unwrap();
    let before = world.backend.dump();
    let join = vec![user.uuid, gone.uuid, other.admin.uuid, org.admin.uuid, Uuid::nil()];
    let outcome = world.change_members(&org, group, MemberWishes { join: join.clone(), leave: vec![] }).await;
    let Err(Error::Invalid(fields)) = outcome else { panic!("{outcome:?}") };
    let fields: Vec<_> = fields.iter().map(|error| &*error.field).collect();
    assert_eq!(fields, ["members[1]", "members[2]", "members[4]"]);
    world.change_members(&org, group, MemberWishes { join: vec![], leave: join }).await.unwrap();
    assert_eq!(world.backend.dump(), before, "whoever is not in it is passed over");
}

async fn who_joins_and_leaves_is_told_once<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.user_group(&org, "desk").await;
    let mut users = Vec::new();
    for n in 0..4 {
        users.push(world.add_user(&org, org.top, &format!("user {n}")).await);
    }
    let after = world.change_members(&org, group.id, joining(&users[..3])).await.unwrap();
    assert_eq!(after.members, 3);
    let wishes = MemberWishes {
        join: [&users[3], &users[1], &users[3]].map(|user| user.uuid).to_vec(),
        leave: users[..2].iter().map(|user| user.uuid).collect(),
    };
    let after = world.change_members(&org, group.id, wishes).await.unwrap();
    assert_eq!(after.members, 3, "who is to join and to leave is in it");
    let said = world.journal(&org).await.pop().unwrap();
    assert_eq!((said.kind.as_str(), said.version), ("user_group.members_changed", after.version));
    assert_eq!(said.payload, json!({ "members": [[users[0].id.0], [users[3].id.0]] }));
    let members = world.members_of(&org, group.id).await.unwrap();
    assert_eq!(members, users[1..].iter().map(|user| user.id).collect::<Vec<_>>());
    world.is_sound().await;
}

async fn a_member_costs_one_row<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.user_group(&org, "desk").await.id;
    let mut users = Vec::new();
    for n in 0..30 {
        users.push(world.add_user(&org, org.top, &format!("user {n}")).await);
    }
    world.change_members(&org, group, joining(&users[1..])).await.unwrap();
    let others = |dump: Vec<String>| -> Vec<String> {
        dump.into_iter()
            .filter(|row| row.starts_with("user_group_members ") || row.starts_with("users "))
            .collect()
    };
    let before = others(world.backend.dump());
    world.change_members(&org, group, joining([&users[0]])).await.unwrap();
    let after = others(world.backend.dump());
    assert_eq!(after.iter().filter(|row| !before.contains(row)).count(), 2, "the user and its membership");
    world.change_members(&org, group, leaving([&users[0]])).await.unwrap();
    let left = others(world.backend.dump());
    assert_eq!(left.iter().filter(|row| !after.contains(row)).count(), 1, "the user");
    assert_eq!(left.len(), before.len());
}

async fn members_are_read_page_by_page<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let [first, second] = &user_groups(&world, &org, 2).await[..] else { panic!() };
    let mut users = Vec::new();
    for n in 0..7 {
        users.push(world.add_user(&org, org.top, &format!("user {n}")).await);
    }
    world.change_members(&org, first.id, joining(&users[..2])).await.unwrap();
    world.change_members(&org, second.id, joining(&users)).await.unwrap();
    let (mut after, mut met) = (UserId(0), Vec::new());
    loop {
        let page = world.directory.user_group_members(&org.ctx, second.id, after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.user;
        met.extend(page);
    }
    assert_eq!(
        met.iter().map(|member| member.uuid).collect::<Vec<_>>(),
        users.iter().map(|user| user.uuid).collect::<Vec<_>>()
    );
    assert_eq!(
        met.iter().map(|member| member.primary).collect::<Vec<_>>(),
        (0..7).map(|n| n > 1).collect::<Vec<_>>()
    );
    let filter = UserFilter {
        user_group: Some(second.id),
        search: Some("USER 1".to_owned()),
        ..UserFilter::default()
    };
    let order = UserOrder { by: UserSort::Created, descending: true };
    let page = world.directory.user_list(&org.ctx, None, filter, order, ALL).await.unwrap();
    assert_eq!(page.items.iter().map(|view| view.user.id).collect::<Vec<_>>(), [users[1].id]);
}
