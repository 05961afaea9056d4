//! Conditions on the versions of the LOX24 dialect's groups and phones.

use serde_json::{Value, json};

use crate::lox24::{Client, told};
use crate::support::World;

async fn tag(client: &Client<'_>, path: &str) -> String {
    client.get(path).await.header("etag").to_owned()
}

#[tokio::test]
async fn a_read_that_has_the_version_gets_304() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let phone = client.phone(&group, json!({"phone": "+12015550100"})).await;
    for path in [&group, &phone] {
        let tag = tag(&client, path).await;
        for known in [tag.as_str(), &tag[2..], "*", &format!("\"x\", {tag}")] {
            let reply = client.call("GET", path).header("if-none-match", known).send().await;
            assert_eq!((reply.status.as_u16(), reply.header("etag")), (304, &*tag), "{known}");
            assert!(reply.body.is_null());
        }
        let head = client.call("HEAD", path).header("if-none-match", &tag).send().await;
        assert_eq!(head.status, 304);
        for other in ["W/\"0.0\"", "\"x\"", "", "x"] {
            let reply = client.call("GET", path).header("if-none-match", other).send().await;
            assert_eq!(reply.status, 200, "{other}");
        }
    }
    let known = tag(&client, &group).await;
    insta::assert_snapshot!(client.call("GET", &group).header("if-none-match", &known).send().await);
    // The version of a group is also that of its list, which is counted.
    let mut tags = vec![known];
    let second = client.phone(&group, json!({"phone": "+12015550101"})).await;
    tags.push(tag(&client, &group).await);
    client.delete(&second).await;
    tags.push(tag(&client, &group).await);
    client.post(&format!("{group}/phones/batch"), json!([{"phone": "+12015550102"}])).await;
    tags.push(tag(&client, &group).await);
    client.put(&group, json!({"phones": []})).await;
    tags.push(tag(&client, &group).await);
    client.put(&group, json!({"name": "Renamed"})).await;
    tags.push(tag(&client, &group).await);
    for (at, tag) in tags.iter().enumerate() {
        assert!(!tags[..at].contains(tag), "{tags:?}");
    }
    // What a phone says is part of the list: whoever replaces that has seen it.
    let phone = client.phone(&group, json!({"phone": "+12015550100"})).await;
    let before = tag(&client, &group).await;
    client.put(&phone, json!({"a": "x"})).await;
    assert_ne!(tag(&client, &group).await, before);
}

#[tokio::test]
async fn a_write_names_the_version_that_it_is_about() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let phone = client.phone(&group, json!({"phone": "+12015550100"})).await;
    let write = async |method: &str, path: &str, body: Value, tag: &str| {
        let mut call = client.call(method, path).header("if-match", tag);
        if !body.is_null() {
            call = call.json(body);
        }
        call.send().await
    };
    let before = world.journal().await;
    for stale in ["W/\"0.0\"", "\"x\"", "", "x"] {
        for (method, path, body) in [
            ("PUT", &group, json!({"name": "Renamed"})),
            ("PUT", &group, json!({"phones": []})),
            // Also where nothing would change.
            ("PUT", &group, json!({})),
            ("DELETE", &group, Value::Null),
            ("PUT", &phone, json!({"a": "x"})),
            ("PUT", &phone, json!({})),
            ("DELETE", &phone, Value::Null),
        ] {
            let reply = write(method, path, body, stale).await;
            assert_eq!(told(&reply), "412 Precondition Failed", "{method} {path} {stale}");
        }
    }
    assert_eq!(world.journal().await, before);
    let linked = client.any("PUT", &group).header("if-match", "\"x\"").json(json!({"name": "Renamed"}));
    insta::assert_snapshot!(linked.send().await);
    // Failing fields come first.
    assert_eq!(write("PUT", &group, json!({"name": ""}), "\"x\"").await.status, 400);

    let known = tag(&client, &group).await;
    let reply = write("PUT", &group, json!({"name": "Renamed"}), &known).await;
    assert_eq!((reply.status.as_u16(), reply.header("etag")), (200, &*tag(&client, &group).await));
    assert_eq!(write("PUT", &group, json!({"name": "Again"}), &known).await.status, 412);
    // A phone more is another version of the group.
    let known = tag(&client, &group).await;
    client.phone(&group, json!({"phone": "+12015550101"})).await;
    for body in [json!({"name": "Again"}), json!({"phones": []}), json!({"name": "Again", "phones": []})] {
        assert_eq!(write("PUT", &group, body, &known).await.status, 412);
    }
    assert_eq!(write("DELETE", &group, Value::Null, &known).await.status, 412);

    let known = tag(&client, &phone).await;
    let reply = write("PUT", &phone, json!({"a": "x"}), &known).await;
    assert_eq!((reply.status.as_u16(), reply.header("etag")), (200, &*tag(&client, &phone).await));
    assert_eq!(write("DELETE", &phone, Value::Null, &known).await.status, 412);
    assert_eq!(write("DELETE", &phone, Value::Null, &tag(&client, &phone).await).await.status, 204);
    let replaced = write("PUT", &group, json!({"phones": []}), &tag(&client, &group).await).await;
    assert_eq!((replaced.status.as_u16(), replaced.header("etag")), (200, &*tag(&client, &group).await));
    assert_eq!(write("DELETE", &group, Value::Null, "*").await.status, 204);
}
