//! What is done with tags, as conversations.

use std::time::Duration;

use muster_domain::org_unit::OrgUnitStatus;
use muster_domain::tag::{Tag, TagFilter, TagPatch};
use muster_domain::user::{Role, User};
use muster_domain::{
    Ctx, Draft, Entity, Error, OrgUnitId, Patch, Precondition, Problem, Slice, TagId, Unique,
};
use serde_json::json;

use crate::contact_books::ALL;
use crate::support::{Backend, START, all_at_once, findings};
use crate::world::{Org, World, user_insert, with_status};

contract![
    a_tag_is_kept_as_it_was_given,
    a_change_keeps_what_it_does_not_name,
    a_name_stands_once_in_a_unit,
    a_tag_goes_into_active_units_of_the_scope_alone,
    tags_of_the_scope_are_listed_by_name_and_searched,
    a_deleted_tag_is_gone,
    a_precondition_holds_until_the_change_is_written,
    who_reads_and_who_writes,
    of_those_who_take_a_name_at_once_one_has_it,
    the_doctor_sees_what_is_wrong_with_a_tag,
];

fn named(name: &str) -> TagPatch {
    TagPatch { name: Some(name.to_owned()), ..TagPatch::default() }
}

fn of(unit: OrgUnitId, name: &str) -> TagPatch {
    TagPatch { org_unit_id: Some(unit), ..named(name) }
}

fn into(unit: OrgUnitId) -> TagPatch {
    TagPatch { org_unit_id: Some(unit), ..TagPatch::default() }
}

impl<B: Backend> World<B> {
    async fn tag(&self, ctx: &Ctx, patch: TagPatch) -> Tag {
        self.directory.tag_create(ctx, patch.into()).await.unwrap()
    }

    async fn change_tag(&self, ctx: &Ctx, id: TagId, patch: TagPatch) -> Result<Tag, Error> {
        let found = self.directory.tag_get(ctx, id).await?;
        self.directory.tag_update(ctx, found, patch.into(), None).await
    }

    /// The names of the tags that a caller sees, a part of which is this, and how many there are.
    async fn tag_names(&self, ctx: &Ctx, part: Option<&str>, slice: Slice) -> (Vec<String>, u64) {
        let filter = TagFilter { name: part.map(str::to_owned) };
        let page = self.directory.tag_list(ctx, filter, slice).await.unwrap();
        (page.items.into_iter().map(|tag| tag.name).collect(), page.total)
    }

    /// A caller of this role whose unit this is.
    async fn caller(&self, org: &Org, unit: OrgUnitId, role: Role, login: &str) -> Ctx {
        let user = User { role, ..self.user(org, unit, login).await };
        self.commit(org, vec![user_insert(&user)]).await.unwrap();
        self.ctx_of(&user).await
    }
}

/// The names of the failing fields.
fn failing<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Vec<(String, Problem)> {
    let Err(Error::Invalid(fields)) = outcome else { panic!("{outcome:?}") };
    fields.into_iter().map(|error| (error.field.into_owned(), error.problem)).collect()
}

async fn a_tag_is_kept_as_it_was_given<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let patch = TagPatch { color: Patch::Set("#1f77b4".to_owned()), ..named("Straße") };
    let tag = world.tag(&org.ctx, patch).await;
    assert_eq!((tag.version, tag.created_at, tag.org_unit_id), (1, START, org.top));
    assert_eq!(world.directory.tag_get(&org.ctx, tag.id).await.unwrap(), tag);
    let mut draft = Draft::from(into(OrgUnitId(i64::MAX)));
    draft.errors.push("color", Problem::Blank);
    let fields: Vec<String> = failing(world.directory.tag_create(&org.ctx, draft).await)
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(fields, ["color", "name", "org_unit_id"]);
    let made = world.journal(&org).await.pop().unwrap();
    assert_eq!((made.kind.as_str(), made.entity.as_str(), made.version), ("tag.created", "tag", 1));
    let payload =
        json!({"name": [null, "Straße"], "color": [null, "#1f77b4"], "org_unit_id": [null, org.top.0]});
    assert_eq!((made.entity_id, made.payload), (tag.id.to_string(), payload));
    let world = world.reopened().await;
    assert_eq!(world.directory.tag_get(&org.ctx, tag.id).await.unwrap(), tag);
    world.is_sound().await;
}

async fn a_change_keeps_what_it_does_not_name<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (first, second) =
        (world.add_unit(&org, org.top, "one").await.id, world.add_unit(&org, org.top, "two").await.id);
    let tag =
        world.tag(&org.ctx, TagPatch { color: Patch::Set("#000000".to_owned()), ..of(first, "Hot") }).await;
    world.clock.advance(Duration::from_secs(5));
    let modified_at = START.plus(Duration::from_secs(5));
    let renamed = world.change_tag(&org.ctx, tag.id, named("Warm")).await.unwrap();
    assert_eq!(renamed, Tag { name: "Warm".to_owned(), version: 2, modified_at, ..tag.clone() });
    let moved = world.change_tag(&org.ctx, tag.id, into(second)).await.unwrap();
    assert_eq!(moved, Tag { org_unit_id: second, version: 3, ..renamed });
    let plain = TagPatch { color: Patch::Clear, ..TagPatch::default() };
    let plain = world.change_tag(&org.ctx, tag.id, plain).await.unwrap();
    assert_eq!(plain, Tag { color: None, version: 4, ..moved });
    assert_eq!(world.directory.tag_get(&org.ctx, tag.id).await.unwrap(), plain);
    let said = world.journal(&org).await.pop().unwrap();
    assert_eq!((said.kind.as_str(), &said.payload), ("tag.updated", &json!({"color": ["#000000", null]})));
    let before = world.backend.dump();
    for patch in [TagPatch::default(), named("Warm"), into(second)] {
        assert_eq!(world.change_tag(&org.ctx, tag.id, patch).await.unwrap(), plain);
    }
    assert_eq!(world.backend.dump(), before, "a change that changes nothing commits nothing");
    let outcome = world.change_tag(&org.ctx, TagId(i64::MAX), named("x")).await;
    assert!(matches!(outcome, Err(Error::NotFound(Entity::Tag))));
    world.is_sound().await;
}

async fn a_name_stands_once_in_a_unit<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let tag = world.tag(&org.ctx, named("Hot")).await;
    let second = world.tag(&org.ctx, of(unit, "hot")).await;
    world.tag(&other.ctx, named("HOT")).await;
    let before = world.backend.dump();
    for outcome in [
        world.directory.tag_create(&org.ctx, named("hOT").into()).await,
        world.change_tag(&org.ctx, second.id, into(org.top)).await,
    ] {
        assert!(matches!(outcome, Err(Error::Duplicate(Unique::TagName))), "{outcome:?}");
    }
    assert_eq!(world.backend.dump(), before);
    // One's own name in another spelling is free.
    assert_eq!(world.change_tag(&org.ctx, tag.id, named("HOT")).await.unwrap().name, "HOT");
    world.is_sound().await;
}

async fn a_tag_goes_into_active_units_of_the_scope_alone<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let mine = world.add_unit(&org, org.top, "mine").await.id;
    let below = world.add_unit(&org, mine, "below").await.id;
    let archived = world.add_archived(&org, mine, "archived").await.id;
    let ctx = world.caller(&org, mine, Role::Standard, "stan").await;
    let tag = world.tag(&ctx, named("Own")).await;
    assert_eq!(tag.org_unit_id, mine, "the caller's own is the default");
    let above = world.tag(&org.ctx, of(org.top, "Above")).await;
    let before = world.backend.dump();
    for (unit, problem) in [
        (org.top, Problem::Unknown("org unit")),
        (other.top, Problem::Unknown("org unit")),
        (archived, Problem::Inactive("org unit")),
    ] {
        let wanted = vec![("org_unit_id".to_owned(), problem)];
        let created = world.directory.tag_create(&ctx, of(unit, "x").into()).await;
        assert_eq!(failing(created), wanted);
        assert_eq!(failing(world.change_tag(&ctx, tag.id, into(unit)).await), wanted);
    }
    for outcome in [
        world.directory.tag_get(&ctx, above.id).await,
        world.change_tag(&ctx, above.id, named("x")).await,
        world.directory.tag_get(&other.ctx, above.id).await,
    ] {
        assert!(matches!(outcome, Err(Error::NotFound(Entity::Tag))), "{outcome:?}");
    }
    assert_eq!(world.backend.dump(), before);
    // The tags of a unit that is archived stay, and can be changed and deleted.
    let tag = world.change_tag(&ctx, tag.id, into(below)).await.unwrap();
    let found = world.directory.org_unit_get(&org.ctx, below).await.unwrap();
    let archive = with_status(OrgUnitStatus::Inactive);
    world.directory.org_unit_update(&org.ctx, found, archive.into(), None).await.unwrap();
    let tag = world.change_tag(&ctx, tag.id, named("Late")).await.unwrap();
    world.directory.tag_delete(&ctx, tag, None).await.unwrap();
    world.is_sound().await;
}

async fn tags_of_the_scope_are_listed_by_name_and_searched<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let north = world.add_unit(&org, org.top, "north").await.id;
    let team = world.add_unit(&org, north, "team").await.id;
    for (unit, name) in [(team, "beta"), (org.top, "Alpha 100%"), (north, "Gamma"), (team, "alpha")] {
        world.tag(&org.ctx, of(unit, name)).await;
    }
    world.tag(&other.ctx, named("alpha")).await;
    let slice = |limit, offset| Slice { limit, offset };
    let names = |names: &[&str], total| (names.iter().map(|name| (*name).to_owned()).collect(), total);
    let in_north = world.caller(&org, north, Role::ReadOnly, "rea").await;
    for (ctx, part, slice, wanted) in [
        (&org.ctx, None, ALL, names(&["alpha", "Alpha 100%", "beta", "Gamma"], 4)),
        (&org.ctx, Some("ALPHA"), ALL, names(&["alpha", "Alpha 100%"], 2)),
        (&org.ctx, Some("0%"), ALL, names(&["Alpha 100%"], 1)),
        (&org.ctx, Some("_"), ALL, names(&[], 0)),
        (&org.ctx, None, slice(2, 1), names(&["Alpha 100%", "beta"], 4)),
        (&org.ctx, None, slice(2, 9), names(&[], 4)),
        (&in_north, None, ALL, names(&["alpha", "beta", "Gamma"], 3)),
        (&in_north, Some("a"), slice(1, 1), names(&["beta"], 3)),
        (&in_north, None, slice(1, 3), names(&[], 3)),
        (&other.ctx, None, ALL, names(&["alpha"], 1)),
    ] {
        assert_eq!(world.tag_names(ctx, part, slice).await, wanted, "{part:?}");
    }
}

async fn a_deleted_tag_is_gone<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (tag, other) = (world.tag(&org.ctx, named("Hot")).await, world.tag(&org.ctx, named("Cold")).await);
    let gone = world.directory.tag_delete(&org.ctx, tag.clone(), None).await.unwrap();
    assert_eq!(gone, tag);
    let said = world.journal(&org).await.pop().unwrap();
    assert_eq!((said.kind.as_str(), said.version, said.entity_id), ("tag.deleted", 2, tag.id.to_string()));
    for outcome in [
        world.directory.tag_get(&org.ctx, tag.id).await,
        world.directory.tag_delete(&org.ctx, tag.clone(), None).await,
        world.directory.tag_update(&org.ctx, tag, named("x").into(), None).await,
    ] {
        assert!(matches!(outcome, Err(Error::NotFound(Entity::Tag))), "{outcome:?}");
    }
    assert_eq!(world.tag_names(&org.ctx, None, ALL).await, (vec![other.name], 1));
    world.tag(&org.ctx, named("hot")).await;
    world.is_sound().await;
}

async fn a_precondition_holds_until_the_change_is_written<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let tag = world.tag(&org.ctx, named("Hot")).await;
    let version =
        |wanted: i64| -> Option<Precondition<Tag>> { Some(Box::new(move |tag: &Tag| tag.version == wanted)) };
    // What was read is older than what is stored.
    world.change_tag(&org.ctx, tag.id, named("Warm")).await.unwrap();
    let before = world.backend.dump();
    let update = world.directory.tag_update(&org.ctx, tag.clone(), named("x").into(), version(1)).await;
    assert!(matches!(update, Err(Error::Precondition)), "{update:?}");
    let delete = world.directory.tag_delete(&org.ctx, tag.clone(), version(1)).await;
    assert!(matches!(delete, Err(Error::Precondition)), "{delete:?}");
    assert_eq!(world.backend.dump(), before);
    let without =
        world.directory.tag_update(&org.ctx, tag.clone(), named("Cool").into(), None).await.unwrap();
    assert_eq!(without.version, 3, "decided again on what is stored");
    world.directory.tag_delete(&org.ctx, without, version(3)).await.unwrap();
}

async fn who_reads_and_who_writes<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for (role, writes) in [(Role::Admin, true), (Role::Standard, true), (Role::ReadOnly, false)] {
        let tag = world.tag(&org.ctx, named(role.as_str())).await;
        let ctx = world.caller(&org, org.top, role, &format!("{} user", role.as_str())).await;
        assert_eq!(world.directory.tag_get(&ctx, tag.id).await.unwrap(), tag);
        assert!(world.tag_names(&ctx, None, ALL).await.1 > 0);
        let outcomes = [
            world.directory.tag_create(&ctx, named(&format!("by {}", role.as_str())).into()).await,
            world
                .directory
                .tag_update(&ctx, tag.clone(), named(&format!("{} x", role.as_str())).into(), None)
                .await,
            world.directory.tag_delete(&ctx, tag, None).await,
        ];
        for outcome in outcomes {
            assert_eq!(outcome.is_ok(), writes, "{role:?}: {outcome:?}");
            assert!(writes || matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
        }
    }
}

async fn of_those_who_take_a_name_at_once_one_has_it<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let tasks = (0..8).map(|_| {
        let (directory, ctx) = (world.node(), org.ctx.clone());
        async move { directory.tag_create(&ctx, named("Hot").into()).await }
    });
    let outcomes = all_at_once(tasks).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let taken = |outcome: &Result<Tag, Error>| matches!(outcome, Err(Error::Duplicate(Unique::TagName)));
    assert_eq!(outcomes.iter().filter(|outcome| taken(outcome)).count(), 7, "{outcomes:?}");
    // Changes at once are all kept, one after the other.
    let tag = outcomes.into_iter().find_map(Result::ok).unwrap();
    let tasks = (0..8).map(|n| {
        let (directory, ctx, tag) = (world.node(), org.ctx.clone(), tag.clone());
        async move { directory.tag_update(&ctx, tag, named(&format!("Hot {n}")).into(), None).await.unwrap() }
    });
    let mut versions: Vec<i64> = all_at_once(tasks).await.into_iter().map(|tag| tag.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..10).collect::<Vec<_>>());
    world.is_sound().await;
}

async fn the_doctor_sees_what_is_wrong_with_a_tag<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.tag(&org.ctx, named("Hot")).await.id;
    world.is_sound().await;
    for (change, finding) in [
        ("name_key = 'x'", format!("the name is not the one it is compared by: tag {id}")),
        ("name_key = 'hot', color = 'red'", format!("the colour is none: tag {id}")),
        ("color = NULL, org_unit_id = 77", format!("of no org unit: tag {id}")),
    ] {
        world.backend.tamper(&format!("UPDATE tags SET {change}"));
        // SQLite says by itself, too, that a row refers to none.
        let found = findings(world.store(), &world.key).await;
        assert!(found.contains(&finding), "{found:?}");
    }
}
