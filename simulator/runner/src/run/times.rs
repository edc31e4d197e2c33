//! When the phases of a run were, and where it was stopped.

use squall_fleet::Phase;
use squall_protocol::Instant;
use squall_run::{ClockKind, PhaseKind, Stop, StopCause, Times};
use squall_scenario::RunSettings;

/// How a run came to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// Everything that the scenario asks for was done.
    Whole,
    /// No device could connect: the rest of the scenario would have told nothing.
    ShutOut,
    /// This ended the load before its time; the drain and the checks followed.
    Stopped(StopCause),
    /// A second signal ended everything at once: what was on its way was not awaited.
    Cut {
        /// The second signal.
        by: StopCause,
        /// Whether the first one ended the load before its time.
        load_was_stopped: bool,
    },
}

/// When and how a run came to its end.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Since the start of the run.
    pub at: Instant,
    /// By itself, by a signal, or because no device could connect.
    pub ended: Ended,
}

/// The phases of a run of `planned` that came to its end so, without their wall clock.
pub fn times(phases: &[(Phase, Instant)], end: End, planned: &RunSettings) -> Times {
    let ends = phases
        .iter()
        .skip(1)
        .map(|(_, begin)| *begin)
        .chain([end.at]);
    let mut merged: Vec<squall_run::Phase> = Vec::new();
    for ((phase, begin), end) in phases.iter().zip(ends) {
        let Some(kind) = phase.kind() else {
            continue;
        };
        match merged.last_mut() {
            Some(last) if last.kind == kind => last.end_s = end.as_secs_f64(),
            _ => merged.push(squall_run::Phase {
                kind,
                start_s: begin.as_secs_f64(),
                end_s: end.as_secs_f64(),
            }),
        }
    }
    Times {
        started_at: String::new(),
        duration_s: merged.last().map_or(0.0, |last| last.end_s),
        clock: ClockKind::Real,
        stopped: stop(&merged, end.ended, planned),
        phases: merged,
    }
}

/// Where a run was stopped: in the load, after which it was drained, or at once, wherever it was.
fn stop(phases: &[squall_run::Phase], ended: Ended, planned: &RunSettings) -> Option<Stop> {
    let in_load = |phase: &&squall_run::Phase| phase.kind < PhaseKind::Drain;
    let (by, cut) = match ended {
        Ended::Whole | Ended::ShutOut => return None,
        Ended::Stopped(by) => (by, phases.iter().rfind(in_load)?),
        Ended::Cut {
            by,
            load_was_stopped: true,
        } => (by, phases.iter().rfind(in_load)?),
        Ended::Cut {
            by,
            load_was_stopped: false,
        } => (by, phases.last()?),
    };
    let planned_s = match cut.kind {
        PhaseKind::Connect => None,
        PhaseKind::Warmup => Some(planned.warmup.as_secs_f64()),
        PhaseKind::Measure => Some(planned.duration.as_secs_f64()),
        PhaseKind::Drain => Some(planned.drain.as_secs_f64()),
    };
    Some(Stop {
        by,
        at_s: cut.end_s,
        phase: cut.kind,
        after_s: cut.end_s - cut.start_s,
        planned_s,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use squall_scenario::Scenario;

    use super::*;

    fn planned() -> RunSettings {
        let scenario = "version = 1\nname = \"a\"\n[run]\nwarmup = \"2s\"\nduration = \"60s\"\n\
            [[group]]\nname = \"g\"\ncount = 1\n";
        Scenario::parse("a.toml", scenario, &[]).unwrap().run
    }

    fn second(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn stopped(phases: &[(Phase, Instant)], ended: Ended) -> Option<Stop> {
        let at = second(25);
        times(phases, End { at, ended }, &planned()).stopped
    }

    /// A run that was stopped says in which phase, and how much of it had passed.
    #[test]
    fn a_stopped_run_says_where() {
        let phases = [
            (Phase::Connecting, second(0)),
            (Phase::WarmingUp, second(1)),
            (Phase::Measuring, second(3)),
            (Phase::Draining, second(19)),
            (Phase::Leaving, second(24)),
        ];

        let in_load = stopped(&phases, Ended::Stopped(StopCause::Sigterm)).unwrap();
        let early = stopped(&phases[..1], Ended::Stopped(StopCause::Sigint)).unwrap();

        assert_eq!(in_load.at_s, 19.0);
        assert_eq!(
            in_load.to_string(),
            "stopped by SIGTERM after 16.0 s of 60.0 s of measuring"
        );
        assert_eq!(
            early.to_string(),
            "stopped by SIGINT after 25.0 s of connecting"
        );
        assert_eq!(stopped(&phases, Ended::Whole), None);
    }

    /// A second signal in the drain of a load that was stopped does not hide where that was; one that
    /// cuts the drain of a whole load short says so.
    #[test]
    fn a_cut_run_says_what_was_cut_first() {
        let phases = [
            (Phase::Connecting, second(0)),
            (Phase::Measuring, second(3)),
            (Phase::Draining, second(19)),
        ];
        let cut = |load_was_stopped| Ended::Cut {
            by: StopCause::Sigint,
            load_was_stopped,
        };

        let after_a_stop = stopped(&phases, cut(true)).unwrap();
        let in_the_drain = stopped(&phases, cut(false)).unwrap();

        assert_eq!(
            (after_a_stop.phase, after_a_stop.at_s),
            (PhaseKind::Measure, 19.0)
        );
        assert_eq!(
            (in_the_drain.phase, in_the_drain.after_s),
            (PhaseKind::Drain, 6.0)
        );
    }
}
