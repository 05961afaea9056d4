//! Many SCIM operations in one request (RFC 7644, section 3.7).

use std::time::Duration;

use http::StatusCode;
use muster_api::Settings;
use serde_json::{Value, json};

use crate::scim::{Client, GROUPS, NOTHING, USERS, id, names, refused};
use crate::support::{Reply, World};

const BULK: &str = "/scim/v2/Bulk";

impl Client<'_> {
    async fn bulk(&self, operations: Value) -> Reply {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        self.post(BULK, json!({"schemas": schemas, "Operations": operations})).await
    }
}

fn user(bulk_id: &str, name: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": {"userName": name}})
}

fn group(bulk_id: &str, name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": {"displayName": name, "members": members}})
}

fn answers(reply: &Reply) -> &Vec<Value> {
    assert_eq!(reply.status, StatusCode::OK, "{reply}");
    reply.body["Operations"].as_array().unwrap()
}

/// The status of each operation, with the type of its error.
fn told(reply: &Reply) -> Vec<String> {
    let one = |answer: &Value| {
        let status = answer["status"].as_str().unwrap();
        let Some(error) = answer.get("response") else { return status.to_owned() };
        assert_eq!(error["status"], status, "{reply}");
        assert_eq!(error["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        format!("{status} {}", error["scimType"].as_str().unwrap_or("-"))
    };
    answers(reply).iter().map(one).collect()
}

/// The path of what an operation was about.
fn path(answer: &Value) -> &str {
    answer["location"].as_str().unwrap().strip_prefix("http://muster.example").unwrap()
}

#[tokio::test]
async fn operations_are_answered_as_if_sent_by_themselves() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let (ann, old) = (client.user("ann").await, client.user("old").await);
    let reply = client
        .bulk(json!([
            user("bo", "bo"),
            {"method": "PUT", "path": format!("/Users/{}", id(&ann)), "bulkId": "ann", "version": "W/\"1\"",
                "data": {"userName": "anna"}},
            {"method": "patch", "path": format!("/Users/{}", id(&ann)),
                "data": {"Operations": [{"op": "add", "path": "title", "value": "Chief"}]}},
            {"method": "DELETE", "path": format!("/Users/{}", id(&old))},
            user("bo2", "BO"),
            {"method": "DELETE", "path": format!("/Groups/{NOTHING}")},
            {"method": "PUT", "path": format!("/Users/{}", id(&ann)), "version": "W/\"1\"", "data": {"userName": "x"}},
            {"method": "POST", "path": "/Users", "bulkId": "x", "data": {"userName": ""}},
            {"method": "POST", "path": "/Devices", "bulkId": "d", "data": {}},
            {"method": "POST", "path": format!("/Users/{}", id(&ann)), "bulkId": "p", "data": {}},
            {"method": "PUT", "path": "/Groups/a b", "data": {}},
            {"method": "POST", "path": "/Users/.search", "bulkId": "s", "data": {}},
        ]))
        .await;
    insta::assert_snapshot!(reply);
    let anna = client.get(&ann).await;
    assert_eq!((&anna.body["userName"], &anna.body["title"]), (&json!("anna"), &json!("Chief")));
    assert_eq!(anna.header("etag"), answers(&reply)[2]["version"], "{reply}");
    assert_eq!(client.get(path(&answers(&reply)[0])).await.body["userName"], "bo");
    assert_eq!(client.get(&old).await.status, 404);
}

#[tokio::test]
async fn references_are_resolved_forward_and_backward() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let boss = json!({"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
        {"manager": {"value": "bulkId:boss", "$ref": "../Users/bulkId:boss"}}, "userName": "ann"});
    let join = json!({"Operations": [{"op": "add", "path": "members", "value": [{"value": "bulkId:cy"}]}]});
    let leave = json!({"Operations": [{"op": "remove", "path": "members[value eq \"bulkId:ann\"]"}]});
    let reply = client
        .bulk(json!([
            {"method": "PATCH", "path": "/Groups/bulkId:team", "data": join},
            group("team", "Team", &["bulkId:ann", "bulkId:boss"]),
            {"method": "POST", "path": "/Users", "bulkId": "ann", "data": boss},
            user("boss", "bo"),
            user("cy", "cy"),
            {"method": "PATCH", "path": "/Groups/bulkId:team", "data": leave},
            {"method": "DELETE", "path": "/Users/bulkId:cy"},
        ]))
        .await;
    assert_eq!(told(&reply), ["200", "201", "201", "201", "201", "200", "204"], "{reply}");
    let ids: Vec<&str> = answers(&reply).iter().map(|answer| id(path(answer))).collect();
    assert_eq!((ids[0], ids[5], ids[6]), (ids[1], ids[1], ids[4]));
    let bulk_ids: Vec<&Value> = answers(&reply).iter().map(|answer| &answer["bulkId"]).collect();
    assert_eq!(json!(bulk_ids), json!([null, "team", "ann", "boss", "cy", null, null]));
    let team = client.get(path(&answers(&reply)[1])).await;
    assert_eq!(team.body["members"].as_array().unwrap().len(), 1, "{team}");
    assert_eq!(team.body["members"][0]["value"], ids[3]);
    let ann = client.get(path(&answers(&reply)[2])).await;
    let manager = &ann.body["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["manager"];
    assert_eq!(manager, &json!({"value": ids[3], "$ref": format!("../Users/{}", ids[3])}));
}

#[tokio::test]
async fn what_cannot_be_resolved_is_that_operations_error() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let managed = |bulk_id: &str, by: &str| {
        let extension = json!({"manager": format!("bulkId:{by}")});
        json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data":
            {"userName": bulk_id, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": extension}})
    };
    let reply = client
        .bulk(json!([
            group("a", "A", &["bulkId:nobody"]),
            user("twice", "ann"),
            user("twice", "bo"),
            group("b", "B", &["bulkId:twice"]),
            {"method": "POST", "path": "/Users", "bulkId": "bad", "data": {}},
            group("c", "C", &["bulkId:bad"]),
            {"method": "DELETE", "path": "/Users/bulkId:bad"},
            managed("x", "y"),
            managed("y", "x"),
            managed("self", "self"),
            group("d", "D", &["bulkId:x"]),
        ]))
        .await;
    let wrong = "400 invalidValue";
    let circle = ["409 -", wrong, "409 -"];
    let expected = [wrong, "201", wrong, "201", wrong, wrong, wrong, circle[0], circle[1], circle[2], wrong];
    assert_eq!(told(&reply), expected, "{reply}");
    assert!(answers(&reply)[0]["response"]["detail"].as_str().unwrap().contains("bulkId:nobody "), "{reply}");
    assert_eq!(names(&client.get(GROUPS).await, "displayName"), ["B"]);
    assert_eq!(names(&client.get(USERS).await, "userName"), ["ada@acme.example", "ann"]);
}

#[tokio::test]
async fn so_many_errors_end_the_work() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let operations = json!([
        group("late", "Late", &["bulkId:ann"]),
        user("bad", ""),
        user("ann", "ann"),
        user("worse", ""),
        user("never", "never"),
    ]);
    let bulk =
        async |most: Value| client.post(BULK, json!({"failOnErrors": most, "Operations": operations})).await;
    assert_eq!(told(&bulk(json!(1)).await), ["400 invalidValue"]);
    assert_eq!(names(&client.get(USERS).await, "userName"), ["ada@acme.example"]);
    let reply = bulk(json!(2)).await;
    assert_eq!(told(&reply), ["201", "400 invalidValue", "201", "400 invalidValue"], "{reply}");
    assert_eq!(answers(&reply)[0]["bulkId"], "late");
    let reply = bulk(json!(null)).await;
    let all = ["400 invalidValue", "400 invalidValue", "409 uniqueness", "400 invalidValue", "201"];
    assert_eq!(told(&reply), all, "{reply}");
    for wrong in [json!(0), json!(-1), json!("1"), json!(1.5)] {
        assert_eq!(refused(&bulk(wrong).await), (400, "invalidValue"));
    }
}

#[tokio::test]
async fn a_body_of_another_shape_is_refused_before_anything_is_done() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let before = world.journal().await;
    let good = user("a", "ann");
    let of = |operation: Value| json!({"Operations": [good, operation]});
    for (body, place) in [
        (json!([]), "object"),
        (json!({}), "Operations must be an array"),
        (json!({"Operations": {"0": good}}), "Operations must be an array"),
        (json!({"Operations": []}), "Operations must not be empty"),
        (json!({"schemas": ["urn:x"], "Operations": [good]}), "schemas must have"),
        (of(json!(1)), "Operations[1] must be an object"),
        (of(json!({"method": "GET", "path": "/Users"})), "Operations[1].method"),
        (of(json!({"path": "/Users"})), "Operations[1].method"),
        (of(json!({"method": "DELETE"})), "Operations[1].path is required"),
        (of(json!({"method": "DELETE", "path": 1})), "Operations[1].path must be a string"),
        (of(json!({"method": "DELETE", "path": "/", "version": 1})), "Operations[1].version"),
        (of(json!({"method": "POST", "path": "/Users", "data": {}})), "Operations[1].bulkId is required"),
        (of(json!({"method": "POST", "path": "/Users", "bulkId": 1, "data": {}})), "Operations[1].bulkId"),
        (of(json!({"method": "PATCH", "path": "/Users/1", "data": null})), "Operations[1].data is required"),
    ] {
        let reply = client.post(BULK, body).await;
        assert_eq!(refused(&reply), (400, "invalidSyntax"));
        assert!(reply.body["detail"].as_str().unwrap().contains(place), "{place}: {reply}");
    }
    let most = vec![json!({"method": "DELETE", "path": "/Users/x"}); 1001];
    assert_eq!(told(&client.bulk(json!(most[..1000])).await), vec!["404 -"; 1000]);
    assert_eq!(refused(&client.bulk(json!(most)).await), (413, "tooLarge"));
    let padded = |length: usize| {
        let body = json!({"Operations": [{"method": "DELETE", "path": "/Users/x"}], "x": ""}).to_string();
        let padding = "x".repeat(length - body.len());
        client.call("POST", BULK).raw(body.replace("\"x\":\"\"", &format!("\"x\":\"{padding}\"")))
    };
    assert_eq!(told(&padded(1024 * 1024).send().await), ["404 -"]);
    assert_eq!(refused(&padded(1024 * 1024 + 1).send().await), (413, "tooLarge"));
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn the_configuration_tells_the_limits() {
    let world = World::with(Settings { max_body: 4096, ..Settings::default() }).await;
    let bulk = world.get("/scim/v2/ServiceProviderConfig").send().await.body["bulk"].clone();
    assert_eq!(bulk, json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 4096}));
    let client = Client::new(&world).await;
    let reply = client.bulk(json!([user("a", &"a".repeat(4096))])).await;
    assert_eq!(refused(&reply), (413, "tooLarge"));
}

#[tokio::test]
async fn nothing_of_another_tenant_is_reached() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let other = world.tenant("Other", "olga@other.example").await;
    let olga = Client { world: &world, token: world.scim_token(&other, false).await };
    let (ann, team) = (client.user("ann").await, client.group("Team", &[]).await);
    let before = world.journal().await;
    let operations = |user: &str, team: &str| {
        json!([
            {"method": "PUT", "path": format!("/Users/{user}"), "data": {"userName": "x"}},
            {"method": "DELETE", "path": format!("/Users/{user}")},
            {"method": "PATCH", "path": format!("/Groups/{team}"), "data": {"Operations": [{"op": "add", "value": {"displayName": "x"}}]}},
            {"method": "DELETE", "path": format!("/Groups/{team}")},
            group("g", "G", &[user]),
        ])
    };
    let foreign = olga.bulk(operations(id(&ann), id(&team))).await;
    assert_eq!(told(&foreign), ["404 -", "404 -", "404 -", "404 -", "400 invalidValue"], "{foreign}");
    assert_eq!(world.journal().await, before);
    let own = client.bulk(operations(id(&ann), id(&team))).await;
    assert_eq!(told(&own), ["200", "204", "200", "204", "400 invalidValue"], "{own}");
}

#[tokio::test]
async fn what_would_take_too_long_is_not_begun() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let body = json!({"Operations": [user("a", "ann"), user("b", "bo")]}).to_string();
    let clock = world.clock();
    // A slow client: its time counts.
    let slow = futures_util::stream::once(async move {
        clock.advance(Duration::from_secs(21));
        Ok::<_, std::io::Error>(body)
    });
    let reply = client.call("POST", BULK).raw(axum::body::Body::from_stream(slow)).send().await;
    assert_eq!(told(&reply), ["503 -", "503 -"], "{reply}");
    assert_eq!(names(&client.get(USERS).await, "userName"), ["ada@acme.example"]);
}

#[tokio::test]
async fn what_is_no_id_has_no_location() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = |id: &str| json!({"method": "DELETE", "path": format!("/Users/{id}")});
    let reply = client.bulk(json!([path("a b\"<"), path("x/y"), path(crate::scim::NOTHING)])).await;
    let locations: Vec<bool> = reply.body["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| operation.get("location").is_some())
        .collect();
    assert_eq!(locations, [false, false, true], "{reply}");
}
