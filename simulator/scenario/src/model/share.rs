//! A share over time: how much of a group is to be connected.

use std::f64::consts::TAU;
use std::time::Duration;

use super::rate::{DAY_SECONDS, Points, Rate};

/// A share from 0 to 1 over time, in seconds from the start of the measured part.
#[derive(Clone, Debug, PartialEq)]
pub struct Share(Rate);

/// On which side of a level a share is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// Above it.
    Above,
    /// At it, or below.
    Below,
}

impl Side {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Above => Self::Below,
            Self::Below => Self::Above,
        }
    }
}

impl Share {
    /// The share that goes as `rate` does, whose values are from 0 to 1.
    pub(crate) fn new(rate: Rate) -> Self {
        Self(rate)
    }

    /// What it goes as.
    pub(crate) fn profile(&self) -> &Rate {
        &self.0
    }

    /// The share at `time`; at a step the one after it.
    pub fn at(&self, time: f64) -> f64 {
        self.0.at(time)
    }

    /// The lowest and the highest share from `begin` to `end`.
    pub fn range(&self, begin: f64, end: f64) -> (f64, f64) {
        self.0.range(begin, end)
    }

    /// On which side of `level` it is at `time`.
    pub fn side(&self, level: f64, time: f64) -> Side {
        match self.at(time) > level {
            true => Side::Above,
            false => Side::Below,
        }
    }

    /// The first moment from `after` on at which it leaves this side of `level`; `None` if that never comes.
    pub fn next_crossing(&self, level: f64, from: Side, after: f64) -> Option<f64> {
        let search = Search {
            level,
            after,
            was_above: from == Side::Above,
        };
        match &self.0 {
            Rate::Constant(_) => None,
            Rate::Points(points) => search.along(corners(points, 0.0)),
            Rate::Repeat { period, points } => search.along_periods(*period, points),
            Rate::Day { low, high, peak } => search.along_days(*low, *high, peak.as_secs_f64()),
        }
    }
}

/// The points of a profile that begins at `origin`, as times and values.
fn corners(points: &Points, origin: f64) -> impl Iterator<Item = (f64, f64)> + '_ {
    points
        .iter()
        .map(move |point| (origin + point.at.as_secs_f64(), point.rate))
}

/// A search for the next crossing of a level.
#[derive(Clone, Copy, Debug)]
struct Search {
    level: f64,
    after: f64,
    was_above: bool,
}

impl Search {
    /// Along straight lines from each corner to the next.
    fn along(&self, corners: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
        let mut before: Option<(f64, f64)> = None;
        for corner in corners {
            let found = before.and_then(|before| self.within(before, corner));
            if found.is_some() {
                return found;
            }
            before = Some(corner);
        }
        None
    }

    /// On one line, which may be a step.
    fn within(&self, (begin, from): (f64, f64), (end, to): (f64, f64)) -> Option<f64> {
        if end <= self.after || (to > self.level) == self.was_above {
            return None;
        }
        let part = match to == from {
            true => 0.0,
            false => ((self.level - from) / (to - from)).clamp(0.0, 1.0),
        };
        Some((begin + part * (end - begin)).max(self.after))
    }

    /// Two whole periods show each crossing, wherever the search begins.
    fn along_periods(&self, period: Duration, points: &Points) -> Option<f64> {
        let period = period.as_secs_f64();
        let first = (self.after / period).floor();
        let value = |of: Option<(f64, f64)>| of.map(|(_, value)| value);
        let begins = value(corners(points, 0.0).next())?;
        let ends = value(corners(points, 0.0).last())?;
        let periods = [0.0, 1.0, 2.0].map(|n| (first + n) * period);
        self.along(periods.into_iter().flat_map(|origin| {
            std::iter::once((origin, begins))
                .chain(corners(points, origin))
                .chain(std::iter::once((origin + period, ends)))
        }))
    }

    /// A cosine is above the level for as long before its peak as after it.
    fn along_days(&self, low: f64, high: f64, peak: f64) -> Option<f64> {
        let height = (self.level - f64::midpoint(low, high)) / ((high - low) / 2.0);
        if !(-1.0..1.0).contains(&height) {
            return None;
        }
        let half = height.acos() / TAU * DAY_SECONDS;
        let first = match self.was_above {
            true => peak + half,
            false => peak - half,
        };
        let days = ((self.after - first) / DAY_SECONDS).floor() + 1.0;
        Some(first + days * DAY_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rate::RatePoint;

    fn points(points: &[(f64, f64)]) -> Points {
        let points: Vec<RatePoint> = points
            .iter()
            .map(|&(at, rate)| RatePoint {
                at: Duration::from_secs_f64(at),
                rate,
            })
            .collect();
        Points::new(&points)
    }

    fn shares() -> [Share; 4] {
        [
            Share::new(Rate::Constant(0.5)),
            Share::new(Rate::Points(points(&[
                (5.0, 0.2),
                (15.0, 1.0),
                (15.0, 0.4),
                (30.0, 0.4),
                (40.0, 0.0),
            ]))),
            Share::new(Rate::Repeat {
                period: Duration::from_secs(10),
                points: points(&[(2.0, 0.9), (4.0, 0.1), (8.0, 0.1), (8.0, 0.6)]),
            }),
            Share::new(Rate::Day {
                low: 0.1,
                high: 0.9,
                peak: Duration::from_secs(50_400),
            }),
        ]
    }

    /// Between two crossings the share stays on one side of the level, and changes it at each, as far as looking at it
    /// step by step shows.
    #[test]
    fn crossings_are_where_the_share_changes_sides() {
        for share in shares() {
            let (step, end) = match share.profile() {
                Rate::Day { .. } => (60.0, 3.0 * DAY_SECONDS),
                Rate::Constant(_) | Rate::Points(_) | Rate::Repeat { .. } => (0.01, 60.0),
            };
            for level in [0.05, 0.15, 0.35, 0.55, 0.75, 0.95] {
                let mut found = Vec::new();
                let (mut time, mut side) = (-20.0, share.side(level, -20.0));
                while let Some(next) = share
                    .next_crossing(level, side, time)
                    .filter(|&at| at < end)
                {
                    found.push(next);
                    (time, side) = (next, side.other());
                }
                let mut seen = Vec::new();
                let steps = ((end + 20.0) / step) as u32;
                for n in 1..steps {
                    let [before, at] = [n - 1, n].map(|n| -20.0 + f64::from(n) * step);
                    if share.side(level, at) != share.side(level, before) {
                        seen.push(at);
                    }
                }
                assert_eq!(
                    found.len(),
                    seen.len(),
                    "{share:?} {level}: {found:?} {seen:?}"
                );
                let is_near = |(found, seen): (&f64, &f64)| (found - seen).abs() <= step + 1e-6;
                assert!(
                    found.iter().zip(&seen).all(is_near),
                    "{share:?} {level}: {found:?} {seen:?}"
                );
            }
        }
    }
}
