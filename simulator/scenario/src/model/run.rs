//! How long the phases of a run last.

use std::time::Duration;

/// How long the phases last: `[run]`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RunSettings {
    /// Load that no metric counts. Default none.
    pub warmup: Duration,
    /// When the load begins. Default connected.
    pub begin: LoadBegin,
    /// The measured part, above zero. By default 30 s, or longer if the last fault and what must
    /// follow from it need longer.
    pub duration: Duration,
    /// Time to wait for late deliveries. Default 5 s. Where the simulated links of devices hold something when it
    /// is over, the drain waits for that up to twice 60.1 s longer: the broker has delivered it.
    pub drain: Duration,
    /// Time that a device waits for its transport, its CONNACK and its SUBACKs, each. Default 10 s.
    pub connect_timeout: Duration,
    /// Whether the load ends as soon as a claim or a threshold is broken. Default false.
    pub abort_on_fail: bool,
    /// How often the scenario is run, at least once; the default. One run is one of them: the seed of the second is one
    /// above that of the first, and so on.
    pub repeat: u32,
}

/// When the load begins: `begin`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LoadBegin {
    /// When every device is connected and has its SUBACK, but for groups with a `start`.
    #[default]
    Connected,
    /// With the first connect.
    AtOnce,
}

impl LoadBegin {
    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::AtOnce => "at_once",
        }
    }
}
