//! The open deliveries of a webhook that are in memory, and which of them may go next.

use std::collections::{BTreeMap, HashMap, HashSet};

use muster_domain::Timestamp;
use muster_domain::webhook::{Delivery, DeliveryId, DeliveryState};

/// Open deliveries, the oldest of those that there are.
#[derive(Debug, Default)]
pub(super) struct Window {
    open: BTreeMap<DeliveryId, Delivery>,
    /// Those of `open` that are being sent.
    flying: HashSet<DeliveryId>,
    /// The last one that may be sent, if there are more in the store than were read: among these may be one of the same
    /// entity that is older than one of ours.
    end: Option<DeliveryId>,
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
        self.end = stored.last().map(|last| last.id).filter(|_| stored.len() >= limit);
        self.open.retain(|id, _| self.flying.contains(id));
        for delivery in stored {
            self.open.entry(delivery.id).or_insert(delivery);
        }
    }

    /// Takes new ones.
    pub(super) fn add(&mut self, new: Vec<Delivery>) {
        self.open.extend(new.into_iter().map(|delivery| (delivery.id, delivery)));
    }

    /// Whether there are no others in the store.
    pub(super) fn is_whole(&self) -> bool {
        self.end.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// At most so many that may be sent now: of each entity the oldest, unless another of it is being sent.
    pub(super) fn ready(&self, now: Timestamp, most: usize) -> Vec<DeliveryId> {
        let mut ready = Vec::new();
        if most == 0 {
            return ready;
        }
        let mut seen: HashSet<&str> = self
            .flying
            .iter()
            .filter_map(|id| self.open.get(id))
            .map(|flying| flying.entity.as_str())
            .collect();
        for (id, delivery) in &self.open {
            if ready.len() == most || self.end.is_some_and(|end| *id > end) {
                break;
            }
            if seen.insert(&delivery.entity) && delivery.next_at.is_some_and(|at| at <= now) {
                ready.push(*id);
            }
        }
        ready
    }

    /// A delivery to be sent; it stays here and holds back the others of its entity.
    pub(super) fn take_off(&mut self, id: DeliveryId) -> Option<Delivery> {
        let delivery = self.open.get(&id)?.clone();
        self.flying.insert(id).then_some(delivery)
    }

    /// A delivery as it is after an attempt.
    pub(super) fn land(&mut self, delivery: Delivery) {
        self.flying.remove(&delivery.id);
        if delivery.state == DeliveryState::Open {
            self.open.insert(delivery.id, delivery);
        } else {
            self.open.remove(&delivery.id);
        }
    }

    pub(super) fn survey(&self, now: Timestamp) -> Survey {
        // Whether the first delivery of an entity is on its way, or due.
        let mut heads: HashMap<&str, bool> = HashMap::new();
        let mut survey = Survey::default();
        for (id, delivery) in &self.open {
            let is_busy = *heads.entry(&delivery.entity).or_insert_with(|| {
                let is_due = delivery.next_at.is_some_and(|at| at <= now);
                if !is_due && !self.flying.contains(id) {
                    survey.next_at = survey.next_at.into_iter().chain(delivery.next_at).min();
                    return false;
                }
                true
            });
            survey.busy += usize::from(is_busy);
        }
        survey
    }
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

    fn ready(window: &Window, now: i64, most: usize) -> Vec<i64> {
        window.ready(Timestamp(now), most).into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn of_an_entity_goes_the_oldest_and_what_failed_holds_back_the_others() {
        let mut window = window(&[(1, "a", 0), (2, "b", 50), (3, "a", 0), (4, "b", 0), (5, "c", 0)], 100);
        assert_eq!(ready(&window, 10, 16), [1, 5]);
        assert_eq!(ready(&window, 50, 16), [1, 2, 5]);
        assert_eq!(ready(&window, 50, 2), [1, 2]);
        assert_eq!(window.survey(Timestamp(10)), Survey { busy: 3, next_at: Some(Timestamp(50)) });

        let first = window.take_off(DeliveryId(1)).unwrap();
        assert_eq!(window.take_off(DeliveryId(1)), None, "it is on its way");
        assert_eq!(ready(&window, 10, 16), [5]);
        window.land(Delivery { next_at: Some(Timestamp(90)), ..first.clone() });
        assert_eq!(ready(&window, 10, 16), [5], "it has failed");
        assert_eq!(window.survey(Timestamp(10)), Survey { busy: 1, next_at: Some(Timestamp(50)) });
        window.land(Delivery { state: DeliveryState::Failed, next_at: None, ..first });
        assert_eq!(ready(&window, 10, 16), [3, 5], "it was given up");
        assert_eq!(window.len(), 4);
    }

    #[test]
    fn one_that_is_asked_for_again_waits_for_a_newer_one_on_its_way() {
        let mut window = window(&[(3, "a", 0)], 100);
        window.take_off(DeliveryId(3)).unwrap();
        window.load(vec![delivery(1, "a", 0), delivery(3, "a", 0), delivery(4, "b", 0)], 100);
        assert_eq!(ready(&window, 0, 16), [4]);
    }

    #[test]
    fn what_comes_after_the_part_that_was_read_waits_for_the_rest() {
        let mut window = window(&[(1, "a", 0), (2, "b", 0)], 2);
        window.add(vec![delivery(9, "c", 0)]);
        assert!(!window.is_whole());
        assert_eq!(ready(&window, 0, 16), [1, 2]);
        window.load(vec![delivery(9, "c", 0)], 2);
        assert!(window.is_whole());
        assert_eq!(ready(&window, 0, 16), [9]);
    }
}
