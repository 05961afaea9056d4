//! Log-in, refresh and revocation (`/oauth`; Convirza contract, section 2). No envelope.

use http::StatusCode;
use muster_domain::Problem;
use muster_domain::session::{Grant, TokenKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;

use super::envelope::{Time, bare};
use super::user_wire::role_id;
use crate::http::{Call, Fields, Mode, Outcome, string};

#[derive(Serialize)]
struct TokenBody<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    frontend_token: &'a str,
    token_type: &'static str,
    /// A point in time, not a number of seconds.
    expires_in: Time,
    refresh_expires_in: Time,
    user: TokenUser<'a>,
}

#[derive(Serialize)]
struct TokenUser<'a> {
    user_id: i64,
    email: &'a str,
    role_id: i64,
    org_unit_id: i64,
}

fn token_body(grant: &Grant) -> TokenBody<'_> {
    TokenBody {
        access_token: grant.access_token.expose_secret(),
        refresh_token: grant.refresh_token.expose_secret(),
        frontend_token: grant.frontend_token.expose_secret(),
        token_type: "Bearer",
        expires_in: Time(grant.access_expires_at),
        refresh_expires_in: Time(grant.refresh_expires_at),
        user: TokenUser {
            user_id: grant.user.id.0,
            email: &grant.user.login,
            role_id: role_id(grant.user.role),
            org_unit_id: grant.user.org_unit_id.0,
        },
    }
}

pub(super) async fn session_open(call: &mut Call) -> Outcome {
    if call.app().settings.rate_limits {
        call.app().logins.count(call.client(), call.meta().started)?;
    }
    let (login, password) = call
        .small_object(|body| {
            let mut fields = Fields::new(body, Mode::Create);
            let login = fields.alias("email", "username", "email");
            let login = fields.required_value(login, "email", text());
            let password = fields.required("password", "password", text());
            fields.errors.complete(login.zip(password))
        })
        .await??;
    let grant = call.directory().session_open(&login, SecretString::from(password)).await?;
    call.set_tenant(grant.user.tenant);
    bare(StatusCode::OK, &token_body(&grant))
}

/// A parser of strings that are looked at later.
fn text() -> impl FnOnce(&Value) -> Result<String, Problem> {
    string(|text| Ok(text.to_owned()))
}

pub(super) async fn session_refresh(call: &mut Call) -> Outcome {
    let token = call
        .small_object(|body| {
            let mut fields = Fields::new(body, Mode::Create);
            let token = fields.required("refresh_token", "refresh_token", text());
            fields.errors.complete(token)
        })
        .await??;
    let grant = call.directory().session_refresh(&token).await?;
    call.set_tenant(grant.user.tenant);
    bare(StatusCode::OK, &token_body(&grant))
}

#[derive(Serialize)]
struct Revoked {
    success: bool,
    message: &'static str,
}

pub(super) async fn session_revoke(call: &mut Call) -> Outcome {
    let (kind, token) = call
        .small_object(|body| {
            let mut fields = Fields::new(body, Mode::Create);
            let kind = fields.required("token_type", "token_type", string(token_kind));
            let token = fields.required("token", "token", text());
            fields.errors.complete(kind.zip(token))
        })
        .await??;
    call.directory().session_revoke(kind, &token).await?;
    bare(StatusCode::OK, &Revoked { success: true, message: "Token revoked" })
}

fn token_kind(text: &str) -> Result<TokenKind, Problem> {
    match text {
        "access" => Ok(TokenKind::Access),
        "refresh" => Ok(TokenKind::Refresh),
        _ => Err(Problem::NotOneOf(&["access", "refresh"])),
    }
}
