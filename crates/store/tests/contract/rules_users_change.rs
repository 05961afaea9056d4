//! The rules of changing users: what is written and journaled, preconditions, and what others do meanwhile.

use std::time::Duration;

use muster_domain::org_unit::{OrgUnit, OrgUnitStatus};
use muster_domain::user::{Role, User, UserPatch, UserStatus, UserView};
use muster_domain::{Entity, Error, OrgUnitId, Patch, Precondition, Problem};
use serde_json::json;

use crate::support::{Backend, START};
use crate::world::{Org, World, as_admin, named, unit_update, user_insert, with_login};

contract![
    a_change_that_changes_nothing_commits_nothing,
    a_change_writes_what_it_names_and_journals_it,
    what_is_cleared_is_gone,
    every_kind_of_change_has_its_journal_entry,
    a_user_stays_in_an_archived_unit_but_is_not_put_there,
    a_time_zone_is_inherited_from_the_unit_that_the_user_will_have,
    who_left_the_scope_or_was_deleted_meanwhile_is_not_found,
    a_time_of_change_never_goes_back,
    a_precondition_is_asked_on_what_is_stored,
    a_precondition_holds_also_for_the_units_that_a_view_shows,
    a_precondition_that_fails_stops_every_kind_of_end,
    units_that_change_meanwhile_do_not_matter_without_a_precondition,
];

const PASSWORD: &str = "correct horse battery";

fn full() -> UserPatch {
    UserPatch {
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
        ..with_login("zoë")
    }
}

fn first_name(name: &str) -> UserPatch {
    UserPatch { first_name: Some(name.to_owned()), ..UserPatch::default() }
}

fn into_unit(unit: OrgUnitId) -> UserPatch {
    UserPatch { org_unit_id: Some(unit), ..UserPatch::default() }
}

async fn view<B: Backend>(world: &World<B>, org: &Org, user: &User) -> UserView {
    world.directory.user_get(&org.ctx, user.id).await.unwrap()
}

/// Changes a user that may have been read a while ago.
async fn change<B: Backend>(
    world: &World<B>,
    org: &Org,
    found: UserView,
    patch: UserPatch,
    precondition: Option<Precondition<UserView>>,
) -> Result<User, Error> {
    world.directory.user_update(&org.ctx, found, patch.into(), precondition).await
}

async fn a_change_that_changes_nothing_commits_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.create_user(&org, full()).await.unwrap();
    let journal = world.journal(&org).await;
    world.clock.advance(Duration::from_mins(1));
    for patch in [UserPatch::default(), full(), into_unit(org.top), with_login("zoë")] {
        assert_eq!(world.update_user(&org, user.id, patch).await.unwrap(), user);
    }
    assert_eq!(world.stored_user(&user).await, user);
    // Not even a claim: it comes with a creation or a password.
    let patch = UserPatch { claims_login: true, ..with_login("zoë") };
    assert_eq!(world.update_user(&org, user.id, patch).await.unwrap(), user);
    assert_eq!(world.journal(&org).await, journal);
}

async fn a_change_writes_what_it_names_and_journals_it<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let user = world.create_user(&org, with_login("bob")).await.unwrap();
    world.clock.advance(Duration::from_mins(1));
    let patch = UserPatch { org_unit_id: Some(unit), ..full() };
    let changed = world.update_user(&org, user.id, patch).await.unwrap();
    let expected = User {
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
        version: 2,
        modified_at: world.directory.now(),
        ..user.clone()
    };
    assert_eq!(changed, expected);
    assert_eq!(world.stored_user(&user).await, expected);

    let record = world.journal(&org).await.pop().unwrap();
    assert_eq!((record.kind.as_str(), record.entity_id), ("user.updated", user.id.to_string()));
    assert_eq!((record.version, record.at), (2, world.directory.now()));
    let payload = json!({
        "login": ["bob", "zoë"], "first_name": ["", "Zoë"], "last_name": ["", "O'Neil"],
        "role": ["Standard", "ReadOnly"], "status": ["active", "inactive"],
        "org_unit_id": [org.top.0, unit.0], "external_id": [null, "E-71"],
        "timezone": ["America/New_York", "Europe/Zurich"], "aliases": [null, {"z": 1, "a": [null]}],
        "agent_ring_to": [null, "+17755550100"], "agent_code": [null, 4711],
        "score_call": [false, true], "access_audio": [false, true],
    });
    assert_eq!(record.payload, payload);
}

async fn what_is_cleared_is_gone<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.create_user(&org, full()).await.unwrap();
    let cleared = UserPatch {
        external_id: Patch::Clear,
        timezone: Patch::Clear,
        aliases: Patch::Clear,
        agent_ring_to: Patch::Clear,
        agent_code: Patch::Clear,
        ..UserPatch::default()
    };
    let changed = world.update_user(&org, user.id, cleared).await.unwrap();
    let expected = User {
        external_id: None,
        timezone: "America/New_York".to_owned(),
        aliases: None,
        agent_ring_to: None,
        agent_code: None,
        version: 2,
        ..user
    };
    assert_eq!(changed, expected);
    assert_eq!(world.stored_user(&changed).await, expected);
}

async fn every_kind_of_change_has_its_journal_entry<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let new = UserPatch { password: Some(PASSWORD.into()), ..with_login("bob") };
    let user = world.create_user(&org, new).await.unwrap();
    let password = |patch| UserPatch { password: Some("battery staple horse".into()), ..patch };
    let bare = world.create_user(&org, with_login("bare")).await.unwrap();
    let made = world.journal(&org).await.len();

    world.update_user(&org, user.id, password(UserPatch::default())).await.unwrap();
    world.update_user(&org, user.id, password(first_name("Bob"))).await.unwrap();
    world.update_user(&org, bare.id, password(UserPatch::default())).await.unwrap();
    world.delete_user(&org, user.id).await.unwrap();
    let records = world.journal(&org).await;
    let short: Vec<_> = records[made..]
        .iter()
        .map(|record| (record.kind.as_str(), record.version, record.payload.clone()))
        .collect();
    let expected = [
        ("user.password_changed", 2, json!({})),
        ("user.updated", 3, json!({"first_name": ["", "Bob"], "password_changed": [false, true]})),
        ("user.password_changed", 2, json!({})),
        ("user.deleted", 4, json!({"status": ["active", "deleted"]})),
    ];
    assert_eq!(short, expected);

    // No entry shows a password or its hash, whatever is done with it.
    let both = password(UserPatch { first_name: Some("Bea".to_owned()), ..with_login("both") });
    let both = world.create_user(&org, both).await.unwrap();
    let hash = world.stored_user(&both).await.password_hash.unwrap();
    for record in world.journal(&org).await {
        let text = record.payload.to_string();
        for secret in ["argon2", PASSWORD, "battery staple", &hash] {
            assert!(!text.contains(secret), "{record:?}");
        }
    }
}

async fn a_user_stays_in_an_archived_unit_but_is_not_put_there<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let archived = world.add_archived(&org, org.top, "archived").await.id;
    let user = world.add_user(&org, archived, "bob").await;
    let patch = UserPatch { org_unit_id: Some(archived), ..first_name("Bob") };
    let user = world.update_user(&org, user.id, patch).await.unwrap();
    let user = world.update_user(&org, user.id, into_unit(org.top)).await.unwrap();
    match world.update_user(&org, user.id, into_unit(archived)).await {
        Err(Error::Invalid(fields)) => assert_eq!(fields[0].problem, Problem::Inactive("org unit")),
        other => panic!("{other:?}"),
    }
}

async fn a_time_zone_is_inherited_from_the_unit_that_the_user_will_have<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut units = Vec::new();
    for timezone in ["Europe/Zurich", "Asia/Tokyo"] {
        let patch = muster_domain::org_unit::OrgUnitPatch {
            timezone: Patch::Set(timezone.to_owned()),
            ..named(timezone)
        };
        units.push(world.directory.org_unit_create(&org.ctx, patch.into()).await.unwrap().id);
    }
    let new = |timezone| UserPatch { timezone, org_unit_id: Some(units[0]), ..with_login("bob") };
    let user = world.create_user(&org, new(Patch::Clear)).await.unwrap();
    assert_eq!(user.timezone, "Europe/Zurich");
    // A move alone keeps it.
    let user = world.update_user(&org, user.id, into_unit(units[1])).await.unwrap();
    assert_eq!(user.timezone, "Europe/Zurich");
    let user = world.update_user(&org, user.id, new(Patch::Set("Asia/Dubai".to_owned()))).await.unwrap();
    assert_eq!((user.timezone.as_str(), user.org_unit_id), ("Asia/Dubai", units[0]));
    let clear = |patch| UserPatch { timezone: Patch::Clear, ..patch };
    let user = world.update_user(&org, user.id, clear(into_unit(units[1]))).await.unwrap();
    assert_eq!((user.timezone.as_str(), user.org_unit_id), ("Asia/Tokyo", units[1]));
    let user = world.update_user(&org, user.id, clear(UserPatch::default())).await.unwrap();
    assert_eq!((user.timezone.as_str(), user.version), ("Asia/Tokyo", 4));
}

async fn who_left_the_scope_or_was_deleted_meanwhile_is_not_found<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let admin = as_admin(world.user(&org, unit, "branch").await, false);
    world.commit(&org, vec![user_insert(&admin)]).await.unwrap();
    let ctx = world.ctx_of(&admin).await;
    let directory = &world.directory;

    for deletes in [false, true] {
        let user = world.add_user(&org, unit, &format!("user {deletes}")).await;
        let found = async || directory.user_get(&ctx, user.id).await.unwrap();
        let (first, second, third) = (found().await, found().await, found().await);
        if deletes {
            world.delete_user(&org, user.id).await.unwrap();
        } else {
            world.update_user(&org, user.id, into_unit(org.top)).await.unwrap();
        }
        let outcomes = [
            directory.user_update(&ctx, first, first_name("Bob").into(), None).await,
            directory.user_delete(&ctx, second, None).await,
            directory.user_erase(&ctx, third, None).await.map(|ended| ended.after),
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(Error::NotFound(Entity::User))), "{outcome:?}");
        }
    }
}

async fn a_time_of_change_never_goes_back<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.add_user(&org, org.top, "bob").await;
    let later = START.plus(Duration::from_hours(1));
    let user = world.change_user(&org, &user, |user| user.modified_at = later).await.unwrap();
    let user = world.update_user(&org, user.id, first_name("Bob")).await.unwrap();
    assert_eq!((user.modified_at, user.version), (later, 3));
    assert_eq!(world.journal(&org).await.pop().unwrap().at, later);
    assert_eq!(world.delete_user(&org, user.id).await.unwrap().modified_at, later);
}

fn at_version(version: i64) -> Precondition<UserView> {
    Box::new(move |view| view.user.version == version)
}

async fn a_precondition_is_asked_on_what_is_stored<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.add_user(&org, org.top, "bob").await;
    let found = view(&world, &org, &user).await;
    let wrong = change(&world, &org, found.clone(), first_name("Bob"), Some(at_version(2))).await;
    assert!(matches!(wrong, Err(Error::Precondition)), "{wrong:?}");
    let user = change(&world, &org, found.clone(), first_name("Bob"), Some(at_version(1))).await.unwrap();
    // What was read before the change does not help any more.
    let late = change(&world, &org, found, first_name("Late"), Some(at_version(1))).await;
    assert!(matches!(late, Err(Error::Precondition)), "{late:?}");
    assert_eq!(world.stored_user(&user).await, user);
    // Bad input is told first.
    let found = view(&world, &org, &user).await;
    let bad = change(&world, &org, found, into_unit(OrgUnitId(i64::MAX)), Some(at_version(1))).await;
    assert!(matches!(bad, Err(Error::Invalid(_))), "{bad:?}");
}

async fn a_precondition_holds_also_for_the_units_that_a_view_shows<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let parent = world.add_unit(&org, org.top, "parent").await;
    let unit = world.add_unit(&org, parent.id, "unit").await;
    let user = world.add_user(&org, unit.id, "bob").await;
    for shown in [unit.id, parent.id, org.top] {
        let found = view(&world, &org, &user).await;
        let names = |view: &UserView| {
            [Some(&view.unit), view.parent.as_ref(), Some(&view.top)]
                .map(|unit| unit.map(|unit| unit.name.clone()))
        };
        let holds = || -> Option<Precondition<UserView>> {
            let read = names(&found);
            Some(Box::new(move |view: &UserView| names(view) == read))
        };
        // Renamed after it was read, so that only the transaction can tell.
        let before = world.stored_unit(&org, shown).await;
        let renamed =
            OrgUnit { name: format!("{} renamed", before.name), version: before.version + 1, ..before };
        world.commit(&org, vec![unit_update(&renamed)]).await.unwrap();
        let outcomes = [
            change(&world, &org, found.clone(), first_name("Bob"), holds()).await,
            world.directory.user_delete(&org.ctx, found.clone(), holds()).await,
            world.directory.user_erase(&org.ctx, found.clone(), holds()).await.map(|ended| ended.after),
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(Error::Precondition)), "{shown}: {outcome:?}");
        }
        assert_eq!(world.stored_user(&user).await, user);
    }
}

async fn a_precondition_that_fails_stops_every_kind_of_end<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.add_user(&org, org.top, "bob").await;
    let journal = world.journal(&org).await;
    let found = view(&world, &org, &user).await;
    let outcomes = [
        world.directory.user_delete(&org.ctx, found.clone(), Some(at_version(2))).await,
        world
            .directory
            .user_erase(&org.ctx, found.clone(), Some(at_version(2)))
            .await
            .map(|ended| ended.after),
    ];
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::Precondition))), "{outcomes:?}");
    assert_eq!((world.stored_user(&user).await, world.journal(&org).await), (user.clone(), journal));
    world.directory.user_delete(&org.ctx, found, Some(at_version(1))).await.unwrap();
    let found = view(&world, &org, &user).await;
    world.directory.user_erase(&org.ctx, found, Some(at_version(2))).await.unwrap();
}

async fn units_that_change_meanwhile_do_not_matter_without_a_precondition<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await;
    let user = world.add_user(&org, unit.id, "bob").await;
    let found = view(&world, &org, &user).await;
    let archived = OrgUnit { status: OrgUnitStatus::Inactive, version: 2, ..unit };
    world.commit(&org, vec![unit_update(&archived)]).await.unwrap();
    let user = change(&world, &org, found, first_name("Bob"), None).await.unwrap();
    assert_eq!((user.version, user.first_name.as_str()), (2, "Bob"));
}
