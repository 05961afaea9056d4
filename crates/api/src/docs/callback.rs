//! The route by which gateways tell what became of messages, and what phones send. Its requests are signed.

use http::StatusCode;
use serde_json::json;

use crate::http::{Call, Failure, Outcome, Reply};

pub(super) async fn carrier_callback(call: &mut Call) -> Outcome {
    let app = call.shared_app();
    let name = call.path_text().to_owned();
    let gateways = app.gateways.as_ref().ok_or(Failure::PathUnknown)?;
    let gateway = gateways.http(&name).ok_or(Failure::PathUnknown)?;
    // Its bodies are read before it is known who sends them, and are kept until what they tell is stored.
    let _room = app.callbacks.take(name).await;
    let body = call.bytes().await?;
    let (status, body) = match gateway.receive(call.headers(), &body).await {
        Ok(()) => (StatusCode::OK, json!({"status": "ok"})),
        Err(fault) => {
            let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, json!({"error": fault.to_string()}))
        }
    };
    Ok(Reply::json(status, body.to_string().into_bytes()))
}
