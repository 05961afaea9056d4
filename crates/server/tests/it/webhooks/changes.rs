//! A webhook that is changed while something is sent for it.

use std::time::Duration;

use muster_delivery::{SigningSecret, signed_headers};
use muster_domain::webhook::{DeliveryState, WebhookPatch, WebhookStatus};
use secrecy::ExposeSecret as _;

use super::sink::{Hit, Reply, Sink};
use super::world::{World, settle};

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_after_a_change_is_for_the_webhook_as_it_is_then() {
    let world = World::new().await;
    let (first, second) = (Sink::new(), Sink::new());
    let hook = world.hook(&first).await.webhook.id;
    let running = world.dispatch();
    world.group("a").await;
    first.wait_for(1);
    world.change(hook, WebhookPatch { url: Some(second.url()), ..WebhookPatch::default() }).await;
    let (id, _) = world.group("b").await;
    second.wait_for(1);

    let only_updates = Some(vec!["group.updated".to_owned()]);
    world.change(hook, WebhookPatch { events: only_updates, ..WebhookPatch::default() }).await;
    world.group("c").await;
    world.rename(id, "b 2").await;
    assert_eq!(second.wait_for(2)[1].body["type"], "group.updated");
    settle().await;
    assert_eq!((first.hits().len(), second.hits().len()), (1, 2));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_webhook_is_told_nothing_and_nothing_later() {
    let world = World::new().await;
    let sink = Sink::new();
    let hook = world.hook(&sink).await.webhook.id;
    let running = world.dispatch();
    world.group("before").await;
    sink.wait_for(1);
    let status = |status| WebhookPatch { status: Some(status), ..WebhookPatch::default() };
    world.change(hook, status(WebhookStatus::Inactive)).await;
    world.group("meanwhile").await;
    settle().await;
    world.change(hook, status(WebhookStatus::Active)).await;
    let (_, after) = world.group("after").await;
    assert_eq!(sink.wait_for(2)[1].entity(), after);

    sink.answer(|_| Reply::Status(500));
    world.group("refused").await;
    sink.wait_for(3);
    let found = world.view(hook).await;
    world.directory.webhook_delete(&world.ctx().await, found, None).await.unwrap();
    world.group("deleted").await;
    world.advance(Duration::from_secs(6));
    settle().await;
    assert_eq!(sink.hits().len(), 3, "nothing is sent for what is deleted");
    running.stop().await;
}

/// The signatures that a request has, each by the first of these secrets that makes it.
fn signers(hit: &Hit, secrets: &[SigningSecret]) -> Vec<Option<usize>> {
    let seconds = hit.headers["webhook-timestamp"].parse().unwrap();
    let by = |secret: &SigningSecret| {
        let secret = std::slice::from_ref(secret);
        let headers = signed_headers(hit.id(), seconds, hit.text.as_bytes(), secret).unwrap();
        headers["webhook-signature"].to_str().unwrap().to_owned()
    };
    let all: Vec<_> = secrets.iter().map(by).collect();
    let signatures = hit.headers["webhook-signature"].split(' ');
    signatures.map(|signature| all.iter().position(|known| known == signature)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_both_secrets_sign_for_a_day() {
    let world = World::new().await;
    let sink = Sink::new();
    let made = world.hook(&sink).await;
    let running = world.dispatch();
    world.group("a").await;
    sink.wait_for(1);
    let found = world.view(made.webhook.id).await;
    let ctx = world.ctx().await;
    let rotated = world.directory.webhook_rotate_secret(&ctx, &world.key, found, None).await.unwrap();
    world.group("b").await;
    sink.wait_for(2);
    world.advance(Duration::from_hours(24));
    world.group("c").await;
    let hits = sink.wait_for(3);
    let secret =
        |of: &muster_domain::webhook::NewWebhook| SigningSecret::parse(of.secret.expose_secret()).unwrap();
    let secrets = [secret(&made), secret(&rotated)];
    let signers: Vec<_> = hits.iter().map(|hit| signers(hit, &secrets)).collect();
    assert_eq!(signers, [vec![Some(0)], vec![Some(1), Some(0)], vec![Some(1)]]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_days_of_failures_end_a_webhook() {
    let world = World::new().await;
    let sink = Sink::answering(|_| Reply::Status(410));
    let hook = world.hook(&sink).await.webhook.id;
    let running = world.dispatch();
    for half_day in 0..10 {
        let hits = sink.hits().len();
        world.group(&format!("group {half_day}")).await;
        sink.wait_for(hits + 1);
        settle().await;
        assert_eq!(world.view(hook).await.webhook.status, WebhookStatus::Active, "{half_day}");
        world.advance(Duration::from_hours(12));
    }
    world.group("one more").await;
    for _ in 0..500 {
        if world.view(hook).await.webhook.status == WebhookStatus::Inactive {
            break;
        }
        super::world::pause(20).await;
    }
    assert_eq!(world.view(hook).await.webhook.status, WebhookStatus::Inactive);
    assert_eq!(world.journal_kinds().await.iter().filter(|kind| *kind == "webhook.disabled").count(), 1);
    let hits = sink.hits().len();
    world.group("after").await;
    world.advance(Duration::from_hours(12));
    settle().await;
    assert_eq!(sink.hits().len(), hits);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_sent_again_when_it_is_asked_for() {
    let world = World::new().await;
    let sink = Sink::answering(|_| Reply::Status(500));
    let hook = world.hook(&sink).await.webhook.id;
    world.group("a").await;
    let running = world.dispatch();
    for attempts in 1..8 {
        world.wait_for_attempts(hook, attempts).await;
        // Longer than any pause.
        world.advance(Duration::from_hours(11));
    }
    let failed = world.wait_for(hook, DeliveryState::Failed, 1).await;
    assert_eq!((failed[0].attempts, sink.hits().len()), (8, 8));
    sink.answer(|_| Reply::Status(200));
    world.directory.delivery_retry(&world.ctx().await, hook, failed[0].id).await.unwrap();
    world.wait_for(hook, DeliveryState::Delivered, 1).await;
    assert_eq!(sink.hits()[8].id(), sink.hits()[0].id());
    running.stop().await;
}
