//! `cargo xtask bench`: how fast the release server answers over HTTP.
//!
//! Load generator and server share the machine, so the ratio to the bare route, which costs what any route
//! costs, says more than the absolute numbers. Rounds are interleaved: what else the machine does hits every row
//! alike.

mod caller;
mod chunks;
mod client;
mod commands;
mod contacts;
mod database;
mod fill;
mod levels;
mod load;
mod machine;
mod messages;
mod part;
mod report;
mod rows;
mod scim;
mod server;
mod template;
mod told;
mod user_groups;
mod webhooks;
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use tempfile::TempDir;

use self::database::Schema;
use self::load::Target;
use self::messages::MessageRow;
use self::part::Part;
use self::report::{Line, Measured, Report};
use self::rows::RowKind;
use self::server::{Place, Server};
use self::told::Told;
use self::webhooks::WebhookRow;
use self::world::{Session, Sizes, World};
use crate::clock::now;

/// The flags of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Numbers of connections; every row is measured with each.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', default_value = "1,64",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: Vec<u32>,
    /// How long each measurement takes, in seconds, after a tenth of it as a warm-up.
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    duration: Duration,
    /// How often each row is measured; the medians are shown.
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Org units in the tenant.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(20..=9_999_999))]
    units: u32,
    /// Users in the tenant.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=9_999_999))]
    users: u32,
    /// Small tenants beside it.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=99_999))]
    tenants: u32,
    /// Contacts of the large contact group, and of the file that is imported.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=9_999_999))]
    contacts: u32,
    /// Members of each of two user groups, rounded up to thousands.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=4_999_999))]
    members: u32,
    /// Deliveries of the backlog that is drained.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..=99_999_999))]
    backlog: u32,
    /// Recipients of the bulk that is expanded.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..=9_999_999))]
    recipients: u32,
    /// A store of a thousand units, users, contacts and members beside ten tenants: for a quick look.
    #[arg(long, conflicts_with_all = ["units", "users", "tenants", "contacts", "members"])]
    small: bool,
    /// Measure on this PostgreSQL, in a schema that is made for the run, beside what `pgbench` reaches there.
    #[arg(long, value_name = "postgres://…", conflicts_with = "keep")]
    database: Option<String>,
    /// Keep the store in this folder; a next run with the same sizes finds it there.
    #[arg(long, value_name = "FOLDER", conflicts_with = "dir")]
    keep: Option<PathBuf>,
    /// Only these rows and commands. [default: all]
    #[arg(long, value_name = "ROWS", value_delimiter = ',', value_enum)]
    only: Option<Vec<Part>>,
    /// Where the temporary data folder is made: on a real disk, since syncs are measured. [default: the
    /// target folder of cargo]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Measure this binary instead of building one: to compare two builds.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// The server's log filter. Without it the server logs as it does by default; the log goes to a
    /// file.
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    // What is signed for a measurement is good for 15 minutes.
    let wrong = || "must be a number of seconds, from 0.1 to 600".to_owned();
    let number: f64 = text.parse().map_err(|_| wrong())?;
    if (0.1..=600.0).contains(&number) { Ok(Duration::from_secs_f64(number)) } else { Err(wrong()) }
}

pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let binary = match &args.binary {
        Some(binary) => fs::canonicalize(binary).with_context(|| binary.display().to_string())?,
        None => server::build()?,
    };
    let temporary = match &args.keep {
        Some(_) => None,
        None => Some(temporary_folder(args)?),
    };
    let folder = match (&args.keep, &temporary) {
        (Some(folder), _) => {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            fs::canonicalize(folder)?
        }
        (None, Some(folder)) => folder.path().to_owned(),
        (None, None) => bail!("there is no folder for the store"),
    };

    let machine = machine::look(&folder)?;
    let schema = args.schema("")?;
    let place = place(&binary, &folder, schema.as_ref());
    let world = World::prepare(&place, args.sizes()?)?;
    let commands = if args.wants(Part::Commands) { args.commands(&place)? } else { Vec::new() };
    let webhooks = args.webhooks(&place)?;
    let messages = args.messages(&place)?;
    if let Some(schema) = &schema {
        database::prepare(&schema.url())?;
    }
    let session = world.begin(&place)?;
    let mut server = Server::start(&place, args.log.as_deref())?;
    eprintln!("the server is process {}, ready after {:?}", server.pid(), server.ready_after);
    // One thread: the server needs the other cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = runtime.block_on(measure(args, &place, &server, &world, session));
    drop(runtime);
    let measured = measured.map_err(|error| match server.complaints() {
        complaints if complaints.is_empty() => error,
        complaints => error.context(format!("the server had complained:\n{complaints}")),
    })?;
    server.stop()?;
    if args.keep.is_some() && args.wants(Part::Row(RowKind::ContactBatch)) {
        world::tidy_up(&place)?;
    }

    let report = Report {
        machine,
        binary: args.binary.as_ref().map(|_| binary.display().to_string()),
        log: args.log.clone(),
        is_database: args.database.is_some(),
        sizes: world.sizes,
        rounds: args.rounds,
        duration: args.duration,
        ready_after: server.ready_after,
        measured,
        commands,
        webhooks,
        messages,
    };
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    temporary.map_or(Ok(()), TempDir::close).context("the temporary folder")
}

impl BenchArgs {
    fn sizes(&self) -> anyhow::Result<Sizes> {
        let [units, users, tenants, contacts, members] = if self.small {
            [1000, 1000, 10, 1000, 1000]
        } else {
            [self.units, self.users, self.tenants, self.contacts, self.members]
        };
        Ok(Sizes {
            units: usize::try_from(units)?,
            users: usize::try_from(users)?,
            tenants: usize::try_from(tenants)?,
            contacts: usize::try_from(contacts)?,
            members: usize::try_from(members)?.next_multiple_of(user_groups::STEP),
        })
    }

    /// A schema of the database that is measured, if one is; `what` tells several apart.
    fn schema(&self, what: &str) -> anyhow::Result<Option<Schema>> {
        let name = format!("muster_bench_{}{what}", std::process::id());
        self.database.as_deref().map(|url| Schema::create(url, &name)).transpose()
    }

    /// Measures the commands on a store of their own.
    fn commands(&self, beside: &Place) -> anyhow::Result<Vec<commands::Ran>> {
        let folder = TempDir::with_prefix_in("commands-", &beside.folder)?;
        let schema = self.schema("_commands")?;
        let place = place(&beside.binary, folder.path(), schema.as_ref());
        commands::measure(&place, self.sizes()?.contacts)
    }

    /// Measures webhooks on a store of their own.
    fn webhooks(&self, beside: &Place) -> anyhow::Result<Vec<Told>> {
        let wanted: Vec<_> =
            WebhookRow::ALL.into_iter().filter(|row| self.wants(Part::Webhooks(*row))).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let folder = TempDir::with_prefix_in("webhooks-", &beside.folder)?;
        let schema = self.schema("_webhooks")?;
        let place = place(&beside.binary, folder.path(), schema.as_ref());
        webhooks::measure(&place, &wanted, self)
    }

    /// Measures messages, each row on a store of its own.
    fn messages(&self, beside: &Place) -> anyhow::Result<Vec<Told>> {
        let mut told = Vec::new();
        for row in MessageRow::ALL.into_iter().filter(|row| self.wants(Part::Messages(*row))) {
            let folder = TempDir::with_prefix_in("messages-", &beside.folder)?;
            let schema = self.schema("_messages")?;
            let place = place(&beside.binary, folder.path(), schema.as_ref());
            told.extend(row.measure(&place, self)?);
        }
        Ok(told)
    }

    fn wants(&self, part: Part) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&part))
    }
}

fn place(binary: &Path, folder: &Path, schema: Option<&Schema>) -> Place {
    let (binary, folder) = (binary.to_owned(), folder.to_owned());
    match schema {
        Some(schema) => Place { binary, folder, database: schema.url() },
        None => Place::embedded(binary, folder),
    }
}

fn temporary_folder(args: &BenchArgs) -> anyhow::Result<TempDir> {
    // This program is target/debug/xtask.
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(2).context("this program is in no target folder")?;
    let parent = args.dir.as_deref().unwrap_or(target);
    fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    TempDir::with_prefix_in("bench-", parent).with_context(|| parent.display().to_string())
}

async fn measure(
    args: &BenchArgs,
    place: &Place,
    server: &Server,
    world: &World,
    session: Session,
) -> anyhow::Result<Measured> {
    let at_start = server::memory(server.pid())?;
    let target = Target { address: server.address, process: server.pid() };

    let mut lines: Vec<Line> = Vec::new();
    let wanted =
        |kind: &RowKind| args.wants(Part::Row(*kind)) && (args.database.is_some() || kind.script().is_none());
    for kind in RowKind::ALL.into_iter().filter(wanted) {
        lines.extend(kind.connections(&args.connections).into_iter().map(|connections| Line {
            kind,
            title: kind.title(world),
            connections,
            items: kind.items(world),
            samples: Vec::new(),
        }));
    }
    // First what has a level of memory: later it would use what others have left to the allocator.
    let mut order: Vec<&mut Line> = lines.iter_mut().collect();
    order.sort_by_key(|line| line.kind != RowKind::CsvExport);
    let (begin, others_before) = (now(), cpu_time_of_others(server)?);
    for round in 1..=args.rounds {
        for line in &mut order {
            let sample = if let Some(script) = line.kind.script() {
                database::measure(&place.database, script, line.connections, args.duration)
            } else {
                let load = line.kind.load(world, &session);
                load::measure(&target, &load, line.connections, args.duration).await
            };
            let sample =
                sample.with_context(|| format!("{}, {} connections", line.title, line.connections))?;
            line.samples.push(sample);
            eprintln!(
                "round {round} of {}: {}, {} connections: {:.1} requests/s, the server at {} MiB of its own",
                args.rounds,
                line.title,
                line.connections,
                sample.per_second,
                sample.memory / 1024
            );
        }
    }
    let cpus = f64::from(u32::try_from(available_parallelism()?.get())?);
    let others = cpu_time_of_others(server)?.saturating_sub(others_before);
    let others = others.as_secs_f64() / (begin.elapsed().as_secs_f64() * cpus);
    let at_end = server::memory(server.pid())?;
    session.end(server).await?;
    let most_memory = lines.iter().flat_map(|line| &line.samples).map(|sample| sample.memory).max();
    Ok(Measured { lines, memory: [at_start, at_end], most_memory: most_memory.unwrap_or(0), others })
}

/// The CPU time that neither the server nor this program has used.
fn cpu_time_of_others(server: &Server) -> anyhow::Result<Duration> {
    let ours = server::cpu_time(server.pid())? + server::cpu_time(std::process::id())?;
    Ok(machine::busy()?.saturating_sub(ours))
}
