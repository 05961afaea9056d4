//! A lean HTTP/1.1 client: one connection, one request at a time, nothing allocated for a request.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A kept-alive connection.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) body: &'a [u8],
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 8 * 1024] })
    }

    /// Sends a request and reads its answer. Errors: any answer that is not 2xx.
    pub(super) async fn call(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await.context("the request broke off")?;
        let mut filled = 0;
        let head = loop {
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await.context("the answer broke off")?;
            ensure!(read > 0, "the server closed the connection");
            filled += read;
            if let Some(head) = Head::parse(&self.buffer[..filled])? {
                ensure!(filled <= head.end, "there is more than one answer");
                if filled == head.end {
                    break head;
                }
            }
        };
        if !(200..300).contains(&head.status) {
            bail!("a bad answer:\n{}", String::from_utf8_lossy(&self.buffer[..head.end]));
        }
        Ok(Answer { body: &self.buffer[head.body..head.end] })
    }
}

/// What has to be known of the head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Where the body begins and where it ends.
    body: usize,
    end: usize,
}

impl Head {
    /// The head at the beginning of `bytes`, or `None` while it is incomplete. Errors: what is not an
    /// answer with a `Content-Length`.
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
                let length: usize = length.context("an answer without Content-Length")?;
                let status =
                    status.and_then(|status| u16::try_from(status).ok()).context("a strange status")?;
                return Ok(Some(Self { status, body: at, end: at + length }));
            } else if let Some(value) = value_of(line, b"content-length:") {
                length = Some(number(value).context("a strange Content-Length")?);
            }
        }
        Ok(None)
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
pub(super) fn post(path: &str, token: Option<&str>, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\n{authorization}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Logs in and returns the access token.
pub(super) async fn log_in(address: SocketAddr, email: &str, password: &str) -> anyhow::Result<String> {
    let request = post("/oauth/token", None, &json!({ "email": email, "password": password }));
    let mut connection = Connection::open(address).await?;
    let answer = connection.call(&request).await.context("the log-in")?;
    let body: Value = serde_json::from_slice(answer.body)?;
    Ok(body["access_token"].as_str().context("the log-in gave no token")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_once_they_are_complete() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\ncontent-LENGTH:  5 \r\n\r\nhello";
        let head = Head { status: 201, body: 71, end: 76 };
        assert_eq!(Head::parse(answer).unwrap(), Some(head));
        for end in 0..71 {
            assert_eq!(Head::parse(&answer[..end]).unwrap(), None);
        }
        assert_eq!(Head::parse(&answer[..72]).unwrap().map(|head| head.end), Some(76));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let wrong: [&[u8]; 3] = [
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"SSH-2.0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        ];
        for answer in wrong {
            assert!(Head::parse(answer).is_err());
        }
    }
}
