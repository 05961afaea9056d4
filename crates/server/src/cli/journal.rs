//! `muster journal`: who changed what, and when.

use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use muster_domain::tenant::TenantStore as _;
use muster_domain::{
    Actor, CredentialId, Directory, Entity, JournalFilter, JournalRecord, Store as _, TenantId, UserId,
};
use muster_store::Store;
use serde_json::{Value, json};

use super::StoreArgs;
use super::output::line;
use super::tenant::find;
use super::when::When;

/// Entries that are read at once.
const PAGE: u32 = 1000;
/// How often new entries are looked for.
const PAUSE: Duration = Duration::from_millis(500);

/// Show who changed what.
#[derive(Args)]
pub(crate) struct JournalArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    #[arg(long, env = "MUSTER_TENANT")]
    tenant: String,
    /// Only what was changed of this: `org_unit:1002`, or of all of a kind: `user`.
    #[arg(long, env = "MUSTER_ENTITY", value_name = "KIND[:ID]", value_parser = entity)]
    entity: Option<Of>,
    /// Only what was changed by this one: `user:71`, `credential:3` or `operator`.
    #[arg(long, env = "MUSTER_ACTOR", value_parser = actor)]
    actor: Option<Actor>,
    /// Not before this time: 2026-01-31T12:00:00Z, a date, or so long ago: 7d, 12h, 30m.
    #[arg(long, env = "MUSTER_SINCE", value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// Before this time.
    #[arg(long, env = "MUSTER_UNTIL", value_name = "TIME", value_parser = When::parse)]
    until: Option<When>,
    /// The newest so many entries; 0 for all.
    #[arg(long, env = "MUSTER_LIMIT", value_name = "NUMBER", default_value_t = 100)]
    limit: u32,
    /// Go on with what is changed from now on.
    #[arg(long, env = "MUSTER_FOLLOW", value_parser = BoolishValueParser::new())]
    follow: bool,
    /// Print one JSON object a line.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

/// What entries are about: of a kind, or one of it.
#[derive(Clone)]
struct Of {
    kind: Entity,
    id: Option<String>,
}

fn entity(text: &str) -> Result<Of, String> {
    let (word, id) = match text.split_once(':') {
        Some((word, id)) => (word, Some(id.to_owned())),
        None => (text, None),
    };
    let kind = Entity::ALL.into_iter().find(|kind| kind.as_str() == word);
    kind.map(|kind| Of { kind, id }).ok_or_else(|| {
        format!("must be one of {}, or such a one: user:71", Entity::ALL.map(Entity::as_str).join(", "))
    })
}

fn actor(text: &str) -> Result<Actor, String> {
    let parsed = match text.split_once(':') {
        None if text == "operator" => Some(Actor::Operator),
        Some(("user", id)) => id.parse().ok().map(|id| Actor::User(UserId(id))),
        Some(("credential", id)) => id.parse().ok().map(|id| Actor::Credential(CredentialId(id))),
        _ => None,
    };
    parsed.ok_or_else(|| "must be user:ID, credential:ID or operator".to_owned())
}

pub(crate) async fn run(args: JournalArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?.id;
    let filter = args.filter(&directory);
    let mut last = if args.limit == 0 {
        print_after(&directory, tenant, &filter, 0, args.json).await?
    } else {
        let head = head(&directory, tenant).await?;
        let mut newest = directory.store.journal_newest(tenant, filter.clone(), args.limit).await?;
        newest.reverse();
        print(&newest, args.json)?;
        newest.last().map_or(head, |entry| entry.sequence.max(head))
    };
    if args.follow {
        // Until the reader has had enough, or the process is ended.
        loop {
            tokio::time::sleep(PAUSE).await;
            last = print_after(&directory, tenant, &filter, last, args.json).await?;
        }
    }
    directory.store.close().await;
    Ok(())
}

impl JournalArgs {
    fn filter(&self, directory: &Directory<Store>) -> JournalFilter {
        let now = directory.now();
        JournalFilter {
            entity: self.entity.as_ref().map(|of| of.kind.as_str().to_owned()),
            entity_id: self.entity.as_ref().and_then(|of| of.id.clone()),
            actor: self.actor,
            since: self.since.map(|when| when.before(now)),
            until: self.until.map(|when| when.before(now)),
        }
    }
}

/// The sequence of the newest entry that there is; 0 without any.
async fn head(directory: &Directory<Store>, tenant: TenantId) -> anyhow::Result<i64> {
    let counts = directory.store.tenant_counts(tenant).await?.unwrap_or_default();
    Ok(i64::try_from(counts.journal)?)
}

/// Prints all entries after `last` that are wanted. The sequence of the last one that was looked at: what is not
/// wanted is not read again and again.
async fn print_after(
    directory: &Directory<Store>,
    tenant: TenantId,
    filter: &JournalFilter,
    mut last: i64,
    json: bool,
) -> anyhow::Result<i64> {
    // Before the entries: what is written meanwhile is left for the next time.
    let head = head(directory, tenant).await?;
    loop {
        let page = directory.store.journal(tenant, last, filter.clone(), PAGE).await?;
        let Some(end) = page.last() else {
            return Ok(last.max(head));
        };
        last = end.sequence;
        print(&page, json)?;
    }
}

fn print(entries: &[JournalRecord], json: bool) -> anyhow::Result<()> {
    entries.iter().try_for_each(|entry| line(if json { object(entry).to_string() } else { text(entry) }))
}

fn object(entry: &JournalRecord) -> Value {
    json!({
        "sequence": entry.sequence,
        "at": entry.at.millis().to_string(),
        "actor": entry.actor.to_string(),
        "dialect": entry.dialect.as_str(),
        "kind": entry.kind,
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "version": entry.version,
        "org_unit_id": entry.org_unit_id.map(|unit| unit.0),
        "changes": entry.payload,
    })
}

/// One line; what was changed stands at its end.
fn text(entry: &JournalRecord) -> String {
    let mut line = format!(
        "{} #{} {} {} by {} ({})",
        entry.at.millis(),
        entry.sequence,
        entry.kind,
        entry.entity_id,
        entry.actor,
        entry.dialect.as_str()
    );
    for (field, change) in entry.payload.as_object().into_iter().flatten() {
        let (before, after) = (&change[0], &change[1]);
        // What is new has no before.
        let change = if change.is_object() {
            // Work on many is told in numbers.
            format!(" {field}={change}")
        } else if before.is_null() {
            format!(" {field}={after}")
        } else {
            format!(" {field}={before}→{after}")
        };
        line.push_str(&change);
    }
    line
}
