//! The same operation over each dialect that has it leaves the same directory, and all of them read the same then.

use std::time::Duration;

use muster_domain::Slice;
use muster_domain::user::{Role, User};
use muster_domain::user_group::UserGroupStore as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cross_users::{Both, all};
use crate::onlive::{GROUPS, USERS, id};
use crate::people::patch;
use crate::scim::{Client, GROUPS as SCIM_GROUPS, USERS as SCIM_USERS};
use crate::support::{Reply, World};

const BO: &str = "bo@acme.example";
const IDA: &str = "ida@acme.example";

/// The users and the journal, without what chance or the dialect decides: random ids, who called, whether a login is unique
/// over all tenants (only Convirza's users claim theirs), and the document that SCIM keeps.
pub(crate) async fn left(world: &World) -> (Vec<User>, Vec<String>) {
    let mut users = all(world).await;
    for user in &mut users {
        (user.uuid, user.password_hash, user.login_claimed, user.document) = (Uuid::nil(), None, false, None);
    }
    let journal = world.journal().await.into_iter().map(|mut entry| {
        if let Some(fields) = entry.payload.as_object_mut() {
            fields.remove("document");
        }
        format!("{} {} v{} {}", entry.kind, entry.entity_id, entry.version, entry.payload)
    });
    (users, journal.collect())
}

/// What a dialect does to Bo, or to make Ida.
enum Way {
    Create(fn() -> Value),
    Change(fn() -> Value),
    Delete,
    /// The dialect does not have it, or has another rule.
    Not,
}

use Way::{Change, Create, Delete, Not};

struct Operation {
    name: &'static str,
    /// Convirza, Onlive, SCIM, each with the status of its answer: dialects tell some refusals apart.
    over: [(Way, u16); 3],
}

#[expect(clippy::needless_pass_by_value, reason = "bodies are made with json!()")]
fn set(path: &str, value: Value) -> Value {
    json!({"Operations": [{"op": "replace", "path": path, "value": value}]})
}

/// What all dialects have, though SCIM may have another rule.
fn of_all() -> Vec<Operation> {
    vec![
        Operation {
            name: "create",
            over: [
                (
                    Create(
                        || json!({"username": IDA, "first_name": "Ida", "last_name": "Moro", "role": "ReadOnly"}),
                    ),
                    201,
                ),
                (Create(|| json!({"email": IDA, "firstName": "Ida", "lastName": "Moro"})), 201),
                (
                    Create(|| {
                        let name = json!({"givenName": "Ida", "familyName": "Moro"});
                        json!({"userName": IDA, "name": name, "roles": [{"value": "ReadOnly"}]})
                    }),
                    201,
                ),
            ],
        },
        Operation {
            name: "create with an address that is taken",
            over: [
                (
                    Create(
                        || json!({"username": "BO@acme.example", "first_name": "Ida", "last_name": "Moro"}),
                    ),
                    400,
                ),
                (Create(|| json!({"email": "BO@acme.example", "firstName": "Ida", "lastName": "Moro"})), 409),
                (Create(|| json!({"userName": "BO@acme.example"})), 409),
            ],
        },
        Operation {
            name: "rename",
            over: [
                (Change(|| json!({"first_name": " Zo\u{eb} ", "last_name": "e\u{301}"})), 200),
                (Change(|| json!({"firstName": " Zo\u{eb} ", "lastName": "e\u{301}"})), 200),
                (Change(|| set("name", json!({"givenName": " Zo\u{eb} ", "familyName": "e\u{301}"}))), 200),
            ],
        },
        Operation {
            name: "another role",
            over: [
                (Change(|| json!({"role": "Admin"})), 200),
                (Change(|| json!({"role": "admin"})), 200),
                (Change(|| set("roles", json!([{"value": "ReadOnly"}, {"value": "admin"}]))), 200),
            ],
        },
        Operation {
            name: "nothing",
            over: [
                (Change(|| json!({"first_name": "Ada"})), 200),
                (Change(|| json!({"firstName": "Ada"})), 200),
                (Change(|| set("name.givenName", json!("Ada"))), 200),
            ],
        },
        Operation {
            name: "an empty name",
            over: [
                (Change(|| json!({"last_name": " "})), 400),
                (Change(|| json!({"lastName": " "})), 400),
                (Not, 0),
            ],
        },
    ]
}

/// What two of them have.
fn of_two() -> Vec<Operation> {
    vec![
        Operation {
            name: "another login",
            over: [
                (Change(|| json!({"username": " Bob@acme.example "})), 200),
                (Not, 0),
                (Change(|| set("userName", json!(" Bob@acme.example "))), 200),
            ],
        },
        Operation {
            name: "a login that is taken",
            over: [
                (Change(|| json!({"username": "ADA@acme.example"})), 400),
                (Not, 0),
                (Change(|| set("userName", json!("ADA@acme.example"))), 409),
            ],
        },
        Operation {
            name: "deactivate",
            over: [
                (Change(|| json!({"user_status": "inactive"})), 200),
                (Not, 0),
                (Change(|| set("active", json!("False"))), 200),
            ],
        },
        Operation {
            name: "time zone",
            over: [
                (Change(|| json!({"timezone": "asia/tokyo"})), 200),
                (Not, 0),
                (Change(|| set("timezone", json!("asia/tokyo"))), 200),
            ],
        },
        Operation {
            name: "number",
            over: [
                (Change(|| json!({"agent_ring_to": "+13035550110"})), 200),
                (Not, 0),
                (Change(|| set("phoneNumbers", json!([{"value": "+13035550110"}]))), 200),
            ],
        },
        Operation {
            name: "external id",
            over: [
                (Change(|| json!({"user_ext_id": "E1"})), 200),
                (Not, 0),
                (Change(|| set("externalId", json!("E1"))), 200),
            ],
        },
        Operation { name: "delete for good", over: [(Not, 0), (Delete, 200), (Delete, 204)] },
    ]
}

impl Way {
    /// Does it over Convirza, Onlive or SCIM, if that has it.
    async fn run(&self, both: &Both<'_>, scim: &Client<'_>, over: usize) -> Option<Reply> {
        let (number, path) = both.ids(BO).await;
        let scim_path = format!("{SCIM_USERS}/{}", id(&path));
        Some(match (self, over) {
            (Create(body), 0) => both.world.post("/v3/users", body()).bearer(&both.token).send().await,
            (Create(body), 1) => both.onlive.post(USERS, body()).await,
            (Create(body), _) => scim.post(SCIM_USERS, body()).await,
            (Change(body), 0) => patch(both.world, &both.token, number, body()).await,
            (Change(body), 1) => both.onlive.put(&path, body()).await,
            (Change(body), _) => scim.send("PATCH", &scim_path, body()).await,
            (Delete, 1) => both.onlive.delete(&path).await,
            (Delete, 2) => scim.delete(&scim_path).await,
            (Delete | Not, _) => return None,
        })
    }
}

/// What SCIM shows of a user that all dialects have: names, login, role, and when it was made and changed.
async fn over_scim(scim: &Client<'_>, path: &str) -> Value {
    let body = scim.get(&format!("{SCIM_USERS}/{}", id(path))).await.body;
    let time = body["meta"]["created"].as_str().unwrap()[..19].to_owned();
    json!([
        body["name"]["givenName"],
        body["name"]["familyName"],
        body["userName"],
        body["roles"][0]["value"],
        time
    ])
}

#[tokio::test]
async fn the_same_operation_over_any_dialect_leaves_the_same_directory() {
    for Operation { name, over } in of_all().into_iter().chain(of_two()) {
        let mut directories = Vec::new();
        for (n, (way, status)) in over.into_iter().enumerate() {
            let world = World::new().await;
            world.user(BO, Role::Standard, 1002).await;
            let (both, scim) = (Both::of(&world).await, Client::new(&world).await);
            let (group, (_, bo)) = (both.onlive.group("Night").await, both.ids(BO).await);
            assert_eq!(both.onlive.put(&bo, json!({"userGroupId": id(&group)})).await.status, 200);
            world.advance(Duration::from_secs(5));
            let Some(reply) = way.run(&both, &scim, n).await else { continue };
            assert_eq!(reply.status, status, "{name}: {reply}");
            let users = all(&world).await;
            for login in [IDA, BO, "Bob@acme.example"] {
                let is_there = users.iter().any(|user| user.login == login && !user.is_deleted());
                // What SCIM was told in other words is not what the others read.
                if is_there && !["another role", "rename"].contains(&name) {
                    let [convirza, onlive] = both.reads(login).await;
                    let (_, path) = both.ids(login).await;
                    assert_eq!(convirza, onlive, "{name}");
                    assert_eq!(over_scim(&scim, &path).await, onlive, "{name}");
                }
            }
            let (users, journal) = left(&world).await;
            // The group has another id in each world.
            let of_group = journal.iter().map(|entry| entry.replace(id(&group), "group")).collect::<Vec<_>>();
            let users: Vec<User> =
                users.into_iter().map(|user| User { user_group_id: None, ..user }).collect();
            directories.push((users, of_group));
        }
        assert!(directories.len() > 1, "{name}");
        for other in &directories[1..] {
            assert_eq!(&directories[0], other, "{name}");
        }
    }
}

/// Every group by its name: its external id, its members, and those of whom it is the primary one.
async fn groups(world: &World) -> Vec<(String, Option<String>, Vec<String>, Vec<String>)> {
    let (store, tenant) = (&world.directory().store, world.acme.tenant());
    let found = store.user_groups(tenant, None, Slice { limit: 100, offset: 0 }).await.unwrap().items;
    let mut groups = Vec::new();
    for group in found {
        let (mut members, mut primary) = (Vec::new(), Vec::new());
        for user in all(world).await {
            let of_user = store.memberships(tenant, user.id).await.unwrap();
            if of_user.contains(group.id) {
                members.push(user.login.clone());
            }
            if user.user_group_id == Some(group.id) {
                primary.push(user.login);
            }
        }
        assert_eq!(group.members, members.len() as u64);
        groups.push((group.name, group.external_id, members, primary));
    }
    groups.sort();
    groups
}

/// A step of the life of two groups and their member, over Onlive and over SCIM.
type Step = (&'static str, fn(&[String; 3]) -> [(&'static str, String, Value); 2]);

/// Of the paths: Night, Day, Bo (all Onlive's).
const STEPS: &[Step] = &[
    ("join", |[night, _, bo]| {
        let add = json!({"Operations": [{"op": "add", "path": "members", "value": [{"value": id(bo)}]}]});
        [("PUT", bo.clone(), json!({"userGroupId": id(night)})), ("PATCH", of_scim(night), add)]
    }),
    ("rename", |[night, ..]| {
        let after = json!({"name": " Late ", "externalId": "L 1"});
        [
            ("PUT", night.clone(), after),
            (
                "PATCH",
                of_scim(night),
                json!({"Operations": [
                    {"op": "replace", "value": {"displayName": " Late ", "externalId": "L 1"}},
                ]}),
            ),
        ]
    }),
    ("an external id that is taken", |[_, day, _]| {
        let taken = json!({"Operations": [{"op": "add", "path": "externalId", "value": "l 1"}]});
        [("PUT", day.clone(), json!({"externalId": "l 1"})), ("PATCH", of_scim(day), taken)]
    }),
    ("no external id", |[night, ..]| {
        let none = json!({"Operations": [{"op": "remove", "path": "externalId"}]});
        [("PUT", night.clone(), json!({"externalId": null})), ("PATCH", of_scim(night), none)]
    }),
    ("leave", |[night, _, bo]| {
        let path = format!("members[value eq \"{}\"]", id(bo));
        let leave = json!({"Operations": [{"op": "remove", "path": path}]});
        [("PUT", bo.clone(), json!({"userGroupId": null})), ("PATCH", of_scim(night), leave)]
    }),
    ("delete", |[night, ..]| {
        [("DELETE", night.clone(), Value::Null), ("DELETE", of_scim(night), Value::Null)]
    }),
];

fn of_scim(path: &str) -> String {
    format!("{SCIM_GROUPS}/{}", id(path))
}

#[tokio::test]
async fn groups_are_the_same_whoever_changes_them() {
    let mut lives = Vec::new();
    for over in 0..2 {
        let world = World::new().await;
        world.user(BO, Role::Standard, 1002).await;
        let (both, scim) = (Both::of(&world).await, Client::new(&world).await);
        let (_, bo) = both.ids(BO).await;
        let mut paths = Vec::new();
        for name in ["Night", "Day"] {
            let path = match over {
                0 => both.onlive.group(name).await,
                _ => scim.group(name, &[]).await,
            };
            paths.push(format!("{GROUPS}/{}", id(&path)));
        }
        let paths = [paths[0].clone(), paths[1].clone(), bo];
        let mut life = vec![groups(&world).await];
        for (name, step) in STEPS {
            let [onlive, of_scim] = step(&paths);
            let (method, path, body) = if over == 0 { onlive } else { of_scim };
            let reply = match (over, &body) {
                (_, Value::Null) if over == 0 => both.onlive.call(method, &path).send().await,
                (_, Value::Null) => scim.call(method, &path).send().await,
                (0, body) => both.onlive.call(method, &path).json(body.clone()).send().await,
                (_, body) => scim.send(method, &path, body.clone()).await,
            };
            let is_refused = *name == "an external id that is taken";
            assert_eq!(reply.status == 409, is_refused, "{name}: {reply}");
            assert_eq!(reply.status.is_success(), !is_refused, "{name}: {reply}");
            // Both read what there is now.
            let shown = scim.select(SCIM_GROUPS, "displayName pr", "displayName").await;
            let mut listed = both.onlive.all(GROUPS, "name").await;
            listed.reverse();
            assert_eq!(shown, listed, "{name}");
            life.push(groups(&world).await);
        }
        lives.push(life);
    }
    assert_eq!(lives[0], lives[1]);
}
