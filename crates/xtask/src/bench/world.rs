//! What the store holds that is measured: made through the API, and kept for the next run if that is wanted.

use std::fs;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::caller::{AccessKey, Caller};
use super::client::{self, Connection};
use super::fill::{self, Writer};
use super::server::{self, Place, Server, Tenant};
use super::user_groups::UserGroups;
use super::{commands, contacts, scim};

/// How much is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) units: usize,
    pub(super) users: usize,
    pub(super) tenants: usize,
    /// Contacts of the large contact group.
    pub(super) contacts: usize,
    /// Members of each of the two great user groups, in whole thousands.
    pub(super) members: usize,
}

/// A part of the tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    pub(super) root: u64,
    /// Units in it, its root included.
    pub(super) units: usize,
}

/// The large tenant.
pub(super) struct World {
    pub(super) sizes: Sizes,
    pub(super) top: u64,
    /// The ids of the org units; a unit's place is its number.
    pub(super) units: Arc<[u64]>,
    /// Branches of about 10,000 and of about 100,000 units, or what comes near.
    pub(super) small: Branch,
    pub(super) large: Branch,
    /// A unit right below the top, outside of the large branch.
    pub(super) elsewhere: u64,
    /// The ids of the contact groups without contacts.
    pub(super) contact_groups: Arc<[u64]>,
    pub(super) large_contact_group: u64,
    /// Those of another tenant, with its key.
    pub(super) user_groups: UserGroups,
    /// The tenant's LOX24 key.
    lox24: String,
}

/// The admin of all, and the one of the large branch.
pub(super) const ADMIN: &str = "bench@example.org";
const BRANCH_ADMIN: &str = "branch@example.org";
pub(super) const PASSWORD: &str = "not a secret, only a bench";

/// Who calls in a run, and what is made for it.
pub(super) struct Session {
    pub(super) admin: Caller,
    pub(super) branch_admin: Caller,
    /// A program with a LOX24 key.
    pub(super) lox24: Caller,
    /// A contact group for what the run adds.
    pub(super) scratch_contact_group: u64,
    /// Where a page of users begins that comes after many others.
    pub(super) scim_cursor: String,
}

impl World {
    /// Makes a store of these sizes, or finds the one that is there.
    pub(super) fn prepare(place: &Place, sizes: Sizes) -> anyhow::Result<Self> {
        let note = place.folder.join("bench.json");
        if note.exists() {
            let kept = fs::read(&note).context("the kept store")?;
            let mut world = Self::read(&serde_json::from_slice(&kept)?)
                .context("the kept store is one of an older bench; remove its folder, and it is made anew")?;
            let had = world.sizes.tenants;
            anyhow::ensure!(
                world.sizes == Sizes { tenants: had, ..sizes } && had <= sizes.tenants,
                "the kept store has other sizes: {:?}",
                world.sizes
            );
            // More small tenants can be added, to see whether they change anything.
            server::create_small_tenants(place, had..sizes.tenants)?;
            world.sizes = sizes;
            fs::write(note, world.note().to_string())?;
            return Ok(world);
        }
        let tenant = server::create_tenant(place, ADMIN, PASSWORD)?;
        server::create_small_tenants(place, 0..sizes.tenants)?;
        let large_contact_group = commands::fill(place, sizes.contacts)?;
        let keys = server::create_members_tenant(place)?;
        let mut server = Server::start(place, Some("warn"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let world = runtime.block_on(Self::fill(&server, tenant, large_contact_group, keys, sizes))?;
        drop(runtime);
        server.stop()?;
        fs::write(note, world.note().to_string())?;
        Ok(world)
    }

    async fn fill(
        server: &Server,
        tenant: Tenant,
        large_contact_group: u64,
        keys: (AccessKey, String),
        sizes: Sizes,
    ) -> anyhow::Result<Self> {
        let admin = client::log_in(server.address, ADMIN, PASSWORD).await?;
        let program = Writer { address: server.address, caller: Caller::lox24(&tenant.lox24) };
        let groups = fill::contact_groups(&program, contacts::GROUPS).await?;
        let writer = Writer { address: server.address, caller: admin };
        let units: Arc<[u64]> = fill::units(&writer, tenant.top, sizes.units).await?.into();
        fill::users(&writer, &units, sizes.users).await?;
        let user_groups = UserGroups::fill(server.address, keys, sizes.members).await?;
        let world = Self::new(sizes, tenant, units, groups.into(), large_contact_group, user_groups);
        let admin = json!({
            "username": BRANCH_ADMIN, "password": PASSWORD, "role": "Admin",
            "first_name": "Branch", "last_name": "Admin", "ct_user_ou_id": world.large.root,
        });
        let request = client::post("/v3/users", &writer.caller, &admin);
        Connection::open(server.address).await?.call(&request).await.context("the admin of a branch")?;
        Ok(world)
    }

    fn new(
        sizes: Sizes,
        tenant: Tenant,
        units: Arc<[u64]>,
        contact_groups: Arc<[u64]>,
        large_contact_group: u64,
        user_groups: UserGroups,
    ) -> Self {
        let branch = |size| {
            let (number, size) = fill::branch(units.len(), size);
            Branch { root: units[number], units: size }
        };
        let (small, large) = (branch(10_000), branch(100_000));
        // No branch is larger than those of the first two.
        let elsewhere = if large.root == units[0] { units[1] } else { units[0] };
        let Tenant { top, lox24 } = tenant;
        Self {
            sizes,
            top,
            units,
            small,
            large,
            elsewhere,
            contact_groups,
            large_contact_group,
            user_groups,
            lox24,
        }
    }

    fn note(&self) -> Value {
        let Sizes { units, users, tenants, contacts, members } = self.sizes;
        json!({
            "units": units, "users": users, "tenants": tenants, "contacts": contacts, "members": members,
            "top": self.top, "ids": &self.units[..], "lox24": self.lox24,
            "contact_groups": &self.contact_groups[..], "large_contact_group": self.large_contact_group,
            "user_groups": &self.user_groups,
        })
    }

    fn read(note: &Value) -> Option<Self> {
        let size = |name: &str| usize::try_from(note[name].as_u64()?).ok();
        let ids = |name: &str| note[name].as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>();
        let sizes = Sizes {
            units: size("units")?,
            users: size("users")?,
            tenants: size("tenants")?,
            contacts: size("contacts")?,
            members: size("members")?,
        };
        let tenant = Tenant { top: note["top"].as_u64()?, lox24: note["lox24"].as_str()?.to_owned() };
        let large = note["large_contact_group"].as_u64()?;
        let user_groups = serde_json::from_value(note["user_groups"].clone()).ok()?;
        Some(Self::new(sizes, tenant, ids("ids")?.into(), ids("contact_groups")?.into(), large, user_groups))
    }

    /// Logs in whoever the rows need. This has a server of its own: hashing passwords takes memory that the allocator
    /// keeps for a while, which would hide what the load takes.
    pub(super) fn begin(&self, place: &Place) -> anyhow::Result<Session> {
        let mut server = Server::start(place, Some("warn"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let session = runtime.block_on(self.log_in(&server))?;
        drop(runtime);
        server.stop()?;
        Ok(session)
    }

    async fn log_in(&self, server: &Server) -> anyhow::Result<Session> {
        let lox24 = Caller::lox24(&self.lox24);
        let program = Writer { address: server.address, caller: lox24.clone() };
        Ok(Session {
            admin: client::log_in(server.address, ADMIN, PASSWORD).await?,
            branch_admin: client::log_in(server.address, BRANCH_ADMIN, PASSWORD).await?,
            lox24,
            scratch_contact_group: fill::contact_groups(&program, 1).await?[0],
            scim_cursor: scim::cursor(server.address, &self.user_groups.scim()).await?,
        })
    }
}

impl Session {
    /// Deletes what was made for the run.
    pub(super) async fn end(self, server: &Server) -> anyhow::Result<()> {
        let request = client::delete(&format!("/groups/{}", self.scratch_contact_group), &self.lox24);
        Connection::open(server.address).await?.call(&request).await.context("the end of the run")?;
        Ok(())
    }
}

/// Removes from a store that is kept what was deleted at the end of a run, so that the next run does not find the server
/// at this work.
pub(super) fn tidy_up(place: &Place) -> anyhow::Result<()> {
    eprintln!("removing what the run has added");
    let mut server = Server::start(place, Some("warn"))?;
    server.rest()?;
    server.stop()
}

#[cfg(test)]
mod tests {
    use super::super::user_groups;
    use super::*;

    #[test]
    fn a_note_says_all_that_a_next_run_needs() {
        let sizes = Sizes { units: 3, users: 4, tenants: 5, contacts: 6, members: 7000 };
        let tenant = Tenant { top: 1, lox24: "7:key".to_owned() };
        let user_groups = user_groups::tests::some();
        let world = World::new(sizes, tenant, [10, 11, 12].into(), [20, 21].into(), 30, user_groups);
        let note = world.note();
        let read = World::read(&note).unwrap();
        assert_eq!(read.note(), note);
        assert_eq!((read.sizes, read.lox24.as_str(), read.large_contact_group), (sizes, "7:key", 30));
        // What an older bench has kept.
        let mut old = note;
        old.as_object_mut().unwrap().remove("user_groups");
        assert!(World::read(&old).is_none());
    }
}
