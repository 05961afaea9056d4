//! What is measured, and which level it has to reach.

use std::fmt;
use std::time::Duration;

use clap::ValueEnum as _;

use super::template::Template;
use super::world::{Tokens, World};

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum RowKind {
    /// A route that touches nothing: what HTTP, routing and logging cost.
    Bare,
    /// Authentication and one org unit, with its path to the top.
    Read,
    /// Authentication, decision, and a commit that is on the disk before it is answered.
    Update,
    /// The children of any unit.
    Children,
    /// The ids of a branch of about 100,000 units.
    OrgList,
    /// The tree of a branch of about 100,000 units, as its admin sees it.
    Tree,
    /// Such a branch is moved, to and fro.
    Move,
    /// The first page of all users, with their number.
    Users,
    /// The first page of the users of a branch of about 10,000 units.
    UsersSmall,
    /// The first page of the users of a branch of about 100,000 units.
    UsersLarge,
}

/// What a row has to reach.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level {
    /// At least so much of the bare route with as many connections.
    OfBare(f64),
    /// At most so many milliseconds for half of the requests.
    P50(f64),
    /// The same, where a sync of the disk takes less than [`FAST_SYNC`].
    P50OnFastDisk(f64),
}

pub(super) const FAST_SYNC: Duration = Duration::from_micros(100);

impl RowKind {
    /// The bare route first: the others are compared with it.
    pub(super) const ALL: [Self; 10] = [
        Self::Bare,
        Self::Read,
        Self::Update,
        Self::Children,
        Self::OrgList,
        Self::Tree,
        Self::Move,
        Self::Users,
        Self::UsersSmall,
        Self::UsersLarge,
    ];

    pub(super) fn title(self, world: &World) -> String {
        let (users, small, large) = (world.sizes.users, world.small.units, world.large.units);
        match self {
            Self::Bare => "bare route, `GET /healthz`".to_owned(),
            Self::Read => "point read, `GET /v3/groups/{id}`".to_owned(),
            Self::Update => "durable update, `PUT /v3/groups/{id}`".to_owned(),
            Self::Children => "children, `GET /v3/groups/list`".to_owned(),
            Self::OrgList => format!("ids of {large} units, `GET /v3/groups/org-list/{{id}}`"),
            Self::Tree => format!("tree of {large} units, `GET /v3/groups/tree`"),
            Self::Move => format!("move of {large} units, `PATCH /v3/groups/{{id}}`"),
            Self::Users => format!("first of {users} users, `GET /v3/users/list`"),
            Self::UsersSmall => format!("first users of {small} units, `GET /v3/users/list`"),
            Self::UsersLarge => format!("first users of {large} units, `GET /v3/users/list`"),
        }
    }

    /// Whether the row is measured with this many connections: what is long by itself, or touches one row only,
    /// is measured with one.
    pub(super) fn takes(self, connections: u32) -> bool {
        matches!(self, Self::Bare | Self::Read | Self::Update | Self::Children) || connections == 1
    }

    pub(super) fn level(self, connections: u32) -> Option<Level> {
        match (self, connections) {
            (Self::Read, 64) => Some(Level::OfBare(0.6)),
            (Self::Update, 64) => Some(Level::OfBare(0.12)),
            (Self::Update, 1) => Some(Level::P50OnFastDisk(0.3)),
            (Self::Children, 1) => Some(Level::P50(0.4)),
            (Self::OrgList, _) => Some(Level::P50(150.0)),
            (Self::Tree, _) => Some(Level::P50(250.0)),
            (Self::Move, _) => Some(Level::P50(2.0)),
            (Self::Users | Self::UsersSmall, _) => Some(Level::P50(50.0)),
            (Self::UsersLarge, _) => Some(Level::P50(400.0)),
            _ => None,
        }
    }

    /// The requests, sent in turns. Every update has another address than all before it: a change that changes
    /// nothing would not be written.
    pub(super) fn templates(self, world: &World, tokens: &Tokens) -> Vec<Template> {
        let admin = Some(tokens.admin.as_str());
        let get = |path: &str| vec![Template::get(path, admin)];
        let users = |root: u64| get(&format!("/v3/users/list?org_unit_id={root}"));
        match self {
            Self::Bare => vec![Template::get("/healthz", None)],
            Self::Read => get("/v3/groups/{id}"),
            Self::Update => {
                let body = r#"{"org_unit_name":"Unit {number}","org_unit_ext_id":"R-{number}",
                    "address":"{counter} Elm St","city":"Reno","state":"NV","zip":"89501",
                    "phone_number":"+1-775-555-0100","industry_id":4}"#;
                vec![Template::write("PUT", "/v3/groups/{id}", admin, body)]
            }
            Self::Children => get("/v3/groups/list?org_unit_id={id}"),
            Self::OrgList => get(&format!("/v3/groups/org-list/{}", world.large.root)),
            Self::Tree => vec![Template::get("/v3/groups/tree", Some(&tokens.branch_admin))],
            Self::Move => [world.elsewhere, world.top]
                .map(|parent| {
                    let path = format!("/v3/groups/{}", world.large.root);
                    let body = format!(r#"{{"org_unit_parent_id":{parent}}}"#);
                    Template::write("PATCH", &path, admin, &body)
                })
                .into(),
            Self::Users => get("/v3/users/list"),
            Self::UsersSmall => users(world.small.root),
            Self::UsersLarge => users(world.large.root),
        }
    }
}

impl fmt::Display for RowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
