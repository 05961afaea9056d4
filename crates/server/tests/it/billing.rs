//! What tenants pay, and with what: the operator's commands.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Server, create_tenant, fail, muster, succeed, text};

const TABLE: &str = "country,name,currency,s,m,l,xl,requirements\n\
                     AT,Austria,EUR,0.09,0.08,0.07,0.06,\n\
                     DE,Germany,EUR,0.075,0.07,0.06,0.05,\"A sender's name, registered\"\n";

#[test]
fn a_balance_is_credited_and_its_movements_are_listed() {
    let server = Server::start(&[]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    let said = succeed(folder, &["tenant", "billing", "Acme", "--currency", "eur", "--tier", "xl"]);
    assert_eq!(said, "Tenant 1, Acme, pays in EUR by the prices of tier XL.\n");
    let said = succeed(folder, &["tenant", "credit", "Acme", "12.75", "--note", "invoice 7"]);
    assert_eq!(said, "Tenant 1, Acme, has a balance of 12.75 EUR.\n");
    let said = succeed(folder, &["tenant", "credit", "1", "-2.5"]);
    assert_eq!(said, "Tenant 1, Acme, has a balance of 10.25 EUR.\n");

    let listed = succeed(folder, &["tenant", "movements", "Acme", "--json"]);
    let listed: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let amounts: Vec<_> = listed.iter().map(|movement| (&movement["amount"], &movement["balance"])).collect();
    assert_eq!(amounts, [(&json!(-2.5), &json!(10.25)), (&json!(12.75), &json!(12.75))]);
    assert_eq!((&listed[1]["reason"], &listed[1]["note"]), (&json!("credit"), &json!("invoice 7")));
    let shown = succeed(folder, &["tenant", "movements", "Acme", "--limit", "1"]);
    assert!(shown.ends_with("-2.5             10.25  credit\n"), "{shown}");
    let shown = succeed(folder, &["tenant", "show", "Acme"]);
    assert!(shown.contains("10.25 EUR, prices of tier XL"), "{shown}");

    // There were movements.
    let said = fail(folder, &["tenant", "billing", "Acme", "--currency", "CHF"]);
    assert!(said.contains("--currency cannot be another one once there were movements"), "{said}");
    for (args, wanted) in [
        (&["tenant", "credit", "Acme", "0"][..], "--amount must not be 0"),
        (&["tenant", "credit", "Acme", "1,5"], "--amount must be an amount"),
        (&["tenant", "credit", "Acme", "999999999"], "must leave a balance of 500000000 at most"),
        (&["tenant", "credit", "Nobody", "1"], "no tenant named"),
        (&["tenant", "billing", "Acme"], "say what is to be changed"),
        (&["tenant", "billing", "Acme", "--currency", "euro", "--tier", "Q"], "--tier must be S, M, L or XL"),
    ] {
        let said = fail(folder, args);
        assert!(said.contains(wanted), "{args:?}: {said}");
    }
}

#[test]
fn a_price_table_is_taken_whole_or_not_at_all() {
    let server = Server::start(&[]);
    let folder = server.folder();
    assert!(fail(folder, &["prices", "export"]).contains("there is no price table"));
    fs::write(folder.join("prices.csv"), TABLE).unwrap();
    let dry = succeed(folder, &["prices", "import", "prices.csv", "--dry-run"]);
    assert_eq!(dry, "2 prices could be taken.\n");
    assert!(fail(folder, &["prices", "export"]).contains("there is no price table"));
    assert_eq!(succeed(folder, &["prices", "import", "prices.csv"]), "2 prices hold from now on.\n");
    assert_eq!(succeed(folder, &["prices", "export"]), TABLE);

    let wrong = TABLE.replace("0.08", "-1").replace("Germany", "");
    fs::write(folder.join("wrong.csv"), wrong).unwrap();
    let said = fail(folder, &["prices", "import", "wrong.csv"]);
    for wanted in ["wrong.csv: line 2, column m: ", "line 3, column name: ", "nothing was changed"] {
        assert!(said.contains(wanted), "{said}");
    }
    fs::write(folder.join("empty.csv"), "country,name,currency,s,m,l,xl\n").unwrap();
    assert!(fail(folder, &["prices", "import", "empty.csv"]).contains("has no prices"));
    assert!(fail(folder, &["prices", "import", "missing.csv"]).contains("missing.csv"));
    assert_eq!(succeed(folder, &["prices", "export"]), TABLE);

    // What was exported goes in again, also by a pipe.
    let mut child = muster(folder, &["prices", "import", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(TABLE.as_bytes()).unwrap();
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), "2 prices hold from now on.\n");
    succeed(folder, &["prices", "remove"]);
    assert!(fail(folder, &["prices", "export"]).contains("there is no price table"));
}
