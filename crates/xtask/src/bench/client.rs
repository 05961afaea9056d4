//! A lean HTTP/1.1 client: one connection, one request at a time, nothing allocated for a request.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::caller::Caller;
use super::chunks::Chunks;

/// A kept-alive connection.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    /// Empty if it was sent in chunks, which are not kept.
    pub(super) body: &'a [u8],
    /// The line ends of a body that was sent in chunks.
    pub(super) lines: u64,
}

/// What is kept of an answer at first, and read of chunks at once.
const BUFFER: usize = 64 * 1024;

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER] })
    }

    /// Sends a request and reads its answer. Errors: any answer that is not 2xx.
    pub(super) async fn call(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await.context("the request broke off")?;
        let mut filled = 0;
        let head = loop {
            ensure!(filled < self.buffer.len(), "the head of the answer has no end");
            filled += self.read(filled).await?;
            if let Some(head) = Head::parse(&self.buffer[..filled])? {
                break head;
            }
        };
        let mut chunks = Chunks::new();
        let end = match head.length {
            Length::Bytes(length) => {
                let end = head.body + length;
                if self.buffer.len() < end {
                    self.buffer.resize(end, 0);
                }
                while filled < end {
                    filled += self.read(filled).await?;
                }
                ensure!(filled == end, "there is more than one answer");
                end
            }
            // The first chunks of a bad answer tell enough.
            Length::Chunked if !head.is_good() => filled,
            Length::Chunked => {
                let mut complete = chunks.take(&self.buffer[head.body..filled])?;
                while !complete {
                    let read = self.read(0).await?;
                    complete = chunks.take(&self.buffer[..read])?;
                }
                head.body
            }
        };
        if !head.is_good() {
            bail!("a bad answer:\n{}", String::from_utf8_lossy(&self.buffer[..end]));
        }
        Ok(Answer { body: &self.buffer[head.body..end], lines: chunks.lines })
    }

    /// Reads what comes next into the buffer, from this place on.
    async fn read(&mut self, from: usize) -> anyhow::Result<usize> {
        let read = self.stream.read(&mut self.buffer[from..]).await.context("the answer broke off")?;
        ensure!(read > 0, "the server closed the connection");
        Ok(read)
    }
}

/// What has to be known of the head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Where the body begins.
    body: usize,
    length: Length,
}

#[derive(Debug, PartialEq, Eq)]
enum Length {
    Bytes(usize),
    Chunked,
}

impl Head {
    /// The head at the beginning of `bytes`, or `None` while it is incomplete. Errors: what is not an answer with a
    /// body whose length is known or which is sent in chunks.
    fn parse(bytes: &[u8]) -> anyhow::Result<Option<Self>> {
        let mut status = None;
        let mut length = None;
        let mut at = 0;
        while let Some(line_length) = bytes[at..].iter().position(|byte| *byte == b'\n') {
            let line = bytes[at..at + line_length].trim_ascii_end();
            at += line_length + 1;
            if status.is_none() {
                status = Some(line.strip_prefix(b"HTTP/1.1 ").and_then(number).context("not HTTP/1.1")?);
            } else if line.is_empty() {
                let status =
                    status.and_then(|status| u16::try_from(status).ok()).context("a strange status")?;
                // An answer of this status has no body (RFC 9110, section 15.3.5).
                let length = length.or((status == 204).then_some(Length::Bytes(0)));
                let length = length.context("an answer without Content-Length and not in chunks")?;
                return Ok(Some(Self { status, body: at, length }));
            } else if let Some(value) = value_of(line, b"content-length:") {
                length = Some(Length::Bytes(number(value).context("a strange Content-Length")?));
            } else if let Some(value) = value_of(line, b"transfer-encoding:") {
                ensure!(value.eq_ignore_ascii_case(b"chunked"), "a strange Transfer-Encoding");
                length = Some(Length::Chunked);
            }
        }
        Ok(None)
    }

    fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// The decimal number that `bytes` begin with.
fn number(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    std::str::from_utf8(&bytes[..end]).ok()?.parse().ok()
}

/// A POST of a JSON body.
pub(super) fn post(path: &str, caller: &Caller, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        caller.headers("POST", path, &body),
        body.len()
    )
    .into_bytes()
}

/// A DELETE.
pub(super) fn delete(path: &str, caller: &Caller) -> Vec<u8> {
    format!("DELETE {path} HTTP/1.1\r\n{}\r\n", caller.headers("DELETE", path, "")).into_bytes()
}

/// Logs in and returns who can call then.
pub(super) async fn log_in(address: SocketAddr, email: &str, password: &str) -> anyhow::Result<Caller> {
    let request = post("/oauth/token", &Caller::Nobody, &json!({ "email": email, "password": password }));
    let mut connection = Connection::open(address).await?;
    let answer = connection.call(&request).await.context("the log-in")?;
    let body: Value = serde_json::from_slice(answer.body)?;
    Ok(Caller::bearer(body["access_token"].as_str().context("the log-in gave no token")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_once_they_are_complete() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\ncontent-LENGTH:  5 \r\n\r\nhello";
        let head = Head { status: 201, body: 71, length: Length::Bytes(5) };
        for end in 0..71 {
            assert_eq!(Head::parse(&answer[..end]).unwrap(), None);
        }
        assert_eq!(Head::parse(&answer[..71]).unwrap().as_ref(), Some(&head));
        assert_eq!(Head::parse(answer).unwrap(), Some(head));
    }

    #[test]
    fn bodies_have_a_length_or_come_in_chunks_or_are_not_there() {
        let length = |answer: &[u8]| Head::parse(answer).unwrap().unwrap().length;
        assert_eq!(length(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\n"), Length::Chunked);
        assert_eq!(length(b"HTTP/1.1 204 No Content\r\n\r\n"), Length::Bytes(0));
    }

    #[tokio::test]
    async fn answers_are_read_whole_and_chunks_are_counted() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let long = "x".repeat(3 * BUFFER);
        let answers = [
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na\nb\n\r\n0\r\n\r\n".to_owned(),
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{long}", long.len()),
            "HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwhy?\r\n0\r\n\r\n".to_owned(),
        ];
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in answers {
                stream.read_exact(&mut [0; 2]).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let mut connection = Connection::open(address).await.unwrap();
        let answer = connection.call(b"GO").await.unwrap();
        assert_eq!((answer.body, answer.lines), (&b""[..], 2));
        let answer = connection.call(b"GO").await.unwrap();
        assert_eq!((answer.body.len(), answer.lines), (long.len(), 0));
        assert!(connection.call(b"GO").await.unwrap_err().to_string().contains("422"));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let wrong: [&[u8]; 4] = [
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"SSH-2.0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        ];
        for answer in wrong {
            assert!(Head::parse(answer).is_err());
        }
    }
}
