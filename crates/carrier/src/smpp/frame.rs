//! PDUs as they come over a connection: where one ends, and its header.
//!
//! The bodies are read by [`deliver`](super::deliver), which is lenient: a strict decoder would throw a whole message away
//! for one optional parameter that its message centre writes in its own way.

use bytes::{Buf as _, Bytes, BytesMut};
use rusmpp::{CommandId, CommandStatus};

/// The header of a PDU, in bytes (SMPP 3.4, section 3.2).
const HEADER: usize = 16;
/// The longest PDU: a message payload has up to 64 KiB (section 5.3.2.32), all else in it is small.
pub const LONGEST: usize = 80 * 1024;

/// A PDU whose body is not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub id: CommandId,
    pub status: CommandStatus,
    pub sequence: u32,
    pub body: Bytes,
}

/// A length that no PDU has. Where the next one begins cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a PDU of {0} bytes")]
pub struct BadLength(pub u32);

/// Takes the next PDU out of what was received; `None` if it is not there as a whole. No more than its length is ever
/// asked for, and that is at most [`LONGEST`].
pub fn next(received: &mut BytesMut) -> Result<Option<Frame>, BadLength> {
    let Some(length) = received.first_chunk::<4>() else { return Ok(None) };
    let claimed = u32::from_be_bytes(*length);
    let length = usize::try_from(claimed).map_err(|_| BadLength(claimed))?;
    if !(HEADER..=LONGEST).contains(&length) {
        return Err(BadLength(claimed));
    }
    if received.len() < length {
        return Ok(None);
    }
    let mut pdu = received.split_to(length).freeze();
    pdu.advance(4);
    let (id, status, sequence) = (pdu.get_u32(), pdu.get_u32(), pdu.get_u32());
    Ok(Some(Frame { id: id.into(), status: status.into(), sequence, body: pdu }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pdu_is_taken_when_it_is_whole() {
        let bytes = [0, 0, 0, 18, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2];
        let mut received = BytesMut::new();
        for byte in bytes {
            assert_eq!(next(&mut received), Ok(None));
            received.extend_from_slice(&[byte]);
        }
        received.extend_from_slice(&[0, 0]);
        let frame = next(&mut received).unwrap().unwrap();
        assert_eq!((frame.id, frame.sequence, &frame.body[..]), (CommandId::DeliverSm, 7, &[1, 2][..]));
        assert_eq!(next(&mut received), Ok(None));
        assert_eq!(received.len(), 2);
    }

    #[test]
    fn a_length_that_cannot_be_is_an_error_at_once() {
        for length in [0_u32, 15, 80 * 1024 + 1, u32::MAX] {
            let mut received = BytesMut::from(&length.to_be_bytes()[..]);
            assert_eq!(next(&mut received), Err(BadLength(length)));
        }
    }
}
