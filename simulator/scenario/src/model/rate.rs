//! A rate over time: how many messages have come due by a moment, and when the next one does.
//!
//! Times are seconds from the start of the measured part, negative in the warm-up. A sum of messages is the
//! integral of the rate from 0 to a time, negative before 0; [`Rate::moment_of`] inverts it. Neither adds up
//! step by step, so rounding does not grow with the number of messages.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

/// Seconds of a day.
pub(crate) const DAY_SECONDS: f64 = 86_400.0;

/// Messages by which rounding may miss a sum, as a share of it, and at least as a part of one message.
const ROUNDING: f64 = 1e-9;

/// Messages per second over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Rate {
    /// Always the same, above 0.
    Constant(f64),
    /// Linear between points; before the first point the first rate, after the last one the last.
    Points(Points),
    /// Points that come again.
    Repeat {
        /// After which time they do, above zero and not before the last point.
        period: Duration,
        /// The points of one period.
        points: Points,
    },
    /// A cosine over the hours of a day; the measured part begins at midnight.
    Day {
        /// The rate twelve hours from the peak, at least 0.
        low: f64,
        /// The rate at the peak, above 0 and at least `low`.
        high: f64,
        /// When the peak is, from midnight: less than a day.
        peak: Duration,
    },
}

/// Points of a rate, with the messages that are due up to each of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Points(Arc<[Sum]>);

/// A point, and what is due up to it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sum {
    point: RatePoint,
    /// Messages from time 0 to the point.
    sum: f64,
}

/// The rate at a moment. Of two points at one moment the first holds before it, the last after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatePoint {
    /// From the start of the measured part, or of the period.
    pub at: Duration,
    /// Messages per second, at least 0.
    pub rate: f64,
}

impl Points {
    /// Points in the order of their times, at least one.
    pub fn new(points: &[RatePoint]) -> Self {
        let mut sums: Vec<Sum> = Vec::with_capacity(points.len());
        for &point in points {
            let sum = match sums.last() {
                Some(last) => {
                    let lasts = (point.at.saturating_sub(last.point.at)).as_secs_f64();
                    last.sum + lasts * f64::midpoint(last.point.rate, point.rate)
                }
                None => point.at.as_secs_f64() * point.rate,
            };
            sums.push(Sum { point, sum });
        }
        Self(sums.into())
    }

    /// The points, in order.
    pub fn iter(&self) -> impl Iterator<Item = RatePoint> + '_ {
        self.0.iter().map(|sum| sum.point)
    }

    fn first(&self) -> &Sum {
        self.0.first().expect("a profile has a point")
    }

    /// The last point at or before `time`, and the one after it.
    fn around(&self, time: f64) -> (Option<&Sum>, Option<&Sum>) {
        let after = self
            .0
            .partition_point(|sum| sum.point.at.as_secs_f64() <= time);
        let before = after.checked_sub(1).map(|index| &self.0[index]);
        (before, self.0.get(after))
    }

    fn at(&self, time: f64) -> f64 {
        match self.around(time) {
            (Some(before), Some(after)) => {
                let past = time - before.point.at.as_secs_f64();
                before.point.rate + past * slope(before, after)
            }
            (Some(last), None) => last.point.rate,
            (None, _) => self.first().point.rate,
        }
    }

    fn sum(&self, time: f64) -> f64 {
        match self.around(time) {
            (Some(before), _) => {
                let past = time - before.point.at.as_secs_f64();
                before.sum + past * f64::midpoint(before.point.rate, self.at(time))
            }
            (None, _) => time * self.first().point.rate,
        }
    }

    /// The last time at which no more than `sum` are due; `None` if no more ever are.
    fn moment_of(&self, sum: f64) -> Option<f64> {
        let reached = sum + tolerance(sum);
        let after = self.0.partition_point(|known| known.sum <= reached);
        let Some(index) = after.checked_sub(1) else {
            return Some(sum / self.first().point.rate);
        };
        let before = &self.0[index];
        let at = before.point.at.as_secs_f64();
        let left = (sum - before.sum).max(0.0);
        let rate = before.point.rate;
        match self.0.get(after) {
            // From 0 up or down, whichever way the rate goes, without a difference of large numbers.
            Some(next) if left > 0.0 => {
                let root = (rate * rate + 2.0 * slope(before, next) * left).max(0.0);
                Some(at + 2.0 * left / (rate + root.sqrt()))
            }
            Some(_) => Some(at),
            None => (rate > 0.0).then(|| at + left / rate),
        }
    }
}

/// By how much the rate grows each second from one point to the next.
fn slope(before: &Sum, after: &Sum) -> f64 {
    let lasts = (after.point.at - before.point.at).as_secs_f64();
    (after.point.rate - before.point.rate) / lasts
}

/// Messages by which `sum` may be wrong.
fn tolerance(sum: f64) -> f64 {
    ROUNDING * sum.abs().max(1.0)
}

impl Rate {
    /// Messages per second at `time`; at a step the rate after it.
    pub fn at(&self, time: f64) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Points(points) => points.at(time),
            Self::Repeat { period, points } => points.at(time.rem_euclid(period.as_secs_f64())),
            Self::Day { low, high, peak } => {
                let turn = (time - peak.as_secs_f64()) / DAY_SECONDS;
                f64::midpoint(*low, *high) + (high - low) / 2.0 * (turn * TAU).cos()
            }
        }
    }

    /// Messages that are due from time 0 to `time`; from `time` to 0, and negative, if it is before 0.
    pub fn sum(&self, time: f64) -> f64 {
        match self {
            Self::Constant(rate) => rate * time,
            Self::Points(points) => points.sum(time),
            Self::Repeat { period, points } => {
                let period = period.as_secs_f64();
                let whole = (time / period).floor();
                whole * points.sum(period) + points.sum(time - whole * period)
            }
            Self::Day { low, high, peak } => {
                let peak = peak.as_secs_f64() / DAY_SECONDS;
                let wave = |turn: f64| (turn * TAU).sin();
                let swing = (high - low) / 2.0 * DAY_SECONDS / TAU;
                let turn = time / DAY_SECONDS - peak;
                f64::midpoint(*low, *high) * time + swing * (wave(turn) - wave(-peak))
            }
        }
    }

    /// The last time up to which no more than `sum` messages are due, so that none comes due while the rate
    /// is 0; `None` if no more ever are.
    pub fn moment_of(&self, sum: f64) -> Option<f64> {
        match self {
            Self::Constant(rate) => Some(sum / rate),
            Self::Points(points) => points.moment_of(sum),
            Self::Repeat { period, points } => {
                let period = period.as_secs_f64();
                let each = points.sum(period);
                let whole = ((sum + tolerance(sum)) / each).floor();
                let rest = (sum - whole * each).max(0.0);
                match points.moment_of(rest) {
                    Some(moment) => Some(whole * period + moment),
                    None => points
                        .moment_of(0.0)
                        .map(|moment| (whole + 1.0) * period + moment),
                }
            }
            Self::Day { low, high, .. } => {
                let mean = f64::midpoint(*low, *high);
                let swing = (high - low) * DAY_SECONDS / TAU;
                Some(self.search(sum, (sum - swing) / mean, (sum + swing) / mean))
            }
        }
    }

    /// The time between `low` and `high` at which `sum` are due: Newton's method, and halves where it leaves
    /// the interval.
    fn search(&self, sum: f64, mut low: f64, mut high: f64) -> f64 {
        const STEPS_MAX: u32 = 100;
        const NEAR_SECONDS: f64 = 1e-10;
        let mut time = f64::midpoint(low, high);
        for _ in 0..STEPS_MAX {
            let beyond = self.sum(time) - sum;
            if beyond > 0.0 {
                high = time;
            } else {
                low = time;
            }
            let newton = time - beyond / self.at(time);
            let next = match newton > low && newton < high {
                true => newton,
                false => f64::midpoint(low, high),
            };
            if (next - time).abs() < NEAR_SECONDS {
                return next;
            }
            time = next;
        }
        time
    }

    /// The lowest and the highest rate from `begin` to `end`.
    pub fn range(&self, begin: f64, end: f64) -> (f64, f64) {
        let times: Vec<f64> = match self {
            Self::Constant(_) => Vec::new(),
            Self::Points(points) => points.iter().map(|p| p.at.as_secs_f64()).collect(),
            Self::Repeat { period, points } => {
                let period = period.as_secs_f64();
                let first = (begin / period).floor();
                // Two periods show each point, wherever the stream begins.
                let periods = [first, first + 1.0];
                let times = periods.map(|whole| {
                    points
                        .iter()
                        .map(move |p| whole * period + p.at.as_secs_f64())
                });
                times.into_iter().flatten().collect()
            }
            Self::Day { peak, .. } => {
                let half = DAY_SECONDS / 2.0;
                let first = ((begin - peak.as_secs_f64()) / half).ceil();
                (0..2)
                    .map(|n| (first + f64::from(n)) * half + peak.as_secs_f64())
                    .collect()
            }
        };
        // A rate that is left at a step counts too: just before it.
        let inner = times
            .into_iter()
            .filter(|time| begin < *time && *time <= end);
        let before = |time: f64| self.at(time - 1e-9_f64.max(time.abs() * 1e-12));
        let rates = inner.flat_map(|time| {
            let after = (time < end).then(|| self.at(time));
            std::iter::once(before(time)).chain(after)
        });
        let ends = [self.at(begin), before(end)];
        ends.into_iter()
            .chain(rates)
            .fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), rate| {
                (low.min(rate), high.max(rate))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: f64, rate: f64) -> RatePoint {
        RatePoint {
            at: Duration::from_secs_f64(at),
            rate,
        }
    }

    fn rates() -> Vec<Rate> {
        let ramp = [
            point(5.0, 10.0),
            point(15.0, 40.0),
            point(15.0, 0.0),
            point(25.0, 0.0),
            point(30.0, 7.0),
        ];
        let wave = [
            point(0.0, 0.0),
            point(2.0, 30.0),
            point(3.0, 30.0),
            point(3.0, 5.0),
        ];
        vec![
            Rate::Constant(3.0),
            Rate::Points(Points::new(&ramp)),
            Rate::Repeat {
                period: Duration::from_secs(4),
                points: Points::new(&wave),
            },
            Rate::Day {
                low: 0.0,
                high: 2.0,
                peak: Duration::from_secs(50_400),
            },
        ]
    }

    /// The sum is the integral of the rate, added up here in small steps.
    #[test]
    fn a_sum_is_the_integral_of_the_rate() {
        const STEP: f64 = 1e-3;
        for rate in rates() {
            let mut summed = rate.sum(-10.0);
            for n in 0..50_000 {
                let middle = -10.0 + (f64::from(n) + 0.5) * STEP;
                summed += rate.at(middle) * STEP;
            }
            let sum = rate.sum(40.0);
            assert!((sum - summed).abs() < 0.05, "{rate:?}: {sum} and {summed}");
        }
    }

    /// Where the rate is above zero, the moment of a sum is the time that it was the sum of.
    #[test]
    fn a_moment_is_the_inverse_of_a_sum() {
        for rate in rates() {
            for n in -100..400 {
                let time = f64::from(n) * 0.1 + 0.037;
                if rate.at(time) < 1e-3 {
                    continue;
                }
                let found = rate.moment_of(rate.sum(time)).expect("messages are due");
                assert!((found - time).abs() < 1e-6, "{rate:?}: {time}, not {found}");
            }
        }
    }

    /// What is due just when the rate falls to zero is due when it rises again; after a last rate of zero, never.
    #[test]
    fn nothing_is_due_while_the_rate_is_zero() {
        let pause = Points::new(&[
            point(2.0, 1.0),
            point(2.0, 0.0),
            point(5.0, 0.0),
            point(5.0, 1.0),
        ]);
        let end = Points::new(&[point(2.0, 1.0), point(2.0, 0.0)]);

        assert_eq!(Rate::Points(pause).moment_of(2.0), Some(5.0));
        assert_eq!(Rate::Points(end.clone()).moment_of(1.5), Some(1.5));
        assert_eq!(Rate::Points(end).moment_of(2.5), None);
    }

    /// Lowest and highest of a stretch, steps and turning points included.
    #[test]
    fn the_range_of_a_stretch_has_its_steps() {
        let rates = rates();

        assert_eq!(rates[0].range(0.0, 10.0), (3.0, 3.0));
        let (low, high) = rates[1].range(0.0, 10.0);
        assert!(low == 10.0 && (high - 25.0).abs() < 1e-6, "{low} {high}");
        let (low, high) = rates[1].range(0.0, 20.0);
        assert!(low == 0.0 && (high - 40.0).abs() < 1e-6, "{low} {high}");
        let (low, high) = rates[2].range(0.0, 100.0);
        assert!(low == 0.0 && (high - 30.0).abs() < 1e-6, "{low} {high}");
        let (low, high) = rates[3].range(0.0, 86_400.0);
        assert!(
            low.abs() < 1e-9 && (high - 2.0).abs() < 1e-9,
            "{low} {high}"
        );
    }
}
