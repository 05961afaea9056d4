//! The records of a CSV file, one by one, so that a broken one costs itself and no other.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The longest record, in bytes. What is longer has a quotation mark that is never closed.
const MAX_RECORD: usize = 256 * 1024;

/// How the bytes of a file are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Encoding {
    #[value(name = "utf-8")]
    Utf8,
    #[value(name = "latin-1")]
    Latin1,
}

/// A record with the line on which it begins, or why it is none.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) cells: Result<Vec<String>, Broken>,
}

/// What is wrong with a record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("a quotation mark is not closed")]
    Open,
    #[error("something stands between a closing quotation mark and the end of the cell")]
    Trailing,
    /// The cell with this index.
    #[error("is not UTF-8; if the file is Latin-1, say --encoding latin-1")]
    NotUtf8(usize),
}

/// Reads records.
pub(super) struct Rows<R> {
    from: R,
    delimiter: u8,
    encoding: Encoding,
    splitter: Reader,
    /// Lines that were read ahead.
    ahead: VecDeque<Vec<u8>>,
    /// The number of the next line.
    line: u64,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(from: R, delimiter: u8, encoding: Encoding) -> Self {
        let splitter = ReaderBuilder::new().delimiter(delimiter).build();
        Self { from, delimiter, encoding, splitter, ahead: VecDeque::new(), line: 1 }
    }

    /// The next record that is not empty.
    pub(super) fn next(&mut self) -> io::Result<Option<Row>> {
        loop {
            let line = self.line;
            let Some(first) = self.next_line()? else {
                return Ok(None);
            };
            if first.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                continue;
            }
            return self.record(first).map(|cells| Some(Row { line, cells }));
        }
    }

    /// The record that begins with a line. After a broken one the next begins with the next line.
    fn record(&mut self, first: Vec<u8>) -> io::Result<Result<Vec<String>, Broken>> {
        let mut record = first;
        let first_end = record.len();
        let mut lengths = Vec::new();
        let mut quoting = quoting(&record, false, self.delimiter);
        loop {
            match quoting {
                Quoting::Closed => return Ok(self.cells(&record)),
                Quoting::Trailing => {
                    self.give_back(&record, first_end, &lengths);
                    return Ok(Err(Broken::Trailing));
                }
                Quoting::Open => {}
            }
            let next = if record.len() > MAX_RECORD { None } else { self.next_line()? };
            let Some(next) = next else {
                self.give_back(&record, first_end, &lengths);
                return Ok(Err(Broken::Open));
            };
            quoting = self::quoting(&next, true, self.delimiter);
            lengths.push(next.len());
            record.extend(next);
        }
    }

    /// Puts back what was read after the first line of a record.
    fn give_back(&mut self, record: &[u8], first_end: usize, lengths: &[usize]) {
        let mut end = record.len();
        for length in lengths.iter().rev() {
            self.ahead.push_front(record[end - length..end].to_vec());
            end -= length;
        }
        debug_assert_eq!(end, first_end, "all lines but the first are given back");
        self.line -= lengths.len() as u64;
    }

    /// A line with its end, or `None` after the last.
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line = if let Some(line) = self.ahead.pop_front() {
            line
        } else {
            let mut line = Vec::new();
            if self.from.read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            line
        };
        self.line += 1;
        Ok(Some(line))
    }

    fn cells(&mut self, record: &[u8]) -> Result<Vec<String>, Broken> {
        // No cell is longer than it was, and there are not more of them than bytes and one.
        let mut texts = vec![0; record.len()];
        let mut ends = vec![0; 16];
        self.splitter.reset();
        let (mut read, mut written, mut count) = (0, 0, 0);
        loop {
            let (done, more_read, more_written, more) =
                self.splitter.read_record(&record[read..], &mut texts[written..], &mut ends[count..]);
            read += more_read;
            written += more_written;
            count += more;
            match done {
                ReadRecordResult::OutputEndsFull => ends.resize(ends.len() * 2, 0),
                // The end of the input is the empty input.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        let mut begin = 0;
        let text = |(at, end): (usize, &usize)| {
            let cell = &texts[begin..*end];
            begin = *end;
            match self.encoding {
                Encoding::Utf8 => String::from_utf8(cell.to_vec()).map_err(|_| Broken::NotUtf8(at)),
                Encoding::Latin1 => Ok(cell.iter().map(|byte| char::from(*byte)).collect()),
            }
        };
        ends[..count].iter().enumerate().map(text).collect()
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Quoting {
    Closed,
    Open,
    Trailing,
}

/// Whether the quoted cells of a line end in it (RFC 4180, section 2, rules 5 to 7). `inside`: the line begins within one.
/// Quotation marks in a cell that does not begin with one are part of it.
fn quoting(line: &[u8], mut inside: bool, delimiter: u8) -> Quoting {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut rest = line.strip_suffix(b"\r").unwrap_or(line);
    loop {
        if !inside {
            if let Some(quoted) = rest.strip_prefix(b"\"") {
                rest = quoted;
            } else if let Some(end) = rest.iter().position(|byte| *byte == delimiter) {
                rest = &rest[end + 1..];
                continue;
            } else {
                return Quoting::Closed;
            }
        }
        let Some(end) = rest.iter().position(|byte| *byte == b'"') else {
            return Quoting::Open;
        };
        rest = &rest[end + 1..];
        inside = match rest.first() {
            Some(b'"') => true,
            Some(byte) if *byte == delimiter => false,
            Some(_) => return Quoting::Trailing,
            None => return Quoting::Closed,
        };
        rest = &rest[1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Vec<(u64, Result<Vec<String>, Broken>)> {
        let mut rows = Rows::new(text, b',', Encoding::Utf8);
        std::iter::from_fn(|| rows.next().unwrap()).map(|row| (row.line, row.cells)).collect()
    }

    fn cells(cells: &[&str]) -> Result<Vec<String>, Broken> {
        cells.iter().map(|cell| Ok((*cell).to_owned())).collect()
    }

    #[test]
    fn records_span_lines_and_know_where_they_begin() {
        let text = b"a,b\r\n\r\n\"1\r\n2\",\"say \"\"hi\"\"\"\n5\" pipe,\nlast,";
        assert_eq!(
            rows(text),
            [
                (1, cells(&["a", "b"])),
                (3, cells(&["1\r\n2", "say \"hi\""])),
                (5, cells(&["5\" pipe", ""])),
                (6, cells(&["last", ""])),
            ]
        );
    }

    #[test]
    fn a_broken_record_costs_itself_only() {
        assert_eq!(
            rows(b"\"open,1\nb,2\n\"c\" d,3\n\"e\",\xe9\nf,5\n"),
            [
                // Up to the next quotation mark it could be one cell, after which something else stands.
                (1, Err(Broken::Trailing)),
                (2, cells(&["b", "2"])),
                (3, Err(Broken::Trailing)),
                (4, Err(Broken::NotUtf8(1))),
                (5, cells(&["f", "5"])),
            ]
        );
        assert_eq!(rows(b"a,\"open\nb,2\n"), [(1, Err(Broken::Open)), (2, cells(&["b", "2"]))]);
    }

    #[test]
    fn a_cell_that_never_ends_is_given_up() {
        let mut text = b"x,\"open\n".to_vec();
        text.extend(b"123456789,1\n".repeat(MAX_RECORD / 6));
        let rows = rows(&text);
        assert_eq!(rows.len(), 1 + MAX_RECORD / 6);
        assert_eq!(rows[0], (1, Err(Broken::Open)));
        assert!(rows[1..].iter().all(|(_, row)| *row == cells(&["123456789", "1"])));
    }
}
