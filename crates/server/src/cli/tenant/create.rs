//! `muster tenant create`.

use std::io::Read as _;

use anyhow::Context as _;
use clap::Args;
use clap::builder::BoolishValueParser;
use muster_domain::credential::NewCredential;
use muster_domain::tenant::{self, NewTenant, Tenant, TenantCredentials};
use muster_domain::user::{UserPatch, password};
use muster_domain::{Dialect, Error, FieldErrors, text};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::cli::StoreArgs;
use crate::cli::explain::explain;
use crate::cli::output::{line, name};
use crate::system::{SystemEntropy, generate_password};

#[derive(Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The name of the organisation, and of the top of its tree.
    #[arg(long, env = "MUSTER_NAME")]
    name: String,
    /// The first admin's email address, with which it logs in.
    #[arg(long, env = "MUSTER_ADMIN_EMAIL", value_name = "EMAIL")]
    admin_email: String,
    /// The first admin's password, at least 12 characters. Others on this machine can see it while the
    /// command runs. Without it one is generated and shown.
    #[arg(
        long,
        env = "MUSTER_ADMIN_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD",
        conflicts_with = "admin_password_stdin"
    )]
    admin_password: Option<String>,
    /// Read the first admin's password from standard input.
    #[arg(long, env = "MUSTER_ADMIN_PASSWORD_STDIN", value_parser = BoolishValueParser::new())]
    admin_password_stdin: bool,
    /// The country by which national phone numbers are read (ISO 3166-1, two letters).
    #[arg(long, env = "MUSTER_COUNTRY", default_value = "US")]
    country: String,
    /// The time zone of the top org unit (IANA name).
    #[arg(long, env = "MUSTER_TIMEZONE", default_value = "UTC")]
    timezone: String,
    /// Print one JSON object.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

pub(super) async fn run(args: CreateArgs) -> anyhow::Result<()> {
    let (password, generated) = match (&args.admin_password, args.admin_password_stdin) {
        (Some(password), _) => (password.clone(), false),
        (None, true) => (password_from_stdin()?, false),
        (None, false) => (generate_password(&SystemEntropy), true),
    };
    let new = new_tenant(&args, &password).map_err(explain)?;
    let (directory, key) = args.store.new_directory().await?;
    let made = directory.tenant_create(&key, new).await.map_err(explain)?;
    directory.store.close().await;
    let shown = generated.then_some(password);
    if args.json { line(as_json(&made, shown)) } else { line(as_text(&made, shown)) }
}

/// A password on standard input, without the end of its line.
pub(crate) fn password_from_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("the password on standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn new_tenant(args: &CreateArgs, password: &str) -> Result<NewTenant, Error> {
    let mut errors = FieldErrors::default();
    let name = errors.take("name", text::required(&args.name, 255));
    let login = errors.take("admin_email", text::email(&args.admin_email));
    let password = errors.take("admin_password", password::check(password));
    let country = errors.take("country", tenant::country(&args.country));
    let timezone = errors.take("timezone", text::time_zone(&args.timezone));
    let new = || {
        Some(NewTenant {
            name: name?,
            country: country?,
            timezone: timezone?,
            admin: UserPatch {
                login: Some(login?),
                first_name: Some("Admin".to_owned()),
                last_name: Some("User".to_owned()),
                password: Some(password?),
                ..UserPatch::default()
            },
        })
    };
    errors.complete(new())
}

/// What a client of the credential's dialect has to be given.
pub(crate) fn credential_json(tenant: &Tenant, new: &NewCredential) -> Value {
    let credential = &new.credential;
    let secret = new.secret.expose_secret();
    match credential.dialect {
        Dialect::Lox24 => {
            let client_id = credential.public_id.as_deref().unwrap_or_default();
            json!({
                "client_id": client_id.parse::<i64>().ok(),
                "key_id": credential.id.0,
                "key": secret,
                "token": format!("{client_id}:{secret}"),
            })
        }
        Dialect::Onlive => json!({
            "organization_id": tenant.organization_id,
            "access_key_id": credential.public_id,
            "secret_access_key": secret,
        }),
        Dialect::Scim | Dialect::Convirza | Dialect::Cli => json!({ "token": secret }),
    }
}

fn as_json(made: &TenantCredentials, password: Option<String>) -> Value {
    let mut object = json!({
        "tenant_id": made.tenant.id.0,
        "name": made.tenant.name,
        "convirza": {
            "email": made.admin.login,
            "user_id": made.admin.id.0,
            "org_unit_id": made.tenant.top_org_unit_id.0,
        },
        "lox24": credential_json(&made.tenant, &made.lox24),
        "onlive": credential_json(&made.tenant, &made.onlive),
        "scim": credential_json(&made.tenant, &made.scim),
    });
    if let Some(password) = password {
        object["convirza"]["password"] = password.into();
    }
    object
}

fn as_text(made: &TenantCredentials, password: Option<String>) -> String {
    let client_id = made.lox24.credential.public_id.as_deref().unwrap_or_default();
    let password = match password {
        Some(password) => format!("password {password} (generated)"),
        None => "the password that was given".to_owned(),
    };
    format!(
        "Tenant {id}, {name}\n\
         The secrets below are not shown again.\n\
         \n  Convirza  log in as {email}, {password}; user {user}, org unit {unit}\
         \n  LOX24     client id {client_id}, key {key}\
         \n  Onlive    organization {organization}, access key {access_key}, secret {secret}\
         \n  SCIM      bearer token {scim}",
        id = made.tenant.id,
        name = name(&made.tenant.name),
        email = made.admin.login,
        user = made.admin.id,
        unit = made.tenant.top_org_unit_id,
        key = made.lox24.secret.expose_secret(),
        organization = made.tenant.organization_id,
        access_key = made.onlive.credential.public_id.as_deref().unwrap_or_default(),
        secret = made.onlive.secret.expose_secret(),
        scim = made.scim.secret.expose_secret(),
    )
}
