//! A message centre that goes, comes back, or does not answer.

use std::time::Duration;

use futures_util::future::join_all;
use muster_carrier::{Encoding, Failed, Outgoing, Part};
use serde_json::json;
use tokio::time::sleep;

use crate::smsc::Smsc;
use crate::world::{World, short, smpp};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_message_centre_nothing_is_handed_over() {
    let smsc = Smsc::start().await;
    let port = smsc.port;
    smsc.kill().await;
    let world = World::new(&smpp(port, ""));
    assert!(matches!(world.submit(short("+491512345678")).await, Err(Failed::Unavailable(_))));
    // It comes up later.
    let _smsc = Smsc::start_at(port).await;
    world.wait_bound(1).await;
    world.submit(short("+491512345678")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_its_way_is_unknown_and_the_connection_comes_back() {
    let mut smsc = Smsc::start().await;
    let port = smsc.port;
    let world = World::bound(port, "window = 5\nqueue_timeout_ms = 20000").await;
    smsc.set(json!({"delay": null})).await;
    let submits = join_all((0..8).map(|_| world.submit(short("+491512345678"))));
    let restart = async {
        for _ in 0..5 {
            smsc.next("submitted").await;
        }
        smsc.kill().await;
        sleep(Duration::from_millis(200)).await;
        Smsc::start_at(port).await
    };
    let (all, _smsc) = tokio::join!(submits, restart);
    let unknown = all.iter().filter(|one| matches!(one, Err(Failed::Unknown { .. }))).count();
    let unavailable = all.iter().filter(|one| matches!(one, Err(Failed::Unavailable(_)))).count();
    assert_eq!((unknown, unavailable), (5, 3), "{all:?}");
    world.wait_bound(1).await;
    world.submit(short("+491512345678")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_between_the_parts_is_mended_or_told() {
    let mut smsc = Smsc::start().await;
    let world = World::bound(smsc.port, "").await;
    let message = Outgoing {
        encoding: Encoding::Gsm,
        parts: vec![Part(b"a".to_vec()), Part(b"b".to_vec())],
        ..short("+491512345678")
    };
    // Cut while the first part has no answer: it may have been taken.
    smsc.set(json!({"delay": null})).await;
    let cut = async {
        smsc.next("submitted").await;
        smsc.tell(json!({"do": "drop"})).await;
    };
    let (failed, ()) = tokio::join!(world.submit(message.clone()), cut);
    assert!(matches!(failed, Err(Failed::Unknown { taken, .. }) if taken.is_empty()));
    smsc.set(json!({"delay": 0})).await;
    world.wait_bound(1).await;
    assert_eq!(world.submit(message).await.unwrap().ids.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_centre_that_hangs_is_left() {
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"delay": null})).await;
    let settings = "window = 5\nresponse_timeout_ms = 1500\nqueue_timeout_ms = 100";
    let world = World::bound(smsc.port, settings).await;
    smsc.next("bound").await;
    let all = || async {
        let all = join_all((0..5).map(|_| world.submit(short("+491512345678")))).await;
        all.iter().filter(|one| matches!(one, Err(Failed::Unknown { .. }))).count()
    };
    // It takes a window full and answers nothing. It is left, and then it gets one at a time.
    assert_eq!(all().await, 5);
    for _ in 0..2 {
        smsc.next("closed").await;
        smsc.next("bound").await;
        world.wait_bound(1).await;
        assert_eq!(all().await, 1);
    }
    // Until it answers.
    smsc.next("closed").await;
    smsc.set(json!({"delay": 0})).await;
    world.wait_bound(1).await;
    world.submit(short("+491512345678")).await.unwrap();
    assert_eq!(all().await, 0);
    assert_eq!(smsc.stats().await["submitted"], 5 + 1 + 1 + 1 + 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_asked_about() {
    let mut smsc = Smsc::start().await;
    let world = World::bound(smsc.port, "enquire_interval_ms = 200").await;
    for _ in 0..3 {
        smsc.next("enquired").await;
    }
    assert_eq!((world.smpp().bound(), smsc.stats().await["binds"].as_u64()), (1, Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_to_go_comes_back() {
    let mut smsc = Smsc::start().await;
    let world = World::bound(smsc.port, "").await;
    smsc.next("bound").await;
    smsc.tell(json!({"do": "unbind"})).await;
    smsc.next("closed").await;
    smsc.next("bound").await;
    world.wait_bound(1).await;
    world.submit(short("+491512345678")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_bind_is_tried_again() {
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"closed": true})).await;
    let world = World::new(&smpp(smsc.port, ""));
    smsc.next("closed").await;
    assert!(matches!(world.submit(short("+491512345678")).await, Err(Failed::Unavailable(_))));
    smsc.set(json!({"closed": false})).await;
    world.wait_bound(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_for_answers_and_takes_leave() {
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"delay": 200})).await;
    let mut world = World::bound(smsc.port, "").await;
    let submit = world.submit(short("+491512345678"));
    let close = async {
        smsc.next("submitted").await;
        world.carriers.close().await;
    };
    let (handed_over, ()) = tokio::join!(submit, close);
    handed_over.unwrap();
    assert_eq!(smsc.next("unbound").await["outstanding"], 0);
    assert!(matches!(world.submit(short("+491512345678")).await, Err(Failed::Unavailable(_))));
    assert_eq!(world.smpp().bound(), 0);
    // When nobody is left who could report, the reports end.
    let World { carriers, carrier, reports } = &mut world;
    _ = (carriers, carrier);
    assert!(tokio::time::timeout(Duration::from_millis(100), reports.next()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_for_all_parts_of_a_message_that_has_begun() {
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"delay": 100})).await;
    let world = World::bound(smsc.port, "").await;
    let parts = vec![Part(b"a".to_vec()), Part(b"b".to_vec()), Part(b"c".to_vec())];
    let submit = world.submit(Outgoing { parts, ..short("+491512345678") });
    let close = async {
        smsc.next("submitted").await;
        world.carriers.close().await;
    };
    let (handed_over, ()) = tokio::join!(submit, close);
    assert_eq!(handed_over.unwrap().ids.len(), 3);
    assert_eq!(smsc.stats().await["accepted"], 3);
}
