//! When the messages of one stream of one device are due: an open model.
//!
//! Due times follow from the scenario and the seed alone. Nothing that the broker, the network or
//! the generator does moves them: a generator that is late finds its due times unchanged, so that
//! the delay counts (no coordinated omission). How many messages are due by a moment is the sum of the
//! rate up to it; each due time is the moment at which that sum reaches a number, so nothing is due while
//! the rate is 0, and no rounding adds up.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand_distr::Exp1;
use squall_protocol::Instant;
use squall_scenario::{Arrival, Pacing};

use crate::random::Generator;

/// The due times of one `[[group.publish]]` of one device.
#[derive(Debug)]
pub(crate) struct Schedule {
    pacing: Arc<Pacing>,
    /// The device's turn among those of its group, from 0 to below 1 burst.
    share: f64,
    /// Messages that came due before.
    count: u64,
    /// Of those, the ones that were passed over.
    passed_over: u64,
    /// Due messages of the rate up to the beginning of the stream, as [`Rate::sum`] counts them.
    begun: f64,
    /// Those from there to the next burst.
    sum: f64,
    /// When the next message is due, in seconds from the start of the measured part; `None` for never.
    next: Option<f64>,
    load: Option<Load>,
    /// Messages of a closed loop that the broker has not answered.
    unanswered: u32,
    rng: Generator,
}

/// When messages may be due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Load {
    /// Start of the measured part, from which the times of a scenario count.
    pub(crate) measured: Instant,
    /// How long the warm-up before it lasts.
    pub(crate) warmup: Duration,
    /// When a device that is yet to connect does so: its streams begin then at the earliest.
    pub(crate) from: Option<Instant>,
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
    pub(crate) fn new(pacing: Arc<Pacing>, place: Place, rng: Generator) -> Self {
        Self {
            pacing,
            share: f64::from(place.index) / f64::from(place.count),
            count: 0,
            passed_over: 0,
            begun: 0.0,
            sum: 0.0,
            next: None,
            load: None,
            unanswered: 0,
            rng,
        }
    }

    /// The load begins: from now on messages come due.
    pub(crate) fn begin(&mut self, load: Load) {
        self.load = Some(load);
        let begins = self.pacing.begins(load.warmup);
        let from = load.from.map(|from| seconds_since(from, load.measured));
        let begins = from.map_or(begins, |from| begins.max(from));
        if self.pacing.window.is_some() {
            self.next = Some(begins);
            return;
        }
        self.begun = self.pacing.rate_per_device.sum(begins);
        self.plan_burst();
    }

    /// No message comes due from `end` on: the run ends early.
    pub(crate) fn end(&mut self, end: Instant) {
        if let Some(load) = &mut self.load {
            load.end = load.end.min(end);
        }
    }

    /// When the next message is due; `None` outside the load and after the stream's end.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let load = self.load?;
        let next = self.next?;
        // One beyond the range of a Duration ends the stream.
        let away = Duration::try_from_secs_f64(next.abs()).ok()?;
        let at = match next < 0.0 {
            true => load.measured - away,
            false => load.measured + away,
        };
        let until = self.pacing.until.map(|until| load.measured + until);
        (at < load.end && until.is_none_or(|until| at <= until)).then_some(at)
    }

    /// Takes the next message if it is due by `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Due> {
        if self.pacing.window.is_some() {
            return None;
        }
        let at = self.next_due().filter(|&at| at <= now)?;
        let number = self.count - self.passed_over;
        self.count += 1;
        if self.pacing.count.is_some_and(|most| number + 1 >= most) {
            self.next = None;
        } else if self.count.is_multiple_of(self.pacing.burst.into()) {
            self.plan_burst();
        }
        Some(Due { number, at })
    }

    /// A closed loop whose beginning has passed waits for answers, or for a connection, and no longer for a moment.
    pub(crate) fn handle_window_begun(&mut self, now: Instant) {
        let has_begun = self.next_due().is_some_and(|begins| begins <= now);
        if self.pacing.window.is_some() && has_begun {
            self.next = None;
        }
    }

    /// Passes the next message over if it is due by `now`, and tells whether it was: it does not count as one of the stream.
    pub(crate) fn pass_over(&mut self, now: Instant) -> bool {
        let is_due = self.next_due().is_some_and(|at| at <= now);
        if self.pacing.window.is_some() || !is_due {
            return false;
        }
        self.passed_over += 1;
        self.count += 1;
        if self.count.is_multiple_of(self.pacing.burst.into()) {
            self.plan_burst();
        }
        true
    }

    /// Whether a closed loop has room for a message `now`.
    pub(crate) fn has_window(&self, now: Instant) -> bool {
        let (Some(window), Some(load)) = (self.pacing.window, self.load) else {
            return false;
        };
        let until = self.pacing.until.map(|until| load.measured + until);
        let is_over = now >= load.end
            || until.is_some_and(|until| now > until)
            || self.pacing.count.is_some_and(|most| self.count >= most);
        let has_begun = self.next_due().is_none();
        has_begun && !is_over && self.unanswered < window
    }

    /// Takes the next message of a closed loop, if one may be written `now`: it is due when it is written.
    pub(crate) fn poll_window(&mut self, now: Instant) -> Option<Due> {
        if !self.has_window(now) {
            return None;
        }
        self.unanswered += 1;
        let number = self.count;
        self.count += 1;
        Some(Due { number, at: now })
    }

    /// A message of a closed loop was answered, or never will be.
    pub(crate) fn answered(&mut self) {
        self.unanswered = self.unanswered.saturating_sub(1);
    }

    /// Works out when the messages from number `count` on are due.
    fn plan_burst(&mut self) {
        let burst = f64::from(self.pacing.burst);
        self.sum = match self.pacing.arrival {
            // Computed afresh, so that rounding does not add up.
            Arrival::Even => self.count as f64 + self.share * burst,
            Arrival::Poisson => {
                let unit: f64 = self.rng.sample(Exp1);
                self.sum + unit * burst
            }
        };
        self.next = self.pacing.rate_per_device.moment_of(self.begun + self.sum);
    }
}

/// Seconds from `origin` to `moment`; negative if it is before.
fn seconds_since(moment: Instant, origin: Instant) -> f64 {
    match moment >= origin {
        true => moment.saturating_since(origin).as_secs_f64(),
        false => -origin.saturating_since(moment).as_secs_f64(),
    }
}

/// Place of a device in its group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    /// The device's `{index}`, counted from 0.
    pub(crate) index: u32,
    /// Devices in the group.
    pub(crate) count: u32,
}

#[cfg(test)]
mod tests {
    use squall_scenario::{Points, Rate, RatePoint};

    use super::*;
    use crate::random::{Draws, Purpose};

    fn pacing(rate: f64, arrival: Arrival) -> Pacing {
        Pacing {
            rate_per_device: Rate::Constant(rate),
            window: None,
            arrival,
            burst: 1,
            count: None,
            start: None,
            until: None,
        }
    }

    /// The device at `index` of `count`, under a load from 100 s to 1,100 s that is measured from 110 s on.
    fn schedule(pacing: Pacing, index: u32, count: u32) -> Schedule {
        let rng = Draws::of_device(1, "g", index).generator(Purpose::Arrivals, 0);
        let mut schedule = Schedule::new(Arc::new(pacing), Place { index, count }, rng);
        schedule.begin(Load {
            measured: secs(110.0),
            warmup: Duration::from_secs(10),
            from: None,
            end: secs(1_100.0),
        });
        schedule
    }

    fn secs(seconds: f64) -> Instant {
        Instant::ZERO + Duration::from_secs_f64(seconds)
    }

    /// All due times up to `end`.
    fn times(mut schedule: Schedule, end: f64) -> Vec<f64> {
        std::iter::from_fn(|| schedule.poll(secs(end)))
            .map(|due| due.at.as_secs_f64())
            .collect()
    }

    /// Devices of a group take turns, so the group's rate is even too.
    #[test]
    fn even_due_times_are_spread_over_the_group() {
        let due = |index| times(schedule(pacing(0.5, Arrival::Even), index, 4), 104.0);

        assert_eq!(due(0), [100.0, 102.0, 104.0]);
        assert_eq!(due(1), [100.5, 102.5]);
        assert_eq!(due(3), [101.5, 103.5]);
    }

    /// Open model: however late the generator comes, every message is due when it was.
    #[test]
    fn a_late_generator_finds_the_due_times_unchanged() {
        let mut punctual = schedule(pacing(10.0, Arrival::Poisson), 0, 1);
        let mut late = schedule(pacing(10.0, Arrival::Poisson), 0, 1);

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
        let times = times(schedule(pacing(20.0, Arrival::Poisson), 0, 1), 2_000.0);

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
        let mut waiting = Schedule::new(
            Arc::new(pacing(1.0, Arrival::Even)),
            Place { index: 0, count: 1 },
            Draws::of_device(1, "g", 0).generator(Purpose::Arrivals, 0),
        );
        assert_eq!(waiting.next_due(), None);

        waiting.begin(Load {
            measured: secs(0.0),
            warmup: Duration::ZERO,
            from: None,
            end: secs(2.0),
        });

        let count = std::iter::from_fn(|| waiting.poll(secs(9.0))).count();
        assert_eq!(count, 2);
        assert_eq!(waiting.next_due(), None);
    }

    /// Times of the file count from the beginning of the measured part; the last moment counts.
    #[test]
    fn a_stream_begins_and_ends_where_the_file_says() {
        let mut bounded = pacing(1.0, Arrival::Even);
        bounded.start = Some(Duration::from_secs(5));
        bounded.until = Some(Duration::from_secs(7));

        assert_eq!(
            times(schedule(bounded, 0, 1), 1_000.0),
            [115.0, 116.0, 117.0]
        );
    }

    /// A burst has one due time, and the bursts keep the rate.
    #[test]
    fn a_burst_is_due_at_one_moment() {
        let mut bursts = pacing(2.0, Arrival::Even);
        bursts.burst = 4;
        bursts.count = Some(10);

        let due = times(schedule(bursts, 0, 1), 1_000.0);

        let first = [100.0; 4].into_iter().chain([102.0; 4]);
        assert_eq!(due, first.chain([104.0; 2]).collect::<Vec<_>>());
    }

    /// 2 messages a second, from 20 s on 0, from 30 s on 4: none is due between, and each stretch has its number.
    #[test]
    fn nothing_is_due_while_the_rate_is_zero() {
        let point = |at, rate| RatePoint {
            at: Duration::from_secs(at),
            rate,
        };
        let points = [
            point(20, 2.0),
            point(20, 0.0),
            point(30, 0.0),
            point(30, 4.0),
        ];
        let mut stepped = pacing(1.0, Arrival::Even);
        stepped.rate_per_device = Rate::Points(Points::new(&points));
        let random = Pacing {
            arrival: Arrival::Poisson,
            ..stepped.clone()
        };

        let even = times(schedule(stepped, 0, 1), 1_000.0);
        let random = times(schedule(random, 0, 1), 1_000.0);

        let within = |due: &[f64], from: f64, to: f64| {
            due.iter().filter(|&&at| from <= at && at < to).count()
        };
        assert_eq!(within(&even, 100.0, 130.0), 60);
        assert_eq!(within(&even, 130.0, 140.0), 0);
        assert_eq!(within(&even, 140.0, 240.0), 400);
        assert_eq!(within(&random, 130.0, 140.0), 0);
        // 400 are expected, with a standard deviation of 20.
        assert!((320..480).contains(&within(&random, 140.0, 240.0)));
    }

    /// A closed loop that cannot write when it begins, for want of a connection, is not due again and again.
    #[test]
    fn the_beginning_of_a_closed_loop_passes_once() {
        let closed = Pacing {
            window: Some(2),
            ..pacing(0.0, Arrival::Even)
        };
        let mut schedule = schedule(closed, 0, 1);
        let begins = schedule.next_due().unwrap();

        schedule.handle_window_begun(begins);

        assert_eq!(schedule.next_due(), None);
        assert!(schedule.poll_window(begins).is_some());
    }

    /// A closed loop writes until its window is full, then one for each answer, and none outside its time.
    #[test]
    fn a_window_lets_so_many_be_unanswered() {
        let closed = Pacing {
            window: Some(2),
            start: Some(Duration::from_secs(1)),
            count: Some(4),
            ..pacing(0.0, Arrival::Even)
        };
        let mut schedule = schedule(closed, 0, 1);
        let at = |seconds: u64| Instant::ZERO + Duration::from_secs(seconds);

        schedule.handle_window_begun(at(110));
        let before = schedule.poll_window(at(110));
        schedule.handle_window_begun(at(111));
        let written = std::iter::from_fn(|| schedule.poll_window(at(111))).count();
        schedule.answered();
        let after_one = std::iter::from_fn(|| schedule.poll_window(at(112))).count();
        schedule.answered();
        schedule.answered();
        let last: Vec<Due> = std::iter::from_fn(|| schedule.poll_window(at(113))).collect();

        assert_eq!((before, written, after_one), (None, 2, 1));
        let fourth = Due {
            number: 3,
            at: at(113),
        };
        assert_eq!(last, [fourth]);
    }
}
