//! A server with a webhook, and workers beside it: real processes on one store.

use std::fs::{self, File};
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::sink::Sink;
use crate::place::Place;
use crate::support::{PASSWORD, Server, create_tenant, muster, run, text};

/// What processes are told that send to this machine.
pub(crate) const FLAGS: [&str; 4] = ["--webhook-allow", "127.0.0.0/8", "--webhook-http", "on"];

/// A server whose tenant is told of what happens in its tree.
pub(crate) struct Told {
    pub(crate) server: Server,
    pub(crate) token: String,
    /// The webhook.
    pub(crate) id: String,
}

impl Told {
    /// With these flags besides.
    pub(crate) fn start(place: Place, sink: &Sink, flags: &[&str]) -> Self {
        let server = Server::start_in(place, &[&FLAGS, &["--rate-limits", "off"][..], flags].concat());
        create_tenant(server.folder(), "Acme", "ada@acme.example");
        let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
        let hook = json!({"webhook_name": "CRM", "webhook_url": sink.url(), "events": ["group.*"]});
        let made = server.send("POST", "/v3/webhooks", &token, Some(&hook));
        let id = made.body["data"]["webhookId"].to_string();
        assert_eq!(made.status, 201, "{made:?}");
        Self { server, token, id }
    }

    /// Creates a group: an event.
    pub(crate) fn group(&self, name: &str) {
        let made = self.server.send("POST", "/v3/groups", &self.token, Some(&json!({"org_unit_name": name})));
        assert_eq!(made.status, 201, "{made:?}");
    }

    /// `muster webhook` with this verb, for the tenant and the webhook, and with these arguments.
    pub(crate) fn command(&self, verb: &str, more: &[&str]) -> (bool, String) {
        let mut args = vec!["webhook", verb, "--tenant", "Acme"];
        if verb != "list" {
            args.push(&self.id);
        }
        let output = run(self.server.folder(), &[&args, more].concat());
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    }

    /// One that has to succeed.
    pub(crate) fn succeed(&self, verb: &str, more: &[&str]) -> String {
        let (is_well, said) = self.command(verb, more);
        assert!(is_well, "{said}");
        said
    }

    /// One that has to fail.
    pub(crate) fn fail(&self, verb: &str, more: &[&str]) -> String {
        let (is_well, said) = self.command(verb, more);
        assert!(!is_well, "{said}");
        said
    }

    /// The deliveries, the newest first.
    pub(crate) fn deliveries(&self, more: &[&str]) -> Vec<Value> {
        let said = self.succeed("deliveries", &[&["--json"], more].concat());
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until so many deliveries have this state.
    pub(crate) fn wait_for(&self, state: &str, count: usize) -> Vec<Value> {
        for _ in 0..300 {
            let found = self.deliveries(&["--state", state]);
            if found.len() == count {
                return found;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("not {count} are {state}: {:?}", self.deliveries(&[]));
    }
}

/// A running worker; it is killed when this is dropped.
pub(crate) struct Worker {
    child: Child,
    place: Arc<Place>,
    name: String,
}

impl Worker {
    pub(crate) fn start(place: Arc<Place>, name: &str, flags: &[&str]) -> Self {
        let log = File::create(place.path().join(name)).unwrap();
        let child = muster(place.path(), &["worker"]).args(FLAGS).args(flags).stderr(log).spawn().unwrap();
        let worker = Self { child, place, name: name.to_owned() };
        for _ in 0..500 {
            if worker.log().contains("working") {
                return worker;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("the worker does not begin: {}", worker.log());
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.place.path().join(&self.name)).unwrap()
    }

    /// Stops it as an operator does.
    pub(crate) fn stop(mut self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        for _ in 0..250 {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{}", self.log());
                return;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("the worker does not end: {}", self.log());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
