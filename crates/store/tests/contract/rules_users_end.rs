//! The ends of users and of their sessions: deactivation, new passwords, soft deletion, erasure.

use std::time::Duration;

use muster_domain::user::{Role, User, UserPatch, UserStatus, UserStore as _};
use muster_domain::{Entity, Error, JournalRecord, Patch};
use serde_json::json;

use crate::support::{Backend, START};
use crate::world::{Org, World, entry, with_login};

contract![
    a_new_password_ends_all_sessions,
    whoever_is_not_active_any_more_has_no_sessions,
    a_change_of_anything_else_leaves_the_sessions,
    whoever_comes_back_logs_in_anew,
    a_deleted_user_keeps_its_row_and_is_hidden,
    a_second_deletion_does_nothing,
    an_erased_user_is_a_tombstone,
    an_erasure_empties_the_journal_of_that_user_only,
    a_second_erasure_does_nothing,
    a_user_deleted_before_can_be_erased,
    an_inactive_user_can_be_erased,
];

const PASSWORD: &str = "correct horse battery";

/// A user with a value in every field.
async fn zoe<B: Backend>(world: &World<B>, org: &Org) -> User {
    let new = UserPatch {
        claims_login: true,
        first_name: Some("Zoë".to_owned()),
        last_name: Some("O'Neil".to_owned()),
        role: Some(Role::Standard),
        external_id: Patch::Set("E-71".to_owned()),
        timezone: Patch::Set("Europe/Zurich".to_owned()),
        aliases: Patch::Set(json!(["zoë"])),
        agent_ring_to: Patch::Set("+17755550100".to_owned()),
        agent_code: Patch::Set(4711),
        score_call: Some(true),
        access_audio: Some(true),
        password: Some(PASSWORD.into()),
        ..with_login("zoë")
    };
    let user = world.create_user(org, new).await.unwrap();
    let change = |user: &mut User| (user.group_access, user.report_access) = (3, 9);
    world.change_user(org, &user, change).await.unwrap()
}

fn with_status(status: UserStatus) -> UserPatch {
    UserPatch { status: Some(status), ..UserPatch::default() }
}

async fn refreshes<B: Backend>(world: &World<B>, token: &str) -> bool {
    world.directory.session_refresh(token).await.is_ok()
}

async fn a_new_password_ends_all_sessions<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (user, other) = (zoe(&world, &org).await, world.add_user(&org, org.top, "other").await);
    let sessions = [world.session(&user).await, world.session(&user).await];
    let [others, _] = world.session(&other).await;
    let patch = UserPatch { password: Some("battery staple horse".into()), ..UserPatch::default() };
    world.update_user(&org, user.id, patch).await.unwrap();
    for [access, refresh] in sessions {
        assert!(!world.lets_in(&access).await);
        assert!(!refreshes(&world, &refresh).await);
    }
    assert!(world.lets_in(&others).await);
    let directory = &world.directory;
    assert!(directory.session_open("zoë", PASSWORD.into()).await.is_err());
    directory.session_open("zoë", "battery staple horse".into()).await.unwrap();
}

async fn whoever_is_not_active_any_more_has_no_sessions<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let other = world.add_user(&org, org.top, "other").await;
    let [others, _] = world.session(&other).await;
    let before = world.backend.rows_of(org.tenant);
    for way in ["deactivate", "delete", "erase"] {
        let user = world.add_user(&org, org.top, way).await;
        let [access, refresh] = world.session(&user).await;
        assert!(world.lets_in(&access).await);
        match way {
            "deactivate" => {
                world.update_user(&org, user.id, with_status(UserStatus::Inactive)).await.unwrap()
            }
            "delete" => world.delete_user(&org, user.id).await.unwrap(),
            _ => world.erase_user(&org, user.id).await.unwrap(),
        };
        assert!(!world.lets_in(&access).await, "{way}");
        assert!(!refreshes(&world, &refresh).await, "{way}");
    }
    // They are gone, not only of no use.
    let tokens = |rows: &[(String, i64)]| rows.iter().find(|(table, _)| table == "session_tokens").cloned();
    assert_eq!(tokens(&world.backend.rows_of(org.tenant)), tokens(&before));
    assert!(world.lets_in(&others).await);
}

async fn a_change_of_anything_else_leaves_the_sessions<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let user = zoe(&world, &org).await;
    let [access, refresh] = world.session(&user).await;
    let patch = UserPatch {
        role: Some(Role::Admin),
        org_unit_id: Some(unit),
        status: Some(UserStatus::Active),
        external_id: Patch::Clear,
        ..with_login("bob")
    };
    world.update_user(&org, user.id, patch).await.unwrap();
    assert!(world.lets_in(&access).await);
    assert!(refreshes(&world, &refresh).await);
}

async fn whoever_comes_back_logs_in_anew<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = zoe(&world, &org).await;
    let [access, refresh] = world.session(&user).await;
    world.update_user(&org, user.id, with_status(UserStatus::Inactive)).await.unwrap();
    assert!(world.directory.session_open("zoë", PASSWORD.into()).await.is_err());
    world.update_user(&org, user.id, with_status(UserStatus::Active)).await.unwrap();
    assert!(!world.lets_in(&access).await && !refreshes(&world, &refresh).await);
    world.directory.session_open("zoë", PASSWORD.into()).await.unwrap();
}

async fn a_deleted_user_keeps_its_row_and_is_hidden<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = zoe(&world, &org).await;
    world.clock.advance(Duration::from_mins(1));
    let deleted = world.delete_user(&org, user.id).await.unwrap();
    let (version, modified_at) = (user.version + 1, world.directory.now());
    assert_eq!(deleted, User { status: UserStatus::Deleted, version, modified_at, ..user.clone() });
    assert_eq!(world.stored_user(&user).await, deleted);
    assert_eq!(world.directory.user_get(&org.ctx, user.id).await.unwrap().user, deleted);
    let writable = world.directory.user_get_writable(&org.ctx, user.id).await;
    assert!(matches!(writable, Err(Error::NotFound(Entity::User))), "{writable:?}");
    assert_eq!(world.store().user_by_claim("zoë").await.unwrap(), None);
    assert!(world.directory.session_open("zoë", PASSWORD.into()).await.is_err());
    let record = world.journal(&org).await.pop().unwrap();
    assert_eq!((record.kind.as_str(), record.version, record.at), ("user.deleted", version, modified_at));
    assert_eq!(record.payload, json!({"status": ["active", "deleted"]}));
}

async fn a_second_deletion_does_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = zoe(&world, &org).await;
    let found = world.directory.user_get_writable(&org.ctx, user.id).await.unwrap();
    let deleted = world.delete_user(&org, user.id).await.unwrap();
    let journal = world.journal(&org).await;
    // Once it was read before, once after the first deletion.
    for found in [found, world.directory.user_get(&org.ctx, user.id).await.unwrap()] {
        match world.directory.user_delete(&org.ctx, found, None).await {
            Ok(user) => assert_eq!(user, deleted),
            Err(error) => assert!(matches!(error, Error::NotFound(Entity::User)), "{error}"),
        }
    }
    assert_eq!(world.stored_user(&user).await, deleted);
    assert_eq!(world.journal(&org).await, journal);
}

/// What stays of a user that was created with [`zoe`].
fn tombstone(user: &User, status: UserStatus) -> User {
    User {
        id: user.id,
        tenant: user.tenant,
        uuid: user.uuid,
        org_unit_id: user.org_unit_id,
        login: String::new(),
        login_claimed: false,
        first_name: String::new(),
        last_name: String::new(),
        role: Role::ReadOnly,
        status,
        password_hash: None,
        external_id: None,
        timezone: "UTC".to_owned(),
        aliases: None,
        agent_ring_to: None,
        agent_code: None,
        score_call: false,
        access_audio: false,
        group_access: 0,
        report_access: 0,
        avatar: None,
        document: None,
        user_group_id: None,
        version: user.version + 1,
        created_at: user.created_at,
        modified_at: user.modified_at,
    }
}

async fn an_erased_user_is_a_tombstone<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = zoe(&world, &org).await;
    let erased = world.erase_user(&org, user.id).await.unwrap();
    assert_eq!(erased, tombstone(&user, UserStatus::Deleted));
    assert_eq!(world.stored_user(&user).await, erased);
    assert_eq!(world.store().user_by_claim("zoë").await.unwrap(), None);
    assert_eq!(world.store().user_by_claim("").await.unwrap(), None);
    // More than one stands beside another, and none is in the way of a new user.
    let second = zoe(&world, &org).await;
    world.erase_user(&org, second.id).await.unwrap();
    zoe(&world, &org).await;
}

/// The journal without what an erasure takes.
fn bare(records: &[JournalRecord]) -> Vec<JournalRecord> {
    records.iter().map(|record| JournalRecord { payload: json!(null), ..record.clone() }).collect()
}

async fn an_erasure_empties_the_journal_of_that_user_only<B: Backend>() {
    let world = World::<B>::new();
    let (org, neighbour) = (world.org("acme").await, world.org("neighbour").await);
    let user = zoe(&world, &org).await;
    let other = world.create_user(&org, with_login("bob")).await.unwrap();
    for id in [user.id, other.id] {
        let patch = UserPatch { last_name: Some("Renamed".to_owned()), ..UserPatch::default() };
        world.update_user(&org, id, patch).await.unwrap();
    }
    // Entries of other things and of another tenant that have the same number.
    for org in [&org, &neighbour] {
        let same = |entity| muster_domain::JournalEntry { entity, ..entry(org, user.id) };
        let mut batch =
            muster_domain::Batch::new(org.tenant).journal(same("org_unit")).journal(same("users"));
        if org.tenant == neighbour.tenant {
            batch = batch.journal(same("user"));
        }
        muster_domain::Store::commit(world.store(), batch).await.unwrap();
    }
    let (before, beside) = (world.journal(&org).await, world.journal(&neighbour).await);
    let erased = world.erase_user(&org, user.id).await.unwrap();

    let mut after = world.journal(&org).await;
    let last = after.pop().unwrap();
    assert_eq!((last.kind.as_str(), last.version), ("user.erased", erased.version));
    assert_eq!((last.entity_id, last.payload), (user.id.to_string(), json!({})));
    assert_eq!(bare(&after), bare(&before), "places, times and actors stay");
    let mut emptied = 0;
    for (before, after) in before.iter().zip(&after) {
        if before.entity == "user" && before.entity_id == user.id.to_string() {
            assert_eq!(after.payload, json!({}));
            emptied += 1;
        } else {
            assert_eq!(after, before);
        }
    }
    assert_eq!(emptied, 2);
    assert_eq!(world.journal(&neighbour).await, beside);
    let text: String = after.iter().map(|record| record.payload.to_string()).collect();
    assert!(!text.contains("zoë") && !text.contains("Zoë"));
}

async fn a_second_erasure_does_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = zoe(&world, &org).await;
    let erased = world.erase_user(&org, user.id).await.unwrap();
    let journal = world.journal(&org).await;
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(world.erase_user(&org, user.id).await.unwrap(), erased);
    assert_eq!(world.stored_user(&user).await, erased);
    assert_eq!(world.journal(&org).await, journal);
}

async fn a_user_deleted_before_can_be_erased<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = zoe(&world, &org).await;
    let deleted = world.delete_user(&org, user.id).await.unwrap();
    // Its login belongs to somebody else by now, who keeps it.
    let heir = zoe(&world, &org).await;
    let erased = world.erase_user(&org, user.id).await.unwrap();
    assert_eq!(erased, tombstone(&deleted, UserStatus::Deleted));
    assert_eq!(world.stored_user(&user).await, erased);
    assert_eq!(world.store().user_by_claim("zoë").await.unwrap(), Some(heir));
    let of_user = |record: &JournalRecord| record.entity == "user" && record.entity_id == user.id.to_string();
    let records: Vec<_> = world.journal(&org).await.into_iter().filter(of_user).collect();
    let kinds: Vec<_> = records.iter().map(|record| record.kind.as_str()).collect();
    assert_eq!(kinds, ["user.created", "user.deleted", "user.erased"]);
    assert!(records.iter().all(|record| record.payload == json!({})));
}

async fn an_inactive_user_can_be_erased<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = zoe(&world, &org).await;
    let inactive = world.update_user(&org, user.id, with_status(UserStatus::Inactive)).await.unwrap();
    assert_eq!(inactive.created_at, START);
    let erased = world.erase_user(&org, user.id).await.unwrap();
    assert_eq!(erased, tombstone(&inactive, UserStatus::Deleted));
}
