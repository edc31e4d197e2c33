//! A timer wheel of 250 ms slots that owners re-arm lazily.
//!
//! Setting a timer is a push, and none is ever cancelled: when a timer fires, its owner looks at its
//! own state and acts, or sets a new timer. A timer fires at most one slot late. One beyond the wheel's horizon of 256 s fires at the horizon and is set again by its owner, so a
//! timer whose owner is gone is dropped within 256 s.
//!
//! Invariant: a slot's bit in `occupied` is set exactly if the slot holds a timer.

use std::time::Duration;

use squall_protocol::Instant;

/// The end of time: what is due then never happens.
pub(crate) const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// Width of a slot.
const SLOT: Duration = Duration::from_millis(250);
/// Slots; the horizon is 256 s.
const SLOTS: usize = 1024;
const WORDS: usize = SLOTS / u64::BITS as usize;

/// Timers of owners named by `T`.
#[derive(Debug)]
pub(crate) struct TimerWheel<T> {
    /// Slots passed since the start of the run; slot `n` fires at `n * SLOT`.
    passed: u64,
    slots: Box<[Vec<T>]>,
    occupied: [u64; WORDS],
}

impl<T> TimerWheel<T> {
    pub(crate) fn new() -> Self {
        Self {
            passed: 0,
            slots: std::iter::repeat_with(Vec::new).take(SLOTS).collect(),
            occupied: [0; WORDS],
        }
    }

    /// Sets a timer for `owner` that fires at `due` or up to one slot later, or at the horizon if that
    /// is sooner. Returns when it fires: never for a `due` at the end of time.
    pub(crate) fn set(&mut self, due: Instant, owner: T) -> Instant {
        if due == NEVER {
            return NEVER;
        }
        let last = self.passed + SLOTS as u64 - 1;
        let at = due
            .as_nanos()
            .div_ceil(SLOT.as_nanos() as u64)
            .clamp(self.passed + 1, last);
        let index = at as usize % SLOTS;
        self.occupied[index / 64] |= 1 << (index % 64);
        self.slots[index].push(owner);
        fires_at(at)
    }

    /// When the next timer fires; `None` if no timer is set.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let start = (self.passed + 1) as usize % SLOTS;
        let distance = self.occupied_after(start)?;
        Some(fires_at(self.passed + 1 + distance as u64))
    }

    /// Takes the owners of all timers that are due by `now` into `into`, slot by slot.
    pub(crate) fn take_due(&mut self, now: Instant, into: &mut Vec<T>) {
        let until = now.as_nanos() / SLOT.as_nanos() as u64;
        while self.passed < until {
            let start = (self.passed + 1) as usize % SLOTS;
            let Some(distance) = self.occupied_after(start) else {
                self.passed = until;
                return;
            };
            let at = self.passed + 1 + distance as u64;
            if at > until {
                self.passed = until;
                return;
            }
            self.passed = at;
            let index = at as usize % SLOTS;
            self.occupied[index / 64] &= !(1 << (index % 64));
            into.append(&mut std::mem::take(&mut self.slots[index]));
        }
    }

    /// Slots from `start`, wrapping, to the first that holds a timer.
    fn occupied_after(&self, start: usize) -> Option<usize> {
        let (word, bit) = (start / 64, start % 64);
        let first = self.occupied[word] >> bit;
        if first != 0 {
            return Some(first.trailing_zeros() as usize);
        }
        for step in 1..=WORDS {
            let bits = self.occupied[(word + step) % WORDS];
            if bits != 0 {
                return Some(step * 64 - bit + bits.trailing_zeros() as usize);
            }
        }
        None
    }
}

fn fires_at(slot: u64) -> Instant {
    Instant::from_nanos(slot * SLOT.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    fn due(wheel: &mut TimerWheel<u32>, millis: u64) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.take_due(at(millis), &mut due);
        due
    }

    /// A timer fires in the slot that ends at or after its time, never before.
    #[test]
    fn a_timer_fires_at_the_end_of_its_slot() {
        let mut wheel = TimerWheel::new();
        assert_eq!(wheel.set(at(1001), 7), at(1250));
        assert_eq!(wheel.next_deadline(), Some(at(1250)));

        assert_eq!(due(&mut wheel, 1249), []);
        assert_eq!(due(&mut wheel, 1250), [7]);

        assert_eq!(wheel.next_deadline(), None);
    }

    /// A timer set for a moment that has passed fires in the next slot.
    #[test]
    fn a_timer_in_the_past_fires_next() {
        let mut wheel = TimerWheel::new();
        assert_eq!(due(&mut wheel, 10_000), []);

        wheel.set(at(3), 1);

        assert_eq!(wheel.next_deadline(), Some(at(10_250)));
        assert_eq!(due(&mut wheel, 10_250), [1]);
    }

    /// A timer beyond the horizon asks whether it is still wanted; one that is comes to its time.
    #[test]
    fn a_timer_beyond_the_horizon_asks_on_its_way() {
        let mut wheel = TimerWheel::new();
        let day = at(24 * 3600 * 1000);
        let mut asked_at = wheel.set(day, 1);

        let mut steps = 0;
        while asked_at < day {
            assert_eq!(wheel.next_deadline(), Some(asked_at));
            let mut asked = Vec::new();
            wheel.take_due(asked_at, &mut asked);
            assert_eq!(asked, [1]);
            asked_at = wheel.set(day, 1);
            steps += 1;
        }

        assert_eq!(asked_at, day);
        assert!(steps < 400, "{steps} wake-ups in a day");
    }

    /// A timer whose owner is gone is dropped at the horizon, not kept until its far moment.
    #[test]
    fn a_timer_that_is_not_set_again_is_gone_at_the_horizon() {
        let mut wheel = TimerWheel::new();
        wheel.set(at(24 * 3600 * 1000), 1);

        assert_eq!(due(&mut wheel, 256_000), [1]);

        assert_eq!(wheel.next_deadline(), None);
    }

    /// The end of the range stands for never.
    #[test]
    fn a_timer_at_the_end_of_time_is_not_set() {
        let mut wheel = TimerWheel::new();

        assert_eq!(wheel.set(NEVER, 1), NEVER);

        assert_eq!(wheel.next_deadline(), None);
    }

    proptest! {
        /// However time moves, and if owners who are asked too early set their timers again, each
        /// timer fires once, not early, and at most one slot after it could.
        #[test]
        fn each_timer_fires_once_in_its_slot(
            delays in proptest::collection::vec(0_u64..900_000, 1..50),
            steps in proptest::collection::vec(1_u64..100_000, 1..40),
        ) {
            let mut wheel = TimerWheel::new();
            for (index, &delay) in delays.iter().enumerate() {
                wheel.set(at(delay), index as u32);
            }
            let mut fired = vec![None; delays.len()];
            let mut now = 0;
            for step in steps.into_iter().chain([1_000_000; 4]) {
                let before = now;
                now += step;
                for index in due(&mut wheel, now) {
                    let delay = delays[index as usize];
                    if delay > now {
                        wheel.set(at(delay), index);
                        continue;
                    }
                    prop_assert_eq!(fired[index as usize], None);
                    fired[index as usize] = Some(now);
                    prop_assert!(delay.next_multiple_of(250).max(250) > before / 250 * 250);
                }
            }
            prop_assert!(fired.iter().all(Option::is_some));
        }
    }
}
