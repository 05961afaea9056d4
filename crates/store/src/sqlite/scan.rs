//! Threads for long reads (trees, lists), so that none keeps a request thread from the others.
//!
//! They are few and the same ones throughout: a thread keeps the memory that a long read has needed, and many
//! threads that take turns would each keep it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use muster_domain::StoreError;
use rusqlite::{Connection, InterruptHandle};
use tokio::sync::oneshot;

use super::error::store_error;
use super::{connect, in_transaction};

/// A read, which has a place of its own for what it finds. It gets an error instead of a connection when there is none.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) + Send>;

/// The handle of the threads, which end with it.
pub(super) struct Scanners {
    jobs: Sender<Job>,
}

impl Scanners {
    pub(super) fn start(path: &Path, threads: usize) -> io::Result<Self> {
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads.max(1) {
            let (path, waiting) = (path.to_owned(), Arc::clone(&waiting));
            std::thread::Builder::new()
                .name(format!("sqlite-scan-{number}"))
                .spawn(move || serve(&path, &waiting))?;
        }
        Ok(Self { jobs })
    }

    /// Runs a read on one state of the store. Whoever waits is bounded by the requests that are served at once.
    pub(super) fn run<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        let (reply, done) = oneshot::channel();
        let waiting = Waiting { done, running: Arc::default() };
        let running = Arc::clone(&waiting.running);
        let job: Job = Box::new(move |connection| {
            let read = connection.and_then(|connection| {
                *lock(&running) = Some(connection.get_interrupt_handle());
                // A request that is gone by now costs no scan.
                let read = if reply.is_closed() { Err(gone()) } else { in_transaction(connection, f) };
                *lock(&running) = None;
                read
            });
            // Nobody waits for it any more, if it cannot be sent.
            let _ = reply.send(read);
        });
        let sent = self.jobs.send(job).map_err(|_| StoreError::Unavailable("the store is closed".into()));
        async move {
            let mut waiting = waiting;
            sent?;
            (&mut waiting.done).await.map_err(|_| StoreError::Internal("a scan was lost".to_owned()))?
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("nobody waits for it".into())
}

/// What a running scan is ended by.
type Running = Mutex<Option<InterruptHandle>>;

fn lock(running: &Running) -> MutexGuard<'_, Option<InterruptHandle>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody who waits for a scan. When it goes, the scan ends: what takes long must not keep its thread from others
/// for nobody. The channel is dropped before the scan is looked for, so that one that begins just then sees it.
struct Waiting<T> {
    done: oneshot::Receiver<T>,
    running: Arc<Running>,
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.done.close();
        if let Some(scan) = &*lock(&self.running) {
            scan.interrupt();
        }
    }
}

/// A long read sees most pages once, so it needs less of a cache than the short ones (KiB): a whole list that is sent to
/// somebody shall not cost more memory than that.
fn connect_for_scans(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, false)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    Ok(connection)
}

fn serve(path: &Path, waiting: &Mutex<Receiver<Job>>) {
    let mut kept = None;
    loop {
        // The lock is held while one thread waits for a job; the others wait for the lock.
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else {
            return;
        };
        let connection = match kept.take() {
            Some(connection) => Ok(connection),
            None => connect_for_scans(path).map_err(store_error),
        };
        let panicked =
            catch_unwind(AssertUnwindSafe(|| job(connection.as_ref().map_err(Clone::clone)))).is_err();
        // A transaction that was not ended must not be anybody else's.
        kept = connection.ok().filter(|connection| !panicked && connection.is_autocommit());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_scan_ends_when_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("muster.db");
        connect(&path, true).unwrap();
        let scanners = Scanners::start(&path, 1).unwrap();
        let count = |sql: &'static str| {
            scanners.run(move |connection| {
                connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(store_error)
            })
        };
        let endless =
            "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n) SELECT COUNT(*) FROM n";
        for _ in 0..3 {
            assert!(tokio::time::timeout(Duration::from_millis(50), count(endless)).await.is_err());
        }
        assert_eq!(count("SELECT 7").await, Ok(7));
    }
}
