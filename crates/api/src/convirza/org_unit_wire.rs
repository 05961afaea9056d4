//! Groups on the wire: bodies in, objects out.

use muster_domain::org_unit::{Located, OrgUnit, OrgUnitPatch, OrgUnitStatus, industry_id, limits};
use muster_domain::{Ctx, Draft, OrgUnitId, Patch, Problem, industry, text};
use serde::Serialize;
use serde_json::{Map, Value};

use super::envelope::Time;
use crate::http::{Fields, Mode, integer, string};

/// Reads the body of POST, PUT and PATCH. `stored` is the unit that is changed.
pub(super) fn decode(body: &Map<String, Value>, mode: Mode, stored: Option<&OrgUnit>) -> Draft<OrgUnitPatch> {
    let mut fields = Fields::new(body, mode);
    let f = &mut fields;
    let name = f.required("org_unit_name", "name", string(|raw| text::required(raw, limits::NAME)));
    let parent_id = parent(f, stored);
    let external_id = limits::EXTERNAL_ID;
    let external_id =
        f.optional("org_unit_ext_id", "external_id", string(|raw| text::trimmed(raw, external_id)));
    let mut optional =
        |field: &'static str, max: usize| f.optional(field, field, string(|raw| text::limited(raw, max)));
    let address = optional("address", limits::ADDRESS);
    let city = optional("city", limits::CITY);
    let state = optional("state", limits::STATE);
    let zip = optional("zip", limits::ZIP);
    let phone_number = optional("phone_number", limits::PHONE_NUMBER);
    let industry_id = f.optional("industry_id", "industry_id", |value| integer(value).and_then(industry_id));
    let timezone = f.lasting("timezone", "timezone", string(text::time_zone));
    let mut patch = OrgUnitPatch {
        name,
        parent_id,
        external_id,
        address,
        city,
        state,
        zip,
        phone_number,
        industry_id,
        timezone,
        ..OrgUnitPatch::default()
    };
    if mode == Mode::Create {
        patch.billing_id = f.optional("billing_id", "billing_id", integer);
        // Read and ignored: it is always the top of the tree (the vendor's own sample sends 1).
        f.optional("top_ou_id", "top_ou_id", integer);
    } else {
        patch.status = match f.lasting("org_unit_status", "status", string(status)) {
            Patch::Keep => None,
            Patch::Clear => Some(OrgUnitStatus::Active),
            Patch::Set(status) => Some(status),
        };
    }
    Draft { value: patch, errors: fields.errors }
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

fn status(text: &str) -> Result<OrgUnitStatus, Problem> {
    match text {
        "active" => Ok(OrgUnitStatus::Active),
        "inactive" => Ok(OrgUnitStatus::Inactive),
        _ => Err(Problem::NotOneOf(&["active", "inactive"])),
    }
}

/// The parent under either of its names; absent keeps it, null is right only for the top.
fn parent(fields: &mut Fields<'_>, stored: Option<&OrgUnit>) -> Option<OrgUnitId> {
    let value = fields.alias("org_unit_parent_id", "parent_org_unit_id", "parent_id")?;
    if value.is_null() && stored.is_some_and(|unit| unit.parent_id.is_none()) {
        return None;
    }
    fields.required_value(Some(value), "parent_id", integer).map(OrgUnitId)
}

/// A level as the wire shows it; a unit outside of the scope is never shown.
pub(super) fn level(level: Option<usize>) -> i64 {
    level.and_then(|level| i64::try_from(level).ok()).unwrap_or(0)
}

/// A group, as in lists.
#[derive(Serialize)]
pub(super) struct GroupRow<'a> {
    org_unit_id: i64,
    org_unit_ext_id: Option<&'a str>,
    org_unit_name: &'a str,
    org_unit_parent_id: Option<i64>,
    top_ou_id: i64,
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
#[derive(Serialize)]
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
