//! Protocol versions (§3.1.2.2).

/// The protocol version of one Network Connection, fixed by its CONNECT.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Version {
    /// MQTT 3.1.1, protocol level 4.
    V3_1_1 = 4,
    /// MQTT 5.0, protocol version 5.
    V5 = 5,
}
