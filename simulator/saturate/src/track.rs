//! Which messages of one publisher have come, by their sequences.
//!
//! Sequences count from 0. Those that were left out are gaps, few and mostly short-lived, so a stream in order is one number.
//!
//! Invariant: gaps are in order, do not touch, and end at or before `next`.

use std::collections::VecDeque;

use crate::limits::GAPS_MAX;

/// What one arrival was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Arrival {
    /// Newer than all before it, of which `skipped` in between have not come.
    InOrder {
        /// Sequences between the newest before it and this one.
        skipped: u32,
    },
    /// It was missing, and one that was sent after it had come.
    Late,
    /// It had come before.
    Twice,
    /// So old that it is not remembered whether it had come.
    Forgotten,
}

/// The messages of one publisher at one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    /// The sequence after the newest that has come.
    next: u32,
    /// `None` as long as nothing was left out.
    gaps: Option<Box<Gaps>>,
}

#[derive(Clone, Debug, Default)]
struct Gaps {
    /// Oldest first.
    list: VecDeque<Gap>,
    /// Nothing is known of sequences below.
    floor: u32,
    /// Messages that are missing below it.
    missing_below: u64,
}

/// The sequences from `from` up to `to`, that one left out.
#[derive(Clone, Copy, Debug)]
struct Gap {
    from: u32,
    to: u32,
}

impl Track {
    /// Notes that `sequence` has come.
    #[inline]
    pub(crate) fn take(&mut self, sequence: u32) -> Arrival {
        let next = self.next;
        if sequence == next {
            self.next = next + 1;
            return Arrival::InOrder { skipped: 0 };
        }
        self.take_out_of_turn(sequence)
    }

    /// Of the first `sent` messages, those that have not come.
    pub(crate) fn missing(&self, sent: u32) -> u64 {
        let in_gaps = self.gaps.as_ref().map_or(0, |gaps| gaps.missing());
        in_gaps + u64::from(sent.saturating_sub(self.next))
    }

    #[cold]
    fn take_out_of_turn(&mut self, sequence: u32) -> Arrival {
        let gaps = self.gaps.get_or_insert_default();
        if sequence > self.next {
            let gap = Gap {
                from: self.next,
                to: sequence,
            };
            gaps.add(gap);
            self.next = sequence + 1;
            return Arrival::InOrder {
                skipped: gap.to - gap.from,
            };
        }
        gaps.fill(sequence)
    }
}

impl Gaps {
    fn add(&mut self, gap: Gap) {
        self.list.push_back(gap);
        if self.list.len() > GAPS_MAX
            && let Some(oldest) = self.list.pop_front()
        {
            self.floor = oldest.to;
            self.missing_below += u64::from(oldest.to - oldest.from);
        }
    }

    fn fill(&mut self, sequence: u32) -> Arrival {
        if sequence < self.floor {
            return Arrival::Forgotten;
        }
        let place = self.list.partition_point(|gap| gap.to <= sequence);
        let Some(&Gap { from, to }) = self.list.get(place) else {
            return Arrival::Twice;
        };
        if sequence < from {
            return Arrival::Twice;
        }
        match (sequence == from, sequence + 1 == to) {
            (true, true) => drop(self.list.remove(place)),
            (true, false) => self.list[place].from = sequence + 1,
            (false, true) => self.list[place].to = sequence,
            (false, false) => {
                self.list[place].to = sequence;
                let behind = Gap {
                    from: sequence + 1,
                    to,
                };
                self.list.insert(place + 1, behind);
            }
        }
        Arrival::Late
    }

    fn missing(&self) -> u64 {
        let in_list = self.list.iter().map(|gap| u64::from(gap.to - gap.from));
        self.missing_below + in_list.sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_of_arrival_is_told() {
        let mut track = Track::default();

        assert_eq!(track.take(0), Arrival::InOrder { skipped: 0 });
        assert_eq!(track.take(4), Arrival::InOrder { skipped: 3 });
        assert_eq!(track.missing(5), 3);
        assert_eq!(track.take(2), Arrival::Late);
        assert_eq!(track.take(2), Arrival::Twice);
        assert_eq!(track.take(0), Arrival::Twice);
        assert_eq!(track.take(4), Arrival::Twice);
        assert_eq!(track.take(1), Arrival::Late);
        assert_eq!(track.take(3), Arrival::Late);
        assert_eq!(track.missing(5), 0);
        assert_eq!(track.missing(7), 2);
    }

    /// Against a set of all that has come, over every order that a small generator makes.
    #[test]
    fn it_says_what_a_set_says() {
        for seed in 1..200_u32 {
            let mut random = seed.wrapping_mul(0x9e37_79b9);
            let mut track = Track::default();
            let mut come = BTreeSet::new();
            for _ in 0..60 {
                random ^= random << 13;
                random ^= random >> 17;
                random ^= random << 5;
                let sequence = random % 40;
                let newest = come.last().copied();

                let arrival = track.take(sequence);

                let expected = match newest {
                    _ if come.contains(&sequence) => Arrival::Twice,
                    Some(newest) if sequence < newest => Arrival::Late,
                    Some(newest) => Arrival::InOrder {
                        skipped: sequence - newest - 1,
                    },
                    None => Arrival::InOrder { skipped: sequence },
                };
                assert_eq!(arrival, expected, "seed {seed}, sequence {sequence}");
                come.insert(sequence);
            }
            assert_eq!(track.missing(40), 40 - come.len() as u64, "seed {seed}");
        }
    }

    /// A broker that drops every second message does not fill the memory, and is not called innocent.
    #[test]
    fn what_is_forgotten_stays_missing() {
        let mut track = Track::default();
        let gaps = GAPS_MAX as u32 + 10;
        for sequence in 0..gaps {
            track.take(2 * sequence + 1);
        }

        assert_eq!(track.missing(2 * gaps), u64::from(gaps));
        assert_eq!(track.take(0), Arrival::Forgotten);
        assert_eq!(track.take(2 * gaps - 2), Arrival::Late);
        assert_eq!(track.missing(2 * gaps), u64::from(gaps) - 1);
    }
}
