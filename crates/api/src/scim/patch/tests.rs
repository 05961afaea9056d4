use serde_json::{Map, Value, json};

use super::*;
use crate::scim::ScimType;
use crate::scim::schema::{GROUPS, USERS};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn ann() -> Map<String, Value> {
    let ann = json!({
        "schemas": [CORE, ENTERPRISE],
        "id": "1",
        "userName": "ann",
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "active": true,
        "emails": [
            {"value": "a@work.example", "type": "work", "primary": true},
            {"value": "a@home.example", "type": "home"},
        ],
        "groups": [{"value": "g1"}],
        ENTERPRISE: {"department": "Sales", "manager": {"value": "2", "displayName": "Bo"}},
    });
    object(ann)
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("{value} is no object") };
    object
}

/// What operations make of [`ann`].
fn patched(profile: Profile, operations: &Value) -> Result<Value, ScimError> {
    let body = json!({"schemas": [PATCH_OP], "Operations": operations});
    let patch = Patch::read(&USERS, profile, body)?;
    assert!(patch.members.is_empty());
    patch.apply(&ann()).map(Value::Object)
}

fn done(operation: &Value) -> Value {
    patched(Profile::Rfc, &json!([operation])).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

fn refused(operation: &Value) -> ScimType {
    patched(Profile::Rfc, &json!([operation])).expect_err(&operation.to_string()).scim_type
}

/// [`ann`] with other values; null takes one away.
fn but(changes: Value) -> Value {
    let mut ann = ann();
    for (name, value) in object(changes) {
        crate::scim::value::set(&mut ann, &name, (!value.is_null()).then_some(value));
    }
    ann.into()
}

#[test]
fn single_values_are_set_and_taken_away() {
    assert_eq!(done(&json!({"op": "Add", "path": "TITLE", "value": "Dr"})), but(json!({"title": "Dr"})));
    assert_eq!(
        done(&json!({"op": "replace", "path": "active", "value": "False"})),
        but(json!({"active": false}))
    );
    assert_eq!(done(&json!({"op": "REMOVE", "path": "active"})), but(json!({"active": null})));
    assert_eq!(
        done(&json!({"op": "replace", "path": "active", "value": null})),
        but(json!({"active": null}))
    );
    assert_eq!(done(&json!({"op": "replace", "path": "active", "value": []})), but(json!({"active": null})));
    assert_eq!(done(&json!({"op": "remove", "path": "title"})), but(json!({})));
    assert_eq!(
        done(&json!({"op": "replace", "path": "password", "value": "x"})),
        but(json!({"password": "x"}))
    );
}

#[test]
fn complex_values_keep_what_is_not_named() {
    let name = json!({"name": {"givenName": "Eve", "familyName": "Lee"}});
    assert_eq!(
        done(&json!({"op": "replace", "path": "name", "value": {"GIVENNAME": "Eve"}})),
        but(name.clone())
    );
    assert_eq!(done(&json!({"op": "add", "path": "name.givenName", "value": "Eve"})), but(name.clone()));
    assert_eq!(done(&json!({"op": "replace", "value": {"name.givenName": "Eve"}})), but(name.clone()));
    assert_eq!(
        done(&json!({"op": "add", "value": {format!("{CORE}:name.givenName"): "Eve"}})),
        but(name.clone())
    );
    assert_eq!(done(&json!({"op": "add", "value": {CORE: {"name": {"givenName": "Eve"}}}})), but(name));
    assert_eq!(
        done(&json!({"op": "replace", "path": "name", "value": {"givenName": null}})),
        but(json!({"name": {"familyName": "Lee"}}))
    );
    assert_eq!(done(&json!({"op": "remove", "path": "name"})), but(json!({"name": null})));
    assert_eq!(done(&json!({"op": "replace", "path": "name", "value": null})), but(json!({"name": null})));
}

#[test]
fn extensions_have_their_schema_as_long_as_they_have_values() {
    let manager =
        but(json!({ENTERPRISE: {"department": "Sales", "manager": {"value": "3", "displayName": "Bo"}}}));
    for operation in [
        json!({"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": "3"}),
        json!({"op": "add", "path": format!("{ENTERPRISE}:manager.value"), "value": "3"}),
        json!({"op": "add", "path": ENTERPRISE, "value": {"manager": {"value": "3", "displayName": "no"}}}),
        json!({"op": "add", "value": {ENTERPRISE: {"manager": "3"}}}),
        json!({"op": "add", "value": {format!("{ENTERPRISE}:Manager"): "3"}}),
    ] {
        assert_eq!(done(&operation), manager);
    }
    let bare = but(json!({"schemas": [CORE], ENTERPRISE: null}));
    assert_eq!(done(&json!({"op": "remove", "path": ENTERPRISE})), bare);
    assert_eq!(done(&json!({"op": "replace", "value": {ENTERPRISE: null}})), bare);
    let twice = json!([{"op": "remove", "path": ENTERPRISE}, {"op": "add", "path": format!("{ENTERPRISE}:division"), "value": "X"}]);
    assert_eq!(patched(Profile::Rfc, &twice).unwrap(), but(json!({ENTERPRISE: {"division": "X"}})));
}

#[test]
fn values_are_added_once_and_one_is_primary() {
    let (work, home) = (ann()["emails"][0].clone(), ann()["emails"][1].clone());
    for there in [
        json!([home]),
        json!(home),
        json!("a@home.example"),
        json!([{"value": "a@home.example"}]),
        json!([]),
        json!(null),
    ] {
        assert_eq!(done(&json!({"op": "add", "path": "emails", "value": there})), but(json!({})));
    }
    // What differs in its type is another value.
    let mail = json!({"value": "a@home.example", "type": "other"});
    let three = but(json!({"emails": [work, home, mail]}));
    assert_eq!(done(&json!({"op": "add", "path": "emails", "value": mail})), three);
    let other = json!({"value": "x@y.example", "primary": true});
    let settled = json!([{"value": "a@work.example", "type": "work", "primary": false}, home, other]);
    assert_eq!(
        done(&json!({"op": "add", "path": "emails", "value": [other]})),
        but(json!({"emails": settled}))
    );
    let raised = json!([
        {"value": "a@work.example", "type": "work", "primary": false},
        {"value": "a@home.example", "type": "home", "primary": true},
    ]);
    for operation in [
        json!({"op": "replace", "path": r#"emails[type eq "home"].primary"#, "value": "True"}),
        json!({"op": "replace", "path": r#"emails[type eq "home"]"#, "value": {"primary": true}}),
        json!({"op": "add", "path": "emails", "value": {"value": "a@home.example", "primary": true}}),
    ] {
        assert_eq!(done(&operation), but(json!({"emails": raised})));
    }
    assert_eq!(
        refused(&json!({"op": "replace", "path": "emails.primary", "value": true})),
        ScimType::InvalidValue
    );
    assert_eq!(
        refused(&json!({"op": "add", "path": "emails", "value": [other, {"value": "b", "primary": true}]})),
        ScimType::InvalidValue
    );
    assert_eq!(
        done(&json!({"op": "replace", "path": "emails", "value": [work]})),
        but(json!({"emails": [work]}))
    );
    assert_eq!(done(&json!({"op": "replace", "path": "emails", "value": []})), but(json!({"emails": null})));
}

#[test]
fn elements_are_chosen_by_filters() {
    let (work, home) = (ann()["emails"][0].clone(), ann()["emails"][1].clone());
    let changed = json!([{"value": "n@work.example", "type": "work", "primary": true}, home]);
    for operation in [
        json!({"op": "replace", "path": r#"emails[type eq "work"].value"#, "value": "n@work.example"}),
        json!({"op": "add", "path": r#"Emails[Type EQ "WORK"].Value"#, "value": "n@work.example"}),
        json!({"op": "replace", "path": r#"emails[primary eq "True"]"#, "value": {"value": "n@work.example"}}),
        json!({"op": "replace", "value": {r#"emails[type eq "work"].value"#: "n@work.example"}}),
    ] {
        assert_eq!(done(&operation), but(json!({"emails": changed})));
    }
    let created = json!([work, home, {"type": "other", "value": "o@x.example"}]);
    let add = json!({"op": "add", "path": r#"emails[type eq "other"].value"#, "value": "o@x.example"});
    assert_eq!(done(&add), but(json!({"emails": created})));
    let replace =
        json!({"op": "replace", "path": r#"emails[type eq "other"]"#, "value": {"value": "o@x.example"}});
    assert_eq!(refused(&replace.clone()), ScimType::NoTarget);
    assert_eq!(patched(Profile::Entra, &json!([replace])).unwrap(), but(json!({"emails": created})));
    let vague = json!({"op": "add", "path": r#"emails[type sw "other"].value"#, "value": "o@x.example"});
    assert_eq!(refused(&vague), ScimType::NoTarget);

    assert_eq!(
        done(&json!({"op": "remove", "path": r#"emails[type eq "home"]"#})),
        but(json!({"emails": [work]}))
    );
    assert_eq!(done(&json!({"op": "remove", "path": r#"emails[type eq "x"]"#})), but(json!({})));
    assert_eq!(done(&json!({"op": "remove", "path": "emails[value pr]"})), but(json!({"emails": null})));
    assert_eq!(
        done(&json!({"op": "remove", "path": r#"emails[type eq "home"].value"#})),
        but(json!({"emails": [work, {"type": "home"}]}))
    );
    // Nothing added is nothing removed, and an element of nothing is none.
    assert_eq!(
        done(&json!({"op": "add", "path": r#"emails[type eq "home"]"#, "value": null})),
        but(json!({}))
    );
    let nothing = json!({"value": null, "type": null});
    assert_eq!(
        done(&json!({"op": "replace", "path": r#"emails[type eq "home"]"#, "value": nothing})),
        but(json!({"emails": [work]}))
    );
    let by_value = |value: Value| json!({"op": "remove", "path": "emails", "value": value});
    assert_eq!(done(&by_value(json!([{"value": "a@home.example"}]))), but(json!({"emails": [work]})));
    assert_eq!(done(&by_value(json!([{"value": "nobody"}]))), but(json!({})));
    assert_eq!(done(&by_value(json!([]))), but(json!({})));
    assert_eq!(done(&json!({"op": "remove", "path": "emails"})), but(json!({"emails": null})));
}

#[test]
fn what_is_read_only_is_passed_over_unless_it_is_named() {
    let value =
        json!({"id": "9", "meta": {}, "groups": [], "schemas": [], "color": 1, "urn:x:y": {}, "a b": 1});
    assert_eq!(done(&json!({"op": "replace", "value": value})), but(json!({})));
    let manager = format!("{ENTERPRISE}:manager.displayName");
    assert_eq!(done(&json!({"op": "replace", "value": {manager.clone(): "x"}})), but(json!({})));
    for path in
        ["id", "meta", "meta.version", "schemas", "groups", r#"groups[value eq "g1"]"#, manager.as_str()]
    {
        assert_eq!(
            refused(&json!({"op": "replace", "path": path, "value": "x"})),
            ScimType::Mutability,
            "{path}"
        );
        assert_eq!(refused(&json!({"op": "remove", "path": path})), ScimType::Mutability, "{path}");
    }
    for path in ["userName", "password", CORE] {
        assert_eq!(refused(&json!({"op": "remove", "path": path})), ScimType::Mutability, "{path}");
    }
}

#[test]
fn what_is_not_understood_changes_nothing() {
    for path in [
        "",
        "color",
        "name.color",
        "emails[",
        "emails[type eq work]",
        "emails[type pr].color",
        "name[givenName pr]",
        "urn:x:y",
        "a b",
        "emails.value[type pr]",
    ] {
        assert_eq!(refused(&json!({"op": "remove", "path": path})), ScimType::InvalidPath, "{path}");
    }
    assert_eq!(refused(&json!({"op": "replace", "value": {"emails[type": 1}})), ScimType::InvalidPath);
    assert_eq!(refused(&json!({"op": "remove", "path": 1})), ScimType::InvalidPath);
    assert_eq!(refused(&json!({"op": "remove", "path": "emails[color pr]"})), ScimType::InvalidFilter);
    assert_eq!(refused(&json!({"op": "remove", "path": "emails[primary gt true]"})), ScimType::InvalidFilter);
    assert_eq!(refused(&json!({"op": "remove"})), ScimType::NoTarget);
    for op in [json!("move"), json!(1), Value::Null] {
        assert_eq!(refused(&json!({"op": op, "path": "title", "value": "x"})), ScimType::InvalidSyntax);
    }
    for (path, value) in [
        ("active", json!("perhaps")),
        ("active", json!({"value": true})),
        ("userName", json!("")),
        ("userName", json!(" ")),
        ("userName", Value::Null),
        ("password", Value::Null),
        ("title", json!(["a", "b"])),
        ("title", json!("a\0b")),
        ("name", json!("Ann")),
        ("emails", json!(["a", 1])),
        ("emails", json!([{"mail": "a"}, null])),
        ("x509Certificates", json!("not base64!")),
    ] {
        assert_eq!(
            refused(&json!({"op": "replace", "path": path, "value": value})),
            ScimType::InvalidValue,
            "{path} {value}"
        );
    }
    let entra =
        |value: Value| patched(Profile::Entra, &json!([{"op": "Replace", "path": "title", "value": value}]));
    assert_eq!(entra(json!([{"value": "Dr"}])).unwrap(), but(json!({"title": "Dr"})));
    assert!(entra(json!([{"vale": "Dr"}])).is_err());
    assert_eq!(refused(&json!({"op": "add", "path": "title"})), ScimType::InvalidValue);
    assert_eq!(refused(&json!({"op": "add", "value": "x"})), ScimType::InvalidValue);
    let body =
        |body: Value| Patch::read(&USERS, Profile::Rfc, body).map(drop).map_err(|error| error.scim_type);
    for wrong in [
        json!([]),
        json!({}),
        json!({"Operations": []}),
        json!({"Operations": {}}),
        json!({"Operations": [1]}),
        json!({"schemas": [CORE], "Operations": [{"op": "add", "value": {}}]}),
    ] {
        assert_eq!(body(wrong), Err(ScimType::InvalidSyntax));
    }
    assert_eq!(body(json!({"operations": [{"OP": "add", "Value": {}}]})), Ok(()));
    assert!(
        patched(Profile::Rfc, &json!([{"op": "add", "path": "title", "value": "x".repeat(65_536)}])).is_err()
    );
    let many: Vec<String> = (0..1001).map(|n| n.to_string()).collect();
    assert!(patched(Profile::Rfc, &json!([{"op": "add", "path": "emails", "value": many}])).is_err());
}

#[test]
fn the_work_of_a_request_is_bounded() {
    let repeated = |operation: Value, times: usize| patched(Profile::Rfc, &json!(vec![operation; times]));
    let choose = json!({"op": "remove", "path": "emails[type eq \"x\" or value eq \"y\"]"});
    assert!(repeated(choose.clone(), 1000).is_ok() && repeated(choose, 1001).is_err());
    let add = |values: usize| json!({"op": "add", "path": "emails", "value": vec!["a@home.example"; values]});
    assert!(repeated(add(500), 4).is_ok() && repeated(add(501), 4).is_err());
}

#[test]
fn members_are_wishes() {
    const ID: &str = "550e8400-e29b-41d4-a716-446655440000";
    let delta = |operations: Value| {
        let patch = Patch::read(&GROUPS, Profile::Entra, json!({"Operations": operations}))?;
        assert!(!patch.changes_resource());
        Ok::<_, ScimError>((
            patch.members.replace_all,
            patch.members.join.join(" "),
            patch.members.leave.join(" "),
        ))
    };
    let wished = |all, join: &str, leave: &str| Ok((all, join.to_owned(), leave.to_owned()));
    let add = |ids: &[&str]| {
        let members: Vec<Value> = ids.iter().map(|id| json!({"value": id, "display": "x"})).collect();
        json!({"op": "Add", "path": "members", "value": members})
    };
    assert_eq!(delta(json!([add(&["a", "b", "a"])])), wished(false, "a b", ""));
    assert_eq!(delta(json!([{"op": "add", "value": {"members": [{"value": "a"}]}}])), wished(false, "a", ""));
    assert_eq!(delta(json!([{"op": "add", "path": "members", "value": "a"}])), wished(false, "a", ""));
    assert_eq!(delta(json!([{"op": "remove", "path": r#"members[value eq "a"]"#}])), wished(false, "", "a"));
    assert_eq!(
        delta(json!([{"op": "remove", "path": r#"members[value eq "a" or value eq "b"]"#}])),
        wished(false, "", "a b")
    );
    assert_eq!(
        delta(json!([{"op": "Remove", "path": "members", "value": ["x", {"value": ID.to_uppercase()}]}])),
        wished(false, "", &format!("x {ID}"))
    );
    assert!(delta(json!([{"op": "remove", "path": "members", "value": ["x"]}])).is_err());
    assert_eq!(delta(json!([{"op": "remove", "path": "members", "value": []}])), wished(false, "", ""));
    assert_eq!(delta(json!([{"op": "remove", "path": "members"}])), wished(true, "", ""));
    assert_eq!(delta(json!([{"op": "replace", "path": "members", "value": []}])), wished(true, "", ""));
    assert_eq!(
        delta(json!([{"op": "add", "path": r#"members[value eq "a"]"#, "value": {}}])),
        wished(false, "a", "")
    );
    // The last wish counts.
    let both = json!([add(&["a", "b"]), {"op": "remove", "path": r#"members[value eq "a"]"#}]);
    assert_eq!(delta(both), wished(false, "b", "a"));
    let anew = json!([add(&["a"]), {"op": "replace", "path": "members", "value": [{"value": "b"}, {"value": "d"}]}, add(&["c"]),
            {"op": "remove", "path": r#"members[value eq "d"]"#}]);
    assert_eq!(delta(anew), wished(true, "b c", ""));
    for (path, error) in [
        ("members.value", ScimType::Mutability),
        (r#"members[value eq "a"].value"#, ScimType::Mutability),
        (r#"members[type eq "User"]"#, ScimType::InvalidFilter),
        (r#"members[not (value eq "a")]"#, ScimType::InvalidFilter),
        (r#"members[value eq "a" and type eq "User"]"#, ScimType::InvalidFilter),
        ("members[", ScimType::InvalidPath),
        ("displayName", ScimType::Mutability),
    ] {
        assert_eq!(
            delta(json!([{"op": "remove", "path": path}])).map_err(|error| error.scim_type),
            Err(error),
            "{path}"
        );
    }
    assert!(
        delta(json!([{"op": "replace", "path": r#"members[value eq "a"]"#, "value": {"value": "b"}}]))
            .is_err()
    );
    assert!(delta(json!([{"op": "add", "path": "members", "value": [{"display": "x"}]}])).is_err());
    assert!(delta(json!([{"op": "replace", "path": "members", "value": [null]}])).is_err());
}
