//! A store grows out of its file, and goes back into one.

use std::sync::Arc;

use crate::callers::Callers;
use crate::place::Place;
use crate::support::{PASSWORD, Server, fail, succeed};

#[test]
fn whoever_got_in_before_a_move_gets_in_after_it() {
    let file = Arc::new(Place::file());
    let server = Server::start_in(Arc::clone(&file), &[]);
    let callers = Callers::new(&file, &server);
    assert_eq!(callers.write(&server, "Before").map(|answer| answer.status), [201; 3]);

    let database = Arc::new(Place::on_postgres());
    let (url, key) = (database.url().unwrap(), database.path().join("muster-data"));
    let there =
        ["--from", "sqlite:muster-data/muster.db", "--to", &url, "--to-data-dir", key.to_str().unwrap()];
    let there = [&["migrate-store"], &there[..]].concat();
    let refused = fail(file.path(), &there);
    assert!(refused.contains("another muster server is running"), "{refused}");
    server.stop();
    let said = succeed(file.path(), &there);
    assert!(!said.contains(&url), "{said}");

    let moved = Server::start_in(Arc::clone(&database), &[]);
    let reads = callers.read(&moved);
    for answer in &reads {
        assert!(
            answer.status == 200 && answer.body.to_string().contains("Before"),
            "{} {}",
            answer.status,
            answer.body
        );
    }
    assert_eq!(callers.write(&moved, "After").map(|answer| answer.status), [201; 3]);
    assert!(moved.log_in("ada@acme.example", PASSWORD).is_some());
    succeed(database.path(), &["doctor"]);

    // And back, into a file that is not there.
    let back = Arc::new(Place::file());
    let target = back.path().join("muster-data").join("muster.db");
    let target = format!("sqlite:{}", target.display());
    let home = ["migrate-store", "--from", &url, "--from-data-dir", "muster-data", "--to", &target];
    let refused = fail(database.path(), &home);
    assert!(refused.contains("a muster server runs on this database"), "{refused}");
    moved.stop();
    succeed(database.path(), &home);
    let server = Server::start_in(Arc::clone(&back), &[]);
    for answer in callers.read(&server) {
        assert!(
            answer.body.to_string().contains("Before") && answer.body.to_string().contains("After"),
            "{}",
            answer.body
        );
    }
    succeed(back.path(), &["doctor"]);
}
