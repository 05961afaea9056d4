//! PATCH over HTTP, clause by clause of its point in the contract.

use serde_json::{Value, json};

use crate::scim::{Client, GROUPS, USERS, id, refused};
use crate::support::World;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn ann() -> Value {
    json!({
        "userName": "ann", "title": "Chief", "active": true,
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "emails": [{"value": "a@x.org", "type": "work", "primary": true}, {"value": "h@x.org", "type": "home"}],
        ENTERPRISE: {"department": "Sales", "manager": {"value": "7", "$ref": "../Users/7"}},
    })
}

/// What is to be done to Ann, and what then stands under a pointer, or the error.
type Case = (Value, &'static str, Result<Value, &'static str>);

#[expect(clippy::needless_pass_by_value, reason = "bodies are made with json!()")]
fn op(op: &str, path: &str, value: Value) -> Value {
    json!([{"op": op, "path": path, "value": value}])
}

#[expect(clippy::needless_pass_by_value, reason = "bodies are made with json!()")]
fn pathless(op: &str, value: Value) -> Value {
    json!([{"op": op, "value": value}])
}

fn work() -> Value {
    json!({"value": "a@x.org", "type": "work", "primary": true})
}

fn home() -> Value {
    json!({"value": "h@x.org", "type": "home"})
}

fn of_enterprise(name: &str) -> String {
    format!("{ENTERPRISE}:{name}")
}

fn words_and_names() -> Vec<Case> {
    vec![
        // Words and names in any case.
        (op("REPLACE", "TITLE", json!("x")), "/title", Ok(json!("x"))),
        (json!([{"OP": "aDd", "Path": "NAME.givenname", "VALUE": "x"}]), "/name/givenName", Ok(json!("x"))),
        (op("add", &format!("{CORE}:title").to_uppercase(), json!("x")), "/title", Ok(json!("x"))),
        (op("add", "name", json!({"GIVENNAME": "x"})), "/name/givenName", Ok(json!("x"))),
        // Without a path, also with dotted and URN keys.
        (
            pathless("add", json!({"title": "x", "name.familyName": "y"})),
            "/name",
            Ok(json!({"givenName": "Ann", "familyName": "y"})),
        ),
        (
            pathless("replace", json!({of_enterprise("department"): "HR"})),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department",
            Ok(json!("HR")),
        ),
        (
            pathless("replace", json!({ENTERPRISE: {"division": "D"}})),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department",
            Ok(json!("Sales")),
        ),
        (
            pathless("add", json!({"emails[type eq \"work\"].value": "n@x.org"})),
            "/emails/0/value",
            Ok(json!("n@x.org")),
        ),
        (pathless("add", json!({"color": "red"})), "/title", Ok(json!("Chief"))),
        (pathless("add", json!("x")), "", Err("invalidValue")),
        (pathless("remove", json!({"title": "x"})), "", Err("noTarget")),
        (json!([{"op": "remove"}]), "", Err("noTarget")),
    ]
}

fn value_paths() -> Vec<Case> {
    vec![
        // Value paths.
        (
            op("replace", "emails[type eq \"work\"].value", json!("n@x.org")),
            "/emails/0/value",
            Ok(json!("n@x.org")),
        ),
        (
            op("replace", "Emails[Type EQ \"WORK\"].VALUE", json!("n@x.org")),
            "/emails/0/value",
            Ok(json!("n@x.org")),
        ),
        (
            op("replace", "emails[type eq \"work\"]", json!({"display": "d"})),
            "/emails/0",
            Ok(json!({"value": "a@x.org", "type": "work", "primary": true, "display": "d"})),
        ),
        (op("remove", "emails[type eq \"work\"]", Value::Null), "/emails", Ok(json!([home()]))),
        (
            op("remove", "emails[type eq \"work\"].primary", Value::Null),
            "/emails/0",
            Ok(json!({"value": "a@x.org", "type": "work"})),
        ),
        (
            op("add", "emails[type eq \"other\"].value", json!("o@x.org")),
            "/emails/2",
            Ok(json!({"type": "other", "value": "o@x.org"})),
        ),
        (op("add", "emails[type ne \"work\" and type ne \"home\"].value", json!("o")), "", Err("noTarget")),
        (op("replace", "emails[type eq \"other\"].value", json!("o@x.org")), "", Err("noTarget")),
        (op("remove", "emails[type eq \"other\"]", Value::Null), "/emails", Ok(json!([work(), home()]))),
        (
            op("replace", "emails[primary eq \"True\"].value", json!("p@x.org")),
            "/emails/0/value",
            Ok(json!("p@x.org")),
        ),
    ]
}

fn bad_paths() -> Vec<Case> {
    vec![
        // Bad paths and filters; nothing is ever cleared by mistake.
        (op("replace", "nothing", json!("x")), "", Err("invalidPath")),
        (op("replace", "name.nothing", json!("x")), "", Err("invalidPath")),
        (op("replace", "emails[type eq \"work\"", json!("x")), "", Err("invalidPath")),
        (op("remove", "emails[type eq \"work\"].nothing", Value::Null), "", Err("invalidPath")),
        (op("remove", "title[value eq \"x\"]", Value::Null), "", Err("invalidPath")),
        (op("remove", "urn:x:y:title", Value::Null), "", Err("invalidPath")),
        (op("remove", "", Value::Null), "", Err("invalidPath")),
        (op("remove", " ", Value::Null), "", Err("invalidPath")),
        (json!([{"op": "remove", "path": 5}]), "", Err("invalidPath")),
        (op("remove", "emails[nothing eq \"x\"]", Value::Null), "", Err("invalidFilter")),
        (op("remove", "emails[primary gt true]", Value::Null), "", Err("invalidFilter")),
        (op("remove", "emails", json!([{"nothing": "x"}])), "", Err("invalidValue")),
        (op("replace", "emails", json!([{"nothing": "x"}])), "", Err("invalidValue")),
        (op("remove", "emails", json!([])), "/emails", Ok(json!([work(), home()]))),
        // What is needed or read-only.
        (op("remove", "userName", Value::Null), "", Err("mutability")),
        (op("replace", "userName", Value::Null), "", Err("invalidValue")),
        (op("replace", "userName", json!(" ")), "", Err("invalidValue")),
        (op("add", "groups", json!([{"value": "x"}])), "", Err("mutability")),
    ]
}

fn unassigned() -> Vec<Case> {
    vec![
        // Null and the empty array are unassigned.
        (op("replace", "title", Value::Null), "/title", Ok(Value::Null)),
        (op("replace", "emails", json!([])), "/emails", Ok(Value::Null)),
        (op("replace", "emails", Value::Null), "/emails", Ok(Value::Null)),
        (op("add", "emails", json!([])), "/emails", Ok(json!([work(), home()]))),
        (op("replace", "name", Value::Null), "/name", Ok(Value::Null)),
        (op("replace", "name.familyName", Value::Null), "/name", Ok(json!({"givenName": "Ann"}))),
        (pathless("replace", json!({"title": null, "emails": []})), "/emails", Ok(Value::Null)),
        (json!([{"op": "add", "path": "title"}]), "", Err("invalidValue")),
        // A complex attribute keeps what is not named; a plain string is its value.
        (
            op("replace", "name", json!({"familyName": "x"})),
            "/name",
            Ok(json!({"givenName": "Ann", "familyName": "x"})),
        ),
        (
            op("replace", &of_enterprise("manager"), json!("9")),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager",
            Ok(json!({"value": "9", "$ref": "../Users/7"})),
        ),
        (op("replace", "name", json!("x")), "", Err("invalidValue")),
    ]
}

fn wholes() -> Vec<Case> {
    vec![
        // Booleans as strings.
        (op("replace", "active", json!("FALSE")), "/active", Ok(json!(false))),
        (op("replace", "active", json!("no")), "", Err("invalidValue")),
        (
            op("replace", "emails[type eq \"home\"].primary", json!("True")),
            "/emails/0/primary",
            Ok(json!(false)),
        ),
        // One primary at most.
        (
            op("add", "emails", json!([{"value": "n@x.org", "primary": true}])),
            "/emails/0/primary",
            Ok(json!(false)),
        ),
        (
            op(
                "replace",
                "emails",
                json!([{"value": "1", "primary": true}, {"value": "2", "primary": true}]),
            ),
            "",
            Err("invalidValue"),
        ),
        (op("replace", "emails.primary", json!(true)), "", Err("invalidValue")),
        // An extension adds its schema, and takes it along.
        (op("remove", ENTERPRISE, Value::Null), "/schemas", Ok(json!([CORE]))),
        (op("add", &of_enterprise("costCenter"), json!("c")), "/schemas", Ok(json!([CORE, ENTERPRISE]))),
        // The whole request or nothing.
        (json!([]), "", Err("invalidSyntax")),
        (
            json!([{"op": "replace", "path": "title", "value": "x"}, {"op": "move", "path": "title"}]),
            "",
            Err("invalidSyntax"),
        ),
        (
            json!([{"op": "replace", "path": "title", "value": "x"}, {"op": "remove", "path": "id"}]),
            "",
            Err("mutability"),
        ),
        (
            json!([{"op": "replace", "path": "title", "value": "x"}, {"op": "replace", "path": "emails[type eq \"z\"].value", "value": "x"}]),
            "",
            Err("noTarget"),
        ),
        (
            json!([{"op": "replace", "path": "title", "value": "x"}, {"op": "replace", "path": "userName", "value": "bo"}]),
            "",
            Err("uniqueness"),
        ),
        (
            json!([{"op": "remove", "path": "title"}, {"op": "add", "path": "title", "value": "y"}]),
            "/title",
            Ok(json!("y")),
        ),
    ]
}

#[tokio::test]
async fn every_clause_of_a_users_patch_holds() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    client.user("bo").await;
    let cases = [words_and_names(), value_paths(), bad_paths(), unassigned(), wholes()].into_iter().flatten();
    for (operations, pointer, expected) in cases {
        let path = client.created(USERS, ann()).await;
        let before = client.get(&path).await;
        let reply = client.patch(&path, operations.clone()).await;
        let read = client.get(&path).await;
        match expected {
            Ok(value) => {
                assert_eq!(reply.status, 200, "{operations}: {reply}");
                let found = reply.body.pointer(&pointer.replace('~', "~0")).cloned().unwrap_or_default();
                assert_eq!(found, value, "{operations}: {reply}");
                assert_eq!((&read.body, read.header("etag")), (&reply.body, reply.header("etag")));
            }
            Err(scim_type) => {
                let status = if scim_type == "uniqueness" { 409 } else { 400 };
                assert_eq!(refused(&reply), (status, scim_type), "{operations}: {reply}");
                assert_eq!(
                    (&read.body, read.header("etag")),
                    (&before.body, before.header("etag")),
                    "{operations}"
                );
            }
        }
        assert_eq!(client.delete(&path).await.status, 204);
    }
}

#[tokio::test]
async fn bodies_of_a_patch_are_checked() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.created(USERS, ann()).await;
    let add = json!([{"op": "add", "path": "title", "value": "x"}]);
    for (body, scim_type) in [
        (json!({}), "invalidSyntax"),
        (json!({"Operations": {}}), "invalidSyntax"),
        (json!({"Operations": ["x"]}), "invalidSyntax"),
        (json!({"Operations": [{"path": "title", "value": "x"}]}), "invalidSyntax"),
        (json!({"schemas": [CORE], "Operations": add}), "invalidSyntax"),
        (
            json!({"schemas": "urn:ietf:params:scim:api:messages:2.0:PatchOp", "Operations": add}),
            "invalidSyntax",
        ),
        (json!({"Operations": vec![add[0].clone(); 1001]}), "invalidValue"),
    ] {
        assert_eq!(refused(&client.send("PATCH", &path, body.clone()).await), (400, scim_type), "{body}");
    }
    let most = json!({"operations": vec![add[0].clone(); 1000]});
    assert_eq!(client.send("PATCH", &path, most).await.body["title"], "x");
}

fn members(body: &Value) -> Vec<&str> {
    let members = body["members"].as_array().map(Vec::as_slice).unwrap_or_default();
    members.iter().map(|member| member["value"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn members_are_changed_as_either_profile_says() {
    let world = World::new().await;
    let (client, entra) = (Client::new(&world).await, Client::entra(&world).await);
    let (ann, bo, cy) = (client.user("ann").await, client.user("bo").await, client.user("cy").await);
    let [a, b, c] = [id(&ann), id(&bo), id(&cy)];
    let value = |ids: &[&str]| ids.iter().map(|id| json!({ "value": id })).collect::<Value>();
    let path = |id: &str| format!("members[value eq \"{id}\"]");
    for client in [&client, &entra] {
        for (operations, expected) in [
            (json!([{"op": "Remove", "path": "members", "value": value(&[a, c])}]), Ok(vec![b])),
            (json!([{"op": "remove", "path": "members", "value": [a]}]), Ok(vec![b])),
            (json!([{"op": "remove", "path": "members", "value": {"value": a}}]), Ok(vec![b])),
            (json!([{"op": "remove", "path": "members", "value": []}]), Ok(vec![a, b])),
            (json!([{"op": "remove", "path": "members"}]), Ok(vec![])),
            (json!([{"op": "remove", "path": path(a)}]), Ok(vec![b])),
            (
                json!([{"op": "remove", "path": format!("{}:members[VALUE Eq \"{a}\" or value eq \"{b}\"]", "urn:ietf:params:scim:schemas:core:2.0:Group")}]),
                Ok(vec![]),
            ),
            (json!([{"op": "remove", "path": path(c)}, {"op": "remove", "path": path("x")}]), Ok(vec![a, b])),
            (json!([{"op": "add", "path": "members", "value": value(&[c, a])}]), Ok(vec![a, b, c])),
            (json!([{"op": "add", "path": "members", "value": {"value": c}}]), Ok(vec![a, b, c])),
            (json!([{"op": "add", "path": path(c), "value": {"type": "User"}}]), Ok(vec![a, b, c])),
            (
                json!([{"op": "add", "value": {"members": value(&[c]), "displayName": "X"}}]),
                Ok(vec![a, b, c]),
            ),
            (json!([{"op": "replace", "path": "members", "value": value(&[c])}]), Ok(vec![c])),
            (json!([{"op": "replace", "path": "members", "value": []}]), Ok(vec![])),
            (json!([{"op": "replace", "path": "members", "value": null}]), Ok(vec![])),
            (json!([{"op": "replace", "value": {"members": value(&[c, b])}}]), Ok(vec![b, c])),
            (
                json!([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": value(&[c])}]),
                Ok(vec![c]),
            ),
            (
                json!([{"op": "add", "path": "members", "value": value(&[c])}, {"op": "remove", "path": path(c)}]),
                Ok(vec![a, b]),
            ),
            // What is not understood changes nothing.
            (
                json!([{"op": "remove", "path": "members", "value": [{"display": "Ann"}]}]),
                Err("invalidValue"),
            ),
            (
                json!([{"op": "remove", "path": "members", "value": a, "x": 1}, {"op": "remove", "path": "displayName"}]),
                Err("mutability"),
            ),
            (json!([{"op": "replace", "path": "members", "value": [{"nothing": a}]}]), Err("invalidValue")),
            (json!([{"op": "remove", "path": "members[display eq \"Ann\"]"}]), Err("invalidFilter")),
            (json!([{"op": "remove", "path": "members[value ne \"x\"]"}]), Err("invalidFilter")),
            (json!([{"op": "remove", "path": "members[value sw \"\"]"}]), Err("invalidFilter")),
            (json!([{"op": "remove", "path": "members[value eq \"x\"].value"}]), Err("mutability")),
            (json!([{"op": "remove", "path": "members.value"}]), Err("mutability")),
            (json!([{"op": "replace", "path": path(a), "value": {"value": c}}]), Err("mutability")),
            (
                json!([{"op": "replace", "path": "displayName", "value": ""}, {"op": "remove", "path": "members"}]),
                Err("invalidValue"),
            ),
        ] {
            let group = client.group("Night", &[&ann, &bo]).await;
            let reply = client.patch(&group, operations.clone()).await;
            let read = client.get(&group).await;
            match expected {
                Ok(mut ids) => {
                    assert_eq!(reply.status, 200, "{operations}: {reply}");
                    let mut found = members(&read.body);
                    found.sort_unstable();
                    ids.sort_unstable();
                    assert_eq!(found, ids, "{operations}");
                }
                Err(scim_type) => {
                    assert_eq!(refused(&reply), (400, scim_type), "{operations}: {reply}");
                    assert_eq!(members(&read.body).len(), 2, "{operations}");
                    assert_eq!(read.body["displayName"], "Night");
                }
            }
            assert_eq!(client.delete(&group).await.status, 204);
        }
    }
    // A group is no member of another.
    let group = client.group("Night", &[]).await;
    let nested = json!({"displayName": "G", "members": [{"value": id(&group), "type": "Group"}]});
    assert_eq!(refused(&client.post(GROUPS, nested).await), (400, "invalidValue"));
}
