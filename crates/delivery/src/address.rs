//! Which IP addresses are public. The networks are those of the IANA special-purpose address registries
//! (RFC 6890; <https://www.iana.org/assignments/iana-ipv4-special-registry> and `iana-ipv6-special-registry`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The kind of an address that is not called, such as `loopback`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// What is not public of IPv4; the first that fits names the kind.
const REFUSED_V4: [(Ipv4Net, &str); 19] = [
    (v4(0, 0, 0, 0, 32), "unspecified"),            // RFC 1122, section 3.2.1.3
    (v4(0, 0, 0, 0, 8), "this network"),            // RFC 791, section 3.2
    (v4(10, 0, 0, 0, 8), "private"),                // RFC 1918
    (v4(100, 64, 0, 0, 10), "shared"), // RFC 6598: behind a carrier's NAT; also the metadata of one cloud
    (v4(127, 0, 0, 0, 8), "loopback"), // RFC 1122, section 3.2.1.3
    (v4(168, 63, 129, 16, 32), "cloud metadata"), // public by its number, but Azure's own to each machine there
    (v4(169, 254, 0, 0, 16), "link-local"),       // RFC 3927; here are the metadata of most clouds
    (v4(172, 16, 0, 0, 12), "private"),           // RFC 1918
    (v4(192, 0, 0, 0, 24), "protocol assignments"), // RFC 6890, section 2.1
    (v4(192, 0, 2, 0, 24), "documentation"),      // RFC 5737
    (v4(192, 88, 99, 0, 24), "6to4 relay"),       // RFC 7526: deprecated
    (v4(192, 168, 0, 0, 16), "private"),          // RFC 1918
    (v4(198, 18, 0, 0, 15), "benchmarking"),      // RFC 2544
    (v4(198, 51, 100, 0, 24), "documentation"),   // RFC 5737
    (v4(203, 0, 113, 0, 24), "documentation"),    // RFC 5737
    (v4(233, 252, 0, 0, 24), "documentation"),    // RFC 6676
    (v4(224, 0, 0, 0, 4), "multicast"),           // RFC 5771
    (v4(255, 255, 255, 255, 32), "broadcast"),    // RFC 919, section 7
    (v4(240, 0, 0, 0, 4), "reserved"),            // RFC 1112, section 4
];

/// What is not public of IPv6, beside what carries an IPv4 address and what was never given out.
const REFUSED_V6: [(Ipv6Net, &str); 14] = [
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "unspecified"), // RFC 4291, section 2.5.2
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback"),      // RFC 4291, section 2.5.3
    (v6(0x64, 0xff9b, 1, 48), "local translation"), // RFC 8215: only its network knows where the IPv4 address stands
    (v6(0x100, 0, 0, 64), "discard"),               // RFC 6666
    (v6(0x2001, 2, 0, 48), "benchmarking"),         // RFC 5180
    (v6(0x2001, 0, 0, 23), "protocol assignments"), // RFC 2928; with ORCHID (RFC 7343)
    (v6(0x2001, 0xdb8, 0, 32), "documentation"),    // RFC 3849
    (v6(0x3fff, 0, 0, 20), "documentation"),        // RFC 9637
    (v6(0x3ffe, 0, 0, 16), "reserved"),             // RFC 3701: the former 6bone
    (v6(0x5f00, 0, 0, 16), "segment routing"),      // RFC 9602
    (v6(0xfc00, 0, 0, 7), "private"),               // RFC 4193; also the metadata of one cloud
    (v6(0xfe80, 0, 0, 10), "link-local"),           // RFC 4291, section 2.5.6
    (v6(0xfec0, 0, 0, 10), "site-local"),           // RFC 3879
    (v6(0xff00, 0, 0, 8), "multicast"),             // RFC 4291, section 2.7
];

/// All that is given out of IPv6 (RFC 4291, section 2.4, and the IANA's IPv6 address space).
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// Whether an address is public or in one of the allowed networks; if not, of which kind it is.
pub(crate) fn judge(address: IpAddr, allowed: &[IpNet]) -> Result<(), Refused> {
    if allowed.iter().any(|network| network.contains(&address)) {
        return Ok(());
    }
    match address {
        IpAddr::V4(address) => not_in(&REFUSED_V4, |network| network.contains(&address)),
        IpAddr::V6(address) => judge_v6(address, allowed),
    }
}

fn judge_v6(address: Ipv6Addr, allowed: &[IpNet]) -> Result<(), Refused> {
    let carried = carried(address);
    if carried == [None, None] {
        not_in(&REFUSED_V6, |network| network.contains(&address))?;
        if !GLOBAL_V6.contains(&address) {
            return Err(Refused("reserved"));
        }
    }
    // The tunnel of a site may lie in any network, so this is asked of all of them.
    let addresses = carried.into_iter().chain([tunnelled_to(address)]).flatten();
    addresses.map(IpAddr::V4).try_for_each(|inner| judge(inner, allowed))
}

fn not_in<N>(refused: &[(N, &'static str)], holds: impl Fn(&N) -> bool) -> Result<(), Refused> {
    refused.iter().find(|(network, _)| holds(network)).map_or(Ok(()), |(_, kind)| Err(Refused(kind)))
}

/// The IPv4 addresses to which a packet for this one goes, where the whole network is made of such.
fn carried(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let [_, .., high, low] = address.segments();
    match address.segments() {
        // Unspecified and loopback are no IPv4 addresses.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None, None],
        // Mapped and compatible (RFC 4291, section 2.5.5), NAT64 (RFC 6052, section 2.1), translated (RFC 2765, section 2.1).
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => {
            [Some(joined(high, low)), None]
        }
        // 6to4 (RFC 3056, section 2).
        [0x2002, high, low, ..] => [Some(joined(high, low)), None],
        // Teredo (RFC 4380, section 4): the server, and the client with its bits turned.
        [0x2001, 0, server_high, server_low, ..] => {
            [Some(joined(server_high, server_low)), Some(joined(!high, !low))]
        }
        _ => [None, None],
    }
}

/// The end of an ISATAP tunnel (RFC 5214, section 6.1).
fn tunnelled_to(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => Some(joined(high, low)),
        _ => None,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests;
