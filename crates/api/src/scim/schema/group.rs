//! Groups (RFC 7643, section 4.2).

use super::Schema;
use super::table::{complex, reference, string};

pub static GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "Group",
    attributes: &[
        string("displayName", "The name of the group").required(),
        complex(
            "members",
            &[
                string("value", "The id of the member").exact().immutable().required(),
                reference("$ref", &["User"], "The address of the member").immutable(),
                string("type", "The kind of the member").immutable().canonical(&["User"]),
            ],
            "The users in the group",
        )
        .many()
        .detached(),
    ],
};
