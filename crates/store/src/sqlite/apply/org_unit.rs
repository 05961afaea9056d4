//! Writing org units.

use muster_domain::org_unit::OrgUnit;
use rusqlite::{Connection, ToSql, params};

use super::{Outcome, exactly_one, run};
use crate::codes;
use crate::statements::org_unit;

pub(super) fn insert(connection: &Connection, o: &OrgUnit) -> Outcome {
    run(
        connection,
        &org_unit::INSERT,
        params![
            o.id.0,
            o.tenant.0,
            o.parent_id.map(|id| id.0),
            codes::org_unit_status(o.status),
            o.name,
            o.name_key(),
            o.external_id,
            o.billing_id,
            o.address,
            o.city,
            o.state,
            o.zip,
            o.phone_number,
            o.industry_id,
            o.timezone,
            o.version,
            o.created_at.0,
            o.modified_at.0
        ],
    )
    .map(drop)
}

pub(super) fn update(connection: &Connection, o: &OrgUnit, in_place: bool) -> Outcome {
    let (read_version, parent, status) =
        (o.version - 1, o.parent_id.map(|id| id.0), codes::org_unit_status(o.status));
    let details: [&dyn ToSql; 15] = [
        &o.tenant.0,
        &o.id.0,
        &read_version,
        &o.name,
        &o.external_id,
        &o.billing_id,
        &o.address,
        &o.city,
        &o.state,
        &o.zip,
        &o.phone_number,
        &o.industry_id,
        &o.timezone,
        &o.version,
        &o.modified_at.0,
    ];
    exactly_one(if in_place {
        run(connection, &org_unit::UPDATE_IN_PLACE, &details[..])?
    } else {
        let name_key = o.name_key();
        let place: [&dyn ToSql; 3] = [&parent, &status, &name_key];
        run(connection, &org_unit::UPDATE, &[&details[..], &place[..]].concat()[..])?
    })
}
