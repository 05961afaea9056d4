use serde_json::{Map, Value, json};

use super::*;
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::scim::{ScimError, ScimType};

fn condition(kind: &ResourceType, text: &str) -> Result<Condition, ScimError> {
    Condition::of(&parse(text)?, kind)
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("{value} is no object") };
    object
}

fn ann() -> Map<String, Value> {
    object(json!({
        "id": "2819c223-7f76-453a-919d-413861904646",
        "userName": "Ann@Example.org",
        "externalId": "X1",
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "title": "",
        "active": true,
        "emails": [
            {"value": "ann@work.example", "type": "work", "primary": true},
            {"value": "ann@home.example", "type": "home"},
        ],
        "profileUrl": "https://example.org/Ann",
        "meta": {"lastModified": "2026-02-03T04:05:06.789Z"},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "department": "Sales",
            "manager": {"value": "M1", "displayName": "Bo"},
        },
    }))
}

#[test]
fn filters_print_as_they_are_read() {
    for (text, printed) in [
        (r#"userName Eq "bj""#, r#"userName eq "bj""#),
        ("  title   PR ", "title pr"),
        ("a eq 1 AND b ne -1.5e3 Or not(c pr)", "a eq 1 and b ne -1500.0 or not (c pr)"),
        ("(a pr or b pr) and c pr", "(a pr or b pr) and c pr"),
        ("((a pr))", "a pr"),
        ("a pr and (b pr and c pr)", "a pr and (b pr and c pr)"),
        (r#"emails[type eq "work" and value co "@x"]"#, r#"emails[type eq "work" and value co "@x"]"#),
        (r#"emails[type eq "work"].value sw "a""#, r#"emails[type eq "work" and value sw "a"]"#),
        (r#"urn:x:2.0:User:name.givenName eq "J\"\\\u00e9""#, r#"urn:x:2.0:User:name.givenName eq "J\"\\é""#),
        ("active eq True and x eq NULL", "active eq true and x eq null"),
        ("not pr", "not pr"),
        (r#"members.$ref eq "x""#, r#"members.$ref eq "x""#),
    ] {
        let filter = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.to_string(), printed);
    }
}

#[test]
fn what_is_no_filter_is_told_with_its_place() {
    let refused = |text: &str| {
        let error = parse(text).expect_err(text);
        assert_eq!(error.scim_type, ScimType::InvalidFilter);
        error.detail
    };
    assert_eq!(refused(""), "the name of an attribute expected at character 1");
    assert_eq!(
        refused("userName"),
        "an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr) expected at character 9"
    );
    assert_eq!(refused(r#"ä eq "x""#), "the name of an attribute expected at character 1");
    assert_eq!(refused(r#"a eq "é" und b pr"#), "`and`, `or` or the end expected at character 10");
    for wrong in [
        "userName eq bjensen",
        r#"userName eq "bj"#,
        r#"userName = "bj""#,
        r#"(a eq "x""#,
        r#"a eq "x")"#,
        "a pr and",
        "a pr or or b pr",
        "not a pr",
        "emails[type pr",
        "emails[]",
        "emails[a[b pr]]",
        "emails[type pr].",
        "emails[type pr].value",
        "a.b.c pr",
        "a..b pr",
        "1a pr",
        "x:y pr",
        "a eq 01",
        "a eq 1e999",
        r#"a eq "\x""#,
        "a eq 'x'",
    ] {
        refused(wrong);
    }
    refused(&"(".repeat(100_000));
    refused(&format!("{}a pr{}", "(".repeat(33), ")".repeat(33)));
    parse(&format!("{}a pr{}", "(".repeat(32), ")".repeat(32))).unwrap();
    refused(&vec!["a pr"; 201].join(" or "));
    parse(&vec!["a pr"; 200].join(" or ")).unwrap();
    refused(&format!("a eq \"{}\"", "ä".repeat(4096)));
}

#[test]
fn conditions_hold_as_the_schema_has_it() {
    let ann = ann();
    for (text, holds) in [
        (r#"userName eq "ANN@example.ORG""#, true),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User:username sw "ann""#, true),
        (r#"externalId eq "x1""#, false),
        (r#"externalId eq "X1""#, true),
        (r#"externalId gt "X0" and externalId le "X1" and not (externalId lt "X1")"#, true),
        (r#"profileUrl ew "ann""#, false),
        (r#"emails eq "ann@HOME.example""#, true),
        (r#"emails.value co "@home""#, true),
        (r#"emails[type eq "work" and value co "@home"]"#, false),
        (r#"emails[type eq "HOME" and value co "@home"]"#, true),
        (r#"emails[type eq "work"].value eq "ann@work.example""#, true),
        (r#"emails[primary eq "True"]"#, true),
        (r#"emails[not (type eq "work")]"#, true),
        (r#"emails.type ne "work""#, false),
        (r#"emails.type ne "other""#, true),
        ("active eq true", true),
        (r#"active eq "TRUE""#, true),
        (r#"active eq "False""#, false),
        ("active ne false", true),
        ("title pr", false),
        (r#"title eq """#, true),
        ("nickName pr", false),
        (r#"nickName eq "x""#, false),
        (r#"nickName ne "x""#, true),
        ("nickName eq null", true),
        ("emails ne null", true),
        ("name pr", true),
        ("phoneNumbers pr", false),
        (r#"meta.lastModified gt "2026-02-03T05:05:06+01:00""#, true),
        (r#"meta.lastModified eq "2026-02-03T05:05:06.789+01:00""#, true),
        (r#"meta.lastModified ge "2026-02-03T04:05:06.790Z""#, false),
        (r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "sales""#, true),
        (r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "M1""#, true),
        (r#"meta.resourceType eq "User""#, true),
        (r#"meta.resourceType ne "User" or meta.resourceType eq "user""#, false),
        // What only groups have is without a value here.
        (r#"members.value eq "x""#, false),
        (r#"members.value ne "x""#, true),
    ] {
        let condition = condition(&USERS, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(condition.holds(&ann), holds, "{text}");
    }
    assert!(condition(&USERS, "active eq true").unwrap().holds(&Map::new()));
    assert!(!condition(&USERS, "active pr").unwrap().holds(&Map::new()));
    assert!(condition(&GROUPS, r#"members eq "x""#).unwrap().names("members"));
}

#[test]
fn nonsense_is_refused() {
    for wrong in [
        "active gt true",
        r#"active eq "yes""#,
        "active eq 1",
        r#"active co "t""#,
        "userName eq 1",
        "userName eq true",
        "userName gt null",
        r#"meta.lastModified gt "yesterday""#,
        r#"meta.lastModified co "2026""#,
        r#"x509Certificates gt "x""#,
        r#"name eq "Ann""#,
        r#"addresses eq "x""#,
        r#"userName.value eq "x""#,
        r#"userName[value eq "x"]"#,
        "emails.value[type pr]",
        "emails[color pr]",
        "unknown pr",
        r#"urn:x:userName eq "x""#,
        r#"department eq "x""#,
        "password pr",
        r#"password eq "secret""#,
    ] {
        let error = condition(&USERS, wrong).expect_err(wrong);
        assert_eq!(error.scim_type, ScimType::InvalidFilter, "{wrong}");
    }
}

#[test]
fn paths_of_patch_are_read() {
    let path = |text: &str| {
        let path = parse_path(text).ok()?;
        Some((path.attribute.to_string(), path.filter.map(|filter| filter.to_string()), path.sub))
    };
    let some = |attribute: &str, filter: Option<&str>, sub: Option<&str>| {
        Some((attribute.to_owned(), filter.map(str::to_owned), sub.map(str::to_owned)))
    };
    assert_eq!(path("name.givenName"), some("name.givenName", None, None));
    assert_eq!(
        path(r#"emails[type EQ "work"].value"#),
        some("emails", Some(r#"type eq "work""#), Some("value"))
    );
    assert_eq!(path(r#"members[value eq "1"]"#), some("members", Some(r#"value eq "1""#), None));
    for wrong in [
        "",
        "emails[",
        "emails[type]",
        "a b",
        "emails[type pr]x",
        "emails[type pr].",
        "a.",
        ".a",
        "a[b pr][c pr]",
    ] {
        assert_eq!(parse_path(wrong).map_err(|error| error.scim_type), Err(ScimType::InvalidPath), "{wrong}");
    }
}
