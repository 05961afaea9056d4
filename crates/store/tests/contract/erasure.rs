//! Of who is erased nothing stays in the bytes of the embedded store, neither in its file nor in the log beside it.

use std::fs;
use std::time::Duration;

use muster_domain::Patch;
use muster_domain::user::{User, UserPatch};

use crate::support::Sqlite;
use crate::world::{Org, World};

/// A text that stands in nothing else, in an order that has nothing to do with `n`.
fn marker(n: u64) -> String {
    format!("q{:016x}", (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn patch(name: &str) -> UserPatch {
    UserPatch {
        login: Some(format!("{name}@acme.example")),
        first_name: Some(format!("{name} first")),
        last_name: Some(format!("{name} last")),
        agent_ring_to: Patch::Set(format!("{name} phone")),
        ..UserPatch::default()
    }
}

async fn users(world: &World<Sqlite>, org: &Org, count: u64) -> Vec<User> {
    let mut users = Vec::new();
    for n in 0..count {
        users.push(world.create_user(org, patch(&marker(n))).await.unwrap());
    }
    users
}

/// How many of the texts stand in the file or in its log.
fn found(world: &World<Sqlite>, texts: &[String]) -> usize {
    let file = world.backend.file();
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend(fs::read(file.with_extension("db-wal")).unwrap());
    let bytes = String::from_utf8_lossy(&bytes);
    texts.iter().filter(|text| bytes.contains(text.as_str())).count()
}

#[tokio::test]
async fn nothing_of_an_erased_user_is_left_in_the_files() {
    let world = World::<Sqlite>::new();
    let org = world.org("acme").await;
    let users = users(&world, &org, 600).await;
    let mut names: Vec<String> = Vec::new();
    for (n, user) in (0..).zip(&users).step_by(12) {
        // Each had another name before, and one that took more room.
        let [second, third] = [format!("{}{}", marker(n + 10_000), "x".repeat(60)), marker(n + 20_000)];
        for name in [&second, &third] {
            world.update_user(&org, user.id, patch(name)).await.unwrap();
        }
        names.extend([marker(n), second, third]);
    }
    assert_eq!(found(&world, &names), names.len());
    for user in users.iter().step_by(12) {
        world.erase_user(&org, user.id).await.unwrap();
    }
    assert_eq!(found(&world, &names), 0);
    assert_eq!(found(&world, &[marker(1), marker(13)]), 2, "the others are there");
}

#[tokio::test]
async fn the_log_is_emptied_as_soon_as_nobody_reads_what_was() {
    let world = World::<Sqlite>::new();
    let org = world.org("acme").await;
    let user = users(&world, &org, 1).await.remove(0);
    let reader = world.backend.raw();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM users").unwrap();
    // Neither the erasure nor other writes wait for the reader.
    world.erase_user(&org, user.id).await.unwrap();
    world.add_unit(&org, org.top, "North").await;
    let name = [marker(0)];
    assert_eq!(found(&world, &name), 1);
    reader.execute_batch("COMMIT").unwrap();
    for _ in 0..100 {
        if found(&world, &name) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the log still has the name");
}
