//! Industries (`/v3/industry`; Convirza contract, section 6).

use muster_domain::{Dialect, industry};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::success;
use crate::http::{Call, Outcome};

#[derive(Serialize, ToSchema)]
pub(super) struct Industries {
    industries: Vec<Industry>,
}

#[derive(Serialize, ToSchema)]
struct Industry {
    industry_id: i64,
    industry_name: &'static str,
}

pub(super) async fn industry_list(call: &mut Call) -> Outcome {
    call.authenticate(Dialect::Convirza).await?;
    let row = |(industry_id, industry_name)| Industry { industry_id, industry_name };
    success(call, &Industries { industries: industry::INDUSTRIES.into_iter().map(row).collect() })
}
