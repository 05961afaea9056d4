//! Copies of whole stores: they are what their source is, and nothing else is made a copy.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use futures_util::FutureExt as _;
use muster_domain::credential::{CredentialWish, Profile};
use muster_domain::tag::TagPatch;
use muster_domain::user::UserPatch;
use muster_domain::user_group::UserGroupPatch;
use muster_domain::webhook::{DeliveryState, StaticParameter, WebhookPatch};
use muster_domain::{Clock as _, Dialect, Patch};
use muster_store::{Limits, MigrateError, OpenError, Options, Step, migrate_store};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::contact_books::{nth, saying, with_list};
use crate::incomings::arrival;
use crate::messages::PHONE;
use crate::support::{Backend, FixedClock, SeededEntropy, findings};
use crate::user_books::joining;
use crate::user_documents::documented;
use crate::webhook_books::{ONE, asking};
use crate::world::{Org, World, named, under};

contract![
    a_copy_and_the_copy_of_a_copy_are_the_same,
    a_copy_is_broken_off_and_goes_on,
    a_copy_whose_source_was_written_to_begins_anew,
    a_copy_of_the_same_kind,
];

/// A store with something in every table, and with what waits for the periodic work.
pub(crate) async fn filled<B: Backend>() -> World<B> {
    let world = World::<B>::new();
    let mut random = StdRng::seed_from_u64(7);
    for name in ["acme", "beta"] {
        let org = world.org_with(name, Some("correct horse")).await;
        fill(&world, &org, &mut random).await;
    }
    world.clock.advance(Duration::from_hours(1));
    world.directory.journal_trim(world.clock.now()).await.unwrap();
    let late = world.org("late").await;
    world.add_user(&late, late.top, "only").await;
    world.is_sound().await;
    world
}

async fn fill<B: Backend>(world: &World<B>, org: &Org, random: &mut StdRng) {
    let mut word = |n: usize| {
        let letters = ['a', 'Ж', '漢', '\'', '\\', '\t', '😀', '"', '€'];
        let word: String =
            (0..random.random_range(1..9)).map(|_| letters[random.random_range(0..9)]).collect();
        format!("{n}{word}.")
    };
    let mut units = vec![org.top];
    let mut users = Vec::new();
    for n in 0..30 {
        units.push(world.add_unit(org, units[n / 2], &word(n)).await.id);
        users.push(world.add_user(org, units[n], &word(n)).await);
        world.session(&users[n]).await;
    }
    world.add_archived(org, org.top, &word(99)).await;
    // A unit whose parent is younger than it.
    let ctx = world.now_ctx(org);
    let unit = world.directory.org_unit_get(&ctx, units[3]).await.unwrap();
    world.directory.org_unit_update(&ctx, unit, under(units[30]).into(), None).await.unwrap();
    world
        .update_user(org, users[5].id, UserPatch { first_name: Some(word(5)), ..UserPatch::default() })
        .await
        .unwrap();
    for n in 6..9 {
        let login = format!("{}@x.org", word(n));
        let user = world.create_user(org, documented(&login, &word(n))).await.unwrap();
        if n == 8 {
            world.delete_user(org, user.id).await.unwrap();
        }
    }
    let (dialect, profile) = (Dialect::Scim, Profile::Entra);
    let wish = CredentialWish { dialect, name: word(9), read_only: true, profile, expires_at: None };
    world.directory.credential_create(&org.ctx, &world.key, wish).await.unwrap();
    world.delete_user(org, users[1].id).await.unwrap();
    world.erase_user(org, users[2].id).await.unwrap();
    for n in 0..3 {
        let group = world.user_group(org, &word(n)).await;
        world.change_members(org, group.id, joining(&users[10..20])).await.unwrap();
        let patch = UserGroupPatch { name: Some(word(n)), ..UserGroupPatch::default() };
        world.update_user_group(org, group.id, patch).await.unwrap();
    }
    for (n, unit) in units.iter().take(4).enumerate() {
        let (org_unit_id, color) = (Some(*unit), Patch::Set("#1f77b4".to_owned()));
        let tag = TagPatch { name: Some(word(n)), color, org_unit_id };
        world.directory.tag_create(&ctx, tag.into()).await.unwrap();
        world.media_prompt(org, &word(n)).await;
        world.directory.media_upload_begin(&ctx).await.unwrap();
    }
    let group = world.user_group(org, "gone").await;
    world.change_members(org, group.id, joining(&users[12..15])).await.unwrap();
    world.drop_user_group(org, group.id).await.unwrap();
    let list = world.group_of(org, 0..40).await;
    // Contacts of an earlier edition stay until they are removed.
    world.update_group(org, list.id, with_list((20..60).map(|n| saying(&word(n), nth(n))))).await.unwrap();
    let gone = world.group_of(org, 70..80).await;
    world.delete_group(org, gone.id).await.unwrap();
    world.receive(org, arrival(Some(&word(1)), PHONE, &word(2))).await;
    send(world, org, &word(7)).await;
}

/// Webhooks with deliveries in every state, one that is leased, and a deleted one of which the rows are still there.
async fn send<B: Backend>(world: &World<B>, org: &Org, word: &str) {
    let patch = WebhookPatch { name: Some(word.to_owned()), ..asking(["user.*", "group.*"]) };
    let parameter = StaticParameter { name: "source".to_owned(), value: word.to_owned() };
    let patch = WebhookPatch { static_parameters: Some(vec![parameter]), ..patch };
    for _ in 0..2 {
        let id = world.create_webhook(org, patch.clone()).await.unwrap().webhook.id;
        let found = world.webhook_view(org, id).await;
        world.directory.webhook_rotate_secret(&world.now_ctx(org), &world.key, found, None).await.unwrap();
        world.add_unit(org, org.top, &format!("{word} {id}")).await;
        let from = world.cursor(id);
        world.note(org, 9).await;
        world.deliver(org, id, from + 1..from + 8).await;
        world.end(org, id, [from + 2, from + 5], DeliveryState::Failed).await;
        world.end(org, id, [from + 3], DeliveryState::Delivered).await;
        let mut leased = world.lease(org, id, ONE).await.unwrap();
        leased.sender.health.note(world.clock.now(), Some(503), false);
        world.directory.deliveries_note(&mut leased, vec![]).await.unwrap();
    }
    let last = world.directory.webhook_list(&world.now_ctx(org)).await.unwrap().pop().unwrap();
    world.delete_webhook(org, last.webhook.id).await.unwrap();
}

/// Copies a store to where none is.
pub(crate) async fn copy(
    from: &Options,
    to: &Options,
    progress: &mut (dyn FnMut(Step<'_>) + Send),
) -> Result<(), MigrateError> {
    migrate_store(from, to, &FixedClock::default(), &SeededEntropy::new(5), progress).await
}

/// What no tenant has.
fn blocks(backend: &impl Backend) -> Vec<i64> {
    let kinds = [
        "tenant",
        "org_unit",
        "user",
        "credential",
        "contact_group",
        "contact",
        "webhook",
        "tag",
        "media_prompt",
        "conversation",
    ];
    let next = |kind| backend.look(&format!("SELECT next_id FROM id_blocks WHERE kind = '{kind}'"));
    kinds.map(next).into()
}

async fn a_copy_and_the_copy_of_a_copy_are_the_same<B: Backend>() {
    let world = filled::<B>().await;
    let org = world.org_with("gamma", None).await;
    let user = world.add_user(&org, org.top, "ada").await;
    let [token, _] = world.session(&user).await;
    let key = world.key.clone();
    let (dump, source) = (world.backend.dump(), world.closed().await);
    let (there, back) = (B::Other::create(), B::create());
    let mut steps = Vec::new();
    copy(&source.options(), &there.options(), &mut |step| steps.push(format!("{step:?}"))).await.unwrap();
    assert!(steps[0].starts_with("Begun") && steps[0].ends_with("there: 0 }"), "{steps:?}");
    assert_eq!(steps.last().unwrap(), "Completing");
    assert!(steps.iter().any(|step| step.starts_with("Verified { table: \"contacts\"")), "{steps:?}");
    copy(&there.options(), &back.options(), &mut |_| {}).await.unwrap();
    assert_eq!(back.dump(), dump);
    assert_eq!((blocks(&there), blocks(&back)), (blocks(&source), blocks(&source)));
    assert_eq!(source.dump(), dump, "the source stays as it is");
    assert_eq!(there.rows_of(org.tenant), back.rows_of(org.tenant));

    // It goes on there.
    let world = World::later(there);
    assert_eq!(world.key.fingerprint(), key.fingerprint());
    world.is_sound().await;
    assert!(world.lets_in(&token).await);
    let org = world.org("delta").await;
    world.add_unit(&org, org.top, "new").await;
    world.is_sound().await;
}

async fn a_copy_of_the_same_kind<B: Backend>() {
    let source = filled::<B>().await.closed().await;
    let target = B::create();
    copy(&source.options(), &target.options(), &mut |_| {}).await.unwrap();
    assert_eq!(target.dump(), source.dump());
    let (store, key) = target.open(Limits::default());
    assert_eq!(findings(&store, &key).await, Vec::<String>::new());
}

/// Copies until a step of which the text begins so, and is broken off right there. How many rows were there when it
/// began.
async fn broken_off(from: &Options, to: &Options, step_begins: &str) -> u64 {
    let mut found = 0;
    let mut progress = |step: Step<'_>| {
        if let Step::Begun { there, .. } = step {
            found = there;
        }
        if format!("{step:?}").starts_with(step_begins) {
            // Nothing comes after this step: whoever waits to be told of it lets the copy go on meanwhile.
            resume_unwind(Box::new(()));
        }
    };
    let done = AssertUnwindSafe(copy(from, to, &mut progress)).catch_unwind().await;
    assert!(done.is_err(), "it ended: {:?}", done.ok());
    found
}

/// What a store says that is not a complete copy.
async fn is_refused(options: &Options) {
    let opened = muster_store::open(options, &FixedClock::default(), &SeededEntropy::new(0)).await;
    let opened = opened.map(drop);
    assert!(matches!(opened, Err(OpenError::Incomplete)), "{opened:?}");
}

async fn a_copy_is_broken_off_and_goes_on<B: Backend>() {
    let source = filled::<B>().await.closed().await;
    let target = B::Other::create();
    let (from, to) = (source.options(), target.options());
    let mut found = Vec::new();
    let steps = [
        "Begun",
        "Copied { table: \"tenants\"",
        "Copied { table: \"users\"",
        "Copied { table: \"journal\"",
        "Verified { table: \"users\"",
    ];
    for step in steps {
        found.push(broken_off(&from, &to, step).await);
        is_refused(&to).await;
        is_refused(&Options { create: false, ..to.clone() }).await;
    }
    assert!(found.is_sorted() && found[0] == 0 && found[4] > found[3] && found[3] > found[2], "{found:?}");
    let mut goes_on = |step: Step<'_>| assert!(!matches!(step, Step::Anew | Step::Copied { .. }), "{step:?}");
    copy(&from, &to, &mut goes_on).await.unwrap();
    let back = B::create();
    copy(&to, &back.options(), &mut |_| {}).await.unwrap();
    assert_eq!(back.dump(), source.dump());
    let (store, key) = target.open(Limits::default());
    assert_eq!(findings(&store, &key).await, Vec::<String>::new());
}

async fn a_copy_whose_source_was_written_to_begins_anew<B: Backend>() {
    let source = filled::<B>().await.closed().await;
    let target = B::Other::create();
    let (from, to) = (source.options(), target.options());
    broken_off(&from, &to, "Copied { table: \"users\"").await;
    let world = World::later(source);
    let org = world.org("between").await;
    let unit = world.add_unit(&org, org.top, "unit").await;
    world.add_user(&org, unit.id, "bo").await;
    let source = world.closed().await;
    let mut anew = 0;
    copy(&from, &to, &mut |step| anew += usize::from(matches!(step, Step::Anew))).await.unwrap();
    assert_eq!(anew, 1);
    let back = B::create();
    copy(&to, &back.options(), &mut |_| {}).await.unwrap();
    assert_eq!(back.dump(), source.dump());
    // Names are in the indexes that were made in the end.
    let world = World::later(target);
    let ctx = world.now_ctx(&org);
    assert!(world.directory.org_unit_create(&ctx, named("unit").into()).await.is_err());
}
