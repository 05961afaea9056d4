//! Looking up the addresses of a host.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::{Failure, Policy};

/// How many look-ups may go on at once. The system's look-up cannot be broken off and holds a thread until it ends;
/// a host whose name server is silent must not take all those that other work needs too.
const MAX_LOOKUPS: usize = 64;

/// Asks the system for the addresses of a host (so `/etc/hosts` and the search list count), within a time limit.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    free: Arc<Semaphore>,
    limit: Duration,
}

impl Lookup {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { free: Arc::new(Semaphore::new(MAX_LOOKUPS)), limit }
    }

    /// The addresses of a name, or the one that the host is. They are all that is ever connected to: nothing is looked
    /// up again after they were judged, so a name that changes its answer (DNS rebinding) gains nothing.
    pub(crate) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = timeout(self.limit, self.ask(host.to_owned(), port)).await;
        match found {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            _ => Err(Failure::Unresolvable),
        }
    }

    async fn ask(&self, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(io::Error::other)?;
        // In a task of its own, so that the place stays taken until the system has ended, also when nobody waits.
        let look_up = async move {
            let addresses = lookup_host((host.as_str(), port)).await.map(Iterator::collect);
            drop(permit);
            addresses
        };
        tokio::spawn(look_up).await?
    }
}

/// Those that may be connected to.
pub(crate) fn permitted(found: Vec<SocketAddr>, policy: &Policy) -> Result<Vec<SocketAddr>, Failure> {
    let permitted: Vec<SocketAddr> =
        found.into_iter().filter(|address| policy.judge(address.ip()).is_ok()).collect();
    if permitted.is_empty() { Err(Failure::RefusedAddress) } else { Ok(permitted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_addresses_those_that_may_be_called_are_left() {
        let of =
            |texts: &[&str]| -> Vec<SocketAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        let policy = Policy::default();
        let mixed = of(&["127.0.0.1:443", "1.1.1.1:443", "[::1]:443", "[2606:4700::1]:443", "10.0.0.1:443"]);
        assert_eq!(permitted(mixed, &policy), Ok(of(&["1.1.1.1:443", "[2606:4700::1]:443"])));
        let private = of(&["127.0.0.1:443", "[::ffff:10.0.0.1]:443"]);
        assert_eq!(permitted(private, &policy), Err(Failure::RefusedAddress));
    }

    #[tokio::test]
    async fn a_name_is_looked_up_and_an_address_is_itself() {
        let lookup = Lookup::new(Duration::from_secs(20));
        let found = lookup.addresses("localhost", 80).await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 80), "{found:?}");
        let found = lookup.addresses("::1", 80).await.unwrap();
        assert_eq!(found, ["[::1]:80".parse().unwrap()]);
        assert_eq!(lookup.addresses("nowhere.invalid", 80).await, Err(Failure::Unresolvable));
    }

    #[tokio::test]
    async fn a_look_up_without_a_free_place_ends_too() {
        let lookup = Lookup::new(Duration::from_millis(50));
        let _taken = lookup.free.acquire_many(u32::try_from(MAX_LOOKUPS).unwrap()).await.unwrap();
        assert_eq!(lookup.addresses("localhost", 80).await, Err(Failure::Unresolvable));
    }
}
