//! What is told of messages, in both formats.

use muster_domain::message::{Arrival, Message, MessageWish, Outcome, Receipt, ReceiptNews, SenderId};
use muster_domain::webhook::{DeliveryState, WebhookFormat, WebhookPatch};
use muster_domain::{Draft, WebhookId};
use serde_json::{Value, json};

use super::sink::Sink;
use super::world::World;

const OURS: &str = "+13035550111";
const THEIRS: &str = "+13035550112";
const OTHER: &str = "+13035550113";

impl World {
    pub(super) async fn hook_of(&self, sink: &Sink, format: WebhookFormat, events: &[&str]) -> WebhookId {
        let patch = WebhookPatch {
            name: Some("Messages".to_owned()),
            url: Some(sink.url()),
            events: Some(events.iter().map(|event| (*event).to_owned()).collect()),
            format: Some(format),
            ..WebhookPatch::default()
        };
        let made = self.directory.webhook_create(&self.ctx().await, &self.key, patch.into()).await;
        made.unwrap().webhook.id
    }

    pub(crate) async fn sms(&self, phone: &str) -> Message {
        let wish = MessageWish {
            sender: SenderId::read(OURS).ok(),
            text: Some("Hi".to_owned()),
            phone: Some(phone.to_owned()),
            callback_data: Some("order 7".to_owned()),
            ..MessageWish::default()
        };
        self.directory.message_create(&self.ctx().await, Draft::from(wish)).await.unwrap()
    }

    /// Hands over what is due, under the ids from 1 on.
    pub(crate) async fn hand_over(&self) {
        let tenant = self.ctx().await.tenant();
        let claimed = self.directory.messages_claim(tenant, None, 10).await.unwrap().unwrap();
        let accepted = |id: usize| Outcome::Accepted {
            carrier: "sandbox".to_owned(),
            ids: vec![Some(id.to_string())],
            is_whole: true,
        };
        let outcomes = claimed.messages.iter().cloned().zip((1..).map(accepted)).collect();
        self.directory.messages_note(&claimed, outcomes).await.unwrap();
    }

    async fn comes(&self, text: &str) -> muster_domain::message::Incoming {
        let arrival = Arrival {
            carrier: "sandbox".to_owned(),
            carrier_id: None,
            from: THEIRS.to_owned(),
            to: OURS.to_owned(),
            text: text.to_owned(),
            received_at: self.directory.now(),
        };
        self.directory.incoming_receive(self.ctx().await.tenant(), arrival).await.unwrap()
    }
}

/// What came, as a name and the data, in the order of the journal.
pub(super) fn told(sink: &Sink, name: &str) -> Vec<(String, Value)> {
    let mut hits = sink.hits();
    hits.sort_by_key(super::sink::Hit::number);
    hits.into_iter()
        .map(|hit| (hit.body[name].as_str().unwrap().to_owned(), hit.body["data"].clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_told_of_in_both_formats() {
    let world = World::new().await;
    let [standard, lox24] = [Sink::new(), Sink::new()];
    let hooks = [
        world.hook_of(&standard, WebhookFormat::Standard, &["sms.*"]).await,
        world.hook_of(&lox24, WebhookFormat::Lox24, &["sms.*"]).await,
    ];
    let sent = world.sms(THEIRS).await;
    world.hand_over().await;
    let news = vec![ReceiptNews { carrier_id: "1".to_owned(), receipt: Receipt::Delivered }];
    assert_eq!(world.directory.receipts_note("sandbox", news).await.unwrap(), []);
    let ctx = world.ctx().await;
    world.directory.block_create(&ctx, Draft::from(Some(OTHER.to_owned()))).await.unwrap();
    let blocked = world.sms(OTHER).await;
    let [kept, gone] = [world.comes("my answer").await, world.comes("my secret").await];
    world.directory.incoming_delete(&ctx, gone.clone(), None).await.unwrap();

    let running = world.dispatch();
    for hook in hooks {
        world.wait_for(hook, DeliveryState::Delivered, 5).await;
    }
    running.stop().await;

    let (at, seconds) = (kept.received_at.millis().to_string(), kept.received_at.0.div_euclid(1_000_000));
    let all = told(&standard, "type");
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["sms.sent", "sms.delivered", "sms.failed", "sms.received", "sms.received"]);
    let data: Vec<&Value> = all.iter().map(|(_, data)| data).collect();
    assert_eq!((&data[0]["id"], &data[0]["entity"]), (&json!(sent.id.to_string()), &json!("sms")));
    let state = |data: &Value| [data["before"]["status"].clone(), data["after"]["status"].clone()];
    assert_eq!((state(data[0]), state(data[2])), ([json!(0), json!(100)], [json!(0), json!(208)]));
    assert_eq!(data[1]["after"]["receipt"], 1);
    assert_eq!((&data[2]["after"]["callback_data"], data[2]["after"].get("text")), (&json!("order 7"), None));
    let answers = sent.id.to_string();
    let after =
        json!({"from": THEIRS, "to": OURS, "answers": answers, "received_at": at, "text": "my answer"});
    assert_eq!((&data[3]["after"], data[3].get("before")), (&after, None));
    assert_eq!(data[4]["after"]["text"], "");

    let about = |message: &Message, status: i64, receipt: i64| {
        json!({
            "id": message.id.to_string(), "key_id": null, "dlr_code": receipt, "status_code": status,
            "callback_data": "order 7",
        })
    };
    let incoming = |id: &str, text: &str| {
        json!({
            "id": id, "from": THEIRS, "to": OURS, "text": text, "received_at": seconds, "msg_uuid": answers,
        })
    };
    let wanted = [
        ("sms.delivery", about(&sent, 100, 0)),
        ("sms.delivery", about(&sent, 100, 1)),
        ("sms.delivery", about(&blocked, 208, 0)),
        ("sms.incoming", incoming(&kept.id.to_string(), "my answer")),
        ("sms.incoming", incoming(&gone.id.to_string(), "")),
    ];
    assert_eq!(told(&lox24, "name"), wanted.map(|(name, data)| (name.to_owned(), data)));
}
