//! Ad sources (`/v3/ad-source`; Convirza platform contract, section 3).

use muster_domain::{Dialect, ad_source};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::success;
use crate::http::{Call, Outcome};

#[derive(Serialize, ToSchema)]
pub(super) struct AdSources {
    ad_sources: Vec<AdSourceRow>,
    total: usize,
}

#[derive(Serialize, ToSchema)]
struct AdSourceRow {
    ad_source_id: i64,
    ad_source_name: &'static str,
    category: &'static str,
}

pub(super) async fn ad_source_list(call: &mut Call) -> Outcome {
    call.authenticate(Dialect::Convirza).await?;
    let row = |source: &ad_source::AdSource| AdSourceRow {
        ad_source_id: source.id,
        ad_source_name: source.name,
        category: source.category,
    };
    let ad_sources: Vec<AdSourceRow> = ad_source::AD_SOURCES.iter().map(row).collect();
    success(call, &AdSources { total: ad_sources.len(), ad_sources })
}
