use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;

fn part(reference: u16, total: u8, number: u8, text: &str) -> (Piece, Deliver) {
    let deliver = Deliver {
        from: "+491".to_owned(),
        to: "12345".to_owned(),
        payload: text.as_bytes().to_vec(),
        ..Deliver::default()
    };
    (Piece { reference, total, number }, deliver)
}

fn ack(stored: &Arc<AtomicUsize>) -> Ack {
    let stored = Arc::clone(stored);
    Ack::new(move |is_stored| _ = stored.fetch_add(usize::from(is_stored), Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn parts_are_joined_in_their_order_and_acknowledged_together() {
    let mut joiner = Joiner::new(Duration::from_mins(1));
    let stored = Arc::new(AtomicUsize::new(0));
    let mut joined = Vec::new();
    for number in [3, 1, 1, 2] {
        assert!(joined.is_empty());
        let (piece, deliver) = part(1, 3, number, ["a", "b", "c"][usize::from(number) - 1]);
        joined = joiner.add(Instant::now(), piece, deliver, Some(ack(&stored)));
    }
    let joined = joined.pop().unwrap();
    assert_eq!((&joined.payload[..], joined.missing, joined.acks.len()), (&b"abc"[..], 0, 4));
    assert_eq!(stored.load(Ordering::SeqCst), 0);
    joined.acks.into_iter().for_each(Ack::stored);
    assert_eq!(stored.load(Ordering::SeqCst), 4);
    assert_eq!((joiner.bytes, joiner.open.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_part_is_held_for_a_moment_and_a_message_given_up_in_the_end() {
    let mut joiner = Joiner::new(Duration::from_mins(1));
    let stored = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let (piece, deliver) = part(1, 3, 2, "b");
    assert!(joiner.add(begun, piece, deliver, Some(ack(&stored))).is_empty());
    assert!(joiner.expired(begun + Duration::from_millis(900)).is_none());
    assert_eq!(stored.load(Ordering::SeqCst), 0);
    assert!(joiner.expired(begun + Duration::from_secs(1)).is_none());
    assert_eq!(stored.load(Ordering::SeqCst), 1);
    let joined = joiner.expired(begun + Duration::from_mins(1)).unwrap();
    assert_eq!((&joined.payload[..], joined.missing, joined.acks.len()), (&b"b"[..], 2, 0));
    assert!(joiner.expired(begun + Duration::from_mins(10)).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_first_parts_fills_no_memory() {
    let mut joiner = Joiner::new(Duration::from_mins(1));
    let mut out = 0;
    for reference in 0..5000 {
        let (piece, deliver) = part(reference, 255, 1, &"x".repeat(134));
        out += joiner.add(Instant::now(), piece, deliver, None).len();
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    assert_eq!((joiner.open.len(), out), (MAX_MESSAGES, 5000 - MAX_MESSAGES));
    for reference in 0..500 {
        let (piece, deliver) = part(reference, 2, 1, &"x".repeat(65_000));
        joiner.add(Instant::now(), piece, deliver, None);
        assert!(joiner.bytes <= MAX_BYTES);
    }
}

proptest! {
    /// Whatever comes, every byte is counted, each part is given out once, and there is nothing left in the end.
    #[test]
    fn nothing_is_lost_but_what_came_twice(
        parts in prop::collection::vec((0..3_u16, 2..4_u8, 0..5_u8, "[a-z]{0,5}"), 0..60),
    ) {
        let mut joiner = Joiner::new(Duration::from_mins(1));
        let begun = Instant::now();
        let mut given = 0;
        for (reference, total, number, text) in &parts {
            let (piece, deliver) = part(*reference, *total, *number, text);
            for joined in joiner.add(begun, piece, deliver, None) {
                prop_assert_eq!(joined.missing, 0);
                given += 1;
            }
        }
        while let Some(joined) = joiner.expired(begun + Duration::from_mins(1)) {
            given += 1;
            prop_assert!(joined.missing > 0);
        }
        prop_assert!(given <= parts.len());
        prop_assert_eq!((joiner.open.len(), joiner.any().is_none()), (0, true));
    }
}
