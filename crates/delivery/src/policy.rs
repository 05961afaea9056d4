//! What the operator lets customers call.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::address::{self, Refused};

/// What the operator lets customers call. The default is the strict one: https, public addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Networks that may be called although they are not public, such as `127.0.0.0/8` on a developer's machine. An
    /// IPv4 network counts also for its addresses within IPv6 ones; everything else has to be listed as it is.
    pub allowed: Vec<IpNet>,
    /// Whether `http` may be called beside `https`.
    pub plain_http: bool,
}

impl Policy {
    /// Whether this address may be connected to; if not, of which kind it is.
    pub fn judge(&self, address: IpAddr) -> Result<(), Refused> {
        address::judge(address, &self.allowed)
    }
}
