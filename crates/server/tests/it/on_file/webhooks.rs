//! The server is killed while it writes and sends; and who may not work on a file beside a worker.

use std::sync::Arc;

use crate::place::Place;
use crate::support::{create_tenant, fail, succeed};
use crate::webhooks::crash::nothing_is_lost_by_kills;
use crate::webhooks::told::Worker;

#[test]
fn webhooks_are_told_everything_although_the_server_is_killed() {
    nothing_is_lost_by_kills(Place::file(), 1, 2);
}

/// It would go on with the key that it has read.
#[test]
fn who_must_be_alone_on_a_store_waits_for_the_end_of_its_workers() {
    let place = Arc::new(Place::file());
    create_tenant(place.path(), "Acme", "ada@acme.example");
    succeed(place.path(), &["backup", "copy.db"]);
    let workers = ["one", "two"].map(|name| Worker::start(Arc::clone(&place), name, &[]));
    for args in [
        &["key", "rotate"][..],
        &["restore", "copy.db", "--replace"],
        &["migrate-store", "--from", "sqlite:muster-data/muster.db", "--to", "sqlite:other/muster.db"],
    ] {
        let said = fail(place.path(), args);
        assert!(said.contains("a muster worker is running on this store"), "{args:?}: {said}");
    }
    workers.into_iter().for_each(Worker::stop);
    succeed(place.path(), &["key", "rotate"]);
    Worker::start(place, "three", &[]).stop();
}
