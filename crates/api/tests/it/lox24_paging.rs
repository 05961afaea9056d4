//! Pages of the LOX24 dialect.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::lox24::{Client, JSON_LD, numbers, told};
use crate::support::World;

#[tokio::test]
async fn a_list_is_an_array_or_a_collection() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    insta::assert_snapshot!(client.get("/groups").await);
    insta::assert_snapshot!(client.any("GET", "/groups").send().await);
    for name in ["One", "Two"] {
        client.group(json!({"name": name})).await;
    }
    insta::assert_snapshot!(client.get("/groups").await);
    insta::assert_snapshot!(client.any("GET", "/groups").send().await);
}

/// The places of the members, how many there are, and the view.
fn page(body: &Value) -> String {
    let members = body["hydra:member"].as_array().unwrap();
    let place = |member: Option<&Value>| member.map_or("-".to_owned(), |member| member["@id"].to_string());
    let (first, last) = (place(members.first()), place(members.last()));
    let view = serde_json::to_string_pretty(&body["hydra:view"]).unwrap();
    format!("{} of {}: {first} to {last}, {view}\n", members.len(), body["hydra:totalItems"])
}

#[tokio::test]
async fn groups_come_by_thirty_the_greatest_id_first() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for at in 0..65 {
        client.group(json!({"name": format!("Group {at}")})).await;
    }
    let mut pages = String::new();
    let mut all = Vec::new();
    for at in [1, 2, 3, 4, i64::MAX] {
        let linked = client.any("GET", &format!("/groups?page={at}")).send().await;
        pages.push_str(&page(&linked.body));
        let plain = client.get(&format!("/groups?page={at}")).await;
        assert_eq!((linked.status.as_u16(), plain.status.as_u16()), (200, 200));
        let ids = |body: &Value| -> Vec<i64> {
            body.as_array().unwrap().iter().map(|group| group["id"].as_i64().unwrap()).collect()
        };
        assert_eq!(ids(&plain.body), ids(&linked.body["hydra:member"]));
        all.extend(ids(&plain.body));
    }
    insta::assert_snapshot!(pages);
    let expected: Vec<i64> = (1..=65).rev().collect();
    assert_eq!(all, expected);
    // Without the parameter it is the first page, and what is unknown is ignored.
    let first = client.any("GET", "/groups?itemsPerPage=5&x=y").send().await;
    assert_eq!(page(&first.body), page(&client.any("GET", "/groups?page=1").send().await.body));
}

#[tokio::test]
async fn phones_come_in_pages_only_if_one_is_asked_for() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Many", "phones": numbers(61)})).await;
    let mut pages = String::new();
    for at in [1, 2, 3, 4] {
        let linked = client.any("GET", &format!("{group}/phones?page={at}")).send().await;
        pages.push_str(&page(&linked.body));
    }
    insta::assert_snapshot!(pages);
    let all = client.any("GET", &format!("{group}/phones")).send().await;
    assert_eq!(all.body["hydra:member"].as_array().unwrap().len(), 61);
    assert!(all.body.get("hydra:view").is_none());
    assert_eq!(client.get(&format!("{group}/phones?page=3")).await.body.as_array().unwrap().len(), 1);

    let empty = client.empty_group().await;
    insta::assert_snapshot!(client.any("GET", &format!("{empty}/phones")).send().await);
    insta::assert_snapshot!(client.any("GET", &format!("{empty}/phones?page=1")).send().await);
    assert_eq!(client.phones(&empty).await, [] as [Value; 0]);
}

#[tokio::test]
async fn all_of_a_long_list_is_streamed() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Long", "phones": numbers(2500)})).await;
    assert_eq!(client.count(&group).await, 2500);
    let plain = client.phones(&group).await;
    let linked = client.any("GET", &format!("{group}/phones")).send().await;
    assert_eq!(linked.header("content-type"), JSON_LD);
    assert_eq!(linked.body["hydra:totalItems"], 2500);
    let members = linked.body["hydra:member"].as_array().unwrap();
    assert_eq!((plain.len(), members.len()), (2500, 2500));
    let id = |phone: &Value| phone["id"].as_str().unwrap().parse::<i64>().unwrap();
    assert!(plain.windows(2).all(|pair| id(&pair[0]) < id(&pair[1])));
    for (plain, linked) in plain.iter().zip(members) {
        assert_eq!(linked["@id"], format!("/phones/{}", id(plain)));
        assert_eq!((&plain["id"], &plain["phone"]), (&linked["id"], &linked["phone"]));
        assert!(linked.get("@context").is_none());
    }
    // A page that is just full is not the last one.
    let exact = client.group(json!({"name": "Exact", "phones": numbers(1000)})).await;
    assert_eq!(client.phones(&exact).await.len(), 1000);
}

#[tokio::test]
async fn what_is_no_page_is_refused() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let mut replies = String::new();
    for path in ["/groups", &format!("{group}/phones")] {
        for page in ["0", "-1", "x", "", "1.0", "9223372036854775808", "%31x"] {
            let reply = client.get(&format!("{path}?page={page}")).await;
            writeln!(replies, "{page:?}: {}", told(&reply)).unwrap();
        }
    }
    insta::assert_snapshot!(replies);
    insta::assert_snapshot!(client.any("GET", "/groups?page=0").send().await);
    // Who asks comes first, and what is asked for.
    assert_eq!(world.get("/groups?page=0").send().await.status, 401);
    assert_eq!(client.get("/groups/99/phones?page=0").await.status, 404);
}
