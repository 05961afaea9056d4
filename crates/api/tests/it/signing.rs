//! Signed requests, without a look at how the server does it.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderValue, Request};
use http_body_util::BodyExt as _;
use muster_domain::credential::{CredentialWish, Profile};
use muster_domain::{CredentialId, Ctx, Dialect, Timestamp};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::support::World;

/// An Onlive access key.
#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: CredentialId,
    pub(crate) name: String,
    pub(crate) secret: String,
}

impl World {
    /// An access key of a tenant, with the rights of an Admin.
    pub(crate) async fn access_key(&self, of: &Ctx) -> AccessKey {
        self.access_key_with(of, false, None).await
    }

    /// An access key of a tenant that may read but not write.
    pub(crate) async fn read_only_access_key(&self, of: &Ctx) -> AccessKey {
        self.access_key_with(of, true, None).await
    }

    /// An access key of a tenant that lives for so long.
    pub(crate) async fn expiring_access_key(&self, of: &Ctx, lives: Duration) -> AccessKey {
        self.access_key_with(of, false, Some(self.directory().now().plus(lives))).await
    }

    /// An access key of a tenant that was revoked.
    pub(crate) async fn revoked_access_key(&self, of: &Ctx) -> AccessKey {
        let key = self.access_key(of).await;
        self.directory().credential_revoke(of, key.id).await.unwrap();
        key
    }

    async fn access_key_with(&self, of: &Ctx, read_only: bool, expires_at: Option<Timestamp>) -> AccessKey {
        let wish = CredentialWish {
            dialect: Dialect::Onlive,
            name: "key".to_owned(),
            read_only,
            profile: Profile::Rfc,
            expires_at,
        };
        let new = self.directory().credential_create(of, &self.server_key, wish).await.unwrap();
        let name = new.credential.public_id.unwrap();
        AccessKey { id: new.credential.id, name, secret: new.secret.expose_secret().to_owned() }
    }

    /// What `x-onlive-site-date` has now.
    pub(crate) fn date(&self) -> String {
        date(self.directory().clock.now())
    }
}

impl AccessKey {
    /// What `Authorization` has for a request; `target` is its path, and its query if it has one.
    pub(crate) fn authorization(&self, method: &str, target: &str, date: &str, body: &[u8]) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (encoded(&name), encoded(&value)))
            .collect();
        pairs.sort();
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = pairs.join("&");
        let text =
            format!("{method}\n{path}\n{query}\nx-onlive-site-date:{date}\n{}", hex(&Sha256::digest(body)));
        let signature = hex(&hmac(self.secret.as_bytes(), text.as_bytes()));
        format!("ONLIVESITE Credential:{}, Signature={signature}", self.name)
    }
}

/// The request with its headers.
pub(crate) async fn sign(request: Request<Body>, key: &AccessKey, now: Timestamp) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let (target, date) = (parts.uri.path_and_query().unwrap().as_str(), date(now));
    let authorization = key.authorization(parts.method.as_str(), target, &date, &body);
    for (name, value) in [("authorization", authorization), ("x-onlive-site-date", date)] {
        parts.headers.insert(name, HeaderValue::from_str(&value).unwrap());
    }
    Request::from_parts(parts, Body::from(body))
}

pub(crate) fn date(now: Timestamp) -> String {
    let text = now.seconds().to_string();
    format!("{}Z", text[..19].replace(['-', ':'], ""))
}

fn encoded(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// HMAC-SHA256, as RFC 2104 defines it.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let keyed = |pad: u8| Sha256::new().chain_update(block.map(|byte| byte ^ pad));
    let inner = keyed(0x36).chain_update(text).finalize();
    keyed(0x5c).chain_update(inner).finalize().into()
}
