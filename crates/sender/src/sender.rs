//! Finding messages that are due, tenant by tenant, and sending chunks of them on their way.
//!
//! Tenants stand in a ring, and each claims one chunk when it is its turn. One comes in at once when this process takes
//! a message of it, and within a second when another process did, or when its next message becomes due. Bulks are steered beside:
//! each step of one is a few commits, and tenants take turns in these, too.

mod ring;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use muster_carrier::Carriers;
use muster_domain::message::Claimed;
use muster_domain::{BulkId, Directory, Error, Store, TenantId};
use tokio::sync::{Notify, mpsc};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::Counts;
use crate::chunk::{self, AGAIN, LONGEST_AGAIN, Shared};
use crate::gate::Places;
use crate::gates::Gates;
use crate::look::{Found, Looks};
use ring::{Lane, Ring};

/// How long what is on its way may take when the process stops.
pub const STOP: Duration = Duration::from_secs(3);
/// Messages that are claimed at once.
const CHUNK: usize = 200;
/// Chunks of a tenant that are on their way at once: more than a carrier that hangs can hold of it.
const CHUNKS: usize = 1000;
/// Claims that the store is asked for at once.
const CLAIMS: usize = 8;
/// Pieces of work of bulks that are done at once: the greatest are commits of thousands of messages.
const STEPS: usize = 2;
/// Commits of one of them, after which other bulks have their turn.
const COMMITS: u32 = 16;
/// From one look at what this process has taken to the next, and from one at the room before carriers.
const CALM: Duration = Duration::from_millis(5);
const ROOM_CALM: Duration = Duration::from_millis(2);
/// A claim that is lost is left for so long to whoever had it, who may only have lacked the store.
const GRACE: Duration = Duration::from_secs(10);
/// How long a tenant rests of which most messages went back: its others may be worth a look, but not at any price.
const REST: Duration = Duration::from_millis(250);

/// How often things are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From one look for what other processes have taken, and for what is due soon, to the next.
    pub round: Duration,
    /// From one renewal of a claim, which holds for a minute, to the next.
    pub keep: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { round: Duration::from_secs(1), keep: Duration::from_secs(20) }
    }
}

/// Hands over the messages of a directory.
pub struct Sender<S> {
    shared: Arc<Shared<S>>,
    freed: Arc<Notify>,
    pace: Pace,
    ring: Ring,
    /// What is to be done about bulks, which is no claim.
    steps: Ring,
    stepping: HashMap<Id, AbortHandle>,
    /// Tenants of which more may be due than single messages.
    news: HashSet<TenantId>,
    /// When tenants are to be looked at again.
    timers: BTreeSet<(Instant, TenantId)>,
    looks: Looks<S>,
    chunks: JoinSet<usize>,
    by_task: HashMap<Id, (TenantId, Lane)>,
    claiming: usize,
    claims: (mpsc::UnboundedSender<ClaimEnd>, mpsc::UnboundedReceiver<ClaimEnd>),
}

/// A claim was made, or not.
struct ClaimEnd {
    tenant: TenantId,
    lane: Lane,
    /// There were as many as were asked for: there may be more.
    is_full: bool,
}

/// Tells of the end of a claim, however it ends.
struct Teller(mpsc::UnboundedSender<ClaimEnd>, Option<ClaimEnd>);

impl<S: Store + 'static> Sender<S> {
    pub fn new(
        directory: Arc<Directory<S>>,
        carriers: Arc<Carriers>,
        counts: Arc<Counts>,
        pace: Pace,
    ) -> Self {
        let freed = Arc::new(Notify::new());
        let gates = Gates::new(carriers, &directory.clock, &counts, &freed);
        Self {
            looks: Looks::new(Arc::clone(&directory)),
            shared: Arc::new(Shared { directory, gates, counts, keep: pace.keep }),
            freed,
            pace,
            ring: Ring::default(),
            steps: Ring::default(),
            stepping: HashMap::new(),
            news: HashSet::new(),
            timers: BTreeSet::new(),
            chunks: JoinSet::new(),
            by_task: HashMap::new(),
            claiming: 0,
            claims: mpsc::unbounded_channel(),
        }
    }

    /// Hands over until `stop` completes; then what is on its way may end, for [`STOP`] at most, and all else goes back to
    /// those that wait.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut round = interval(self.pace.round);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut calm, mut room_calm) = (Instant::now(), Instant::now());
        let (shared, freed) = (Arc::clone(&self.shared), Arc::clone(&self.freed));
        let mut gates: JoinSet<()> = shared.gates.all().map(|gate| Arc::clone(gate).run()).collect();
        loop {
            let taken = async {
                sleep_until(calm).await;
                shared.directory.store.messages_taken().await
            };
            let freed = async {
                sleep_until(room_calm).await;
                freed.notified().await;
            };
            let timer = self.timers.first().map(|(at, _)| *at);
            let timer = async {
                match timer {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = self.chunks.join_next_with_id() => self.ended(ended),
                Some(end) = self.claims.1.recv() => self.claimed(&end),
                Some(Err(error)) = gates.join_next() => {
                    // Whoever supervises this begins anew.
                    std::panic::resume_unwind(error.into_panic());
                }
                found = self.looks.next() => {
                    if let Some(found) = found {
                        self.found(&found);
                    }
                }
                tenants = taken => {
                    for tenant in tenants {
                        self.ring.due(tenant, Lane::Single);
                        self.news.insert(tenant);
                    }
                    calm = Instant::now() + CALM;
                }
                () = freed => room_calm = Instant::now() + ROOM_CALM,
                () = timer => self.timers_due(),
                _ = round.tick() => self.looks.round(),
            }
            self.go_on();
        }
        for gate in shared.gates.all() {
            gate.close();
        }
        // A commit that is handed in is carried out all the same.
        self.stepping.values().for_each(AbortHandle::abort);
        let ended = timeout(STOP, async { while self.chunks.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!(
                "messages were on their way when the time to stop was over; they are settled later"
            );
        }
    }

    fn timers_due(&mut self) {
        let now = Instant::now();
        while let Some((_, tenant)) = self.timers.first().filter(|(at, _)| *at <= now).copied() {
            self.timers.pop_first();
            self.ring.due(tenant, Lane::Single);
            self.news.insert(tenant);
        }
    }

    fn found(&mut self, found: &Found) {
        let Found { tenant, work } = found;
        let tenant = *tenant;
        let now = self.shared.directory.now();
        if work.lost_at.is_some_and(|at| at.plus(GRACE) <= now) {
            self.ring.due(tenant, Lane::Lost);
        }
        let lanes: Vec<_> = work.lanes.iter().copied().map(Lane::Bulk).collect();
        self.ring.due_bulks(tenant, &lanes, work.is_part);
        let steps: Vec<_> = work.steps.iter().copied().map(Lane::Step).collect();
        self.steps.due_bulks(tenant, &steps, work.is_part);
        if work.next_at.is_some_and(|at| at <= now) {
            self.ring.due(tenant, Lane::Single);
        }
        let soon = now.plus(self.pace.round * 2);
        for at in [work.next_at, work.bulks_at].into_iter().flatten().filter(|at| *at > now && *at <= soon) {
            let micros = u64::try_from(at.0 - now.0).unwrap_or(0);
            self.timers.insert((Instant::now() + Duration::from_micros(micros), tenant));
        }
    }

    /// Does what there is room for.
    fn go_on(&mut self) {
        if !self.news.is_empty() && self.looks.may_look_at_news() {
            self.looks.news(self.news.drain().collect());
        }
        while self.stepping.len() < STEPS
            && let Some((tenant, lane)) = self.steps.next(1)
        {
            self.step(tenant, lane);
        }
        self.turns();
    }

    /// Lets tenants claim, in turn, for as long as there is room for what they claim.
    fn turns(&mut self) {
        for _ in 0..self.ring.len() {
            if self.claiming >= CLAIMS {
                return;
            }
            let Some((tenant, lane)) = self.ring.next(CHUNKS) else { return };
            match self.shared.gates.reserve(tenant, CHUNK) {
                Some((count, places)) => self.claim(tenant, lane, count, places),
                None => self.ring.not_now(tenant, lane),
            }
        }
    }

    fn claim(&mut self, tenant: TenantId, lane: Lane, count: usize, places: Places) {
        self.claiming += 1;
        let shared = Arc::clone(&self.shared);
        let end = ClaimEnd { tenant, lane, is_full: false };
        let mut teller = Teller(self.claims.0.clone(), Some(end));
        let task = self.chunks.spawn(async move {
            let claimed = match claim(&shared.directory, tenant, lane, count).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::warn!(%error, %tenant, "messages could not be claimed; it is tried again");
                    None
                }
            };
            let found = claimed.as_ref().map_or(0, |claimed| claimed.messages.len());
            if let Some(end) = &mut teller.1 {
                end.is_full = found >= count;
            }
            drop(teller);
            match claimed {
                Some(claimed) => chunk::run(&shared, claimed, places).await,
                None => 0,
            }
        });
        self.by_task.insert(task.id(), (tenant, lane));
        self.ring.begin(tenant, lane);
    }

    /// Does one piece of work of a bulk.
    fn step(&mut self, tenant: TenantId, lane: Lane) {
        let shared = Arc::clone(&self.shared);
        let mut teller = Teller(self.claims.0.clone(), Some(ClaimEnd { tenant, lane, is_full: false }));
        let task = self.chunks.spawn(async move {
            let Lane::Step(id) = lane else { return 0 };
            match shared.directory.bulk_step(tenant, id, COMMITS).await {
                Ok(may_be_more) => {
                    if let Some(end) = &mut teller.1 {
                        end.is_full = may_be_more;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, %tenant, %id, "a bulk does not go on; it is tried again");
                }
            }
            0
        });
        self.by_task.insert(task.id(), (tenant, lane));
        self.stepping.insert(task.id(), task);
        self.steps.begin(tenant, lane);
    }

    fn claimed(&mut self, end: &ClaimEnd) {
        if matches!(end.lane, Lane::Step(_)) {
            self.steps.claimed(end.tenant, end.lane, end.is_full);
            return;
        }
        self.claiming -= 1;
        self.ring.claimed(end.tenant, end.lane, end.is_full);
    }

    fn ended(&mut self, ended: Result<(Id, usize), JoinError>) {
        let (task, returned) = match ended {
            Ok((task, returned)) => (task, returned),
            Err(error) => {
                tracing::error!(%error, "handing messages over has failed; they are settled later");
                (error.id(), 0)
            }
        };
        let Some((tenant, lane)) = self.by_task.remove(&task) else { return };
        if matches!(lane, Lane::Step(_)) {
            self.stepping.remove(&task);
            self.steps.ended(tenant, None);
            return;
        }
        if matches!(lane, Lane::Bulk(_)) {
            // Its last message may be gone.
            self.news.insert(tenant);
        }
        let rest = (returned > CHUNK / 2).then(|| Instant::now() + REST);
        if let Some(until) = rest {
            self.timers.insert((until, tenant));
        }
        self.ring.ended(tenant, rest);
    }
}

async fn claim<S: Store>(
    directory: &Directory<S>,
    tenant: TenantId,
    lane: Lane,
    count: usize,
) -> Result<Option<Claimed>, Error> {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    match lane {
        Lane::Lost => directory.messages_claim_lost(tenant, count).await,
        Lane::Single => claim_waiting(directory, tenant, None, count).await,
        Lane::Bulk(bulk) => claim_waiting(directory, tenant, Some(bulk), count).await,
        Lane::Step(_) => Ok(None),
    }
}

/// A claim of which nobody was told is given back, or its messages would be in doubt when it ends.
async fn claim_waiting<S: Store>(
    directory: &Directory<S>,
    tenant: TenantId,
    lane: Option<BulkId>,
    count: u32,
) -> Result<Option<Claimed>, Error> {
    let failed = match directory.messages_claim(tenant, lane, count).await {
        Ok(claimed) => return Ok(claimed),
        Err(failed) => failed,
    };
    let mut wait = AGAIN;
    while let Err(error) = directory.messages_release(failed.tenant, failed.claim).await {
        tracing::warn!(%error, %tenant, "a claim that has failed is not given back yet");
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_AGAIN);
    }
    Err(failed.error)
}

impl Drop for Teller {
    fn drop(&mut self) {
        if let Some(end) = self.1.take() {
            // Nobody listens at the end of the process.
            _ = self.0.send(end);
        }
    }
}
