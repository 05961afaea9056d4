//! Handing messages over, and what carriers report: with carriers in the process of the test, and by the binary.

mod carriers;
mod due;
mod fates;
mod gateway;
mod process;
mod world;
