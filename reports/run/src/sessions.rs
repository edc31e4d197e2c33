//! Sessions that squall ended around a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sessions that were ended so that a run begins with its own and leaves none behind. The
/// connections that did it are counted nowhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sessions {
    /// Before the first device connected: whatever an earlier run had left.
    pub before: SessionsEnded,
    /// After the last device left: those that no DISCONNECT of a device had ended.
    pub after: SessionsEnded,
}

/// What became of them at one end of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionsEnded {
    /// Client Identifiers for which a CONNECT with Clean Start was due.
    pub asked: u64,
    /// Those that the broker answered with success.
    pub cleared: u64,
    /// Those that it refused or did not answer.
    pub failed: u64,
}
