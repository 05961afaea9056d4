//! What commands print, and how far they are.

use std::fmt::{Display, Write as _};
use std::io::{self, ErrorKind, Write as _};
use std::time::Duration;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// Text for a terminal, in which what somebody has typed must not give commands. A control character is written as in
/// JSON, so that this also holds for JSON.
fn printable(text: &str, keeps: &[char]) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !keeps.contains(&character) {
            let _ = write!(printable, "\\u{:04x}", u32::from(character));
        } else {
            printable.push(character);
        }
    }
    printable
}

/// A name on one line.
pub(super) fn name(text: &str) -> String {
    printable(text, &[])
}

/// Prints a line to standard output. Whoever reads it may have had enough (`| head`): then the command ends.
pub(crate) fn line(text: impl Display) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{}", printable(&text.to_string(), &['\n'])) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        done => done.context("standard output"),
    }
}

/// Prints a line to standard error, beside what a program reads from standard output.
pub(super) fn note(text: impl Display) {
    // Nobody is there to be told that it cannot be told.
    let _ = writeln!(io::stderr().lock(), "{}", printable(&text.to_string(), &['\n']));
}

/// A bar on standard error, if that is a terminal.
pub(super) fn bar(what: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {percent}% {eta}");
    let bar = ProgressBar::new(length).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A turning sign on standard error, if that is a terminal.
pub(super) fn spinner() -> ProgressBar {
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// Asks for a line on standard input.
pub(super) fn asked(question: &str) -> anyhow::Result<String> {
    writeln!(io::stderr(), "{question}")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("the answer on standard input")?;
    Ok(answer)
}

/// Asks for a name before what cannot be undone. `given` answers in advance.
pub(super) fn confirm(warning: &str, name: &str, given: Option<&str>) -> anyhow::Result<()> {
    let answer = if let Some(given) = given {
        given.to_owned()
    } else {
        let (warning, shown) = (printable(warning, &[]), self::name(name));
        asked(&format!("{warning}\nType \"{shown}\" to go on:"))?
    };
    if answer.trim() != name {
        bail!("that is not \"{}\": nothing was done", self::name(name));
    }
    Ok(())
}
