//! `muster user`.

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};

use super::StoreArgs;
use super::explain::explain;
use super::tenant::password_from_stdin;
use crate::system::{SystemEntropy, generate_password};

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Give a user a new password and end all of its sessions. Without `--password-stdin` a password is
    /// generated and shown this once.
    SetPassword(SetPasswordArgs),
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

pub(crate) async fn run(command: UserCommand) -> anyhow::Result<()> {
    let UserCommand::SetPassword(args) = command;
    let password =
        if args.password_stdin { password_from_stdin()? } else { generate_password(&SystemEntropy) };
    let (directory, _) = args.store.directory()?;
    let user = directory.password_set(&args.email, &password).await.map_err(explain)?;
    directory.store.close().await;
    #[expect(clippy::print_stdout, reason = "this is the command's answer")]
    if args.password_stdin {
        println!("The password of {} is changed; its sessions are ended.", user.login);
    } else {
        println!(
            "The new password of {} is {password} (not shown again); its sessions are ended.",
            user.login
        );
    }
    Ok(())
}
