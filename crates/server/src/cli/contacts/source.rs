//! The file that is imported.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;

use super::columns::guess_delimiter;
use super::is_standard;
use super::rows::{Encoding, Rows};
use crate::cli::output::{bar, spinner};

pub(super) type Source = BufReader<Box<dyn Read + Send>>;

fn buffered(from: impl Read + Send + 'static) -> Source {
    BufReader::with_capacity(1 << 16, Box::new(from))
}

/// The file and how far it is read.
pub(super) fn open(path: &Path) -> anyhow::Result<(Source, ProgressBar)> {
    if is_standard(path) {
        return Ok((buffered(io::stdin()), spinner()));
    }
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let bar = bar("importing", file.metadata().map_or(0, |file| file.len()));
    Ok((buffered(bar.wrap_read(file)), bar))
}

/// The records of the file, without the mark that some programs put in front.
pub(super) fn begin(
    mut file: Source,
    delimiter: Option<u8>,
    encoding: Encoding,
) -> anyhow::Result<Rows<Source>> {
    let begin = file.fill_buf()?;
    if begin.starts_with(&[0xff, 0xfe]) || begin.starts_with(&[0xfe, 0xff]) {
        bail!("the file is UTF-16; save it as UTF-8");
    }
    if begin.starts_with(&[0xef, 0xbb, 0xbf]) {
        file.consume(3);
    }
    let begin = file.fill_buf()?;
    let end = begin.iter().position(|byte| *byte == b'\n').unwrap_or(begin.len());
    let first_line = String::from_utf8_lossy(&begin[..end]);
    let delimiter = delimiter.unwrap_or_else(|| guess_delimiter(&first_line));
    Ok(Rows::new(file, delimiter, encoding))
}
