//! Packet Identifiers (§2.2.1).

use std::fmt;
use std::num::NonZeroU16;

/// Names one unfinished exchange on one side of a Session: 1 to 65,535 [MQTT-2.2.1-3].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PacketId(NonZeroU16);

impl PacketId {
    /// The identifier `value`; `None` for 0, which no packet may carry [MQTT-2.2.1-3].
    pub const fn new(value: u16) -> Option<Self> {
        match NonZeroU16::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// The number on the wire, 1 to 65,535.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
