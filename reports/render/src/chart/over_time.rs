//! What charts over time share: the axis, phases, faults, and intervals joined where there are many.

use std::collections::{BTreeMap, BTreeSet};

use squall_run::{Histogram, Interval, PhaseKind, Run, count_text};

use super::figure::{Axis, Band, Figure, Mark, MarkLine, Unit};
use super::scale::Scale;
use super::theme::Ink;

/// Points of a line over time, and rows of its table, at most.
pub(crate) const POINTS: usize = 180;

/// More faults than this are shown as ticks without names.
const NAMED_FAULTS: usize = 12;

/// A figure over the time of `run`, with its phases shaded and its faults marked.
pub(crate) fn figure(run: &Run, y: Axis) -> Figure {
    let length = length_s(run).max(1e-3);
    let mut figure = Figure::new(
        Axis::new("Time in the run", Scale::Linear(0.0, length), Unit::RunTime),
        y,
    );
    figure.bands = phases(run);
    mark_faults(run, &mut figure);
    figure
}

/// From the start to the end of the run, or of what was measured if that is later.
fn length_s(run: &Run) -> f64 {
    let series = &run.measured.series;
    let measured = series.intervals.len() as f64 * series.interval_s;
    let phases = run
        .times
        .phases
        .iter()
        .map(|phase| phase.end_s)
        .fold(0.0, f64::max);
    let longest = run.times.duration_s.max(phases);
    // The last interval may be cut short by the end of the run.
    if longest > 0.0 { longest } else { measured }
}

fn phases(run: &Run) -> Vec<Band> {
    let name = |kind| match kind {
        PhaseKind::Connect => Some("connect"),
        PhaseKind::Warmup => Some("warm-up"),
        PhaseKind::Measure => None,
        PhaseKind::Drain => Some("drain"),
    };
    let phases = run
        .times
        .phases
        .iter()
        .filter(|phase| phase.end_s > phase.start_s);
    phases
        .filter_map(|phase| {
            Some(Band {
                from: phase.start_s,
                to: phase.end_s,
                label: name(phase.kind)?.to_owned(),
                ink: Ink::Phase,
            })
        })
        .collect()
}

fn mark_faults(run: &Run, figure: &mut Figure) {
    let faults = &run.measured.faults;
    if faults.len() > NAMED_FAULTS {
        let names: BTreeSet<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut words = format!(
            "{} faults: {}",
            count_text(faults.len() as u64),
            names.join(", ")
        );
        for fault in faults {
            // The first tick speaks for all.
            let label = std::mem::take(&mut words);
            figure.marks.push(Mark {
                line: MarkLine::Tick(fault.at_s),
                label,
                ink: Ink::Fault,
            });
        }
        return;
    }
    for fault in faults {
        if let Some(lasts_s) = fault.lasts_s {
            let band = (fault.at_s, fault.at_s + lasts_s);
            figure.bands.push(Band {
                from: band.0,
                to: band.1,
                label: String::new(),
                ink: Ink::Fault,
            });
        }
    }
    // Faults of one moment share a line: their names would lie on each other.
    let mut moments: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for fault in faults {
        moments
            .entry((fault.at_s.max(0.0) * 1000.0) as u64)
            .or_default()
            .push(&fault.name);
    }
    for (at_ms, names) in moments {
        figure.marks.push(Mark {
            line: MarkLine::Vertical(at_ms as f64 / 1000.0),
            label: names.join(", "),
            ink: Ink::Fault,
        });
    }
}

/// Neighbouring intervals joined.
#[derive(Clone, Debug)]
pub(crate) struct Stretch<'a> {
    /// Start and end, seconds.
    pub(crate) from_s: f64,
    pub(crate) to_s: f64,
    /// The intervals.
    pub(crate) intervals: &'a [Interval],
}

impl Stretch<'_> {
    /// The middle, seconds.
    pub(crate) fn middle_s(&self) -> f64 {
        (self.from_s + self.to_s) / 2.0
    }

    /// Events a second.
    pub(crate) fn rate(&self, count: impl Fn(&Interval) -> u64) -> f64 {
        let events: u64 = self.intervals.iter().map(count).sum();
        events as f64 / (self.to_s - self.from_s)
    }

    /// A distribution of all its intervals.
    pub(crate) fn merged(&self, of: impl Fn(&Interval) -> &Histogram) -> Histogram {
        Histogram::merged(self.intervals.iter().map(of))
    }
}

/// A rate over time, level within each stretch: what it was before a fault does not lean into it.
pub(crate) fn steps(stretches: &[Stretch<'_>], count: fn(&Interval) -> u64) -> Vec<(f64, f64)> {
    stretches
        .iter()
        .flat_map(|stretch| {
            let rate = stretch.rate(count);
            [(stretch.from_s, rate), (stretch.to_s, rate)]
        })
        .collect()
}

/// The intervals of `run`, joined by equal numbers so that there are at most `most`.
///
/// A last stretch that the end of the run cut to less than half belongs to the one before: a
/// rate over a few milliseconds would tower over all others.
pub(crate) fn stretches(run: &Run, most: usize) -> Vec<Stretch<'_>> {
    let series = &run.measured.series;
    if series.interval_s <= 0.0 {
        return Vec::new();
    }
    let joined = series.intervals.len().div_ceil(most.max(1)).max(1);
    let count = series.intervals.len();
    let start_s = |index: usize| index as f64 * series.interval_s;
    // The last interval may be cut short, but never to nothing.
    let end_s = |first: usize, end: usize| {
        let whole = start_s(end);
        let length = length_s(run);
        if end == count && length > start_s(first) {
            whole.min(length)
        } else {
            whole
        }
    };
    let mut firsts: Vec<usize> = (0..count).step_by(joined).collect();
    let is_cut = |first: &usize| end_s(*first, count) - start_s(*first) < start_s(joined) / 2.0;
    if firsts.len() > 1 && firsts.last().is_some_and(is_cut) {
        firsts.pop();
    }
    let ends = firsts.iter().skip(1).copied().chain([count]);
    firsts
        .iter()
        .zip(ends)
        .map(|(first, end)| Stretch {
            from_s: start_s(*first),
            to_s: end_s(*first, end),
            intervals: &series.intervals[*first..end],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// Joined intervals keep every event and cover the run without gaps.
    #[test]
    fn stretches_cover_the_run() {
        let run = sample::passing();

        let stretches = stretches(&run, 50);

        let events: f64 = stretches
            .iter()
            .map(|s| s.rate(|i| i.sent) * (s.to_s - s.from_s))
            .sum();
        let sent: u64 = run.measured.series.intervals.iter().map(|i| i.sent).sum();
        assert!(stretches.len() <= 50);
        assert!((events - sent as f64).abs() < 1e-3);
        assert!(
            stretches
                .windows(2)
                .all(|pair| (pair[0].to_s - pair[1].from_s).abs() < 1e-9)
        );
    }

    /// A last interval that the end of the run cut short does not look like a fall of the rate.
    #[test]
    fn a_short_last_interval_keeps_its_rate() {
        let mut run = sample::passing();
        run.times.duration_s = 134.5;
        run.times.phases[3].end_s = 134.5;

        let stretches = stretches(&run, 1_000);

        let last = stretches.last().unwrap();
        assert!((last.to_s - last.from_s - 0.5).abs() < 1e-9);
    }

    /// A last interval of a millisecond belongs to the one before, and its events are kept.
    #[test]
    fn a_sliver_at_the_end_makes_no_peak() {
        let mut run = sample::passing();
        run.times.duration_s = 134.001;
        run.times.phases[3].end_s = 134.001;

        let stretches = stretches(&run, 1_000);

        let last = stretches.last().unwrap();
        assert!((last.to_s - last.from_s - 1.001).abs() < 1e-9);
        assert_eq!(last.intervals.len(), 2);
        let intervals: usize = stretches.iter().map(|s| s.intervals.len()).sum();
        assert_eq!(intervals, run.measured.series.intervals.len());
    }

    /// Faults of one moment share one line, and many faults lose their names.
    #[test]
    fn faults_are_marked() {
        let mut run = sample::passing();
        let axis = || Axis::new("", Scale::from_zero(1.0), Unit::Count);

        let few = figure(&run, axis());
        let one = run.measured.faults[0].clone();
        run.measured.faults = vec![one; 100];
        let many = figure(&run, axis());

        let labels: Vec<&str> = few.marks.iter().map(|mark| mark.label.as_str()).collect();
        assert_eq!(labels, ["power-cut, socket-reset", "socket-close, polite"]);
        assert_eq!(many.marks.len(), 100);
        assert_eq!(many.marks[0].label, "100 faults: power-cut");
        assert!(many.marks[1..].iter().all(|mark| mark.label.is_empty()));
    }
}
