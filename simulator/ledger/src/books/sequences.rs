//! A set of sequence numbers that is nearly contiguous, as ranges.

use std::collections::VecDeque;

/// Sequence numbers, as disjoint ranges in ascending order that do not touch.
///
/// Streams are delivered nearly in order, so a set is mostly one range. Insertion and removal at
/// either end take constant time.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct SequenceSet {
    ranges: VecDeque<Range>,
}

/// From `first` to `last`, both included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Range {
    first: u32,
    last: u32,
}

impl SequenceSet {
    /// Whether `sequence` is in the set.
    pub(crate) fn contains(&self, sequence: u32) -> bool {
        self.position(sequence)
            .is_some_and(|place| self.ranges[place].first <= sequence)
    }

    /// The highest number in the set that is lower than `sequence`.
    pub(crate) fn highest_below(&self, sequence: u32) -> Option<u32> {
        let begun = self.ranges.partition_point(|range| range.first < sequence);
        let range = self.ranges.get(begun.checked_sub(1)?)?;
        Some(range.last.min(sequence - 1))
    }

    /// Numbers in the set.
    pub(crate) fn len(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| u64::from(range.last - range.first) + 1)
            .sum()
    }

    /// The numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges
            .iter()
            .flat_map(|range| range.first..=range.last)
    }

    /// Adds `sequence`; false if it was there.
    pub(crate) fn insert(&mut self, sequence: u32) -> bool {
        match self.ranges.back_mut() {
            None => {
                self.ranges.push_back(Range::of(sequence));
                return true;
            }
            Some(last) if sequence.checked_sub(1) == Some(last.last) => {
                last.last = sequence;
                return true;
            }
            Some(last) if sequence > last.last => {
                self.ranges.push_back(Range::of(sequence));
                return true;
            }
            Some(_) => {}
        }
        // Not above the last range, so some range ends at or after it.
        let place = self
            .position(sequence)
            .expect("the last range ends at or after it");
        if self.ranges[place].first <= sequence {
            return false;
        }
        self.insert_before(place, sequence);
        true
    }

    /// Takes `sequence` out; false if it was not there.
    pub(crate) fn remove(&mut self, sequence: u32) -> bool {
        let Some(place) = self.position(sequence) else {
            return false;
        };
        let Range { first, last } = self.ranges[place];
        if first > sequence {
            return false;
        }
        match (first == sequence, last == sequence) {
            (true, true) => {
                self.ranges.remove(place);
            }
            (true, false) => self.ranges[place].first = sequence + 1,
            (false, true) => self.ranges[place].last = sequence - 1,
            (false, false) => {
                self.ranges[place].last = sequence - 1;
                let rest = Range {
                    first: sequence + 1,
                    last,
                };
                self.ranges.insert(place + 1, rest);
            }
        }
        true
    }

    /// Takes out everything below `floor`.
    pub(crate) fn remove_below(&mut self, floor: u32) {
        while let Some(range) = self.ranges.front_mut() {
            if range.last < floor {
                self.ranges.pop_front();
            } else {
                range.first = range.first.max(floor);
                return;
            }
        }
    }

    /// The first range if there are more than `ranges_max`: its owner must let go of it.
    pub(crate) fn excess(&self, ranges_max: usize) -> Option<(u32, u32)> {
        (self.ranges.len() > ranges_max).then(|| (self.ranges[0].first, self.ranges[0].last))
    }

    /// Fills the oldest gap if there are more ranges than `ranges_max`, and returns the number
    /// from which on the set is still exact.
    pub(crate) fn forget_oldest_gap(&mut self, ranges_max: usize) -> Option<u32> {
        if self.ranges.len() <= ranges_max {
            return None;
        }
        let first = self.ranges.pop_front()?;
        let next = self.ranges.front_mut()?;
        let exact_from = next.first;
        next.first = first.first;
        Some(exact_from)
    }

    /// Place of the first range that ends at or after `sequence`.
    fn position(&self, sequence: u32) -> Option<usize> {
        // Most questions are about one of the ends.
        let first = self.ranges.front()?;
        if sequence <= first.last {
            return Some(0);
        }
        let place = self.ranges.partition_point(|range| range.last < sequence);
        (place < self.ranges.len()).then_some(place)
    }

    fn insert_before(&mut self, place: usize, sequence: u32) {
        let joins_next = self.ranges[place].first == sequence + 1;
        let joins_previous =
            place > 0 && sequence.checked_sub(1) == Some(self.ranges[place - 1].last);
        match (joins_previous, joins_next) {
            (true, true) => {
                self.ranges[place - 1].last = self.ranges[place].last;
                self.ranges.remove(place);
            }
            (true, false) => self.ranges[place - 1].last = sequence,
            (false, true) => self.ranges[place].first = sequence,
            (false, false) => self.ranges.insert(place, Range::of(sequence)),
        }
    }
}

impl Range {
    const fn of(sequence: u32) -> Self {
        Self {
            first: sequence,
            last: sequence,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A stream that comes in order is one range.
    #[test]
    fn order_needs_one_range() {
        let mut set = SequenceSet::default();

        for sequence in 0..1_000 {
            assert!(set.insert(sequence));
        }

        assert_eq!(set.ranges.len(), 1);
        assert_eq!(set.len(), 1_000);
        assert!(!set.insert(999));
    }

    /// Beyond the limit the oldest gap is closed, and what is newer stays exact.
    #[test]
    fn the_oldest_gap_is_forgotten_first() {
        let mut set = SequenceSet::default();
        for place in 0..=8 {
            set.insert(2 * place);
        }

        let exact_from = set.forget_oldest_gap(8);

        assert_eq!(exact_from, Some(2));
        assert!(set.contains(1), "the gap at 1 is closed");
        assert!(!set.contains(3), "the gap at 3 is kept");
        assert_eq!(set.forget_oldest_gap(8), None);
    }

    proptest! {
        /// The set behaves as a `BTreeSet`, and its ranges are disjoint and do not touch.
        #[test]
        fn behaves_as_a_set(steps in proptest::collection::vec((0_u8..4, 0_u32..40), 0..200)) {
            let mut set = SequenceSet::default();
            let mut model = BTreeSet::new();
            for (step, sequence) in steps {
                match step {
                    0 | 1 => prop_assert_eq!(set.insert(sequence), model.insert(sequence)),
                    2 => prop_assert_eq!(set.remove(sequence), model.remove(&sequence)),
                    _ => {
                        set.remove_below(sequence / 4);
                        model.retain(|&kept| kept >= sequence / 4);
                    }
                }
                prop_assert_eq!(set.contains(sequence), model.contains(&sequence));
                prop_assert_eq!(set.iter().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(set.len(), model.len() as u64);
                let touching = set.ranges.iter().zip(set.ranges.iter().skip(1));
                for (left, right) in touching {
                    prop_assert!(left.last + 1 < right.first);
                }
            }
        }
    }
}
