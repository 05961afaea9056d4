//! The Convirza Platform API V3 dialect: OAuth under `/oauth`, the API under `/v3`.
//!
//! One file a resource; a resource with a body has its wire shapes in a file beside it.

mod envelope;
mod failure;
mod industry;
mod oauth;
mod org_unit;
mod org_unit_wire;
mod profile;
mod tree_wire;
mod user;
mod user_wire;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::{HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::App;
use crate::http::{Dialect, Routes, routes};

/// Every call of the dialect.
pub(crate) const ROUTES: Routes = routes![
    POST "/oauth/token" => oauth::session_open,
    POST "/oauth/refresh-token" => oauth::session_refresh,
    POST "/oauth/revoke-token" => oauth::session_revoke,
    GET "/v3/auth/profile" => profile::profile_get,
    POST "/v3/auth/password" => profile::password_change,
    GET "/v3/groups" => org_unit::org_unit_list,
    POST "/v3/groups" => org_unit::org_unit_create,
    GET "/v3/groups/list" => org_unit::org_unit_children,
    GET "/v3/groups/tree" => org_unit::org_unit_tree,
    GET "/v3/groups/org-list/{id}" => org_unit::org_unit_ids,
    GET "/v3/groups/{id}" => org_unit::org_unit_get,
    PUT "/v3/groups/{id}" => org_unit::org_unit_update,
    PATCH "/v3/groups/{id}" => org_unit::org_unit_patch,
    DELETE "/v3/groups/{id}" => org_unit::org_unit_archive,
    GET "/v3/users" => user::user_list,
    POST "/v3/users" => user::user_create,
    GET "/v3/users/list" => user::user_list,
    GET "/v3/users/{id}" => user::user_get,
    PUT "/v3/users/{id}" => user::user_update,
    PATCH "/v3/users/{id}" => user::user_patch,
    DELETE "/v3/users/{id}" => user::user_delete,
    GET "/v3/industry" => industry::industry_list,
];

const DIALECT: Dialect = Dialect { routes: ROUTES, prefixes: &["/v3", "/oauth"], failure: failure::response };

pub(crate) fn router(app: &Arc<App>) -> Router {
    let router = DIALECT.router(app);
    let origins = &app.settings.cors_origins;
    if origins.is_empty() { router } else { router.layer(cors(origins)) }
}

/// Browsers of the configured origins may call, with a bearer token and conditions.
fn cors(origins: &[String]) -> CorsLayer {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH, header::IF_NONE_MATCH])
        .expose_headers([header::ETAG, header::RETRY_AFTER, http::HeaderName::from_static("x-request-id")])
        .max_age(Duration::from_mins(10))
}
