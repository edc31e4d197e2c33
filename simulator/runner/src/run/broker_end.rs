//! What a broker's end says against a run: when it ended, how, and what to look at.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use squall_protocol::Instant;
use squall_run::{ErrorCount, Reason, Times, duration_text};

use crate::clock;
use crate::target::{Death, DeathStatus, Ending};

/// Letters of a line of the broker's output that are repeated.
const LINE_LETTERS_MAX: usize = 200;
/// What a shell adds to the number of the signal that ended its command (POSIX.1-2024, 2.8.2).
const SIGNAL_CODE: i32 = 128;

/// Both clocks of a run, to name a moment by.
#[derive(Clone, Copy)]
pub(super) struct Moments<'a> {
    /// The run's phases.
    pub times: &'a Times,
    /// The wall clock at the start of the run, since 1970.
    pub started_at: Duration,
}

impl Moments<'_> {
    /// `2.94 s into measuring (3.10 s into the run, 2026-11-27T20:54:31Z)`
    fn name(self, at: Instant) -> String {
        let at_s = at.as_secs_f64();
        let wall = clock::iso_8601(self.started_at + at.since_start());
        let run = duration_text(at_s);
        let phases = &self.times.phases;
        let phase = phases
            .iter()
            .find(|phase| (phase.start_s..phase.end_s).contains(&at_s));
        match phase {
            Some(phase) => format!(
                "{} into {} ({run} into the run, {wall})",
                duration_text(at_s - phase.start_s),
                phase.kind.in_sentence()
            ),
            None => format!("{run} into the run ({wall})"),
        }
    }
}

/// A broker that ended by itself broke every promise it had made.
///
/// `last_heard` is when a byte of it came last.
pub(super) fn reason(
    ending: &Ending,
    last_heard: Option<Instant>,
    moments: Moments<'_>,
) -> Option<Reason> {
    match ending {
        Ending::Died {
            death,
            wrapper,
            last_lines,
        } => Some(Reason::BrokerEnded(format!(
            "{}; {}; {}",
            died(death, moments),
            remedy(&death.status, *wrapper),
            output(last_lines)
        ))),
        Ending::EndedEarly(status) => Some(Reason::BrokerEnded(format!(
            "the broker ended during the run with {status}; {}: see its log",
            heard(last_heard, moments)
        ))),
        Ending::Killed => Some(Reason::Invariant(
            "the broker did not stop within 5 s of SIGTERM and was killed".to_owned(),
        )),
        Ending::Silent(error) => Some(Reason::BrokerEnded(format!(
            "the broker was dead at the end of the run: {error}; {}: check whether it still runs, and \
             see its log",
            heard(last_heard, moments)
        ))),
        Ending::Unasked(error) => Some(Reason::Invalid(format!(
            "whether the target still answers is not known: {error}; {}",
            heard(last_heard, moments)
        ))),
        Ending::Stopped(_) | Ending::CutShort(_) => None,
    }
}

/// The end of a broker that was watched, as a line of the table of errors: how, and when.
pub(super) fn error(ending: &Ending) -> Option<ErrorCount> {
    match ending {
        Ending::Died { death, .. } => Some(ErrorCount {
            area: "broker".to_owned(),
            reason: format!("{} {}", death.process, death.status),
            count: 1,
            first_at_s: death.at.as_secs_f64(),
        }),
        Ending::Stopped(_)
        | Ending::EndedEarly(_)
        | Ending::Killed
        | Ending::CutShort(_)
        | Ending::Silent(_)
        | Ending::Unasked(_) => None,
    }
}

/// An address that did not answer at the end, while another one of its target did, as a line of the table of errors.
pub(super) fn of_one_address(why: String, times: &Times) -> ErrorCount {
    let end_s = times.phases.last().map_or(0.0, |phase| phase.end_s);
    ErrorCount {
        area: "broker".to_owned(),
        reason: format!("{why}; another address of the target answered"),
        count: 1,
        first_at_s: end_s,
    }
}

fn died(death: &Death, moments: Moments<'_>) -> String {
    format!(
        "the broker died {}: {} {}",
        moments.name(death.at),
        death.process,
        death.status
    )
}

fn heard(last_heard: Option<Instant>, moments: Moments<'_>) -> String {
    match last_heard {
        Some(at) => format!("it was heard last {}", moments.name(at)),
        None => "it was never heard".to_owned(),
    }
}

/// What to look at, by what ended the process.
fn remedy(status: &DeathStatus, wrapper: Option<ExitStatus>) -> String {
    match status {
        DeathStatus::Own(status) => match status.signal() {
            Some(signal) => for_signal(signal).to_owned(),
            None => "its log says why, or a higher log level will".to_owned(),
        },
        DeathStatus::ToldTo(_) => {
            let Some(wrapper) = wrapper else {
                return "see its log, and what the command of target.spawn says of it".to_owned();
            };
            let signal = wrapper.code().map(|code| code - SIGNAL_CODE);
            match signal.and_then(|signal| Some((signal, signal_name(signal)?))) {
                Some((signal, name)) => format!(
                    "the command of target.spawn ended with {wrapper}, as a shell reports {name}: {}",
                    for_signal(signal)
                ),
                None => format!("the command of target.spawn ended with {wrapper}: see its log"),
            }
        }
    }
}

fn signal_name(signal: i32) -> Option<String> {
    let signal = Signal::from_named_raw(signal)?;
    Some(ExitStatus::from_raw(signal.as_raw()).to_string())
}

fn for_signal(signal: i32) -> &'static str {
    let crashes = [
        Signal::ABORT,
        Signal::SEGV,
        Signal::BUS,
        Signal::ILL,
        Signal::FPE,
        Signal::TRAP,
        Signal::SYS,
    ];
    if signal == Signal::KILL.as_raw() {
        "something outside killed it: look for \"Out of memory\" in the kernel's log (dmesg), and for \
         what else may have"
    } else if crashes.iter().any(|crash| crash.as_raw() == signal) {
        "it crashed: report it to its authors with its log and the command that repeats the run"
    } else {
        "something outside stopped it: a person, a script or a service manager"
    }
}

fn output(last_lines: &[String]) -> String {
    if last_lines.is_empty() {
        return "it had printed nothing".to_owned();
    }
    let lines: Vec<String> = last_lines
        .iter()
        .map(|line| {
            format!(
                "\"{}\"",
                line.chars().take(LINE_LETTERS_MAX).collect::<String>()
            )
        })
        .collect();
    format!(
        "the last it printed (all of it is in target.log): {}",
        lines.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use squall_run::{ClockKind, Phase, PhaseKind};

    use super::*;

    fn times() -> Times {
        let phase = |kind, start_s, end_s| Phase {
            kind,
            start_s,
            end_s,
        };
        Times {
            started_at: String::new(),
            duration_s: 12.0,
            clock: ClockKind::Real,
            phases: vec![
                phase(PhaseKind::Connect, 0.0, 2.0),
                phase(PhaseKind::Measure, 2.0, 10.0),
                phase(PhaseKind::Drain, 10.0, 12.0),
            ],
            stopped: None,
        }
    }

    fn reason_for(status: DeathStatus, wrapper: Option<ExitStatus>) -> String {
        let times = times();
        let ending = Ending::Died {
            death: Death {
                at: Instant::ZERO + Duration::from_millis(4_940),
                process: "mosquitto (process 7)".to_owned(),
                status,
            },
            wrapper,
            last_lines: vec!["one".to_owned(), "two".to_owned()],
        };
        let moments = Moments {
            times: &times,
            started_at: Duration::from_secs(1_709_251_195),
        };
        let reason = reason(&ending, None, moments).expect("a dead broker is a reason");
        reason.text().to_owned()
    }

    /// By both clocks and the wall clock, with the process, its signal, what to do, and its words.
    #[test]
    fn a_death_is_told_with_its_moment_its_signal_and_its_last_lines() {
        let text = reason_for(DeathStatus::Own(ExitStatus::from_raw(9)), None);

        for part in [
            "died 2.94 s into measuring (4.94 s into the run, 2024-02-29T23:59:59Z)",
            "mosquitto (process 7) was ended by signal: 9 (SIGKILL)",
            "Out of memory",
            "\"one\", \"two\"",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }

    /// A broker of others may take its time to stop; ours may not.
    #[test]
    fn a_slow_end_speaks_against_our_own_broker_only() {
        let times = times();
        let moments = Moments {
            times: &times,
            started_at: Duration::ZERO,
        };

        let of_others = reason(&Ending::CutShort(Duration::from_secs(60)), None, moments);
        let ours = reason(&Ending::Killed, None, moments);

        assert_eq!(of_others, None);
        assert!(matches!(ours, Some(Reason::Invariant(_))), "{ours:?}");
    }

    /// A status that only a wrapper was told is not taken for the broker's; where it is a shell's word
    /// for a signal, it is said to be.
    #[test]
    fn a_wrappers_status_is_said_to_be_the_wrappers() {
        let parent = || DeathStatus::ToldTo("start.sh (process 6)".to_owned());
        let shells = reason_for(parent(), Some(ExitStatus::from_raw(139 << 8)));
        let own = reason_for(parent(), Some(ExitStatus::from_raw(1 << 8)));

        assert!(
            shells.contains("exit status: 139, as a shell reports signal: 11 (SIGSEGV)"),
            "{shells}"
        );
        assert!(shells.contains("it crashed"), "{shells}");
        assert!(
            own.contains("the command of target.spawn ended with exit status: 1"),
            "{own}"
        );
        assert!(
            own.contains("known to its parent start.sh (process 6) alone"),
            "{own}"
        );
    }
}
