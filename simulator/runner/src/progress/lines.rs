//! What stands in the lines of a run's progress, fitted to the terminal: whole fields are left out, and no number is cut.

use std::time::Duration;

use squall_fleet::{Phase, Progress};
use squall_ledger::SoFar;
use squall_run::{Percentile, duration_text};

/// The narrowest that three lines are, in columns: those of a terminal of 60, beside its spinner.
pub(super) const THREE_LINES_MIN: usize = 58;
/// The shortest time that a rate is shown over: over less it would say little about the run.
const RATE_TIME_MIN: Duration = Duration::from_millis(400);
/// The bar that shows how much of the run is over: its width at most, and the least that is worth its room.
const BAR_MAX: usize = 24;
const BAR_MIN: usize = 8;
/// Between two fields.
const GAP: &str = "  ";

/// A moment of a run, and what it is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Since the start of the run.
    pub(super) since_start: Duration,
    /// The figures now.
    pub(super) now: Progress,
    /// Those that rates count from.
    pub(super) before: Progress,
    /// How long ago that was.
    pub(super) since: Duration,
}

impl Look {
    /// Three lines for a terminal of `columns`: how far the run is, what happens, what came of it.
    pub(super) fn lines(self, name: &str, so_far: &SoFar, columns: usize) -> String {
        let first = self.head(name, columns);
        let second = fitted(GAP, self.happening(), columns);
        let third = fitted(GAP, came_of_it(so_far), columns);
        let lines = [first, second, third];
        let lines = lines.iter().map(|line| line.trim_end());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// One line: phase, time left, devices, rates over the time since the look before, faults. What does not fit into
    /// `columns` is left out whole, from the end.
    pub(super) fn line(self, columns: usize) -> String {
        let mut fields = vec![time_left(self.now)];
        fields.extend(self.happening());
        let phase = format!("{:<10}", phase_name(self.now.phase));
        let left = columns.saturating_sub(phase.len());
        phase
            + &fitted(
                "",
                fields.into_iter().map(|field| format!("{GAP}{field}")),
                left,
            )
    }

    /// `smoke  measuring  ██████░░░░  0:03 of 0:08  left 0:05`: the name goes first where there is no room, then the bar.
    fn head(self, name: &str, columns: usize) -> String {
        let phase = phase_name(self.now.phase).to_owned();
        let left = time_left(self.now);
        let Some(whole) = self.whole() else {
            return fitted("", [name.to_owned(), phase, left], columns);
        };
        let of = format!("{} of {}", clock(self.since_start), clock(whole));
        let width = |fields: &[&String]| {
            let widths = fields.iter().map(|field| field.chars().count() + GAP.len());
            widths.sum::<usize>().saturating_sub(GAP.len())
        };
        let name = name.to_owned();
        let all = [&name, &phase, &of, &left];
        let beside = columns.saturating_sub(width(&all) + GAP.len());
        if beside >= BAR_MIN {
            let bar = bar(self.since_start, whole, beside.min(BAR_MAX));
            return [name, phase, bar, of, left].join(GAP);
        }
        let shorter: [&[&String]; 3] = [
            &[&name, &phase, &left],
            &[&phase, &of, &left],
            &[&phase, &left],
        ];
        let fits = shorter.into_iter().find(|fields| width(fields) <= columns);
        let fields = fits.unwrap_or(&[]).iter().map(|field| field.as_str());
        fields.collect::<Vec<_>>().join(GAP)
    }

    /// How long the run takes; `None` where what is left is no more than a limit, or nothing.
    fn whole(self) -> Option<Duration> {
        match self.now.phase {
            Phase::Clearing
            | Phase::Connecting
            | Phase::WarmingUp
            | Phase::Measuring
            | Phase::Draining => Some(self.since_start + self.now.time_left),
            Phase::Checking | Phase::Leaving | Phase::EndingSessions | Phase::Finished => None,
        }
    }

    /// Devices, rates and faults.
    fn happening(self) -> Vec<String> {
        let (now, before) = (self.now, self.before);
        vec![
            format!("online {}/{}", now.online, now.devices),
            format!("published {}/s", self.rate(now.published, before.published)),
            format!("delivered {}/s", self.rate(now.delivered, before.delivered)),
            format!("faults {}", now.faults_applied),
        ]
    }

    fn rate(self, after: u64, earlier: u64) -> String {
        match self.since >= RATE_TIME_MIN {
            true => {
                let count = after.saturating_sub(earlier);
                format!("{:.0}", count as f64 / self.since.as_secs_f64())
            }
            false => "-".to_owned(),
        }
    }
}

/// Latencies so far, and how late the generator was: what has enough samples.
fn came_of_it(so_far: &SoFar) -> Vec<String> {
    let latency = &so_far.e2e_latency;
    let text = |value_us: u64| duration_text(value_us as f64 / 1e6);
    let percentile = |name: &str, histogram: &squall_run::Histogram, wanted| {
        histogram
            .percentile_us(wanted)
            .map(|us| format!("{name} {}", text(us)))
    };
    let max = latency.max_us().map(|us| format!("max {}", text(us)));
    let fields = [
        percentile("p50", latency, Percentile::P50),
        percentile("p99", latency, Percentile::P99),
        max,
        percentile("generator's lag p99", &so_far.schedule_lag, Percentile::P99),
    ];
    let fields: Vec<String> = fields.into_iter().flatten().collect();
    match fields.is_empty() {
        true => vec!["no latency yet".to_owned()],
        false => fields,
    }
}

/// As many of the fields as fit, from the first on.
fn fitted(start: &str, fields: impl IntoIterator<Item = String>, columns: usize) -> String {
    let mut line = start.to_owned();
    for field in fields {
        let gap = if line.trim().is_empty() || field.starts_with(GAP) {
            ""
        } else {
            GAP
        };
        if line.chars().count() + gap.len() + field.chars().count() > columns {
            break;
        }
        line.push_str(gap);
        line.push_str(&field);
    }
    line
}

/// How much of the run is over, as a bar of `width`.
fn bar(over: Duration, whole: Duration, width: usize) -> String {
    let share = over.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
    let full = ((share * width as f64) as usize).min(width);
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}

/// A phase as a person is told of it.
pub fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Clearing => "clearing",
        Phase::Connecting => "connecting",
        Phase::WarmingUp => "warm-up",
        Phase::Measuring => "measuring",
        Phase::Draining => "draining",
        Phase::Checking => "checking",
        Phase::Leaving => "leaving",
        Phase::EndingSessions => "ending",
        Phase::Finished => "finished",
    }
}

/// `1:15`
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `left 1:15`; where a phase may end before its time, `at most 1:15`, and where the drain goes on beyond its
/// own time, what for.
fn time_left(now: Progress) -> String {
    let left = clock(now.time_left);
    match (now.phase, now.links_awaited) {
        (Phase::Checking, _) => format!("left at most {left}"),
        (_, 0) => format!("left {left}"),
        (_, 1) => format!("left {left} for what 1 link holds"),
        (_, links) => format!("left {left} for what {links} links hold"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(published: u64, delivered: u64) -> Progress {
        Progress {
            phase: Phase::Measuring,
            time_left: Duration::from_secs(75),
            links_awaited: 0,
            devices: 2_000,
            online: 1_999,
            published,
            delivered,
            faults_applied: 15,
        }
    }

    fn look(now: Progress, before: Progress, since: Duration) -> Look {
        Look {
            since_start: Duration::from_secs(25),
            now,
            before,
            since,
        }
    }

    fn so_far() -> SoFar {
        let mut so_far = SoFar::default();
        for latency_us in 1..=10_000 {
            so_far.e2e_latency.record_us(latency_us * 39);
            so_far.schedule_lag.record_us(latency_us / 100);
        }
        so_far
    }

    fn second() -> Look {
        look(
            progress(1_500, 3_000),
            progress(500, 2_000),
            Duration::from_secs(1),
        )
    }

    /// Rates are those since the look before, not since the start.
    #[test]
    fn a_line_has_the_rates_since_the_look_before() {
        let half = look(
            progress(1_500, 3_000),
            progress(500, 2_000),
            Duration::from_millis(500),
        );

        assert_eq!(
            half.line(usize::MAX),
            "measuring   left 1:15  online 1999/2000  published 2000/s  delivered 2000/s  faults 15"
        );
    }

    /// A drain that goes on beyond its time says what it waits for, so that a countdown that goes up is
    /// understood; the look at what is retained may be over long before its limit.
    #[test]
    fn a_countdown_that_is_not_the_plans_says_why() {
        let draining = Progress {
            phase: Phase::Draining,
            links_awaited: 31,
            ..progress(0, 0)
        };
        let checking = Progress {
            phase: Phase::Checking,
            ..progress(0, 0)
        };

        assert_eq!(time_left(draining), "left 1:15 for what 31 links hold");
        assert_eq!(time_left(checking), "left at most 1:15");
    }

    /// In a narrow terminal whole fields are left out, the time left last: no number is cut.
    #[test]
    fn a_narrow_line_leaves_out_whole_fields() {
        assert_eq!(second().line(40), "measuring   left 1:15  online 1999/2000");
        assert_eq!(second().line(20), "measuring ");
        let wide = second().line(78);
        assert!(wide.ends_with("delivered 1000/s"), "{wide}");
    }

    /// Three lines say how far the run is, what happens and what came of it.
    #[test]
    fn three_lines_say_where_a_run_is() {
        let lines = second().lines("smoke", &so_far(), 78);

        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(
            lines,
            [
                "smoke  measuring  ██████░░░░░░░░░░░░░░░░░░  0:25 of 1:40  left 1:15",
                "  online 1999/2000  published 1000/s  delivered 1000/s  faults 15",
                "  p50 195 ms  p99 386 ms  max 390 ms  generator's lag p99 99.0 µs",
            ]
        );
    }

    /// At every width each line fits, and each of its numbers is one of the widest lines.
    #[test]
    fn no_number_is_cut_at_any_width() {
        let waits = Progress {
            phase: Phase::Draining,
            links_awaited: 31,
            ..progress(1_500, 3_000)
        };
        for now in [progress(1_500, 3_000), waits] {
            let look = look(now, progress(500, 2_000), Duration::from_secs(1));
            let name = "a-scenario-with-a-long-name";
            let whole = look.lines(name, &so_far(), 400);
            let words: Vec<&str> = whole.split_whitespace().collect();
            for columns in THREE_LINES_MIN..=160 {
                let text = look.lines(name, &so_far(), columns);
                assert_eq!(text.lines().count(), 3, "{text}");
                for line in text.lines() {
                    assert!(line.chars().count() <= columns, "{columns}: {line}");
                }
                let mut bare = text
                    .split_whitespace()
                    .filter(|word| !word.starts_with('█'));
                assert!(bare.all(|word| words.contains(&word)), "{columns}: {text}");
                assert!(text.contains("left 1:15"), "{columns}: {text}");
            }
        }
    }

    /// A limit is not taken for what is left: a bar would go back.
    #[test]
    fn a_run_that_is_checked_has_no_bar() {
        let checking = Progress {
            phase: Phase::Checking,
            ..progress(0, 0)
        };
        let look = look(checking, checking, Duration::from_secs(1));

        let lines = look.lines("smoke", &so_far(), 78);

        let head = lines.lines().next().expect("there are three");
        assert_eq!(head, "smoke  checking  left at most 1:15");
    }

    /// A bar is empty at the start, full at the end, and never wider than it is.
    #[test]
    fn a_bar_is_as_full_as_the_run_is_over() {
        let second = Duration::from_secs;

        assert_eq!(bar(second(0), second(0), 4), "░░░░");
        assert_eq!(bar(second(1), second(2), 4), "██░░");
        assert_eq!(bar(second(9), second(2), 4), "████");
    }

    /// What has too few samples is not told.
    #[test]
    fn percentiles_need_their_samples() {
        let mut few = SoFar::default();
        few.e2e_latency.record_us(5_000);

        assert_eq!(came_of_it(&SoFar::default()), ["no latency yet"]);
        assert_eq!(came_of_it(&few), ["max 5.00 ms"]);
    }

    /// The first look has nothing to compare with.
    #[test]
    fn the_first_line_has_no_rates() {
        let text = look(progress(9, 9), progress(9, 9), Duration::ZERO).line(80);

        assert!(text.contains("published -/s"), "{text}");
    }
}
