//! `muster sandbox`: plays the phone.

use anyhow::{Context as _, bail};
use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use muster_carrier::Router;
use muster_domain::TenantId;
use muster_domain::message::Arrival;
use muster_sender::tenant_of;
use serde_json::json;

use super::StoreArgs;
use super::carriers::CarrierArgs;
use super::explain::explain;
use super::output::line;
use super::tenant::find;

/// Who is said to have brought the message.
const CARRIER: &str = "sandbox";
/// The longest text and the longest number that are taken, in bytes.
const LONGEST_TEXT: usize = 10_000;
const LONGEST_NUMBER: usize = 40;

#[derive(Subcommand)]
pub(crate) enum SandboxCommand {
    /// Take a message as if a phone had sent it. It works while a server is running on the same store: who answers, with
    /// START and STOP and all, is the same as with a carrier.
    Inbound(InboundArgs),
}

#[derive(Args)]
pub(crate) struct InboundArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    carriers: CarrierArgs,
    /// The tenant's id, or its name. [default: who has the number in the carriers file; else who has sent to the phone from it
    /// last]
    #[arg(long, env = "MUSTER_TENANT")]
    tenant: Option<String>,
    /// The phone's number, such as +4915112345678.
    #[arg(long, env = "MUSTER_FROM", value_name = "NUMBER", allow_hyphen_values = true)]
    from: String,
    /// The number of ours that it sends to.
    #[arg(long, env = "MUSTER_TO", value_name = "NUMBER", allow_hyphen_values = true)]
    to: String,
    /// What it sends.
    #[arg(long, env = "MUSTER_TEXT", allow_hyphen_values = true)]
    text: String,
    /// Print a JSON object.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

pub(crate) async fn run(command: SandboxCommand) -> anyhow::Result<()> {
    match command {
        SandboxCommand::Inbound(args) => inbound(args).await,
    }
}

async fn inbound(args: InboundArgs) -> anyhow::Result<()> {
    for (flag, value) in [("--from", &args.from), ("--to", &args.to)] {
        if value.trim().is_empty() || value.len() > LONGEST_NUMBER {
            bail!("{flag} must have 1 to {LONGEST_NUMBER} characters");
        }
    }
    if args.text.len() > LONGEST_TEXT {
        bail!("--text must have at most {LONGEST_TEXT} bytes");
    }
    let router = Router::new(&args.carriers.config()?.routing);
    let (directory, _) = args.store.directory().await?;
    let arrival = Arrival {
        carrier: CARRIER.to_owned(),
        carrier_id: None,
        from: args.from,
        to: args.to,
        text: args.text,
        received_at: directory.now(),
    };
    let tenant: TenantId = match &args.tenant {
        Some(meant) => find(&directory, meant).await?.id,
        None => tenant_of(&directory, &router, &arrival)
            .await
            .map_err(explain)?
            .context("it is not known whose number --to is: say so with --tenant, or in the carriers file")?,
    };
    let incoming = directory.incoming_receive(tenant, arrival).await.map_err(explain)?;
    directory.store.close().await;
    let answers = incoming.answers.map(|id| id.to_string());
    line(if args.json {
        json!({"uuid": incoming.id.to_string(), "tenant_id": tenant.0, "answers": answers}).to_string()
    } else {
        format!("message {} of tenant {tenant}", incoming.id)
    })
}
