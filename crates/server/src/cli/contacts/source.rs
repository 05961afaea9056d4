//! The file that is imported.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Chain, Cursor, Read};
use std::path::Path;

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;

use super::columns::guess_delimiter;
use super::is_standard;
use super::rows::{Encoding, Rows};
use crate::cli::output::{bar, spinner};

pub(super) type Source = BufReader<Box<dyn Read + Send>>;

/// The file from its beginning, of which the first line is held.
pub(super) type Lines = Chain<Cursor<Vec<u8>>, Source>;

/// So much of the first line is looked at.
const FIRST_LINE: u64 = 64 * 1024;

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
) -> anyhow::Result<Rows<Lines>> {
    // A pipe may give a few bytes at a time.
    let mut begin = Vec::new();
    (&mut file).take(FIRST_LINE).read_until(b'\n', &mut begin)?;
    if begin.starts_with(&[0xff, 0xfe]) || begin.starts_with(&[0xfe, 0xff]) {
        bail!("the file is UTF-16; save it as UTF-8");
    }
    if begin.starts_with(&[0xef, 0xbb, 0xbf]) {
        begin.drain(..3);
    }
    if !begin.ends_with(b"\n") && begin.trim_ascii_end().contains(&b'\r') {
        bail!("the lines of the file end with a carriage return alone; save it with line feeds (LF or CRLF)");
    }
    let first_line = String::from_utf8_lossy(&begin);
    let delimiter = delimiter.unwrap_or_else(|| guess_delimiter(&first_line));
    Ok(Rows::new(Cursor::new(begin).chain(file), delimiter, encoding))
}
