//! SMS broadcasts through the Convirza dialect.

use http::StatusCode;
use muster_domain::contact::{ContactGroupPatch, ContactPatch};
use muster_domain::message::{BulkPatch, NewBulk, PlaceholderStyle, SenderId};
use muster_domain::user::Role;
use muster_domain::{BulkId, Patch};
use serde_json::{Value, json};

use crate::people::with;
use crate::support::World;

fn body() -> Value {
    json!({"broadcast_name": "Spring", "from_number": "+13035550112", "message": "Hi {{name}}",
           "recipients": ["+13035550111"]})
}

/// A broadcast of Acme; its id.
async fn broadcast(world: &World, token: &str, body: Value) -> i64 {
    let reply = world.post("/v3/broadcast", body).bearer(token).send().await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply}");
    reply.body["data"]["broadcastId"].as_i64().unwrap()
}

/// One that can be changed in every way.
pub(crate) async fn draft(world: &World, admin: &str) -> i64 {
    broadcast(world, admin, with(body(), &json!({"status": "draft"}))).await
}

/// A contact group with a column `name`; its id.
async fn group(world: &World, contacts: &[(&str, &str)]) -> i64 {
    let contact = |(phone, name): &(&str, &str)| {
        let mut contact = ContactPatch { phone: Some((*phone).to_owned()), ..ContactPatch::default() };
        contact.columns[0] = Patch::Set((*name).to_owned());
        (String::new(), contact)
    };
    let mut patch = ContactGroupPatch {
        name: Some("List".to_owned()),
        phones: Some(contacts.iter().map(contact).collect()),
        ..ContactGroupPatch::default()
    };
    patch.labels[0] = Patch::Set("name".to_owned());
    world.directory().contact_group_create(&world.acme, patch.into()).await.unwrap().id.0
}

/// All that a server would do about it now, but for handing it over.
async fn run(world: &World, id: i64) {
    let tenant = world.acme.tenant();
    while world.directory().bulk_step(tenant, BulkId(id), 16).await.unwrap() {}
}

#[tokio::test]
async fn a_broadcast_is_created_read_replaced_and_deleted() {
    let world = World::new().await;
    let ada = world.admin().await;
    let group = group(&world, &[("+13035550113", "Kim")]).await;
    let all = json!({
        "broadcast_name": " Spring ", "org_unit_id": 1002, "from_number": "+13035550112", "message": "Hi {{name}}",
        "recipients": ["(303) 555-0111"], "contact_group_ids": [group], "scheduled_at": "2036-03-01T16:00:00.9+01:00",
        "send_window": {"from": "09:00", "to": "20:00", "timezone": "america/new_york"},
    });
    insta::assert_snapshot!(world.post("/v3/broadcast", all).bearer(&ada).send().await);
    insta::assert_snapshot!(world.get("/v3/broadcast/1").bearer(&ada).send().await);
    let shown = world.get("/v3/sms-broadcasts/1").bearer(&ada).send().await;
    // What was read can be sent back.
    let before = world.journal().await;
    for call in
        [world.put("/v3/broadcast/1", shown.body["data"].clone()), world.patch("/v3/broadcast/1", json!({}))]
    {
        assert_eq!(call.bearer(&ada).send().await.status, 200);
    }
    assert_eq!(world.journal().await, before);
    let patch =
        json!({"broadcast_name": null, "send_window": null, "contact_group_ids": null, "org_unit_id": null});
    insta::assert_snapshot!(world.patch("/v3/sms-broadcasts/1", patch).bearer(&ada).send().await);
    insta::assert_snapshot!(world.get("/v3/broadcast").bearer(&ada).send().await);
    // What is absent is cleared, but the group stays; without a time it waits for one.
    let body = json!({"from_number": "Acme", "message": "Hello", "contact_group_ids": [group]});
    assert_eq!(world.put("/v3/broadcast/1", body).bearer(&ada).send().await.status, 200);
    insta::assert_snapshot!(world.get("/v3/broadcast/1").bearer(&ada).send().await);
    insta::assert_snapshot!(world.delete("/v3/broadcast/1").bearer(&ada).send().await);
    insta::assert_snapshot!(world.delete("/v3/sms-broadcasts/1").bearer(&ada).send().await);
}

#[tokio::test]
async fn every_wrong_field_of_a_broadcast_is_named_at_once() {
    let world = World::new().await;
    let ada = world.admin().await;
    let before = world.journal().await;
    let wrong = json!({
        "broadcast_name": " ", "org_unit_id": 99_999, "from_number": "+0", "message": "x".repeat(1786),
        "recipients": ["+13035550111", "abc", 7], "contact_group_ids": ["7", 99_999], "scheduled_at": "2020-01-01T00:00:00Z",
        "send_window": {"from": "9:00", "timezone": "Mars/Phobos"}, "status": "lost",
    });
    insta::assert_snapshot!(world.post("/v3/broadcast", wrong).bearer(&ada).send().await);
    for (change, fields) in [
        (json!({"recipients": 7, "contact_group_ids": {}}), vec!["recipients", "contact_group_ids"]),
        (json!({"message": null, "from_number": 7}), vec!["from_number", "message"]),
        (json!({"recipients": []}), vec!["recipients"]),
        (json!({"recipients": vec!["+13035550111"; 10_001]}), vec!["recipients"]),
        (json!({"send_window": "always"}), vec!["send_window"]),
        (json!({"send_window": {"from": "09:00", "to": "09:00", "timezone": "UTC"}}), vec!["send_window.to"]),
        (json!({"status": "sending"}), vec!["status"]),
    ] {
        let reply = world.post("/v3/broadcast", with(body(), &change)).bearer(&ada).send().await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, fields), "{reply}");
    }
    insta::assert_snapshot!(world.get("/v3/broadcast?limit=0&status=lost").bearer(&ada).send().await);
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn a_broadcast_is_steered_by_its_status() {
    let world = World::new().await;
    let ada = world.admin().await;
    // Without a time and a word it waits for one.
    let id = broadcast(&world, &ada, body()).await;
    let path = format!("/v3/broadcast/{id}");
    let steer = async |status: &str| {
        world.patch(&path, json!({"status": status})).bearer(&ada).send().await.status.as_u16()
    };
    let shown = async || {
        let data = world.get(&path).bearer(&ada).send().await.body["data"].clone();
        (data["status"].as_str().unwrap().to_owned(), data["counts"].clone())
    };
    assert_eq!(shown().await.0, "draft");
    run(&world, id).await;
    assert_eq!(shown().await.0, "draft");
    assert_eq!(steer("paused").await, 400);
    assert_eq!(steer("scheduled").await, 200);
    run(&world, id).await;
    let queued = json!({"total": 1, "queued": 1, "sent": 0, "delivered": 0, "failed": 0, "skipped": 0});
    assert_eq!(shown().await, ("sending".to_owned(), queued));
    let late = world.patch(&path, json!({"message": "late"})).bearer(&ada).send().await;
    insta::assert_snapshot!(late);
    for (status, wanted) in [
        ("sending", 200),
        ("paused", 200),
        ("scheduled", 400),
        ("sending", 200),
        ("completed", 400),
        ("paused", 200),
        ("cancelled", 200),
        ("cancelled", 200),
        ("sending", 400),
    ] {
        assert_eq!(steer(status).await, wanted, "{status}");
    }
    run(&world, id).await;
    let skipped = json!({"total": 1, "queued": 0, "sent": 0, "delivered": 0, "failed": 0, "skipped": 1});
    assert_eq!(shown().await, ("cancelled".to_owned(), skipped));
}

#[tokio::test]
async fn a_preview_tells_who_is_skipped_and_why() {
    let world = World::new().await;
    let ada = world.admin().await;
    let group = group(&world, &[("+13035550111", "Kim"), ("+13035550113", &"x".repeat(1530))]).await;
    let recipients = json!(["+13035550111", "+13035550112", "+13035550114"]);
    let body = with(body(), &json!({"recipients": recipients, "contact_group_ids": [group]}));
    let id = broadcast(&world, &ada, body).await;

    world.directory().block_create(&world.acme, Some("+13035550114".to_owned()).into()).await.unwrap();
    insta::assert_snapshot!(world.get(&format!("/v3/broadcast/{id}/preview")).bearer(&ada).send().await);
    let path = format!("/v3/sms-broadcasts/{id}/preview");
    assert_eq!(world.get(&path).bearer(&ada).send().await.body["data"]["recipients"], 5);
}

#[tokio::test]
async fn a_list_shows_all_recipients_and_no_address_of_a_person() {
    let world = World::new().await;
    let ada = world.admin().await;
    let all: Vec<String> = (0..10_000).map(|n| format!("+1303555{n:04}")).collect();
    let id = broadcast(&world, &ada, with(body(), &json!({"recipients": all}))).await;
    let own = world.get(&format!("/v3/broadcast/{id}")).bearer(&ada).send().await.body["data"].clone();
    assert_eq!(own["recipients"], json!(all));
    // What is read from a list may be written back.
    let listed = world.get("/v3/broadcast").bearer(&ada).send().await.body["data"]["broadcasts"][0].clone();
    assert_eq!(listed, own);
    let stored = world.directory().bulk_get(&world.acme, BulkId(id)).await.unwrap();
    assert_eq!(stored.ip, None);
}

#[tokio::test]
async fn who_is_in_a_branch_sees_the_broadcasts_of_that_branch() {
    let world = World::new().await;
    world.user("stan@acme.example", Role::Standard, 1001).await;
    world.user("rea@acme.example", Role::ReadOnly, 1001).await;
    let (ada, stan, rea) =
        (world.admin().await, world.token("stan@acme.example").await, world.token("rea@acme.example").await);
    let named = |name: &str, more: Value| with(with(body(), &json!({"broadcast_name": name})), &more);
    let top = broadcast(&world, &ada, named("Top", json!({}))).await;
    let own = broadcast(&world, &stan, named("Own", json!({}))).await;
    let below = json!({"org_unit_id": 1002, "status": "scheduled"});
    broadcast(&world, &ada, named("owned below", below)).await;
    // What was only tried in the other dialect.
    let tried = BulkPatch {
        sender: SenderId::read("Acme").ok(),
        text: Some("Hi".to_owned()),
        phones: Some(vec!["+13035550111".to_owned()]),
        ..BulkPatch::default()
    };
    let new = NewBulk { patch: tried, style: PlaceholderStyle::Brackets, is_dry_run: true, ip: None };
    let tried = world.directory().bulk_create(&world.acme, new.into()).await.unwrap().id;
    assert_eq!(world.get(&format!("/v3/broadcast/{tried}")).bearer(&ada).send().await.status, 404);
    assert_eq!(world.get("/v3/broadcast").bearer(&ada).send().await.body["data"]["total"], 3);
    for token in [&stan, &rea] {
        let names = async |query: &str| {
            let reply = world.get(&format!("/v3/broadcast{query}")).bearer(token).send().await;
            let all = reply.body["data"]["broadcasts"].as_array().unwrap().clone();
            let names: Vec<Value> = all.into_iter().map(|one| one["broadcast_name"].clone()).collect();
            (names, reply.body["data"]["total"].clone())
        };
        // Those that were made at the same time: the greatest id first.
        assert_eq!(names("").await, (vec![json!("owned below"), json!("Own")], json!(2)));
        assert_eq!(names("?broadcast_name=BELOW").await, (vec![json!("owned below")], json!(1)));
        assert_eq!(names("?status=draft").await, (vec![json!("Own")], json!(1)));
        assert_eq!(names("?status=all&limit=1").await.1, json!(2));
        assert_eq!(names("?status=failed").await, (vec![], json!(0)));
        assert_eq!(names("?limit=1&offset=1").await, (vec![json!("Own")], json!(2)));
        for path in
            [format!("/v3/broadcast/{top}"), format!("/v3/broadcast/{top}/preview"), "/v3/broadcast/x".into()]
        {
            assert_eq!(world.get(&path).bearer(token).send().await.status, 404);
        }
    }
    let path = format!("/v3/broadcast/{own}");
    let reply = world.patch(&path, json!({"org_unit_id": 1000})).bearer(&stan).send().await;
    assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["org_unit_id"]), "{reply}");
    assert_eq!(world.get(&path).bearer(&rea).send().await.status, 200);
    for call in [world.patch(&path, json!({})), world.delete(&path), world.post("/v3/broadcast", body())] {
        assert_eq!(call.bearer(&rea).send().await.status, 403);
    }
}

#[tokio::test]
async fn a_write_on_an_old_version_of_a_broadcast_is_refused() {
    let world = World::new().await;
    let ada = world.admin().await;
    let id = broadcast(&world, &ada, with(body(), &json!({"status": "scheduled"}))).await;
    let path = format!("/v3/broadcast/{id}");
    let tag = async || world.get(&path).bearer(&ada).send().await.header("etag").to_owned();
    let first = tag().await;
    let known = world.get(&path).header("if-none-match", &first).bearer(&ada).send().await;
    assert_eq!(known.status, 304);
    let rename = |name: &str| world.patch(&path, json!({"broadcast_name": name})).bearer(&ada);
    assert_eq!(rename("Warm").header("if-match", &first).send().await.status, 200);
    assert_eq!(rename("Cold").header("if-match", &first).send().await.status, 412);
    assert_eq!(world.delete(&path).header("if-match", &first).bearer(&ada).send().await.status, 412);
    let tenant = world.acme.tenant();
    assert!(world.directory().bulk_step(tenant, BulkId(id), 16).await.unwrap());
    let begun = tag().await;
    run(&world, id).await;
    // Its counts are another state of it, and no reason to refuse that it is paused.
    assert_ne!(tag().await, begun);
    let pause = world.patch(&path, json!({"status": "paused"})).header("if-match", &begun).bearer(&ada);
    assert_eq!(pause.send().await.status, 200);
}
