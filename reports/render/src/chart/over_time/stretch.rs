//! Neighbouring intervals of a run joined, so that a chart has no more points than it can show.

use squall_run::{Histogram, Interval, PhaseKind, Run};

use crate::clock::Clock;

/// Neighbouring intervals of one phase.
#[derive(Clone, Debug)]
pub(crate) struct Stretch<'a> {
    /// Start, seconds since measuring began.
    pub(crate) from_s: f64,
    /// End, seconds since measuring began.
    pub(crate) to_s: f64,
    /// The phase they are in; `None` in a run that has no phases.
    pub(crate) phase: Option<PhaseKind>,
    intervals: &'a [Interval],
}

impl Stretch<'_> {
    /// The middle, seconds since measuring began.
    pub(crate) fn middle_s(&self) -> f64 {
        (self.from_s + self.to_s) / 2.0
    }

    /// Events within it.
    pub(crate) fn sum(&self, count: fn(&Interval) -> u64) -> u64 {
        self.intervals.iter().map(count).sum()
    }

    /// Events a second.
    pub(crate) fn rate(&self, count: fn(&Interval) -> u64) -> f64 {
        self.sum(count) as f64 / (self.to_s - self.from_s)
    }

    /// Devices that were connected at its end.
    pub(crate) fn online(&self) -> u64 {
        self.intervals.last().map_or(0, |last| last.online)
    }

    /// Deliveries that were under way at its end; `None` if they were not counted.
    pub(crate) fn under_way(&self) -> Option<u64> {
        self.intervals.last()?.under_way
    }

    /// A distribution of all its intervals.
    pub(crate) fn merged(&self, of: impl Fn(&Interval) -> Option<&Histogram>) -> Histogram {
        Histogram::merged(self.intervals.iter().filter_map(of))
    }
}

/// The intervals of `run` up to the end of its drain, joined within their phases by equal numbers so
/// that there are at most `most`, or one for each phase.
///
/// The last stretch of a phase belongs to the one before if it is less than half as long: a rate
/// over a few milliseconds would tower over all others.
pub(crate) fn stretches(run: &Run, most: usize) -> Vec<Stretch<'_>> {
    let clock = Clock::of(run);
    let phases: Vec<&[Interval]> = run
        .measured
        .series
        .intervals
        .chunk_by(|one, next| phase_of(run, one) == phase_of(run, next))
        .collect();
    let joined = joined(&phases, most);
    let mut stretches = Vec::new();
    for phase in phases {
        stretches.extend(within_phase(run, phase, joined));
    }
    stretches.retain(|stretch: &Stretch<'_>| stretch.to_s <= clock.end() + 1e-9);
    stretches
}

fn phase_of(run: &Run, interval: &Interval) -> Option<PhaseKind> {
    run.times.phase_at(interval.start_s)
}

/// How many intervals make a stretch.
fn joined(phases: &[&[Interval]], most: usize) -> usize {
    let stretches = |joined: usize| -> usize {
        phases
            .iter()
            .map(|phase| phase.len().div_ceil(joined))
            .sum()
    };
    let intervals = phases.iter().map(|phase| phase.len()).max().unwrap_or(0);
    (1..intervals.max(1))
        .find(|joined| stretches(*joined) <= most)
        .unwrap_or_else(|| intervals.max(1))
}

fn within_phase<'a>(run: &Run, phase: &'a [Interval], joined: usize) -> Vec<Stretch<'a>> {
    let clock = Clock::of(run);
    let mut firsts: Vec<usize> = (0..phase.len()).step_by(joined).collect();
    let length_s = |first: usize, end: usize| phase[end - 1].end_s - phase[first].start_s;
    if let [.., before, last] = firsts.as_slice()
        && length_s(*last, phase.len()) < length_s(*before, *last) / 2.0
    {
        firsts.pop();
    }
    let ends = firsts.iter().skip(1).copied().chain([phase.len()]);
    firsts
        .iter()
        .zip(ends)
        .map(|(first, end)| Stretch {
            from_s: clock.at(phase[*first].start_s),
            to_s: clock.at(phase[end - 1].end_s),
            phase: phase_of(run, &phase[*first]),
            intervals: &phase[*first..end],
        })
        .filter(|stretch| stretch.to_s > stretch.from_s)
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

        let events: u64 = stretches
            .iter()
            .map(|stretch| stretch.sum(|i| i.sent))
            .sum();
        let sent: u64 = run.measured.series.intervals.iter().map(|i| i.sent).sum();
        assert!(stretches.len() <= 50);
        assert_eq!(events, sent);
        assert!(
            stretches
                .windows(2)
                .all(|pair| (pair[0].to_s - pair[1].from_s).abs() < 1e-9)
        );
    }

    /// A stretch begins where measuring does and where the drain does, however many are joined: what
    /// came of the load is not mixed with what came after it.
    #[test]
    fn stretches_begin_with_the_phases() {
        let run = sample::passing();

        for most in [1, 7, 50, 1_000] {
            let starts: Vec<f64> = stretches(&run, most).iter().map(|s| s.from_s).collect();

            assert!(starts.contains(&0.0), "{starts:?}");
            assert!(starts.contains(&100.0), "{starts:?}");
        }
    }

    /// What happens after the drain is the goodbye: it is in no stretch.
    #[test]
    fn the_goodbye_is_left_out() {
        let mut run = sample::passing();
        run.measured.series.intervals.push(Interval {
            start_s: 135.0,
            end_s: 135.4,
            ended: 5_004,
            ..Interval::default()
        });

        let stretches = stretches(&run, 1_000);

        assert_eq!(stretches.last().unwrap().to_s, 115.0);
        assert!(
            stretches
                .iter()
                .all(|stretch| stretch.sum(|i| i.ended) < 5_004)
        );
    }

    /// A last interval of a millisecond belongs to the one before, and its events are kept.
    #[test]
    fn a_sliver_at_the_end_of_a_phase_makes_no_peak() {
        let mut run = sample::passing();
        run.times.duration_s = 134.001;
        run.times.phases[3].end_s = 134.001;
        run.measured.series.intervals[134].end_s = 134.001;

        let stretches = stretches(&run, 1_000);

        let last = stretches.last().unwrap();
        assert!((last.to_s - last.from_s - 1.001).abs() < 1e-9);
        assert_eq!(last.intervals.len(), 2);
    }
}
