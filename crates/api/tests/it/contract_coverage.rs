//! Every call of the contracts is routed, or stands among the gaps, which only become fewer.

use std::collections::{BTreeMap, BTreeSet};

const CALLS: &str = include_str!("../contract/calls.txt");
const GAPS: &str = include_str!("../contract/gaps.txt");

/// The number of gaps. It is lowered with each call that is built, and never raised: a call that a contract
/// newly asks for is built when it is listed.
const MOST_GAPS: usize = 14;

/// Routes that no contract asks for, as `METHOD /path`.
const OURS: &[&str] = &[
    // What has a version shows it when it is read alone.
    "GET /v3/tag/{}",
    // The contract of Onlive takes a slash at the end of a collection, without a line of its own.
    "GET /api/v1/users/",
    "POST /api/v1/users/",
    "GET /api/v1/user-groups/",
    "POST /api/v1/user-groups/",
];

/// The calls of a list, each with the comment above it. What varies in a path has different names here and
/// there, and counts as the same.
fn calls<'a>(file: &str, text: &'a str) -> BTreeMap<String, &'a str> {
    let mut heading = "";
    let mut calls = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix('#') {
            heading = comment.trim();
            continue;
        }
        let (method, path) = line.split_once(' ').unwrap_or_else(|| panic!("{file}: {line}: METHOD /path"));
        let is_call = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) && path.starts_with('/');
        assert!(is_call, "{file}: {line}: METHOD /path");
        assert!(calls.insert(call(method, path), heading).is_none(), "{file}: {line} stands twice");
    }
    calls
}

fn call(method: &str, path: &str) -> String {
    let segment = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    let path: Vec<String> = path.split('/').map(segment).collect();
    format!("{method} {}", path.join("/"))
}

fn routed() -> BTreeSet<String> {
    muster_api::routes().map(|route| call(route.method.as_str(), route.path)).collect()
}

#[test]
fn every_call_of_the_contracts_is_routed_or_a_known_gap() {
    let (routed, gaps) = (routed(), calls("gaps.txt", GAPS));
    for call in calls("calls.txt", CALLS).keys() {
        assert!(
            routed.contains(call) || gaps.contains_key(call),
            "{call} is a call of a contract (tests/contract/calls.txt), but is neither routed nor in gaps.txt"
        );
    }
}

#[test]
fn every_route_is_a_call_of_a_contract() {
    let calls = calls("calls.txt", CALLS);
    for route in routed() {
        assert!(
            calls.contains_key(&route) || OURS.contains(&&*route),
            "{route} is routed, but no contract asks for it: list it in crates/api/tests/contract/calls.txt, or, \
             if it is our own, in OURS of contract_coverage.rs"
        );
    }
}

#[test]
fn the_gaps_are_true_have_reasons_and_only_become_fewer() {
    let (routed, calls) = (routed(), self::calls("calls.txt", CALLS));
    let gaps = self::calls("gaps.txt", GAPS);
    for (gap, reason) in &gaps {
        assert!(calls.contains_key(gap), "{gap} in gaps.txt is no call of a contract (calls.txt)");
        assert!(!routed.contains(gap), "{gap} is routed now: remove it from gaps.txt and lower MOST_GAPS");
        assert!(reason.len() > 10, "{gap} in gaps.txt stands under no reason");
    }
    let count = gaps.len();
    assert!(
        count <= MOST_GAPS,
        "gaps.txt lists {count} calls, and may list {MOST_GAPS}: gaps only become fewer"
    );
    assert_eq!(count, MOST_GAPS, "fewer gaps: lower MOST_GAPS to {count}, so that none comes back");
}
