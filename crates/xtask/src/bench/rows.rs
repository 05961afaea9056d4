//! What is measured.

use std::fmt;
use std::sync::Arc;

use clap::ValueEnum;

use super::caller::Caller;
use super::database::Script;
use super::load::{Load, Proof};
use super::template::Template;
use super::world::{Session, World};
use super::{contacts, scim, user_groups};

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum RowKind {
    /// A route that touches nothing: what HTTP, routing and logging cost.
    Bare,
    /// `pgbench` with the database alone: a row by its primary key.
    DatabaseSelect,
    /// `pgbench`: an update and a new row, in one transaction.
    DatabaseUpdate,
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
    /// Authentication by a key, and one contact group with the number of its contacts.
    ContactGroupRead,
    /// A change of one contact group that is on the disk before it is answered.
    ContactGroupUpdate,
    /// A thousand new contacts in one request, in one group.
    ContactBatch,
    /// All contacts of a large group, sent while they are read.
    CsvExport,
    /// A signature, and one user group.
    UserGroupRead,
    /// A signed change of one user group that is on the disk before it is answered.
    UserGroupUpdate,
    /// Users of small groups go to another such group and come back.
    UserGroupJoin,
    /// The same between two great groups.
    UserGroupJoinGreat,
    /// By SCIM, the user with a name, of all.
    ScimByName,
    /// By SCIM, the first page of all users, with their number.
    ScimUsers,
    /// The same of those that are active.
    ScimActive,
    /// The same sorted by their names.
    ScimSorted,
    /// A page that a cursor leads to.
    ScimCursor,
    /// A page from the middle of all users.
    ScimMiddle,
    /// By SCIM, a great group without its members.
    ScimGroup,
    /// By SCIM, members of small groups leave and come back.
    ScimMember,
    /// The same of a great group.
    ScimMemberGreat,
}

/// What a request has many of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Items {
    pub(super) name: &'static str,
    pub(super) per_request: usize,
}

impl RowKind {
    /// The bare route first: the others are compared with it.
    pub(super) const ALL: [Self; 29] = [
        Self::Bare,
        Self::DatabaseSelect,
        Self::DatabaseUpdate,
        Self::Read,
        Self::Update,
        Self::Children,
        Self::OrgList,
        Self::Tree,
        Self::Move,
        Self::Users,
        Self::UsersSmall,
        Self::UsersLarge,
        Self::ContactGroupRead,
        Self::ContactGroupUpdate,
        Self::ContactBatch,
        Self::CsvExport,
        Self::UserGroupRead,
        Self::UserGroupUpdate,
        Self::UserGroupJoin,
        Self::UserGroupJoinGreat,
        Self::ScimByName,
        Self::ScimUsers,
        Self::ScimActive,
        Self::ScimSorted,
        Self::ScimCursor,
        Self::ScimMiddle,
        Self::ScimGroup,
        Self::ScimMember,
        Self::ScimMemberGreat,
    ];

    pub(super) fn title(self, world: &World) -> String {
        let join =
            |members: usize| format!("joining a group of {members}, signed `PUT /api/v1/users/{{id}}`");
        let (users, small, large) = (world.sizes.users, world.small.units, world.large.units);
        match self {
            Self::Bare => "bare route, `GET /healthz`".to_owned(),
            Self::DatabaseSelect => "`pgbench`: a row by its key".to_owned(),
            Self::DatabaseUpdate => "`pgbench`: an update and an insert in a transaction".to_owned(),
            Self::Read => "point read, `GET /v3/groups/{id}`".to_owned(),
            Self::Update => "durable update, `PUT /v3/groups/{id}`".to_owned(),
            Self::Children => "children, `GET /v3/groups/list`".to_owned(),
            Self::OrgList => format!("ids of {large} units, `GET /v3/groups/org-list/{{id}}`"),
            Self::Tree => format!("tree of {large} units, `GET /v3/groups/tree`"),
            Self::Move => format!("move of {large} units, `PATCH /v3/groups/{{id}}`"),
            Self::Users => format!("first of {users} users, `GET /v3/users/list`"),
            Self::UsersSmall => format!("first users of {small} units, `GET /v3/users/list`"),
            Self::UsersLarge => format!("first users of {large} units, `GET /v3/users/list`"),
            Self::ContactGroupRead => "contact group, `GET /groups/{id}`".to_owned(),
            Self::ContactGroupUpdate => "durable update, `PUT /groups/{id}`".to_owned(),
            Self::ContactBatch => {
                format!("batch of {} new phones, `POST /groups/{{id}}/phones/batch`", contacts::BATCH)
            }
            Self::CsvExport => {
                format!("export of {} phones, `GET /groups/{{id}}/file/csv`", world.sizes.contacts)
            }
            Self::UserGroupRead => "user group, signed `GET /api/v1/user-groups/{id}`".to_owned(),
            Self::UserGroupUpdate => "durable update, signed `PUT /api/v1/user-groups/{id}`".to_owned(),
            Self::UserGroupJoin => join(user_groups::FEW),
            Self::UserGroupJoinGreat => join(world.sizes.members),
            Self::ScimByName
            | Self::ScimUsers
            | Self::ScimActive
            | Self::ScimSorted
            | Self::ScimCursor
            | Self::ScimMiddle
            | Self::ScimGroup
            | Self::ScimMember
            | Self::ScimMemberGreat => scim::title(self, world),
        }
    }

    /// The numbers of connections that the row is measured with, of those `wanted`. What is long by itself, or touches
    /// one row only, is measured with one. Of batches a few keep the server busy; more would only wait. Where requests
    /// alternate, each connection has its own.
    pub(super) fn connections(self, wanted: &[u32]) -> Vec<u32> {
        const MOST_BATCHES: usize = 4;
        let at_most = |most: usize| -> Vec<u32> {
            let most = u32::try_from(most).unwrap_or(u32::MAX);
            wanted.iter().map(|number| (*number).min(most)).collect()
        };
        let mut taken = match self {
            Self::Bare
            | Self::DatabaseSelect
            | Self::DatabaseUpdate
            | Self::Read
            | Self::Update
            | Self::Children
            | Self::ContactGroupRead
            | Self::ContactGroupUpdate
            | Self::UserGroupRead
            | Self::ScimByName
            | Self::ScimGroup => wanted.to_vec(),
            Self::UserGroupUpdate => at_most(user_groups::GROUPS),
            Self::UserGroupJoin | Self::UserGroupJoinGreat | Self::ScimMember | Self::ScimMemberGreat => {
                at_most(user_groups::PAIRS)
            }
            Self::ContactBatch => at_most(MOST_BATCHES),
            Self::OrgList
            | Self::Tree
            | Self::Move
            | Self::Users
            | Self::UsersSmall
            | Self::UsersLarge
            | Self::ScimUsers
            | Self::ScimActive
            | Self::ScimSorted
            | Self::ScimCursor
            | Self::ScimMiddle
            | Self::CsvExport => wanted.iter().copied().filter(|number| *number == 1).collect(),
        };
        taken.dedup();
        taken
    }

    /// What `pgbench` does for the row, if it is one of its.
    pub(super) fn script(self) -> Option<Script> {
        match self {
            Self::DatabaseSelect => Some(Script::Select),
            Self::DatabaseUpdate => Some(Script::Update),
            _ => None,
        }
    }

    pub(super) fn items(self, world: &World) -> Option<Items> {
        let phones = |per_request| Some(Items { name: "phones", per_request });
        match self {
            Self::ContactBatch => phones(contacts::BATCH),
            Self::CsvExport => phones(world.sizes.contacts),
            _ => None,
        }
    }

    /// What is sent, signed now where it is signed.
    pub(super) fn load(self, world: &World, session: &Session) -> Load {
        let ids = match self {
            Self::ContactGroupRead | Self::ContactGroupUpdate => &world.contact_groups,
            Self::ScimByName => &world.user_groups.numbers(),
            _ => &world.units,
        };
        let proof = match self {
            Self::ContactBatch => Proof::Created(contacts::BATCH),
            // The first line has the names of the columns.
            Self::CsvExport => Proof::Lines(world.sizes.contacts as u64 + 1),
            Self::ScimByName => Proof::Total(1),
            Self::ScimUsers | Self::ScimActive | Self::ScimSorted | Self::ScimCursor | Self::ScimMiddle => {
                Proof::Total(world.user_groups.all_users() as u64)
            }
            _ => Proof::Nothing,
        };
        let templates = self.templates(world, session).into();
        let alternates = matches!(
            self,
            Self::Move
                | Self::UserGroupUpdate
                | Self::UserGroupJoin
                | Self::UserGroupJoinGreat
                | Self::ScimMember
                | Self::ScimMemberGreat
        );
        let is_long = self == Self::CsvExport;
        Load { templates, ids: Arc::clone(ids), proof, is_long, alternates }
    }

    /// The requests, sent in turns. Every update has another value than all before it: a change that changes
    /// nothing would not be written.
    fn templates(self, world: &World, session: &Session) -> Vec<Template> {
        let Session { admin, branch_admin, lox24, scratch_contact_group, .. } = session;
        let get = |path: &str| vec![Template::get(path, admin)];
        let users = |root: u64| get(&format!("/v3/users/list?org_unit_id={root}"));
        match self {
            Self::Bare => vec![Template::get("/healthz", &Caller::Nobody)],
            Self::DatabaseSelect | Self::DatabaseUpdate => Vec::new(),
            Self::Read => get("/v3/groups/{id}"),
            Self::Update => {
                let body = r#"{"org_unit_name":"Unit {number}","org_unit_ext_id":"R-{number}",
                    "address":"{counter} Elm St","city":"Reno","state":"NV","zip":"89501",
                    "phone_number":"+1-775-555-0100","industry_id":4}"#;
                vec![Template::write("PUT", "/v3/groups/{id}", admin, body)]
            }
            Self::Children => get("/v3/groups/list?org_unit_id={id}"),
            Self::OrgList => get(&format!("/v3/groups/org-list/{}", world.large.root)),
            Self::Tree => vec![Template::get("/v3/groups/tree", branch_admin)],
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
            Self::ContactGroupRead => vec![Template::get("/groups/{id}", lox24)],
            Self::ContactGroupUpdate => {
                let body = r#"{"description":"Change {counter}"}"#;
                vec![Template::write("PUT", "/groups/{id}", lox24, body)]
            }
            Self::ContactBatch => {
                let path = format!("/groups/{scratch_contact_group}/phones/batch");
                vec![Template::write("POST", &path, lox24, &contacts::batch())]
            }
            Self::CsvExport => {
                let path = format!("/groups/{}/file/csv", world.large_contact_group);
                vec![Template::get(&path, lox24)]
            }
            Self::UserGroupRead => world.user_groups.reads(),
            Self::UserGroupUpdate => world.user_groups.updates(),
            Self::UserGroupJoin => world.user_groups.joins(),
            Self::UserGroupJoinGreat => world.user_groups.great_joins(),
            Self::ScimByName
            | Self::ScimUsers
            | Self::ScimActive
            | Self::ScimSorted
            | Self::ScimCursor
            | Self::ScimMiddle
            | Self::ScimGroup
            | Self::ScimMember
            | Self::ScimMemberGreat => scim::requests(self, world, &session.scim_cursor),
        }
    }
}

impl fmt::Display for RowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_the_numbers_of_connections_that_make_sense() {
        assert_eq!(RowKind::ContactGroupRead.connections(&[1, 64]), [1, 64]);
        assert_eq!(RowKind::ContactBatch.connections(&[1, 16, 64]), [1, 4]);
        assert_eq!(RowKind::UserGroupJoin.connections(&[1, 64, 1000]), [1, 64, 100]);
        assert_eq!(RowKind::CsvExport.connections(&[1, 64]), [1]);
        assert!(RowKind::Tree.connections(&[64]).is_empty());
    }
}
