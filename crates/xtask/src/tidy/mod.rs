//! `cargo xtask tidy`: the rules of the source tree, over the files that git tracks.

mod layout;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context as _, bail};

/// A tracked file.
struct Source {
    /// From the root of the checkout, with `/`.
    path: String,
    bytes: Vec<u8>,
}

impl Source {
    fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// The text; a file that is not UTF-8 is no text.
    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }
}

/// One broken rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    text: String,
}

impl Finding {
    fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.text),
            line => write!(f, "{}:{line}: {}", self.path, self.text),
        }
    }
}

pub(crate) fn run() -> anyhow::Result<()> {
    let sources = tracked()?;
    let findings = findings(&sources);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: findings: {}", findings.len());
    }
    eprintln!("tidy: {} files", sources.len());
    Ok(())
}

fn findings(sources: &[Source]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = sources.iter().flat_map(source::check).collect();
    findings.extend(layout::check(sources));
    findings
}

fn tracked() -> anyhow::Result<Vec<Source>> {
    let root = crate::root()?;
    let root_text = root.to_str().context("the checkout has a strange path")?;
    let mut sources = Vec::new();
    for path in crate::output_of("git", &["-C", root_text, "ls-files", "-z"])?.split_terminator('\0') {
        match fs::read(root.join(path)) {
            Ok(bytes) => sources.push(Source { path: path.to_owned(), bytes }),
            // Deleted, but not yet for git.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| path.to_owned()),
        }
    }
    Ok(sources)
}
