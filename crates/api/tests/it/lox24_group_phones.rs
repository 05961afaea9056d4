//! The `phones` of a LOX24 group: its list becomes exactly what is sent.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::lox24::{Client, failing, number, numbers, told};
use crate::support::World;

/// The id, the number and the first column of each phone.
async fn list(client: &Client<'_>, group: &str) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let phones = client.phones(group).await;
    phones.iter().map(|phone| [text(&phone["id"]), text(&phone["phone"]), text(&phone["a"])]).collect()
}

fn row(id: &str, phone: &str, a: &str) -> [String; 3] {
    [id, phone, a].map(str::to_owned)
}

#[tokio::test]
async fn a_list_is_replaced_and_who_stays_keeps_the_id() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let phones = json!([
        {"phone": "+12015550001", "a": "one"}, {"phone": "+12015550002", "a": "two", "callback_data": "x"},
        {"phone": "+12015550003"}
    ]);
    let group = client.group(json!({"name": "Clients", "phones": phones})).await;
    // In whatever form the number is sent, and as a whole entry: what is not named is cleared.
    let other =
        json!([{"phone": "+12015550004"}, {"phone": "(201) 555-0002"}, {"phone": "+12015550003", "a": "3"}]);
    let reply = client.put(&group, json!({"phones": other})).await;
    insta::assert_snapshot!(reply);
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
    let [two, three, four] =
        [row("2", "+12015550002", "-"), row("3", "+12015550003", "3"), row("4", "+12015550004", "-")];
    assert_eq!(list(&client, &group).await, [two, three.clone(), four]);
    assert_eq!(client.phones(&group).await[0]["callback_data"], Value::Null);
    assert_eq!(client.get("/phones/1").await.status, 404);

    // As an object, whose keys say nothing.
    let keyed = json!({"x": {"phone": "+12015550003", "a": "3"}, "": {"phone": "+12015550005"}});
    assert_eq!(client.put(&group, json!({"phones": keyed})).await.body["count_items"], 2);
    assert_eq!(list(&client, &group).await, [three, row("5", "+12015550005", "-")]);

    // The same again changes nothing, in whatever order.
    let before = (client.get(&group).await.to_string(), world.journal().await.len());
    let again = json!([{"phone": "+12015550005"}, {"phone": "+12015550003", "a": "3", "b": null}]);
    assert_eq!(client.put(&group, json!({"phones": again})).await.status, 200);
    assert_eq!(world.journal().await.len(), before.1);

    // Null and absence leave the list alone, an empty one empties it.
    for body in [json!({"phones": null}), json!({"name": "Renamed"})] {
        assert_eq!(client.put(&group, body).await.body["count_items"], 2);
    }
    for (empty, expected) in [(json!([]), 0), (json!({}), 0)] {
        assert_eq!(client.put(&group, json!({"phones": empty})).await.body["count_items"], expected);
        assert_eq!(client.count(&group).await, 0);
        assert!(client.phones(&group).await.is_empty());
    }
    // Who comes back is somebody else.
    client.put(&group, json!({"phones": [{"phone": "+12015550003"}]})).await;
    assert_eq!(list(&client, &group).await, [row("6", "+12015550003", "-")]);
}

#[tokio::test]
async fn failing_entries_are_named_by_their_places() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Clients", "phones": [{"phone": "+12015550001"}]})).await;
    let before = (client.get(&group).await.body, client.phones(&group).await, world.journal().await);
    let (good, long) = (json!({"phone": "+12015550002"}), "1".repeat(31));
    let mut replies = String::new();
    for phones in [
        json!([good, {"phone": "0151-CALL-ME"}, {"phone": 1}, {"phone": long}, {"phone": null}]),
        json!({"k": good, "first one": {"phone": "abc"}, "a.b]": {"callback_data": 5}, "": {"phone": "x"}}),
        json!([good, null, "+12015550003", 5, [], {}]),
        json!({"0": good, "x": null, "y": "+12015550003", "z": [good]}),
        json!([{"phone": "+12015550002", "a": "x".repeat(1531), "e": 5}, {"phone": " "}]),
        // A number twice needs all others to be good.
        json!([good, {"phone": "+1 (201) 555-0002"}, good]),
        json!({"one": good, "two": good}),
        json!([good, good, {"phone": "abc"}]),
        json!("+12015550002"),
        json!(5),
        json!(true),
    ] {
        let (put, post) = (
            client.put(&group, json!({"phones": phones})).await,
            client.post("/groups", json!({"name": "New", "phones": phones})).await,
        );
        assert_eq!((put.status, &put.body), (post.status, &post.body));
        writeln!(replies, "{}\n", told(&put)).unwrap();
    }
    insta::assert_snapshot!(replies);
    // With the failures of the group itself.
    let both = client.put(
        &group,
        json!({"name": "", "deleted_at": "2020-01-01T00:00:00Z", "phones": [{}, {"phone": "x"}]}),
    );
    assert_eq!(failing(&both.await), ["name", "phones[0].phone", "deleted_at", "phones[1].phone"]);
    let after = (client.get(&group).await.body, client.phones(&group).await, world.journal().await);
    assert_eq!(after, before);
    assert_eq!(client.get("/groups").await.body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_repeated_number_is_a_violation_of_each_repetition() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let phones = json!([{"phone": "+12015550002"}, {"phone": "2015550002"}, {"phone": "001 201 555 0002"}]);
    let body = json!({"name": "Clients", "phones": phones});
    insta::assert_snapshot!(client.post("/groups", body.clone()).await);
    insta::assert_snapshot!(client.any("POST", "/groups").json(body).send().await);
}

#[tokio::test]
async fn a_list_has_at_most_ten_thousand_entries() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let most = client.post("/groups", json!({"name": "Most", "phones": numbers(10_000)})).await;
    assert_eq!((most.status.as_u16(), &most.body["count_items"]), (201, &json!(10_000)));
    let group = format!("/groups/{}", most.body["id"]);
    let mut more = numbers(10_000);
    more.push(json!({"phone": "+12025550000"}));
    insta::assert_snapshot!(client.put(&group, json!({"phones": more})).await);
    let keyed: serde_json::Map<String, Value> =
        more.iter().enumerate().map(|(at, phone)| (at.to_string(), phone.clone())).collect();
    assert_eq!(client.post("/groups", json!({"name": "Keyed", "phones": keyed})).await.status, 413);
    // Whatever the entries are.
    let nonsense = vec![json!(7); 10_001];
    assert_eq!(client.post("/groups", json!({"name": "", "phones": nonsense})).await.status, 413);
    assert_eq!(client.count(&group).await, 10_000);
    let last = client.put(&group, json!({"phones": [{"phone": number(9999)}]})).await;
    assert_eq!(last.body["count_items"], 1);
    assert_eq!(client.of_phones(&group, "phone").await, [number(9999)]);
}

#[tokio::test]
async fn a_body_has_at_most_sixteen_mebibytes() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let columns = |text: &str| json!({"phone": "+12015550000", "a": text, "b": text, "c": text});
    // Of two bodies around the limit, whose entries are misfits, so that nothing else comes of them.
    let misfit = columns(&"x".repeat(2000));
    let entries = 16 * 1024 * 1024 / misfit.to_string().len();
    for (count, status) in [(entries - 10, 400), (entries + 10, 413)] {
        let body = json!({"phones": vec![&misfit; count]});
        let reply = client.put(&group, body).await;
        assert_eq!(reply.status, status);
        if status == 413 {
            insta::assert_snapshot!(reply);
        }
    }
    assert_eq!(client.count(&group).await, 0);
}
