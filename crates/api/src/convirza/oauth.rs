//! Log-in, refresh and revocation (`/oauth`; Convirza contract, section 2). No envelope.

use http::StatusCode;
use muster_domain::session::{Grant, TokenKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Time, bare};
use super::user_wire::role_id;
use crate::http::{Call, Fields, Outcome, any_text, choice};

/// A pair of tokens and whose they are.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenBody<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    frontend_token: &'a str,
    token_type: &'static str,
    /// A point in time, not a number of seconds.
    expires_in: Time,
    refresh_expires_in: Time,
    user: TokenUser<'a>,
}

#[derive(Serialize, ToSchema)]
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
    let (login, password) = call.small_object(log_in).await?;
    let grant = call.directory().session_open(&login, SecretString::from(password)).await?;
    call.set_tenant(grant.user.tenant);
    bare(StatusCode::OK, &token_body(&grant))
}

/// Reads a login and a password.
pub(super) fn log_in(fields: &mut Fields<'_>) -> Option<(String, String)> {
    let login = fields.required(("email", "username"), "email", any_text());
    let password = fields.required("password", "password", any_text());
    login.zip(password)
}

pub(super) async fn session_refresh(call: &mut Call) -> Outcome {
    let token = call.small_object(refresh).await?;
    let grant = call.directory().session_refresh(&token).await?;
    call.set_tenant(grant.user.tenant);
    bare(StatusCode::OK, &token_body(&grant))
}

/// Reads a refresh token.
pub(super) fn refresh(fields: &mut Fields<'_>) -> Option<String> {
    fields.required("refresh_token", "refresh_token", any_text())
}

#[derive(Serialize, ToSchema)]
pub(super) struct Revoked {
    success: bool,
    message: &'static str,
}

pub(super) async fn session_revoke(call: &mut Call) -> Outcome {
    let (kind, token) = call.small_object(revocation).await?;
    call.directory().session_revoke(kind, &token).await?;
    bare(StatusCode::OK, &Revoked { success: true, message: "Token revoked" })
}

/// Reads a token and its kind.
pub(super) fn revocation(fields: &mut Fields<'_>) -> Option<(TokenKind, String)> {
    let kinds = choice(&["access", "refresh"], &[TokenKind::Access, TokenKind::Refresh]);
    let kind = fields.required("token_type", "token_type", kinds);
    let token = fields.required("token", "token", any_text());
    kind.zip(token)
}
