//! What holds for any bytes of a message centre. The fuzz target and a test of the gate call it; it panics if it does not
//! hold.

use std::time::Duration;

use bytes::BytesMut;
use muster_carrier::Body;
use muster_carrier::smpp::{body, deliver, frame, join::Joiner, receipt};
use tokio::time::Instant;

/// The bytes are PDUs up to the first that cannot be one, and whatever a PDU holds, what is read of it was in it.
pub(crate) fn check(bytes: &[u8]) {
    let mut received = BytesMut::from(bytes);
    let mut joiner = Joiner::new(Duration::from_secs(1));
    let now = Instant::now();
    let (mut given, mut taken) = (0, 0);
    while let Ok(Some(frame)) = frame::next(&mut received) {
        let length = frame.body.len();
        assert!(length + 16 <= frame::LONGEST);
        if let Some(id) = deliver::message_id(&frame.body) {
            assert!(!id.is_empty() && id.chars().count() <= length);
        }
        let Ok(deliver) = deliver::deliver(&frame.body) else { continue };
        assert!(deliver.payload.len() < length);
        if let Some(said) = receipt::read(&deliver) {
            assert!(said.id.chars().count() <= 128);
        }
        read(deliver.data_coding, deliver.payload.clone());
        let Some(piece) = deliver.piece else { continue };
        assert!((1..=piece.total).contains(&piece.number));
        taken += deliver.payload.len();
        for joined in joiner.add(now, piece, deliver, None) {
            assert_eq!(joined.missing, 0);
            given += joined.payload.len();
            read(joined.data_coding, joined.payload);
        }
    }
    while let Some(joined) = joiner.expired(now + Duration::from_secs(1)) {
        assert!(joined.missing > 0);
        given += joined.payload.len();
    }
    assert!(given <= taken && joiner.any().is_none());
}

fn read(data_coding: u8, payload: Vec<u8>) {
    let length = payload.len();
    match body(data_coding, payload) {
        Body::Text(text) => assert!(text.chars().count() <= length),
        Body::Gsm(septets) => assert!(septets.len() == length && septets.iter().all(|septet| *septet < 0x80)),
        Body::Binary(bytes) => assert_eq!(bytes.len(), length),
    }
}
