//! Conversations through the Convirza dialect.

use std::time::Duration;

use http::StatusCode;
use muster_domain::contact::{ContactGroupPatch, ContactPatch};
use muster_domain::message::{Arrival, ConversationFilter, ConversationQuery, Money, PriceTable};
use muster_domain::user::Role;
use muster_domain::{Ctx, Patch, Slice};
use serde_json::{Value, json};

use crate::support::World;

const OURS: &str = "+13035550111";
const THEIRS: &str = "+13035550112";

/// A message comes in; the id of the conversation that it stands in.
pub(crate) async fn begun(world: &World, tenant: &Ctx, text: &str) -> i64 {
    let directory = world.directory();
    let arrival = Arrival {
        carrier: "sandbox".to_owned(),
        carrier_id: None,
        from: THEIRS.to_owned(),
        to: OURS.to_owned(),
        text: text.to_owned(),
        received_at: directory.now(),
    };
    directory.incoming_receive(tenant.tenant(), arrival).await.unwrap();
    let ctx = directory.tenant_operator(tenant.tenant()).await.unwrap();
    let query = ConversationQuery {
        filter: ConversationFilter::AllOpen,
        search: None,
        since: None,
        until: None,
        is_descending: true,
        slice: Slice { limit: 1, offset: 0 },
    };
    directory.conversation_list(&ctx, query).await.unwrap().items[0].id.0
}

/// The path of a conversation in which somebody asks something.
async fn asked(world: &World) -> String {
    format!("/v3/conversations/sms/{}", begun(world, &world.acme, "hello?").await)
}

#[tokio::test]
async fn a_conversation_is_found_answered_and_closed() {
    let world = World::new().await;
    let ada = world.admin().await;
    insta::assert_snapshot!(world.get("/v3/conversations/sms").bearer(&ada).send().await);
    let path = asked(&world).await;
    insta::assert_snapshot!(world.get("/v3/conversations/sms").bearer(&ada).send().await);
    world.advance(Duration::from_secs(130));
    let ada = world.admin().await;
    let reply = world.post(&format!("{path}/messages"), json!({"message": "Hi"})).bearer(&ada).send().await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply}");
    assert!(reply.body["data"]["messageId"].is_string(), "{reply}");
    let shown = world.get(&path).bearer(&ada).send().await;
    let data = &shown.body["data"];
    assert_eq!((&data["total"], data["messages"].as_array().map(Vec::len)), (&json!(2), Some(2)), "{shown}");
    let rows: Vec<[&Value; 3]> = data["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| [&row["sms_type"], &row["message"], &row["message_status"]])
        .collect();
    let [outgoing, hi, queued] = [json!("outgoing"), json!("Hi"), json!("queued")];
    let [incoming, hello, received] = [json!("incoming"), json!("hello?"), json!("received")];
    assert_eq!(rows, [[&outgoing, &hi, &queued], [&incoming, &hello, &received]]);
    let body = json!({"ct_user_id": 1, "pin": true, "read": true, "closed": true});
    insta::assert_snapshot!(world.patch(&path, body).bearer(&ada).send().await);
    insta::assert_snapshot!(world.get("/v3/conversations/sms?type=close").bearer(&ada).send().await);
    let open = world.get("/v3/conversations/sms?type=allOpen").bearer(&ada).send().await;
    assert_eq!(open.body["data"]["total"], 0, "{open}");
}

#[tokio::test]
async fn what_is_asked_for_is_found() {
    let world = World::new().await;
    let ada = world.admin().await;
    let path = asked(&world).await;
    let total = async |query: &str| {
        let reply = world.get(&format!("/v3/conversations/sms{query}")).bearer(&ada).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{reply}");
        reply.body["data"]["total"].clone()
    };
    for (query, wanted) in [
        ("?type=unassigned", 1),
        ("?type=assignedToYou", 0),
        ("?search=5550112", 1),
        ("?search=%2B1%20303-555", 1),
        ("?search=5550111", 0),
        ("?search=Bob", 0),
        ("?end=2020-01-01T00:00:00Z", 0),
        ("?start=2020-01-01T00:00:00Z&order=asc&limit=200", 1),
        ("?offset=1", 1),
    ] {
        assert_eq!(total(query).await, wanted, "{query}");
    }
    let me = world.get("/v3/auth/profile").bearer(&ada).send().await.body["data"]["ct_user_id"].clone();
    let mine = world.patch(&path, json!({"ct_user_id": me})).bearer(&ada).send().await;
    assert_eq!(mine.status, StatusCode::OK, "{mine}");
    assert_eq!((total("?type=assignedToYou").await, total("?type=unassigned").await), (json!(1), json!(0)));
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let world = World::new().await;
    let ada = world.admin().await;
    let path = asked(&world).await;
    let before = world.journal().await;
    let bad = "?type=open&order=up&limit=201&offset=-1&start=today&end=2026-01-01";
    let reply = world.get(&format!("/v3/conversations/sms{bad}")).bearer(&ada).send().await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply}");
    assert_eq!(reply.fields(), ["type", "start", "end", "order", "limit", "offset"]);
    for (body, fields) in [
        (json!({"ct_user_id": 99_999}), vec!["ct_user_id"]),
        (
            json!({"ct_user_id": "1", "pin": null, "closed": "yes", "read": false}),
            vec!["ct_user_id", "pin", "closed", "read"],
        ),
    ] {
        let reply = world.patch(&path, body).bearer(&ada).send().await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, fields), "{reply}");
    }
    for body in
        [json!({}), json!({"message": " "}), json!({"message": 7}), json!({"message": "x".repeat(1531)})]
    {
        let reply = world.post(&format!("{path}/messages"), body).bearer(&ada).send().await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["message"]), "{reply}");
    }
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn an_answer_costs_what_a_message_costs() {
    let world = World::new().await;
    let ada = world.admin().await;
    let path = asked(&world).await;
    let prices =
        "country,name,currency,s,m,l,xl\nUS,United States,USD,1,1,1,1\nUS,United States,EUR,1,1,1,1\n";
    let table = PriceTable::from_csv(prices.as_bytes()).unwrap();
    world.directory().prices_load(Some(table)).await.unwrap();
    let answer = || world.post(&format!("{path}/messages"), json!({"message": "Hi"})).bearer(&ada);
    let reply = answer().send().await;
    assert_eq!(reply.status, StatusCode::PAYMENT_REQUIRED, "{reply}");
    let one = Money::from_millionths(1_000_000);
    world.directory().tenant_credit(world.acme.tenant(), one, None).await.unwrap();
    assert_eq!(answer().send().await.status, StatusCode::CREATED);
    assert_eq!(answer().send().await.status, StatusCode::PAYMENT_REQUIRED);
}

#[tokio::test]
async fn who_reads_only_does_not_write() {
    let world = World::new().await;
    let path = asked(&world).await;
    world.user("stan@acme.example", Role::Standard, 1001).await;
    world.user("rea@acme.example", Role::ReadOnly, 1001).await;
    let (stan, rea) = (world.token("stan@acme.example").await, world.token("rea@acme.example").await);
    for token in [&stan, &rea] {
        assert_eq!(world.get(&path).bearer(token).send().await.status, 200);
        assert_eq!(world.get("/v3/conversations/sms/x").bearer(token).send().await.status, 404);
    }
    for call in [world.patch(&path, json!({"pin": true})), world.post(&format!("{path}/messages"), json!({}))]
    {
        assert_eq!(call.bearer(&rea).send().await.status, 403);
    }
    assert_eq!(world.patch(&path, json!({"pin": true})).bearer(&stan).send().await.status, 200);
    // Only who is seen can be given something to do.
    let reply = world.patch(&path, json!({"ct_user_id": 1})).bearer(&stan).send().await;
    assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["ct_user_id"]), "{reply}");
}

#[tokio::test]
async fn a_change_on_an_old_version_is_refused() {
    let world = World::new().await;
    let ada = world.admin().await;
    let path = asked(&world).await;
    let etag = async || world.get(&path).bearer(&ada).send().await.header("etag").to_owned();
    let first = etag().await;
    let known = world.get(&path).header("if-none-match", &first).bearer(&ada).send().await;
    assert_eq!(known.status, 304);
    let pin = |is: bool| world.patch(&path, json!({"pin": is})).bearer(&ada);
    assert_eq!(pin(true).header("if-match", &first).send().await.status, 200);
    assert_eq!(pin(false).header("if-match", &first).send().await.status, 412);
    let second = etag().await;
    assert_eq!(pin(false).header("if-match", &second).send().await.status, 200);
    // Who answers after a message has come has not read it.
    let third = etag().await;
    begun(&world, &world.acme, "still there?").await;
    assert_eq!(pin(true).header("if-match", &third).send().await.status, 412);
    // A list that calls them something shows it, and is no reason to refuse a change.
    let shown = etag().await;
    let group = ContactGroupPatch {
        name: Some("VIP".to_owned()),
        phones: Some(vec![("0".to_owned(), named("Bob"))]),
        ..ContactGroupPatch::default()
    };
    world.directory().contact_group_create(&world.acme, group.into()).await.unwrap();
    assert_ne!(etag().await, shown);
    assert_eq!(pin(true).header("if-match", &shown).send().await.status, 200);
    let found = world.get("/v3/conversations/sms?search=bo").bearer(&ada).send().await;
    assert_eq!(found.body["data"]["conversation"][0]["source_name"], "Bob", "{found}");
}

fn named(name: &str) -> ContactPatch {
    let mut patch = ContactPatch { phone: Some(THEIRS.to_owned()), ..ContactPatch::default() };
    patch.columns[0] = Patch::Set(name.to_owned());
    patch
}
