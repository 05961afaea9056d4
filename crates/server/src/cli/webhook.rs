//! The flags of whatever calls endpoints of customers.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use ipnet::IpNet;
use muster_delivery::{Client, Limits, Policy, Proxy, Settings};

use crate::serve::{Switch, network};

/// What the operator decides about webhooks.
#[derive(Args, Clone, Debug)]
pub(crate) struct WebhookArgs {
    /// A network (10.0.0.0/8) or address that endpoints of webhooks may be in although it is not public. Repeat it or
    /// separate several by commas. Whoever may write webhooks reaches what is there.
    #[arg(long = "webhook-allow", env = "MUSTER_WEBHOOK_ALLOW", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    allow: Vec<IpNet>,
    /// Whether endpoints of webhooks may be called over http:// too.
    #[arg(long = "webhook-http", env = "MUSTER_WEBHOOK_HTTP", default_value = "off")]
    http: Switch,
    /// The HTTP proxy through which endpoints of webhooks are called, such as <http://proxy.example.org:3128>. It has to
    /// refuse names that stand for private addresses.
    #[arg(long = "webhook-proxy", env = "MUSTER_WEBHOOK_PROXY", value_name = "URL")]
    proxy: Option<Proxy>,
    /// A PEM file with the only root certificates that endpoints of webhooks are trusted by. [default: the system's]
    #[arg(long = "webhook-roots", env = "MUSTER_WEBHOOK_ROOTS", value_name = "FILE")]
    roots: Option<PathBuf>,
}

impl WebhookArgs {
    /// The client that calls endpoints. Reads the root certificates.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let policy = Policy { allowed: self.allow.clone(), plain_http: self.http == Switch::On };
        let (roots, proxy) = (self.roots.clone(), self.proxy.clone());
        Client::new(Settings { policy, roots, proxy, limits: Limits::default() })
            .context("cannot call endpoints of webhooks")
    }
}
