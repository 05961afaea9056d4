//! Reading the bodies of the PDUs that a message centre sends: messages of phones, receipts, and its answers.
//!
//! Nothing is taken for granted: lengths are held to what is there, text may have any bytes, and an optional parameter
//! that makes no sense is left out without the rest.

use super::udh::{self, Piece};

/// What a `deliver_sm` holds (SMPP 3.4, section 4.6.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deliver {
    pub from: String,
    pub to: String,
    /// The message type, bits 5 to 2 of `esm_class` (section 5.2.12).
    pub kind: u8,
    pub data_coding: u8,
    /// The text, or whatever it is, without the user data header.
    pub payload: Vec<u8>,
    /// Of which message it is a part.
    pub piece: Option<Piece>,
    /// About which message a receipt is (section 5.3.2.12).
    pub receipted_id: Option<String>,
    /// And how it fares (section 5.3.2.35).
    pub message_state: Option<u8>,
}

/// The mandatory parameters are not all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the PDU breaks off")]
pub struct Malformed;

/// How long an id and a number may be, in characters. The specification has 64 and 20; somewhat longer ones, as there are,
/// stay as they are, and of what could be a whole PDU the rest is cut off.
const MAX_ID: usize = 128;
const MAX_NUMBER: usize = 64;

/// The type of number "international" (section 5.2.5).
const INTERNATIONAL: u8 = 1;
/// There is a user data header (section 5.2.12, bit 6).
const UDHI: u8 = 0x40;

/// Optional parameters (section 5.3.2).
const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
const SAR_MSG_REF_NUM: u16 = 0x020C;
const SAR_TOTAL_SEGMENTS: u16 = 0x020E;
const SAR_SEGMENT_SEQNUM: u16 = 0x020F;
const MESSAGE_PAYLOAD: u16 = 0x0424;
const MESSAGE_STATE: u16 = 0x0427;

/// Reads the body of a `deliver_sm`.
pub fn deliver(body: &[u8]) -> Result<Deliver, Malformed> {
    let mut rest = Rest(body);
    let _service_type = rest.text()?;
    let from = rest.address()?;
    let to = rest.address()?;
    let esm_class = rest.byte()?;
    let _protocol_id = rest.byte()?;
    let _priority_flag = rest.byte()?;
    let _schedule_delivery_time = rest.text()?;
    let _validity_period = rest.text()?;
    let _registered_delivery = rest.byte()?;
    let _replace_if_present = rest.byte()?;
    let data_coding = rest.byte()?;
    let _sm_default_msg_id = rest.byte()?;
    let length = usize::from(rest.byte()?);
    let mut payload = rest.bytes(length)?;

    let mut deliver = Deliver { from, to, kind: esm_class & 0b0011_1100, data_coding, ..Deliver::default() };
    let (mut reference, mut total, mut number) = (None, None, None);
    while let Some((tag, value)) = rest.parameter() {
        match (tag, value) {
            (RECEIPTED_MESSAGE_ID, value) => {
                deliver.receipted_id = Some(text(value, MAX_ID)).filter(|id| !id.is_empty());
            }
            (MESSAGE_STATE, [state]) => deliver.message_state = Some(*state),
            // It stands there instead of the short message (section 5.3.2.32).
            (MESSAGE_PAYLOAD, value) if payload.is_empty() => payload = value,
            (SAR_MSG_REF_NUM, [high, low]) => reference = Some(u16::from_be_bytes([*high, *low])),
            (SAR_TOTAL_SEGMENTS, [parts]) => total = Some(*parts),
            (SAR_SEGMENT_SEQNUM, [part]) => number = Some(*part),
            _ => {}
        }
    }
    if let (Some(reference), Some(total), Some(number)) = (reference, total, number) {
        deliver.piece = Piece { reference, total, number }.checked();
    }
    if esm_class & UDHI != 0 {
        let (header, content) = udh::split(payload);
        payload = content;
        deliver.piece = header.or(deliver.piece);
    }
    deliver.payload = payload.to_vec();
    Ok(deliver)
}

/// The message's id in the body of a `submit_sm_resp` (section 4.4.2), if there is one.
pub fn message_id(body: &[u8]) -> Option<String> {
    Some(text(body, MAX_ID)).filter(|id| !id.is_empty())
}

/// Bytes up to the first NUL, or to the end where somebody left it out; each is a character (ISO 8859-1), so that every
/// one stays as it is. No more than `most` of them are read.
fn text(bytes: &[u8], most: usize) -> String {
    bytes.iter().take_while(|byte| **byte != 0).take(most).map(|byte| char::from(*byte)).collect()
}

/// What is not read yet.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn bytes(&mut self, length: usize) -> Result<&'b [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    /// A C-octet string (section 3.1), of whatever length; its beginning is read.
    fn text(&mut self) -> Result<String, Malformed> {
        let length = self.0.iter().position(|byte| *byte == 0).ok_or(Malformed)?;
        self.bytes(length + 1).map(|bytes| text(bytes, MAX_NUMBER))
    }

    /// A number with its type and plan. Those that are said to be international get their `+`.
    fn address(&mut self) -> Result<String, Malformed> {
        let (kind, _plan, number) = (self.byte()?, self.byte()?, self.text()?);
        let is_international = kind == INTERNATIONAL && number.bytes().all(|byte| byte.is_ascii_digit());
        Ok(if is_international && !number.is_empty() { format!("+{number}") } else { number })
    }

    /// The next optional parameter; `None` at the end, or where what is there is not a whole one.
    fn parameter(&mut self) -> Option<(u16, &'b [u8])> {
        let head = self.bytes(4).ok()?;
        let tag = u16::from_be_bytes([head[0], head[1]]);
        let length = u16::from_be_bytes([head[2], head[3]]);
        Some((tag, self.bytes(usize::from(length)).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_far_too_long_the_beginning_is_read() {
        let long = "7".repeat(70_000);
        let body = format!("\0\x01\x01{long}\0\0\0{long}\0\0\0\0\0\0\0\0\0\0\x02Hi");
        let deliver = deliver(body.as_bytes()).unwrap();
        assert_eq!((deliver.from.len(), deliver.to.len(), deliver.payload.as_slice()), (65, 64, &b"Hi"[..]));
        assert_eq!(message_id(long.as_bytes()).unwrap().len(), 128);
    }
}
