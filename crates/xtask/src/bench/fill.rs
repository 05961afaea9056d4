//! Filling a store through the API, as any client would: a tree of org units, and users spread over it.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::caller::Caller;
use super::client::{self, Connection};

/// Children of each unit: a million units stand on six levels below the top, and there are branches of about
/// 100,000, 10,000 and so on.
const CHILDREN: usize = 10;
/// Connections that write; enough for the store to commit them in groups.
const CONNECTIONS: usize = 16;

/// A bar on standard error, if that is a terminal; else a line at the beginning.
pub(super) fn bar(what: &str, length: usize) -> ProgressBar {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    eprintln!("{what}: {length}");
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len}, {per_sec}, {eta} left");
    let bar = ProgressBar::new(length);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Where and as whom it is written.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) address: SocketAddr,
    pub(super) caller: Caller,
}

/// Creates `count` units below `top` and returns their ids; a unit's place is its number.
pub(super) async fn units(writer: &Writer, top: u64, count: usize) -> anyhow::Result<Vec<u64>> {
    let bar = bar("creating org units", count);
    let mut ids = vec![0; count];
    let mut level = 0..CHILDREN.min(count);
    while !level.is_empty() {
        let parents: Vec<u64> = level.clone().map(|n| parent(n).map_or(top, |n| ids[n])).collect();
        let first = level.start;
        let body = move |at: usize| {
            let number = first + at;
            json!({
                "org_unit_name": format!("Unit {number:07}"),
                "org_unit_ext_id": format!("R-{number:07}"),
                "org_unit_parent_id": parents[at],
                "address": "1 Elm St", "city": "Reno", "state": "NV", "zip": "89501",
                "phone_number": "+1-775-555-0100", "industry_id": 4,
            })
        };
        let made = post_all(
            writer,
            "/v3/groups",
            |answer| answer["data"]["orgUnitId"].as_u64(),
            level.len(),
            &bar,
            body,
        )
        .await?;
        ids[level.clone()].copy_from_slice(&made);
        level = below(&level, count);
    }
    bar.finish_and_clear();
    Ok(ids)
}

/// Creates `count` users, each in another unit until there is one in each, and so on.
pub(super) async fn users(writer: &Writer, units: &Arc<[u64]>, count: usize) -> anyhow::Result<()> {
    let bar = bar("creating users", count);
    let units = Arc::clone(units);
    let body = move |number: usize| {
        json!({
            "username": format!("user{number:07}@bench.example"),
            "first_name": format!("First {}", number % 1000),
            "last_name": format!("Last {number:07}"),
            "ct_user_ou_id": units[number % units.len()],
        })
    };
    post_all(writer, "/v3/users", |answer| answer["data"]["userId"].as_u64(), count, &bar, body).await?;
    bar.finish_and_clear();
    Ok(())
}

/// Creates `count` contact groups without contacts and returns their ids.
pub(super) async fn contact_groups(writer: &Writer, count: usize) -> anyhow::Result<Vec<u64>> {
    let bar = bar("creating contact groups", count);
    let body = |number: usize| {
        json!({
            "name": format!("Group {number:07}"), "description": "Made for the bench",
            "name_a": "First name", "name_b": "Last name",
        })
    };
    let ids = post_all(writer, "/groups", |answer| answer["id"].as_u64(), count, &bar, body).await?;
    bar.finish_and_clear();
    Ok(ids)
}

/// Creates `count` user groups and returns their ids.
pub(super) async fn user_groups(writer: &Writer, count: usize) -> anyhow::Result<Vec<Uuid>> {
    let bar = bar("creating user groups", count);
    let body = |number: usize| {
        json!({
            "name": format!("Group {number:07}"), "description": "Made for the bench",
            "externalId": format!("G-{number:07}"), "extraFields": { "site": "Turin" },
        })
    };
    let ids = post_all(writer, "/api/v1/user-groups", uuid, count, &bar, body).await?;
    bar.finish_and_clear();
    Ok(ids)
}

/// Creates `count` users, each in the group that `group_of` tells, and returns their ids.
pub(super) async fn members(
    writer: &Writer,
    count: usize,
    group_of: impl Fn(usize) -> Uuid + Send + Sync + 'static,
) -> anyhow::Result<Vec<Uuid>> {
    let bar = bar("creating members of user groups", count);
    let body = move |number: usize| {
        json!({
            "firstName": format!("First {}", number % 1000),
            "lastName": format!("Last {number:07}"),
            "email": format!("member{number:07}@bench.example"),
            "userGroupId": group_of(number),
        })
    };
    let ids = post_all(writer, "/api/v1/users", uuid, count, &bar, body).await?;
    bar.finish_and_clear();
    Ok(ids)
}

/// The id in an answer of the Onlive dialect.
fn uuid(answer: &Value) -> Option<Uuid> {
    answer["id"].as_str()?.parse().ok()
}

/// The number of a unit's parent; `None` for those right below the top.
fn parent(number: usize) -> Option<usize> {
    (number / CHILDREN).checked_sub(1)
}

/// The numbers of the children of a level.
fn below(level: &Range<usize>, count: usize) -> Range<usize> {
    level.end..(CHILDREN * (level.end + 1)).min(count)
}

/// The branch whose number of units, its root included, is nearest to `size`, as the number of its root and that
/// size. `count` units are in the tree.
pub(super) fn branch(count: usize, size: usize) -> (usize, usize) {
    // A unit's first child comes later than the unit itself, so one pass from the end is enough.
    let mut sizes = vec![1_usize; count];
    for number in (0..count).rev() {
        if let Some(parent) = parent(number) {
            sizes[parent] += sizes[number];
        }
    }
    let nearest = (0..count).min_by_key(|number| (sizes[*number].abs_diff(size), *number)).unwrap_or(0);
    (nearest, sizes[nearest])
}

/// Posts `count` bodies from several connections and returns the ids of what was made, in order. `id` finds it in
/// an answer.
async fn post_all<Id: Clone + Default + Send + 'static>(
    writer: &Writer,
    path: &'static str,
    id: fn(&Value) -> Option<Id>,
    count: usize,
    bar: &ProgressBar,
    body: impl Fn(usize) -> Value + Send + Sync + 'static,
) -> anyhow::Result<Vec<Id>> {
    let next = Arc::new(AtomicUsize::new(0));
    let body = Arc::new(body);
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (writer, next, body, bar) = (writer.clone(), Arc::clone(&next), Arc::clone(&body), bar.clone());
        workers.spawn(async move {
            let mut connection = Connection::open(writer.address).await?;
            let mut made = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return anyhow::Ok(made);
                }
                let request = client::post(path, &writer.caller, &body(at));
                let answer = connection.call(&request).await.context(path)?;
                let answer: Value = serde_json::from_slice(answer.body)?;
                made.push((at, id(&answer).context("what was made has no id")?));
                bar.inc(1);
            }
        });
    }
    let mut ids = vec![Id::default(); count];
    while let Some(done) = workers.join_next().await {
        for (at, id) in done?? {
            ids[at] = id;
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_holds_the_children_of_the_one_above() {
        assert_eq!(parent(0), None);
        assert_eq!(parent(9), None);
        assert_eq!(parent(10), Some(0));
        assert_eq!(parent(109), Some(9));
        assert_eq!(below(&(0..10), 1000), 10..110);
        assert_eq!(below(&(10..110), 1000), 110..1000);
        assert!(below(&(110..1000), 1000).is_empty());
        assert!((110..1000).all(|n| parent(n).is_some_and(|parent| (10..110).contains(&parent))));
    }

    #[test]
    fn branches_of_a_size_are_found() {
        assert_eq!(branch(1_000_000, 10_000), (98, 10_001));
        assert_eq!(branch(1_000_000, 100_000), (8, 100_001));
        assert_eq!(branch(10, 100), (0, 1));
    }
}
