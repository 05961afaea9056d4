//! `muster worker`: sends in the place of a server, and beside it.

use std::collections::HashSet;
use std::thread::sleep;
use std::time::Duration;

use super::order::assert_ordered;
use super::sink::{Hit, Reply, Sink};
use super::told::{Told, Worker};
use crate::place::Place;
use crate::support::{fail, succeed, tamper};

#[test]
fn a_worker_sends_what_a_server_leaves_to_it() {
    let sink = Sink::new();
    let told = Told::start(Place::new(), &sink, &["--webhooks", "off"]);
    told.group("before");
    sleep(Duration::from_secs(3));
    assert_eq!(sink.hits().len(), 0, "the server does not send");
    let worker = Worker::start(told.server.place(), "worker", &[]);
    sink.wait_for(1);
    told.group("after");
    assert_eq!(sink.wait_for(2)[1].body["type"], "group.created");
    told.wait_for("delivered", 2);
    worker.stop();
    told.group("when it is gone");
    sleep(Duration::from_secs(3));
    assert_eq!(sink.hits().len(), 2);
    succeed(told.server.folder(), &["doctor"]);
}

#[test]
fn a_worker_needs_a_store() {
    let place = Place::file();
    assert!(fail(place.path(), &["worker"]).contains("no store at muster-data/muster.db"));
    assert!(!place.path().join("muster-data").exists());
}

/// While nothing fails and nobody dies, what comes twice was sent by two at once.
#[test]
fn workers_and_a_server_share_the_work_and_send_nothing_twice() {
    const GROUPS: usize = 60;
    let sink = Sink::answering(|_| Reply::Slow(Duration::from_millis(3)));
    let told = Told::start(Place::new(), &sink, &[]);
    let mut workers: Vec<_> = ["one", "two"].map(|name| Worker::start(told.server.place(), name, &[])).into();
    for n in 0..GROUPS {
        told.group(&format!("group {n}"));
        if n == GROUPS / 2 {
            // Whoever has the lease at that time gives it back.
            workers.remove(0).stop();
            workers.push(Worker::start(told.server.place(), "three", &[]));
        }
    }
    told.wait_for("delivered", GROUPS);
    let hits = sink.hits();
    let numbers: HashSet<_> = hits.iter().map(Hit::number).collect();
    assert_eq!((hits.len(), numbers.len()), (GROUPS, GROUPS));
    assert_ordered(&hits);
    workers.into_iter().for_each(Worker::stop);
}

#[test]
fn what_ended_long_ago_is_not_kept() {
    let sink = Sink::new();
    let told = Told::start(Place::new(), &sink, &["--webhooks", "off"]);
    told.group("old");
    told.group("of yesterday");
    let worker = Worker::start(told.server.place(), "before", &[]);
    let kept = told.wait_for("delivered", 2)[0]["id"].clone();
    worker.stop();
    let day = 24 * 3_600_000_000_i64;
    tamper(
        &told.server.place(),
        &format!("UPDATE webhook_deliveries SET at = at - 2 * {day} WHERE id <> {kept}"),
    );
    // The periodic work begins some seconds after the start.
    let worker = Worker::start(told.server.place(), "after", &["--delivery-retention", "1"]);
    let left = told.wait_for("delivered", 1);
    assert_eq!(left[0]["id"], kept);
    worker.stop();
}
