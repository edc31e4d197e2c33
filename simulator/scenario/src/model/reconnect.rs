//! Whether and when a device comes back.

use crate::Backoff;

/// `[group.reconnect]`: whether and when a device comes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconnect {
    /// After which ends it does. Default `unexpected`.
    pub when: ReconnectWhen,
    /// Time from the end of a connection, or of an attempt, to the next attempt.
    /// Default uniform from 100 ms to 1 s.
    pub backoff: Backoff,
}

/// After which ends a device comes back.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ReconnectWhen {
    /// `never`: after no end.
    Never,
    /// `unexpected`: after every end, except those that a `[[fault]]` asked for (`drop`,
    /// `disconnect`). A cut of the `qos2` block, a takeover and a close by the broker count as
    /// unexpected.
    #[default]
    Unexpected,
    /// `always`: after every end, those that a fault asked for included.
    Always,
}

impl ReconnectWhen {
    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Unexpected => "unexpected",
            Self::Always => "always",
        }
    }
}
