//! The org unit, what can be changed of it, and its place in the tree.

use serde_json::{Value, json};

use super::MAX_LEVEL;
use crate::{OrgUnitId, Patch, Problem, Rule, TenantId, Timestamp, industry, journal, text};

/// The greatest lengths, in characters (our decisions; Convirza contract, section 4).
pub mod limits {
    pub const NAME: usize = 255;
    pub const EXTERNAL_ID: usize = 100;
    pub const ADDRESS: usize = 255;
    pub const CITY: usize = 100;
    pub const STATE: usize = 100;
    pub const ZIP: usize = 20;
    pub const PHONE_NUMBER: usize = 32;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrgUnitStatus {
    Active,
    /// Archived: hidden from most lists, can be edited and restored.
    Inactive,
}

impl OrgUnitStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

/// A node of a tenant's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgUnit {
    pub id: OrgUnitId,
    pub tenant: TenantId,
    /// `None` at the top only.
    pub parent_id: Option<OrgUnitId>,
    pub status: OrgUnitStatus,
    /// Trimmed, NFC, not empty; see [`OrgUnit::name_key`].
    pub name: String,
    pub external_id: Option<String>,
    pub billing_id: Option<i64>,
    pub address: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub zip: Option<String>,
    pub phone_number: Option<String>,
    /// An id of [`industry::INDUSTRIES`].
    pub industry_id: Option<i64>,
    /// An IANA name.
    pub timezone: String,
    /// From 1, raised by each change of this unit.
    pub version: i64,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

impl OrgUnit {
    /// A unit without details.
    pub fn new(
        tenant: TenantId,
        id: OrgUnitId,
        parent_id: Option<OrgUnitId>,
        name: String,
        timezone: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant,
            parent_id,
            status: OrgUnitStatus::Active,
            name,
            external_id: None,
            billing_id: None,
            address: None,
            city: None,
            state: None,
            zip: None,
            phone_number: None,
            industry_id: None,
            timezone,
            version: 1,
            created_at: now,
            modified_at: now,
        }
    }

    /// What names are compared and sorted by.
    pub fn name_key(&self) -> String {
        text::key(&self.name)
    }

    pub fn is_active(&self) -> bool {
        self.status == OrgUnitStatus::Active
    }

    /// Whether both stand at the same place among the same siblings.
    pub(super) fn has_place_of(&self, other: &Self) -> bool {
        self.parent_id == other.parent_id
            && self.status == other.status
            && self.name_key() == other.name_key()
    }

    /// The fields that the journal shows.
    pub(super) fn fields(&self) -> journal::Fields {
        vec![
            ("name", json!(self.name)),
            ("parent_id", self.parent_id.map_or(Value::Null, |id| json!(id.0))),
            ("status", json!(self.status.as_str())),
            ("external_id", json!(self.external_id)),
            ("billing_id", json!(self.billing_id)),
            ("address", json!(self.address)),
            ("city", json!(self.city)),
            ("state", json!(self.state)),
            ("zip", json!(self.zip)),
            ("phone_number", json!(self.phone_number)),
            ("industry_id", json!(self.industry_id)),
            ("timezone", json!(self.timezone)),
        ]
    }
}

/// What a request wants of a unit. A new unit is a patch of an empty one.
#[derive(Clone, Debug, Default)]
pub struct OrgUnitPatch {
    pub name: Option<String>,
    pub parent_id: Option<OrgUnitId>,
    pub status: Option<OrgUnitStatus>,
    pub external_id: Patch<String>,
    pub billing_id: Patch<i64>,
    pub address: Patch<String>,
    pub city: Patch<String>,
    pub state: Patch<String>,
    pub zip: Patch<String>,
    pub phone_number: Patch<String>,
    pub industry_id: Patch<i64>,
    /// Cleared means: as the parent's.
    pub timezone: Patch<String>,
}

impl OrgUnitPatch {
    /// Writes the wishes into `unit`. `inherited` is the time zone that a cleared one falls back to.
    pub(super) fn apply(self, unit: &mut OrgUnit, inherited: &str) {
        if let Some(name) = self.name {
            unit.name = name;
        }
        if let Some(parent) = self.parent_id {
            unit.parent_id = Some(parent);
        }
        if let Some(status) = self.status {
            unit.status = status;
        }
        self.external_id.apply(&mut unit.external_id);
        self.billing_id.apply(&mut unit.billing_id);
        self.address.apply(&mut unit.address);
        self.city.apply(&mut unit.city);
        self.state.apply(&mut unit.state);
        self.zip.apply(&mut unit.zip);
        self.phone_number.apply(&mut unit.phone_number);
        self.industry_id.apply(&mut unit.industry_id);
        match self.timezone {
            Patch::Keep => {}
            Patch::Clear => inherited.clone_into(&mut unit.timezone),
            Patch::Set(timezone) => unit.timezone = timezone,
        }
    }
}

/// Checks that an industry is in the list.
pub fn industry_id(id: i64) -> Result<i64, Problem> {
    industry::name(id).map(|_| id).ok_or(Problem::Unknown("industry"))
}

/// A unit and its place in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub unit: OrgUnit,
    /// From the unit itself up to the top.
    pub path: Vec<OrgUnitId>,
}

impl Located {
    /// The level below `scope`, which itself has level 1; `None` outside of its subtree.
    pub fn level_in(&self, scope: OrgUnitId) -> Option<usize> {
        self.path.iter().position(|id| *id == scope).map(|distance| distance + 1)
    }

    /// Whether the unit is `ancestor` or hangs below it.
    pub fn is_within(&self, ancestor: OrgUnitId) -> bool {
        self.path.contains(&ancestor)
    }

    /// Checks that a unit can hang under this one: not under itself, not too deep.
    pub(super) fn check_as_parent_of(&self, child: Option<OrgUnitId>) -> Result<(), Rule> {
        if child.is_some_and(|child| self.is_within(child)) {
            return Err(Rule::Cycle);
        }
        if self.path.len() >= MAX_LEVEL { Err(Rule::TooDeep) } else { Ok(()) }
    }
}

/// Which units of a list are wanted.
#[derive(Clone, Debug, Default)]
pub struct OrgUnitFilter {
    /// A part of the name, compared without case.
    pub name: Option<String>,
    /// `None`: all of them.
    pub status: Option<OrgUnitStatus>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(path: &[i64]) -> Located {
        let id = OrgUnitId(path[0]);
        let unit = OrgUnit::new(TenantId(1), id, None, "A".into(), "UTC".into(), Timestamp(0));
        Located { unit, path: path.iter().copied().map(OrgUnitId).collect() }
    }

    #[test]
    fn levels_count_from_the_scope() {
        let unit = located(&[4, 3, 2, 1]);
        assert_eq!(unit.level_in(OrgUnitId(4)), Some(1));
        assert_eq!(unit.level_in(OrgUnitId(2)), Some(3));
        assert_eq!(unit.level_in(OrgUnitId(9)), None);
    }

    #[test]
    fn a_unit_never_hangs_under_its_own_descendant() {
        let parent = located(&[4, 3, 2, 1]);
        assert_eq!(parent.check_as_parent_of(Some(OrgUnitId(4))), Err(Rule::Cycle));
        assert_eq!(parent.check_as_parent_of(Some(OrgUnitId(2))), Err(Rule::Cycle));
        assert_eq!(parent.check_as_parent_of(Some(OrgUnitId(9))), Ok(()));
        assert_eq!(parent.check_as_parent_of(None), Ok(()));
    }

    #[test]
    fn the_deepest_level_is_64() {
        let path: Vec<i64> = (1..=63).rev().collect();
        assert_eq!(located(&path).check_as_parent_of(None), Ok(()));
        let path: Vec<i64> = (1..=64).rev().collect();
        assert_eq!(located(&path).check_as_parent_of(None), Err(Rule::TooDeep));
    }
}
