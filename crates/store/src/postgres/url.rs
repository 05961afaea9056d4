//! What a `postgres://…` URL says.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{self, Trust};

/// How long it may take to connect to a host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After so long without a sign of the server its connection is lost.
const SILENCE: Duration = Duration::from_secs(15);

pub(crate) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The URL without its password, for people and logs.
pub(crate) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    // A password may also stand among the parameters.
    let (address, _) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, place) = address.rsplit_once('@').map_or(("", address), |(user, place)| (user, place));
    let user = user.split_once(':').map_or(user, |(user, _)| user);
    let at = if user.is_empty() { "" } else { "@" };
    format!("{scheme}://{user}{at}{place}")
}

/// Where the database is, and TLS to it. `sslmode` and `sslrootcert` mean what they mean to libpq, with the system's
/// root certificates where no file is named; everything else is read by `tokio_postgres`. The error is a sentence.
pub(super) fn parse(url: &str) -> Result<(Config, MakeRustlsConnect), String> {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut roots, mut others) = ("prefer", None, Vec::new());
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("sslmode", value)) => mode = value,
            Some(("sslrootcert", "system")) => roots = None,
            Some(("sslrootcert", value)) => roots = Some(PathBuf::from(decoded(value)?)),
            _ => others.push(parameter),
        }
    }
    let (ssl_mode, trust) = match mode {
        "disable" => (SslMode::Disable, Trust::Anybody),
        "allow" | "prefer" => (SslMode::Prefer, Trust::Anybody),
        // As libpq does: with roots at hand it looks at who has signed.
        "require" if roots.is_some() => (SslMode::Require, Trust::Signed),
        "require" => (SslMode::Require, Trust::Anybody),
        "verify-ca" => (SslMode::Require, Trust::Signed),
        "verify-full" => (SslMode::Require, Trust::Host),
        _ => {
            return Err(format!(
                "sslmode must be disable, prefer, require, verify-ca or verify-full, not {mode}"
            ));
        }
    };
    let mut config = Config::from_str(&format!("{address}?{}", others.join("&"))).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        format!("{error}{}", cause.unwrap_or_default())
    })?;
    if config.get_hosts().is_empty() {
        return Err("it names no host".to_owned());
    }
    // Sockets of this machine know no TLS.
    let local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
    config.ssl_mode(if local { SslMode::Disable } else { ssl_mode });
    if config.get_application_name().is_none() {
        config.application_name("muster");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    Ok((config, tls::connector(trust, roots.as_deref())?))
}

/// A value with its percent signs resolved.
fn decoded(value: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let code = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(code.ok_or_else(|| format!("{value} has a percent sign without two digits"))?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| format!("{value} is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(parameters: &str) -> SslMode {
        parse(&format!("postgres://u:p@db.example.org/muster?{parameters}")).unwrap().0.get_ssl_mode()
    }

    #[test]
    fn modes_of_tls() {
        assert_eq!(mode(""), SslMode::Prefer);
        assert_eq!(mode("sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("sslmode=require"), SslMode::Require);
        assert!(parse("postgres://u@h/d?sslmode=perhaps").is_err_and(|why| why.contains("verify-full")));
        let missing = parse("postgres://u@h/d?sslmode=verify-full&sslrootcert=%2Fno%2Fsuch.pem");
        assert!(missing.is_err_and(|why| why.contains("/no/such.pem")));
    }

    #[test]
    fn sockets_and_mistakes() {
        let (config, _) = parse("postgres:///muster?host=/run/postgresql&sslmode=require").unwrap();
        assert_eq!(config.get_ssl_mode(), SslMode::Disable);
        assert!(parse("postgres:///muster").is_err_and(|why| why.contains("host")));
        assert!(parse("postgres://u@h/d?colour=red").is_err_and(|why| why.contains("colour")));
        assert!(parse("postgres://u@h/d?sslrootcert=%zz").is_err());
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("postgres://ann:se@cret@h:1/d?sslmode=require"), "postgres://ann@h:1/d");
        assert_eq!(shown("postgres://h/d?password=secret"), "postgres://h/d");
        assert_eq!(shown("sqlite:a.db"), "sqlite:a.db");
    }
}
