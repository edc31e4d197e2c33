//! What is due next: one deadline for each slot, the earliest first.
//!
//! Slots are small indexes; equal deadlines come out in the order of their slots, so a run does
//! not depend on when they were set.
//!
//! Invariant: `queue` has `(at, slot)` if and only if `by_slot[slot]` is `Some(at)`.

use std::collections::BTreeSet;

use squall_protocol::Instant;

/// Deadlines by slot.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    queue: BTreeSet<(Instant, u32)>,
    by_slot: Vec<Option<Instant>>,
}

impl Deadlines {
    /// Deadlines for the slots `0..slots`, none of them set.
    pub(crate) fn new(slots: u32) -> Self {
        Self {
            queue: BTreeSet::new(),
            by_slot: vec![None; slots as usize],
        }
    }

    /// Sets, moves or removes the deadline of `slot`.
    pub(crate) fn set(&mut self, slot: u32, at: Option<Instant>) {
        let before = std::mem::replace(&mut self.by_slot[slot as usize], at);
        // Most inputs move no deadline: leave the queue alone then.
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.queue.remove(&(before, slot));
        }
        if let Some(at) = at {
            self.queue.insert((at, slot));
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.first().map(|&(at, _)| at)
    }

    /// The slot with the earliest deadline.
    pub(crate) fn next_slot(&self) -> Option<u32> {
        self.queue.first().map(|&(_, slot)| slot)
    }

    /// Takes out the slot with the earliest deadline, if that is not after `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<u32> {
        let &(at, slot) = self.queue.first()?;
        if at > now {
            return None;
        }
        self.set(slot, None);
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    /// Nothing comes out before its time.
    #[test]
    fn a_deadline_is_polled_when_it_has_come_and_not_before() {
        let mut deadlines = Deadlines::new(2);
        deadlines.set(1, Some(at(10)));

        assert_eq!(deadlines.poll(at(9)), None);
        assert_eq!(deadlines.poll(at(10)), Some(1));
        assert_eq!(deadlines.poll(at(10)), None);
    }

    /// Determinism: the order of setting does not show.
    #[test]
    fn equal_deadlines_come_out_in_the_order_of_their_slots() {
        let mut deadlines = Deadlines::new(3);
        for slot in [2, 0, 1] {
            deadlines.set(slot, Some(at(5)));
        }

        let order: Vec<u32> = std::iter::from_fn(|| deadlines.poll(at(5))).collect();

        assert_eq!(order, [0, 1, 2]);
    }

    proptest! {
        /// The queue behaves as a sorted list of the last deadline set for each slot.
        #[test]
        fn it_equals_a_sorted_list(
            steps in prop::collection::vec((0u32..20, prop::option::of(0u64..50)), 0..200),
        ) {
            let mut deadlines = Deadlines::new(20);
            let mut model = std::collections::BTreeMap::new();

            for (slot, nanos) in steps {
                deadlines.set(slot, nanos.map(at));
                match nanos {
                    Some(nanos) => model.insert(slot, nanos),
                    None => model.remove(&slot),
                };
                prop_assert_eq!(deadlines.next(), model.values().min().map(|&nanos| at(nanos)));
            }

            let mut expected: Vec<(u64, u32)> =
                model.iter().map(|(&slot, &nanos)| (nanos, slot)).collect();
            expected.sort_unstable();
            let order: Vec<u32> = std::iter::from_fn(|| deadlines.poll(at(50))).collect();
            prop_assert_eq!(order, expected.iter().map(|&(_, slot)| slot).collect::<Vec<_>>());
        }
    }
}
