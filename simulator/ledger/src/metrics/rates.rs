//! Events of the measured part, by group and QoS: counts, and the fullest and emptiest second.
//!
//! Windows of one second begin with the measured part, and the last one is longer by what is left at its end: together they
//! are the measured part, so that its mean lies between the extremes. Only the open window, the one before it and the extremes
//! of the others are kept, so a day and a minute take the same memory.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_protocol::{Instant, QoS};
use squall_run::{Event, PhaseKind, RateEntry, Tags};
use squall_scenario::{GroupId, Scenario};

/// Length of a window.
const WINDOW: Duration = Duration::from_secs(1);

/// What is counted, of which group, at which QoS; `None` is all.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct RateKey {
    pub(crate) event: Event,
    pub(crate) group: Option<GroupId>,
    pub(crate) qos: Option<QoS>,
}

/// Counters of a run.
#[derive(Debug)]
pub(crate) struct Rates {
    phase: PhaseKind,
    /// By the narrowest key.
    counts: BTreeMap<RateKey, Counts>,
    /// By every key that takes events of windows that are over.
    extremes: BTreeMap<RateKey, Extremes>,
    /// Windows that are in them.
    windows: u64,
    /// What every key took in the last full second, which may be followed by a rest that is not one.
    last: Option<BTreeMap<RateKey, u64>>,
    /// Where the open window begins; `None` outside the measured part.
    open_since: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    measured: u64,
    warmup: u64,
    total: u64,
    /// In the open window.
    open: u64,
}

/// The least and the most events a second of a window.
#[derive(Clone, Copy, Debug)]
struct Extremes {
    least: f64,
    most: f64,
}

impl Extremes {
    /// What is not there did not happen in any window.
    const NONE: Self = Self {
        least: 0.0,
        most: 0.0,
    };

    /// With one window more.
    fn and(self, rate: f64) -> Self {
        Self {
            least: self.least.min(rate),
            most: self.most.max(rate),
        }
    }
}

impl Rates {
    /// Nothing was counted; devices connect.
    pub(crate) fn new() -> Self {
        Self {
            phase: PhaseKind::Connect,
            counts: BTreeMap::new(),
            extremes: BTreeMap::new(),
            windows: 0,
            last: None,
            open_since: None,
        }
    }

    /// A phase began at `at`.
    pub(crate) fn enter_phase(&mut self, at: Instant, phase: PhaseKind) {
        self.close_windows(at);
        self.close_last(at);
        self.phase = phase;
        self.open_since = (phase == PhaseKind::Measure).then_some(at);
    }

    /// Counts an event that happened at `now`; `now` never goes backwards.
    pub(crate) fn count(&mut self, now: Instant, key: RateKey) {
        self.close_windows(now);
        self.count_in(self.phase, key);
        if self.open_since.is_some() {
            self.counts.entry(key).or_default().open += 1;
        }
    }

    /// Counts an event that belongs to `phase`, whenever it was noticed.
    pub(crate) fn count_in(&mut self, phase: PhaseKind, key: RateKey) {
        let counts = self.counts.entry(key).or_default();
        counts.total += 1;
        match phase {
            PhaseKind::Warmup => counts.warmup += 1,
            PhaseKind::Measure => counts.measured += 1,
            PhaseKind::Connect | PhaseKind::Drain => {}
        }
    }

    /// As the run file has them, of a measured part from `measured.0` to `measured.1`, all windows of
    /// which are over.
    pub(crate) fn outcome(
        &self,
        scenario: &Scenario,
        measured: Option<(Instant, Instant)>,
    ) -> squall_run::Rates {
        let mut sums: BTreeMap<RateKey, Counts> = BTreeMap::new();
        for (&key, counts) in &self.counts {
            for wider in key.selections() {
                let sum = sums.entry(wider).or_default();
                sum.measured += counts.measured;
                sum.warmup += counts.warmup;
                sum.total += counts.total;
            }
        }
        let entries = sums.into_iter().map(|(key, sum)| {
            let extremes = self.extremes_of(key);
            RateEntry {
                event: key.event,
                tags: key.tags(scenario),
                count: sum.measured,
                count_without_warmup: sum.total - sum.warmup,
                emptiest_second: extremes.map(|extremes| extremes.least),
                fullest_second: extremes.map(|extremes| extremes.most),
            }
        });
        let length = measured.map(|(start, end)| end.saturating_since(start));
        squall_run::Rates {
            measured_s: length.unwrap_or_default().as_secs_f64(),
            entries: entries.collect(),
        }
    }

    fn extremes_of(&self, key: RateKey) -> Option<Extremes> {
        match key.event {
            Event::Due | Event::Dropped => None,
            Event::Sent | Event::Delivered | Event::Connected | Event::Error => {
                let extremes = self.extremes.get(&key).copied().unwrap_or(Extremes::NONE);
                let before = (self.windows > 0).then_some(extremes);
                let Some(last) = &self.last else {
                    return before;
                };
                let rate = last.get(&key).copied().unwrap_or(0) as f64;
                let alone = Extremes {
                    least: rate,
                    most: rate,
                };
                Some(before.map_or(alone, |before| before.and(rate)))
            }
        }
    }

    /// Takes note of the windows that are over at `now`.
    fn close_windows(&mut self, now: Instant) {
        while let Some(since) = self.open_since
            && since + WINDOW <= now
        {
            self.close_window();
            self.open_since = Some(since + WINDOW);
        }
    }

    fn close_window(&mut self) {
        let sums = self.take_open();
        if let Some(before) = self.last.replace(sums) {
            self.keep(before, WINDOW);
        }
    }

    /// The measured part is over at `at`, if it went on: what is left belongs to its last full second.
    fn close_last(&mut self, at: Instant) {
        let Some(since) = self.open_since else {
            return;
        };
        let rest = self.take_open();
        if let Some(mut sums) = self.last.take() {
            for (key, sum) in rest {
                *sums.entry(key).or_default() += sum;
            }
            self.keep(sums, WINDOW + at.saturating_since(since));
        }
    }

    /// What every key took in the open window, which then has nothing.
    fn take_open(&mut self) -> BTreeMap<RateKey, u64> {
        let mut sums: BTreeMap<RateKey, u64> = BTreeMap::new();
        for (&key, counts) in &mut self.counts {
            let open = std::mem::take(&mut counts.open);
            for wider in key.selections() {
                *sums.entry(wider).or_default() += open;
            }
        }
        sums
    }

    fn keep(&mut self, sums: BTreeMap<RateKey, u64>, length: Duration) {
        let is_first = self.windows == 0;
        for (key, sum) in sums {
            let rate = sum as f64 / length.as_secs_f64();
            let extremes = self.extremes.entry(key).or_insert(match is_first {
                true => Extremes {
                    least: rate,
                    most: rate,
                },
                // One that is new did not happen in the windows before.
                false => Extremes::NONE,
            });
            *extremes = extremes.and(rate);
        }
        self.windows += 1;
    }
}

impl RateKey {
    /// Events of a group, at a QoS where they have one.
    pub(crate) fn of(event: Event, group: GroupId, qos: Option<QoS>) -> Self {
        Self {
            event,
            group: Some(group),
            qos,
        }
    }

    /// Every key that takes the events of this one, once.
    fn selections(self) -> impl Iterator<Item = Self> {
        let groups = [self.group, None];
        let qos = [self.qos, None];
        let groups = &groups[..1 + usize::from(self.group.is_some())];
        let qos = &qos[..1 + usize::from(self.qos.is_some())];
        let keys: Vec<Self> = groups
            .iter()
            .flat_map(|&group| qos.iter().map(move |&qos| Self { group, qos, ..self }))
            .collect();
        keys.into_iter()
    }

    fn tags(self, scenario: &Scenario) -> Tags {
        let group = self.group.map(|id| scenario.group(id).name.clone());
        let qos = self.qos.map(|qos| (qos as u8).to_string());
        let tags = [("group", group), ("qos", qos)];
        tags.into_iter()
            .filter_map(|(tag, value)| Some((tag.to_owned(), value?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_run::RateFigures;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    fn key(event: Event) -> RateKey {
        RateKey::of(event, GroupId(0), Some(QoS::AtLeastOnce))
    }

    fn scenario() -> Scenario {
        let text = "version = 1\nname = \"a\"\n[[group]]\nname = \"g\"\ncount = 1\n";
        Scenario::parse("a.toml", text, &[]).unwrap()
    }

    fn figures(rates: &Rates, measured: (Instant, Instant), event: Event) -> RateFigures {
        let outcome = rates.outcome(&scenario(), Some(measured));
        outcome.of_all(event).unwrap()
    }

    /// A count over the exact time: the ends of the run belong to it, whatever the clock's seconds.
    #[test]
    fn a_rate_is_over_the_exact_measured_time() {
        let mut rates = Rates::new();
        let (start, end) = (at(1_500), at(6_500));
        rates.enter_phase(at(500), PhaseKind::Warmup);
        rates.count(at(1_499), key(Event::Sent));
        rates.enter_phase(start, PhaseKind::Measure);
        // The second window has 50 more than the others.
        let even = (0..1_000).map(|number| 1_500 + number * 5);
        let mut millis: Vec<u64> = even.chain([2_999; 50]).collect();
        millis.sort_unstable();
        for millis in millis {
            rates.count(at(millis), key(Event::Sent));
        }
        rates.enter_phase(end, PhaseKind::Drain);
        rates.count(end, key(Event::Sent));

        let sent = figures(&rates, (start, end), Event::Sent);

        assert_eq!((sent.count, sent.mean_per_s), (1_050, 210.0));
        assert_eq!(
            (sent.least_per_s, sent.peak_per_s),
            (Some(200.0), Some(250.0))
        );
        // With the one of the drain, without the one of the warm-up.
        let outcome = rates.outcome(&scenario(), Some((start, end)));
        assert_eq!(
            outcome.count_without_warmup(Event::Sent, &Tags::new()),
            1_051
        );
    }

    /// A second in which nothing happened is the emptiest, at the beginning, in between and at the end.
    #[test]
    fn a_second_without_events_is_the_emptiest() {
        for second in [0, 1, 2] {
            let mut rates = Rates::new();
            rates.enter_phase(at(0), PhaseKind::Measure);
            for other in (0..3).filter(|other| *other != second) {
                rates.count(at(other * 1_000), key(Event::Delivered));
            }
            rates.enter_phase(at(3_000), PhaseKind::Drain);

            let delivered = figures(&rates, (at(0), at(3_000)), Event::Delivered);

            assert_eq!(delivered.least_per_s, Some(0.0), "second {second}");
            assert_eq!(delivered.peak_per_s, Some(1.0), "second {second}");
        }
    }

    /// The mean lies between the extremes, wherever in the measured part its events are, also where it is no whole number of
    /// seconds; each is compared with what the moments themselves give.
    #[test]
    fn the_mean_lies_between_the_extremes() {
        let bursts: [&[(u64, u64)]; 4] = [
            &[(100, 10), (1_400, 100)],
            &[(100, 100), (1_400, 10)],
            &[(1_000, 50)],
            &[(0, 7), (999, 7), (1_499, 7)],
        ];
        for (burst, end) in bursts.into_iter().zip([1_500, 1_500, 1_999, 1_500]) {
            let mut rates = Rates::new();
            rates.enter_phase(at(0), PhaseKind::Measure);
            for &(millis, count) in burst {
                for _ in 0..count {
                    rates.count(at(millis), key(Event::Sent));
                }
            }
            rates.enter_phase(at(end), PhaseKind::Drain);

            let sent = figures(&rates, (at(0), at(end)), Event::Sent);

            // All of it is one window: a full second, and a rest that is shorter than one.
            let count: u64 = burst.iter().map(|(_, count)| count).sum();
            let witness = count as f64 * 1_000.0 / end as f64;
            for rate in [sent.least_per_s, Some(sent.mean_per_s), sent.peak_per_s] {
                assert!(
                    rate.is_some_and(|rate| (rate - witness).abs() < 1e-9),
                    "{sent:?}"
                );
            }
            assert_eq!(sent.windows, 1);
        }

        let mut rates = Rates::new();
        rates.enter_phase(at(0), PhaseKind::Measure);
        for millis in [100, 200, 2_300, 2_400, 2_400, 2_400] {
            rates.count(at(millis), key(Event::Sent));
        }
        rates.enter_phase(at(2_500), PhaseKind::Drain);
        let sent = figures(&rates, (at(0), at(2_500)), Event::Sent);
        // Two in the first second, four in the 1.5 s behind it, six in 2.5 s.
        assert_eq!(sent.least_per_s, Some(2.0));
        assert_eq!(sent.mean_per_s, 2.4);
        assert_eq!(sent.peak_per_s, Some(4.0 / 1.5));
        assert_eq!(sent.windows, 2);
    }

    /// Less than a second has a rate, but no fullest second; a rest belongs to the last full second.
    #[test]
    fn only_full_seconds_have_extremes() {
        let mut rates = Rates::new();
        rates.enter_phase(at(0), PhaseKind::Measure);
        for millis in (0..1_500).step_by(100) {
            rates.count(at(millis), key(Event::Sent));
        }
        rates.enter_phase(at(1_500), PhaseKind::Drain);
        let mut short = Rates::new();
        short.enter_phase(at(0), PhaseKind::Measure);
        short.count(at(100), key(Event::Sent));
        short.enter_phase(at(500), PhaseKind::Drain);

        let sent = figures(&rates, (at(0), at(1_500)), Event::Sent);
        let few = figures(&short, (at(0), at(500)), Event::Sent);

        assert_eq!(
            (sent.least_per_s, sent.peak_per_s),
            (Some(10.0), Some(10.0))
        );
        assert_eq!((few.mean_per_s, few.peak_per_s), (2.0, None));
    }
}
