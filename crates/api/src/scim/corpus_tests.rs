//! Requests as identity providers send them, after their public descriptions, each with its expected effect.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::filter::{Condition, lower, parse};
use super::patch::{Patch, Profile};
use super::read::read;
use super::schema::{RESOURCE_TYPES, ResourceType};
use super::value::set;
use super::{ScimError, ScimType};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scim/corpus");

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// What a request of the corpus comes to, in the form in which the corpus tells it.
fn effect(case: &Value) -> Result<Value, ScimError> {
    let kind = kind(&case["resourceType"]);
    let before = case["before"].as_object().cloned().unwrap_or_default();
    let body = case["body"].clone();
    match case["method"].as_str().unwrap_or_default() {
        "GET" => select(kind, case),
        "POST" => {
            let draft = read(kind, body)?;
            Ok(told(draft.resource, draft.members.map(|ids| json!({"join": ids}))))
        }
        "PUT" => {
            let draft = read(kind, body)?.replacing(kind, &before);
            Ok(told(draft.resource, draft.members.map(|ids| json!({"replaceAll": true, "join": ids}))))
        }
        "PATCH" => {
            let profile = if case["profile"] == "entra" { Profile::Entra } else { Profile::Rfc };
            let patch = Patch::read(kind, profile, body)?;
            let mut members = Map::new();
            if patch.members.replace_all {
                members.insert("replaceAll".to_owned(), true.into());
            }
            for (name, ids) in [("join", &patch.members.join), ("leave", &patch.members.leave)] {
                if !ids.is_empty() {
                    members.insert(name.to_owned(), json!(ids));
                }
            }
            Ok(told(patch.apply(&before)?, (!members.is_empty()).then(|| members.into())))
        }
        other => panic!("the corpus has no method {other}"),
    }
}

fn kind(name: &Value) -> &'static ResourceType {
    RESOURCE_TYPES.into_iter().find(|kind| name == kind.name).expect("a resource type")
}

fn told(resource: Map<String, Value>, members: Option<Value>) -> Value {
    let mut told = Map::from_iter([("after".to_owned(), resource.into())]);
    set(&mut told, "members", members);
    told.into()
}

/// The ids of the resources that a filter selects, and whether a store does that alone.
fn select(kind: &ResourceType, case: &Value) -> Result<Value, ScimError> {
    let condition = Condition::of(&parse(case["filter"].as_str().unwrap_or_default())?, kind)?;
    let resources = case["resources"].as_array().into_iter().flatten().filter_map(Value::as_object);
    let selected: Vec<&Value> =
        resources.filter(|resource| condition.holds(resource)).map(|resource| &resource["id"]).collect();
    Ok(json!({"selected": selected, "exact": lower(&condition).exact}))
}

#[test]
fn requests_of_identity_providers_have_their_expected_effects() {
    let files = files(Path::new(CORPUS));
    assert!(files.len() >= 30, "the corpus is incomplete");
    for file in files {
        let case: Value = serde_json::from_slice(&fs::read(&file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let effect = effect(&case).unwrap_or_else(|error| json!({"error": error.scim_type.as_str()}));
        assert_eq!(effect, case["effect"], "{}", file.display());
    }
}

#[test]
fn errors_are_documents() {
    let error = ScimError::new(ScimType::Uniqueness, "taken");
    assert_eq!(
        error.document(),
        json!({"schemas": [super::error::ERROR], "status": "409", "scimType": "uniqueness", "detail": "taken"})
    );
    assert_eq!(super::error::document(404, None, "gone").get("scimType"), None);
}
