//! Who calls: whoever has signed the request (Onlive contract, section 2), within its quota (section 1).

use http::{HeaderMap, Method};
use muster_domain::credential::signature::{BodyHash, SignedRequest, is_current};
use muster_domain::credential::{Claim, Signed};
use muster_domain::session::{Found, Subject};
use muster_domain::{Actor, Ctx, Error};
use uuid::Uuid;

use super::format;
use crate::App;
use crate::http::{Call, Failure, Quota};

const DATE: &str = "x-onlive-site-date";
const SCHEME: &str = "ONLIVESITE";

/// What a 401 says in `WWW-Authenticate`, which HTTP demands (RFC 9110, section 15.5.2).
pub(super) const CHALLENGE: &str = SCHEME;

/// Whatever is wrong with the headers, the key, the date or the signature.
const REFUSED: Error = Error::Unauthenticated("wrong Onlive credentials");

/// Who calls.
pub(super) struct Caller {
    pub(super) ctx: Ctx,
    /// The caller's organization, as the dialect knows it.
    pub(super) organization: Uuid,
}

/// What a request says about its caller.
#[derive(Debug, PartialEq, Eq)]
struct Presented {
    access_key: String,
    signature: String,
    date: String,
}

pub(super) async fn enter(call: &mut Call) -> Result<Caller, Failure> {
    let (caller, _) = authenticate(call, None).await?;
    Ok(caller)
}

/// As [`enter`], with what the id in the path names, read in the same trip to the store. Who calls and what it may do
/// is told before anything about the id.
pub(super) async fn enter_for(
    call: &mut Call,
    subject: fn(Uuid) -> Subject,
) -> Result<(Caller, Option<Found>), Failure> {
    let id = format::uuid(call.path_text());
    let subject = id.as_ref().ok().map(|id| subject(*id));
    let entered = authenticate(call, subject).await?;
    match id {
        Ok(_) => Ok(entered),
        Err(problem) => Err(Error::field("id", problem).into()),
    }
}

async fn authenticate(call: &mut Call, subject: Option<Subject>) -> Result<(Caller, Option<Found>), Failure> {
    let presented = presented(call.headers()).ok_or(REFUSED)?;
    let app = call.shared_app();
    if !is_current(&presented.date, app.directory.now()) {
        return Err(REFUSED.into());
    }
    let tenant = if call.has_small_body() {
        None
    } else if let Some(claim) = claim(&app, &presented, None).await? {
        Some(claim.tenant())
    } else {
        // Nobody has to have a key to send a body, so that of an unknown one is not kept; it is told to be too large
        // like everybody's.
        call.skip_body().await?;
        return Err(REFUSED.into());
    };
    let mut body = BodyHash::default();
    call.watch_body(tenant, |piece| body.add(piece)).await?;
    // A body may take its time, and rights end meanwhile: those of now count.
    let claim = claim(&app, &presented, subject).await?.ok_or(REFUSED)?;
    let request = SignedRequest {
        method: call.method().as_str(),
        path: call.uri().path(),
        query: call.uri().query().unwrap_or_default(),
        date: &presented.date,
        body: &body,
    };
    let signed = app.directory.signature_authenticate(claim, &request, &presented.signature)?;
    let Signed { ctx, organization_id, found } = signed;
    call.set_tenant(ctx.tenant());
    count(call, &ctx)?;
    call.admit(&ctx)?;
    Ok((Caller { ctx, organization: organization_id }, found))
}

/// Whoever would have signed the request.
async fn claim(app: &App, presented: &Presented, subject: Option<Subject>) -> Result<Option<Claim>, Error> {
    app.directory.signature_claim(&app.server_key, &presented.access_key, subject).await
}

/// Counts the call against the quota of its access key. Errors: `TooMany`.
fn count(call: &mut Call, ctx: &Ctx) -> Result<(), Error> {
    let app = call.shared_app();
    let Actor::Credential(id) = ctx.actor() else {
        return Ok(());
    };
    if !app.settings.rate_limits {
        return Ok(());
    }
    let reads = matches!(*call.method(), Method::GET | Method::HEAD);
    let windows = if reads { &app.onlive_reads } else { &app.onlive_writes };
    let counted = windows.count(id, ctx.now());
    call.set_quota(Quota { limit: windows.limit(), left: *counted.as_ref().unwrap_or(&0) });
    counted.map(|_| ())
}

/// Reads `Authorization: ONLIVESITE Credential:<id>, Signature=<signature>` and the date. Blanks may stand around every
/// part, and either sign behind either name. Each header stands once, or it would be up to the reader which one counts.
fn presented(headers: &HeaderMap) -> Option<Presented> {
    let value = |name: &str| {
        let mut values = headers.get_all(name).iter();
        let only = values.next().filter(|_| values.next().is_none())?;
        only.to_str().ok().map(str::trim)
    };
    let (scheme, parts) = value("authorization")?.split_once(char::is_whitespace)?;
    let (first, second) = parts.split_once(',')?;
    let (credential, signature) = (part("Credential", first)?, part("Signature", second)?);
    scheme.eq_ignore_ascii_case(SCHEME).then_some(())?;
    Some(Presented {
        access_key: credential.to_owned(),
        signature: signature.to_owned(),
        date: value(DATE)?.to_owned(),
    })
}

/// The value of `name:value` or `name=value`.
fn part<'a>(name: &str, text: &'a str) -> Option<&'a str> {
    let (given, value) = text.split_once([':', '='])?;
    given.trim().eq_ignore_ascii_case(name).then_some(value.trim()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(authorization: &[u8]) -> Option<Presented> {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_bytes(authorization).ok()?);
        headers.insert(DATE, HeaderValue::from_static(" 20260304T091500Z "));
        presented(&headers)
    }

    #[test]
    fn the_header_is_read_with_blanks_and_either_sign() {
        for header in [
            "ONLIVESITE Credential:OL1-A, Signature=ab",
            "ONLIVESITE Credential=OL1-A, Signature=ab",
            "ONLIVESITE Credential: OL1-A,Signature: ab",
            "  onlivesite \t credential = OL1-A ,  signature = ab  ",
        ] {
            let read = read(header.as_bytes()).unwrap();
            assert_eq!((&*read.access_key, &*read.signature), ("OL1-A", "ab"), "{header}");
            assert_eq!(read.date, "20260304T091500Z");
        }
    }

    #[test]
    fn what_is_no_header_of_the_dialect_presents_nothing() {
        for header in [
            "",
            "ONLIVESITE",
            "ONLIVESITE Credential:OL1-A",
            "ONLIVESITE Credential:OL1-A Signature=ab",
            "ONLIVESITE Signature=ab, Credential:OL1-A",
            "ONLIVESITE Credential:, Signature=ab",
            "ONLIVESITE Credential:OL1-A, Signature=",
            "ONLIVESITE Credential OL1-A, Signature ab",
            "ONLIVESITECredential:OL1-A, Signature=ab",
            "Bearer Credential:OL1-A, Signature=ab",
            "ONLIVESITE Credential:OL1-A, Signature=\u{fc}",
        ] {
            assert_eq!(read(header.as_bytes()), None, "{header}");
        }
        let mut headers = HeaderMap::new();
        headers
            .insert("authorization", HeaderValue::from_static("ONLIVESITE Credential:OL1-A, Signature=ab"));
        assert_eq!(presented(&headers), None, "no date");
        headers.insert(DATE, HeaderValue::from_static("20260304T091500Z"));
        assert!(presented(&headers).is_some());
        for name in ["authorization", DATE] {
            let mut twice = headers.clone();
            twice.append(name, headers.get(name).cloned().unwrap());
            assert_eq!(presented(&twice), None, "{name} twice");
        }
    }

    proptest! {
        #[test]
        fn any_header_can_be_read(header in "(ONLIVESITE )?[Credntialgu:=, \u{80}-\u{ff}]{0,40}") {
            read(header.as_bytes());
        }
    }
}
