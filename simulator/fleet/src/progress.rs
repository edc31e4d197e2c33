//! How far a run is: its phases, and the figures that a person watches meanwhile.

use std::time::Duration;

use squall_run::PhaseKind;

/// What a run does, in order. It never goes back.
///
/// Finer than the phases that figures are told by: see [`Self::kind`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// Sessions that an earlier run may have left in the broker are ended. Left out where none can
    /// be there.
    Clearing,
    /// Devices connect at their groups' `connect_rate` and subscribe; nothing is published.
    Connecting,
    /// `run.warmup`: load runs, percentiles leave it out.
    WarmingUp,
    /// `run.duration`: load runs, faults fire.
    Measuring,
    /// `run.drain`: nothing new is published, no new fault fires, late deliveries are awaited.
    Draining,
    /// Fresh subscribers look at what is retained.
    Checking,
    /// Devices send DISCONNECT; sockets close.
    Leaving,
    /// Sessions that no DISCONNECT ended are ended. Left out where there are none.
    EndingSessions,
    /// The run is over: no input changes anything.
    Finished,
}

impl Phase {
    /// The phase that reports and tags know it by; `None` once devices leave, where nothing is
    /// measured.
    pub const fn kind(self) -> Option<PhaseKind> {
        match self {
            Self::Clearing | Self::Connecting => Some(PhaseKind::Connect),
            Self::WarmingUp => Some(PhaseKind::Warmup),
            Self::Measuring => Some(PhaseKind::Measure),
            Self::Draining | Self::Checking => Some(PhaseKind::Drain),
            Self::Leaving | Self::EndingSessions | Self::Finished => None,
        }
    }
}

/// The figures of a moment. Counters count from the start of the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// What the run does.
    pub phase: Phase,
    /// Time until the load and the drain are over, as far as the scenario tells; while checkers look at what is
    /// retained, the most that they have left.
    pub time_left: Duration,
    /// Devices whose simulated links hold something that the drain waits for, beyond `run.drain`.
    pub links_awaited: u32,
    /// Devices of all groups.
    pub devices: u32,
    /// Of those, devices with a CONNACK and an open Network Connection.
    pub online: u32,
    /// Messages handed to a link for the first time.
    pub published: u64,
    /// Messages delivered to a device.
    pub delivered: u64,
    /// Faults done to devices.
    pub faults_applied: u64,
}
