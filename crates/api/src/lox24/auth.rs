//! Who calls: a key in either form of the headers, and addresses that are kept out (LOX24 contract, section 1).

use http::HeaderMap;
use muster_domain::credential::lox24_tenant;
use muster_domain::session::{Found, Subject};
use muster_domain::{Ctx, Dialect, Error, TenantId};

use super::format::Format;
use crate::http::{Call, Failure, Head};

const TOKEN: &str = "x-lox24-auth-token";
const CLIENT_ID: &str = "x-lox24-client-id";

/// What a 401 says in `WWW-Authenticate`, which HTTP demands (RFC 9110, section 15.5.2) and the vendor leaves out.
pub(super) const CHALLENGE: &str = "X-LOX24-AUTH-TOKEN";

const REFUSED: Error = Error::Unauthenticated("wrong LOX24 credentials");

/// What a request says about its caller.
enum Presented {
    Nothing,
    /// What cannot be anybody's.
    Malformed,
    Key(TenantId, String),
}

/// Keeps blocked addresses out, whatever they ask for.
pub(super) fn door(head: &Head<'_>) -> Result<(), Failure> {
    if head.app.settings.rate_limits {
        head.app.lox24_blocks.check(head.client(), head.meta.started)?;
    }
    Ok(())
}

/// Who calls, and the format of the answer. Nothing else of the request is looked at before.
pub(super) async fn enter(call: &mut Call) -> Result<(Ctx, Format), Failure> {
    let ctx = authenticate(call).await?;
    Ok((ctx, Format::of(call.headers())?))
}

/// As [`enter`], with what the id in the path names, read in the same trip to the store.
pub(super) async fn enter_for<Id: Copy>(
    call: &mut Call,
    id: Result<Id, Error>,
    subject: fn(Id) -> Subject,
) -> Result<(Ctx, Format, Option<Found>), Failure> {
    let named = match id {
        Ok(named) => named,
        Err(error) => {
            enter(call).await?;
            return Err(error.into());
        }
    };
    let (ctx, found) = authenticate_for(call, subject(named)).await?;
    Ok((ctx, Format::of(call.headers())?, found))
}

/// Who calls, for an answer whose format is not negotiated.
pub(super) async fn authenticate(call: &mut Call) -> Result<Ctx, Failure> {
    let (tenant, key) = key(call)?;
    let outcome = call.credential(Dialect::Lox24, tenant, &key).await;
    counted(call, outcome)
}

/// As [`authenticate`], with what the request is about, read in the same trip to the store.
async fn authenticate_for(call: &mut Call, subject: Subject) -> Result<(Ctx, Option<Found>), Failure> {
    let (tenant, key) = key(call)?;
    let outcome = call.credential_for(Dialect::Lox24, tenant, &key, subject).await;
    counted(call, outcome)
}

/// The key that a request presents. Missing credentials are refused, but they are not wrong.
fn key(call: &Call) -> Result<(TenantId, String), Failure> {
    match presented(call.headers()) {
        Presented::Nothing => Err(REFUSED.into()),
        Presented::Malformed => counted(call, Err(REFUSED.into())),
        Presented::Key(tenant, key) => Ok((tenant, key)),
    }
}

/// Counts wrong credentials against their address.
fn counted<T>(call: &Call, outcome: Result<T, Failure>) -> Result<T, Failure> {
    let app = call.app();
    if matches!(outcome, Err(Failure::Core(Error::Unauthenticated(_)))) && app.settings.rate_limits {
        app.lox24_blocks.wrong(call.client(), call.meta().started);
    }
    outcome
}

/// Reads `X-LOX24-AUTH-TOKEN: <client id>:<key>`, or the older form, the key alone beside `X-LOX24-CLIENT-ID`. Both
/// client ids are fine if they are the same.
fn presented(headers: &HeaderMap) -> Presented {
    let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("\0").trim());
    let Some(token) = value(TOKEN).filter(|token| !token.is_empty()) else {
        return Presented::Nothing;
    };
    let beside = value(CLIENT_ID).filter(|id| !id.is_empty());
    let (client_id, key) = match (token.split_once(':'), beside) {
        (Some((id, _)), Some(other)) if id != other => return Presented::Malformed,
        (Some((id, key)), _) => (id, key),
        (None, Some(id)) => (id, token),
        (None, None) => return Presented::Malformed,
    };
    match lox24_tenant(client_id) {
        Some(tenant) if !key.is_empty() => Presented::Key(tenant, key.to_owned()),
        _ => Presented::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(token: Option<&[u8]>, client_id: Option<&[u8]>) -> Result<(i64, String), bool> {
        let mut headers = HeaderMap::new();
        for (name, value) in [(TOKEN, token), (CLIENT_ID, client_id)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_bytes(value).unwrap());
            }
        }
        match presented(&headers) {
            Presented::Key(tenant, key) => Ok((tenant.0, key)),
            Presented::Malformed => Err(true),
            Presented::Nothing => Err(false),
        }
    }

    #[test]
    fn both_forms_are_read() {
        let key = Ok((7, "abc".to_owned()));
        assert_eq!(read(Some(b"1000007:abc"), None), key);
        assert_eq!(read(Some(b" 1000007:abc "), Some(b"1000007")), key);
        assert_eq!(read(Some(b"abc"), Some(b"1000007")), key);
        assert_eq!(read(Some(b"1000007:a:b"), None), Ok((7, "a:b".to_owned())));
    }

    #[test]
    fn what_is_missing_is_told_from_what_is_wrong() {
        for (token, client_id) in [(None, None), (None, Some(&b"1000007"[..])), (Some(&b" "[..]), None)] {
            assert_eq!(read(token, client_id), Err(false), "{token:?} {client_id:?}");
        }
        let malformed: [(&[u8], Option<&[u8]>); 9] = [
            (b"abc", None),
            (b"1000007", None),
            (b"1000007:", None),
            (b":abc", None),
            (b"7:abc", None),
            (b"abc", Some(b"x")),
            (b"abc", Some(b"\xff")),
            (b"\xff:\xfe", None),
            (b"1000007:abc", Some(b"1000008")),
        ];
        for (token, client_id) in malformed {
            assert_eq!(read(Some(token), client_id), Err(true), "{token:?} {client_id:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_can_be_read(
            token in proptest::option::of("[0-9:+\\-a-f\t \u{80}-\u{ff}]{0,40}"),
            client_id in proptest::option::of("[0-9:+\\-x\u{80}-\u{ff}]{0,30}"),
        ) {
            let outcome = read(token.as_deref().map(str::as_bytes), client_id.as_deref().map(str::as_bytes));
            if let Ok((tenant, key)) = outcome {
                prop_assert!(tenant > 0 && !key.is_empty());
            }
        }
    }
}
