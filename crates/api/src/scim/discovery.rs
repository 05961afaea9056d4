//! What the service tells of itself (RFC 7644, section 4), and of the caller, of whom it knows no resource.

use http::StatusCode;
use muster_domain::Error;
use serde_json::Value;

use super::auth::{base, enter};
use super::bulk;
use super::error::document;
use super::failure::reply;
use super::list::response;
use super::schema::{self, ServiceProvider};
use super::wanted::{MAX_PAGE, PAGE};
use crate::Settings;
use crate::http::{Call, Failure, Outcome, Query, Text};

fn can(settings: &Settings) -> ServiceProvider {
    ServiceProvider {
        bulk_operations: bulk::limits::OPERATIONS,
        bulk_payload: bulk::limits::payload(settings),
        page_size: PAGE,
        max_page_size: MAX_PAGE,
    }
}

/// Whether a filter is asked for.
pub(super) fn filter(query: &mut Query<'_>) -> bool {
    query.parsed("filter", Text::ANY, |_| Ok(())).is_some()
}

pub(super) async fn config_get(call: &mut Call) -> Outcome {
    Ok(reply(StatusCode::OK, &schema::service_provider_config(&can(&call.app().settings), &base(call))))
}

pub(super) async fn resource_type_list(call: &mut Call) -> Outcome {
    all(call, schema::resource_types).await
}

pub(super) async fn schema_list(call: &mut Call) -> Outcome {
    all(call, schema::schemas).await
}

/// A filter on these is forbidden (RFC 7644, section 4).
async fn all(call: &mut Call, documents: fn(&str) -> Vec<Value>) -> Outcome {
    let caller = enter(call).await?;
    if call.query(filter)? {
        return Err(Error::Forbidden("what the service tells of itself is not filtered").into());
    }
    let documents = documents(&caller.base);
    let total = u64::try_from(documents.len()).unwrap_or_default();
    Ok(reply(StatusCode::OK, &response(total, Some(0), documents)))
}

pub(super) async fn resource_type_get(call: &mut Call) -> Outcome {
    one(call, schema::resource_type).await
}

pub(super) async fn schema_get(call: &mut Call) -> Outcome {
    one(call, schema::schema).await
}

async fn one(call: &mut Call, document: fn(&str, &str) -> Option<Value>) -> Outcome {
    let caller = enter(call).await?;
    let document = document(call.path_text(), &caller.base).ok_or(Failure::PathUnknown)?;
    Ok(reply(StatusCode::OK, &document))
}

/// A token is no user's, so there is nobody to be shown (RFC 7644, section 3.11).
async fn nobody(call: &mut Call) -> Outcome {
    enter(call).await?;
    let status = StatusCode::NOT_IMPLEMENTED;
    let body = document(status.as_u16(), None, "A token is that of a tenant, not of a user");
    Ok(reply(status, &body))
}

pub(super) async fn me_get(call: &mut Call) -> Outcome {
    nobody(call).await
}

pub(super) async fn me_write(call: &mut Call) -> Outcome {
    nobody(call).await
}

pub(super) async fn me_delete(call: &mut Call) -> Outcome {
    nobody(call).await
}
