//! What is told of rows that are left out.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context as _;

/// The file of the bad rows, made with the first of them.
pub(super) struct Errors {
    pub(super) path: PathBuf,
    writer: Option<csv::Writer<File>>,
}

impl Errors {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, writer: None }
    }

    pub(super) fn tell(&mut self, line: u64, column: &str, reason: &str) -> anyhow::Result<()> {
        if self.writer.is_none() {
            let file = File::create(&self.path).with_context(|| self.path.display().to_string())?;
            let mut writer = csv::Writer::from_writer(file);
            writer.write_record(["line", "column", "reason"])?;
            self.writer = Some(writer);
        }
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        Ok(writer.write_record([&line.to_string(), column, reason])?)
    }

    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.writer.as_mut().map_or(Ok(()), csv::Writer::flush).context("the file of bad rows")
    }
}
