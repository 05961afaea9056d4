//! The records of a CSV file, one by one, so that a broken one costs itself and no other.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read as _};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The longest record, and the longest line, in bytes. What is longer has a quotation mark that is never closed, or is
/// no list of contacts.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("a quotation mark is not closed")]
    Open,
    #[error(
        "a carriage return stands alone in it; lines end with a line feed, with or without one before it"
    )]
    Return,
    #[error("the line is longer than {MAX_RECORD} bytes")]
    TooLong,
    #[error("something stands between a closing quotation mark and the end of the cell")]
    Trailing,
    /// The cell with this index.
    #[error("is not UTF-8; if the file is Latin-1, say --encoding latin-1")]
    NotUtf8(usize),
}

/// A line with its end, or one that is too long to be held.
enum Line {
    Text(Vec<u8>),
    TooLong,
}

/// Reads records.
pub(super) struct Rows<R> {
    from: R,
    delimiter: u8,
    encoding: Encoding,
    splitter: Reader,
    /// Lines that were read ahead.
    ahead: VecDeque<Line>,
    /// So many of the first of them were seen to leave open a cell that was open before them, and their bytes: the next
    /// broken row need not look at them again.
    open: usize,
    open_bytes: usize,
    /// The line after these breaks the row whose cell is open.
    breaks: Option<Broken>,
    /// The number of the next line.
    line: u64,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(from: R, delimiter: u8, encoding: Encoding) -> Self {
        let splitter = ReaderBuilder::new().delimiter(delimiter).build();
        let ahead = VecDeque::new();
        Self { from, delimiter, encoding, splitter, ahead, open: 0, open_bytes: 0, breaks: None, line: 1 }
    }

    /// The next record that is not empty.
    pub(super) fn next(&mut self) -> io::Result<Option<Row>> {
        loop {
            let line = self.line;
            let cells = match self.next_line()? {
                None => return Ok(None),
                Some(Line::TooLong) => Err(Broken::TooLong),
                Some(Line::Text(first)) if first.iter().all(|byte| matches!(byte, b'\r' | b'\n')) => continue,
                Some(Line::Text(first)) => self.record(first)?,
            };
            return Ok(Some(Row { line, cells }));
        }
    }

    /// The record that begins with a line. After a broken one the next begins with the next line.
    fn record(&mut self, first: Vec<u8>) -> io::Result<Result<Vec<String>, Broken>> {
        match quoting(&first, false, self.delimiter) {
            Quoting::Closed => return Ok(self.cells(&first)),
            Quoting::Broken(broken) => return Ok(Err(broken)),
            Quoting::Open => {}
        }
        loop {
            if let Some(broken) = self.breaks {
                return Ok(Err(broken));
            }
            if first.len() + self.open_bytes > MAX_RECORD {
                return Ok(Err(Broken::Open));
            }
            if self.open == self.ahead.len() {
                match self.read_line()? {
                    Some(line) => self.ahead.push_back(line),
                    None => return Ok(Err(Broken::Open)),
                }
            }
            let Some(Line::Text(next)) = self.ahead.get(self.open) else {
                return Ok(Err(Broken::Open));
            };
            match quoting(next, true, self.delimiter) {
                Quoting::Open => {
                    self.open_bytes += next.len();
                    self.open += 1;
                }
                Quoting::Broken(broken) => self.breaks = Some(broken),
                Quoting::Closed => {
                    let record = self.take(first);
                    return Ok(self.cells(&record));
                }
            }
        }
    }

    /// A record with the lines that leave its cell open, and the one after them that closes it.
    fn take(&mut self, first: Vec<u8>) -> Vec<u8> {
        let mut record = first;
        self.line += self.open as u64 + 1;
        for line in self.ahead.drain(..=self.open) {
            if let Line::Text(line) = line {
                record.extend(line);
            }
        }
        (self.open, self.open_bytes) = (0, 0);
        record
    }

    /// The next line, or `None` after the last.
    fn next_line(&mut self) -> io::Result<Option<Line>> {
        let line = match self.ahead.pop_front() {
            Some(line) => {
                match &line {
                    Line::Text(text) if self.open > 0 => {
                        self.open -= 1;
                        self.open_bytes -= text.len();
                    }
                    // The line that breaks is itself the next row now.
                    _ => self.breaks = None,
                }
                line
            }
            None => match self.read_line()? {
                Some(line) => line,
                None => return Ok(None),
            },
        };
        self.line += 1;
        Ok(Some(line))
    }

    fn read_line(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        let read = (&mut self.from).take(MAX_RECORD as u64).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        if read == MAX_RECORD && !line.ends_with(b"\n") && self.from.skip_until(b'\n')? > 0 {
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Text(line)))
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
        // Checked before; but what is not understood must not get lost.
        if record[read..].iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
            return Err(Broken::Return);
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
    Broken(Broken),
}

/// Whether the quoted cells of a line end in it (RFC 4180, section 2, rules 5 to 7). `inside`: the line begins within one.
/// Quotation marks in a cell that does not begin with one are part of it.
fn quoting(line: &[u8], mut inside: bool, delimiter: u8) -> Quoting {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    let mut rest = &line[..end];
    loop {
        if !inside {
            if let Some(quoted) = rest.strip_prefix(b"\"") {
                rest = quoted;
            } else {
                match rest.iter().position(|byte| *byte == delimiter || *byte == b'\r') {
                    Some(end) if rest[end] == b'\r' => return Quoting::Broken(Broken::Return),
                    Some(end) => rest = &rest[end + 1..],
                    None => return Quoting::Closed,
                }
                continue;
            }
        }
        let Some(end) = rest.iter().position(|byte| *byte == b'"') else {
            return Quoting::Open;
        };
        rest = &rest[end + 1..];
        inside = match rest.first() {
            Some(b'"') => true,
            Some(byte) if *byte == delimiter => false,
            Some(b'\r') => return Quoting::Broken(Broken::Return),
            Some(_) => return Quoting::Broken(Broken::Trailing),
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

    #[test]
    fn a_carriage_return_alone_loses_nothing() {
        assert_eq!(
            rows(b"a,x\ry\n\rb,2\n\"c\"\rd\ne,\"x\ry\"\r\r\nf,6\r"),
            [
                (1, Err(Broken::Return)),
                (2, Err(Broken::Return)),
                (3, Err(Broken::Return)),
                (4, cells(&["e", "x\ry"])),
                (5, cells(&["f", "6"])),
            ]
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_not_held() {
        let long = vec![b'x'; 3 * MAX_RECORD];
        let most = vec![b'y'; MAX_RECORD];
        let text =
            [b"a,1\n", &long[..], b"\nb,\"2\n", &long[..], b"\n", &most[..], b"\n", &most[..]].concat();
        let mut rows = Rows::new(&text[..], b',', Encoding::Utf8);
        let mut told = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            assert!(rows.ahead.len() < 2);
            told.push((row.line, row.cells.map(|cells| cells.concat().len())));
        }
        let expected = [
            (1, Ok(2)),
            (2, Err(Broken::TooLong)),
            (3, Err(Broken::Open)),
            (4, Err(Broken::TooLong)),
            (5, Err(Broken::TooLong)),
            (6, Ok(MAX_RECORD)),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn rows_after_a_broken_one_are_read_as_if_it_were_not_there() {
        let text = b"1,\"a\n2,\"\"\"b\n3\"\",\"\"\",\"c\n4,d\n5,\"e\"\n6,\"f\ng\",\"h\n\"\n8,\"i";
        let all = rows(text);
        for (line, row) in &all {
            let before = text.split_inclusive(|byte| *byte == b'\n').take(usize::try_from(line - 1).unwrap());
            let alone = &text[before.map(<[u8]>::len).sum::<usize>()..];
            assert_eq!(rows(alone)[0].1, *row, "line {line}");
        }
        assert!(all.iter().any(|(_, row)| row.is_err()) && all.iter().any(|(_, row)| row.is_ok()), "{all:?}");
    }

    #[test]
    fn a_mark_that_is_not_closed_is_sought_once() {
        // From within a cell each of these lines leaves it open again.
        let text = b"5\",\"\"\"\n".repeat(100_000);
        let text = [b"x,\"open\n", &text[..]].concat();
        let mut rows = Rows::new(&text[..], b',', Encoding::Utf8);
        let (mut seen, mut count) = (0, 0);
        while let Some(row) = rows.next().unwrap() {
            assert_eq!(row.cells, Err(Broken::Open));
            // What was looked at stays so.
            let sought = row.line + rows.open as u64;
            assert!(
                sought >= seen && sought - row.line > 0 || rows.ahead.is_empty(),
                "{sought} after {seen}"
            );
            (seen, count) = (sought, count + 1);
        }
        assert_eq!(count, 100_001);
    }
}
