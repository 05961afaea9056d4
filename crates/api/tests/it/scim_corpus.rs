//! The corpus of requests of identity providers, over HTTP on a real store: what each is expected to do is done, and read again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::scim::{Client, GROUPS, USERS, id, refused};
use crate::support::{Reply, World};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scim/corpus");

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// The ids of the corpus, and those that resources got instead.
#[derive(Default)]
struct Ids(Vec<(String, String)>);

impl Ids {
    fn take(&mut self, known: &str, path: &str) {
        self.0.push((known.to_owned(), id(path).to_owned()));
    }

    fn now(&self, known: &str) -> Option<&str> {
        self.0.iter().find(|(was, _)| was == known).map(|(_, now)| now.as_str())
    }

    /// A text in which ids stand between quotation marks.
    fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (was, now)| {
            let text = text.replace(&format!("\"{was}\""), &format!("\"{now}\""));
            text.replace(&format!("\\\"{was}\\\""), &format!("\\\"{now}\\\""))
        })
    }

    fn json(&self, value: &Value) -> Value {
        serde_json::from_str(&self.text(&value.to_string())).unwrap()
    }
}

/// A case of the corpus in a world of its own.
struct Case<'a> {
    about: String,
    told: Value,
    client: Client<'a>,
    collection: &'static str,
    ids: Ids,
}

impl Case<'_> {
    fn texts(&self, pointer: &str) -> Vec<String> {
        let texts = self.told.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        texts.map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// A user for each member that the case tells of.
    async fn people(&mut self) {
        let mut names: Vec<String> = ["join", "leave"]
            .iter()
            .flat_map(|which| self.texts(&format!("/effect/members/{which}")))
            .collect();
        for resource in self.told["resources"].as_array().into_iter().flatten() {
            let members = resource["members"].as_array().into_iter().flatten();
            names.extend(members.map(|member| member["value"].as_str().unwrap().to_owned()));
        }
        for name in names {
            let path = self.client.user(&format!("member {name}")).await;
            self.ids.take(&name, &path);
        }
    }

    async fn run(&mut self) {
        self.people().await;
        match self.told["method"].as_str().unwrap() {
            "GET" => self.select().await,
            "POST" => {
                let body = self.ids.json(&self.told["body"]);
                let reply = self.client.post(self.collection, body).await;
                if self.is_refused(&reply) {
                    return;
                }
                assert_eq!(reply.status, 201, "{}: {reply}", self.about);
                let path = format!("{}/{}", self.collection, reply.body["id"].as_str().unwrap());
                self.is_as_expected(&path, &reply, &[]).await;
            }
            method => self.write(method.to_owned()).await,
        }
    }

    async fn write(&mut self, method: String) {
        let mut before = self.told["before"].clone();
        let leaving = self.texts("/effect/members/leave");
        let mut members: Vec<String> =
            leaving.iter().map(|id| self.ids.now(id).unwrap().to_owned()).collect();
        if self.collection == GROUPS {
            members.push(id(&self.client.user("bystander").await).to_owned());
            before["members"] = members.iter().map(|id| json!({ "value": id })).collect();
        }
        let path = self.client.created(self.collection, before).await;
        let read = self.client.get(&path).await;
        let reply = self.client.send(&method, &path, self.ids.json(&self.told["body"])).await;
        if self.is_refused(&reply) {
            assert_eq!(self.client.get(&path).await.body, read.body, "{}: nothing is changed", self.about);
            return;
        }
        assert_eq!(reply.status, 200, "{}: {reply}", self.about);
        self.is_as_expected(&path, &reply, &members).await;
        if self.told["effect"]["after"] == self.told["before"] && self.told["effect"]["members"].is_null() {
            assert_eq!(reply.header("etag"), read.header("etag"), "{}: nothing changes", self.about);
        }
    }

    /// Whether the request is one that is refused; then it must be.
    fn is_refused(&self, reply: &Reply) -> bool {
        let error = self.told["effect"]["error"].as_str();
        if let Some(error) = error {
            assert_eq!(refused(reply), (400, error), "{}", self.about);
        }
        error.is_some()
    }

    /// The answer and what is read then are what the case expects of a resource that had these members.
    async fn is_as_expected(&self, path: &str, reply: &Reply, had: &[String]) {
        let about = &self.about;
        let read = self.client.get(path).await;
        assert_eq!((&read.body, read.header("etag")), (&reply.body, reply.header("etag")), "{about}");
        let mut expected = self.ids.json(&self.told["effect"]["after"]);
        let mut found = read.body.clone();
        let was = |name: &str| !self.told["before"][name].is_null();
        if self.collection == USERS && expected["emails"].is_null() && !was("emails") {
            // The login stands in.
            assert_eq!(found["emails"][0]["value"], found["userName"], "{about}");
            found.as_object_mut().unwrap().remove("emails");
        }
        for name in ["id", "meta", "password", "groups", "members"] {
            for resource in [&mut expected, &mut found] {
                resource.as_object_mut().unwrap().remove(name);
            }
        }
        assert_eq!(found, expected, "{about}");
        if self.collection == GROUPS {
            let now = |which: &str| -> Vec<String> {
                let ids = self.texts(&format!("/effect/members/{which}"));
                ids.iter().map(|id| self.ids.now(id).unwrap().to_owned()).collect()
            };
            let (join, leave) = (now("join"), now("leave"));
            let replaces = self.told["effect"]["members"]["replaceAll"] == true;
            let mut expected: Vec<String> =
                had.iter().filter(|id| !replaces && !leave.contains(id)).cloned().collect();
            expected.extend(join);
            expected.sort_unstable();
            assert_eq!(members(&read.body), expected, "{about}");
        }
    }

    async fn select(&mut self) {
        let resources = self.told["resources"].as_array().cloned().unwrap();
        for (n, resource) in resources.iter().enumerate() {
            let mut sent = self.ids.json(resource);
            if self.collection == USERS && sent["userName"].is_null() {
                sent["userName"] = format!("nameless {n}").into();
            }
            let path = self.client.created(self.collection, sent).await;
            self.ids.take(resource["id"].as_str().unwrap(), &path);
            self.client.world.advance(Duration::from_millis(1));
        }
        let filter = self.ids.text(self.told["filter"].as_str().unwrap());
        let found = self.client.select(self.collection, &filter, "id").await;
        let expected = match self.told["effect"]["error"].as_str() {
            Some(error) => vec![error.to_owned()],
            None => {
                self.texts("/effect/selected").iter().map(|id| self.ids.now(id).unwrap().to_owned()).collect()
            }
        };
        assert_eq!(found, expected, "{}", self.about);
    }
}

fn members(body: &Value) -> Vec<String> {
    let members = body["members"].as_array().into_iter().flatten();
    let mut ids: Vec<String> = members.map(|member| member["value"].as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn requests_of_identity_providers_do_what_is_expected_over_http() {
    let files = files(Path::new(CORPUS));
    assert!(files.len() >= 30, "the corpus is incomplete");
    for file in files {
        let case: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let world = World::new().await;
        let is_entra = case["profile"] == "entra";
        let client = if is_entra { Client::entra(&world).await } else { Client::new(&world).await };
        let collection = if case["resourceType"] == "User" { USERS } else { GROUPS };
        let about = file.strip_prefix(CORPUS).unwrap().display().to_string();
        Case { about, told: case, client, collection, ids: Ids::default() }.run().await;
    }
}
