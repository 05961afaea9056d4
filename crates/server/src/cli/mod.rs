//! The command line: every flag is also an environment variable `MUSTER_…` and a key of the file.

pub(crate) mod carriers;
mod contacts;
mod credential;
mod explain;
mod journal;
mod migrate_store;
pub(crate) mod output;
mod prices;
mod sandbox;
pub(crate) mod sign;
mod store;
mod tenant;
mod user;
pub(crate) mod webhook;
mod webhooks;
mod when;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use muster_api::PasswordPool;
use muster_domain::Directory;
use muster_domain::secret::ServerKey;
use muster_domain::session::SessionPolicy;
use muster_store::{KeySource, Limits, Media, Options, Store, WorkerLock};

use crate::serve::ServeArgs;
use crate::system::{SystemClock, SystemEntropy};
use crate::worker::WorkerArgs;
use crate::{config, serve, worker};

/// Muster: a self-hosted, multi-tenant directory of organisations.
///
/// It keeps a tree of org units with their users, groups of users, and lists of contacts, and serves them to clients of the
/// Convirza Platform API V3, of LOX24 and of Onlive.site. Start with `muster serve --demo`.
#[derive(Parser)]
#[command(name = "muster", version, propagate_version = true)]
struct Cli {
    /// A TOML file whose keys are the long flags, such as `listen = "0.0.0.0:8080"`. Flags and
    /// environment variables win over it.
    #[arg(long, global = true, env = "MUSTER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(Box<ServeArgs>),
    Worker(Box<WorkerArgs>),
    /// Create, list, rename, disable and delete tenants, and credit what they pay with.
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Help users who cannot log in, and erase those who want to be forgotten.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Load, show and remove what messages cost.
    #[command(subcommand)]
    Prices(prices::PricesCommand),
    /// Create, list and revoke the credentials of programs.
    #[command(subcommand)]
    Credential(credential::CredentialCommand),
    /// Read contacts from a file.
    #[command(subcommand)]
    Import(contacts::ImportCommand),
    /// Write contacts to a file.
    #[command(subcommand)]
    Export(contacts::ExportCommand),
    /// See how webhooks do, try them, and send again what was given up.
    #[command(subcommand)]
    Webhook(webhooks::WebhookCommand),
    /// Play a phone: have a message come in.
    #[command(subcommand)]
    Sandbox(sandbox::SandboxCommand),
    Sign(sign::SignArgs),
    Journal(journal::JournalArgs),
    Backup(store::BackupArgs),
    Restore(store::RestoreArgs),
    Doctor(store::DoctorArgs),
    MigrateStore(migrate_store::MigrateStoreArgs),
    /// Rotate the server key.
    #[command(subcommand)]
    Key(store::KeyCommand),
}

/// Which store a command works on.
#[derive(Args, Clone, Debug)]
pub(crate) struct StoreArgs {
    /// The database. `sqlite:PATH` is a file, made if it is not there. `postgres://USER:PASSWORD@HOST/NAME` is a
    /// PostgreSQL database, which any number of servers share; its tables are made if they are not there. `?sslmode=…`
    /// and `&sslrootcert=FILE` mean what they mean to psql.
    #[arg(long, env = "MUSTER_DATABASE", value_name = "URL", default_value = "sqlite:muster-data/muster.db")]
    database: String,
    /// The folder of the server key `server.key`, made if it is not there: without it the secrets in
    /// the store cannot be read. The key itself can be given in the environment variable
    /// `MUSTER_SECRET_KEY`, as 64 hexadecimal characters. [default: the folder of the database file, or muster-data]
    #[arg(long, env = "MUSTER_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// Where files are; one for every server and worker on a store.
#[derive(Args)]
pub(crate) struct MediaArgs {
    /// Where the files of media prompts are: `file:FOLDER`, or `s3://BUCKET/PREFIX` with the keys, the region and the endpoint in
    /// the usual variables AWS_…. Several servers on one database need the same. [default: the folder `media` in --data-dir]
    #[arg(long, env = "MUSTER_MEDIA_STORE", value_name = "URL")]
    media_store: Option<String>,
}

impl MediaArgs {
    pub(crate) fn open(&self, store: &StoreArgs) -> anyhow::Result<Media> {
        Ok(match &self.media_store {
            Some(url) => Media::open(url)?,
            None => Media::folder(store.data_dir().join("media")),
        })
    }
}

impl StoreArgs {
    /// How the store is opened: with `create` it is made if it is not there; with `as_server` nobody else is on it but
    /// commands.
    fn options(&self, create: bool, as_server: bool, limits: Limits) -> Options {
        let key = match std::env::var("MUSTER_SECRET_KEY") {
            Ok(key) => KeySource::Given(key),
            Err(_) => KeySource::Folder(self.data_dir()),
        };
        Options { url: self.database.clone(), key, create, as_server, limits }
    }

    /// Where the server key is, for people.
    fn key_place(&self) -> String {
        match self.options(false, false, Limits::default()).key {
            KeySource::Given(_) => "MUSTER_SECRET_KEY".to_owned(),
            KeySource::Folder(folder) => folder.join("server.key").display().to_string(),
        }
    }

    /// Opens the store for a server; makes it if it is not there.
    pub(crate) async fn open_as_server(&self, limits: Limits) -> anyhow::Result<(Store, ServerKey)> {
        open(&self.options(true, true, limits)).await
    }

    /// Opens the store for a worker, which needs one that is there. A file has its one server beside it.
    pub(crate) async fn open_as_worker(&self) -> anyhow::Result<(Store, ServerKey, WorkerLock)> {
        let is_file = muster_store::sqlite_path(&self.database).is_some();
        let options = self.options(false, !is_file, Limits::default());
        let lock = muster_store::lock_as_worker(&options)?;
        let (store, key) = open(&options).await?;
        Ok((store, key, lock))
    }

    /// What names this database in a command that people copy. The URL of one that is no file may hold a password: they
    /// have it in `MUSTER_DATABASE`, or know what to add.
    pub(crate) fn flag(&self) -> String {
        let is_file = muster_store::sqlite_path(&self.database).is_some();
        if is_file { format!(" --database {}", self.database) } else { String::new() }
    }

    /// The database, for people and logs.
    pub(crate) fn shown(&self) -> String {
        muster_store::shown(&self.database)
    }

    /// The folder of what is kept beside the store.
    pub(crate) fn data_dir(&self) -> PathBuf {
        let of_file = || {
            let path = muster_store::sqlite_path(&self.database)?;
            let folder = path.parent()?;
            Some(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() })
        };
        self.data_dir.clone().or_else(of_file).unwrap_or_else(|| PathBuf::from("muster-data"))
    }

    /// The directory for a command that works beside the server, on a store that is there.
    async fn directory(&self) -> anyhow::Result<(Directory<Store>, ServerKey)> {
        self.directory_with(false, Limits::default()).await
    }

    /// The directory for the command that makes what is not there.
    async fn new_directory(&self) -> anyhow::Result<(Directory<Store>, ServerKey)> {
        self.directory_with(true, Limits::default()).await
    }

    /// As [`StoreArgs::directory`], for a command that writes very many rows.
    async fn bulk_directory(&self) -> anyhow::Result<(Directory<Store>, ServerKey)> {
        self.directory_with(false, Limits::bulk()).await
    }

    async fn directory_with(
        &self,
        create: bool,
        limits: Limits,
    ) -> anyhow::Result<(Directory<Store>, ServerKey)> {
        let (store, key) = open(&self.options(create, false, limits)).await?;
        Ok((directory(store, SessionPolicy::default(), PasswordPool::new(1, 16)), key))
    }
}

async fn open(options: &Options) -> anyhow::Result<(Store, ServerKey)> {
    muster_store::open(options, &SystemClock, &SystemEntropy).await.context("cannot open the store")
}

/// A directory over the real clock and real randomness.
pub(crate) fn directory(store: Store, sessions: SessionPolicy, passwords: PasswordPool) -> Directory<Store> {
    Directory {
        store,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        passwords: Arc::new(passwords),
        sessions,
    }
}

/// Parses the command line and runs its command.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut command = Cli::command();
    if let Some(path) = config::path(std::env::args()) {
        command = config::apply(command, &path)?;
    }
    let cli = Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(*args).await,
            Command::Worker(args) => worker::run(*args).await,
            Command::Tenant(command) => tenant::run(command).await,
            Command::User(command) => user::run(command).await,
            Command::Prices(command) => prices::run(command).await,
            Command::Credential(command) => credential::run(command).await,
            Command::Import(command) => contacts::import(command).await,
            Command::Export(command) => contacts::export(command).await,
            Command::Webhook(command) => webhooks::run(command).await,
            Command::Sandbox(command) => sandbox::run(command).await,
            Command::Sign(args) => sign::run(args),
            Command::Journal(args) => journal::run(args).await,
            Command::Backup(args) => store::backup(args).await,
            Command::Restore(args) => store::restore(&args),
            Command::Doctor(args) => store::doctor(args).await,
            Command::MigrateStore(args) => migrate_store::run(args).await,
            Command::Key(command) => store::key(&command).await,
        }
    });
    // Whatever still runs on its own threads (a long read, a writer that waits for the file) was given
    // its time already.
    runtime.shutdown_background();
    done
}
