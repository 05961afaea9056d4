//! By whom a message is carried.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use muster_domain::TenantId;
use serde::Deserialize;

use crate::config::Faults;

/// Carriers by their names. A tenant's own carrier has precedence, then that of the longest prefix of the number.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingConfig {
    /// For all else; may be left out if there is only one carrier.
    pub default: Option<String>,
    /// By the tenant's id.
    #[serde(default)]
    pub tenants: BTreeMap<String, String>,
    /// By the beginning of the number, with `+`.
    #[serde(default)]
    pub prefixes: BTreeMap<String, String>,
    /// The tenant that has a number of ours, which phones send to: digits with or without `+`.
    #[serde(default)]
    pub inbound: BTreeMap<String, i64>,
    /// The tenant of what phones send to other numbers, if no message of ours to the phone tells whose it is.
    pub inbound_default: Option<i64>,
}

impl RoutingConfig {
    pub(crate) fn validate(&self, carriers: &[&str], faults: &mut Faults<'_>) {
        let is_carrier = |name: &str| carriers.contains(&name);
        let unknown = "names a carrier that is not there";
        match &self.default {
            None => faults.add("default", "must name the carrier for numbers without another"),
            Some(name) => faults.unless(is_carrier(name), "default", unknown),
        }
        for (tenant, name) in &self.tenants {
            let field = format!("tenants.{tenant}");
            faults.unless(tenant.parse::<i64>().is_ok(), &field, "must be the id of a tenant");
            faults.unless(is_carrier(name), &field, unknown);
        }
        for (prefix, name) in &self.prefixes {
            let field = format!("prefixes.{prefix}");
            let digits = prefix.strip_prefix('+').unwrap_or_default();
            let is_prefix =
                (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            faults.unless(is_prefix, &field, "must be + and 1 to 15 digits");
            faults.unless(is_carrier(name), &field, unknown);
        }
        let mut numbers = HashMap::new();
        for (number, tenant) in &self.inbound {
            let field = format!("inbound.{number}");
            let digits = digits(number);
            let is_number =
                (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            faults.unless(is_number, &field, "must be 1 to 15 digits, with or without +");
            faults.unless(*tenant > 0, &field, "must be the id of a tenant");
            let is_same = numbers.insert(digits, tenant).is_none_or(|before| before == tenant);
            faults.unless(is_same, &field, "is the number of two tenants");
        }
        faults.unless(
            self.inbound_default.is_none_or(|tenant| tenant > 0),
            "inbound_default",
            "must be the id of a tenant",
        );
    }
}

fn digits(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

/// Says by which carrier a message goes.
#[derive(Clone, Debug)]
pub struct Router {
    default: String,
    tenants: HashMap<i64, String>,
    prefixes: HashMap<String, String>,
    /// The length of the longest prefix, in bytes.
    longest: usize,
    /// By their digits.
    inbound: HashMap<String, TenantId>,
    inbound_default: Option<TenantId>,
}

impl Router {
    /// The configuration must be a valid one.
    pub fn new(config: &RoutingConfig) -> Self {
        let tenants = config.tenants.iter();
        Self {
            default: config.default.clone().unwrap_or_default(),
            tenants: tenants.filter_map(|(id, name)| Some((id.parse().ok()?, name.clone()))).collect(),
            prefixes: config.prefixes.clone().into_iter().collect(),
            longest: config.prefixes.keys().map(String::len).max().unwrap_or(0),
            inbound: config
                .inbound
                .iter()
                .map(|(number, tenant)| (digits(number).to_owned(), TenantId(*tenant)))
                .collect(),
            inbound_default: config.inbound_default.map(TenantId),
        }
    }

    /// The names of all carriers that messages of a tenant may go by.
    pub fn names_for(&self, tenant: TenantId) -> Vec<&str> {
        if let Some(name) = self.tenants.get(&tenant.0) {
            return vec![name];
        }
        let all = self.prefixes.values().chain([&self.default]).map(String::as_str);
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The tenant that has this number of ours, as the configuration says.
    pub fn inbound(&self, to: &str) -> Option<TenantId> {
        self.inbound.get(digits(to)).copied()
    }

    /// The tenant of what phones send to numbers of which nothing is known.
    pub fn inbound_default(&self) -> Option<TenantId> {
        self.inbound_default
    }

    /// The name of the carrier for a number (E.164 with `+`) of a tenant's message.
    pub fn route(&self, tenant: TenantId, to: &str) -> &str {
        if let Some(name) = self.tenants.get(&tenant.0) {
            return name;
        }
        let mut lengths = (1..=self.longest.min(to.len())).rev();
        let found = lengths.find_map(|length| self.prefixes.get(to.get(..length)?));
        found.unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_wins_then_the_longest_prefix_then_the_default() {
        let of = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect()
        };
        let router = Router::new(&RoutingConfig {
            default: Some("rest".to_owned()),
            tenants: of(&[("7", "own")]),
            prefixes: of(&[("+4", "four"), ("+49", "german"), ("+49151", "mobile"), ("+1", "one")]),
            inbound: [("+4930123".to_owned(), 7), ("72345".to_owned(), 8)].into(),
            inbound_default: Some(9),
        });
        assert_eq!(router.names_for(TenantId(7)), ["own"]);
        assert_eq!(router.names_for(TenantId(1)), ["four", "german", "mobile", "one", "rest"]);
        for (to, tenant) in [
            ("+4930123", Some(7)),
            ("4930123", Some(7)),
            ("72345", Some(8)),
            ("+72345", Some(8)),
            ("+4930124", None),
            ("Bank", None),
            ("", None),
        ] {
            assert_eq!(router.inbound(to), tenant.map(TenantId), "{to}");
        }
        assert_eq!(router.inbound_default(), Some(TenantId(9)));
        for (tenant, to, name) in [
            (1, "+491512345678", "mobile"),
            (1, "+4915012345678", "german"),
            (1, "+4312345", "four"),
            (1, "+12025550123", "one"),
            (1, "+3312345", "rest"),
            (1, "+4", "four"),
            (1, "+", "rest"),
            (1, "", "rest"),
            (1, "é49", "rest"),
            (7, "+491512345678", "own"),
        ] {
            assert_eq!(router.route(TenantId(tenant), to), name, "{tenant} {to}");
        }
    }
}
