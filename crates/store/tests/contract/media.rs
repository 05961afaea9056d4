//! Media prompts and the marks of their objects: at no time has an object neither, or a prompt none.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use muster_domain::media::{
    MediaKind, MediaPrompt, MediaPromptPatch, MediaStore as _, MessageType, ObjectKey, Objects, Uploaded,
};
use muster_domain::user::{Role, User};
use muster_domain::{Change, Ctx, Entity, Error, MediaPromptId, OrgUnitId, Problem, Slice, StoreError};
use muster_store::Media;
use serde_json::json;

use crate::contact_books::ALL;
use crate::support::{Backend, START, all_at_once, findings};
use crate::world::{Org, World, user_insert};

contract![
    a_prompt_is_kept_as_it_was_given,
    prompts_of_the_scope_are_listed_newest_first,
    an_object_has_a_mark_until_its_prompt_is_there,
    a_deleted_prompt_leaves_a_mark,
    marks_go_after_their_objects,
    what_is_wrong_with_a_prompt_is_told,
    an_upload_that_was_given_up_makes_no_prompt,
    of_those_who_delete_at_once_one_does,
    who_reads_and_who_writes,
    the_doctor_sees_what_is_wrong_with_a_prompt,
];

fn wanted(name: &str) -> MediaPromptPatch {
    MediaPromptPatch {
        name: Some(name.to_owned()),
        message_type: Some(MessageType::Whisper),
        org_unit_id: None,
    }
}

fn of(unit: OrgUnitId, name: &str) -> MediaPromptPatch {
    MediaPromptPatch { org_unit_id: Some(unit), ..wanted(name) }
}

fn whole(object: ObjectKey) -> Uploaded {
    Uploaded {
        object,
        kind: MediaKind::Flac,
        file_name: "Grüße.flac".to_owned(),
        size: 5_000_000_000,
        duration: Some(Duration::from_millis(1_234)),
        checksum: [7; 32],
    }
}

impl<B: Backend> World<B> {
    /// A prompt of the top, whose object is said to be there.
    pub(crate) async fn media_prompt(&self, org: &Org, name: &str) -> MediaPrompt {
        self.prompt_of(&self.now_ctx(org), wanted(name)).await.unwrap()
    }

    async fn prompt_of(&self, ctx: &Ctx, patch: MediaPromptPatch) -> Result<MediaPrompt, Error> {
        let object = self.directory.media_upload_begin(ctx).await?;
        self.directory.media_prompt_create(ctx, patch, whole(object)).await
    }

    /// The objects that have a mark, whose time has come by then.
    async fn marked(&self, after: Duration) -> BTreeSet<String> {
        let marked = self.store().objects_to_remove(self.directory.now().plus(after), 1000).await.unwrap();
        marked.iter().map(ToString::to_string).collect()
    }

    async fn prompt_names(&self, ctx: &Ctx, slice: Slice) -> (Vec<String>, u64) {
        let page = self.directory.media_prompt_list(ctx, slice).await.unwrap();
        (page.items.into_iter().map(|prompt| prompt.name).collect(), page.total)
    }
}

const NOW: Duration = Duration::ZERO;
const DAY: Duration = Duration::from_hours(24);

fn keys<const N: usize>(keys: [ObjectKey; N]) -> BTreeSet<String> {
    keys.iter().map(ToString::to_string).collect()
}

async fn a_prompt_is_kept_as_it_was_given<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let prompt = world.prompt_of(&org.ctx, of(unit, "Hello")).await.unwrap();
    assert_eq!((prompt.org_unit_id, prompt.created_at, prompt.object.tenant), (unit, START, org.tenant));
    assert_eq!(world.directory.media_prompt_get(&org.ctx, prompt.id).await.unwrap(), prompt);
    let object = world.directory.media_upload_begin(&org.ctx).await.unwrap();
    let bare = MediaPromptPatch { name: None, ..wanted("") };
    let uploaded = Uploaded { duration: None, size: 0, ..whole(object) };
    let bare = world.directory.media_prompt_create(&org.ctx, bare, uploaded).await.unwrap();
    assert_eq!((bare.name.as_str(), bare.org_unit_id, bare.duration), ("Grüße.flac", org.top, None));
    let made = world.journal(&org).await.pop().unwrap();
    assert_eq!((made.kind.as_str(), made.entity.as_str()), ("media_prompt.created", "media_prompt"));
    assert_eq!(made.payload["checksum"], json!([null, "07".repeat(32)]));
    let world = world.reopened().await;
    for stored in [&prompt, &bare] {
        assert_eq!(world.directory.media_prompt_get(&org.ctx, stored.id).await.unwrap(), *stored);
    }
    world.is_sound().await;
}

async fn prompts_of_the_scope_are_listed_newest_first<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let north = world.add_unit(&org, org.top, "north").await.id;
    let team = world.add_unit(&org, north, "team").await.id;
    for (unit, name) in [(team, "one"), (org.top, "two"), (north, "three"), (north, "four")] {
        world.prompt_of(&org.ctx, of(unit, name)).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    world.media_prompt(&other, "other").await;
    let user = User { role: Role::ReadOnly, ..world.user(&org, north, "rea").await };
    world.commit(&org, vec![user_insert(&user)]).await.unwrap();
    let rea = world.ctx_of(&user).await;
    let slice = |limit, offset| Slice { limit, offset };
    for (ctx, slice, names, total) in [
        (&org.ctx, ALL, vec!["four", "three", "two", "one"], 4),
        (&org.ctx, slice(2, 1), vec!["three", "two"], 4),
        (&org.ctx, slice(2, 9), vec![], 4),
        (&rea, ALL, vec!["four", "three", "one"], 3),
        (&rea, slice(1, 2), vec!["one"], 3),
        (&rea, slice(1, 3), vec![], 3),
        (&other.ctx, ALL, vec!["other"], 1),
    ] {
        let names = names.into_iter().map(str::to_owned).collect();
        assert_eq!(world.prompt_names(ctx, slice).await, (names, total));
    }
}

async fn an_object_has_a_mark_until_its_prompt_is_there<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let object = world.directory.media_upload_begin(&org.ctx).await.unwrap();
    assert_eq!((world.marked(NOW).await, world.marked(DAY).await), (keys([]), keys([object])));
    let prompt = world.directory.media_prompt_create(&org.ctx, wanted("x"), whole(object)).await.unwrap();
    assert_eq!((prompt.object, world.marked(DAY).await), (object, keys([])));
    // What is refused keeps its mark.
    let object = world.directory.media_upload_begin(&org.ctx).await.unwrap();
    let nowhere = of(OrgUnitId(i64::MAX), "x");
    let outcome = world.directory.media_prompt_create(&org.ctx, nowhere, whole(object)).await;
    assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    assert_eq!(world.marked(DAY).await, keys([object]));
}

async fn a_deleted_prompt_leaves_a_mark<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let prompt = world.media_prompt(&org, "x").await;
    world.directory.media_prompt_delete(&org.ctx, &prompt).await.unwrap();
    assert_eq!(world.marked(NOW).await, keys([prompt.object]));
    let said = world.journal(&org).await.pop().unwrap();
    assert_eq!((said.kind.as_str(), said.entity_id), ("media_prompt.deleted", prompt.id.to_string()));
    for outcome in [
        world.directory.media_prompt_delete(&org.ctx, &prompt).await,
        world.directory.media_prompt_get(&org.ctx, prompt.id).await.map(drop),
        world.directory.media_prompt_get(&org.ctx, MediaPromptId(i64::MAX)).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(Error::NotFound(Entity::MediaPrompt))), "{outcome:?}");
    }
    // The same again changes nothing.
    assert_eq!(world.marked(NOW).await, keys([prompt.object]));
    world.is_sound().await;
}

/// A place for objects that breaks off.
struct Broken<'a> {
    left: Mutex<usize>,
    place: &'a Media,
}

impl Objects for Broken<'_> {
    async fn remove(&self, key: &ObjectKey) -> Result<(), Error> {
        {
            let mut left = self.left.lock().unwrap();
            *left = left.checked_sub(1).ok_or(Error::Unavailable("it is away".into()))?;
        }
        self.place.remove(key).await
    }
}

async fn marks_go_after_their_objects<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let folder = tempfile::tempdir().unwrap();
    let media = Media::folder(folder.path().join("media"));
    let mut objects = Vec::new();
    for n in 0..205 {
        let prompt = world.media_prompt(&org, &format!("prompt {n}")).await;
        if n % 100 == 0 {
            let mut upload = media.begin(&prompt.object).await.unwrap();
            upload.write("content".into()).await.unwrap();
            upload.finish().await.unwrap();
            objects.push(folder.path().join("media").join(prompt.object.to_string()));
        }
        world.directory.media_prompt_delete(&org.ctx, &prompt).await.unwrap();
    }
    assert!(objects.iter().all(|object| object.exists()));
    let broken = Broken { left: Mutex::new(50), place: &media };
    let outcome = world.directory.objects_reap(&broken).await;
    assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
    // What cannot be removed is left for an hour.
    let hour = Duration::from_hours(1);
    assert_eq!((world.marked(NOW).await.len(), world.marked(hour).await.len()), (0, 155));
    world.clock.advance(hour);
    // Two servers at once do no harm.
    let rounds = (0..2).map(|_| {
        let (directory, media) = (world.node(), media.clone());
        async move { directory.objects_reap(&media).await.unwrap() }
    });
    let removed: u64 = all_at_once(rounds).await.into_iter().sum();
    assert!((155..=310).contains(&removed), "{removed}");
    assert_eq!(world.marked(DAY).await, keys([]));
    assert!(objects.iter().all(|object| !object.exists()));
}

async fn what_is_wrong_with_a_prompt_is_told<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let archived = world.add_archived(&org, org.top, "archived").await.id;
    for (patch, fields) in [
        (MediaPromptPatch { message_type: None, ..wanted("x") }, vec![("message_type", Problem::Required)]),
        (of(archived, "x"), vec![("org_unit_id", Problem::Inactive("org unit"))]),
        (of(other.top, "x"), vec![("org_unit_id", Problem::Unknown("org unit"))]),
        (
            MediaPromptPatch { message_type: None, ..of(archived, "x") },
            vec![("message_type", Problem::Required), ("org_unit_id", Problem::Inactive("org unit"))],
        ),
    ] {
        let outcome = world.directory.media_prompt_check(&org.ctx, patch.into()).await;
        let Err(Error::Invalid(failing)) = outcome else { panic!("{outcome:?}") };
        let failing: Vec<_> = failing.iter().map(|error| (&*error.field, error.problem.clone())).collect();
        assert_eq!(failing, fields);
    }
}

async fn an_upload_that_was_given_up_makes_no_prompt<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let media = Media::folder(tempfile::tempdir().unwrap().path().join("media"));
    let object = world.directory.media_upload_begin(&org.ctx).await.unwrap();
    world.clock.advance(DAY);
    assert_eq!(world.directory.objects_reap(&media).await.unwrap(), 1);
    let outcome = world.directory.media_prompt_create(&org.ctx, wanted("late"), whole(object)).await;
    assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
    assert_eq!(world.prompt_names(&org.ctx, ALL).await, (vec![], 0));
    // An object is of its tenant alone.
    let other = world.org("other").await;
    let object = world.directory.media_upload_begin(&other.ctx).await.unwrap();
    let outcome = world.commit(&org, vec![Change::ObjectForget(object)]).await;
    assert!(matches!(outcome, Err(StoreError::Internal(_))), "{outcome:?}");
}

async fn of_those_who_delete_at_once_one_does<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let prompt = world.media_prompt(&org, "x").await;
    let tasks = (0..8).map(|_| {
        let (directory, ctx, prompt) = (world.node(), org.ctx.clone(), prompt.clone());
        async move { directory.media_prompt_delete(&ctx, &prompt).await.is_ok() }
    });
    assert_eq!(all_at_once(tasks).await.into_iter().filter(|done| *done).count(), 1);
    assert_eq!(world.marked(NOW).await, keys([prompt.object]));
}

async fn who_reads_and_who_writes<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for (role, writes) in [(Role::Admin, true), (Role::Standard, true), (Role::ReadOnly, false)] {
        let prompt = world.media_prompt(&org, role.as_str()).await;
        let user = User { role, ..world.user(&org, org.top, &format!("{} user", role.as_str())).await };
        world.commit(&org, vec![user_insert(&user)]).await.unwrap();
        let ctx = world.ctx_of(&user).await;
        assert_eq!(world.directory.media_prompt_get(&ctx, prompt.id).await.unwrap(), prompt);
        assert!(world.prompt_names(&ctx, ALL).await.1 > 0);
        for outcome in [
            world.directory.media_upload_begin(&ctx).await.map(drop),
            world.directory.media_prompt_check(&ctx, wanted("x").into()).await.map(drop),
            world.directory.media_prompt_delete(&ctx, &prompt).await,
        ] {
            assert_eq!(outcome.is_ok(), writes, "{role:?}: {outcome:?}");
            assert!(writes || matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
        }
    }
}

async fn the_doctor_sees_what_is_wrong_with_a_prompt<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let prompt = world.media_prompt(&org, "x").await;
    world.is_sound().await;
    let (id, key) = (prompt.id, prompt.object.to_string());
    let mark = Change::ObjectDiscard { key: prompt.object, due_at: START };
    world.commit(&org, vec![mark]).await.unwrap();
    let marked = format!("its object is marked as one that nothing refers to: media prompt {id}");
    assert_eq!(findings(world.store(), &world.key).await, [marked]);
    world.commit(&org, vec![Change::ObjectForget(prompt.object)]).await.unwrap();
    for (change, finding) in [
        (format!("object_key = '99{key}'"), format!("its object is of another tenant: media prompt {id}")),
        (
            "object_key = 'x'".to_owned(),
            format!("(the stored key of an object is not understood): media prompt {id}"),
        ),
        (format!("object_key = '{key}', org_unit_id = 77"), format!("of no org unit: media prompt {id}")),
    ] {
        world.backend.tamper(&format!("UPDATE media_prompts SET {change}"));
        let found = findings(world.store(), &world.key).await;
        assert!(found.iter().any(|found| found.contains(&finding)), "{found:?}");
    }
}
