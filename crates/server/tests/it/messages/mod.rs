//! Handing messages over, and what carriers report: with carriers in the process of the test, and by the binary.

mod bulks;
mod carriers;
mod claims;
mod crash;
mod due;
mod fates;
mod gateway;
mod message_centre;
mod process;
#[path = "../../../../carrier/tests/it/smsc.rs"]
mod smsc;
mod world;
