//! No tenant sees or touches the user groups of another; of a deleted tenant none are left; and what the doctor says.

use muster_domain::session::{Found, Subject};
use muster_domain::user::{User, UserFilter, UserOrder, UserSort, UserStore as _};
use muster_domain::user_group::{Membership, UserGroup, UserGroupStore as _, WithMembers};
use muster_domain::{Batch, Change, Dialect, Error, Guard, Store as _, StoreError, UserGroupId, UserId};
use uuid::Uuid;

use crate::contact_books::{ALL, is_gone};
use crate::support::{Backend, START, all_at_once, findings};
use crate::user_books::{in_group, joining, leaving, user_group_named};
use crate::world::{Org, World, entry};

contract![
    the_groups_of_another_tenant_are_not_there,
    no_batch_touches_a_row_of_another_tenant,
    what_is_asked_for_is_read_with_its_caller,
    nothing_of_a_deleted_tenant_is_left,
    writes_during_a_deletion_do_not_stop_it,
    the_doctor_finds_what_must_not_be,
];

/// Two tenants, each with a group and a member of it.
async fn neighbours<B: Backend>() -> (World<B>, Org, Org, UserGroup, User) {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let group = world.user_group(&org, "desk").await;
    let user = world.add_user(&org, org.top, "ann").await;
    let group = world.change_members(&org, group.id, joining([&user])).await.unwrap();
    let theirs = world.user_group(&other, "theirs").await;
    world.change_members(&other, theirs.id, joining([&other.admin])).await.unwrap();
    let user = world.stored_user(&user).await;
    (world, org, other, group, user)
}

async fn the_groups_of_another_tenant_are_not_there<B: Backend>() {
    let (world, _, other, group, user) = neighbours::<B>().await;
    let (directory, ctx) = (&world.directory, &other.ctx);
    let before = world.backend.dump();
    assert!(is_gone(&directory.user_group_get(ctx, group.id).await));
    assert!(is_gone(&directory.user_group_members(ctx, group.id, UserId(0), 9).await));
    assert!(is_gone(&directory.user_get_by_uuid(ctx, user.uuid).await));
    assert_eq!(directory.user_memberships(ctx, user.id).await.unwrap().as_slice(), []);
    assert_eq!(world.store().users_with_memberships(other.tenant, vec![user.uuid]).await.unwrap(), []);
    assert_eq!(directory.user_group_list(ctx, Some("desk".to_owned()), ALL).await.unwrap().total, 0);
    let filter = UserFilter { user_group: Some(group.id), ..UserFilter::default() };
    let order = UserOrder { by: UserSort::Created, descending: true };
    let page = world.store().users(other.tenant, filter, order, ALL).await.unwrap();
    assert_eq!((page.items, page.total), (vec![], 0));
    // With what they cannot have read.
    let named = user_group_named("x");
    assert!(directory.user_group_update(ctx, group.clone(), named.into(), None).await.is_err());
    for members in [WithMembers::Drop, WithMembers::Refuse] {
        assert!(is_gone(&directory.user_group_delete(ctx, group.clone(), members, None).await));
    }
    let joins = directory.user_group_members_change(ctx, group.clone(), joining([&other.admin]), None).await;
    assert!(is_gone(&joins), "{joins:?}");
    directory.user_group_members_change(ctx, group.clone(), leaving([&user]), None).await.unwrap();
    let joins = world.update_user(&other, other.admin.id, in_group(group.id)).await;
    assert!(matches!(joins, Err(Error::Invalid(_))));
    assert_eq!(world.backend.dump(), before);
}

async fn no_batch_touches_a_row_of_another_tenant<B: Backend>() {
    let (world, org, other, group, user) = neighbours::<B>().await;
    let own = world.directory.user_group_list(&other.ctx, None, ALL).await.unwrap().items.remove(0).id;
    let joins =
        |user, group| Change::MembershipInsert(Membership { user, group, primary: true, since: START });
    let before = world.backend.dump();
    let later = UserGroup { tenant: other.tenant, version: 3, ..group.clone() };
    for change in [
        joins(other.admin.id, group.id),
        Change::MembershipDelete { user: user.id, group: group.id, at: START },
        Change::MembershipDelete { user: user.id, group: own, at: START },
        Change::MembershipPrimary { user: user.id, group: group.id },
        Change::MembershipPrimary { user: user.id, group: own },
        Change::UserGroupUpdate(Box::new(later)),
        Change::UserGroupDelete { id: group.id, version: 2, at: START },
        Change::MembershipsReap { group: group.id, limit: 9 },
        Change::UserGroupRemove(group.id),
    ] {
        assert_eq!(world.commit(&other, vec![change.clone()]).await, Err(StoreError::Stale), "{change:?}");
    }
    let strange = Change::UserGroupInsert(Box::new(group.clone()));
    assert!(matches!(world.commit(&other, vec![strange]).await, Err(StoreError::Internal(_))));
    for guard in [
        Guard::UserGroupVersion { id: group.id, version: 2 },
        Guard::UserGroups { user: user.id, groups: vec![group.id] },
        Guard::PrimaryGroup { user: user.id, group: Some(group.id) },
    ] {
        let batch = |org: &Org| Batch::new(org.tenant).guard(guard.clone());
        assert_eq!(world.store().commit(batch(&other)).await, Err(StoreError::GuardFailed));
        world.store().commit(batch(&org)).await.unwrap();
    }
    assert_eq!(world.backend.dump(), before);
}

async fn what_is_asked_for_is_read_with_its_caller<B: Backend>() {
    let (world, org, other, group, user) = neighbours::<B>().await;
    let [token, _] = world.session(&org.admin).await;
    let [others, _] = world.session(&other.admin).await;
    let read = async |token: &str, subject| {
        world.directory.session_authenticate_for(Dialect::Convirza, token, subject).await.unwrap()
    };
    let (ctx, _, found) = read(&token, Subject::UserGroup(group.id)).await;
    assert_eq!(world.directory.user_group_found(&ctx, found).unwrap(), group);
    let (ctx, _, found) = read(&token, Subject::UserByUuid(user.uuid)).await;
    assert_eq!(world.directory.user_found(&ctx, found).await.unwrap().user, user);
    let (ctx, _, found) = read(&others, Subject::UserGroup(group.id)).await;
    assert!(is_gone(&world.directory.user_group_found(&ctx, found)));
    let (ctx, _, found) = read(&others, Subject::UserByUuid(user.uuid)).await;
    assert!(is_gone(&world.directory.user_found(&ctx, found).await));
    let wrong = Some(Found::UserGroup(Box::new(group.clone())));
    assert!(is_gone(&world.directory.user_found(&org.ctx, wrong).await));
    world.drop_user_group(&org, group.id).await.unwrap();
    let (ctx, _, found) = read(&token, Subject::UserGroup(group.id)).await;
    assert!(is_gone(&world.directory.user_group_found(&ctx, found)));
}

async fn nothing_of_a_deleted_tenant_is_left<B: Backend>() {
    let (world, org, other, group, user) = neighbours::<B>().await;
    let gone = world.user_group(&org, "gone").await;
    world.change_members(&org, gone.id, joining([&user, &org.admin])).await.unwrap();
    world.drop_user_group(&org, gone.id).await.unwrap();
    let beside = world.backend.dump_of(Some(other.tenant));
    let (directory, ctx) = (&world.directory, &org.ctx);
    directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), []);
    let outcomes = [
        directory.user_group_create(ctx, user_group_named("late").into()).await.map(drop),
        directory
            .user_group_update(ctx, group.clone(), user_group_named("late").into(), None)
            .await
            .map(drop),
        directory.user_group_delete(ctx, group.clone(), WithMembers::Drop, None).await.map(drop),
        directory.user_group_members_change(ctx, group.clone(), joining([&user]), None).await.map(drop),
    ];
    for (n, outcome) in outcomes.iter().enumerate() {
        assert!(matches!(outcome, Err(Error::NotFound(_) | Error::Invalid(_))), "{n}: {outcome:?}");
    }
    let membership = Membership { user: user.id, group: group.id, primary: true, since: START };
    for change in [
        Change::UserGroupInsert(Box::new(group.clone())),
        Change::MembershipInsert(membership),
        Change::MembershipDelete { user: user.id, group: group.id, at: START },
        Change::UserGroupRemove(group.id),
    ] {
        for journaled in [false, true] {
            let batch = Batch::new(org.tenant).change(change.clone());
            let batch = if journaled { batch.journal(entry(&org, 1)) } else { batch };
            assert_eq!(world.store().commit(batch).await, Err(StoreError::Stale), "{change:?}");
        }
    }
    assert_eq!(world.store().user_group_to_reap(org.tenant).await.unwrap(), None);
    assert_eq!(world.backend.rows_of(org.tenant), []);
    assert_eq!(world.backend.dump_of(Some(other.tenant)), beside);
    world.is_sound().await;
}

async fn writes_during_a_deletion_do_not_stop_it<B: Backend>() {
    let (world, org, other, group, _) = neighbours::<B>().await;
    let mut users = Vec::new();
    for n in 0..40 {
        users.push(world.add_user(&org, org.top, &format!("user {n}")).await);
    }
    let tasks = users.clone().into_iter().enumerate().map(|(n, user)| {
        let (directory, ctx, group) = (world.node(), org.ctx.clone(), group.clone());
        async move {
            match n % 4 {
                0 if n == 12 => directory.tenant_delete(ctx.tenant(), |_| {}).await,
                0 => directory.user_group_create(&ctx, user_group_named("late").into()).await.map(drop),
                1 => directory.user_groups_reap().await,
                _ => directory.user_group_members_change(&ctx, group, joining([&user]), None).await.map(drop),
            }
        }
    });
    for outcome in all_at_once(tasks.collect::<Vec<_>>()).await {
        assert!(matches!(outcome, Ok(()) | Err(Error::NotFound(_) | Error::Invalid(_))), "{outcome:?}");
    }
    assert_eq!(world.backend.rows_of(org.tenant), []);
    assert_eq!(world.directory.user_group_list(&other.ctx, None, ALL).await.unwrap().total, 1);
    world.is_sound().await;
}

async fn the_doctor_finds_what_must_not_be<B: Backend>() {
    let (world, org, _, group, user) = neighbours::<B>().await;
    let second = world.user_group(&org, "second").await;
    world.change_members(&org, second.id, joining([&user])).await.unwrap();
    let UserGroupId(id) = group.id;
    let hex = |id: Uuid| B::bytes(id.as_bytes());
    let (group_is, user_is) = (format!("id = {}", hex(id)), format!("user_id = {}", user.id));
    let count = format!("its members are not as many as are counted: user group {id}");
    let key = format!("a text is not the one it is compared by: user group {id}");
    let nobody =
        format!("in a group as nobody, as a deleted one, or in none that there is: user {}", user.id);
    let primary = format!("in groups, of which not one is primary: user {}", user.id);
    let row = format!("WHERE {user_is} AND group_id = {}", hex(id));
    let damages = [
        (format!("UPDATE user_groups SET members = 4 WHERE {group_is}"), vec![&count]),
        (format!("UPDATE user_groups SET name_key = 'x' WHERE {group_is}"), vec![&key]),
        (format!("UPDATE user_groups SET description_key = 'x' WHERE {group_is}"), vec![&key]),
        (format!("UPDATE user_groups SET external_id_key = 'x' WHERE {group_is}"), vec![&key]),
        (format!("DELETE FROM user_group_members {row}"), vec![&primary, &count]),
        (format!("UPDATE user_group_members SET is_primary = 0 WHERE {user_is}"), vec![&primary]),
        (format!("UPDATE users SET status = 3 WHERE id = {}", user.id), vec![&nobody, &nobody]),
    ];
    for (damage, expected) in damages {
        world.is_sound().await;
        world.backend.tamper(
            "CREATE TABLE g AS SELECT * FROM user_groups; CREATE TABLE m AS SELECT * FROM user_group_members;
             CREATE TABLE u AS SELECT id, status FROM users;",
        );
        world.backend.tamper(&damage);
        let found = findings(world.store(), &world.key).await;
        let found: Vec<_> = found.iter().filter(|finding| !finding.contains("are counted, but")).collect();
        assert_eq!(found, expected, "{damage}");
        world.backend.tamper(
            "DELETE FROM user_group_members; DELETE FROM user_groups;
             INSERT INTO user_groups SELECT * FROM g; INSERT INTO user_group_members SELECT * FROM m;
             UPDATE users SET status = (SELECT u.status FROM u WHERE u.id = users.id);
             DROP TABLE g; DROP TABLE m; DROP TABLE u;",
        );
    }
    world.is_sound().await;
}
