//! What a person sees while a run goes on: one live line in a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use squall_fleet::{Phase, Progress};

use crate::output::columns;
use crate::remark::remark;

/// Time between two updates of the live line in a terminal.
const LIVE_PERIOD: Duration = Duration::from_millis(500);
/// Time between two lines where there is no terminal.
const PLAIN_PERIOD: Duration = Duration::from_secs(5);

/// What stands before the text of a live line.
const SPINNER_COLUMNS: usize = 2;

/// The shortest time that a rate is shown over: over less it would say little about the run.
const RATE_TIME_MIN: Duration = Duration::from_millis(400);

/// How much the user wants to see while a run goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verbosity {
    /// How far the run is.
    Progress,
    /// No progress at all.
    Silent,
}

/// The place where progress is shown.
pub enum Display {
    /// A terminal: one line that is drawn anew.
    Live(ProgressBar),
    /// A pipe or a file: a line now and then.
    Plain,
    /// It is not shown.
    Hidden,
}

/// Shows a run's progress with rates since the look before, or since the phase began.
pub struct ProgressDisplay {
    display: Display,
    /// What rates count from, with its time since the start of the run.
    last: Option<(Duration, Progress)>,
}

impl ProgressDisplay {
    /// Chooses by what is wanted and by what standard error is.
    pub fn new(verbosity: Verbosity) -> Self {
        let display = match (verbosity, std::io::stderr().is_terminal()) {
            (Verbosity::Silent, _) => Display::Hidden,
            (Verbosity::Progress, true) => Display::Live(live_line()),
            (Verbosity::Progress, false) => Display::Plain,
        };
        Self {
            display,
            last: None,
        }
    }

    /// How often to call [`Self::show`].
    pub fn period(&self) -> Duration {
        match self.display {
            Display::Live(_) => LIVE_PERIOD,
            Display::Plain | Display::Hidden => PLAIN_PERIOD,
        }
    }

    /// A remark beside the progress, such as where the target listens.
    pub fn remark(&self, text: &str) {
        match &self.display {
            Display::Live(line) => line.println(text),
            Display::Plain => remark(text),
            Display::Hidden => {}
        }
    }

    /// Rates of the next look are those since here, `since_start` after the run's start.
    pub fn count_from(&mut self, since_start: Duration, progress: Progress) {
        self.last = Some((since_start, progress));
    }

    /// Shows where the run is, `since_start` after its start.
    pub fn show(&mut self, since_start: Duration, progress: Progress) {
        let columns = match &self.display {
            Display::Live(_) => columns(std::io::stderr()).map_or(usize::MAX, |columns| {
                columns.saturating_sub(SPINNER_COLUMNS)
            }),
            Display::Plain | Display::Hidden => usize::MAX,
        };
        let text = self.next_line(since_start, progress, columns);
        match &self.display {
            Display::Live(line) => line.set_message(text),
            Display::Plain => remark(&format!("{:7.1}s  {text}", since_start.as_secs_f64())),
            Display::Hidden => {}
        }
    }
}

impl ProgressDisplay {
    fn next_line(&mut self, since_start: Duration, progress: Progress, columns: usize) -> String {
        let (then, before) = self.last.unwrap_or((Duration::ZERO, progress));
        self.last = Some((since_start, progress));
        line(progress, before, since_start.saturating_sub(then), columns)
    }
}

impl Drop for ProgressDisplay {
    /// Removes the live line.
    fn drop(&mut self) {
        if let Display::Live(line) = &self.display {
            line.finish_and_clear();
        }
    }
}

fn live_line() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {wide_msg}");
    let line = ProgressBar::new_spinner();
    line.set_style(style.expect("the template is right"));
    line.enable_steady_tick(LIVE_PERIOD / 4);
    line
}

/// One line: phase, time left, devices, rates over the time since `before`, faults. What does not fit into
/// `columns` is left out whole, from the end.
fn line(now: Progress, before: Progress, since: Duration, columns: usize) -> String {
    let rate = |after: u64, earlier: u64| match since >= RATE_TIME_MIN {
        true => {
            let count = after.saturating_sub(earlier);
            format!("{:.0}", count as f64 / since.as_secs_f64())
        }
        false => "-".to_owned(),
    };
    let fields = [
        time_left(now),
        format!("online {}/{}", now.online, now.devices),
        format!("published {}/s", rate(now.published, before.published)),
        format!("delivered {}/s", rate(now.delivered, before.delivered)),
        format!("faults {}", now.faults_applied),
    ];
    let mut line = format!("{:<10}", phase_name(now.phase));
    for field in fields {
        if line.len() + 2 + field.len() > columns {
            break;
        }
        line.push_str("  ");
        line.push_str(&field);
    }
    line
}

fn phase_name(phase: Phase) -> &'static str {
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

/// `left 1:15`; where a phase may end before its time, `at most 1:15`, and where the drain goes on beyond its
/// own time, what for.
fn time_left(now: Progress) -> String {
    let seconds = now.time_left.as_secs();
    let left = format!("{}:{:02}", seconds / 60, seconds % 60);
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
            faults_applied: 3,
        }
    }

    /// Rates are those since the look before, not since the start.
    #[test]
    fn a_line_has_the_rates_since_the_look_before() {
        let text = line(
            progress(1_500, 3_000),
            progress(500, 2_000),
            Duration::from_millis(500),
            usize::MAX,
        );

        assert_eq!(
            text,
            "measuring   left 1:15  online 1999/2000  published 2000/s  delivered 2000/s  faults 3"
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

    /// What was published before the drain began is not said to be published in it.
    #[test]
    fn rates_do_not_reach_over_a_phase() {
        let mut display = ProgressDisplay {
            display: Display::Hidden,
            last: None,
        };
        let second = Duration::from_secs;
        display.next_line(second(5), progress(500, 500), 80);

        display.count_from(second(9), progress(900, 880));
        let text = display.next_line(second(10), progress(900, 900), 80);

        assert!(text.contains("published 0/s  delivered 20/s"), "{text}");
    }

    /// In a narrow terminal whole fields are left out, the time left last: no number is cut.
    #[test]
    fn a_narrow_line_leaves_out_whole_fields() {
        let second = Duration::from_secs(1);
        let of = |columns| {
            line(
                progress(1_500, 3_000),
                progress(500, 2_000),
                second,
                columns,
            )
        };

        assert_eq!(of(40), "measuring   left 1:15  online 1999/2000");
        assert_eq!(of(20), "measuring ");
        assert!(of(78).ends_with("delivered 1000/s"), "{}", of(78));
    }

    /// The first look has nothing to compare with.
    #[test]
    fn the_first_line_has_no_rates() {
        let text = line(progress(9, 9), progress(9, 9), Duration::ZERO, 80);

        assert!(text.contains("published -/s"), "{text}");
    }
}
