//! Messages: how fast they are taken, made of a bulk, and handed over. Each row has a store of its own, whose tenant pays
//! by a price table.

mod bulk;
mod smsc;
mod take;
mod world;

use anyhow::ensure;

use super::BenchArgs;
use super::report::{median, thousands, verdict};
use super::server::Place;
use super::told::Told;
use bulk::{Ran, Until};
use smsc::{NEEDS, Smsc};
use world::World;

/// A row of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum MessageRow {
    /// Single messages that are on the disk before they are answered, handed over meanwhile and not, beside the bare route.
    #[value(name = "sms")]
    Take,
    /// The messages of a great bulk are made; their carrier is not there.
    #[value(name = "bulk-expansion")]
    Expansion,
    /// A bulk is handed over to a sandbox.
    #[value(name = "sandbox")]
    Sandbox,
    /// A bulk is handed over to a message centre on this machine, by SMPP.
    #[value(name = "smpp")]
    Smpp,
}

/// Messages a second, at least.
const EXPANSION: f64 = 50_000.0;
const SANDBOX: f64 = 5000.0;
const SMPP: f64 = 2000.0;
/// Messages of a round that are handed over.
const TO_SANDBOX: usize = 50_000;
const TO_SMSC: usize = 20_000;
/// Messages that wait for an answer of the message centre.
const WINDOW: u32 = 100;

impl MessageRow {
    pub(super) const ALL: [Self; 4] = [Self::Take, Self::Expansion, Self::Sandbox, Self::Smpp];

    pub(super) fn measure(self, place: &Place, args: &BenchArgs) -> anyhow::Result<Vec<Told>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            match self {
                Self::Take => take::measure(place, args).await,
                Self::Expansion => expansion(place, usize::try_from(args.recipients)?).await,
                Self::Sandbox => sandbox(place, args).await,
                Self::Smpp => smpp(place, args).await,
            }
        })
    }
}

/// Their carrier cannot be reached: what is handed over would take its part of the machine. References are in an order that has
/// nothing to do with that of the numbers, as those of another system are: the index of them is written all over.
async fn expansion(place: &Place, recipients: usize) -> anyhow::Result<Vec<Told>> {
    let mut world = World::prepare(place, recipients).await?;
    let title = format!("expansion of a bulk of {} recipients", thousands(&recipients));
    let plain = expand(&world, title).await?;
    world.with_references().await?;
    let mut referenced =
        expand(&world, "the same again, each with a reference of their own".to_owned()).await?;
    referenced.level = String::new();
    Ok(vec![plain, referenced])
}

async fn expand(world: &World<'_>, title: String) -> anyhow::Result<Told> {
    let mut server = world.serve(
        "[carriers.away]\nkind = \"smpp\"\naddress = \"127.0.0.1:9\"\nsystem_id = \"muster\"\npassword = \"secret\"\n",
    )?;
    let (ran, _) = world.bulk(&server, Until::Expanded).await?;
    server.stop()?;
    eprintln!("{title}: {:.0} messages/s", ran.per_second);
    Ok(Told { memory: Some(ran.memory), ..told(title, EXPANSION, &[ran]) })
}

async fn sandbox(place: &Place, args: &BenchArgs) -> anyhow::Result<Vec<Told>> {
    let world = World::prepare(place, TO_SANDBOX).await?;
    let mut server = world.serve("[carriers.play]\nkind = \"sandbox\"\ndelay_ms = 100\n")?;
    let (mut sent, mut delivered) = (Vec::new(), Vec::new());
    for round in 1..=args.rounds {
        let (ran, bulk) = world.bulk(&server, Until::Sent).await?;
        let all = world.delivered(&server, &bulk, ran.begun).await?;
        eprintln!(
            "round {round}: to a sandbox {:.0} messages/s, delivered {all:.0} messages/s",
            ran.per_second
        );
        sent.push(ran);
        delivered.push(all);
    }
    server.stop()?;
    let title = format!("a bulk of {} to a sandbox, until all are sent", thousands(&TO_SANDBOX));
    Ok(vec![told(title, SANDBOX, &sent), receipts(delivered)])
}

async fn smpp(place: &Place, args: &BenchArgs) -> anyhow::Result<Vec<Told>> {
    let Some(mut smsc) = Smsc::start()? else {
        eprintln!("SMPP is left out: {NEEDS}");
        return Ok(Vec::new());
    };
    let world = World::prepare(place, TO_SMSC).await?;
    let mut server = world.serve(&format!(
        "[carriers.main]\nkind = \"smpp\"\naddress = \"127.0.0.1:{}\"\nsystem_id = \"muster\"\npassword = \"secret\"\n\
         window = {WINDOW}\n",
        smsc.port
    ))?;
    let (mut found, mut delivered, mut centre) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=args.rounds {
        let (accepted, cpu) = (smsc.accepted()?, smsc.cpu()?);
        let (ran, bulk) = world.bulk(&server, Until::Sent).await?;
        let accepted = smsc.accepted()? - accepted;
        ensure!(
            usize::try_from(accepted) == Ok(TO_SMSC),
            "the message centre has {accepted} messages, not {TO_SMSC}"
        );
        // The message centre sends no receipt again: one that was turned away would be waited for in vain.
        let all = world.delivered(&server, &bulk, ran.begun).await?;
        let cpu = smsc.cpu()?.saturating_sub(cpu).as_secs_f64() * 1e6;
        centre.push(cpu / f64::from(u32::try_from(TO_SMSC)?));
        eprintln!("round {round}: by SMPP {:.0} messages/s, delivered {all:.0} messages/s", ran.per_second);
        found.push(ran);
        delivered.push(all);
    }
    server.stop()?;
    let title = format!("a bulk of {} by SMPP, window {WINDOW}, until all are sent", thousands(&TO_SMSC));
    let mut told = told(title, SMPP, &found);
    told.level = format!("{}; the message centre took {:.0} µs of CPU each", told.level, median(centre));
    Ok(vec![told, receipts(delivered)])
}

/// The second row of a bulk.
fn receipts(delivered: Vec<f64>) -> Told {
    Told {
        title: "the same, until all are known to be delivered".to_owned(),
        per_second: Some(median(delivered)),
        ..Told::default()
    }
}

fn told(title: String, least: f64, found: &[Ran]) -> Told {
    let of = |of: fn(&Ran) -> f64| median(found.iter().map(of).collect());
    let per_second = of(|ran| ran.per_second);
    let level = format!("≥ {} messages/s: {}", thousands(&least), verdict(per_second >= least));
    Told { title, per_second: Some(per_second), cpu: Some(of(|ran| ran.cpu)), level, ..Told::default() }
}
