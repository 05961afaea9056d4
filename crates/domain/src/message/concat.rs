//! The header that joins the parts of a message (3GPP TS 23.040, sections 9.2.3.24, 9.2.3.24.1 and 9.2.3.24.8).

/// Says of a part of which message it is, and which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConcatHeader {
    /// The same in all parts of one message. Of ours 8 bits; others send 16.
    pub reference: u16,
    /// How many parts there are, from 1.
    pub total: u8,
    /// Which part it is, from 1.
    pub number: u8,
}

/// Elements of a header: joined parts, with a reference of 8 and of 16 bits.
const SHORT: u8 = 0x00;
const LONG: u8 = 0x08;

impl ConcatHeader {
    /// The header of a part of ours, with which its user data begins: what [`super::Encoding::units_in_part`] leaves room
    /// for. Of the reference the lower 8 bits count.
    pub fn to_bytes(self) -> [u8; 6] {
        let [_, reference] = self.reference.to_be_bytes();
        [0x05, SHORT, 0x03, reference, self.total, self.number]
    }

    /// Reads user data that begins with a header: what it says of joined parts, if it does, and what follows it. `None`
    /// when it ends before its header does. Elements that are not about this are passed over, and so are those that
    /// cannot be (part 0, or 3 of 2); of several the last counts, as the specification has it.
    pub fn split(user_data: &[u8]) -> Option<(Option<Self>, &[u8])> {
        let (length, rest) = user_data.split_first()?;
        let (mut elements, text) = rest.split_at_checked(usize::from(*length))?;
        let mut found = None;
        while let [kind, length, rest @ ..] = elements {
            // One that goes beyond the header is no element.
            let Some((data, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
            let read = match (*kind, data) {
                (SHORT, [reference, total, number]) => Some((u16::from(*reference), *total, *number)),
                (LONG, [high, low, total, number]) => {
                    Some((u16::from_be_bytes([*high, *low]), *total, *number))
                }
                _ => None,
            };
            let read = read.filter(|(_, total, number)| (1..=*total).contains(number));
            found = read.map(|(reference, total, number)| Self { reference, total, number }).or(found);
            elements = rest;
        }
        Some((found, text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers_of_others_are_read() {
        let header = |reference, total, number| Some(ConcatHeader { reference, total, number });
        for (data, found, text) in [
            (&[0x05, 0x00, 0x03, 0xA7, 2, 1, b'H'][..], header(0xA7, 2, 1), &b"H"[..]),
            (&[0x06, 0x08, 0x04, 0x12, 0x34, 3, 3], header(0x1234, 3, 3), b""),
            // Ports come first.
            (&[0x0B, 0x05, 0x04, 0, 1, 0, 2, 0x00, 0x03, 7, 2, 2, b'H'], header(7, 2, 2), b"H"),
            // The last of two; one that cannot be does not count.
            (&[0x0A, 0x00, 0x03, 1, 2, 1, 0x00, 0x03, 2, 2, 1], header(2, 2, 1), b""),
            (&[0x0A, 0x00, 0x03, 1, 2, 1, 0x00, 0x03, 2, 2, 3], header(1, 2, 1), b""),
            (&[0x05, 0x00, 0x03, 1, 2, 0, b'H'], None, b"H"),
            (&[0x05, 0x00, 0x03, 1, 0, 0], None, b""),
            // Broken off within the header, or of another length.
            (&[0x03, 0x00, 0x03, 1, 2, 1], None, &[2, 1]),
            (&[0x04, 0x00, 0x02, 1, 2, b'H'], None, b"H"),
            (&[0x00, b'H'], None, b"H"),
        ] {
            assert_eq!(ConcatHeader::split(data), Some((found, text)), "{data:?}");
        }
        assert_eq!(ConcatHeader::split(&[]), None);
        assert_eq!(ConcatHeader::split(&[5, 0, 3, 1, 2]), None);
    }

    proptest! {
        #[test]
        fn a_header_reads_as_itself(reference in 0..=255_u16, total in 1..=255_u8, text in prop::collection::vec(any::<u8>(), 0..9)) {
            for number in [1, total] {
                let header = ConcatHeader { reference, total, number };
                let data = [&header.to_bytes()[..], &text].concat();
                prop_assert_eq!(ConcatHeader::split(&data), Some((Some(header), &text[..])));
            }
        }

        #[test]
        fn any_bytes_are_survived(data in prop::collection::vec(any::<u8>(), 0..30)) {
            if let Some((_, text)) = ConcatHeader::split(&data) {
                prop_assert!(data.ends_with(text));
            }
        }
    }
}
