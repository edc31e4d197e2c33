//! What a program finds in a run that no claim asks for: a trend in memory, a stall, a step of latency at a fault.
//!
//! Each is told only where noise alone would hardly make it; the bounds stand beside each other below.

use crate::{
    Histogram, Interval, Percentile, Phase, PhaseKind, Population, ProcessRecord, Run, bytes_text,
    duration_text, rate_text,
};

/// Samples of memory that a trend needs.
const TREND_SAMPLES_MIN: usize = 20;
/// How much of the spread of the samples a straight line must explain (the coefficient of determination).
const TREND_R2_MIN: f64 = 0.9;
/// Growth that is told: at least so many bytes,
const TREND_BYTES_MIN: f64 = 8.0 * 1024.0 * 1024.0;
/// and at least this share of the memory at the start.
const TREND_SHARE_MIN: f64 = 0.2;

/// Deliveries of a stretch that are not missing by chance.
const STALL_USUAL_MIN: f64 = 50.0;
/// The deliveries of a message are those of this quantile of the intervals: a stall may take up most of them.
const STALL_COPIES_QUANTILE: f64 = 0.75;
/// Below this share of the usual rate deliveries have all but stopped.
const STALL_SHARE: f64 = 0.1;

/// How long before and after a fault is looked at, in seconds.
const STEP_WINDOW_S: f64 = 10.0;
/// Intervals with a median that each side needs.
const STEP_INTERVALS_MIN: usize = 3;
/// Samples that an interval needs for its median to count.
const STEP_SAMPLES_MIN: u64 = 20;
/// How many times higher latency has to be.
const STEP_FACTOR: f64 = 2.0;

impl Run {
    /// Sentences, each with a full stop, about what stands out in the measured part. Empty if nothing does.
    pub fn observations(&self) -> Vec<String> {
        let mut phases = self.times.phases.iter();
        let Some(measured) = phases.find(|phase| phase.kind == PhaseKind::Measure) else {
            return Vec::new();
        };
        let processes = [
            ("broker", &self.resources.broker),
            ("generator", &self.resources.generator),
        ];
        let trends = processes
            .into_iter()
            .filter_map(|(name, record)| memory_trend(name, record, measured));
        let mut found: Vec<String> = trends.collect();
        found.extend(stalls(self, measured));
        found.extend(latency_steps(self, measured));
        found
    }
}

/// Memory that grew in a straight line.
fn memory_trend(name: &str, record: &ProcessRecord, measured: &Phase) -> Option<String> {
    let points: Vec<(f64, f64)> = record
        .samples
        .iter()
        .filter(|sample| (measured.start_s..=measured.end_s).contains(&sample.at_s))
        .map(|sample| (sample.at_s, sample.rss_bytes as f64))
        .collect();
    if points.len() < TREND_SAMPLES_MIN {
        return None;
    }
    let line = Line::through(&points)?;
    let (first, last) = (points.first()?, points.last()?);
    let (from, to) = (line.at(first.0), line.at(last.0));
    let grown = to - from;
    let is_told = line.r2 >= TREND_R2_MIN
        && grown >= TREND_BYTES_MIN
        && grown >= TREND_SHARE_MIN * from.max(0.0);
    is_told.then(|| {
        format!(
            "The memory of the {name} grew from {} to {} while measuring, nearly in a straight line: {} a minute.",
            bytes_text(from.max(0.0) as u64),
            bytes_text(to as u64),
            bytes_text((line.slope * 60.0) as u64)
        )
    })
}

/// A line of least squares.
struct Line {
    slope: f64,
    middle: (f64, f64),
    /// Share of the spread that it explains.
    r2: f64,
}

impl Line {
    /// `None` if all points have one `x` or one `y`.
    fn through(points: &[(f64, f64)]) -> Option<Self> {
        let count = points.len() as f64;
        let middle = (
            points.iter().map(|point| point.0).sum::<f64>() / count,
            points.iter().map(|point| point.1).sum::<f64>() / count,
        );
        let sum = |of: fn(f64, f64) -> f64| -> f64 {
            let offsets = points.iter().map(|(x, y)| (x - middle.0, y - middle.1));
            offsets.map(|(x, y)| of(x, y)).sum()
        };
        let (xx, xy, yy) = (sum(|x, _| x * x), sum(|x, y| x * y), sum(|_, y| y * y));
        (xx > 0.0 && yy > 0.0).then(|| Self {
            slope: xy / xx,
            middle,
            r2: xy * xy / (xx * yy),
        })
    }

    fn at(&self, x: f64) -> f64 {
        self.middle.1 + self.slope * (x - self.middle.0)
    }
}

/// Intervals of the measured part that are whole and have a load.
fn measured_intervals<'a>(
    run: &'a Run,
    measured: &'a Phase,
) -> impl Iterator<Item = &'a Interval> + Clone {
    let intervals = run.measured.series.intervals.iter();
    intervals.filter(|interval| {
        interval.start_s >= measured.start_s - 1e-9
            && interval.end_s <= measured.end_s + 1e-9
            && interval.end_s > interval.start_s
    })
}

fn rate(count: u64, interval: &Interval) -> f64 {
    count as f64 / (interval.end_s - interval.start_s)
}

/// Stretches in which all but nothing was delivered though messages were due as ever.
///
/// What an interval should have brought is what was due in it, times the deliveries that a message has in most of the run: so a
/// stall of most of it is found too, and a broadcast now and then does not make the rest look like one.
fn stalls(run: &Run, measured: &Phase) -> Option<String> {
    let intervals: Vec<&Interval> = measured_intervals(run, measured).collect();
    let loaded = intervals.iter().filter(|one| one.scheduled > 0);
    let copies = loaded.map(|one| one.first_deliveries() as f64 / one.scheduled as f64);
    let copies = quantile(copies.collect(), STALL_COPIES_QUANTILE)?;
    let usual_due = median(
        intervals
            .iter()
            .map(|one| rate(one.scheduled, one))
            .collect(),
    )?;
    let expected = |interval: &Interval| interval.scheduled as f64 * copies;
    let is_still = |interval: &&Interval| {
        (interval.first_deliveries() as f64) < STALL_SHARE * expected(interval)
            && rate(interval.scheduled, interval) >= 0.5 * usual_due
    };
    let stretches = intervals.chunk_by(|one, next| is_still(one) == is_still(next));
    let stalled: Vec<&[&Interval]> = stretches
        .filter(|stretch| {
            let expected: f64 = stretch.iter().map(|one| expected(one)).sum();
            is_still(&stretch[0]) && expected >= STALL_USUAL_MIN
        })
        .collect();
    let (first, last) = (stalled.first()?.first()?, stalled.last()?.last()?);
    let total_s: f64 = stalled
        .concat()
        .iter()
        .map(|one| one.end_s - one.start_s)
        .sum();
    let others = intervals.iter().filter(|interval| !is_still(interval));
    let usual = median(
        others
            .map(|one| rate(one.first_deliveries(), one))
            .collect(),
    )?;
    Some(format!(
        "Deliveries all but stopped for {} between {} and {} after measuring began, while messages were due as ever: usually {} came.",
        duration_text(total_s),
        duration_text(first.start_s - measured.start_s),
        duration_text(last.end_s - measured.start_s),
        rate_text(usual)
    ))
}

/// Faults after which latency is higher than in every interval before.
fn latency_steps(run: &Run, measured: &Phase) -> Vec<String> {
    let populations = run.measured.series.populations();
    let mut steps: Vec<String> = Vec::new();
    for fault in &run.measured.faults {
        let at_s = measured.start_s + fault.planned_s;
        for population in &populations {
            let Some((before_us, after_us)) = step_at(run, measured, population, at_s) else {
                continue;
            };
            let of = match populations.len() {
                1 => String::new(),
                _ => format!(" to {population}"),
            };
            let step = format!(
                "After the fault {} at {} the median latency{of} rose from {} to {}.",
                fault.name,
                duration_text(fault.planned_s),
                duration_text(before_us as f64 / 1e6),
                duration_text(after_us as f64 / 1e6)
            );
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
    }
    steps
}

/// Medians of latency before and after a moment, if they are two levels.
fn step_at(run: &Run, measured: &Phase, population: &Population, at_s: f64) -> Option<(u64, u64)> {
    let side = |from_s: f64, to_s: f64| -> Vec<&Histogram> {
        measured_intervals(run, measured)
            .filter(|interval| interval.start_s >= from_s - 1e-9 && interval.end_s <= to_s + 1e-9)
            .filter_map(|interval| interval.latency_of(population))
            .filter(|histogram| histogram.count() >= STEP_SAMPLES_MIN)
            .collect()
    };
    let before = side(at_s - STEP_WINDOW_S, at_s);
    let after = side(at_s, at_s + STEP_WINDOW_S);
    if before.len() < STEP_INTERVALS_MIN || after.len() < STEP_INTERVALS_MIN {
        return None;
    }
    let medians = |side: &[&Histogram]| -> Vec<u64> {
        let medians = side.iter().map(|one| one.percentile_us(Percentile::P50));
        medians.flatten().collect()
    };
    let (lows, highs) = (medians(&before), medians(&after));
    let ceiling = *lows.iter().max()?;
    let above = highs.iter().filter(|median| **median > ceiling).count();
    // A fault may take a moment to show, and may be over before the window is.
    let first = highs.iter().take(STEP_INTERVALS_MIN + 1);
    let are_first_above = first.filter(|median| **median > ceiling).count() >= STEP_INTERVALS_MIN;
    let before_us = Histogram::merged(before).percentile_us(Percentile::P50)?;
    let after_us = Histogram::merged(after).percentile_us(Percentile::P50)?;
    let is_step = above >= STEP_INTERVALS_MIN
        && are_first_above
        && after_us as f64 >= STEP_FACTOR * before_us as f64;
    is_step.then_some((before_us, after_us))
}

fn median(values: Vec<f64>) -> Option<f64> {
    quantile(values, 0.5)
}

fn quantile(mut values: Vec<f64>, quantile: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * quantile) as usize;
    values.get(place).copied()
}

#[cfg(test)]
mod tests {
    use crate::{ProcessSample, sample};

    use super::*;

    /// Noise that is the same on every machine, from -1 to 1 (Lehmer, modulus 2^31 - 1).
    fn noise(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed * 2_654_435 % 2_147_483_646 + 1;
        move || {
            state = state * 48_271 % 2_147_483_647;
            state as f64 / 1_073_741_823.5 - 1.0
        }
    }

    /// A run with a steady load from 20 s to 120 s, one fault at 50 s, and nothing that stands out.
    fn steady(seed: u64) -> Run {
        let mut run = sample::passing();
        let mut noise = noise(seed);
        run.measured.faults.truncate(1);
        run.measured.faults[0].planned_s = 50.0;
        for interval in &mut run.measured.series.intervals {
            let count = (600.0 + 60.0 * noise()) as u64;
            let mut latency = Histogram::new();
            for _ in 0..count {
                latency.record_us((10_000.0 * (0.6 * noise()).exp()) as u64);
            }
            interval.e2e_latency = latency;
            interval.e2e_latency_of.clear();
            interval.scheduled = 600;
            interval.unstamped = 0;
        }
        let samples = (0..135).map(|second| ProcessSample {
            at_s: f64::from(second),
            cpu_cores: 0.2,
            cpu_total_s: 0.0,
            rss_bytes: (60.0e6 + 15.0e6 * noise()) as u64,
            descriptors: 9,
        });
        run.resources.broker.samples = samples.collect();
        run.resources.generator.samples.clear();
        run
    }

    /// In noise nothing is found, whatever the seed.
    #[test]
    fn nothing_is_found_in_noise() {
        for seed in 0..40 {
            let found = steady(seed).observations();

            assert_eq!(found, [""; 0], "seed {seed}");
        }
    }

    /// Memory that grows in a straight line is found among noise; growth that then stops is not a line.
    #[test]
    fn a_trend_in_memory_is_found() {
        let mut run = steady(1);
        for sample in &mut run.resources.broker.samples {
            sample.rss_bytes = sample.rss_bytes / 10 + (sample.at_s * 1_048_576.0) as u64;
        }
        let mut early = steady(1);
        for sample in &mut early.resources.broker.samples {
            sample.rss_bytes = 60_000_000 + (sample.at_s.min(30.0) * 1_048_576.0) as u64;
        }

        let found = run.observations();

        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("The memory of the broker grew from "),
            "{}",
            found[0]
        );
        assert!(found[0].contains("straight line: 60"), "{}", found[0]);
        assert_eq!(early.observations(), [""; 0]);
    }

    /// A broadcast to many now and then does not make of usual telemetry a stall.
    #[test]
    fn a_broadcast_does_not_make_a_stall() {
        let mut run = steady(2);
        for interval in run.measured.series.intervals.iter_mut().step_by(30) {
            interval.e2e_latency.record_us_times(10_000, 60_000);
        }

        let found = run.observations();

        assert!(
            !found.iter().any(|told| told.contains("all but stopped")),
            "{found:?}"
        );
    }

    /// A stall of most of the run is found, and one at a rate of few messages in each interval.
    #[test]
    fn a_long_stall_is_found() {
        let mut most = steady(2);
        let mut slow = steady(2);
        for interval in &mut slow.measured.series.intervals {
            let mut few = Histogram::new();
            few.record_us_times(10_000, 10);
            (interval.e2e_latency, interval.scheduled) = (few, 10);
        }
        for interval in &mut most.measured.series.intervals[40..110] {
            interval.e2e_latency = Histogram::new();
        }
        for interval in &mut slow.measured.series.intervals[80..86] {
            interval.e2e_latency = Histogram::new();
        }

        let (most, slow) = (most.observations(), slow.observations());

        assert!(most[0].contains("for 70.0 s between 20.0 s"), "{most:?}");
        assert!(slow[0].contains("for 6.00 s between 60.0 s"), "{slow:?}");
    }

    /// Two seconds without deliveries are found while messages were due; not where none were.
    #[test]
    fn a_stall_is_found() {
        let mut run = steady(2);
        for interval in &mut run.measured.series.intervals[80..82] {
            interval.e2e_latency = Histogram::new();
        }
        let mut paused = run.clone();
        for interval in &mut paused.measured.series.intervals[80..82] {
            interval.scheduled = 0;
        }

        let found = run.observations();

        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("for 2.00 s between 60.0 s and 62.0 s"),
            "{}",
            found[0]
        );
        assert_eq!(paused.observations(), [""; 0]);
    }

    /// A level of latency that is another after a fault is found; the same step elsewhere is not laid to the fault.
    #[test]
    fn a_step_of_latency_at_a_fault_is_found() {
        let slow = |run: &mut Run, from: usize| {
            for interval in &mut run.measured.series.intervals[from..from + 8] {
                let mut latency = Histogram::new();
                for _ in 0..600 {
                    latency.record_us(50_000);
                }
                interval.e2e_latency = latency;
            }
        };
        let mut run = steady(3);
        slow(&mut run, 70);
        let mut elsewhere = steady(3);
        slow(&mut elsewhere, 100);

        let found = run.observations();

        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0]
                .starts_with("After the fault power-cut at 50.0 s the median latency rose from "),
            "{}",
            found[0]
        );
        assert!(found[0].ends_with("to 50.0 ms."), "{}", found[0]);
        assert_eq!(elsewhere.observations(), [""; 0]);
    }
}
