use proptest::prelude::*;

use super::*;

fn strict(text: &str) -> Result<String, TargetFault> {
    Target::parse(text, &Policy::default()).map(|target| target.to_string())
}

#[test]
fn a_url_is_brought_into_its_one_form() {
    for (text, form) in [
        ("https://crm.example.org/hook", "https://crm.example.org/hook"),
        ("HTTPS://CRM.Example.ORG", "https://crm.example.org/"),
        ("https://crm.example.org:443/a?b=c&d", "https://crm.example.org/a?b=c&d"),
        ("https://crm.example.org:80/", "https://crm.example.org:80/"),
        ("https://crm.example.org:8443/", "https://crm.example.org:8443/"),
        ("https://crm.example.org./", "https://crm.example.org./"),
        ("https://b\u{fc}cher.example/\u{e4}", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://\u{ff43}\u{ff52}\u{ff4d}.example/", "https://crm.example/"),
        ("https://crm%2Eexample/", "https://crm.example/"),
        ("https://_hooks.example/", "https://_hooks.example/"),
        ("https://1.1.1.1/", "https://1.1.1.1/"),
        ("https://0x1010101/", "https://1.1.1.1/"),
        ("https://[2606:4700:4700:0::1111]/", "https://[2606:4700:4700::1111]/"),
        ("https://example.org/{id}|\"`^\\x", "https://example.org/%7Bid%7D|%22%60^/x"),
    ] {
        assert_eq!(strict(text).as_deref(), Ok(form), "{text}");
    }
}

#[test]
fn every_fault_has_its_sentence() {
    let long_label = format!("https://{}.example/", "a".repeat(64));
    let long_name = format!("https://{}example/", "a23456789.".repeat(25));
    let long = format!("https://example.org/{}", "a".repeat(2029));
    for (text, fault) in [
        (long.as_str(), TargetFault::TooLong),
        ("", TargetFault::Malformed),
        ("crm.example.org/hook", TargetFault::Malformed),
        ("https://", TargetFault::Malformed),
        ("https://[::1", TargetFault::Malformed),
        (" https://example.org/", TargetFault::Blank),
        ("https://exam\tple.org/", TargetFault::Blank),
        ("https://example.org/\r\nHost: other", TargetFault::Blank),
        ("https://example.org/\u{a0}", TargetFault::Blank),
        ("http://example.org/", TargetFault::PlainHttp),
        ("ftp://example.org/", TargetFault::Scheme),
        ("file:///etc/passwd", TargetFault::Scheme),
        ("mailto:ann@example.org", TargetFault::Scheme),
        ("https://ann@example.org/", TargetFault::Credentials),
        ("https://:secret@example.org/", TargetFault::Credentials),
        ("https://example.org/#top", TargetFault::Fragment),
        ("https://example.org/#", TargetFault::Fragment),
        ("https://a..example/", TargetFault::Host),
        ("https://a!b.example/", TargetFault::Host),
        ("https://(a).example/", TargetFault::Host),
        ("https://a%00b.example/", TargetFault::Host),
        (long_label.as_str(), TargetFault::Host),
        (long_name.as_str(), TargetFault::Host),
        ("https://example.org:0/", TargetFault::Port),
        ("https://example.org:22/", TargetFault::Port),
        ("https://example.org:25/", TargetFault::Port),
        ("https://example.org:1023/", TargetFault::Port),
        ("https://example.org:6000/", TargetFault::Port),
        ("https://example.org:65536/", TargetFault::Port),
    ] {
        assert_eq!(strict(text), Err(fault), "{text}");
        assert!(fault.to_string().starts_with("must "), "{fault}");
    }
    assert!(strict(&long[..2048]).is_ok());
}

#[test]
fn a_private_address_is_refused_in_every_spelling() {
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
        "127\u{3002}0\u{3002}0\u{3002}1",
        "0",
        "0.0.0.0",
        "169.254.169.254",
        "0xa9fea9fe",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a00:1]",
        "[2002:a00:1::]",
        "[2001:0:a00:1::]",
        "[fe80::1]",
        "[fd00::1]",
    ] {
        assert_eq!(strict(&format!("https://{host}/")), Err(TargetFault::Address), "{host}");
    }
}

#[test]
fn the_operator_can_allow_http_and_networks() {
    let policy = Policy { allowed: vec!["127.0.0.0/8".parse().unwrap()], plain_http: true };
    for text in ["http://127.0.0.1:8080/", "http://example.org/", "https://[::ffff:127.0.0.1]/"] {
        assert!(Target::parse(text, &policy).is_ok(), "{text}");
    }
    assert_eq!(Target::parse("http://10.0.0.1/", &policy), Err(TargetFault::Address));
    assert_eq!(Target::parse("ftp://127.0.0.1:2121/", &policy), Err(TargetFault::Scheme));
}

proptest! {
    #[test]
    fn any_text_can_be_read_and_what_was_read_reads_the_same(
        text in prop_oneof!["\\PC{0,60}", "https://[^/#@]{1,30}/\\PC{0,30}", "https://[a-z.]{1,20}(:[0-9]{1,6})?/[!-~]{0,30}"],
    ) {
        if let Ok(form) = strict(&text) {
            prop_assert_eq!(strict(&form), Ok(form));
        }
    }
}
