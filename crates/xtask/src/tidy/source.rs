//! Rules of single files.

use super::{Finding, Source};

/// The most lines of a Rust file.
pub(super) const LINES: usize = 400;

/// What is left behind while working. Each is put together from parts, so that it is not found here.
pub(super) const LEFT_OVERS: [&str; 4] =
    [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!("), concat!("#[", "ignore")];

/// Files whose lines are looked at. Snapshots are left out: what they hold is what was answered.
const TEXT_EXTENSIONS: [&str; 5] = ["rs", "md", "toml", "sql", "sh"];
/// Scripts without an extension.
const TEXT_PATHS: [&str; 2] = ["check", ".ci/run"];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let extension = source.extension();
    if !TEXT_EXTENSIONS.contains(&extension) && !TEXT_PATHS.contains(&source.path.as_str()) {
        return Vec::new();
    }
    let Some(text) = source.text() else {
        return vec![Finding::new(&source.path, 0, "is not UTF-8")];
    };
    let mut findings = white_space(&source.path, text);
    if extension == "rs" {
        findings.extend(length(&source.path, text));
        findings.extend(left_overs(&source.path, text));
    }
    findings
}

fn white_space(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, content) in (1..).zip(text.split('\n')) {
        if content.ends_with(char::is_whitespace) {
            findings.push(Finding::new(path, line, "ends with white space"));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(path, 0, "does not end with a newline"));
    }
    if text.ends_with("\n\n") {
        findings.push(Finding::new(path, 0, "ends with more than one newline"));
    }
    findings
}

fn length(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (lines > LINES).then(|| Finding::new(path, 0, format!("has {lines} lines, more than {LINES}")))
}

fn left_overs(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        for left_over in LEFT_OVERS.iter().filter(|left_over| content.contains(**left_over)) {
            findings.push(Finding::new(path, line, format!("holds `{left_over}`")));
        }
    }
    findings
}
