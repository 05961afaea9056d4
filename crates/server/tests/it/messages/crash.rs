//! Servers that are killed while they hand messages over.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::process::{FLAGS, Sent};
use crate::place::Place;
use crate::support::{Server, create_tenant, succeed, tamper};
use crate::webhooks::sink::{Reply, Sink};

const MESSAGES: usize = 300;
const PHONE: &str = "+491511230001";

fn start(place: &Arc<Place>, sink: &Sink, settings: &str) -> Server {
    let config = format!(
        "[carriers.web]\nkind = \"http\"\nurl = \"{}\"\nbody = '{{\"ref\":\"{{reference}}\"}}'\nwindow = 8\n{settings}\n",
        sink.url()
    );
    fs::write(place.path().join("carriers.toml"), config).unwrap();
    Server::start_in(Arc::clone(place), &[&FLAGS, &["--carriers", "carriers.toml"][..]].concat())
}

/// Kills a server twice while it hands over, then waits until all is settled. Which messages came, however often, and
/// what the last server says.
fn killed(settings: &str) -> (Vec<String>, Vec<String>, String) {
    let place = Arc::new(Place::new());
    let sink = Sink::answering(|_| Reply::Slow(Duration::from_millis(8)));
    let tenant = create_tenant(place.path(), "Acme", "ada@acme.example")["tenant_id"].as_i64().unwrap();
    let sent = Sent::new(Arc::clone(&place), tenant);
    let mut all = Vec::new();
    for round in 0..2 {
        let server = start(&place, &sink, settings);
        for _ in 0..MESSAGES / 2 {
            all.push(sent.send(PHONE));
        }
        sink.wait_for(round * MESSAGES / 2 + 30);
        server.kill();
    }
    // As if the claims of the killed ones had been over for long: nobody waits for 70 s here.
    tamper(
        &place,
        "UPDATE message_queue SET claim_until = claim_until - 100000000 WHERE claim_until IS NOT NULL",
    );
    let server = start(&place, &sink, settings);
    sent.wait(|states| all.iter().all(|id| states[id].0 == 100));
    // The last hand-overs are noted before their answers are read here.
    sleep(Duration::from_millis(200));
    let came = sink.hits().iter().map(|hit| hit.body["ref"].as_str().unwrap().to_owned()).collect();
    let log = server.log();
    server.stop();
    succeed(place.path(), &["doctor"]);
    (all, came, log)
}

/// Of a carrier that knows a message again everything arrives.
#[test]
fn nothing_is_lost_where_repeats_are_recognised() {
    let (all, came, log) = killed("idempotent = true");
    let came: HashSet<_> = came.into_iter().collect();
    let missing = all.iter().filter(|id| !came.contains(*id)).count();
    assert_eq!((missing, came.len()), (0, MESSAGES), "{log}");
}

/// Of another one nothing arrives twice, and what may be missing is counted.
#[test]
fn nothing_is_sent_twice_where_they_are_not() {
    let (all, came, log) = killed("");
    let once: HashSet<_> = came.iter().collect();
    assert_eq!(once.len(), came.len(), "something came twice: {log}");
    let missing = all.iter().filter(|id| !once.contains(id)).count();
    let unknown: usize = log
        .lines()
        .filter(|line| line.contains("it is not known whether messages were handed over"))
        .map(|line| {
            let rest = &line[line.find("unknown=").unwrap() + 8..];
            rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<usize>().unwrap()
        })
        .sum();
    assert!(missing <= unknown && unknown < MESSAGES / 2, "{missing} are missing, {unknown} in doubt: {log}");
}
