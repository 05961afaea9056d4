use proptest::prelude::*;

use super::*;

fn judged(address: &str) -> Result<(), Refused> {
    judge(address.parse().unwrap(), &[])
}

#[test]
fn public_addresses_are_called() {
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "168.63.129.15",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:200::1",
        "2a00::1",
        "3ffd::1",
        "::ffff:1.1.1.1",
        "::1.1.1.1",
        "64:ff9b::1.1.1.1",
        "2002:101:101::1",
        // Teredo with the server 1.1.1.1 and the client 9.9.9.9.
        "2001:0:101:101:0:0:f6f6:f6f6",
        "2606:4700::5efe:1.1.1.1",
    ] {
        assert_eq!(judged(address), Ok(()), "{address}");
    }
}

#[test]
fn other_addresses_are_refused_by_their_kind() {
    for (address, kind) in [
        ("0.0.0.0", "unspecified"),
        ("0.255.255.255", "this network"),
        ("10.0.0.1", "private"),
        ("10.255.255.255", "private"),
        ("100.64.0.0", "shared"),
        ("100.100.100.200", "shared"),
        ("100.127.255.255", "shared"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("168.63.129.16", "cloud metadata"),
        ("169.254.169.254", "link-local"),
        ("172.16.0.0", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.192", "protocol assignments"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4 relay"),
        ("192.168.255.255", "private"),
        ("198.18.0.0", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("224.0.0.1", "multicast"),
        ("233.252.0.1", "documentation"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::2", "this network"),
        ("100::1", "discard"),
        ("100:0:0:1::1", "reserved"),
        ("200::1", "reserved"),
        ("64:ff9b:1::1.1.1.1", "local translation"),
        ("64:ff9b:2::1", "reserved"),
        ("2001:2::1", "benchmarking"),
        ("2001:10::1", "protocol assignments"),
        ("2001:1ff::1", "protocol assignments"),
        ("2001:db8::1", "documentation"),
        ("3ffe::1", "reserved"),
        ("3fff::1", "documentation"),
        ("4000::1", "reserved"),
        ("5f00::1", "segment routing"),
        ("fc00::1", "private"),
        ("fd00:ec2::254", "private"),
        ("fe80::1", "link-local"),
        ("fe80::5efe:1.1.1.1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::127.0.0.1", "loopback"),
        ("::ffff:0:10.0.0.1", "private"),
        ("64:ff9b::10.0.0.1", "private"),
        ("2002:7f00:1::1", "loopback"),
        // Teredo: a private server; a public server and a private client.
        ("2001:0:a00:1:0:0:f6f6:f6f6", "private"),
        ("2001:0:101:101:0:0:f5ff:fffe", "private"),
        ("2606:4700::5efe:10.0.0.1", "private"),
        ("2606:4700::200:5efe:10.0.0.1", "private"),
        ("2002:101:101:0:0:5efe:10.0.0.1", "private"),
    ] {
        assert_eq!(judged(address), Err(Refused(kind)), "{address}");
    }
}

#[test]
fn an_allowed_network_counts_in_every_form_of_its_addresses_and_no_other() {
    let allowed = ["127.0.0.0/8".parse().unwrap(), "fd12::/16".parse().unwrap()];
    for address in ["127.0.0.1", "::ffff:127.9.9.9", "64:ff9b::127.0.0.1", "fd12::7"] {
        assert_eq!(judge(address.parse().unwrap(), &allowed), Ok(()), "{address}");
    }
    for address in ["10.0.0.1", "::1", "::ffff:10.0.0.1", "fd13::1"] {
        assert!(judge(address.parse().unwrap(), &allowed).is_err(), "{address}");
    }
}

/// Any address of any of the refused networks.
fn refused_v4() -> impl Strategy<Value = Ipv4Addr> {
    (0..REFUSED_V4.len(), any::<u32>()).prop_map(|(which, bits)| {
        let (network, _) = REFUSED_V4[which];
        Ipv4Addr::from_bits(network.network().to_bits() | bits & network.hostmask().to_bits())
    })
}

proptest! {
    #[test]
    fn what_carries_a_refused_address_is_refused(
        inner in refused_v4(),
        public in (1_u32..10).prop_map(|first| first << 24 | 0x0101_0101 & 0x00ff_ffff),
        random: u128,
    ) {
        prop_assert!(judge(IpAddr::V4(inner), &[]).is_err());
        let bits = u128::from(inner.to_bits());
        let (public, turned) = (u128::from(public), u128::from(!inner.to_bits()));
        let low = |length: u32| random & (u128::MAX >> length);
        for (form, outer) in [
            ("mapped", 0xffff << 32 | bits),
            ("compatible", bits),
            ("translated", 0xffff << 48 | bits),
            ("NAT64", 0x64_ff9b << 96 | bits),
            ("local NAT64, at the end", 0x64_ff9b_0001 << 80 | bits),
            ("local NAT64, after the prefix", 0x64_ff9b_0001 << 80 | bits << 48 | low(80)),
            ("6to4", 0x2002 << 112 | bits << 80 | low(48)),
            ("Teredo server", 0x2001_0000 << 96 | bits << 64 | low(64)),
            ("Teredo client", 0x2001_0000 << 96 | public << 64 | low(64) >> 32 << 32 | turned),
            ("ISATAP", 0x2606_4700 << 96 | low(32) >> 64 << 64 | 0x5efe << 32 | bits),
        ] {
            let outer = Ipv6Addr::from_bits(outer);
            prop_assert!(judge(IpAddr::V6(outer), &[]).is_err(), "{form}: {outer}");
        }
    }

    #[test]
    fn what_carries_an_address_is_judged_as_it(bits in 2_u32..) {
        let inner = Ipv4Addr::from_bits(bits);
        let expected = judge(IpAddr::V4(inner), &[]);
        let bits = u128::from(bits);
        for outer in [0xffff << 32 | bits, bits, 0x64_ff9b << 96 | bits, 0x2002 << 112 | bits << 80] {
            prop_assert_eq!(judge(IpAddr::V6(Ipv6Addr::from_bits(outer)), &[]), expected);
        }
    }
}
