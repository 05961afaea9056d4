//! `muster serve`: from flags to a running server, and to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context as _;
use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum, value_parser};
use ipnet::IpNet;
use muster_api::{App, PasswordPool, Settings};
use muster_domain::session::SessionPolicy;
use muster_store::Limits;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::cli::carriers::CarrierArgs;
use crate::cli::webhook::WebhookArgs;
use crate::cli::{MediaArgs, StoreArgs, directory};
use crate::demo;
use crate::listener::{self, ConnectionLimits};
use crate::messages::Messages;
use crate::telemetry::LogArgs;
use crate::upkeep::{self, RetentionArgs};
use crate::webhooks::Sending;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// The flags of `muster serve`.
#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    media: MediaArgs,
    /// Where to listen.
    #[arg(long, env = "MUSTER_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Make the demo tenant if it is not there, and print how to use it to standard output.
    #[arg(long, env = "MUSTER_DEMO", value_parser = BoolishValueParser::new())]
    demo: bool,
    /// The address under which clients reach the server, as links show it. [default: that of --listen]
    #[arg(long, env = "MUSTER_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// A proxy, as an address or network (10.0.0.0/8), whose X-Forwarded-For is believed. Repeat it or
    /// separate several by commas.
    #[arg(long, env = "MUSTER_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    trusted_proxy: Vec<IpNet>,
    /// An origin from which browsers may call the Convirza dialect, such as <https://app.example.org>, or `*`. Repeat
    /// it or separate several by commas.
    #[arg(long, env = "MUSTER_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    cors_origin: Vec<String>,
    /// Whether log-ins and wrong keys are limited per address, and calls per Onlive access key. Off is for benchmarks and
    /// checkers.
    #[arg(long, env = "MUSTER_RATE_LIMITS", default_value = "on")]
    rate_limits: Switch,
    /// Log-ins that one address may try in a minute.
    #[arg(long, env = "MUSTER_LOGINS_PER_MINUTE", value_name = "NUMBER", default_value_t = 10, value_parser = value_parser!(u32).range(1..))]
    logins_per_minute: u32,
    /// Requests with wrong LOX24 keys that one address may send in a minute; one more blocks it.
    #[arg(long, env = "MUSTER_LOX24_WRONG_KEYS", value_name = "NUMBER", default_value_t = 3, value_parser = value_parser!(u32).range(1..=100))]
    lox24_wrong_keys: u32,
    /// How long such an address gets nothing but 429 from the LOX24 dialect, in minutes.
    #[arg(long, env = "MUSTER_LOX24_BLOCK_MINUTES", value_name = "MINUTES", default_value_t = 10, value_parser = value_parser!(u64).range(1..=1440))]
    lox24_block_minutes: u64,
    /// Calls that one Onlive access key may make in a minute to read.
    #[arg(long, env = "MUSTER_ONLIVE_READS_PER_MINUTE", value_name = "NUMBER", default_value_t = 1000, value_parser = value_parser!(u32).range(1..))]
    onlive_reads_per_minute: u32,
    /// Calls that one Onlive access key may make in a minute to write.
    #[arg(long, env = "MUSTER_ONLIVE_WRITES_PER_MINUTE", value_name = "NUMBER", default_value_t = 100, value_parser = value_parser!(u32).range(1..))]
    onlive_writes_per_minute: u32,
    /// The longest request body, in bytes.
    #[arg(long, env = "MUSTER_MAX_BODY", value_name = "BYTES", default_value_t = 1024 * 1024)]
    max_body: usize,
    /// How long a request may take, and a client to take any of its answer, in seconds.
    #[arg(long, env = "MUSTER_REQUEST_TIMEOUT", value_name = "SECONDS", default_value_t = 30)]
    request_timeout: u64,
    /// How long a client may take to send the head of a request, in seconds.
    #[arg(long, env = "MUSTER_HEADER_TIMEOUT", value_name = "SECONDS", default_value_t = 10)]
    header_timeout: u64,
    /// Connections that are served at once; more are answered with 503.
    #[arg(long, env = "MUSTER_MAX_CONNECTIONS", value_name = "NUMBER", default_value_t = 10_000)]
    max_connections: usize,
    /// Writes that may wait for the store; more are answered with 503.
    #[arg(long, env = "MUSTER_WRITER_QUEUE", value_name = "NUMBER", default_value_t = 4096)]
    writer_queue: usize,
    /// Rows on a page when the caller names no limit.
    #[arg(long, env = "MUSTER_DEFAULT_PAGE", value_name = "ROWS", default_value_t = 100, value_parser = value_parser!(u32).range(1..))]
    default_page: u32,
    /// The most rows that a caller may ask for on a page.
    #[arg(long, env = "MUSTER_MAX_PAGE", value_name = "ROWS", default_value_t = 200, value_parser = value_parser!(u32).range(1..))]
    max_page: u32,
    /// How long the access token of before a refresh lives on, and a used refresh token is not yet
    /// taken as stolen, in seconds.
    #[arg(long, env = "MUSTER_SESSION_GRACE", value_name = "SECONDS", default_value_t = 60)]
    session_grace: u64,
    #[command(flatten)]
    retention: RetentionArgs,
    /// Whether this server sends for webhooks. Off where `muster worker` does it beside.
    #[arg(long, env = "MUSTER_WEBHOOKS", default_value = "on")]
    webhooks: Switch,
    /// Whether this server hands messages over to carriers. Off where `muster worker` does it beside; gateways that call
    /// back are listened to in any case.
    #[arg(long, env = "MUSTER_MESSAGES", default_value = "on")]
    messages: Switch,
    #[command(flatten)]
    carriers: CarrierArgs,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    webhook: WebhookArgs,
}

/// An address or a network in CIDR notation.
pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| "must be an IP address or a network such as 10.0.0.0/8".to_owned())
}

/// `*`, or a scheme and a host, as browsers send them.
fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_origin = host.is_some_and(|host| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
    });
    if text == "*" || is_origin {
        Ok(text.to_owned())
    } else {
        Err("must be `*` or an origin such as https://app.example.org, without a path".to_owned())
    }
}

impl ServeArgs {
    fn settings(&self) -> Settings {
        Settings {
            max_body: self.max_body,
            request_timeout: Duration::from_secs(self.request_timeout),
            trusted_proxies: self.trusted_proxy.clone(),
            cors_origins: self.cors_origin.clone(),
            rate_limits: self.rate_limits == Switch::On,
            logins_per_minute: self.logins_per_minute,
            lox24_wrong_keys: self.lox24_wrong_keys,
            lox24_block: Duration::from_mins(self.lox24_block_minutes),
            onlive_reads_per_minute: self.onlive_reads_per_minute,
            onlive_writes_per_minute: self.onlive_writes_per_minute,
            default_page: self.default_page.min(self.max_page),
            max_page: self.max_page,
        }
    }
}

/// Runs the server until SIGTERM or SIGINT.
pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    args.log.start()?;
    let client = args.webhook.client()?;
    let carriers = args.carriers.config()?;
    let media = args.media.open(&args.store)?;
    let limits = Limits { writer_queue: args.writer_queue, ..Limits::default() };
    let (store, key) = args.store.open_as_server(limits).await?;
    let sessions =
        SessionPolicy { grace: Duration::from_secs(args.session_grace), ..SessionPolicy::default() };
    // Half of the cores at most: a flood of log-ins leaves the others to everybody else.
    let workers = (available_parallelism().map_or(1, usize::from) / 2).max(1);
    let directory = Arc::new(directory(store, sessions, PasswordPool::new(workers, 64)));

    let listener =
        TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let public_url = args.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    if args.demo {
        demo::prepare(&directory, &key, &args.store.flag(), public_url.trim_end_matches('/')).await?;
    }
    if args.rate_limits == Switch::Off {
        tracing::warn!("rate limits are off: this is for benchmarks and checkers");
    }
    tracing::info!(%address, database = args.store.shown(), version = env!("CARGO_PKG_VERSION"), "listening");

    let (stop, stopped) = watch::channel(false);
    let hands_over = args.messages == Switch::On;
    let messages = Messages::start(&directory, &carriers, client.clone(), hands_over, stopped.clone())?;
    let app = App::new(Arc::clone(&directory), key.clone(), media.clone(), client.clone(), args.settings())
        .with_gateways(messages.carriers());
    let service = app.into_service();
    let connections = ConnectionLimits {
        max_connections: connections_within_descriptors(args.max_connections),
        header_timeout: Duration::from_secs(args.header_timeout),
        write_timeout: Duration::from_secs(args.request_timeout),
    };
    let upkeep = tokio::spawn(upkeep::run(Arc::clone(&directory), media, args.retention));
    let mut sending = match args.webhooks {
        Switch::On => Some(Sending::start(Arc::clone(&directory), client, key, stopped)?),
        Switch::Off => None,
    };
    let shutdown = shutdown_signal()?;
    let shutdown = async move {
        shutdown.await;
        stop.send_replace(true);
    };
    listener::serve(listener, service, connections, shutdown).await;
    upkeep.abort();
    let webhooks = async {
        if let Some(sending) = &mut sending {
            sending.ended().await;
        }
    };
    tokio::join!(webhooks, messages.ended());
    directory.store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// As many connections as the process has descriptors for, after it has asked for as many as it may have;
/// beyond, clients would wait without an answer.
fn connections_within_descriptors(wanted: usize) -> usize {
    /// For the store's files and connections, the listener and the logs.
    const RESERVE: u64 = 96;
    let may_have = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => usize::try_from(limit.saturating_sub(RESERVE)).unwrap_or(usize::MAX).max(1),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files is not known");
            return wanted;
        }
    };
    if may_have < wanted {
        tracing::warn!(
            may_have,
            wanted,
            "fewer connections than --max-connections: the limit of open files is low"
        );
    }
    wanted.min(may_have)
}

/// Completes on the first SIGTERM or SIGINT. A second one ends the process at once.
pub(crate) fn shutdown_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("stopping: finishing what is running");
        tokio::spawn(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            std::process::exit(1);
        });
    })
}
