//! `muster credential`.

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueEnum};
use muster_domain::credential::{Credential, CredentialWish, MAX_NAME, Profile};
use muster_domain::{CredentialId, Dialect, Error, Timestamp, text};
use serde_json::{Value, json};

use super::StoreArgs;
use super::explain::explain;
use super::output::{line, name};
use super::tenant::{credential_json, find};
use super::when::When;

#[derive(Subcommand)]
pub(crate) enum CredentialCommand {
    /// Create a credential for a program. Its secret is shown this once.
    Create(CreateArgs),
    /// List the credentials of a tenant, without their secrets.
    List(ListArgs),
    /// Revoke a credential: it gets nobody in any more.
    Revoke(RevokeArgs),
}

/// The dialects whose programs have credentials.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Of {
    Lox24,
    Onlive,
    Scim,
}

/// Whose habits a SCIM client has.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Habits {
    Rfc,
    Entra,
}

#[derive(Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    #[arg(long, env = "MUSTER_TENANT")]
    tenant: String,
    /// For which dialect.
    #[arg(long, env = "MUSTER_DIALECT")]
    dialect: Of,
    /// By which you will know it again.
    #[arg(long, env = "MUSTER_NAME")]
    name: String,
    /// Until when it works: a time such as 2027-01-31T12:00:00Z, a date, or 90d from now. [default: for ever]
    #[arg(long, env = "MUSTER_EXPIRES", value_name = "TIME", value_parser = When::parse)]
    expires: Option<When>,
    /// Whose habits the program has: `entra` for Entra ID. Only SCIM knows such.
    #[arg(long, env = "MUSTER_PROFILE", default_value = "rfc")]
    profile: Habits,
    /// It may read but not write.
    #[arg(long, env = "MUSTER_READ_ONLY", value_parser = BoolishValueParser::new())]
    read_only: bool,
    /// Print one JSON object.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    #[arg(long, env = "MUSTER_TENANT")]
    tenant: String,
    /// Print one JSON object a line.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

#[derive(Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    #[arg(long, env = "MUSTER_TENANT")]
    tenant: String,
    /// The id of the credential, as `muster credential list` shows it.
    id: i64,
}

pub(crate) async fn run(command: CredentialCommand) -> anyhow::Result<()> {
    match command {
        CredentialCommand::Create(args) => create(args).await,
        CredentialCommand::List(args) => list(args).await,
        CredentialCommand::Revoke(args) => revoke(args).await,
    }
}

async fn create(args: CreateArgs) -> anyhow::Result<()> {
    let name =
        text::required(&args.name, MAX_NAME).map_err(|problem| explain(Error::field("name", problem)))?;
    let (directory, key) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    let ctx = directory.tenant_operator(tenant.id).await.map_err(explain)?;
    let wish = CredentialWish {
        dialect: match args.dialect {
            Of::Lox24 => Dialect::Lox24,
            Of::Onlive => Dialect::Onlive,
            Of::Scim => Dialect::Scim,
        },
        name,
        read_only: args.read_only,
        profile: match args.profile {
            Habits::Rfc => Profile::Rfc,
            Habits::Entra => Profile::Entra,
        },
        expires_at: args.expires.map(|when| when.after(ctx.now())),
    };
    let new = directory.credential_create(&ctx, &key, wish).await.map_err(explain)?;
    directory.store.close().await;
    let secrets = credential_json(&tenant, &new);
    if args.json {
        let mut object = object(&new.credential, ctx.now());
        object["client"] = secrets;
        return line(object);
    }
    line(format!("{}\nThe secret below is not shown again.\n", row(&new.credential, ctx.now())))?;
    for (name, value) in secrets.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        line(format!("  {:<18} {value}", name.replace('_', " ")))?;
    }
    Ok(())
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    let ctx = directory.tenant_operator(tenant.id).await.map_err(explain)?;
    for credential in directory.credential_list(&ctx).await.map_err(explain)? {
        let now = ctx.now();
        line(if args.json { object(&credential, now).to_string() } else { row(&credential, now) })?;
    }
    directory.store.close().await;
    Ok(())
}

async fn revoke(args: RevokeArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    let ctx = directory.tenant_operator(tenant.id).await.map_err(explain)?;
    let revoked = directory.credential_revoke(&ctx, CredentialId(args.id)).await.map_err(explain)?;
    directory.store.close().await;
    line(row(&revoked, ctx.now()))
}

fn state(credential: &Credential, now: Timestamp) -> String {
    match (credential.revoked_at, credential.expires_at) {
        (Some(at), _) => format!("revoked {}", at.millis()),
        (None, Some(at)) if at <= now => format!("expired {}", at.millis()),
        (None, Some(at)) => format!("until {}", at.millis()),
        (None, None) => "active".to_owned(),
    }
}

fn row(credential: &Credential, now: Timestamp) -> String {
    format!(
        "{:>6}  {:<7}  {:<10}  {:<34}  {:<29}  {}",
        credential.id,
        credential.dialect.as_str(),
        if credential.read_only { "read-only" } else { "read-write" },
        state(credential, now),
        credential.last_used_at.map_or("never used".to_owned(), |at| format!("used {}", at.millis())),
        name(&credential.name)
    )
}

fn object(credential: &Credential, now: Timestamp) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.millis().to_string());
    json!({
        "id": credential.id.0,
        "dialect": credential.dialect.as_str(),
        "name": credential.name,
        "public_id": credential.public_id,
        "read_only": credential.read_only,
        "profile": credential.profile.as_str(),
        "active": credential.is_active(now),
        "created_at": credential.created_at.millis().to_string(),
        "expires_at": time(credential.expires_at),
        "revoked_at": time(credential.revoked_at),
        "last_used_at": time(credential.last_used_at),
    })
}
