//! Control Packet types (§2.1.2).

use std::fmt;

/// What a control packet is: the upper half of its first byte (§2.1.2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum PacketType {
    /// CONNECT (§3.1).
    Connect = 1,
    /// CONNACK (§3.2).
    Connack = 2,
    /// PUBLISH (§3.3).
    Publish = 3,
    /// PUBACK (§3.4).
    Puback = 4,
    /// PUBREC (§3.5).
    Pubrec = 5,
    /// PUBREL (§3.6).
    Pubrel = 6,
    /// PUBCOMP (§3.7).
    Pubcomp = 7,
    /// SUBSCRIBE (§3.8).
    Subscribe = 8,
    /// SUBACK (§3.9).
    Suback = 9,
    /// UNSUBSCRIBE (§3.10).
    Unsubscribe = 10,
    /// UNSUBACK (§3.11).
    Unsuback = 11,
    /// PINGREQ (§3.12).
    Pingreq = 12,
    /// PINGRESP (§3.13).
    Pingresp = 13,
    /// DISCONNECT (§3.14).
    Disconnect = 14,
    /// AUTH, 5.0 only (§3.15).
    Auth = 15,
}

impl PacketType {
    /// The type that four bits stand for; `None` for 0, which is reserved, and above 15.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            1 => Self::Connect,
            2 => Self::Connack,
            3 => Self::Publish,
            4 => Self::Puback,
            5 => Self::Pubrec,
            6 => Self::Pubrel,
            7 => Self::Pubcomp,
            8 => Self::Subscribe,
            9 => Self::Suback,
            10 => Self::Unsubscribe,
            11 => Self::Unsuback,
            12 => Self::Pingreq,
            13 => Self::Pingresp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// The name the specification gives it, in its capitals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Connack => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::Puback => "PUBACK",
            Self::Pubrec => "PUBREC",
            Self::Pubrel => "PUBREL",
            Self::Pubcomp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::Suback => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Unsuback => "UNSUBACK",
            Self::Pingreq => "PINGREQ",
            Self::Pingresp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
            Self::Auth => "AUTH",
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
