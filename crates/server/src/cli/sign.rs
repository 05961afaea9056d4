//! `muster sign`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use clap::builder::BoolishValueParser;
use muster_domain::Clock as _;
use muster_domain::credential::signature::{self, BodyHash, SignedRequest};

use super::output::{asked, line};
use crate::system::SystemClock;

/// Sign a request of the Onlive dialect: print the two headers that it needs, or with --curl a command that sends it. A
/// signature holds for 15 minutes.
#[derive(Args)]
pub(crate) struct SignArgs {
    /// The method, such as GET.
    method: String,
    /// The path, exactly as it will be sent, such as /api/v1/users. It may have a query.
    path: String,
    /// The query, such as `page=2&search=night%20desk`. Its order does not matter.
    #[arg(long, env = "MUSTER_QUERY")]
    query: Option<String>,
    /// The file that will be sent as the body. [default: no body]
    #[arg(long, env = "MUSTER_BODY_FILE", value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// The access key id, as `muster credential create --dialect onlive` shows it.
    #[arg(long, env = "MUSTER_ACCESS_KEY", value_name = "ID")]
    access_key: String,
    /// The secret of the access key. Better given in the environment. [default: a line of standard input]
    #[arg(long, env = "MUSTER_ACCESS_SECRET", hide_env_values = true)]
    access_secret: Option<String>,
    /// When the request is sent, in UTC. [default: now]
    #[arg(long, env = "MUSTER_DATE", value_name = "YYYYMMDDTHHMMSSZ")]
    date: Option<String>,
    /// Print a command that sends the request.
    #[arg(long, env = "MUSTER_CURL", value_parser = BoolishValueParser::new())]
    curl: bool,
    /// Where the server is, for --curl.
    #[arg(long, env = "MUSTER_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
}

/// What signs.
pub(crate) struct AccessKey<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
}

pub(crate) fn run(args: SignArgs) -> anyhow::Result<()> {
    let method = args.method.to_ascii_uppercase();
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        bail!("{:?} is no method", args.method);
    }
    let (path, query) = match (args.path.split_once('?'), &args.query) {
        (Some(_), Some(_)) => bail!("there are two queries: one in the path, one as --query"),
        (Some((path, query)), None) => (path, query),
        (None, query) => (args.path.as_str(), query.as_deref().unwrap_or_default()),
    };
    let is_sendable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !path.starts_with('/') || !is_sendable(path) || !is_sendable(query) {
        bail!(
            "the path must begin with /, and what is no letter, digit or sign in path and query be percent-encoded"
        );
    }
    let body = match &args.body_file {
        Some(file) => fs::read(file).with_context(|| format!("the body {}", file.display()))?,
        None => Vec::new(),
    };
    let secret = match args.access_secret {
        Some(secret) => secret,
        None => asked("The secret of the access key:")?,
    };
    if secret.trim().is_empty() {
        bail!("the secret is empty");
    }
    let date = args.date.unwrap_or_else(|| signature::date(SystemClock.now()));
    if !signature::is_date(&date) {
        bail!("{date:?} is no date such as 20260304T091500Z");
    }
    let hash = BodyHash::of(&body);
    let request = SignedRequest { method: &method, path, query, date: &date, body: &hash };
    let key = AccessKey { id: args.access_key.trim(), secret: secret.trim() };
    if args.curl {
        let body = args.body_file.map(|file| format!("@{}", file.display()));
        return line(curl(args.url.trim_end_matches('/'), &request, &key, body.as_deref()));
    }
    line(headers(&request, &key).join("\n"))
}

/// The headers of a signed request.
fn headers(request: &SignedRequest<'_>, key: &AccessKey<'_>) -> [String; 2] {
    let signature = request.sign(key.secret.as_bytes());
    [
        format!("Authorization: ONLIVESITE Credential:{}, Signature={signature}", key.id),
        format!("x-onlive-site-date: {}", request.date),
    ]
}

/// A command that sends a signed request to a server. `body` is what curl takes for one: text, or `@` and a file.
pub(crate) fn curl(
    url: &str,
    request: &SignedRequest<'_>,
    key: &AccessKey<'_>,
    body: Option<&str>,
) -> String {
    let SignedRequest { method, path, query, .. } = request;
    let question = if query.is_empty() { "" } else { "?" };
    // The path and the query are signed as they stand, so curl must not change them.
    let target = quoted(&format!("{url}{path}{question}{query}"));
    let mut words = vec!["curl -sg --path-as-is".to_owned(), target];
    match *method {
        "GET" => {}
        "HEAD" => words.push("-I".to_owned()),
        method => words.push(format!("-X {method}")),
    }
    words.extend(headers(request, key).iter().map(|header| format!("-H {}", quoted(header))));
    if let Some(body) = body {
        words.push("-H 'Content-Type: application/json' --data-binary".to_owned());
        words.push(quoted(body));
    }
    words.join(" ")
}

/// A word for a shell, as it stands.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_sends_what_is_signed() {
        let key = AccessKey { id: "OL1-A", secret: "s" };
        let request = SignedRequest {
            method: "PUT",
            path: "/a'b",
            query: "q=1",
            date: "20260304T091500Z",
            body: &BodyHash::of(b"{}"),
        };
        let signature = request.sign(b"s");
        assert_eq!(
            curl("http://x", &request, &key, Some("@it's")),
            format!(
                "curl -sg --path-as-is 'http://x/a'\\''b?q=1' -X PUT -H 'Authorization: ONLIVESITE Credential:OL1-A, \
                 Signature={signature}' -H 'x-onlive-site-date: 20260304T091500Z' -H 'Content-Type: application/json' \
                 --data-binary '@it'\\''s'"
            )
        );
    }
}
