//! How far one recipient has come with the wills of a row.

use std::collections::VecDeque;

/// Ends without a will that are remembered for one recipient.
const SKIPPED_MAX: usize = 16;

/// Which ends' wills one recipient has seen, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The first end whose will it has not seen, nor that of a later one.
    next: u64,
    /// Ends before that one whose wills it has not seen, oldest first.
    skipped: VecDeque<u64>,
}

impl Progress {
    /// It has seen the will of the end before `next`, and none of `skipped`, oldest first.
    pub(super) fn new(next: u64, skipped: impl Iterator<Item = u64>) -> Self {
        let mut progress = Self {
            next,
            skipped: skipped.collect(),
        };
        progress.forget_oldest();
        progress
    }

    /// The first end whose will it has not seen, nor that of a later one.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Ends before [`Self::next`] whose wills it has not seen, oldest first.
    pub(super) fn skipped(&self) -> impl Iterator<Item = u64> {
        self.skipped.iter().copied()
    }

    /// It has seen the will of the end with this number, of those from `first` on; `is_expected` tells of which
    /// a will may come.
    pub(super) fn note_seen(&mut self, number: u64, first: u64, is_expected: impl Fn(u64) -> bool) {
        if number < self.next {
            self.skipped.retain(|&skipped| skipped != number);
            return;
        }
        let passed = self.next.max(first)..number;
        self.skipped
            .extend(passed.filter(|&number| is_expected(number)));
        self.forget_oldest();
        self.next = number + 1;
    }

    fn forget_oldest(&mut self) {
        let too_many = self.skipped.len().saturating_sub(SKIPPED_MAX);
        self.skipped.drain(..too_many);
    }
}
