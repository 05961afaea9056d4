//! Reading what an endpoint answers, within limits.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use muster_domain::webhook::MOST_RETRY_AFTER;
use tokio::time::{Instant, timeout_at};

use crate::Answer;

/// How much of a body is read, in bytes, so that the connection can be used again; what is longer closes it.
pub(crate) const MAX_READ: usize = 64 * 1024;

/// An answer with its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// At most 64 KiB of it.
    pub body: Vec<u8>,
    /// Whether the body was read to its end; it is not if it is longer, breaks off or takes too long.
    pub whole: bool,
    /// How long to wait before the next attempt (RFC 9110, section 10.2.3), at most [`MOST_RETRY_AFTER`].
    pub retry_after: Option<Duration>,
}

/// Reads an answer until the deadline, and keeps this much of its body, as it comes: it is never decompressed, so it cannot
/// become larger than what was sent. `now` is the time of day when its header came.
pub(crate) async fn read(
    response: Response<Incoming>,
    now: SystemTime,
    deadline: Instant,
    keep: usize,
) -> Reply {
    let (head, mut body) = response.into_parts();
    let mut kept = Vec::new();
    let mut length = 0;
    let whole = loop {
        match timeout_at(deadline, body.frame()).await {
            Ok(None) => break true,
            Ok(Some(Ok(frame))) => {
                let Some(data) = frame.data_ref() else { continue };
                let wanted = data.len().min(keep - kept.len());
                kept.extend_from_slice(&data[..wanted]);
                length += data.len();
                if length > MAX_READ {
                    break false;
                }
            }
            Ok(Some(Err(_))) | Err(_) => break false,
        }
    };
    let retry_after = retry_after(&head.headers, now);
    Reply { status: head.status.as_u16(), body: kept, whole, retry_after }
}

impl Reply {
    /// What is kept of it for the user to see.
    pub(crate) fn excerpt(self) -> Answer {
        let excerpt = String::from_utf8_lossy(&self.body).replace('\0', "\u{fffd}");
        Answer { status: self.status, excerpt, whole: self.whole, retry_after: self.retry_after }
    }
}

/// What `Retry-After` asks for: seconds, or a date in any form of HTTP (RFC 9110, section 5.6.7), which may be over.
/// Anything else is as if it were not there.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is too large for a number is longer than the longest wait.
        text.parse().map_or(MOST_RETRY_AFTER, Duration::from_secs)
    } else {
        httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(MOST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date_and_at_most_a_day() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (text, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("86400", Some(86_400)),
            ("86401", Some(86_400)),
            ("99999999999999999999999999", Some(86_400)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun Nov  6 08:50:37 1994", Some(60)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:48:37 GMT", Some(86_400)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
