//! What a fault does to the broker.

/// What happens to the broker and to all processes that it has started, for as long as the fault lasts.
///
/// What a broker owes afterwards is what it owed before: nothing in MQTT says that an acknowledged message may be
/// forgotten because the Server's process ended. Sessions that end with their Network Connection do end (§4.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum BrokerAction {
    /// SIGKILL: it is gone at once, and starts again when the fault is over.
    Kill,
    /// SIGSTOP: it does nothing, and its connections stay open. SIGCONT when the fault is over.
    Pause,
    /// SIGTERM: it ends as it wants to, and starts again when the fault is over, or later if it needs longer to end.
    Restart,
}

impl BrokerAction {
    /// Its name in scenario files, run files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill_broker",
            Self::Pause => "pause_broker",
            Self::Restart => "restart_broker",
        }
    }

    /// Whether its process ends, and with it every Network Connection.
    pub const fn ends_process(self) -> bool {
        match self {
            Self::Kill | Self::Restart => true,
            Self::Pause => false,
        }
    }
}
