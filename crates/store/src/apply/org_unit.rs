//! Writing org units.

use muster_domain::org_unit::OrgUnit;

use super::Outcome;
use crate::codes;
use crate::driver::Write;
use crate::statements::org_unit;
use crate::value::values;

pub(super) async fn insert(on: &mut impl Write, o: &OrgUnit) -> Outcome {
    let values = values![
        o.id.0,
        o.tenant.0,
        o.parent_id.map(|id| id.0),
        codes::org_unit_status(o.status),
        &o.name,
        o.name_key(),
        &o.external_id,
        o.billing_id,
        &o.address,
        &o.city,
        &o.state,
        &o.zip,
        &o.phone_number,
        o.industry_id,
        &o.timezone,
        o.version,
        o.created_at.0,
        o.modified_at.0,
    ];
    on.run(&org_unit::INSERT, &values).await
}

pub(super) async fn update(on: &mut impl Write, o: &OrgUnit, in_place: bool) -> Outcome {
    let details = values![
        o.tenant.0,
        o.id.0,
        o.version - 1,
        &o.name,
        &o.external_id,
        o.billing_id,
        &o.address,
        &o.city,
        &o.state,
        &o.zip,
        &o.phone_number,
        o.industry_id,
        &o.timezone,
        o.version,
        o.modified_at.0,
    ];
    if in_place {
        return on.one_row(&org_unit::UPDATE_IN_PLACE, &details).await;
    }
    let place = values![o.parent_id.map(|id| id.0), codes::org_unit_status(o.status), o.name_key()];
    on.one_row(&org_unit::UPDATE, &[&details[..], &place].concat()).await
}
