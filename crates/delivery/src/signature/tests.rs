use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use standardwebhooks::{Webhook, WebhookError};

use super::*;

/// What the receiver goes by.
#[expect(clippy::disallowed_methods, reason = "the other implementation reads the clock itself")]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

fn receiver(secret: &SigningSecret) -> Webhook {
    Webhook::new(secret.reveal().expose_secret()).unwrap()
}

#[test]
fn the_vector_of_the_specification_holds() {
    let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let body = br#"{"test": 2432232314}"#;
    let headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body, &[secret]).unwrap();
    assert_eq!(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_eq!(headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
    assert_eq!(headers["webhook-timestamp"], "1614265330");
}

#[test]
fn while_a_secret_is_replaced_both_are_good() {
    let (old, new, other) =
        (SigningSecret::new([1; 32]), SigningSecret::new([2; 32]), SigningSecret::new([3; 32]));
    let headers = signed_headers("msg_1", now(), b"{}", &[new.clone(), old.clone()]).unwrap();
    assert!(receiver(&old).verify(b"{}", &headers).is_ok());
    assert!(receiver(&new).verify(b"{}", &headers).is_ok());
    let refused = receiver(&other).verify(b"{}", &headers);
    assert!(matches!(refused, Err(WebhookError::InvalidSignature)), "{refused:?}");
}

#[test]
fn a_signature_holds_for_minutes() {
    let secret = SigningSecret::new([7; 32]);
    let verified = |at: i64| {
        let headers = signed_headers("msg_1", at, b"{}", std::slice::from_ref(&secret)).unwrap();
        receiver(&secret).verify(b"{}", &headers)
    };
    assert!(verified(now() - 60).is_ok());
    assert!(verified(now() + 60).is_ok());
    assert!(matches!(verified(now() - 600), Err(WebhookError::TimestampTooOldError)));
    assert!(matches!(verified(now() + 600), Err(WebhookError::FutureTimestampError)));
}

#[test]
fn a_secret_has_one_form_and_is_not_shown() {
    let secret = SigningSecret::new([0xa5; 32]);
    let text = secret.reveal();
    assert_eq!(text.expose_secret().len(), 6 + 44);
    let again = SigningSecret::parse(text.expose_secret()).unwrap();
    assert_eq!(again.reveal().expose_secret(), text.expose_secret());
    assert_eq!(format!("{secret:?} {text:?}").matches("paWl").count(), 0);
    let of = |length: usize| format!("whsec_{}", STANDARD.encode(vec![7; length]));
    assert!(SigningSecret::parse(&of(24)).is_ok() && SigningSecret::parse(&of(64)).is_ok());
    for wrong in ["", "whsec_", &of(23), &of(65), &of(32)[6..], &of(32).to_uppercase(), "whsec_%%%%"] {
        assert_eq!(SigningSecret::parse(wrong).err(), Some(SecretFault), "{wrong}");
    }
}

#[test]
fn an_id_cannot_run_into_the_time() {
    for id in ["", "a.1", "a b", "a\r\n", "\u{e4}", &"a".repeat(256)] {
        assert_eq!(signed_headers(id, 1, b"", &[]).err(), Some(UnusableId), "{id:?}");
    }
}

proptest! {
    #[test]
    fn what_was_changed_is_not_signed(
        key: [u8; 32],
        id in "[A-Za-z0-9_-]{1,40}",
        body in "\\PC{0,80}",
        other in "\\PC{0,80}",
        shift in -200_i64..200,
    ) {
        let (secret, at) = (SigningSecret::new(key), now());
        let headers = signed_headers(&id, at, body.as_bytes(), std::slice::from_ref(&secret)).unwrap();
        let receiver = receiver(&secret);
        prop_assert!(receiver.verify(body.as_bytes(), &headers).is_ok());
        prop_assert_eq!(receiver.verify(other.as_bytes(), &headers).is_ok(), other == body);
        let changed = |name: HeaderName, value: String| {
            let mut headers = headers.clone();
            headers.insert(name, HeaderValue::from_str(&value).unwrap());
            receiver.verify(body.as_bytes(), &headers).is_ok()
        };
        let other_id = changed(ID, format!("{id}x"));
        prop_assert!(!other_id);
        prop_assert_eq!(changed(TIMESTAMP, (at + shift).to_string()), shift == 0);
    }
}

#[test]
fn what_others_sign_is_verified() {
    let secret = SigningSecret::new([9; 32]);
    let other = SigningSecret::new([8; 32]);
    let at = now();
    let signature = receiver(&secret).sign("msg_1", at, b"{}").unwrap();
    let headers = |id: &str, at: i64, signature: &str| {
        let pairs = [(ID, id.to_owned()), (TIMESTAMP, at.to_string()), (SIGNATURE, signature.to_owned())];
        HeaderMap::from_iter(pairs.map(|(name, value)| (name, HeaderValue::from_str(&value).unwrap())))
    };
    let verified = |headers: &HeaderMap, body: &[u8], secrets: &[SigningSecret], now: i64| {
        verify(headers, body, secrets, now, Duration::from_mins(5)).map(str::to_owned)
    };
    let good = headers("msg_1", at, &signature);
    let both = [other.clone(), secret.clone()];
    assert_eq!(verified(&good, b"{}", &both, at), Ok("msg_1".to_owned()));
    assert_eq!(verified(&good, b"{}", &both, at + 300), Ok("msg_1".to_owned()));
    assert_eq!(verified(&good, b"{}", &both, at + 301), Err(SignatureFault::Time));
    assert_eq!(verified(&good, b"{}", &both, at - 301), Err(SignatureFault::Time));
    assert_eq!(verified(&good, b"{ }", &both, at), Err(SignatureFault::Signature));
    assert_eq!(verified(&good, b"{}", &[other], at), Err(SignatureFault::Signature));
    assert_eq!(verified(&good, b"{}", &[], at), Err(SignatureFault::Signature));
    assert_eq!(verified(&headers("msg_2", at, &signature), b"{}", &both, at), Err(SignatureFault::Signature));
    assert_eq!(
        verified(&headers("msg_1", at + 1, &signature), b"{}", &both, at),
        Err(SignatureFault::Signature)
    );
    let several = format!("v1a,xyz v1,AAAA v1,*** {signature}");
    assert_eq!(verified(&headers("msg_1", at, &several), b"{}", &both, at), Ok("msg_1".to_owned()));
    for broken in ["", "v1", "v1,", "v0,AAAA", "v1,AAAA"] {
        assert!(verified(&headers("msg_1", at, broken), b"{}", &both, at).is_err(), "{broken}");
    }
    let mut twice = good.clone();
    twice.append(TIMESTAMP, HeaderValue::from_static("1"));
    assert_eq!(verified(&twice, b"{}", &both, at), Err(SignatureFault::Header("webhook-timestamp")));
    assert_eq!(verified(&HeaderMap::new(), b"{}", &both, at), Err(SignatureFault::Header("webhook-id")));
}
