//! All carriers of a configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;
use muster_delivery::Client;
use muster_domain::{Clock, Entropy, TenantId};

use crate::config::{CarrierConfig, Config, ConfigFault};
use crate::http::Http;
use crate::report::{self, Reports};
use crate::sandbox::Sandbox;
use crate::smpp::Smpp;
use crate::{Carrier, Router};

/// What is passed in from outside.
#[derive(Clone)]
pub struct Sources {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// For the gateways that are asked over HTTP: what it may call is the operator's decision.
    pub client: Client,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

/// The configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct OpenError(pub Vec<ConfigFault>);

/// The carriers of a configuration, by their names.
pub struct Carriers {
    all: BTreeMap<String, Kind>,
    router: Router,
}

enum Kind {
    Sandbox(Arc<Sandbox>),
    Smpp(Arc<Smpp>),
    Http(Arc<Http>),
}

impl fmt::Debug for Carriers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.keys()).finish()
    }
}

/// Starts the carriers of a configuration: they connect in the background, on the runtime of the caller, until they
/// are closed. What they report comes out of the one stream.
pub fn open(config: &Config, sources: &Sources) -> Result<(Carriers, Reports), OpenError> {
    config.validate().map_err(OpenError)?;
    start(config, sources)
}

/// As [`open`], but only the gateways that call us back, of a valid configuration: for a process that hands nothing over.
pub fn open_callers(config: &Config, sources: &Sources) -> Result<(Carriers, Reports), OpenError> {
    config.validate().map_err(OpenError)?;
    start(&config.clone().callers_only(), sources)
}

fn start(config: &Config, sources: &Sources) -> Result<(Carriers, Reports), OpenError> {
    let (reporter, reports) = report::channel();
    let start = |(name, carrier): (&String, &CarrierConfig)| {
        let (reporter, sources) = (reporter.named(name), sources.clone());
        let kind = match carrier {
            CarrierConfig::Sandbox(config) => {
                Kind::Sandbox(Arc::new(Sandbox::start(config, reporter, &sources)))
            }
            CarrierConfig::Smpp(config) => Kind::Smpp(Arc::new(Smpp::start(config, reporter, &sources))),
            CarrierConfig::Http(config) => {
                Kind::Http(Arc::new(Http::start(config, reporter, sources).map_err(|fault| vec![fault])?))
            }
        };
        Ok((name.clone(), kind))
    };
    let all: Result<_, Vec<ConfigFault>> = config.carriers.iter().map(start).collect();
    Ok((Carriers { all: all.map_err(OpenError)?, router: Router::new(&config.routing) }, reports))
}

impl Carriers {
    /// The carrier for a number of a tenant's message, and its name.
    pub fn route(&self, tenant: TenantId, to: &str) -> Option<(&str, Arc<dyn Carrier>)> {
        let name = self.router.route(tenant, to);
        Some((self.all.get_key_value(name)?.0, self.get(name)?))
    }

    /// Who carries what.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// The carrier of this name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Carrier>> {
        Some(match self.all.get(name)? {
            Kind::Sandbox(carrier) => Arc::clone(carrier) as Arc<dyn Carrier>,
            Kind::Smpp(carrier) => Arc::clone(carrier) as Arc<dyn Carrier>,
            Kind::Http(carrier) => Arc::clone(carrier) as Arc<dyn Carrier>,
        })
    }

    /// The sandbox of this name, whose phones can be played.
    pub fn sandbox(&self, name: &str) -> Option<&Arc<Sandbox>> {
        match self.all.get(name)? {
            Kind::Sandbox(sandbox) => Some(sandbox),
            Kind::Smpp(_) | Kind::Http(_) => None,
        }
    }

    /// The gateway of this name, which calls us back.
    pub fn http(&self, name: &str) -> Option<&Arc<Http>> {
        match self.all.get(name)? {
            Kind::Http(http) => Some(http),
            Kind::Sandbox(_) | Kind::Smpp(_) => None,
        }
    }

    /// The message centre of this name, whose connections can be counted.
    pub fn smpp(&self, name: &str) -> Option<&Arc<Smpp>> {
        match self.all.get(name)? {
            Kind::Smpp(smpp) => Some(smpp),
            Kind::Sandbox(_) | Kind::Http(_) => None,
        }
    }

    /// The names of all carriers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// Closes all of them at once; each takes a few seconds at most.
    pub async fn close(&self) {
        let all: Vec<_> = self.all.keys().filter_map(|name| self.get(name)).collect();
        join_all(all.iter().map(|carrier| carrier.close())).await;
    }
}
