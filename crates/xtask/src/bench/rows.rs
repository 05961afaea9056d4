//! What is measured.

use std::fmt;

use clap::ValueEnum as _;

use super::template::Template;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum RowKind {
    /// A route that touches nothing: what HTTP, routing and logging cost.
    Bare,
    /// Authentication and one org unit, with its path to the top.
    Read,
    /// Authentication, decision, and a commit that is on the disk before it is answered.
    Update,
}

impl RowKind {
    /// The bare route first: the others are compared with it.
    pub(super) const ALL: [Self; 3] = [Self::Bare, Self::Read, Self::Update];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare route, `GET /healthz`",
            Self::Read => "point read, `GET /v3/groups/{id}`",
            Self::Update => "durable update, `PUT /v3/groups/{id}`",
        }
    }

    /// The request. Every update has another address than all before it: a change that changes nothing
    /// would not be written.
    pub(super) fn template(self, token: &str) -> Template {
        match self {
            Self::Bare => Template::get("/healthz", None),
            Self::Read => Template::get("/v3/groups/{id}", Some(token)),
            Self::Update => {
                let body = r#"{"org_unit_name":"Unit {number}","org_unit_ext_id":"R-{number}",
                    "address":"{counter} Elm St","city":"Reno","state":"NV","zip":"89501",
                    "phone_number":"+1-775-555-0100","industry_id":4}"#;
                Template::put("/v3/groups/{id}", Some(token), body)
            }
        }
    }
}

impl fmt::Display for RowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
