//! The binary `muster`: the server and the operator's commands.

mod background;
mod cli;
mod config;
mod demo;
mod listener;
mod messages;
mod serve;
mod system;
mod telemetry;
mod upkeep;
mod webhooks;
mod worker;

use std::process::ExitCode;

// Measured with `cargo xtask bench`: see docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "this is the command line")]
            {
                eprintln!("error: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
