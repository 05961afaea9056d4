//! The PDUs that we write.

use std::time::Duration;

use bytes::BytesMut;
use rusmpp::encode::Length as _;
use rusmpp::encode::owned::Encode as _;
use rusmpp::pdus::{BindTransceiver, DeliverSmResp, SubmitSm};
use rusmpp::types::{COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{
    DataCoding, EsmClass, InterfaceVersion, MCDeliveryReceipt, Npi, RegisteredDelivery, Ton,
};
use rusmpp::{Command, CommandStatus, Pdu};
use secrecy::ExposeSecret as _;

use super::{SmppConfig, udh};
use crate::{Encoding, Failed, Outgoing, Reason};

/// The longest validity that a relative time can tell: 63 weeks are the longest on the air (3GPP TS 23.040, section 9.2.3.12.1).
const LONGEST_VALIDITY: Duration = Duration::from_hours(63 * 7 * 24);

/// There is a user data header (section 5.2.12, bit 6).
const UDHI: u8 = 0x40;

/// Writes a PDU (SMPP 3.4, section 3.2).
pub(super) fn write(status: CommandStatus, sequence: u32, pdu: impl Into<Pdu>) -> BytesMut {
    let command = Command::new(status, sequence, pdu);
    let length = 4 + command.length();
    let mut bytes = BytesMut::with_capacity(length);
    bytes.extend_from_slice(&u32::try_from(length).unwrap_or_default().to_be_bytes());
    command.encode(&mut bytes);
    bytes
}

/// Section 4.1.5. The configuration is a valid one, so that its texts fit.
pub(super) fn bind(config: &SmppConfig) -> BindTransceiver {
    BindTransceiver {
        system_id: text(&config.system_id).unwrap_or_default(),
        password: text(config.password.expose_secret()).unwrap_or_default(),
        system_type: text(&config.system_type).unwrap_or_default(),
        interface_version: InterfaceVersion::Smpp3_4,
        ..BindTransceiver::default()
    }
}

/// Section 4.6.2: its `message_id` is unused and empty.
pub(super) fn deliver_answer() -> DeliverSmResp {
    DeliverSmResp::default()
}

/// The submissions of a message (section 4.4.1), one for each part.
pub(super) fn submissions(message: &Outgoing, reference: u8) -> Result<Vec<SubmitSm>, Failed> {
    let (source_addr_ton, source_addr_npi, source) = sender(&message.from);
    let recipient = message.to.strip_prefix('+').unwrap_or(&message.to);
    let is_number = !recipient.is_empty() && recipient.bytes().all(|byte| byte.is_ascii_digit());
    let source =
        text(source).ok_or_else(|| Failed::refused(Reason::InvalidSender, "the sender cannot be written"))?;
    let destination = text(recipient)
        .filter(|_| is_number)
        .ok_or_else(|| Failed::refused(Reason::InvalidRecipient, "the number cannot be written"))?;
    let base = SubmitSm::builder()
        .source_addr_ton(source_addr_ton)
        .source_addr_npi(source_addr_npi)
        .source_addr(source)
        .dest_addr_ton(Ton::International)
        .dest_addr_npi(Npi::Isdn)
        .destination_addr(destination)
        // What the crate takes for the default says that it is an acknowledgement.
        .esm_class(EsmClass::from(0))
        .validity_period(message.validity.map(validity).unwrap_or_default())
        .registered_delivery(receipt(message.want_receipt))
        .data_coding(match message.encoding {
            // The default alphabet of the message centre, which is that of GSM (section 5.2.19).
            Encoding::Gsm => DataCoding::McSpecific,
            Encoding::Ucs2 => DataCoding::Ucs2,
        })
        .build();
    let total = u8::try_from(message.parts.len()).unwrap_or(u8::MAX);
    let one = |(number, part): (u8, &crate::Part)| {
        let mut payload = Vec::with_capacity(6 + part.0.len());
        let mut submission = base.clone();
        if total > 1 {
            payload.extend(udh::header(reference, total, number));
            submission.esm_class = EsmClass::from(UDHI);
        }
        payload.extend(&part.0);
        let payload = OctetString::from_vec(payload)
            .map_err(|_| Failed::refused(Reason::InvalidMessage, "a part is too long"))?;
        submission.set_short_message(payload);
        Ok(submission)
    };
    (1..=u8::MAX).zip(&message.parts).map(one).collect()
}

/// Type, plan and text of a sender (sections 5.2.5 to 5.2.7).
fn sender(from: &str) -> (Ton, Npi, &str) {
    let digits = from.strip_prefix('+').unwrap_or(from);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        (Ton::Alphanumeric, Npi::Unknown, from)
    } else if from.len() > digits.len() || digits.len() > 6 {
        (Ton::International, Npi::Isdn, digits)
    } else {
        // A short code is a number of its network only.
        (Ton::NetworkSpecific, Npi::Unknown, digits)
    }
}

/// With a final receipt, of success or failure, or without (section 5.2.17).
fn receipt(is_wanted: bool) -> RegisteredDelivery {
    if !is_wanted {
        return RegisteredDelivery::default();
    }
    RegisteredDelivery::new(
        MCDeliveryReceipt::McDeliveryReceiptRequestedWhereFinalDeliveryOutcomeIsSuccessOrFailure,
        rusmpp::values::SmeOriginatedAcknowledgement::default(),
        rusmpp::values::IntermediateNotification::default(),
        0,
    )
}

/// A relative time, `YYMMDDhhmmss000R` (section 7.1.1.2), with days only, of which there are 99 at most; months of 30
/// days hold the rest.
fn validity(period: Duration) -> EmptyOrFullCOctetString<17> {
    let seconds = period.min(LONGEST_VALIDITY).as_secs().max(1);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (years, months, days) = (days / 360, days % 360 / 30, days % 30);
    let (hours, minutes, seconds) = (rest / 3600, rest % 3600 / 60, rest % 60);
    let text = format!("{years:02}{months:02}{days:02}{hours:02}{minutes:02}{seconds:02}000R");
    EmptyOrFullCOctetString::from_string(text).unwrap_or_default()
}

/// A C-octet string (section 3.1); `None` if it is too long or not ASCII.
fn text<const MAX: usize>(text: &str) -> Option<COctetString<1, MAX>> {
    COctetString::from_string(text.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Part;

    fn message() -> Outgoing {
        Outgoing {
            reference: "m".to_owned(),
            from: "Muster".to_owned(),
            to: "+491512345678".to_owned(),
            text: String::new(),
            encoding: Encoding::Gsm,
            parts: vec![Part(vec![1; 160])],
            validity: None,
            want_receipt: true,
        }
    }

    #[test]
    fn senders_have_their_types() {
        for (from, ton, npi, text) in [
            ("Muster", Ton::Alphanumeric, Npi::Unknown, "Muster"),
            ("+491512345678", Ton::International, Npi::Isdn, "491512345678"),
            ("491512345678", Ton::International, Npi::Isdn, "491512345678"),
            ("12345", Ton::NetworkSpecific, Npi::Unknown, "12345"),
            ("+12345", Ton::International, Npi::Isdn, "12345"),
        ] {
            assert_eq!(sender(from), (ton, npi, text), "{from}");
        }
    }

    #[test]
    fn a_long_message_has_a_header_in_each_part() {
        let long = Outgoing { parts: vec![Part(vec![7; 153]), Part(vec![8; 10])], ..message() };
        let submissions = submissions(&long, 200).unwrap();
        assert_eq!(submissions.len(), 2);
        for (number, submission) in (1..).zip(&submissions) {
            assert_eq!(u8::from(submission.esm_class), 0x40);
            assert_eq!(&submission.short_message()[..6], [5, 0, 3, 200, 2, number]);
        }
        assert_eq!(submissions[1].short_message().len(), 16);
        let alone = &super::submissions(&message(), 200).unwrap()[0];
        assert_eq!((u8::from(alone.esm_class), alone.short_message().len()), (0, 160));
        assert_eq!(u8::from(alone.registered_delivery), 1);
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let reason = |message: &Outgoing| match submissions(message, 0) {
            Err(Failed::Refused { reason, .. }) => Some(reason),
            _ => None,
        };
        assert_eq!(reason(&Outgoing { from: "Grüße".to_owned(), ..message() }), Some(Reason::InvalidSender));
        assert_eq!(reason(&Outgoing { from: "x".repeat(30), ..message() }), Some(Reason::InvalidSender));
        for to in ["", "+", "+49 1", "+49a", "+123456789012345678901"] {
            assert_eq!(
                reason(&Outgoing { to: to.to_owned(), ..message() }),
                Some(Reason::InvalidRecipient),
                "{to}"
            );
        }
    }

    #[test]
    fn a_validity_is_a_relative_time() {
        for (seconds, text) in [
            (0, "000000000001000R\0"),
            (90, "000000000130000R\0"),
            (172_800 + 3_661, "000002010101000R\0"),
            (86_400 * 30, "000100000000000R\0"),
            (86_400 * 1000, "010221000000000R\0"),
        ] {
            assert_eq!(&validity(Duration::from_secs(seconds))[..], text.as_bytes(), "{seconds}");
        }
    }
}
