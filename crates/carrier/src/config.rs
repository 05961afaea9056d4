//! The carriers and who is carried by which, as the operator writes it (TOML).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::RoutingConfig;
use crate::http::HttpConfig;
use crate::sandbox::SandboxConfig;
use crate::smpp::SmppConfig;

/// The name of the carrier that is there if none is configured.
const SANDBOX: &str = "sandbox";

/// All carriers. Without any there is a sandbox, which carries everything.
///
/// ```toml
/// [carriers.main]
/// kind = "smpp"
/// address = "smsc.example.net:2775"
/// system_id = "muster"
/// password = "secret"
///
/// [carriers.play]
/// kind = "sandbox"
///
/// [routing]
/// default = "main"
/// tenants = { 12 = "play" }
/// prefixes = { "+49" = "main" }
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// By their names: 1 to 64 letters, digits, `-` and `_`.
    #[serde(default)]
    pub carriers: BTreeMap<String, CarrierConfig>,
    #[serde(default)]
    pub routing: RoutingConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum CarrierConfig {
    Sandbox(SandboxConfig),
    Smpp(SmppConfig),
    Http(Box<HttpConfig>),
}

/// What is wrong with one value of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct ConfigFault {
    /// Where it stands, such as `carriers.main.window`; empty if the text is not TOML or of other types.
    pub field: String,
    pub problem: String,
}

impl Default for Config {
    fn default() -> Self {
        let sandbox = CarrierConfig::Sandbox(SandboxConfig::default());
        Self {
            carriers: BTreeMap::from([(SANDBOX.to_owned(), sandbox)]),
            routing: RoutingConfig { default: Some(SANDBOX.to_owned()), ..RoutingConfig::default() },
        }
    }
}

impl Config {
    /// Reads the TOML text. What is not TOML, or not of the right type, is found first and alone; after that, all values
    /// that cannot be used.
    pub fn parse(text: &str) -> Result<Self, Vec<ConfigFault>> {
        let mut config: Self = toml::from_str(text).map_err(|error| vec![unreadable(text, &error)])?;
        if config.carriers.is_empty() {
            config.carriers = Self::default().carriers;
        }
        if config.routing.default.is_none() && config.carriers.len() == 1 {
            config.routing.default = config.carriers.keys().next().cloned();
        }
        config.validate()?;
        Ok(config)
    }

    /// Only the gateways that call us back, for a process that takes reports and hands nothing over.
    #[must_use]
    pub fn callers_only(mut self) -> Self {
        self.carriers
            .retain(|_, carrier| matches!(carrier, CarrierConfig::Http(http) if http.callback.is_some()));
        self
    }

    /// Whether all values can be used; else every one that cannot.
    pub fn validate(&self) -> Result<(), Vec<ConfigFault>> {
        let mut faults = Vec::new();
        for (name, carrier) in &self.carriers {
            let mut faults = Faults { list: &mut faults, prefix: format!("carriers.{name}.") };
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            let is_name = (1..=64).contains(&name.len()) && name.bytes().all(fits);
            faults.unless(is_name, "", "the name must be 1 to 64 letters, digits, - and _");
            match carrier {
                CarrierConfig::Sandbox(sandbox) => sandbox.validate(&mut faults),
                CarrierConfig::Smpp(smpp) => smpp.validate(&mut faults),
                CarrierConfig::Http(http) => http.validate(&mut faults),
            }
        }
        let names: Vec<&str> = self.carriers.keys().map(String::as_str).collect();
        self.routing.validate(&names, &mut Faults { list: &mut faults, prefix: "routing.".to_owned() });
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// What is not TOML, or not of the right type. The parser's own words would show the line, and values, which may be secrets;
/// of them only the name of a setting that there is not, or that is missing, is told.
fn unreadable(text: &str, error: &toml::de::Error) -> ConfigFault {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let told = |kind: &str| {
        let name = error.message().strip_prefix(kind)?.strip_prefix(" `")?.split('`').next()?;
        Some(format!("{kind} {name}"))
    };
    let problem = told("unknown field").or_else(|| told("missing field"));
    let problem = problem.unwrap_or_else(|| "this is not TOML, or a value is not of its type".to_owned());
    ConfigFault { field: String::new(), problem: place + &problem }
}

/// Gathers what is wrong in one part of the configuration.
pub(crate) struct Faults<'f> {
    list: &'f mut Vec<ConfigFault>,
    prefix: String,
}

impl Faults<'_> {
    pub(crate) fn add(&mut self, field: impl fmt::Display, problem: impl Into<String>) {
        let field = format!("{}{field}", self.prefix);
        let field = field.strip_suffix('.').unwrap_or(&field).to_owned();
        self.list.push(ConfigFault { field, problem: problem.into() });
    }

    pub(crate) fn unless(&mut self, is_good: bool, field: impl fmt::Display, problem: &str) {
        if !is_good {
            self.add(field, problem);
        }
    }
}

/// Reads a duration that is written in milliseconds.
pub(crate) fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_carriers_there_is_a_sandbox() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.routing.default.as_deref(), Some(SANDBOX));
        assert!(matches!(config.carriers[SANDBOX], CarrierConfig::Sandbox(_)));
        Config::default().validate().unwrap();
    }

    #[test]
    fn every_failing_field_is_named() {
        let faults = Config::parse(
            r#"
            [carriers.main]
            kind = "smpp"
            address = "nowhere"
            system_id = "a name that is far too long"
            password = "123456789"
            window = 0
            binds = 0
            response_timeout_ms = 0

            [carriers.web]
            kind = "http"
            url = "ftp://gateway.example.net/"
            format = "json"
            body = '{"to": "{to}", "what": "{nothing}"}'
            message_id = "id"
            statuses = { throttled = [42] }

            [carriers."a b"]
            kind = "sandbox"
            delay_ms = 999999999999

            [routing]
            default = "gone"
            tenants = { x = "main", 1 = "gone" }
            prefixes = { "49" = "main", "+43" = "gone" }
            inbound = { "+49x" = 1, "72345" = 0, "+4930" = 1, "4930" = 2 }
            inbound_default = -1
            "#,
        )
        .unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "carriers.a b",
                "carriers.a b.delay_ms",
                "carriers.main.address",
                "carriers.main.system_id",
                "carriers.main.password",
                "carriers.main.binds",
                "carriers.main.window",
                "carriers.main.response_timeout_ms",
                "carriers.web.url",
                "carriers.web.body",
                "carriers.web.message_id",
                "carriers.web.statuses",
                "routing.default",
                "routing.tenants.1",
                "routing.tenants.x",
                "routing.prefixes.+43",
                "routing.prefixes.49",
                "routing.inbound.+49x",
                "routing.inbound.4930",
                "routing.inbound.72345",
                "routing.inbound_default",
            ]
        );
        assert!(!faults.iter().any(|fault| fault.problem.contains("123456789")), "no secret is shown");
    }

    #[test]
    fn unknown_settings_are_refused() {
        let faults =
            Config::parse("[carriers.a]\nkind = \"sandbox\"\ndelay_ms = 1\nspeed = 3\n").unwrap_err();
        assert!(faults[0].problem.contains("unknown field speed"), "{faults:?}");
        let faults = Config::parse("[carriers.a]\nkind = \"smpp\"\naddress = \"a:1\"\n").unwrap_err();
        assert!(faults[0].problem.contains("missing field system_id"), "{faults:?}");
    }

    #[test]
    fn what_cannot_be_read_is_not_shown() {
        let main = "[carriers.main]\nkind = \"smpp\"\n";
        for (text, line) in [
            (format!("{main}password = \"s3cret\" x\n"), Some("line 3: ")),
            (format!("{main}password = s3cret\n"), Some("line 3: ")),
            (
                format!(
                    "{main}address = \"a:1\"\nsystem_id = \"s3cret\"\npassword = \"s3cret\"\nwindow = \"s3cret\"\n"
                ),
                None,
            ),
            (format!("{main}[routing]\ndefault = 1\ntenants = \"s3cret\"\n"), None),
            ("[carriers.main]\nkind = \"s3cret\"\n".to_owned(), None),
        ] {
            let faults = Config::parse(&text).unwrap_err();
            assert!(!faults[0].to_string().contains("s3cret"), "{faults:?}");
            assert!(line.is_none_or(|line| faults[0].problem.starts_with(line)), "{faults:?}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = Config::parse(
            r#"
            [carriers.web]
            kind = "http"
            url = "https://gateway.example.net/?key=s3cret"
            headers = { Authorization = "s3cret" }
            body = '{"key": "s3cret"}'
            callback = { secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] }

            [carriers.main]
            kind = "smpp"
            address = "smsc.example.net:2775"
            system_id = "muster"
            password = "s3cret"

            [routing]
            default = "main"
            "#,
        );
        let shown = format!("{:?}", config.unwrap());
        assert!(!shown.contains("s3cret") && !shown.contains("MfKQ"), "{shown}");
    }
}
