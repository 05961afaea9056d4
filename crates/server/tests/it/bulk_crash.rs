//! Servers that are killed while they expand a bulk.

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use muster_domain::Entropy as _;
use serde_json::{Value, json};

use crate::place::Place;
use crate::support::{PASSWORD, Server, create_tenant, succeed, tamper};
use crate::webhooks::world::TestEntropy;

const CONTACTS: usize = 20_000;
/// Single numbers, which are contacts, too.
const PHONES: usize = 3000;
const KILLS: u64 = 5;
const TABLE: &str = "country,name,currency,s,m,l,xl\nDE,Germany,EUR,0.07,0.06,0.05,0.04\n";
const FLAGS: [&str; 4] = ["--rate-limits", "off", "--log", "warn,muster=info,muster::request=off"];

/// None of which the sandbox makes anything but a message that is delivered.
fn phone(n: usize) -> String {
    format!("+49151{:07}0", 2_000_000 + n)
}

/// Below `most`; another one each time.
fn random(most: u64) -> u64 {
    let mut bytes = [0; 8];
    TestEntropy.fill(&mut bytes);
    u64::from_le_bytes(bytes) % most
}

/// The id of the group with everybody.
fn prepare(place: &Place) -> Value {
    let folder = place.path();
    create_tenant(folder, "Acme", "ada@acme.example");
    fs::write(folder.join("prices.csv"), TABLE).unwrap();
    succeed(folder, &["prices", "import", "prices.csv"]);
    // For all of them: 20,000 at 0.07.
    succeed(folder, &["tenant", "credit", "Acme", "1500"]);
    let mut list = "phone,a\n".to_owned();
    for n in 0..CONTACTS {
        writeln!(list, "{},Kim {n}", phone(n)).unwrap();
    }
    fs::write(folder.join("list.csv"), list).unwrap();
    let import = ["import", "contacts", "list.csv", "--tenant", "1", "--new-group", "Everybody", "--json"];
    let report: Value = serde_json::from_str(&succeed(folder, &import)).unwrap();
    report["group_id"].clone()
}

fn shown(server: &Server, token: &str, path: &str) -> Value {
    let answer = server.send("GET", path, token, None);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["data"].clone()
}

#[test]
fn a_bulk_reaches_everybody_once_however_often_the_server_is_killed() {
    let place = Arc::new(Place::new());
    let group = prepare(&place);
    let server = Server::start_in(Arc::clone(&place), &FLAGS);
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let body = json!({
        "from_number": "+4930123456", "message": "Hello", "contact_group_ids": [group], "status": "scheduled",
        "recipients": (0..PHONES).map(|n| phone(n * 5)).collect::<Vec<_>>(),
    });
    let made = server.send("POST", "/v3/broadcast", &token, Some(&body));
    let path = format!("/v3/broadcast/{}", made.body["data"]["broadcastId"]);
    let mut server = Some(server);
    let mut interrupted = 0;
    for kill in 1..=KILLS {
        let running = server.take().unwrap_or_else(|| Server::start_in(Arc::clone(&place), &FLAGS));
        // Anywhere in the part that is its turn; at which of its commits, and where in it, is left to chance.
        let enough = CONTACTS as u64 * (kill - 1) / KILLS + random(CONTACTS as u64 / KILLS);
        let total = loop {
            let total = shown(&running, &token, &path)["counts"]["total"].as_u64().unwrap();
            if total >= enough {
                break total;
            }
            sleep(Duration::from_millis(5));
        };
        sleep(Duration::from_millis(random(150)));
        running.kill();
        interrupted += u64::from(total < CONTACTS as u64);
        succeed(place.path(), &["doctor"]);
    }
    assert!(interrupted > 0, "it was expanded before the first kill");
    // As if the claims of the killed ones had been over for long: nobody waits for 70 s here.
    tamper(
        &place,
        "UPDATE message_queue SET claim_until = claim_until - 100000000 WHERE claim_until IS NOT NULL",
    );
    let server = Server::start_in(Arc::clone(&place), &FLAGS);
    let ended = (0..1200).find_map(|_| {
        let found = shown(&server, &token, &path);
        let is_over = found["status"] == "completed";
        if !is_over {
            sleep(Duration::from_millis(100));
        }
        is_over.then_some(found)
    });
    let ended = ended.unwrap_or_else(|| panic!("{} {}", shown(&server, &token, &path), server.log()));
    assert_eq!(
        (&ended["counts"]["total"], &ended["counts"]["skipped"]),
        (&json!(CONTACTS), &json!(0)),
        "{ended}"
    );
    server.stop();
    // As many messages as recipients, and no number has two: this index could not be made.
    tamper(
        &place,
        "CREATE UNIQUE INDEX one_for_each ON messages (tenant_id, phone); DROP INDEX one_for_each",
    );
    // That the balance is the sum of its movements, and the cost of the bulk what its movements say, is for the doctor.
    succeed(place.path(), &["doctor"]);
    let movements = succeed(place.path(), &["tenant", "movements", "Acme", "--json", "--limit", "1"]);
    let last: Value = serde_json::from_str(movements.trim()).unwrap();
    assert_eq!(last["balance"], json!(100), "{last}");
}
