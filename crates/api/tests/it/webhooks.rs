//! What the tests of webhooks share: bodies, endpoints on this machine, and deliveries as a sender makes them.

use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderName, HeaderValue};
use muster_domain::webhook::{Attempt, DeliveryState, Leased, WebhookPatch};
use muster_domain::{Ctx, WebhookId};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use crate::support::{Reply, World};

/// A body of POST with all that is required.
pub(crate) fn body(url: &str) -> Value {
    json!({"webhook_name": "CRM", "webhook_url": url, "events": ["user.*"]})
}

/// A new webhook of Acme; its id and secret.
pub(crate) async fn created(world: &World, token: &str, body: Value) -> (i64, String) {
    let reply = world.post("/v3/webhooks", body).bearer(token).send().await;
    assert_eq!(reply.status, 201, "{reply}");
    let data = &reply.body["data"];
    (data["webhookId"].as_i64().unwrap(), data["signing_secret"].as_str().unwrap().to_owned())
}

pub(crate) async fn get(world: &World, token: &str, id: i64) -> Reply {
    world.get(&format!("/v3/webhooks/{id}")).bearer(token).send().await
}

/// A webhook of a tenant, and a delivery of it that was given up. Nobody listens at its address.
pub(crate) async fn given_up(world: &World, tenant: &Ctx, caller: &str) -> (i64, i64) {
    let patch = WebhookPatch {
        name: Some(format!("Hook of {caller}")),
        url: Some("https://127.0.0.1:1024/hook".to_owned()),
        events: Some(vec!["group.*".to_owned()]),
        ..WebhookPatch::default()
    };
    let directory = world.directory();
    let hook = directory.webhook_create(tenant, &world.server_key, patch.into()).await.unwrap().webhook.id;
    let unit = muster_domain::org_unit::OrgUnitPatch {
        name: Some(format!("Told of {caller}")),
        parent_id: Some(tenant.top()),
        ..Default::default()
    };
    directory.org_unit_create(tenant, unit.into()).await.unwrap();
    let deliveries = attempted(world, tenant, hook, DeliveryState::Failed).await;
    (hook.0, deliveries[0])
}

/// Does with what is to be sent for a webhook what a sender does with it, all with this end; the ids of what was sent.
pub(crate) async fn attempted(world: &World, tenant: &Ctx, id: WebhookId, end: DeliveryState) -> Vec<i64> {
    let directory = world.directory();
    let leased = directory.webhook_lease(tenant.tenant(), id, Uuid::from_u128(1)).await.unwrap();
    let mut leased: Leased = leased.unwrap();
    loop {
        let entries = directory.journal_page(tenant.tenant(), leased.read, 200).await.unwrap();
        if entries.is_empty() {
            break;
        }
        directory.webhook_derive(&mut leased, &entries).await.unwrap().unwrap();
    }
    let failed = end != DeliveryState::Delivered;
    let attempt = Attempt {
        at: directory.now(),
        duration: std::time::Duration::from_millis(120),
        status: Some(if failed { 503 } else { 204 }),
        answer: Some("the answer".to_owned()),
        problem: failed.then(|| "the endpoint answered with a status that is not a success".to_owned()),
    };
    let open = directory.deliveries_open(&leased, 100).await.unwrap();
    let done: Vec<_> = (open.into_iter())
        .map(|delivery| {
            let attempts = delivery.attempts + 1;
            let next_at = (end == DeliveryState::Open).then(|| directory.now());
            muster_domain::webhook::Delivery {
                attempts,
                next_at,
                state: end,
                last: Some(attempt.clone()),
                ..delivery
            }
        })
        .collect();
    let ids = done.iter().map(|delivery| delivery.id.0).collect();
    leased.sender.health.note(attempt.at, attempt.status, !failed);
    assert!(directory.deliveries_note(&mut leased, done).await.unwrap());
    directory.webhook_release(leased).await.unwrap();
    ids
}

/// What an endpoint was sent.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether the other implementation of Standard Webhooks takes the signature for that of a secret. (Of the time, it looks
    /// at the clock of the machine, which is not that of the tests.)
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let text = |name: &str| self.headers[name].to_str().unwrap();
        let seconds = text("webhook-timestamp").parse().unwrap();
        let other = standardwebhooks::Webhook::new(secret).unwrap();
        let wanted = other.sign(text("webhook-id"), seconds, &self.body).unwrap();
        text("webhook-signature").split(' ').any(|signature| signature == wanted)
    }
}

/// A listener on a free port of this machine that answers every request alike.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Endpoint {
    /// Answers with this, or never.
    pub(crate) async fn new(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?key=1", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&log), answer));
            }
        });
        Self { url, received }
    }

    /// All that came, the oldest first.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Mutex<Vec<Received>>>, answer: Option<&'static str>) {
    while let Some(received) = request(&mut stream).await {
        log.lock().unwrap().push(received);
        match answer {
            Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            None => std::future::pending().await,
        }
    }
}

/// The next request on a connection, or `None` at its end.
async fn request(stream: &mut TcpStream) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let fields = lines.filter_map(|line| line.split_once(": "));
    let field = |(name, value): (&str, &str)| {
        Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?))
    };
    let headers: HeaderMap = fields.filter_map(field).collect();
    let mut body = vec![0; headers["content-length"].to_str().unwrap().parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { path, headers, body })
}
