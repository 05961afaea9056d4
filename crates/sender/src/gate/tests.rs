//! The gate before a carrier of the test, under a clock that stands still.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use muster_carrier::{Encoding, Part, Reason};
use tokio::time::sleep;

use super::*;

const NOW: Timestamp = Timestamp(1_000_000_000);

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// Does what the number says.
#[derive(Default)]
struct Scripted {
    repeats: bool,
    calls: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Scripted {
    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    async fn take(&self, message: Outgoing) -> Result<HandedOver, Failed> {
        self.calls.lock().unwrap().push(message.to.clone());
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        sleep(Duration::from_millis(10)).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        match message.to.as_str() {
            "refused" => Err(Failed::Refused { reason: Reason::Other, detail: String::new() }),
            "down" => Err(Failed::Unavailable(String::new())),
            "throttled" => Err(Failed::Throttled { after: Duration::from_secs(2) }),
            "unknown" => Err(Failed::Unknown { taken: Vec::new(), detail: String::new() }),
            "partly" => {
                Err(Failed::Unknown { taken: vec![(1, Some("p".to_owned()))], detail: String::new() })
            }
            "panic" => panic!("as asked for"),
            to => Ok(HandedOver { ids: vec![Some(to.to_owned())] }),
        }
    }
}

impl Carrier for Scripted {
    fn submit(&self, message: Outgoing) -> BoxFuture<'_, Result<HandedOver, Failed>> {
        Box::pin(self.take(message))
    }

    fn recognises_repeats(&self) -> bool {
        self.repeats
    }

    fn window(&self) -> usize {
        4
    }
}

struct World {
    gate: Arc<Gate>,
    carrier: Arc<Scripted>,
    counts: Arc<Counts>,
    answers: mpsc::UnboundedReceiver<(usize, Answer)>,
    sender: mpsc::UnboundedSender<(usize, Answer)>,
    hold: Arc<Hold>,
}

impl World {
    fn new(carrier: Scripted) -> Self {
        let (carrier, counts) = (Arc::new(carrier), Arc::new(Counts::default()));
        let shared: Arc<dyn Carrier> = carrier.clone();
        let freed = Arc::new(Notify::new());
        let gate = Arc::new(Gate::new("main", shared, Arc::new(Still), Arc::clone(&counts), freed));
        tokio::spawn(Arc::clone(&gate).run());
        let (sender, answers) = mpsc::unbounded_channel();
        let hold = Arc::new(Hold::new(NOW.plus(Duration::from_mins(1))));
        Self { gate, carrier, counts, answers, sender, hold }
    }

    fn admit(&self, tenant: i64, place: usize, to: &str) {
        self.admit_as(tenant, place, to, false);
    }

    fn admit_as(&self, tenant: i64, place: usize, to: &str, is_doubtful: bool) {
        let message = Outgoing {
            reference: place.to_string(),
            from: "Muster".to_owned(),
            to: to.to_owned(),
            text: String::new(),
            encoding: Encoding::Gsm,
            parts: vec![Part(Vec::new())],
            validity: None,
            want_receipt: false,
        };
        let (hold, answer) = (Arc::clone(&self.hold), self.sender.clone());
        let job = Job { place, tenant: TenantId(tenant), message, hold, answer, is_doubtful };
        // Nothing was reserved.
        let mut none = self.gate.room.take(TenantId(tenant), 0).unwrap();
        self.gate.admit(job, &mut none);
    }

    async fn answer(&mut self) -> (usize, Answer) {
        self.answers.recv().await.unwrap()
    }

    fn later(seconds: f64) -> Answer {
        Answer::Outcome(Outcome::Later(NOW.plus(Duration::from_secs_f64(seconds))))
    }
}

fn accepted(id: &str) -> Answer {
    let ids = vec![Some(id.to_owned())];
    Answer::Outcome(Outcome::Accepted { carrier: "main".to_owned(), ids, is_whole: true })
}

fn partly() -> Answer {
    let ids = vec![None, Some("p".to_owned())];
    Answer::Outcome(Outcome::Accepted { carrier: "main".to_owned(), ids, is_whole: false })
}

#[tokio::test(start_paused = true)]
async fn each_answer_of_a_carrier_has_its_outcome() {
    let mut world = World::new(Scripted::default());
    for (to, answer) in [
        ("taken", accepted("taken")),
        ("refused", Answer::Outcome(Outcome::Refused)),
        ("down", World::later(0.5)),
        ("throttled", World::later(2.0002)),
        ("unknown", Answer::Outcome(Outcome::Unknown)),
        ("partly", partly()),
    ] {
        world.admit(1, 7, to);
        assert_eq!(world.answer().await, (7, answer), "{to}");
    }
    assert_eq!(world.counts.unknown.get(), 1, "the other is counted with its note");
    assert!(world.gate.room.is_empty());
}

#[tokio::test(start_paused = true)]
async fn tenants_go_in_turn_and_the_window_is_kept() {
    let mut world = World::new(Scripted::default());
    for place in 0..12 {
        world.admit(1, place, "one");
    }
    world.admit(1, 12, "too many");
    assert_eq!(world.answer().await, (12, World::later(0.5)));
    world.admit(2, 13, "two");
    world.admit(2, 14, "two");
    for _ in 0..14 {
        world.answer().await;
    }
    let calls = world.carrier.calls();
    assert!(calls[..6].iter().filter(|to| *to == "two").count() == 2, "{calls:?}");
    assert_eq!(world.carrier.most_at_once.load(Ordering::SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_fails_is_left_alone_and_tried_with_one() {
    let mut world = World::new(Scripted::default());
    for place in 0..12 {
        world.admit(1, place, "down");
    }
    for _ in 0..12 {
        assert!(matches!(world.answer().await.1, Answer::Outcome(Outcome::Later(_))));
    }
    let tried = world.carrier.calls().len();
    assert!(tried <= 8, "the others go back untried: {tried}");
    assert_eq!(world.gate.wants(TenantId(1)), 0);
    world.admit(1, 20, "taken");
    assert!(matches!(world.answer().await, (20, Answer::Outcome(Outcome::Later(_)))));
    sleep(Duration::from_millis(600)).await;
    assert_eq!(world.gate.wants(TenantId(1)), 1, "one will tell");
    world.admit(1, 21, "taken");
    assert_eq!(world.answer().await, (21, accepted("taken")));
    assert_eq!(world.gate.wants(TenantId(1)), 12);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_doubt_is_asked_for_again_from_here() {
    let mut world = World::new(Scripted { repeats: true, ..Scripted::default() });
    world.admit(1, 1, "unknown");
    assert_eq!(world.answer().await, (1, Answer::Outcome(Outcome::Unknown)));
    assert_eq!(world.carrier.calls().len(), 10);
    let mut world = World::new(Scripted { repeats: true, ..Scripted::default() });
    world.admit_as(1, 2, "down", true);
    sleep(Duration::from_mins(1)).await;
    assert!(world.answers.recv().now_or_never().is_none(), "it is neither given up nor sent back");
    world.gate.close();
    assert_eq!(world.answer().await, (2, Answer::Left));
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_under_a_claim_that_ends() {
    let mut world = World::new(Scripted::default());
    world.hold.renew(NOW.plus(MARGIN));
    world.admit(1, 1, "taken");
    assert_eq!(world.answer().await, (1, World::later(0.0)));
    world.admit_as(1, 2, "taken", true);
    assert_eq!(world.answer().await, (2, Answer::Left));
    assert!(world.carrier.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hand_over_that_panics_takes_nobody_along() {
    let mut world = World::new(Scripted::default());
    world.admit(1, 1, "panic");
    world.admit(1, 2, "taken");
    assert_eq!(world.answer().await, (2, accepted("taken")));
    assert!(world.gate.room.is_empty(), "its place is free again");
}

#[tokio::test(start_paused = true)]
async fn who_waits_when_the_gate_closes_goes_back() {
    let mut world = World::new(Scripted::default());
    for place in 0..6 {
        world.admit(1, place, "taken");
    }
    sleep(Duration::from_millis(1)).await;
    world.gate.close();
    let mut back = 0;
    for _ in 0..6 {
        match world.answer().await.1 {
            answer if answer == World::later(0.0) => back += 1,
            answer => assert_eq!(answer, accepted("taken")),
        }
    }
    assert_eq!(back, 2);
    world.admit(1, 9, "taken");
    assert!(matches!(world.answer().await, (9, Answer::Outcome(Outcome::Later(_)))));
}
