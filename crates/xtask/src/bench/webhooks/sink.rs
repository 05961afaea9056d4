//! Endpoints of webhooks on this machine, which take what comes and count it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::clock::now;

const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
/// How often it is looked at how many have come.
const LOOK: Duration = Duration::from_millis(1);
/// When nothing came for so long, nothing is on its way.
const REST: Duration = Duration::from_millis(500);

/// So many endpoints, each at a port of its own as those of different customers are, and one that never answers. They
/// have a thread of their own, which ends with the program.
pub(super) struct Sinks {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) silent: SocketAddr,
    taken: Arc<Taken>,
}

/// What all but the silent one have taken.
#[derive(Default)]
struct Taken {
    count: AtomicU64,
    /// When the last one came, or each, if that is wanted.
    at: Mutex<Vec<Instant>>,
    keeps_all: AtomicBool,
}

impl Sinks {
    pub(super) fn start(count: usize) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let taken = Arc::new(Taken::default());
        let mut addresses = Vec::new();
        for number in 0..=count {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").context("an endpoint")?;
            listener.set_nonblocking(true)?;
            addresses.push(listener.local_addr()?);
            // The last one is the silent one.
            let taken = (number < count).then(|| Arc::clone(&taken));
            runtime.spawn(async move { listen(TcpListener::from_std(listener)?, taken).await });
        }
        let silent = addresses.pop().context("there is no endpoint")?;
        thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        Ok(Self { addresses, silent, taken })
    }

    /// Forgets what has come. Whether the time of each that comes is kept, or that of the last only.
    pub(super) fn reset(&self, keeps_all: bool) {
        self.taken.keeps_all.store(keeps_all, Ordering::Relaxed);
        self.taken.at.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.taken.count.store(0, Ordering::SeqCst);
    }

    pub(super) fn count(&self) -> u64 {
        self.taken.count.load(Ordering::SeqCst)
    }

    /// When what was kept has come.
    pub(super) fn times(&self) -> Vec<Instant> {
        self.taken.at.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until nothing has come for a while.
    pub(super) async fn rest(&self) {
        let mut before = None;
        while before != Some(self.count()) {
            before = Some(self.count());
            sleep(REST).await;
        }
    }

    /// Waits until so many have come. Errors: for `patience` none comes.
    pub(super) async fn wait_for(&self, count: u64, patience: Duration) -> anyhow::Result<()> {
        let (mut before, mut since) = (self.count(), now());
        while before < count {
            sleep(LOOK).await;
            let have = self.count();
            if have > before {
                (before, since) = (have, now());
            }
            ensure!(since.elapsed() < patience, "only {have} of {count} deliveries came");
        }
        Ok(())
    }
}

impl Taken {
    fn add(&self) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.keeps_all.load(Ordering::Relaxed) {
            at.clear();
        }
        at.push(now());
        self.count.fetch_add(1, Ordering::SeqCst);
    }
}

async fn listen(listener: TcpListener, taken: Option<Arc<Taken>>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let taken = taken.clone();
        // Whoever called may be gone.
        tokio::spawn(async move { serve(stream, taken.as_deref()).await.unwrap_or_default() });
    }
}

/// Takes one request after the other, which is enough for a client that waits for its answers.
async fn serve(mut stream: TcpStream, taken: Option<&Taken>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let end = loop {
            match end(&buffer) {
                Some(end) if buffer.len() >= end => break end,
                _ => {}
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        buffer.drain(..end);
        if let Some(taken) = taken {
            taken.add();
            stream.write_all(ANSWER).await?;
        }
    }
}

/// Where the request ends whose head is complete.
fn end(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(bytes.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some(head + length.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_with_its_body() {
        let request = b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello";
        assert_eq!(end(request), Some(request.len()));
        assert_eq!(end(&request[..20]), None);
        assert_eq!(end(b"GET / HTTP/1.1\r\n\r\n"), Some(18));
    }

    #[tokio::test]
    async fn what_comes_is_counted_and_the_silent_one_counts_nothing() {
        let sinks = Sinks::start(2).unwrap();
        sinks.reset(true);
        for address in sinks.addresses.iter().chain([&sinks.silent]) {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
            if *address != sinks.silent {
                let mut answer = vec![0; ANSWER.len()];
                stream.read_exact(&mut answer).await.unwrap();
                assert_eq!(answer, ANSWER);
            }
        }
        sinks.wait_for(2, Duration::from_secs(5)).await.unwrap();
        assert_eq!((sinks.count(), sinks.times().len()), (2, 2));
        sinks.reset(false);
        assert_eq!((sinks.count(), sinks.times().len()), (0, 0));
    }
}
