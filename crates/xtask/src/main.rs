//! The tools of the project's own development, run by `cargo xtask`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "these are command line tools")]

mod bench;
mod clock;
mod tidy;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use clap::Parser;

/// Tools of Muster's development.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Xtask {
    /// Build the release server, start it on a fresh store, and measure it over HTTP.
    Bench(Box<bench::BenchArgs>),
    /// Check what the compiler and the linter do not: file lengths, left-overs, layering, links.
    Tidy,
}

fn main() -> ExitCode {
    let done = match Xtask::parse() {
        Xtask::Bench(args) => bench::run(&args),
        Xtask::Tidy => tidy::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What a program prints. Errors: it cannot be run, or it fails.
fn output_of(program: &str, args: &[&str]) -> anyhow::Result<String> {
    let output =
        Command::new(program).args(args).output().with_context(|| format!("cannot run {program}"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    String::from_utf8(output.stdout).with_context(|| format!("the output of {program}"))
}

/// The root of the checkout.
fn root() -> anyhow::Result<PathBuf> {
    let root = output_of("git", &["rev-parse", "--show-toplevel"])?;
    Ok(PathBuf::from(root.trim_end_matches('\n')))
}
