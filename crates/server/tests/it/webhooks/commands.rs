//! `muster webhook`, beside a server.

use serde_json::Value;

use super::sink::{Reply, Sink};
use super::told::{FLAGS, Told};
use crate::place::Place;
use crate::support::{fail, tamper};

#[test]
fn webhooks_are_listed_with_how_their_endpoints_do() {
    let sink = Sink::new();
    let told = Told::start(Place::new(), &sink, &[]);
    let said = told.succeed("list", &[]);
    assert!(said.contains("CRM") && said.contains("never called") && said.contains("127.0.0.1"), "{said}");
    told.group("one");
    told.wait_for("delivered", 1);
    assert!(told.succeed("list", &[]).contains("well at 20"));
    let object: Value = serde_json::from_str(&told.succeed("list", &["--json"])).unwrap();
    assert_eq!(
        (object["last_status"].as_i64(), object["consecutive_failures"].as_i64()),
        (Some(204), Some(0))
    );
    assert_eq!(object["id"].to_string(), told.id);
    let said = fail(told.server.folder(), &["webhook", "list", "--tenant", "Nobody"]);
    assert!(said.contains("there is no tenant named \"Nobody\""), "{said}");
    for verb in ["test", "deliveries", "retry"] {
        let mut args = vec!["webhook", verb, "--tenant", "Acme", "99"];
        if verb == "retry" {
            args.push("4");
        }
        let said = fail(told.server.folder(), &args);
        assert!(said.contains("there is no such webhook"), "{said}");
    }
}

#[test]
fn a_sample_is_sent_and_what_comes_of_it_is_told() {
    let sink = Sink::new();
    let told = Told::start(Place::new(), &sink, &["--webhooks", "off"]);
    let said = told.succeed("test", &FLAGS);
    assert!(said.starts_with("127.0.0.1:") && said.contains(" answered 204 in "), "{said}");
    assert!(sink.wait_for(1)[0].headers.contains_key("webhook-signature"));
    sink.answer(|_| Reply::Status(500));
    let said = told.fail("test", &FLAGS);
    assert!(said.contains("answered 500") && said.contains("the sample was not taken"), "{said}");
    // Without the flags this machine is not called.
    let said = told.fail("test", &[]);
    assert!(said.contains("the sample was not taken"), "{said}");
    assert_eq!(sink.hits().len(), 2);
}

#[test]
fn deliveries_are_shown_and_sent_again_when_asked_for() {
    let sink = Sink::answering(|_| Reply::Status(500));
    let told = Told::start(Place::new(), &sink, &[]);
    told.group("one");
    told.group("two");
    sink.wait_for(2);
    let open = told.wait_for("open", 2);
    assert_eq!((&open[0]["event"], &open[0]["state"]), (&"group.created".into(), &"open".into()));
    let id = open[0]["id"].to_string();
    assert!(told.fail("retry", &[&id]).contains("this delivery was not given up"));
    assert!(told.fail("retry", &["4"]).contains("there is no such delivery"));
    assert!(told.fail("retry", &[]).contains("required"));
    assert!(told.fail("deliveries", &["--since", "nonsense"]).contains("must be a time such as"));

    // Given up by hand, for that takes more than a day.
    tamper(&told.server.place(), "UPDATE webhook_deliveries SET state = 2, next_at = NULL");
    assert_eq!(told.deliveries(&["--state", "failed", "--limit", "1"]).len(), 1);
    assert_eq!(told.deliveries(&["--since", "2999-01-01"]).len(), 0);
    let shown = told.succeed("deliveries", &["--state", "failed"]);
    assert!(shown.contains("group.created") && shown.contains("500"), "{shown}");
    sink.answer(|_| Reply::Status(200));
    assert!(told.succeed("retry", &[&id]).contains("open"));
    told.wait_for("delivered", 1);
    assert!(told.succeed("retry", &["--since", "1d"]).contains("1 deliveries are sent again."));
    told.wait_for("delivered", 2);
    assert_eq!(sink.hits().len(), 4);
}
