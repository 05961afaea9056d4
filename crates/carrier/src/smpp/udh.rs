//! The user data header that joins the parts of a message (3GPP TS 23.040, section 9.2.3.24).

/// Information elements: a part of a message, with a reference of 8 and of 16 bits (sections 9.2.3.24.1 and .8).
const CONCATENATED: u8 = 0x00;
const CONCATENATED_WIDE: u8 = 0x08;

/// Of which message something is a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// The same in all parts of a message.
    pub reference: u16,
    /// How many parts there are.
    pub total: u8,
    /// Which one it is, from 1.
    pub number: u8,
}

impl Piece {
    /// `None` where the numbers make no sense; then what came is a message of its own.
    pub(crate) fn checked(self) -> Option<Self> {
        (self.total > 1 && (1..=self.total).contains(&self.number)).then_some(self)
    }
}

/// The header of one part, in bytes.
pub fn header(reference: u8, total: u8, number: u8) -> [u8; 6] {
    [5, CONCATENATED, 3, reference, total, number]
}

/// Takes the header off a payload that is said to have one. What is none is left where it is.
pub fn split(payload: &[u8]) -> (Option<Piece>, &[u8]) {
    let Some((length, rest)) = payload.split_first() else { return (None, payload) };
    let Some((mut elements, content)) = rest.split_at_checked(usize::from(*length)) else {
        return (None, payload);
    };
    let mut piece = None;
    while let [id, length, rest @ ..] = elements {
        let Some((value, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        piece = match (*id, value) {
            (CONCATENATED, [reference, total, number]) => {
                Piece { reference: u16::from(*reference), total: *total, number: *number }.checked()
            }
            (CONCATENATED_WIDE, [high, low, total, number]) => {
                let reference = u16::from_be_bytes([*high, *low]);
                Piece { reference, total: *total, number: *number }.checked()
            }
            _ => piece,
        };
        elements = rest;
    }
    (piece, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_joins_parts() {
        let piece = |reference, total, number| Some(Piece { reference, total, number });
        let of = |bytes: &[u8]| {
            let (piece, content) = split(bytes);
            (piece, content.to_vec())
        };
        let mut ours = header(200, 3, 2).to_vec();
        ours.extend(b"abc");
        assert_eq!(of(&ours), (piece(200, 3, 2), b"abc".to_vec()));
        assert_eq!(of(b"\x06\x08\x04\x01\x02\x03\x01x"), (piece(258, 3, 1), b"x".to_vec()));
        // Other elements before it, such as ports.
        assert_eq!(of(b"\x0b\x05\x04\x00\x01\x00\x02\x00\x03\x09\x02\x02x"), (piece(9, 2, 2), b"x".to_vec()));
        for (bytes, content) in [
            (&b"\x05\x00\x03\x01\x00\x00x"[..], &b"x"[..]),
            (b"\x05\x00\x03\x01\x02\x03x", b"x"),
            (b"\x05\x00\x03\x01\x01\x01x", b"x"),
            (b"\x02\x00\x09x", b"x"),
            (b"\x00x", b"x"),
            (b"\x40x", b"\x40x"),
            (b"", b""),
        ] {
            assert_eq!(of(bytes), (None, content.to_vec()), "{bytes:?}");
        }
    }
}
