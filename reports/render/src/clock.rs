//! The clock that charts and their tables go by: it is zero when measuring begins.
//!
//! A scenario counts its faults from there, and a run file everything from the start of the run;
//! the difference is the time that devices take to connect, plus the warm-up.

use squall_run::{PhaseKind, Run, duration_text};

/// Turns seconds since the start of the run into seconds since measuring began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clock {
    /// When measuring began, since the start of the run; `None` if it never did.
    zero_s: Option<f64>,
    /// When the drain ended, since the start of the run.
    end_s: f64,
}

impl Clock {
    /// The clock of `run`.
    pub(crate) fn of(run: &Run) -> Self {
        let phases = &run.times.phases;
        let measuring = phases.iter().find(|phase| phase.kind == PhaseKind::Measure);
        let phases_end_s = phases.iter().map(|phase| phase.end_s).fold(0.0, f64::max);
        Self {
            zero_s: measuring.map(|phase| phase.start_s),
            end_s: run.times.duration_s.max(phases_end_s),
        }
    }

    /// Seconds since measuring began, of a moment in seconds since the start of the run.
    ///
    /// Since the start of the run, if measuring never began.
    pub(crate) fn at(self, run_s: f64) -> f64 {
        run_s - self.zero_s.unwrap_or(0.0)
    }

    /// The start of the run on this clock.
    pub(crate) fn start(self) -> f64 {
        self.at(0.0)
    }

    /// The end of the drain on this clock. What follows is the goodbye of all devices.
    pub(crate) fn end(self) -> f64 {
        self.at(self.end_s)
    }

    /// Which clock it is, for the title of an axis.
    pub(crate) fn title(self) -> String {
        match self.zero_s {
            None => "Since the run began; measuring never did".to_owned(),
            Some(zero_s) => format!(
                "Since measuring began, {} into the run",
                duration_text(zero_s)
            ),
        }
    }
}
