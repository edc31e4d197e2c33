//! What a finished run leaves behind, beside what its sink wrote down.

use std::time::Duration;

use squall_protocol::Instant;

use crate::link::LinkReport;
use crate::progress::Phase;
use squall_scenario::{FaultId, LinesId};

/// Everything the engine knows at the end of a run.
#[derive(Debug)]
pub struct Outcome<S> {
    /// The receiver of every fact.
    pub sink: S,
    /// When each phase began, in order; phases that an early stop skipped are absent.
    pub phases: Vec<(Phase, Instant)>,
    /// One for each network that devices used, in the order of their ids.
    pub links: Vec<LinkReport>,
    /// One for each fault of the scenario, in file order.
    pub faults: Vec<FaultReport>,
    /// What became of the Sessions that the run did not make, and of those that it made.
    pub sessions: Sessions,
    /// Why the drain lasted longer than `run.drain`.
    pub drain: DrainExtension,
    /// One for each command that gives payloads, in the order of their ids.
    pub lines: Vec<LinesReport>,
}

/// What became of a command that gives payloads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LinesReport {
    /// The command that this is about.
    pub id: LinesId,
    /// Lines that messages took.
    pub taken: u64,
    /// When the fleet heard that no more lines come; `None` if it never did.
    pub ended: Option<Instant>,
    /// Whether a closed loop had room for a message after that, and no line was left for it.
    pub is_short: bool,
    /// How many times a closed loop had room for a message, and no line for it yet.
    pub waits: u64,
    /// For how long, while the load went on: the sum over all devices.
    pub waited: Duration,
}

/// By how much a drain was longer than `run.drain`, and why.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DrainExtension {
    /// Time for what simulated links held when it was to end.
    pub for_links: Duration,
    /// Devices whose links held something then; the more, if it waited twice.
    pub links: u32,
    /// Time in which the broker was not back from what a fault had done to it.
    pub for_broker: Duration,
    /// Time for what the generator had not done or read, because it was late or stood still.
    pub for_generator: Duration,
}

/// The Sessions that were ended for a run to begin and to leave with none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sessions {
    /// Before the first device connected.
    pub before: Cleared,
    /// After the last device left: those that its goodbye did not end.
    pub after: Cleared,
}

/// What became of the Sessions that were to be ended, at one end of the run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cleared {
    /// Client Identifiers that were asked for.
    pub asked: u64,
    /// Those that the broker answered with success: none of them has a Session now.
    pub cleared: u64,
    /// Those for which no success came: refused, cut off, or no answer in time.
    pub failed: u64,
}

/// What became of one `[[fault]]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FaultReport {
    /// The fault that this is about.
    pub fault: FaultId,
    /// Each time it struck, in order.
    pub strikes: Vec<Strike>,
    /// Devices to which it was done, over all strikes; for the broker, the times that it was done.
    pub applied: u64,
    /// Devices chosen that had no connection to do it to, or that were to be hit when the run was stopped; for the broker,
    /// the times that it was away already.
    pub inapplicable: u64,
}

/// One time that a fault struck.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Strike {
    /// When it chose its devices: the planned moment, or as much later as the generator was late.
    pub at: Instant,
    /// Devices that it chose; 1 for the broker.
    pub selected: u64,
    /// Of these, the devices to which it was done, perhaps after the next strike.
    pub applied: u64,
    /// When all processes of the broker had ended, or were stopped; `None` for other faults, and where they had not.
    pub halted: Option<Instant>,
    /// When it was over, for a fault that lasts: of the broker, when that was back. `None` for one that is done in a
    /// moment, and where the run was cut before.
    pub ended: Option<Instant>,
    /// Connections that it ended again and again (`flap`), or opened (`takeover`); zero of other faults.
    pub connections: u64,
}
