//! Sends one webhook request to an endpoint that a customer chose, and says what became of it.
//!
//! Who writes the URL of a webhook chooses where this server connects to. So an endpoint must not reach what only
//! this server reaches ([`Policy`]), nor hold it up or fill its memory ([`Limits`]). What is sent for an
//! event stands in [`message`].

mod address;
mod answer;
mod client;
mod connect;
mod dispatcher;
mod lookup;
pub mod message;
mod outcome;
mod policy;
mod proxy;
mod signature;
mod target;
mod tls;

pub use address::Refused;
pub use answer::Reply;
pub use client::{Call, Client, Limits, Settings, SetupError};
pub use dispatcher::{Dispatcher, Pace, STOP};
pub use outcome::{Answer, Failure, Outcome};
pub use policy::Policy;
pub use proxy::{Proxy, ProxyFault};
pub use signature::{SecretFault, SignatureFault, SigningSecret, UnusableId, signed_headers, verify};
pub use target::{Target, TargetFault};
