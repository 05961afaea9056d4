//! What holds for any filter. The fuzz target and a test of the gate call it; it panics if it does not hold.

use muster_api::scim::filter::{Condition, lower, parse, parse_path};
use muster_api::scim::schema::RESOURCE_TYPES;
use serde_json::{Map, Value, json};

/// A text is refused, or it is a filter that prints to itself and can be evaluated.
pub(crate) fn check(text: &str) {
    _ = parse_path(text);
    let Ok(filter) = parse(text) else { return };
    let printed = filter.to_string();
    // Printing may be longer than what was read (`1e2` becomes `100.0`), and so longer than what is read.
    if printed.len() <= text.len() {
        assert_eq!(parse(&printed), Ok(filter.clone()), "{text}");
    }
    let resource = Map::from_iter([
        ("userName".to_owned(), Value::from("ann")),
        ("emails".to_owned(), json!([{"value": "a@x.example", "type": "work"}])),
        ("meta".to_owned(), json!({"lastModified": "2026-02-03T04:05:06.789Z"})),
    ]);
    for kind in RESOURCE_TYPES {
        if let Ok(condition) = Condition::of(&filter, kind) {
            _ = condition.holds(&resource);
            _ = lower(&condition);
        }
    }
}
