//! Random filters over random resources.

use muster_domain::predicate::{PredicateRow, TextColumn};
use muster_domain::text;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::scim::schema::USERS;
use crate::scim::value::set;

/// What is compared with what: few values, so that many of them are equal.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[aAbBß]{1,2}",
        Just("ss".to_owned()),
        Just("work".to_owned()),
        Just("É".to_owned()),
        Just("e\u{301}".to_owned()),
    ]
}

fn time() -> impl Strategy<Value = String> {
    (0..4, prop_oneof![Just(""), Just(".000"), Just(".001"), Just(".0005"), Just(".0011")])
        .prop_map(|(second, fraction)| format!("2026-01-01T00:00:0{second}{fraction}Z"))
}

fn path(path: &str) -> AttrPath {
    path.parse().unwrap()
}

fn operator() -> impl Strategy<Value = Operator> {
    proptest::sample::select(Operator::ALL.to_vec())
}

fn order() -> impl Strategy<Value = Operator> {
    use Operator::{Eq, Ge, Gt, Le, Lt, Ne};
    proptest::sample::select(vec![Eq, Ne, Gt, Ge, Lt, Le])
}

/// Comparisons that make sense, of a resource or of its elements.
fn comparison(texts: &'static [&'static str], resource: bool) -> BoxedStrategy<Filter> {
    let equal = || proptest::sample::select(vec![Operator::Eq, Operator::Ne]);
    let text = proptest::sample::select(texts);
    let texts = (text.clone(), operator(), word())
        .prop_map(|(name, operator, value)| Filter::Compare(path(name), operator, value.into()));
    let present = (text.clone(), any::<bool>()).prop_map(|(name, null)| {
        let path = path(name);
        if null { Filter::Compare(path, Operator::Eq, Value::Null) } else { Filter::Present(path) }
    });
    let flag = if resource { "active" } else { "primary" };
    let booleans = (equal(), any::<bool>())
        .prop_map(move |(operator, value)| Filter::Compare(path(flag), operator, value.into()));
    if !resource {
        return prop_oneof![6 => texts, 1 => present, 1 => booleans].boxed();
    }
    let times = (order(), time())
        .prop_map(|(operator, at)| Filter::Compare(path("meta.lastModified"), operator, at.into()));
    prop_oneof![8 => texts, 2 => present, 2 => booleans, 2 => times].boxed()
}

fn joined(leaf: BoxedStrategy<Filter>, depth: u32) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(depth, 12, 3, |inner| {
        let many = || proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            many().prop_map(Filter::Or),
            many().prop_map(Filter::And),
            inner.clone().prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
    .boxed()
}

/// A filter that makes sense for users.
fn sensible() -> BoxedStrategy<Filter> {
    let within = joined(comparison(&["value", "type"], false), 2)
        .prop_map(|filter| Filter::Within(path("emails"), Box::new(filter)));
    let texts = &[
        "id",
        "userName",
        "displayName",
        "externalId",
        "emails",
        "emails.value",
        "emails.type",
        "title",
        "members.value",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    ];
    joined(prop_oneof![4 => comparison(texts, true), 1 => within].boxed(), 4)
}

fn user() -> impl Strategy<Value = Map<String, Value>> {
    let text = || proptest::option::of(word());
    let email = (text(), text(), proptest::option::of(any::<bool>())).prop_map(|(value, of, primary)| {
        let mut email = Map::new();
        set(&mut email, "value", value.map(Value::from));
        set(&mut email, "type", of.map(Value::from));
        set(&mut email, "primary", primary.map(Value::from));
        Value::Object(email)
    });
    let emails = proptest::collection::vec(email, 0..3);
    let texts = (word(), word(), text(), text(), text(), text());
    (texts, emails, proptest::option::of(any::<bool>()), time()).prop_map(|(texts, emails, active, at)| {
        let (id, user_name, display_name, external_id, title, manager) = texts;
        // What is shown is cut to milliseconds.
        let at = text::instant(&at).unwrap().millis().to_string();
        let mut user = Map::new();
        set(&mut user, "id", Some(id.into()));
        set(&mut user, "userName", Some(user_name.into()));
        set(&mut user, "displayName", display_name.map(Value::from));
        set(&mut user, "externalId", external_id.map(Value::from));
        set(&mut user, "title", title.map(Value::from));
        set(&mut user, "active", active.map(Value::from));
        set(&mut user, "emails", (!emails.is_empty()).then(|| emails.into()));
        set(&mut user, "meta", Some(json!({"lastModified": at})));
        let manager = manager.map(|id| json!({"manager": {"value": id}}));
        set(&mut user, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", manager);
        user
    })
}

/// The row of a user, whose time has more digits than are shown.
fn row(user: &Map<String, Value>, below_millis: i64) -> PredicateRow {
    let text = |column: TextColumn, value: Option<&Value>| {
        let value = value?.as_str()?;
        Some((column, if column.is_keyed() { text::key(value) } else { value.to_owned() }))
    };
    let emails = user.get("emails").and_then(Value::as_array).into_iter().flatten();
    let shown = text::instant(user["meta"]["lastModified"].as_str().unwrap()).unwrap();
    PredicateRow {
        texts: [
            text(TextColumn::Id, user.get("id")),
            text(TextColumn::Login, user.get("userName")),
            text(TextColumn::DisplayName, user.get("displayName")),
            text(TextColumn::ExternalId, user.get("externalId")),
        ]
        .into_iter()
        .chain(emails.map(|email| text(TextColumn::Email, email.get("value"))))
        .flatten()
        .collect(),
        active: user.get("active") != Some(&Value::Bool(false)),
        modified_at: muster_domain::Timestamp(shown.0 + below_millis),
    }
}

/// Any filter that can be written.
fn any_filter() -> BoxedStrategy<Filter> {
    let name = "[a-zA-Z][a-zA-Z0-9_-]{0,5}";
    let any_path = (proptest::option::of("urn:[a-z0-9:.]{1,9}"), name, proptest::option::of(name))
        .prop_map(|(schema, name, sub)| AttrPath { schema, name, sub });
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(?s).{0,9}".prop_map(Value::from),
    ];
    let leaf = prop_oneof![
        any_path.clone().prop_map(Filter::Present),
        (any_path.clone(), operator(), value)
            .prop_map(|(path, operator, value)| Filter::Compare(path, operator, value)),
    ]
    .boxed();
    let within =
        (any_path, joined(leaf.clone(), 3)).prop_map(|(path, filter)| Filter::Within(path, Box::new(filter)));
    joined(prop_oneof![3 => leaf, 1 => within].boxed(), 6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_printed_parses_to_itself(filter in any_filter()) {
        prop_assert_eq!(parse(&filter.to_string()).map_err(|error| error.detail), Ok(filter));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "(?s)([a-z]{1,3}|[ ()\\[\\].:\"\\\\]|\\PC| (eq|and|or|not|pr) ){0,20}") {
        if let Ok(filter) = parse(&text) {
            prop_assert_eq!(parse(&filter.to_string()).map_err(|error| error.detail), Ok(filter.clone()));
            _ = Condition::of(&filter, &USERS);
        }
        _ = parse_path(&text);
    }

    #[test]
    fn a_store_finds_all_that_a_filter_selects(filter in sensible(), users in proptest::collection::vec((user(), 0..1000_i64), 1..20)) {
        let condition = Condition::of(&filter, &USERS).map_err(|error| TestCaseError::fail(error.detail))?;
        let lowered = lower(&condition);
        for (user, below_millis) in &users {
            let (holds, found) = (condition.holds(user), lowered.predicate.holds(&row(user, *below_millis)));
            prop_assert!(found || !holds, "lost by {:?}: {:?}", lowered, user);
            prop_assert!(found == holds || !lowered.exact, "not exact: {:?}: {:?}", lowered, user);
        }
    }
}

#[test]
fn what_has_a_column_is_looked_up() {
    let lowered = |text: &str| lower(&Condition::of(&parse(text).unwrap(), &USERS).unwrap());
    for text in [
        r#"userName eq "a" or displayName co "b" and not (externalId pr)"#,
        r#"id eq "x" and emails eq "a@x" or emails.value ew "@y""#,
        r#"emails[value eq "a"] and active eq "True""#,
        r#"meta.lastModified gt "2026-01-01T00:00:00Z""#,
        r#"members[value eq "x"]"#,
    ] {
        assert!(lowered(text).exact, "{text}");
    }
    assert_eq!(
        lowered(r#"meta.resourceType eq "Group" or active eq false"#).predicate,
        lowered("active eq false").predicate
    );
    let part = lowered(r#"userName eq "a" and title pr"#);
    assert!(!part.exact);
    assert_eq!(part.predicate, lowered(r#"userName eq "a""#).predicate);
    for text in [
        r#"emails[type eq "work" and value eq "a"]"#,
        r#"emails[value sw "a" and value ew "b"]"#,
        "emails pr",
    ] {
        assert!(!lowered(text).exact, "{text}");
    }
}
