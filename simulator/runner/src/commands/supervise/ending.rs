//! How what a supervisor watches is told to end: a signal to all of it, or a command.

use std::process::ExitStatus;

use rustix::process::Signal;

use crate::exit::Failure;

/// What tells a broker to end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Means {
    /// A signal to all its processes.
    Signal(Signal),
    /// A command.
    Command(Vec<String>),
}

impl Means {
    /// What `text` says, as `target.kill` does; SIGTERM without any.
    pub(super) fn of(text: Option<&str>) -> Result<Self, Failure> {
        let Some(text) = text else {
            return Ok(Self::Signal(Signal::TERM));
        };
        if let Some(signal) = signal_named(text) {
            return Ok(Self::Signal(signal));
        }
        let words = shlex::split(text).filter(|words| !words.is_empty());
        words.map(Self::Command).ok_or_else(|| {
            Failure::Usage(format!("--stop-by {text}: neither a signal nor a command"))
        })
    }
}

/// What to say of a command that ended with `status` in place of ending the broker; `None` if it did what it is for.
pub(super) fn failed(command: &[String], status: ExitStatus) -> Option<String> {
    (!status.success()).then(|| {
        format!(
            "'{}' ended with {status}: SIGTERM was sent in its place",
            command.join(" ")
        )
    })
}

fn signal_named(name: &str) -> Option<Signal> {
    Some(match name {
        "SIGTERM" => Signal::TERM,
        "SIGINT" => Signal::INT,
        "SIGQUIT" => Signal::QUIT,
        "SIGHUP" => Signal::HUP,
        "SIGUSR1" => Signal::USR1,
        "SIGUSR2" => Signal::USR2,
        "SIGKILL" => Signal::KILL,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use squall_scenario::StopBy;

    use super::*;

    /// Every signal that a scenario may name can be sent.
    #[test]
    fn every_signal_of_the_format_is_known() {
        for name in StopBy::SIGNALS {
            assert!(
                matches!(Means::of(Some(name)), Ok(Means::Signal(_))),
                "{name}"
            );
        }
    }
}
