//! Handing messages over, and what carriers report: with carriers in the process of the test, and by the binary.

mod bulks;
mod carriers;
mod crash;
mod due;
mod fates;
mod gateway;
mod process;
mod world;
