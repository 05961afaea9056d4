//! What the store holds that is measured: made through the API, and kept for the next run if that is wanted.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::client::{self, Connection};
use super::fill::{self, Writer};
use super::server::{self, Server};

/// How much is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) units: usize,
    pub(super) users: usize,
    pub(super) tenants: usize,
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
}

/// The admin of all, and the one of the large branch.
pub(super) const ADMIN: &str = "bench@example.org";
const BRANCH_ADMIN: &str = "branch@example.org";
pub(super) const PASSWORD: &str = "not a secret, only a bench";

/// The access tokens of a run.
pub(super) struct Tokens {
    pub(super) admin: String,
    pub(super) branch_admin: String,
}

impl World {
    /// Makes a store of these sizes in `folder`, or finds the one that is there.
    pub(super) fn prepare(binary: &Path, folder: &Path, sizes: Sizes) -> anyhow::Result<Self> {
        let note = folder.join("bench.json");
        if note.exists() {
            let kept = fs::read(&note).context("the kept store")?;
            let mut world = Self::read(&serde_json::from_slice(&kept)?).context("the kept store")?;
            let had = world.sizes.tenants;
            anyhow::ensure!(
                world.sizes == Sizes { tenants: had, ..sizes } && had <= sizes.tenants,
                "the kept store has other sizes: {:?}",
                world.sizes
            );
            // More small tenants can be added, to see whether they change anything.
            server::create_small_tenants(binary, folder, had..sizes.tenants)?;
            world.sizes = sizes;
            fs::write(note, world.note().to_string())?;
            return Ok(world);
        }
        let top = server::create_tenant(binary, folder, ADMIN, PASSWORD)?;
        server::create_small_tenants(binary, folder, 0..sizes.tenants)?;
        let mut server = Server::start(binary, folder, Some("warn"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let world = runtime.block_on(Self::fill(&server, top, sizes))?;
        drop(runtime);
        server.stop()?;
        fs::write(note, world.note().to_string())?;
        Ok(world)
    }

    async fn fill(server: &Server, top: u64, sizes: Sizes) -> anyhow::Result<Self> {
        let token = client::log_in(server.address, ADMIN, PASSWORD).await?;
        let writer = Writer { address: server.address, token: token.as_str().into() };
        let units: Arc<[u64]> = fill::units(&writer, top, sizes.units).await?.into();
        fill::users(&writer, &units, sizes.users).await?;
        let world = Self::new(sizes, top, units);
        let admin = json!({
            "username": BRANCH_ADMIN, "password": PASSWORD, "role": "Admin",
            "first_name": "Branch", "last_name": "Admin", "ct_user_ou_id": world.large.root,
        });
        let request = client::post("/v3/users", Some(&token), &admin);
        Connection::open(server.address).await?.call(&request).await.context("the admin of a branch")?;
        Ok(world)
    }

    fn new(sizes: Sizes, top: u64, units: Arc<[u64]>) -> Self {
        let branch = |size| {
            let (number, size) = fill::branch(units.len(), size);
            Branch { root: units[number], units: size }
        };
        let (small, large) = (branch(10_000), branch(100_000));
        // No branch is larger than those of the first two.
        let elsewhere = if large.root == units[0] { units[1] } else { units[0] };
        Self { sizes, top, units, small, large, elsewhere }
    }

    fn note(&self) -> Value {
        let Sizes { units, users, tenants } = self.sizes;
        json!({ "units": units, "users": users, "tenants": tenants, "top": self.top, "ids": &self.units[..] })
    }

    fn read(note: &Value) -> Option<Self> {
        let size = |name: &str| usize::try_from(note[name].as_u64()?).ok();
        let sizes = Sizes { units: size("units")?, users: size("users")?, tenants: size("tenants")? };
        let ids: Option<Vec<u64>> = note["ids"].as_array()?.iter().map(Value::as_u64).collect();
        Some(Self::new(sizes, note["top"].as_u64()?, ids?.into()))
    }

    /// Logs in whoever the rows need.
    pub(super) async fn log_in(server: &Server) -> anyhow::Result<Tokens> {
        Ok(Tokens {
            admin: client::log_in(server.address, ADMIN, PASSWORD).await?,
            branch_admin: client::log_in(server.address, BRANCH_ADMIN, PASSWORD).await?,
        })
    }
}
