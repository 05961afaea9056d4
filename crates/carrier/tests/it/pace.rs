//! How much at once, and how often.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use muster_carrier::{Failed, Outgoing, Part};
use serde_json::json;
use tokio::time::Instant;

use crate::smsc::Smsc;
use crate::world::{World, short};

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_used_and_never_exceeded() {
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"delay": 20, "quiet": true})).await;
    let world = World::bound(smsc.port, "window = 10\nqueue_timeout_ms = 20000").await;
    let all = join_all((0..500).map(|_| world.submit(short("+491512345678")))).await;
    assert!(all.iter().all(Result::is_ok));
    let stats = smsc.stats().await;
    assert_eq!((&stats["accepted"], &stats["most"]), (&json!(500), &json!(10)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_is_used_and_kept() {
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"quiet": true})).await;
    let world = World::bound(smsc.port, "rate = 200\nbinds = 2\nqueue_timeout_ms = 20000").await;
    world.wait_bound(2).await;
    let begun = Instant::now();
    let all = join_all((0..400).map(|_| world.submit(short("+491512345678")))).await;
    assert!(all.iter().all(Result::is_ok));
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(1950), "{took:?} for 400 at 200 a second");
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_to_wait_too_long_is_told_when_to_come_again() {
    let mut smsc = Smsc::start().await;
    let world = World::bound(smsc.port, "rate = 1\nqueue_timeout_ms = 100").await;
    // Its parts have the turns of the next minute.
    let long = Outgoing { parts: vec![Part(b"a".to_vec()); 60], ..short("+491512345678") };
    let late = async {
        smsc.next("submitted").await;
        world.submit(short("+491512345678")).await
    };
    tokio::select! {
        long = world.carrier.submit(long) => panic!("{long:?}"),
        late = late => {
            let Err(Failed::Throttled { after }) = late else { panic!("{late:?}") };
            assert!((30..=60).contains(&after.as_secs()), "{after:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_message_is_none_that_was_refused() {
    let mut smsc = Smsc::start().await;
    let world = World::bound(smsc.port, "").await;
    // ESME_RTHROTTLED and ESME_RMSGQFUL.
    for status in [0x58, 0x14] {
        smsc.set(json!({"status": {"*": status}, "times": {"*": 1}})).await;
        let begun = Instant::now();
        let failed = world.submit(short("+491512345678")).await;
        let Err(Failed::Throttled { after }) = failed else { panic!("{failed:?}") };
        assert!(after >= Duration::from_millis(50), "{after:?}");
        // The next one waits for the end of the pause.
        world.submit(short("+491512345678")).await.unwrap();
        assert!(begun.elapsed() >= after, "{:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_connections_share_the_work() {
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"delay": 50, "quiet": true})).await;
    let world = World::bound(smsc.port, "binds = 3\nwindow = 5").await;
    world.wait_bound(3).await;
    let all = join_all((0..60).map(|_| world.submit(short("+491512345678")))).await;
    assert!(all.iter().all(Result::is_ok));
    let stats = smsc.stats().await;
    assert_eq!((&stats["binds"], &stats["most"]), (&json!(3), &json!(15)));
}

/// How much goes over one connection with a window of 100 is told; what is needed of it here is only that nothing hangs.
#[tokio::test(flavor = "multi_thread")]
async fn many_messages_go_over_one_connection() {
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"quiet": true})).await;
    let world = Arc::new(World::bound(smsc.port, "window = 100").await);
    let begun = Instant::now();
    let senders = (0..200).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            for _ in 0..50 {
                world.submit(short("+491512345678")).await.unwrap();
            }
        })
    });
    for sender in join_all(senders).await {
        sender.unwrap();
    }
    let stats = smsc.stats().await;
    assert_eq!(stats["accepted"], 10_000);
    assert!(stats["most"].as_u64().unwrap() <= 100);
    println!("{:.0} submissions a second", 10_000.0 / begun.elapsed().as_secs_f64());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_tears_no_message() {
    let mut smsc = Smsc::start().await;
    smsc.set(json!({"quiet": true})).await;
    let world = World::bound(smsc.port, "rate = 10\nqueue_timeout_ms = 2000").await;
    let long = Outgoing { parts: vec![Part(b"a".to_vec()); 10], ..short("+491512345678") };
    let all = join_all((0..40).map(|_| world.submit(long.clone()))).await;
    let throttled = all.iter().filter(|one| matches!(one, Err(Failed::Throttled { .. }))).count();
    let taken = all.iter().filter(|one| one.is_ok()).count();
    assert!(taken > 0 && throttled > 0 && taken + throttled == 40, "{all:?}");
    assert_eq!(
        smsc.stats().await["submitted"],
        taken * 10,
        "of those that are to come again nothing was sent"
    );
}
