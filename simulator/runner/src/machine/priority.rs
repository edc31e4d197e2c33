//! The priority of a run among the other processes of the machine.

use rustix::process::setpriority_process;

/// The nice value that a run asks for: before other programs, behind the system's own threads.
const NICE: i32 = -10;

/// What a run has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Priority {
    /// It goes before other processes.
    Raised,
    /// It has what every process has.
    Default,
}

impl Priority {
    /// Asks that this process, and the broker that it starts, go before others: what else the
    /// machine does is not what is measured. Only a privileged user's may.
    pub fn raise() -> Self {
        match setpriority_process(None, NICE) {
            Ok(()) => Self::Raised,
            Err(_) => Self::Default,
        }
    }
}
