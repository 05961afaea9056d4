//! The open deliveries of a webhook that are in memory, and which of them may go next. What that takes does not depend on
//! how many there are: it is asked again with each that lands.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use muster_domain::Timestamp;
use muster_domain::webhook::{Delivery, DeliveryId, DeliveryState};

/// Open deliveries, the oldest of those that there are.
#[derive(Debug, Default)]
pub(super) struct Window {
    open: BTreeMap<DeliveryId, Delivery>,
    /// Those of each entity.
    queues: HashMap<String, Queue>,
    /// The first ones of their entities that may be sent, and those that are not due.
    ready: BTreeSet<DeliveryId>,
    waiting: BTreeSet<(Timestamp, DeliveryId)>,
    /// How many are in queues of which one is on its way or may be sent.
    busy: usize,
    /// The last one that may be sent, if there are more in the store than were read: among these may be one of the same
    /// entity that is older than one of ours.
    end: Option<DeliveryId>,
}

/// The deliveries about one entity, which go one after the other.
#[derive(Debug, Default)]
struct Queue {
    ids: BTreeSet<DeliveryId>,
    flying: Option<DeliveryId>,
}

/// How much is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// Deliveries that nothing but others before them keeps from being sent.
    pub(super) busy: usize,
    /// When the next of the others may be sent.
    pub(super) next_at: Option<Timestamp>,
}

impl Window {
    /// Takes what the store has, the oldest first and at most `limit`, in the place of all that is not being sent.
    pub(super) fn load(&mut self, stored: Vec<Delivery>, limit: usize) {
        let end = stored.last().map(|last| last.id).filter(|_| stored.len() >= limit);
        let before = std::mem::take(self);
        self.end = end;
        for (entity, queue) in before.queues {
            if let Some(id) = queue.flying {
                self.queues.insert(entity, Queue { ids: BTreeSet::from([id]), flying: Some(id) });
                self.open.extend(before.open.get(&id).map(|flying| (id, flying.clone())));
                self.busy += 1;
            }
        }
        self.add(stored);
    }

    /// Takes new ones; those that are there stay as they are.
    pub(super) fn add(&mut self, new: Vec<Delivery>) {
        for delivery in new {
            if !self.open.contains_key(&delivery.id) {
                self.change(&delivery.entity.clone(), |open, queue| {
                    queue.ids.insert(delivery.id);
                    open.insert(delivery.id, delivery);
                });
            }
        }
    }

    /// Whether there are no others in the store.
    pub(super) fn is_whole(&self) -> bool {
        self.end.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// At most so many that may be sent now: of each entity the oldest, unless another of it is being sent.
    pub(super) fn ready(&mut self, now: Timestamp, most: usize) -> Vec<DeliveryId> {
        self.advance(now);
        let end = self.end.unwrap_or(DeliveryId(i64::MAX));
        self.ready.range(..=end).take(most).copied().collect()
    }

    /// The one that is due next, to be tried before.
    pub(super) fn early(&self) -> Option<DeliveryId> {
        let is_in = |id: &DeliveryId| self.end.is_none_or(|end| *id <= end);
        self.waiting.iter().map(|(_, id)| *id).find(is_in)
    }

    /// A delivery to be sent; it stays here and holds back the others of its entity.
    pub(super) fn take_off(&mut self, id: DeliveryId) -> Option<Delivery> {
        let delivery = self.open.get(&id)?.clone();
        if self.queues.get(&delivery.entity)?.flying.is_some() {
            return None;
        }
        self.change(&delivery.entity, |_, queue| queue.flying = Some(id));
        Some(delivery)
    }

    /// A delivery as it is after an attempt.
    pub(super) fn land(&mut self, delivery: Delivery) {
        self.change(&delivery.entity.clone(), |open, queue| {
            queue.flying = None;
            if delivery.state == DeliveryState::Open {
                queue.ids.insert(delivery.id);
                open.insert(delivery.id, delivery);
            } else {
                queue.ids.remove(&delivery.id);
                open.remove(&delivery.id);
            }
        });
    }

    pub(super) fn survey(&mut self, now: Timestamp) -> Survey {
        self.advance(now);
        Survey { busy: self.busy, next_at: self.waiting.first().map(|(at, _)| *at) }
    }

    /// Changes the queue of an entity, and what follows from it.
    fn change(&mut self, entity: &str, how: impl FnOnce(&mut BTreeMap<DeliveryId, Delivery>, &mut Queue)) {
        let known = self.queues.remove_entry(entity);
        let (entity, mut queue) = known.unwrap_or_else(|| (entity.to_owned(), Queue::default()));
        if let Some(first) = queue.ids.first() {
            if queue.flying.is_some() || self.ready.remove(first) {
                self.busy -= queue.ids.len();
            } else {
                self.waiting.remove(&(due(&self.open, *first), *first));
            }
        }
        how(&mut self.open, &mut queue);
        if let Some(first) = queue.ids.first() {
            if queue.flying.is_some() {
                self.busy += queue.ids.len();
            } else {
                self.waiting.insert((due(&self.open, *first), *first));
            }
            self.queues.insert(entity, queue);
        }
    }

    /// What has become due may be sent.
    fn advance(&mut self, now: Timestamp) {
        while let Some((_, id)) = self.waiting.first().filter(|(at, _)| *at <= now).copied() {
            self.waiting.pop_first();
            self.ready.insert(id);
            let queue = self.open.get(&id).and_then(|first| self.queues.get(&first.entity));
            self.busy += queue.map_or(0, |queue| queue.ids.len());
        }
    }
}

/// When one of these is to be tried.
fn due(open: &BTreeMap<DeliveryId, Delivery>, id: DeliveryId) -> Timestamp {
    open.get(&id).and_then(|delivery| delivery.next_at).unwrap_or(Timestamp(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(id: i64, entity: &str, next_at: i64) -> Delivery {
        Delivery {
            id: DeliveryId(id),
            event: "user.updated".to_owned(),
            entity: entity.to_owned(),
            at: Timestamp(0),
            state: DeliveryState::Open,
            attempts: 0,
            next_at: Some(Timestamp(next_at)),
            last: None,
        }
    }

    fn window(deliveries: &[(i64, &str, i64)], limit: usize) -> Window {
        let mut window = Window::default();
        window.load(deliveries.iter().map(|(id, entity, at)| delivery(*id, entity, *at)).collect(), limit);
        window
    }

    fn ready(window: &mut Window, now: i64, most: usize) -> Vec<i64> {
        window.ready(Timestamp(now), most).into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn of_an_entity_goes_the_oldest_and_what_failed_holds_back_the_others() {
        let deliveries = [(1, "a", 0), (2, "b", 50), (3, "a", 0), (4, "b", 0), (5, "c", 0)];
        let mut later = window(&deliveries, 100);
        assert_eq!(ready(&mut later, 50, 16), [1, 2, 5]);
        assert_eq!(ready(&mut later, 50, 2), [1, 2]);
        let mut window = window(&deliveries, 100);
        assert_eq!(ready(&mut window, 10, 16), [1, 5]);
        assert_eq!(window.survey(Timestamp(10)), Survey { busy: 3, next_at: Some(Timestamp(50)) });

        let first = window.take_off(DeliveryId(1)).unwrap();
        assert_eq!(window.take_off(DeliveryId(1)), None, "it is on its way");
        assert_eq!(ready(&mut window, 10, 16), [5]);
        window.land(Delivery { next_at: Some(Timestamp(90)), ..first.clone() });
        assert_eq!(ready(&mut window, 10, 16), [5], "it has failed");
        assert_eq!(window.survey(Timestamp(10)), Survey { busy: 1, next_at: Some(Timestamp(50)) });
        window.land(Delivery { state: DeliveryState::Failed, next_at: None, ..first });
        assert_eq!(ready(&mut window, 10, 16), [3, 5], "it was given up");
        assert_eq!(window.len(), 4);
    }

    #[test]
    fn one_that_is_asked_for_again_waits_for_a_newer_one_on_its_way() {
        let mut window = window(&[(3, "a", 0)], 100);
        window.take_off(DeliveryId(3)).unwrap();
        window.load(vec![delivery(1, "a", 0), delivery(3, "a", 0), delivery(4, "b", 0)], 100);
        assert_eq!(ready(&mut window, 0, 16), [4]);
    }

    #[test]
    fn what_comes_after_the_part_that_was_read_waits_for_the_rest() {
        let mut window = window(&[(1, "a", 0), (2, "b", 0)], 2);
        window.add(vec![delivery(9, "c", 0)]);
        assert!(!window.is_whole());
        assert_eq!(ready(&mut window, 0, 16), [1, 2]);
        window.load(vec![delivery(9, "c", 0)], 2);
        assert!(window.is_whole());
        assert_eq!(ready(&mut window, 0, 16), [9]);
    }

    /// What is kept beside the deliveries is what follows from them.
    #[test]
    fn whatever_happens_the_counts_are_those_of_the_deliveries() {
        let mut window = Window::default();
        let (mut random, mut next, mut flying) = (1_u64, 1, Vec::new());
        for step in 0..5000_i64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (choice, entity) = (random >> 60, format!("{}", (random >> 40) % 7));
            match choice {
                0..=6 => {
                    window.add(vec![delivery(next, &entity, step + i64::from(choice > 3) * 5)]);
                    next += 1;
                }
                7..=10 => {
                    for id in window.ready(Timestamp(step), 2) {
                        flying.push(window.take_off(id).unwrap());
                    }
                }
                11..=14 if !flying.is_empty() => {
                    let landed: Delivery = flying.swap_remove(0);
                    let (state, next_at) = if choice == 11 {
                        (DeliveryState::Open, Some(Timestamp(step + 9)))
                    } else {
                        (DeliveryState::Delivered, None)
                    };
                    window.land(Delivery { state, next_at, ..landed });
                }
                15 => {
                    let all = window.open.values().cloned().collect::<Vec<_>>();
                    window.load(all, usize::MAX);
                }
                _ => {}
            }
            let now = Timestamp(step);
            let survey = window.survey(now);
            let mut heads: HashMap<&str, bool> = HashMap::new();
            let (mut busy, mut next_at) = (0, None);
            let in_the_air: Vec<&str> = flying.iter().map(|flying| &*flying.entity).collect();
            for delivery in window.open.values() {
                let is_busy = *heads.entry(&delivery.entity).or_insert_with(|| {
                    let is_busy = in_the_air.contains(&&*delivery.entity) || delivery.next_at <= Some(now);
                    if !is_busy {
                        next_at = next_at.into_iter().chain(delivery.next_at).min();
                    }
                    is_busy
                });
                busy += usize::from(is_busy);
            }
            assert_eq!(survey, Survey { busy, next_at }, "step {step}");
            assert_eq!(window.ready.len() + in_the_air.len(), heads.values().filter(|busy| **busy).count());
        }
    }
}
