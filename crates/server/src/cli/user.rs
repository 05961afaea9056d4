//! `muster user`.

use anyhow::anyhow;
use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use muster_domain::{Entity, Error, UserId};

use super::StoreArgs;
use super::explain::explain;
use super::output::{confirm, line};
use super::tenant::{find, password_from_stdin};
use crate::system::{SystemEntropy, generate_password};

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Give a user a new password and end all of its sessions. Without `--password-stdin` a password is
    /// generated and shown this once.
    SetPassword(SetPasswordArgs),
    /// Delete a user for good, as data protection may ask for: of the person nothing stays, neither in the directory
    /// nor in its journal. It asks for the id once more first.
    Erase(EraseArgs),
}

#[derive(Args)]
pub(crate) struct SetPasswordArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The email address with which the user logs in.
    #[arg(long, env = "MUSTER_EMAIL")]
    email: String,
    /// Read the new password, at least 12 characters, from standard input.
    #[arg(long, env = "MUSTER_PASSWORD_STDIN", value_parser = BoolishValueParser::new())]
    password_stdin: bool,
}

#[derive(Args)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    #[arg(long, env = "MUSTER_TENANT")]
    tenant: String,
    /// The id of the user, who may have been deleted before.
    id: i64,
    /// The id once more, to be asked nothing.
    #[arg(long, env = "MUSTER_CONFIRM", value_name = "ID")]
    confirm: Option<String>,
}

pub(crate) async fn run(command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::SetPassword(args) => set_password(args).await,
        UserCommand::Erase(args) => erase(args).await,
    }
}

async fn set_password(args: SetPasswordArgs) -> anyhow::Result<()> {
    let password =
        if args.password_stdin { password_from_stdin()? } else { generate_password(&SystemEntropy) };
    let (directory, _) = args.store.directory().await?;
    let user = directory.password_set(&args.email, &password).await.map_err(|error| match error {
        Error::NotFound(Entity::User) => anyhow!("nobody logs in with this address"),
        other => explain(other),
    })?;
    directory.store.close().await;
    line(if args.password_stdin {
        format!("The password of {} is changed; its sessions are ended.", user.login)
    } else {
        format!("The new password of {} is {password} (not shown again); its sessions are ended.", user.login)
    })
}

async fn erase(args: EraseArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    let ctx = directory.tenant_operator(tenant.id).await.map_err(explain)?;
    let found = directory.user_get(&ctx, UserId(args.id)).await.map_err(explain)?;
    let warning = format!(
        "User {}, {} {} ({}), will be erased, in the journal too. There is no way back.",
        args.id, found.user.first_name, found.user.last_name, found.user.login
    );
    confirm(&warning, &args.id.to_string(), args.confirm.as_deref())?;
    directory.user_erase(&ctx, found, None).await.map_err(explain)?;
    directory.store.close().await;
    line(format!("User {} is erased.", args.id))
}
