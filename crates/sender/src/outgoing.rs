//! A message as carriers are given it.

use muster_carrier::{Encoding, Outgoing, Part};
use muster_domain::message::{self, Message, segments};

/// The message in its parts. It is known by its id, so that it is known again when it is handed over a second time.
pub(crate) fn outgoing(message: &Message) -> Outgoing {
    let encoding = match message.encoding {
        message::Encoding::Gsm => Encoding::Gsm,
        message::Encoding::Ucs2 => Encoding::Ucs2,
    };
    Outgoing {
        reference: message.id.to_string(),
        from: message.sender.as_str().to_owned(),
        to: message.phone.as_str().to_owned(),
        text: message.text.clone(),
        encoding,
        parts: segments(&message.text, message.encoding).map(|segment| Part(segment.encode())).collect(),
        validity: None,
        want_receipt: true,
    }
}
