//! The tree of groups on the wire, in its two forms. It is written without recursion and with one code in
//! memory at a time, since a tree may be deeper than a stack.

use muster_domain::Error;
use muster_domain::org_unit::{self, TreeUnit};
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{AnyOf, AnyOfBuilder, Array, ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::http::Failure;

/// The most bytes of codes in one answer. A code is as long as the tree is deep, so an answer can be much
/// larger than the number of its groups suggests.
const MAX_CODES: usize = 64 * 1024 * 1024;

/// A group, as in the tree.
#[derive(Serialize, ToSchema)]
#[schema(as = TreeRow)]
struct Row<'a> {
    org_unit_id: i64,
    text: &'a str,
    code: &'a str,
    group_level: usize,
    org_unit_name: &'a str,
    org_unit_parent_id: Option<i64>,
    coded_level: &'a str,
}

impl<'a> Row<'a> {
    fn new(unit: TreeUnit<'a>, code: &'a str) -> Self {
        Self {
            org_unit_id: unit.id.0,
            text: unit.name,
            code,
            group_level: unit.level,
            org_unit_name: unit.name,
            // The caller's unit is the root of what it sees.
            org_unit_parent_id: unit.parent_id.filter(|_| unit.level > 1).map(|id| id.0),
            coded_level: code,
        }
    }
}

/// A group, as in the nested tree.
#[derive(Serialize, ToSchema)]
#[schema(as = TreeBranch)]
struct Branch<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    /// Written one by one, after the rest.
    #[schema(no_recursion)]
    children: [&'a Branch<'a>; 0],
}

/// The groups of a tree in one of its two forms.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Tree<'a> {
    Flat { groups: FlatTree<'a> },
    Nested { groups: Box<RawValue> },
}

impl PartialSchema for Tree<'_> {
    fn schema() -> RefOr<Schema> {
        let rows = |name| Array::new(Ref::from_schema_name(name));
        let forms = [Row::name(), Branch::name()].into_iter().map(rows);
        let groups = forms.fold(AnyOf::builder(), AnyOfBuilder::item);
        ObjectBuilder::new().property("groups", Schema::AnyOf(groups.build())).required("groups").into()
    }
}

impl ToSchema for Tree<'_> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Row::name().into(), Row::schema()));
        schemas.push((Branch::name().into(), Branch::schema()));
    }
}

/// The codes of units that come depth first: `1`, `1.1`, `1.2`, …
#[derive(Default)]
struct Codes {
    code: String,
    /// The length of the code at each level of the path to the last unit.
    ends: Vec<usize>,
}

impl Codes {
    fn of(&mut self, unit: TreeUnit<'_>) -> &str {
        self.ends.truncate(unit.level - 1);
        self.code.truncate(self.ends.last().copied().unwrap_or(0));
        if !self.code.is_empty() {
            self.code.push('.');
        }
        self.code.push_str(&unit.place.to_string());
        self.ends.push(self.code.len());
        &self.code
    }
}

/// What a row takes besides its name and its code, each of which it has twice: names of fields, numbers.
const ROW: usize = 150;

/// How many bytes the answer will take, about. Refuses a tree whose answer would be unreasonably large.
pub(super) fn size(tree: &org_unit::Tree) -> Result<usize, Failure> {
    let mut codes = Codes::default();
    let (mut in_codes, mut in_names) = (0, 0);
    for unit in tree.iter() {
        in_codes += codes.of(unit).len();
        in_names += unit.name.len();
    }
    if in_codes <= MAX_CODES {
        return Ok(2 * (in_codes + in_names) + ROW * (tree.len() + 2));
    }
    Err(Failure::AnswerTooLarge(
        "The tree is too deep for one answer; use groups/list to read it level by level",
    ))
}

/// The flat form: rows, depth first.
pub(super) struct FlatTree<'a>(pub(super) &'a org_unit::Tree);

impl Serialize for FlatTree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut codes = Codes::default();
        let mut rows = serializer.serialize_seq(Some(self.0.len()))?;
        for unit in self.0.iter() {
            rows.serialize_element(&Row::new(unit, codes.of(unit)))?;
        }
        rows.end()
    }
}

/// The nested form: each group with its `children`.
pub(super) fn nested(tree: &org_unit::Tree, size: usize) -> Result<Box<RawValue>, Failure> {
    let mut codes = Codes::default();
    let mut json = String::with_capacity(size);
    json.push('[');
    let mut open = 0;
    for unit in tree.iter() {
        // Groups at the same level or deeper end before this one begins.
        while open >= unit.level {
            json.push_str("]}");
            open -= 1;
        }
        if json.ends_with('}') {
            json.push(',');
        }
        let branch = Branch { row: Row::new(unit, codes.of(unit)), children: [] };
        let object = serde_json::to_string(&branch).map_err(|error| internal(&error))?;
        json.push_str(object.strip_suffix("]}").unwrap_or(&object));
        open += 1;
    }
    json.push_str(&"]}".repeat(open));
    json.push(']');
    RawValue::from_string(json).map_err(|error| internal(&error))
}

fn internal(error: &serde_json::Error) -> Failure {
    Failure::Core(Error::Internal(format!("a tree: {error}")))
}
