//! What hands messages over in a process, and takes in what carriers report.

use std::sync::Arc;
use std::time::Duration;

use muster_carrier::{Carriers, Reports, Sources, open, open_callers};
use muster_delivery::Client;
use muster_domain::Directory;
use muster_sender::{Counts, Intake, Pace, STOP, Sender};
use muster_store::Store;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::background::{PAUSE, Threads, stopped, supervise};

/// How often it is said what was done, if anything was.
const SAID: Duration = Duration::from_mins(1);
/// How long carriers may take to say goodbye, and what they have reported to be stored.
const GOODBYE: Duration = Duration::from_secs(4);
const LAST_REPORTS: Duration = Duration::from_secs(2);

/// What hands messages over, on threads of its own.
pub(crate) struct Messages {
    carriers: Arc<Carriers>,
    /// `None` where another process hands over, and this one only takes reports.
    sender: Option<JoinHandle<()>>,
    intake: JoinHandle<()>,
    end_intake: watch::Sender<bool>,
    counts: Arc<Counts>,
    threads: Threads,
}

impl Messages {
    /// Opens the carriers, and works until it is said to stop. Where another process hands messages over, only the gateways
    /// that call back are opened.
    pub(crate) fn start(
        directory: &Arc<Directory<Store>>,
        config: &muster_carrier::Config,
        client: Client,
        hands_over: bool,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let threads = Threads::start("messages")?;
        let sources =
            Sources { clock: Arc::clone(&directory.clock), entropy: Arc::clone(&directory.entropy), client };
        let entered = threads.handle().enter();
        let (carriers, reports) =
            if hands_over { open(config, &sources)? } else { open_callers(config, &sources)? };
        drop(entered);
        let (carriers, counts) = (Arc::new(carriers), Arc::new(Counts::default()));
        let (end_intake, ended) = watch::channel(false);
        let intake = {
            let (directory, carriers, counts) =
                (Arc::clone(directory), Arc::clone(&carriers), Arc::clone(&counts));
            let reports: Arc<Mutex<Reports>> = Arc::new(Mutex::new(reports));
            supervise("taking in reports of carriers", ended, PAUSE, move |stop| {
                let reports = Arc::clone(&reports);
                let intake = Intake::new(Arc::clone(&directory), Arc::clone(&carriers), Arc::clone(&counts));
                async move { intake.run(&reports, stopped(stop)).await }
            })
        };
        let intake = threads.handle().spawn(intake);
        threads.handle().spawn(say(Arc::clone(&counts)));
        let sender = hands_over.then(|| {
            let (directory, carriers, counts) =
                (Arc::clone(directory), Arc::clone(&carriers), Arc::clone(&counts));
            threads.handle().spawn(supervise("handing messages over", stop, PAUSE, move |stop| {
                let (directory, carriers) = (Arc::clone(&directory), Arc::clone(&carriers));
                Sender::new(directory, carriers, Arc::clone(&counts), Pace::default()).run(stopped(stop))
            }))
        });
        Ok(Self { carriers, sender, intake, end_intake, counts, threads })
    }

    pub(crate) fn carriers(&self) -> Arc<Carriers> {
        Arc::clone(&self.carriers)
    }

    /// Waits for the end of what was said to stop, which does not take long; then takes leave of the carriers, and stores
    /// what they have reported last.
    pub(crate) async fn ended(self) {
        if let Some(sender) = self.sender {
            match timeout(STOP + STOP / 2, sender).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "handing messages over has failed"),
                Err(_) => tracing::warn!("handing messages over did not end in time"),
            }
        }
        let carriers = Arc::clone(&self.carriers);
        // They have timers on these threads.
        let closing = self.threads.handle().spawn(async move { carriers.close().await });
        _ = timeout(GOODBYE, closing).await;
        self.end_intake.send_replace(true);
        if timeout(LAST_REPORTS, self.intake).await.is_err() {
            tracing::warn!("some reports of carriers were not stored; they will come again");
        }
        self.counts.log(0);
    }
}

/// Says now and then what was done.
async fn say(counts: Arc<Counts>) {
    let mut tick = interval(SAID);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut said = 0;
    loop {
        tick.tick().await;
        said = counts.log(said);
    }
}
