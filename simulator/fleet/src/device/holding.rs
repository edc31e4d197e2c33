//! When a device is to hold the subscriptions of one SUBSCRIBE: from when to when, and how they come and go between.
//!
//! The moments follow from the scenario and the seed alone: neither the broker's answers nor the device's connections
//! move them. Nothing changes once the load is over.

use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::SubscribeTimes;

use crate::random::Generator;
use crate::schedule::Load;

/// The shortest that subscriptions are held or not: changes that take no time would never be over.
const STAY_MIN: Duration = Duration::from_millis(1);

/// When subscriptions are to be held.
#[derive(Debug)]
pub(super) struct Holding {
    times: SubscribeTimes,
    rng: Generator,
    is_on: bool,
    /// When that changes next.
    next: Option<Instant>,
    /// When they are given up for good.
    until: Option<Instant>,
    /// From when on nothing changes; `None` before the load.
    load_ends: Option<Instant>,
}

impl Holding {
    /// `None` if they are held from the first connection to the end; draws from `rng`.
    pub(super) fn new(times: &SubscribeTimes, rng: Generator) -> Option<Box<Self>> {
        (!times.is_always()).then(|| {
            Box::new(Self {
                is_on: times.start.is_none(),
                times: times.clone(),
                rng,
                next: None,
                until: None,
                load_ends: None,
            })
        })
    }

    /// Whether they are to be held now.
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// When that changes next; `None` before the load, and if it does not.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.next
    }

    /// The load begins at `now`.
    pub(super) fn begin(&mut self, now: Instant, load: Load) {
        self.load_ends = Some(load.end);
        self.until = self.times.until.map(|until| load.measured + until);
        self.next = match self.times.start {
            Some(start) => self.within(Some(load.measured + start)),
            None => self.after_stay(now),
        };
    }

    /// Nothing changes from now on.
    pub(super) fn end(&mut self) {
        self.next = None;
    }

    /// Changes what is due to change by `now`, and tells when the last of it was due.
    pub(super) fn advance(&mut self, now: Instant) -> Option<Instant> {
        let mut changed = None;
        while let Some(at) = self.next.filter(|&at| at <= now) {
            changed = Some(at);
            if self.until.is_some_and(|until| until <= at) {
                self.is_on = false;
                self.next = None;
            } else {
                self.is_on = !self.is_on;
                self.next = self.after_stay(at);
            }
        }
        changed
    }

    /// When what began at `at` is over.
    fn after_stay(&mut self, at: Instant) -> Option<Instant> {
        let stay = self.times.churn.as_ref().map(|churn| match self.is_on {
            true => churn.on.sample(&mut self.rng),
            false => churn.off.sample(&mut self.rng),
        });
        self.within(stay.map(|stay| at + stay.max(STAY_MIN)))
    }

    /// The sooner of `next` and the end for good, if that is within the load.
    fn within(&self, next: Option<Instant>) -> Option<Instant> {
        let sooner = match (next, self.until) {
            (Some(next), Some(until)) => Some(next.min(until)),
            (next, until) => next.or(until),
        };
        sooner.filter(|&at| self.load_ends.is_some_and(|end| at < end))
    }
}

#[cfg(test)]
mod tests {
    use squall_scenario::{Churn, Distribution};

    use super::*;
    use crate::random::{Draws, Purpose};

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + secs(seconds)
    }

    /// Over a load from second 0 to 60, whose measured part begins at second 10.
    fn changes(times: &SubscribeTimes) -> (bool, Vec<u64>) {
        let rng = Draws::of_device(1, "g", 0).generator(Purpose::Churn, 0);
        let mut holding = Holding::new(times, rng).unwrap();
        let was_on = holding.is_on();
        holding.begin(
            at(0),
            Load {
                measured: at(10),
                warmup: secs(10),
                from: None,
                end: at(60),
            },
        );
        let mut changes = Vec::new();
        while let Some(due) = holding.next_due() {
            let before = holding.is_on();
            assert_eq!(holding.advance(due), Some(due));
            if holding.is_on() != before {
                changes.push(due.since_start().as_secs());
            }
        }
        (was_on, changes)
    }

    fn churn(on: u64, off: u64) -> Option<Churn> {
        Some(Churn {
            on: Distribution::Constant { value: secs(on) },
            off: Distribution::Constant { value: secs(off) },
        })
    }

    /// `start` and `until` count from the measured part; what is due at its end or later does not happen.
    #[test]
    fn subscriptions_are_held_from_start_until_the_end_of_their_time() {
        let times = |start: Option<u64>, until: Option<u64>| SubscribeTimes {
            start: start.map(secs),
            until: until.map(secs),
            churn: None,
        };

        assert_eq!(changes(&times(Some(5), Some(20))), (false, vec![15, 30]));
        assert_eq!(changes(&times(None, Some(20))), (true, vec![30]));
        assert_eq!(changes(&times(Some(0), None)), (false, vec![10]));
        assert_eq!(changes(&times(None, Some(50))), (true, vec![]));
    }

    /// Without `start` the first time begins with the load, with it there; `until` ends all of it, on or off.
    #[test]
    fn churn_goes_on_within_the_time_of_the_subscription() {
        let times = |start: Option<u64>, until: Option<u64>| SubscribeTimes {
            start: start.map(secs),
            until: until.map(secs),
            churn: churn(10, 5),
        };

        assert_eq!(
            changes(&times(None, None)),
            (true, vec![10, 15, 25, 30, 40, 45, 55])
        );
        assert_eq!(changes(&times(Some(5), Some(17))), (false, vec![15, 25]));
        assert_eq!(
            changes(&times(Some(5), Some(22))),
            (false, vec![15, 25, 30, 32])
        );
    }
}
