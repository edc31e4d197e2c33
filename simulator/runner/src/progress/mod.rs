//! What a person sees while a run goes on: three live lines in a terminal, one in a narrow one, plain lines elsewhere.

mod lines;

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use squall_fleet::Progress;
use squall_ledger::SoFar;

use crate::output::columns;
use crate::remark::remark;

use lines::{Look, THREE_LINES_MIN};

pub use lines::phase_name;

/// Time between two updates of the live lines in a terminal.
const LIVE_PERIOD: Duration = Duration::from_millis(500);
/// Time between two lines where there is no terminal.
const PLAIN_PERIOD: Duration = Duration::from_secs(5);
/// Time between two looks at the latencies: to merge them takes time that the run has not got.
const LATENCY_PERIOD: Duration = Duration::from_secs(2);

/// What stands before the text of a live line.
const SPINNER_COLUMNS: usize = 2;

/// How much the user wants to see while a run goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verbosity {
    /// How far the run is.
    Progress,
    /// No progress at all.
    Silent,
}

/// The place where progress is shown.
enum Display {
    /// A terminal: lines that are drawn anew.
    Live(ProgressBar),
    /// A pipe or a file: a line now and then.
    Plain,
    /// It is not shown.
    Hidden,
}

/// Shows a run's progress with rates since the look before, or since the phase began.
pub struct ProgressDisplay {
    display: Display,
    /// The scenario.
    name: String,
    /// What rates count from, with its time since the start of the run.
    last: Option<(Duration, Progress)>,
    /// The latencies, and when they were looked at.
    so_far: Option<(Duration, SoFar)>,
}

impl ProgressDisplay {
    /// Of a run of the scenario `name`: chooses by what is wanted and by what standard error is.
    pub fn new(verbosity: Verbosity, name: &str) -> Self {
        let display = match (verbosity, std::io::stderr().is_terminal()) {
            (Verbosity::Silent, _) => Display::Hidden,
            (Verbosity::Progress, true) => Display::Live(live_lines()),
            (Verbosity::Progress, false) => Display::Plain,
        };
        Self {
            display,
            name: name.to_owned(),
            last: None,
            so_far: None,
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

    /// Shows where the run is, `since_start` after its start; `ask` gives the latencies, where they are shown.
    pub fn show(&mut self, since_start: Duration, progress: Progress, ask: impl FnOnce() -> SoFar) {
        let look = self.look(since_start, progress);
        let width = columns(std::io::stderr());
        match &self.display {
            Display::Live(line) => {
                let width = width.map_or(usize::MAX, |width| width.saturating_sub(SPINNER_COLUMNS));
                if width < THREE_LINES_MIN {
                    line.set_message(look.line(width));
                    return;
                }
                let at = self.so_far.as_ref().map(|(at, _)| *at);
                if at.is_none_or(|at| since_start.saturating_sub(at) >= LATENCY_PERIOD) {
                    self.so_far = Some((since_start, ask()));
                }
                if let Some((_, so_far)) = &self.so_far {
                    line.set_message(look.lines(&self.name, so_far, width));
                }
            }
            Display::Plain => {
                let text = look.line(usize::MAX);
                remark(&format!("{:7.1}s  {text}", since_start.as_secs_f64()));
            }
            Display::Hidden => {}
        }
    }

    fn look(&mut self, since_start: Duration, now: Progress) -> Look {
        let (then, before) = self.last.unwrap_or((Duration::ZERO, now));
        self.last = Some((since_start, now));
        Look {
            since_start,
            now,
            before,
            since: since_start.saturating_sub(then),
        }
    }
}

impl Drop for ProgressDisplay {
    /// Removes the live lines.
    fn drop(&mut self) {
        if let Display::Live(line) = &self.display {
            line.finish_and_clear();
        }
    }
}

fn live_lines() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}");
    let line = ProgressBar::new_spinner();
    line.set_style(style.expect("the template is right"));
    line.enable_steady_tick(LIVE_PERIOD / 4);
    line
}

#[cfg(test)]
mod tests {
    use squall_fleet::Phase;

    use super::*;

    /// What was published before the drain began is not said to be published in it.
    #[test]
    fn rates_do_not_reach_over_a_phase() {
        let mut display = ProgressDisplay {
            display: Display::Hidden,
            name: "s".to_owned(),
            last: None,
            so_far: None,
        };
        let progress = |published, delivered| Progress {
            phase: Phase::Draining,
            time_left: Duration::from_secs(75),
            links_awaited: 0,
            devices: 2_000,
            online: 1_999,
            published,
            delivered,
            faults_applied: 3,
        };
        let second = Duration::from_secs;
        display.look(second(5), progress(500, 500));

        display.count_from(second(9), progress(900, 880));
        let text = display.look(second(10), progress(900, 900)).line(80);

        assert!(text.contains("published 0/s  delivered 20/s"), "{text}");
    }
}
