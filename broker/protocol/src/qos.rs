//! Quality of Service levels (§4.3).

/// How a message is delivered between one sender and one receiver (§4.3).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum QoS {
    /// QoS 0: at most once, no acknowledgement (§4.3.1).
    #[default]
    AtMostOnce = 0,
    /// QoS 1: at least once, acknowledged by PUBACK (§4.3.2).
    AtLeastOnce = 1,
    /// QoS 2: exactly once, a four-part handshake (§4.3.3).
    ExactlyOnce = 2,
}

impl QoS {
    /// The level that two bits of a packet stand for; `None` for 3 [MQTT-3.3.1-4].
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}
