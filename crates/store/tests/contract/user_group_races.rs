//! User groups and memberships when several callers act at once.
//!
//! Which of them is first is left to chance, so that every test asks for what must hold whoever wins.

use muster_domain::user::{User, UserPatch, UserView};
use muster_domain::user_group::{MemberWishes, UserGroup, UserGroupPatch, WithMembers};
use muster_domain::{Error, Patch, Precondition, Rule, Unique, UserGroupId, UserId};

use crate::support::{Backend, all_at_once};
use crate::user_books::{
    in_group, in_no_group, joining, leaving, user_group_named, user_groups, with_external_id,
};
use crate::world::{Org, World, with_login};

contract![
    of_groups_with_one_external_id_one_is_made,
    the_groups_of_one_user_are_set_by_many,
    many_join_one_group_at_once,
    nobody_is_in_a_group_that_was_spared_no_more,
    a_group_is_dropped_while_members_join,
    an_erased_user_is_in_no_group,
    a_user_is_made_while_its_group_goes,
    of_changes_with_one_precondition_one_wins,
];

const ROUNDS: usize = 10;

fn updating<B: Backend>(
    world: &World<B>,
    org: &Org,
    id: UserId,
    patch: UserPatch,
) -> impl Future<Output = Result<User, Error>> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move {
        let found = directory.user_get_writable(&ctx, id).await?;
        directory.user_update(&ctx, found, patch.into(), None).await
    }
}

fn changing<B: Backend>(
    world: &World<B>,
    org: &Org,
    group: UserGroupId,
    wishes: MemberWishes,
) -> impl Future<Output = Result<UserGroup, Error>> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move {
        let found = directory.user_group_get(&ctx, group).await?;
        directory.user_group_members_change(&ctx, found, wishes, None).await
    }
}

fn deleting<B: Backend>(
    world: &World<B>,
    org: &Org,
    group: UserGroupId,
    members: WithMembers,
) -> impl Future<Output = Result<UserGroup, Error>> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move {
        let found = directory.user_group_get(&ctx, group).await?;
        directory.user_group_delete(&ctx, found, members, None).await.map(|ended| ended.after)
    }
}

async fn users<B: Backend>(world: &World<B>, org: &Org, round: usize, count: usize) -> Vec<User> {
    let mut users = Vec::new();
    for n in 0..count {
        users.push(world.add_user(org, org.top, &format!("user {round} {n}")).await);
    }
    users
}

async fn of_groups_with_one_external_id_one_is_made<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let other = world.user_group(&org, "other").await;
        let tasks = (0..8_usize).map(|n| {
            let (directory, ctx, other) = (world.node(), org.ctx.clone(), other.clone());
            let id = with_external_id(&format!("{}-{round}", if n % 2 == 0 { "nd" } else { "ND" }));
            async move {
                if n == 7 {
                    directory.user_group_update(&ctx, other, id.into(), None).await
                } else {
                    let new = UserGroupPatch { name: Some("desk".to_owned()), ..id };
                    directory.user_group_create(&ctx, new.into()).await
                }
            }
        });
        let outcomes = all_at_once(tasks.collect::<Vec<_>>()).await;
        let taken = |outcome: &&Result<_, Error>| {
            matches!(outcome, Err(Error::Duplicate(Unique::UserGroupExternalId)))
        };
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert_eq!(outcomes.iter().filter(taken).count(), 7, "{outcomes:?}");
    }
    world.is_sound().await;
}

async fn the_groups_of_one_user_are_set_by_many<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let groups: Vec<UserGroupId> = user_groups(&world, &org, 4).await.iter().map(|group| group.id).collect();
    for round in 0..ROUNDS {
        let user = users(&world, &org, round, 1).await.remove(0);
        let mut tasks: Vec<crate::support::Started<'static, Result<(), Error>>> = Vec::new();
        for n in 0..16_usize {
            let group = groups[n % groups.len()];
            match n % 5 {
                0 => {
                    let task = changing(&world, &org, group, leaving([&user]));
                    tasks.push(Box::pin(async move { task.await.map(drop) }));
                }
                1 => {
                    let task = updating(&world, &org, user.id, in_no_group());
                    tasks.push(Box::pin(async move { task.await.map(drop) }));
                }
                2 | 3 => {
                    let task = updating(&world, &org, user.id, in_group(group));
                    tasks.push(Box::pin(async move { task.await.map(drop) }));
                }
                _ => {
                    let task = changing(&world, &org, group, joining([&user]));
                    tasks.push(Box::pin(async move { task.await.map(drop) }));
                }
            }
        }
        for outcome in all_at_once(tasks).await {
            outcome.unwrap();
        }
        let stored = world.stored_user(&user).await;
        assert_eq!(world.groups_of(&org, user.id).await.first().copied(), stored.user_group_id);
        world.is_sound().await;
    }
    world.journal(&org).await;
}

async fn many_join_one_group_at_once<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.user_group(&org, "desk").await.id;
    let users = users(&world, &org, 0, 60).await;
    let tasks = users.iter().map(|user| changing(&world, &org, group, joining([user])));
    let mut tasks: Vec<crate::support::Started<'static, Result<UserGroup, Error>>> =
        tasks.map(|task| Box::pin(task) as _).collect();
    let (directory, ctx) = (world.node(), org.ctx.clone());
    tasks.push(Box::pin(async move {
        let found = directory.user_group_get(&ctx, group).await?;
        directory.user_group_update(&ctx, found, user_group_named("renamed").into(), None).await
    }));
    for outcome in all_at_once(tasks).await {
        outcome.unwrap();
    }
    let stored = world.stored_user_group(&org, group).await;
    assert_eq!((stored.name.as_str(), stored.members, stored.version), ("renamed", 60, 62));
    let said = world.journal(&org).await;
    let mut versions: Vec<i64> =
        said.iter().filter(|record| record.entity == "user_group").map(|record| record.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=62).collect::<Vec<_>>(), "each entry has the version that its change made");
    world.is_sound().await;
}

async fn nobody_is_in_a_group_that_was_spared_no_more<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let group = world.user_group(&org, "desk").await.id;
        let user = users(&world, &org, round, 1).await.remove(0);
        let joins = tokio::spawn(updating(&world, &org, user.id, in_group(group)));
        let deletes = tokio::spawn(deleting(&world, &org, group, WithMembers::Refuse));
        let (joins, deletes) = (joins.await.unwrap(), deletes.await.unwrap());
        match (&joins, &deletes) {
            (Ok(user), Err(Error::Rule(Rule::UserGroupHasMembers))) => {
                assert_eq!(user.user_group_id, Some(group));
                assert_eq!(world.members_of(&org, group).await, Some(vec![user.id]));
            }
            (Err(Error::Invalid(_)), Ok(_)) => assert_eq!(world.groups_of(&org, user.id).await, []),
            other => panic!("{other:?}"),
        }
    }
    world.is_sound().await;
}

async fn a_group_is_dropped_while_members_join<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let group = world.user_group(&org, "desk").await.id;
        let stays = world.user_group(&org, "stays").await.id;
        let users = users(&world, &org, round, 12).await;
        let mut tasks: Vec<_> = Vec::new();
        for (n, user) in users.iter().enumerate() {
            world.change_members(&org, stays, joining([user])).await.unwrap();
            if n % 2 == 0 {
                let task = changing(&world, &org, group, joining([user]));
                tasks.push(tokio::spawn(async move { task.await.map(drop) }));
            } else {
                let task = updating(&world, &org, user.id, in_group(group));
                tasks.push(tokio::spawn(async move { task.await.map(drop) }));
            }
        }
        let dropped = tokio::spawn(deleting(&world, &org, group, WithMembers::Drop));
        let directory = world.node();
        let reaper = tokio::spawn(async move { directory.user_groups_reap().await });
        for task in tasks {
            let outcome = task.await.unwrap();
            assert!(matches!(outcome, Ok(()) | Err(Error::NotFound(_) | Error::Invalid(_))), "{outcome:?}");
        }
        dropped.await.unwrap().unwrap();
        reaper.await.unwrap().unwrap();
        world.is_sound().await;
        for user in &users {
            let primary = world.stored_user(user).await.user_group_id;
            assert!(primary.is_none_or(|primary| primary == stays));
        }
        world.directory.user_groups_reap().await.unwrap();
        world.is_sound().await;
    }
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM user_groups WHERE deleted = 1"), 0);
}

async fn an_erased_user_is_in_no_group<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let groups: Vec<UserGroupId> = user_groups(&world, &org, 4).await.iter().map(|group| group.id).collect();
    for round in 0..ROUNDS {
        let user = users(&world, &org, round, 1).await.remove(0);
        world.update_user(&org, user.id, in_group(groups[0])).await.unwrap();
        let joins: Vec<_> = groups
            .iter()
            .map(|group| tokio::spawn(changing(&world, &org, *group, joining([&user]))))
            .collect();
        let moves = tokio::spawn(updating(&world, &org, user.id, in_group(groups[3])));
        let (directory, ctx) = (world.node(), org.ctx.clone());
        let ends = tokio::spawn(async move {
            let found = directory.user_get_writable(&ctx, user.id).await?;
            if round % 2 == 0 {
                directory.user_erase(&ctx, found, None).await.map(|ended| ended.after)
            } else {
                directory.user_delete(&ctx, found, None).await
            }
        });
        for task in joins {
            let outcome = task.await.unwrap();
            assert!(matches!(outcome, Ok(_) | Err(Error::Invalid(_))), "{outcome:?}");
        }
        let moved = moves.await.unwrap();
        assert!(matches!(moved, Ok(_) | Err(Error::NotFound(_))), "{moved:?}");
        ends.await.unwrap().unwrap();
        assert_eq!(world.groups_of(&org, user.id).await, []);
        world.is_sound().await;
    }
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM user_group_members"), 0);
}

async fn a_user_is_made_while_its_group_goes<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let group = world.user_group(&org, "desk").await.id;
        let new = UserPatch { user_group: Patch::Set(group), ..with_login(&format!("ann {round}")) };
        let (directory, ctx) = (world.node(), org.ctx.clone());
        let made = tokio::spawn(async move { directory.user_create(&ctx, new.into()).await });
        let gone = tokio::spawn(deleting(&world, &org, group, WithMembers::Drop));
        gone.await.unwrap().unwrap();
        match made.await.unwrap() {
            Ok(user) => assert_eq!(world.stored_user(&user).await.user_group_id, None),
            outcome => assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}"),
        }
        world.is_sound().await;
    }
}

async fn of_changes_with_one_precondition_one_wins<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let groups = user_groups(&world, &org, 2).await;
    for round in 0..ROUNDS {
        let user = users(&world, &org, round, 1).await.remove(0);
        let found = world.directory.user_get(&org.ctx, user.id).await.unwrap();
        let tasks = (0..6_usize).map(|n| {
            let (directory, ctx, found) = (world.node(), org.ctx.clone(), found.clone());
            let patch = in_group(groups[n % 2].id);
            let none: Precondition<UserView> = Box::new(|view| view.user.user_group_id.is_none());
            async move { directory.user_update(&ctx, found, patch.into(), Some(none)).await }
        });
        let outcomes = all_at_once(tasks.collect::<Vec<_>>()).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let late = |outcome: &&Result<User, Error>| matches!(outcome, Err(Error::Precondition));
        assert_eq!(outcomes.iter().filter(late).count(), 5, "{outcomes:?}");
        // Of a group: one of those who join under one version.
        let group = world.stored_user_group(&org, groups[0].id).await;
        let version = group.version;
        let others = users(&world, &org, 100 + round, 6).await;
        let tasks = others.iter().map(|user| {
            let (directory, ctx, group) = (world.node(), org.ctx.clone(), group.clone());
            let wishes = joining([user]);
            let same: Precondition<UserGroup> = Box::new(move |group| group.version == version);
            async move { directory.user_group_members_change(&ctx, group, wishes, Some(same)).await }
        });
        let outcomes = all_at_once(tasks.collect::<Vec<_>>()).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    }
    world.is_sound().await;
}
