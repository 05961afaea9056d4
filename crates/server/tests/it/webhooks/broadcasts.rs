//! What is told of broadcasts and of their messages, in both formats.

use muster_domain::message::{
    Bulk, BulkPatch, BulkStatus, NewBulk, Outcome, PlaceholderStyle, Receipt, ReceiptNews, SenderId,
};
use muster_domain::webhook::{DeliveryState, WebhookFormat, WebhookPatch};
use muster_domain::{BulkId, Draft, Error, Patch};
use serde_json::{Value, json};

use super::messages::told;
use super::sink::Sink;
use super::world::World;

const PHONES: [&str; 3] = ["+13035550112", "+13035550113", "+13035550114"];

impl World {
    /// A broadcast to three phones, of which one is blocked.
    async fn broadcast(&self, status: BulkStatus, change: impl FnOnce(&mut BulkPatch)) -> BulkId {
        let mut patch = BulkPatch {
            name: Patch::Set("Spring".to_owned()),
            sender: SenderId::read("+13035550111").ok(),
            text: Some("Hi everybody".to_owned()),
            phones: Some(PHONES.map(str::to_owned).to_vec()),
            status: Some(status),
            ..BulkPatch::default()
        };
        change(&mut patch);
        let new = NewBulk { patch, style: PlaceholderStyle::Braces, is_dry_run: false, ip: None };
        self.directory.bulk_create(&self.ctx().await, Draft::from(new)).await.unwrap().id
    }

    async fn broadcast_found(&self, id: BulkId) -> Bulk {
        self.directory.bulk_get(&self.ctx().await, id).await.unwrap()
    }

    async fn broadcast_change(&self, id: BulkId, patch: BulkPatch) {
        let found = self.broadcast_found(id).await;
        self.directory.bulk_update(&self.ctx().await, found, Draft::from(patch), None).await.unwrap();
    }

    async fn broadcast_steps(&self, id: BulkId) {
        let tenant = self.ctx().await.tenant();
        while self.directory.bulk_step(tenant, id, 16).await.unwrap() {}
    }

    /// Hands over what waits of it: the first is taken, the second refused.
    async fn broadcast_sends(&self, id: BulkId) {
        let tenant = self.ctx().await.tenant();
        let claimed = self.directory.messages_claim(tenant, Some(id), 10).await.unwrap().unwrap();
        let taken = Outcome::Accepted {
            carrier: "sandbox".to_owned(),
            ids: vec![Some("1".to_owned())],
            is_whole: true,
        };
        let outcomes = claimed.messages.iter().cloned().zip([taken, Outcome::Refused]).collect();
        self.directory.messages_note(&claimed, outcomes).await.unwrap();
        let news = vec![ReceiptNews { carrier_id: "1".to_owned(), receipt: Receipt::Delivered }];
        assert_eq!(self.directory.receipts_note("sandbox", news).await.unwrap(), []);
        self.broadcast_steps(id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broadcasts_are_told_of_from_the_first_draft_to_the_end() {
    let world = World::new().await;
    let [standard, lox24] = [Sink::new(), Sink::new()];
    let hooks = [
        (world.hook_of(&standard, WebhookFormat::Standard, &["broadcast.*", "sms.*"]).await, 12),
        (world.hook_of(&lox24, WebhookFormat::Lox24, &["sms.*"]).await, 4),
    ];
    let ctx = world.ctx().await;
    world.directory.block_create(&ctx, Draft::from(Some(PHONES[2].to_owned()))).await.unwrap();
    let sent = world.broadcast(BulkStatus::Draft, |_| ()).await;
    world.broadcast_change(sent, BulkPatch { text: Some("Hi all".to_owned()), ..BulkPatch::default() }).await;
    world
        .broadcast_change(sent, BulkPatch { status: Some(BulkStatus::Scheduled), ..BulkPatch::default() })
        .await;
    world.broadcast_steps(sent).await;
    world.broadcast_sends(sent).await;
    let found = world.broadcast_found(sent).await;
    assert_eq!(found.status, BulkStatus::Completed);
    world.directory.bulk_delete(&ctx, found, None).await.unwrap();
    // Another one is cancelled before it begins.
    let cancelled = world.broadcast(BulkStatus::Scheduled, |patch| {
        patch.options =
            Some(muster_domain::message::SendOptions { is_text_deleted: true, ..Default::default() });
    });
    let cancelled = cancelled.await;
    world
        .broadcast_change(
            cancelled,
            BulkPatch { status: Some(BulkStatus::Cancelled), ..BulkPatch::default() },
        )
        .await;

    let running = world.dispatch();
    for (hook, count) in hooks {
        world.wait_for(hook, DeliveryState::Delivered, count).await;
    }
    running.stop().await;

    let all = told(&standard, "type");
    let of = |id: BulkId| -> Vec<(&str, &Value)> {
        let is = |data: &Value| data["entity"] == "broadcast" && data["id"] == id.0;
        all.iter().filter(|(_, data)| is(data)).map(|(name, data)| (name.as_str(), data)).collect()
    };
    let first = of(sent);
    let names: Vec<&str> = first.iter().map(|(name, _)| *name).collect();
    let wanted = ["created", "updated", "updated", "started", "completed", "deleted"];
    assert_eq!(names, wanted.map(|name| format!("broadcast.{name}")));
    let change =
        |at: usize, field: &str| [first[at].1["before"][field].clone(), first[at].1["after"][field].clone()];
    assert_eq!((&first[0].1["after"]["name"], &first[0].1["after"]["phones"]), (&json!("Spring"), &json!(3)));
    assert_eq!(change(1, "text"), [json!("Hi everybody"), json!("Hi all")]);
    assert_eq!(change(2, "status"), [json!("draft"), json!("scheduled")]);
    assert_eq!(change(3, "status"), [json!("scheduled"), json!("sending")]);
    assert_eq!(change(4, "status"), [json!("sending"), json!("completed")]);
    let ended = &first[4].1["after"];
    let counts =
        ["queued", "sent", "delivered", "failed", "skipped", "invalid"].map(|name| ended[name].clone());
    assert_eq!(
        (counts, first[4].1["actor"].clone()),
        ([0, 0, 1, 1, 1, 0].map(|n| json!(n)), json!("server"))
    );
    assert_eq!(first[5].1.get("after"), None);
    let second = of(cancelled);
    assert_eq!(
        second.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["broadcast.created", "broadcast.cancelled"]
    );
    // A text that is to be forgotten is not told of.
    assert_eq!(second[0].1["after"]["text"], Value::Null);

    // Of who is blocked when it is expanded nothing is told but in the counts of the broadcast.
    let status = |data: &Value| (data["status_code"].clone(), data["dlr_code"].clone());
    let of_messages = told(&lox24, "name").into_iter();
    let mut of_messages: Vec<_> = of_messages.map(|(name, data)| (name, status(&data))).collect();
    of_messages.sort_by_key(|(_, state)| format!("{state:?}"));
    let delivery = |receipt: i64| ("sms.delivery".to_owned(), (json!(100), json!(receipt)));
    // What the carrier refuses was handed to it, and has failed.
    assert_eq!(of_messages, [0, 1, 16, 16].map(delivery));
}

/// LOX24 has no events of broadcasts: who asks for them in its format is told so, rather than waiting for them.
#[tokio::test(flavor = "multi_thread")]
async fn the_format_of_lox24_has_no_events_of_broadcasts() {
    let world = World::new().await;
    let patch = WebhookPatch {
        name: Some("CRM".to_owned()),
        url: Some("https://crm.example/hook".to_owned()),
        events: Some(vec!["sms.*".to_owned(), "broadcast.completed".to_owned()]),
        format: Some(WebhookFormat::Lox24),
        ..WebhookPatch::default()
    };
    let made = world.directory.webhook_create(&world.ctx().await, &world.key, patch.into()).await;
    let Err(Error::Invalid(errors)) = made else { panic!("it was made") };
    assert_eq!(errors.iter().map(|error| error.field.as_ref()).collect::<Vec<_>>(), ["events[1]"]);
}
