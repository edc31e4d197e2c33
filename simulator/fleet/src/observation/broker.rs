//! What faults did to the broker.

use squall_scenario::{BrokerAction, FaultId};

/// A step of a fault of the broker. About the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BrokerFact {
    /// Its signal is about to be sent.
    Struck {
        /// The fault that does it.
        fault: FaultId,
        /// How many times it fired before.
        number: u64,
        /// What it does.
        action: BrokerAction,
    },
    /// All processes of the broker have ended, or are stopped.
    Halted,
    /// It goes on, or answers a CONNECT again.
    Back,
    /// It did not come back.
    Lost,
}
