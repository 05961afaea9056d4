//! What was acknowledged is there, whatever happens to the server, and whoever else writes.

use std::sync::Arc;

use crate::load::{Load, assert_all_there};
use crate::place::Place;
use crate::support::{PASSWORD, Server, create_tenant, succeed};

const ROUNDS: usize = 4;
const WRITERS: usize = 6;

#[test]
fn what_was_acknowledged_survives_a_kill_under_load() {
    let mut folder = Arc::new(Place::new());
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    let mut done = Vec::new();
    for round in 0..ROUNDS {
        let server = Server::start_in(
            folder,
            &["--rate-limits", "off", "--log", "warn,muster=info,muster::request=off"],
        );
        let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
        let addresses = [server.address.clone()];
        assert_all_there(&addresses, &token, &done);
        let load = Load::start(&addresses, &token, &format!("round {round}"), WRITERS);
        // In the middle of the load, however fast the machine is.
        load.wait_for(150 + 40 * round);
        folder = server.kill();
        done.extend(load.end());
        succeed(folder.path(), &["doctor"]);
    }
    let server = Server::start_in(folder, &["--rate-limits", "off"]);
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    assert_all_there(std::slice::from_ref(&server.address), &token, &done);
}

#[test]
fn commands_write_beside_the_server() {
    let server = Server::start(&["--rate-limits", "off"]);
    create_tenant(server.folder(), "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let addresses = [server.address.clone()];
    let load = Load::start(&addresses, &token, "beside", 3);
    for n in 0..5 {
        let name = format!("Tenant {n}");
        create_tenant(server.folder(), &name, &format!("admin{n}@other.example"));
        succeed(server.folder(), &["user", "set-password", "--email", &format!("admin{n}@other.example")]);
        let create = ["credential", "create", "--tenant", "Acme", "--dialect", "onlive", "--name", &name];
        succeed(server.folder(), &create);
        succeed(server.folder(), &["tenant", "rename", &name, &format!("Renamed {n}")]);
        succeed(server.folder(), &["doctor"]);
    }
    succeed(server.folder(), &["tenant", "delete", "Renamed 0", "--confirm", "Renamed 0"]);
    load.wait_for(50);
    assert_all_there(&addresses, &token, &load.end());
    succeed(server.folder(), &["doctor"]);
    assert_eq!(succeed(server.folder(), &["tenant", "list"]).lines().count(), 5);
}
