//! PATCH (RFC 7644, section 3.5.2).
//!
//! A body is read to a [`Patch`], which knows already what can be known without the resource, and is then applied to
//! one. Members of a group are not part of the resource: what the operations want of them is a [`MemberDelta`].

mod apply;
mod edit;
mod members;
mod parse;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use self::edit::Operation;
use super::ScimError;
use super::read::finish;
use super::schema::ResourceType;
pub use members::MemberDelta;

pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The greatest sizes (our decisions).
pub mod limits {
    pub const OPERATIONS: usize = 1000;
    /// With how many values and conditions the elements of lists may be compared, taking all operations together.
    /// There may be as many elements, so this bounds the time that a request takes.
    pub const COMPARISONS: usize = 2000;
}

/// Whose habits a client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As RFC 7644 has it.
    Rfc,
    /// As Entra ID has it: a replacement of an element that is not there creates it, and a single value may stand
    /// in an array of an object.
    Entra,
}

/// The operations of a request, in order, and what they want of members.
#[derive(Clone, Debug)]
pub struct Patch {
    kind: &'static ResourceType,
    operations: Vec<Operation>,
    pub members: MemberDelta,
}

impl Patch {
    /// Reads the body of a request.
    ///
    /// Errors: `invalidSyntax`, `invalidPath`, `invalidFilter`, `invalidValue`, `noTarget`, `mutability`.
    pub fn read(kind: &'static ResourceType, profile: Profile, body: Value) -> Result<Self, ScimError> {
        parse::read(kind, profile, body)
    }

    /// Applies all operations, or none. `before` is the resource as it is shown, without what is detached; what
    /// comes of it has a `password` if one is to be set. If nothing changes, it is equal to `before`.
    ///
    /// Errors: `noTarget`, `invalidValue`.
    pub fn apply(&self, before: &Map<String, Value>) -> Result<Map<String, Value>, ScimError> {
        let mut resource = before.clone();
        for operation in &self.operations {
            operation.apply(&mut resource)?;
        }
        finish(self.kind, &mut resource)?;
        Ok(resource)
    }

    /// Whether there is anything to be done but to members.
    pub fn changes_resource(&self) -> bool {
        !self.operations.is_empty()
    }
}
