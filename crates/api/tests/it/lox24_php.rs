//! The vendor's own client for PHP (`lox24/lox24-client-php`): its requests, with its headers and parameters as PHP writes
//! them, and what it reads of the answers.

use serde_json::{Value, json};

use crate::lox24::Key;
use crate::messages::hand_over;
use crate::support::{Call, Reply, World};

/// What it sends with every request. One version of it asks for a content type that nobody else knows.
const ACCEPTS: [&str; 2] = ["application/json+ld", "application/ld+json"];

fn call<'a>(world: &'a World, key: &Key, accept: &str, method: &str, uri: &str) -> Call<'a> {
    let call = world.call(method, uri).key(key).header("accept", accept);
    call.header("content-type", "application/json").header("user-agent", "LOX24-API-CLIENT 0.1")
}

/// The text of a body as `json_encode` writes it.
const SEND: &str = r#"{"sender_id":"sender","phone":"+12345678900","text":"sms text \u00e4 a\/b","service_code":"direct","is_unicode":null,"delivery_at":0,"voice_lang":null,"is_delete_text":false}"#;
const SEND_ALL: &str = r#"{"sender_id":"sender","phone":"+12345678900","text":"sms text","service_code":"direct","is_unicode":false,"delivery_at":1893456000,"voice_lang":"DE","is_delete_text":true,"source":7,"callback_data":"cb"}"#;

/// The enums of the client have these only, and fail for others.
fn read_item(item: &Value) {
    let integer = |name: &str| item[name].as_i64().unwrap();
    assert!([0, 100, 208, 410, 2000, 3000, 5000].contains(&integer("status_code")), "{item}");
    assert!([0, 1, 2, 4, 8, 16].contains(&integer("dlr_code")), "{item}");
    assert!(["direct", "text2speech"].contains(&item["service_code"].as_str().unwrap()), "{item}");
    assert!(item["price"].is_number() && item["is_sent"].is_boolean() && item["is_unicode"].is_boolean());
    for name in ["uuid", "sender_id", "phone", "ip", "requests", "clicks", "text"] {
        assert!(item[name].is_string(), "{name} of {item}");
    }
}

/// What a list is read by.
fn read_list(reply: &Reply) -> (i64, Vec<Value>) {
    assert_eq!(reply.status, 200, "{reply}");
    assert!(reply.body["hydra:view"].is_object(), "it fails without one");
    let members = reply.body["hydra:member"].as_array().unwrap().clone();
    members.iter().for_each(read_item);
    (reply.body["hydra:totalItems"].as_i64().unwrap(), members)
}

#[tokio::test]
async fn its_requests_work_literally() {
    for accept in ACCEPTS {
        let world = World::new().await;
        let key = world.key(&world.acme).await;
        let call = |method: &str, uri: &str| call(&world, &key, accept, method, uri);

        let tried = call("POST", "/sms/dryrun").raw(SEND).send().await;
        assert_eq!((tried.status.as_u16(), tried.header("content-type")), (201, "application/ld+json"));
        read_item(&tried.body);
        assert_eq!(tried.body["uuid"], "11111111-2222-3333-4444-555555555555");
        let mut ids = Vec::new();
        for body in [SEND, SEND_ALL] {
            let made = call("POST", "/sms").raw(body).send().await;
            assert_eq!(made.status, 201, "{made}");
            read_item(&made.body);
            // It asks for this under a name that is none.
            assert_eq!(made.body["is_text_deleted"], false);
            ids.push(made.body["uuid"].as_str().unwrap().to_owned());
        }
        assert_eq!(call("GET", &format!("/sms/{}", ids[0])).send().await.body["text"], "sms text \u{e4} a/b");

        let two = format!("/sms?uuid%5B0%5D={}&uuid%5B1%5D={}", ids[0], ids[1]);
        for (uri, found) in [
            ("/sms", 2),
            (two.as_str(), 2),
            ("/sms?text%5B0%5D=A%2FB&_order%5Bcreated_at%5D=desc", 1),
            ("/sms?is_sent=0&is_unicode=0&phone%5B0%5D=2345", 2),
            ("/sms?created_at%5Bbetween%5D=1..9999999999&source%5Bgte%5D=7&source%5Blt%5D=9", 1),
            ("/sms?status_code%5B0%5D=0&iso2%5B0%5D=US&key_id%5B0%5D=99", 0),
            ("/sms?delivery_at%5B0%5D=1893456000&callback_data%5B0%5D=cb&sender_id%5B0%5D=send", 1),
        ] {
            let (total, members) = read_list(&call("GET", uri).send().await);
            assert_eq!((total, members.len()), (found, usize::try_from(found).unwrap()), "{uri}");
        }

        // An operation is read by the first value of its answer, whatever that is called.
        let first =
            |reply: &Reply| reply.body.as_object().unwrap().values().next().unwrap().as_i64().unwrap();
        let uri = |operation: &str, id: &str| format!("/sms/ops/{operation}?uuid%5B0%5D={id}");
        assert_eq!(first(&call("POST", &uri("batch_cancel", &ids[1])).send().await), 1);
        hand_over(&world, &world.acme).await;
        read_list(&call("GET", "/sms?is_sent=1").send().await);
        assert_eq!(first(&call("POST", &uri("batch_delete", &ids[0])).send().await), 1);
        assert_eq!(call("GET", &format!("/sms/{}", ids[0])).send().await.status, 404);
        // Without filters it asks for all, which is refused; it has an exception for that.
        assert_eq!(call("POST", "/sms/ops/batch_delete").send().await.status, 422);
    }
}

#[tokio::test]
async fn what_it_takes_for_exceptions_are_statuses() {
    let world = World::new().await;
    let key = world.key(&world.acme).await;
    let call = |method: &str, uri: &str| call(&world, &key, ACCEPTS[0], method, uri);
    assert_eq!(call("POST", "/sms").raw("{\"sender_id\":\"\"}").send().await.status, 400);
    assert_eq!(call("GET", "/sms/none").send().await.status, 404);
    let nobody = Key { secret: "x".to_owned(), ..key.clone() };
    let refused = self::call(&world, &nobody, ACCEPTS[0], "GET", "/sms").send().await;
    assert_eq!((refused.status.as_u16(), &refused.body["hydra:title"]), (401, &json!("An error occurred")));
}
