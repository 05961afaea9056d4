//! Groups on the wire: bodies in, objects out.

use muster_domain::org_unit::{Located, OrgUnit, OrgUnitPatch, OrgUnitStatus, industry_id, limits};
use muster_domain::{Ctx, OrgUnitId, Patch, Problem, industry};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::Schema;

use super::envelope::{Time, words};
use crate::http::{Fields, Mode, choice, integer, limited_text, required_text, time_zone, trimmed_text};

/// Reads the body of POST, PUT and PATCH. `stored` is the unit that is changed.
pub(super) fn decode(fields: &mut Fields<'_>, stored: Option<&OrgUnit>) -> OrgUnitPatch {
    let f = fields;
    let mut patch = OrgUnitPatch {
        name: f.required("org_unit_name", "name", required_text(limits::NAME)),
        parent_id: parent(f, stored),
        external_id: f.optional("org_unit_ext_id", "external_id", trimmed_text(limits::EXTERNAL_ID)),
        address: f.optional("address", "address", limited_text(limits::ADDRESS)),
        city: f.optional("city", "city", limited_text(limits::CITY)),
        state: f.optional("state", "state", limited_text(limits::STATE)),
        zip: f.optional("zip", "zip", limited_text(limits::ZIP)),
        phone_number: f.optional("phone_number", "phone_number", limited_text(limits::PHONE_NUMBER)),
        industry_id: f.optional("industry_id", "industry_id", integer().then(industry_id)),
        timezone: f.lasting("timezone", "timezone", time_zone()),
        ..OrgUnitPatch::default()
    };
    if f.mode() == Mode::Create {
        patch.billing_id = f.optional("billing_id", "billing_id", integer());
        // Read and ignored: it is always the top of the tree (the vendor's own sample sends 1).
        f.optional("top_ou_id", "top_ou_id", integer());
    } else {
        let statuses = choice(STATUSES, &[OrgUnitStatus::Active, OrgUnitStatus::Inactive]);
        patch.status = match f.lasting("org_unit_status", "status", statuses) {
            Patch::Keep => None,
            Patch::Clear => Some(OrgUnitStatus::Active),
            Patch::Set(status) => Some(status),
        };
    }
    patch
}

const STATUSES: &[&str] = &["active", "inactive"];

fn statuses() -> Schema {
    words(STATUSES)
}

/// The name of a field on the wire, where it is not that of the domain.
pub(super) fn name_of(field: &str) -> Option<&'static str> {
    match field {
        "name" => Some("org_unit_name"),
        "parent_id" => Some("org_unit_parent_id"),
        "external_id" => Some("org_unit_ext_id"),
        "status" => Some("org_unit_status"),
        _ => None,
    }
}

/// The parent under either of its names; absent keeps it, null is right only for the top.
fn parent(f: &mut Fields<'_>, stored: Option<&OrgUnit>) -> Option<OrgUnitId> {
    let names = ("org_unit_parent_id", "parent_org_unit_id");
    if f.mode() == Mode::Create {
        return f.present(names, "parent_id", integer()).map(OrgUnitId);
    }
    match f.lasting(names, "parent_id", integer()) {
        Patch::Set(id) => Some(OrgUnitId(id)),
        Patch::Clear if stored.is_some_and(|unit| unit.parent_id.is_some()) => {
            f.errors.push("parent_id", Problem::Format("can be null only at the top of the hierarchy"));
            None
        }
        Patch::Clear | Patch::Keep => None,
    }
}

/// A level as the wire shows it; a unit outside of the scope is never shown.
pub(super) fn level(level: Option<usize>) -> i64 {
    level.and_then(|level| i64::try_from(level).ok()).unwrap_or(0)
}

/// A group, as in lists.
#[derive(Serialize, ToSchema)]
pub(super) struct GroupRow<'a> {
    org_unit_id: i64,
    org_unit_ext_id: Option<&'a str>,
    org_unit_name: &'a str,
    org_unit_parent_id: Option<i64>,
    top_ou_id: i64,
    #[schema(schema_with = statuses)]
    org_unit_status: &'static str,
    billing_id: Option<i64>,
    address: Option<&'a str>,
    city: Option<&'a str>,
    state: Option<&'a str>,
    zip: Option<&'a str>,
    phone_number: Option<&'a str>,
    industry_id: Option<i64>,
    industry_name: Option<&'static str>,
    timezone: &'a str,
    group_level: i64,
    org_unit_created: Time,
    org_unit_modified: Time,
}

impl<'a> GroupRow<'a> {
    pub(super) fn new(ctx: &Ctx, unit: &'a OrgUnit, level: Option<usize>) -> Self {
        Self {
            org_unit_id: unit.id.0,
            org_unit_ext_id: unit.external_id.as_deref(),
            org_unit_name: &unit.name,
            org_unit_parent_id: unit.parent_id.map(|id| id.0),
            top_ou_id: ctx.top().0,
            org_unit_status: unit.status.as_str(),
            billing_id: unit.billing_id,
            address: unit.address.as_deref(),
            city: unit.city.as_deref(),
            state: unit.state.as_deref(),
            zip: unit.zip.as_deref(),
            phone_number: unit.phone_number.as_deref(),
            industry_id: unit.industry_id,
            industry_name: unit.industry_id.and_then(industry::name),
            timezone: &unit.timezone,
            group_level: self::level(level),
            org_unit_created: Time(unit.created_at),
            org_unit_modified: Time(unit.modified_at),
        }
    }
}

/// A group alone.
#[derive(Serialize, ToSchema)]
pub(super) struct GroupDetail<'a> {
    #[serde(flatten)]
    row: GroupRow<'a>,
    group_created: Time,
    group_modified: Time,
}

impl<'a> GroupDetail<'a> {
    pub(super) fn new(ctx: &Ctx, found: &'a Located) -> Self {
        let unit = &found.unit;
        Self {
            row: GroupRow::new(ctx, unit, found.level_in(ctx.scope())),
            group_created: Time(unit.created_at),
            group_modified: Time(unit.modified_at),
        }
    }
}
