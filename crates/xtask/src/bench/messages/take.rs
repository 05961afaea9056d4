//! Single messages, beside the bare route.

use super::super::BenchArgs;
use super::super::caller::Caller;
use super::super::load::{self, Load, Proof, Sample, Target};
use super::super::report::median;
use super::super::server::{Place, Server};
use super::super::template::Template;
use super::super::told::Told;
use super::world::World;

/// What is measured with each number of connections, in this order.
const TITLES: [&str; 3] = [
    "bare route, `GET /healthz`",
    "durable message, `POST /sms`, handed over by nobody",
    "durable message, `POST /sms`, handed over to a sandbox meanwhile",
];

/// Messages stay in the store from round to round, as they would.
pub(super) async fn measure(place: &Place, args: &BenchArgs) -> anyhow::Result<Vec<Told>> {
    let world = World::prepare(place, 1).await?;
    let mut found: Vec<[Vec<Sample>; 3]> =
        args.connections.iter().map(|_| [const { Vec::new() }; 3]).collect();
    for round in 1..=args.rounds {
        for (connections, found) in args.connections.iter().zip(&mut found) {
            // What is handed over goes first: nothing waits at its begin.
            let mut server = world.serve("[carriers.play]\nkind = \"sandbox\"\ndelay_ms = 100\n")?;
            found[2].push(sample(&server, &post(&world, ""), *connections, args).await?);
            server.stop()?;
            let mut server = world.take_only()?;
            found[0].push(
                sample(&server, &load(Template::get("/healthz", &Caller::Nobody)), *connections, args)
                    .await?,
            );
            // In 2100, or the next server would have to hand it over.
            found[1].push(
                sample(&server, &post(&world, r#","delivery_at":4102444800"#), *connections, args).await?,
            );
            server.stop()?;
            for (title, samples) in TITLES.iter().zip(found) {
                if let Some(sample) = samples.last() {
                    eprintln!(
                        "round {round}: {title}, {connections} connections: {:.0} a second",
                        sample.per_second
                    );
                }
            }
        }
    }
    let mut told = Vec::new();
    for (connections, found) in args.connections.iter().zip(&found) {
        let bare = of(&found[0], |sample| sample.per_second);
        for (title, samples) in TITLES.iter().zip(found) {
            let per_second = of(samples, |sample| sample.per_second);
            told.push(Told {
                title: format!("{title}, {connections} connections"),
                per_second: Some(per_second),
                p50: Some(of(samples, |sample| sample.p50)),
                p99: Some(of(samples, |sample| sample.p99)),
                cpu: Some(of(samples, |sample| sample.server_cpu)),
                level: format!("{:.2} of the bare route", per_second / bare),
                ..Told::default()
            });
        }
    }
    Ok(told)
}

async fn sample(server: &Server, load: &Load, connections: u32, args: &BenchArgs) -> anyhow::Result<Sample> {
    let target = Target { address: server.address, process: server.pid() };
    load::measure(&target, load, connections, args.duration).await
}

fn post(world: &World<'_>, more: &str) -> Load {
    let body = format!(
        r#"{{"sender_id":"Muster","text":"Your code is {{counter8}}.","phone":"+4915{{counter8}}0"{more}}}"#
    );
    load(Template::write("POST", "/sms", &world.program, &body))
}

fn load(template: Template) -> Load {
    Load {
        templates: [template].into(),
        ids: [0].into(),
        proof: Proof::Nothing,
        is_long: false,
        alternates: false,
    }
}

fn of(samples: &[Sample], of: fn(&Sample) -> f64) -> f64 {
    median(samples.iter().map(of).collect())
}
