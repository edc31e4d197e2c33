//! When the messages of one stream of one device are due: an open model.
//!
//! Due times follow from the scenario and the seed alone. Nothing that the broker, the network or
//! the generator does moves them: a generator that is late finds its due times unchanged, so that
//! the delay counts (no coordinated omission).

use std::time::Duration;

use rand::RngExt;
use rand_distr::Exp1;
use squall_protocol::Instant;
use squall_scenario::Arrival;

use crate::random::Generator;

/// The due times of one `[[group.publish]]` of one device.
#[derive(Debug)]
pub(crate) struct Schedule {
    arrival: Arrival,
    rate: f64,
    /// Messages that came due before.
    count: u64,
    /// From the beginning of the load to the next due time, in seconds.
    next: f64,
    /// From the beginning of the load to the due time 0 of [`Arrival::Even`], in seconds.
    offset: f64,
    load: Option<Load>,
    rng: Generator,
}

/// When messages may be due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Load {
    /// Beginning of the warm-up.
    pub(crate) begin: Instant,
    /// End of the measured part: nothing is due then or later.
    pub(crate) end: Instant,
}

/// One message that came due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Due {
    /// Counts the messages of the stream, from 0.
    pub(crate) number: u64,
    /// Its due time, which may be before the call.
    pub(crate) at: Instant,
}

impl Schedule {
    /// The stream of the device at `place` in its group; draws from `rng`.
    pub(crate) fn new(pace: Pace, place: Place, mut rng: Generator) -> Self {
        let Pace {
            arrival,
            rate,
            start,
        } = pace;
        let start = start.as_secs_f64();
        let share = f64::from(place.index) / f64::from(place.count);
        let offset = start + share / rate;
        let next = match arrival {
            Arrival::Even => offset,
            Arrival::Poisson => start + gap(&mut rng, rate),
        };
        Self {
            arrival,
            rate,
            count: 0,
            next,
            offset,
            load: None,
            rng,
        }
    }

    /// The load begins: from now on messages come due.
    pub(crate) fn begin(&mut self, load: Load) {
        self.load = Some(load);
    }

    /// No message comes due from `end` on: the run ends early.
    pub(crate) fn end(&mut self, end: Instant) {
        if let Some(load) = &mut self.load {
            load.end = load.end.min(end);
        }
    }

    /// When the next message is due; `None` outside the load.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let load = self.load?;
        // An infinite gap, or one beyond the range of a Duration, ends the stream.
        let next = Duration::try_from_secs_f64(self.next).ok()?;
        let at = load.begin + next;
        (at < load.end).then_some(at)
    }

    /// Takes the next message if it is due by `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Due> {
        let at = self.next_due().filter(|&at| at <= now)?;
        let number = self.count;
        self.count += 1;
        self.next = match self.arrival {
            // Computed afresh, so that rounding does not add up.
            Arrival::Even => self.offset + self.count as f64 / self.rate,
            Arrival::Poisson => self.next + gap(&mut self.rng, self.rate),
        };
        Some(Due { number, at })
    }
}

/// How often messages are due: what a `[[group.publish]]` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// How due times are spread.
    pub(crate) arrival: Arrival,
    /// Messages per second of one device, above 0.
    pub(crate) rate: f64,
    /// From the beginning of the load to the first due time.
    pub(crate) start: Duration,
}

/// Place of a device in its group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    /// The device's `{index}`, counted from 0.
    pub(crate) index: u32,
    /// Devices in the group.
    pub(crate) count: u32,
}

/// Seconds between two events of a Poisson process.
fn gap(rng: &mut Generator, rate: f64) -> f64 {
    let unit: f64 = rng.sample(Exp1);
    unit / rate
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Draws, Purpose};

    fn pace(rate: f64, arrival: Arrival) -> Pace {
        Pace {
            arrival,
            rate,
            start: Duration::ZERO,
        }
    }

    fn schedule(pace: Pace, index: u32, count: u32) -> Schedule {
        let rng = Draws::of_device(1, "g", index).generator(Purpose::Arrivals, 0);
        let mut schedule = Schedule::new(pace, Place { index, count }, rng);
        schedule.begin(Load {
            begin: secs(100.0),
            end: secs(1_100.0),
        });
        schedule
    }

    fn secs(seconds: f64) -> Instant {
        Instant::ZERO + Duration::from_secs_f64(seconds)
    }

    /// Devices of a group take turns, so the group's rate is even too.
    #[test]
    fn even_due_times_are_spread_over_the_group() {
        let pace = pace(0.5, Arrival::Even);
        let due = |index| -> Vec<f64> {
            let mut schedule = schedule(pace, index, 4);
            std::iter::from_fn(|| schedule.poll(secs(104.0)))
                .map(|due| due.at.as_secs_f64())
                .collect()
        };

        assert_eq!(due(0), [100.0, 102.0, 104.0]);
        assert_eq!(due(1), [100.5, 102.5]);
        assert_eq!(due(3), [101.5, 103.5]);
    }

    /// Open model: however late the generator comes, every message is due when it was.
    #[test]
    fn a_late_generator_finds_the_due_times_unchanged() {
        let pace = pace(10.0, Arrival::Poisson);
        let mut punctual = schedule(pace, 0, 1);
        let mut late = schedule(pace, 0, 1);

        let mut expected = Vec::new();
        while let Some(next) = punctual.next_due().filter(|&next| next <= secs(200.0)) {
            expected.push(punctual.poll(next).unwrap());
        }
        let actual: Vec<Due> = std::iter::from_fn(|| late.poll(secs(200.0))).collect();

        assert_eq!(actual, expected);
        assert!(
            actual
                .iter()
                .map(|due| due.number)
                .eq(0..actual.len() as u64)
        );
    }

    /// Gaps of a Poisson process: mean and standard deviation are equal.
    #[test]
    fn poisson_gaps_are_exponential() {
        let mut schedule = schedule(pace(20.0, Arrival::Poisson), 0, 1);
        let times: Vec<f64> = std::iter::from_fn(|| schedule.poll(secs(2_000.0)))
            .map(|due| due.at.as_secs_f64())
            .collect();

        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;

        assert!((mean * 20.0 - 1.0).abs() < 0.03, "mean {mean}");
        assert!(
            (variance.sqrt() / mean - 1.0).abs() < 0.03,
            "deviation {}",
            variance.sqrt()
        );
    }

    /// The load has a beginning and an end.
    #[test]
    fn nothing_is_due_outside_the_load() {
        let pace = pace(1.0, Arrival::Even);
        let mut waiting = Schedule::new(
            pace,
            Place { index: 0, count: 1 },
            Draws::of_device(1, "g", 0).generator(Purpose::Arrivals, 0),
        );
        assert_eq!(waiting.next_due(), None);

        waiting.begin(Load {
            begin: secs(0.0),
            end: secs(2.0),
        });

        let count = std::iter::from_fn(|| waiting.poll(secs(9.0))).count();
        assert_eq!(count, 2);
        assert_eq!(waiting.next_due(), None);
    }
}
