use std::collections::HashMap;

use muster_delivery::{Client, Settings};
use muster_domain::{Entropy, Timestamp};
use tokio::time::Instant;

use super::*;
use crate::report::{Reports, channel};
use crate::{Encoding, Part, Reason};

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp(7)
    }
}

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn sandbox(delay: Duration) -> (Sandbox, Reports) {
    let (reporter, reports) = channel();
    let client = Client::new(Settings::default()).unwrap();
    let sources = Sources { clock: Arc::new(Fixed), entropy: Arc::new(Fixed), client };
    (Sandbox::start(&SandboxConfig { delay }, reporter.named("play"), &sources), reports)
}

fn message(reference: &str, to: &str) -> Outgoing {
    Outgoing {
        reference: reference.to_owned(),
        from: "Muster".to_owned(),
        to: to.to_owned(),
        text: "hi".to_owned(),
        encoding: Encoding::Gsm,
        parts: vec![Part(vec![1, 2])],
        validity: None,
        want_receipt: true,
    }
}

/// The receipts that come within an hour, with the milliseconds after which they came.
async fn receipts(reports: &mut Reports) -> Vec<(String, State, u128)> {
    let begun = Instant::now();
    let mut found = Vec::new();
    while let Ok(Some(report)) = timeout(Duration::from_hours(1), reports.next()).await {
        report.ack.stored();
        if let Event::Receipt(receipt) = report.event {
            found.push((receipt.id, receipt.state, begun.elapsed().as_millis()));
        }
    }
    found
}

#[tokio::test(start_paused = true)]
async fn numbers_decide() {
    let (sandbox, mut reports) = sandbox(Duration::from_secs(2));
    let number = |digits: &str| format!("+49151000{digits}");
    for (digits, reason) in
        [("9901", Reason::Blocked), ("9902", Reason::InvalidRecipient), ("9903", Reason::NoRoute)]
    {
        let failed = sandbox.submit(message("m", &number(digits))).await.unwrap_err();
        assert!(matches!(failed, Failed::Refused { reason: found, .. } if found == reason), "{digits}");
    }
    for (digits, expected) in [
        ("1234", vec![(State::Delivered, 2000)]),
        ("9911", vec![(State::Expired, 2000)]),
        ("9912", vec![(State::Rejected, 2000)]),
        ("9913", vec![(State::Undeliverable, 2000)]),
        ("9914", vec![(State::Queued, 2000), (State::Delivered, 4000)]),
        ("9915", vec![]),
    ] {
        let handed_over = sandbox.submit(message(digits, &number(digits))).await.unwrap();
        let id = format!("{digits}.1");
        assert_eq!(handed_over.ids, [Some(id.clone())]);
        let found = receipts(&mut reports).await;
        let expected: Vec<_> =
            expected.into_iter().map(|(state, after)| (id.clone(), state, after)).collect();
        // A timer of the runtime has milliseconds.
        let found: Vec<_> =
            found.into_iter().map(|(id, state, after)| (id, state, after / 10 * 10)).collect();
        assert_eq!(found, expected, "{digits}");
    }
}

#[tokio::test(start_paused = true)]
async fn numbers_make_trouble() {
    let (sandbox, mut reports) = sandbox(Duration::from_secs(2));
    let submit = |digits: &str| sandbox.submit(message("m", &format!("+49151000{digits}")));
    let begun = Instant::now();
    submit("9921").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2));
    assert!(matches!(submit("9923").await, Err(Failed::Unavailable(_))));
    let mut taken = Vec::new();
    for _ in 0..6 {
        taken.push(submit("9922").await.is_ok());
    }
    assert_eq!(taken, [false, false, true, false, false, true]);
    // Each message has troubles of its own.
    for (digits, troubles) in [("9922", 2), ("9924", 1)] {
        for turn in 0..=troubles {
            for reference in ["a", "b", "c"] {
                let done = sandbox.submit(message(reference, &format!("+49151000{digits}"))).await;
                assert_eq!(done.is_ok(), turn == troubles, "{digits} {reference} {turn}");
            }
        }
    }
    receipts(&mut reports).await;
    assert!(matches!(submit("9924").await, Err(Failed::Unknown { .. })));
    let again = submit("9924").await.unwrap();
    assert_eq!(again.ids, [Some("m.1".to_owned())], "a repeated message is the same one");
    assert_eq!(receipts(&mut reports).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_not_stored_comes_again() {
    let (sandbox, mut reports) = sandbox(Duration::from_millis(100));
    sandbox.submit(message("m", "+491510001234")).await.unwrap();
    for _ in 0..3 {
        drop(reports.next().await.unwrap());
    }
    reports.next().await.unwrap().ack.stored();
    assert!(receipts(&mut reports).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_is_closed_takes_and_tells_nothing() {
    let (sandbox, mut reports) = sandbox(Duration::from_millis(100));
    sandbox.submit(message("m", "+491510001234")).await.unwrap();
    sandbox.close().await;
    assert!(matches!(sandbox.submit(message("n", "+491510001234")).await, Err(Failed::Unavailable(_))));
    assert!(receipts(&mut reports).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_phone_is_played() {
    let (sandbox, mut reports) = sandbox(Duration::from_secs(1));
    let played = sandbox.receive("+491", "12345", "Hi €");
    let (played, ()) = tokio::join!(played, async {
        let report = reports.next().await.unwrap();
        assert_eq!(&*report.carrier, "play");
        let Event::Incoming(incoming) = &report.event else { panic!("{report:?}") };
        assert_eq!((incoming.from.as_str(), incoming.to.as_str()), ("+491", "12345"));
        assert_eq!((&incoming.body, incoming.at), (&Body::Text("Hi €".to_owned()), Timestamp(7)));
        report.ack.stored();
    });
    assert_eq!(played, Ok(()));
    let refused = sandbox.receive("+491", "12345", "Hi");
    let (refused, ()) = tokio::join!(refused, async { drop(reports.next().await) });
    assert_eq!(refused, Err(NotStored));
}

#[tokio::test(start_paused = true)]
async fn each_of_many_has_its_receipt_once_and_in_time() {
    let (sandbox, mut reports) = sandbox(Duration::from_secs(1));
    let sending = async {
        for number in 0..20_000 {
            sandbox.submit(message(&format!("m{number}"), "+491510001234")).await.unwrap();
        }
    };
    let (found, ()) = tokio::join!(receipts(&mut reports), sending);
    let mut counts = HashMap::new();
    for (id, ..) in found {
        *counts.entry(id).or_insert(0) += 1;
    }
    assert_eq!((counts.len(), counts.values().all(|count| *count == 1)), (20_000, true));
}

#[tokio::test(start_paused = true)]
async fn a_phone_does_not_wait_for_ever() {
    let (sandbox, mut reports) = sandbox(Duration::from_secs(1));
    // Nobody takes anything out.
    for _ in 0..2000 {
        _ = timeout(Duration::ZERO, sandbox.receive("+491", "12345", "Hi")).await;
    }
    let received = timeout(Duration::from_hours(1), sandbox.receive("+491", "12345", "Hi")).await;
    assert_eq!(received, Ok(Err(NotStored)));
    assert!(reports.next().await.is_some());
}
