//! What is due next: one deadline for each slot, the earliest first.
//!
//! A binary heap that knows where each slot sits, so that moving or removing a deadline costs
//! O(log n) and leaves nothing stale behind. Slots are small indexes; equal deadlines come out
//! in the order of their slots, so a run does not depend on when they were set.
//!
//! Invariant: `heap[positions[s]].slot == s` for every slot `s` that has a deadline, and no entry
//! of the heap is less than its parent.

use squall_protocol::Instant;

/// Marks a slot without a deadline in `positions`.
const ABSENT: u32 = u32::MAX;

/// Deadlines by slot.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    heap: Vec<Entry>,
    /// `positions[slot]`: its place in the heap.
    positions: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Entry {
    at: Instant,
    slot: u32,
}

impl Deadlines {
    /// Deadlines for the slots `0..slots`, none of them set.
    pub(crate) fn new(slots: u32) -> Self {
        Self {
            heap: Vec::new(),
            positions: vec![ABSENT; slots as usize],
        }
    }

    /// Sets, moves or removes the deadline of `slot`.
    pub(crate) fn set(&mut self, slot: u32, at: Option<Instant>) {
        let position = self.positions[slot as usize];
        match (position, at) {
            (ABSENT, None) => {}
            (ABSENT, Some(at)) => {
                let end = self.heap.len();
                self.heap.push(Entry { at, slot });
                self.positions[slot as usize] = index_u32(end);
                self.sift_up(end);
            }
            (position, Some(at)) => {
                let position = position as usize;
                let before = self.heap[position].at;
                if at == before {
                    return;
                }
                self.heap[position].at = at;
                if at < before {
                    self.sift_up(position);
                } else {
                    self.sift_down(position);
                }
            }
            (position, None) => self.remove(position as usize),
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.first().map(|entry| entry.at)
    }

    /// Takes out the slot with the earliest deadline, if that is not after `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<u32> {
        let &Entry { at, slot } = self.heap.first()?;
        if at > now {
            return None;
        }
        self.remove(0);
        Some(slot)
    }

    fn remove(&mut self, position: usize) {
        let removed = self.heap.swap_remove(position);
        self.positions[removed.slot as usize] = ABSENT;
        if let Some(moved) = self.heap.get(position) {
            self.positions[moved.slot as usize] = index_u32(position);
            self.sift_up(position);
            self.sift_down(position);
        }
    }

    fn sift_up(&mut self, mut position: usize) {
        while position > 0 {
            let parent = (position - 1) / 2;
            if self.heap[parent] <= self.heap[position] {
                return;
            }
            self.swap(parent, position);
            position = parent;
        }
    }

    fn sift_down(&mut self, mut position: usize) {
        loop {
            let left = 2 * position + 1;
            let right = left + 1;
            let mut least = position;
            for child in [left, right] {
                if child < self.heap.len() && self.heap[child] < self.heap[least] {
                    least = child;
                }
            }
            if least == position {
                return;
            }
            self.swap(least, position);
            position = least;
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.heap.swap(one, other);
        self.positions[self.heap[one].slot as usize] = index_u32(one);
        self.positions[self.heap[other].slot as usize] = index_u32(other);
    }
}

fn index_u32(index: usize) -> u32 {
    u32::try_from(index).expect("there are no more entries than slots, which are u32")
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
        /// The heap behaves as a sorted list of the last deadline set for each slot.
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
