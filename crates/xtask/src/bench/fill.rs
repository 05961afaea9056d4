//! Creating the org units through the API, as any client would.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::client::{self, Connection};

/// Children of each unit: a thousand units stand on four levels below the top, a million on seven.
const CHILDREN: usize = 8;
/// Connections that create units; enough for the store to commit them in groups.
const CONNECTIONS: usize = 16;

/// Creates `count` units below `top` and returns their ids; a unit's place is its number.
pub(super) async fn create(
    address: SocketAddr,
    token: &str,
    top: u64,
    count: u32,
) -> anyhow::Result<Vec<u64>> {
    let count = usize::try_from(count)?;
    let token: Arc<str> = token.into();
    let mut ids = vec![0; count];
    let mut level = 0..CHILDREN.min(count);
    while !level.is_empty() {
        let parents: Arc<[u64]> = level.clone().map(|n| parent(n).map_or(top, |n| ids[n])).collect();
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (token, parents, next) = (Arc::clone(&token), Arc::clone(&parents), Arc::clone(&next));
            workers.spawn(worker(address, token, level.start, parents, next));
        }
        while let Some(done) = workers.join_next().await {
            for (number, id) in done?? {
                ids[number] = id;
            }
        }
        level = below(&level, count);
    }
    Ok(ids)
}

/// The number of a unit's parent; `None` for those right below the top.
fn parent(number: usize) -> Option<usize> {
    (number / CHILDREN).checked_sub(1)
}

/// The numbers of the children of a level.
fn below(level: &Range<usize>, count: usize) -> Range<usize> {
    level.end..(CHILDREN * (level.end + 1)).min(count)
}

/// Creates units until the level is complete.
async fn worker(
    address: SocketAddr,
    token: Arc<str>,
    first: usize,
    parents: Arc<[u64]>,
    next: Arc<AtomicUsize>,
) -> anyhow::Result<Vec<(usize, u64)>> {
    let mut connection = Connection::open(address).await?;
    let mut made = Vec::new();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(parent) = parents.get(at) else {
            return Ok(made);
        };
        let number = first + at;
        let body = json!({
            "org_unit_name": format!("Unit {number:07}"),
            "org_unit_ext_id": format!("R-{number:07}"),
            "org_unit_parent_id": parent,
            "address": "1 Elm St", "city": "Reno", "state": "NV", "zip": "89501",
            "phone_number": "+1-775-555-0100", "industry_id": 4,
        });
        let request = client::post("/v3/groups", Some(&token), &body);
        let answer = connection.call(&request).await.context("creating an org unit")?;
        let body: Value = serde_json::from_slice(answer.body)?;
        made.push((number, body["data"]["orgUnitId"].as_u64().context("an org unit without an id")?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_holds_the_children_of_the_one_above() {
        assert_eq!(parent(0), None);
        assert_eq!(parent(7), None);
        assert_eq!(parent(8), Some(0));
        assert_eq!(parent(71), Some(7));
        assert_eq!(below(&(0..8), 1000), 8..72);
        assert_eq!(below(&(8..72), 1000), 72..584);
        assert_eq!(below(&(72..584), 1000), 584..1000);
        assert!(below(&(584..1000), 1000).is_empty());
        assert!((584..1000).all(|n| parent(n).is_some_and(|parent| (72..584).contains(&parent))));
    }
}
