//! A body that is sent in chunks (RFC 9112, section 7.1): its line ends are counted, and the rest is thrown away.

use anyhow::{Context as _, bail};

/// How far such a body is read.
#[derive(Debug)]
pub(super) struct Chunks {
    state: State,
    /// The line ends in what has come.
    pub(super) lines: u64,
}

#[derive(Debug)]
enum State {
    /// In the line with the size of the next chunk; `None` before its first digit.
    Size(Option<usize>),
    /// In a chunk, of which so much is missing.
    Data(usize),
    /// Behind a chunk, before the end of its line.
    DataEnd,
    /// Behind the last chunk, in a line that is empty so far or not.
    Trailer {
        empty: bool,
    },
    Done,
}

impl Chunks {
    pub(super) const fn new() -> Self {
        Self { state: State::Size(None), lines: 0 }
    }

    /// Takes what comes next, however it was cut. Returns whether the body is complete. Errors: what is not made of
    /// chunks, and what comes behind the end.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> anyhow::Result<bool> {
        while let Some((first, rest)) = bytes.split_first() {
            if let State::Data(missing) = self.state {
                let (data, behind) = bytes.split_at(missing.min(bytes.len()));
                self.lines += data.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
                bytes = behind;
                self.state = match missing - data.len() {
                    0 => State::DataEnd,
                    missing => State::Data(missing),
                };
            } else {
                self.framing(*first)?;
                bytes = rest;
            }
        }
        Ok(matches!(self.state, State::Done))
    }

    /// Takes a byte that is not in a chunk.
    fn framing(&mut self, byte: u8) -> anyhow::Result<()> {
        let next = match (&self.state, byte) {
            (State::Done, _) => bail!("there is more than one answer"),
            (State::Size(Some(_)) | State::DataEnd | State::Trailer { .. }, b'\r') => return Ok(()),
            (State::Size(Some(0)), b'\n') => State::Trailer { empty: true },
            (State::Size(Some(size)), b'\n') => State::Data(*size),
            (State::Size(size), digit) => {
                let digit = char::from(digit).to_digit(16).context("a strange size of a chunk")?;
                let size = size.unwrap_or(0).checked_mul(16).context("too large a chunk")?;
                State::Size(Some(size + usize::try_from(digit)?))
            }
            (State::DataEnd, b'\n') => State::Size(None),
            (State::Trailer { empty: true }, b'\n') => State::Done,
            (State::Trailer { .. }, byte) => State::Trailer { empty: byte == b'\n' },
            (State::DataEnd | State::Data(_), _) => bail!("a chunk does not end where it should"),
        };
        self.state = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_however_the_body_is_cut() {
        let body = b"5\r\na\nb\r\n\r\n1A\r\n0123456789\n0123456789\n3\r\n\r\r\n0\r\nX-Sum: 1\r\n\r\n";
        for first in 0..body.len() {
            let mut chunks = Chunks::new();
            assert!(!chunks.take(&body[..first]).unwrap());
            assert!(chunks.take(&body[first..]).unwrap(), "cut at {first}");
            assert_eq!(chunks.lines, 5);
        }
        let mut chunks = Chunks::new();
        let done = body.iter().map(|byte| chunks.take(&[*byte]).unwrap());
        assert_eq!(done.filter(|done| *done).count(), 1);
        assert_eq!(chunks.lines, 5);
    }

    #[test]
    fn what_is_not_made_of_chunks_is_an_error() {
        for wrong in ["\r\n", "x\r\n", "2\r\nabc\r\n", "0\r\n\r\nHTTP", "10000000000000000\r\n", "1;a=b\r\n"]
        {
            assert!(Chunks::new().take(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert!(!Chunks::new().take(b"3\r\nab").unwrap());
    }
}
