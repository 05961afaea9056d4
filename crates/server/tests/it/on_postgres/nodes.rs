//! Several servers on one database: what one writes the others see on the next request, and one may go at any time.

use std::sync::Arc;

use serde_json::json;

use crate::callers::Callers;
use crate::load::{Load, assert_all_there};
use crate::place::Place;
use crate::support::{PASSWORD, Server, succeed};

const NODES: usize = 3;

fn node(place: &Arc<Place>) -> Server {
    Server::start_in(
        Arc::clone(place),
        &["--rate-limits", "off", "--log", "warn,muster=info,muster::request=off"],
    )
}

fn addresses(nodes: &[Server]) -> Vec<String> {
    nodes.iter().map(|node| node.address.clone()).collect()
}

#[test]
fn a_node_that_is_killed_under_load_takes_nothing_along() {
    let place = Arc::new(Place::on_postgres());
    let mut nodes: Vec<_> = (0..NODES).map(|_| node(&place)).collect();
    let token = Callers::new(&place, &nodes[0]).token;
    let mut done = Vec::new();
    for round in 0..NODES {
        let load = Load::start(&addresses(&nodes), &token, &format!("round {round}"), 6);
        load.wait_for(150);
        nodes.remove(round).kill();
        // The others go on.
        load.wait_for(100);
        nodes.push(node(&place));
        done.extend(load.end());
        assert_all_there(&addresses(&nodes), &token, &done);
    }
    succeed(place.path(), &["doctor"]);
}

#[test]
fn rights_that_end_on_one_node_end_on_all() {
    let place = Arc::new(Place::on_postgres());
    let nodes: Vec<_> = (0..NODES).map(|_| node(&place)).collect();
    let callers = Callers::new(&place, &nodes[0]);
    let load = Load::start(&addresses(&nodes), &callers.token, "beside", 2);
    for node in &nodes {
        assert_eq!(callers.statuses(node), [200; 3]);
    }
    let bo = json!({"username": "bo@acme.example", "first_name": "Bo", "last_name": "Ek", "role": "Admin", "password": PASSWORD});
    let made = nodes[1].send("POST", "/v3/users", &callers.token, Some(&bo));
    let path = format!("/v3/users/{}", made.body["data"]["userId"]);
    // Whichever node it is done on: each has answered with the old rights a moment before.
    for (round, changed) in nodes.iter().enumerate() {
        let token = nodes[(round + 1) % NODES].log_in("bo@acme.example", PASSWORD).unwrap();
        let statuses = || -> Vec<u16> {
            nodes.iter().map(|node| node.send("GET", "/v3/users", &token, None).status).collect()
        };
        assert_eq!(statuses(), [200; NODES], "{made:?}");
        for (role, status) in [("ReadOnly", 403), ("Admin", 200)] {
            let change = changed.send("PATCH", &path, &callers.token, Some(&json!({"role": role})));
            assert_eq!(change.status, 200, "{change:?}");
            assert_eq!(statuses(), [status; NODES], "{role}");
        }
        let token_type = json!({"token_type": "access", "token": token});
        assert_eq!(changed.send("POST", "/oauth/revoke-token", &token, Some(&token_type)).status, 200);
        assert_eq!(statuses(), [401; NODES]);
    }
    load.wait_for(1);
    load.end();

    succeed(place.path(), &["tenant", "disable", "Acme"]);
    for node in &nodes {
        assert_eq!(callers.statuses(node), [401, 403, 401]);
    }
    succeed(place.path(), &["tenant", "enable", "Acme"]);
    for node in &nodes {
        assert_eq!(callers.statuses(node), [200; 3]);
    }
    callers.revoke_keys();
    for node in &nodes {
        assert_eq!(callers.statuses(node), [200, 401, 401]);
    }
}
