//! The flags of a PUBLISH in its first byte (§3.3.1).

use crate::QoS;
use crate::packet::PacketType;

/// The flags of one copy of a message (§3.3.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PublishFlags {
    /// Whether it may be a re-delivery.
    pub dup: bool,
    /// Quality of Service of this copy.
    pub qos: QoS,
    /// RETAIN of this copy.
    pub retain: bool,
}

impl PublishFlags {
    /// Packet type, DUP, QoS and RETAIN (§3.3.1).
    pub(super) fn first_byte(self) -> u8 {
        let Self { dup, qos, retain } = self;
        (PacketType::Publish as u8) << 4 | u8::from(dup) << 3 | (qos as u8) << 1 | u8::from(retain)
    }
}
