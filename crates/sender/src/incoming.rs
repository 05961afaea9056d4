//! Messages from phones, as the directory takes them.

use muster_carrier::{Body, Incoming, Router};
use muster_domain::message::{Arrival, gsm};
use muster_domain::{Directory, Entity, Error, Store, TenantId};

use crate::Counts;

/// The longest text: 255 parts of 153 characters. Gateways could tell of more.
const MOST_CHARACTERS: usize = 39_015;
/// The longest number or name.
const LONGEST_ADDRESS: usize = 40;

/// A message as a carrier has brought it. What is no text is written as hexadecimal digits.
pub(crate) fn arrival(carrier: &str, incoming: Incoming) -> Arrival {
    let Incoming { id, from, to, body, missing: _, at } = incoming;
    let text = match body {
        Body::Text(text) => text,
        Body::Gsm(septets) => gsm::decode(&septets),
        Body::Binary(bytes) => hexadecimal(&bytes),
    };
    Arrival {
        carrier: carrier.to_owned(),
        carrier_id: id,
        from: short(from, LONGEST_ADDRESS),
        to: short(to, LONGEST_ADDRESS),
        text: short(text, MOST_CHARACTERS),
        received_at: at,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xF)]).collect()
}

fn short(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
    }
    text
}

/// Whose it is: of the tenant that has the number it was sent to, as the operator says; else of whose message it answers;
/// else of the tenant that gets what nobody else does.
pub async fn tenant_of<S: Store>(
    directory: &Directory<S>,
    router: &Router,
    arrival: &Arrival,
) -> Result<Option<TenantId>, Error> {
    if let Some(tenant) = router.inbound(&arrival.to) {
        return Ok(Some(tenant));
    }
    let answered = directory.incoming_tenant(&arrival.from, &arrival.to).await?;
    Ok(answered.or(router.inbound_default()))
}

/// Stores a message. When this is `Ok` the carrier need not bring it again.
pub(crate) async fn receive<S: Store>(
    directory: &Directory<S>,
    router: &Router,
    counts: &Counts,
    arrival: Arrival,
) -> Result<(), Error> {
    let carrier = arrival.carrier.clone();
    let dropped = |why: &str| {
        counts.incoming_dropped.add(1);
        // The numbers are personal data, which logs need not have.
        tracing::warn!(carrier, why, "a message from a phone is dropped");
    };
    match tenant_of(directory, router, &arrival).await? {
        None => dropped("no tenant has the number that it was sent to"),
        Some(tenant) => match directory.incoming_receive(tenant, arrival).await {
            Ok(_) => counts.incoming.add(1),
            Err(Error::NotFound(Entity::Tenant)) => dropped("the tenant that is configured is not there"),
            Err(error) => return Err(error),
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use muster_domain::Timestamp;

    use super::*;

    #[test]
    fn what_comes_in_is_read_and_cut_to_what_can_be() {
        let of = |body| {
            let from = "1".repeat(100);
            let incoming =
                Incoming { id: None, from, to: "+49".to_owned(), body, missing: 0, at: Timestamp(7) };
            arrival("main", incoming)
        };
        let gsm = of(Body::Gsm(vec![0, 0x1B, 0x65]));
        assert_eq!((gsm.text.as_str(), gsm.from.len(), gsm.to.as_str()), ("@€", 40, "+49"));
        assert_eq!(of(Body::Binary(vec![0, 255])).text, "00ff");
        let long = of(Body::Text("é".repeat(50_000)));
        assert_eq!(long.text.chars().count(), MOST_CHARACTERS);
        assert_eq!(of(Body::Text("hi".to_owned())).text, "hi");
    }
}
