//! What is told of rows that are left out.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::files;

const HEADER: [&str; 3] = ["line", "column", "reason"];

/// The file of the bad rows, made with the first of them.
pub(super) struct Errors {
    pub(super) path: PathBuf,
    /// It is no file but a pipe or a device, which is there and stays.
    is_device: bool,
    writer: Option<csv::Writer<File>>,
}

impl Errors {
    /// Removes what an import of before has told there. Any other file is refused, above all the one that is imported.
    pub(super) fn new(path: PathBuf, input: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let is_device = match fs::metadata(&path) {
            Ok(found) if files::is_input(&path, input) && found.is_file() => {
                bail!("{shown} is the file that is imported; --errors names another one")
            }
            Ok(found) if found.is_file() => {
                if !is_ours(&path).with_context(|| shown.to_string())? {
                    bail!("{shown} is there already, and no file of bad rows; --errors names another one");
                }
                fs::remove_file(&path).with_context(|| shown.to_string())?;
                false
            }
            Ok(found) if found.is_dir() => bail!("{shown} is a folder; --errors names a file"),
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => false,
            Err(error) => return Err(error).with_context(|| shown.to_string()),
        };
        Ok(Self { path, is_device, writer: None })
    }

    pub(super) fn tell(&mut self, line: u64, column: &str, reason: &str) -> anyhow::Result<()> {
        if self.writer.is_none() {
            let made = if self.is_device {
                File::options().write(true).open(&self.path)
            } else {
                files::create(&self.path)
            };
            let mut writer = csv::Writer::from_writer(made.with_context(|| self.path.display().to_string())?);
            writer.write_record(HEADER)?;
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

/// Whether a file was made by an import: it has its header, or nothing yet since that was broken off.
fn is_ours(path: &Path) -> io::Result<bool> {
    let header = HEADER.join(",") + "\n";
    let mut begin = String::new();
    match File::open(path)?.take(header.len() as u64).read_to_string(&mut begin) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
        Err(error) => Err(error),
        Ok(_) => Ok(begin.is_empty() || begin == header),
    }
}
