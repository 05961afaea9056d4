//! Receipts of messages that nobody knows, and of those that are known a moment later.

use std::sync::Arc;
use std::time::Duration;

use muster_carrier::http::CallbackFault;
use muster_carrier::{Config, Sources, open};
use muster_delivery::{SigningSecret, signed_headers};
use muster_domain::MessageId;
use muster_domain::message::{MessageStatus, Receipt};
use muster_sender::{Counts, Intake};
use serde_json::json;
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use crate::webhooks::world::{World, client};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const THEIRS: &str = "+13035550112";

impl World {
    async fn outcome(&self, id: MessageId) -> (MessageStatus, Receipt) {
        let state = self.directory.message_get(&self.ctx().await, id).await.unwrap().state;
        (state.status, state.receipt)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_of_nobody_holds_up_no_other_and_is_counted() {
    let world = World::new().await;
    let config = format!(
        "[carriers.sandbox]\nkind = \"http\"\nurl = \"http://127.0.0.1:9/\"\nbody = '{{\"ref\":\"{{reference}}\"}}'\n\
         callback = {{ secrets = [\"{SECRET}\"] }}\n"
    );
    let (clock, entropy) = (Arc::clone(&world.directory.clock), Arc::clone(&world.directory.entropy));
    let sources = Sources { clock, entropy, client: client() };
    let (carriers, reports) = open(&Config::parse(&config).unwrap(), &sources).unwrap();
    let (carriers, counts) = (Arc::new(carriers), Arc::new(Counts::default()));
    let intake = Intake::new(Arc::clone(&world.directory), Arc::clone(&carriers), Arc::clone(&counts));
    let (stop, mut stopped) = watch::channel(false);
    let intake = tokio::spawn(async move {
        let stop = async move { _ = stopped.wait_for(|stop| *stop).await };
        intake.run(&Mutex::new(reports), stop).await;
    });
    let sent = world.sms(THEIRS).await;

    // The gateway is faster than the note of what it was handed, and tells of what was never handed to it.
    let told = json!([{"id": "1", "state": "delivered"}, {"id": "nobody", "state": "delivered"}]).to_string();
    let gateway = Arc::clone(carriers.http("sandbox").unwrap());
    let secret = SigningSecret::parse(SECRET).unwrap();
    let now = world.directory.clock.now().0 / 1_000_000;
    let headers = signed_headers("msg_1", now, told.as_bytes(), &[secret]).unwrap();
    let answer = tokio::spawn(async move { gateway.receive(&headers, told.as_bytes()).await });
    sleep(Duration::from_millis(100)).await;
    assert_eq!(world.outcome(sent.id).await, (MessageStatus::New, Receipt::Pending));
    world.hand_over().await;
    for _ in 0..1500 {
        if counts.receipts_unknown.get() == 1 {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((counts.receipts.get(), counts.receipts_unknown.get()), (1, 1));
    assert_eq!(world.outcome(sent.id).await, (MessageStatus::HandedOver, Receipt::Delivered));
    // It need not be told again; on a machine that is too busy for an answer in time it may be.
    let answer = answer.await.unwrap();
    assert!(matches!(answer, Ok(()) | Err(CallbackFault::NotStored)), "{answer:?}");
    stop.send_replace(true);
    intake.await.unwrap();
}
