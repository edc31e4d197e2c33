//! PUBACK, PUBREC, PUBREL and PUBCOMP (§3.4 to §3.7).

use super::UserProperties;
use crate::{PacketId, ReasonCode};

/// Properties of an acknowledgement; empty in 3.1.1 (§3.4.2.2).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AckProperties {
    /// Human-readable reason.
    pub reason_string: Option<String>,
    /// User properties, in order.
    pub user_properties: UserProperties,
}

/// Ends a QoS 1 exchange (§3.4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Puback {
    /// Packet Identifier of the exchange.
    pub id: PacketId,
    /// Result; Success in 3.1.1 (§3.4.2.1).
    pub reason: ReasonCode,
    /// Empty in 3.1.1.
    pub properties: AckProperties,
}

impl Puback {
    /// The packet without properties.
    pub fn new(id: PacketId, reason: ReasonCode) -> Self {
        Self {
            id,
            reason,
            properties: AckProperties::default(),
        }
    }
}

/// The receiver of a QoS 2 message has it, or refuses it (§3.5).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pubrec {
    /// Packet Identifier of the exchange.
    pub id: PacketId,
    /// Result; Success in 3.1.1 (§3.5.2.1).
    pub reason: ReasonCode,
    /// Empty in 3.1.1.
    pub properties: AckProperties,
}

impl Pubrec {
    /// The packet without properties.
    pub fn new(id: PacketId, reason: ReasonCode) -> Self {
        Self {
            id,
            reason,
            properties: AckProperties::default(),
        }
    }
}

/// The sender of a QoS 2 message will not send it again (§3.6).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pubrel {
    /// Packet Identifier of the exchange.
    pub id: PacketId,
    /// Result; Success in 3.1.1 (§3.6.2.1).
    pub reason: ReasonCode,
    /// Empty in 3.1.1.
    pub properties: AckProperties,
}

impl Pubrel {
    /// The packet without properties.
    pub fn new(id: PacketId, reason: ReasonCode) -> Self {
        Self {
            id,
            reason,
            properties: AckProperties::default(),
        }
    }
}

/// Ends a QoS 2 exchange (§3.7).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pubcomp {
    /// Packet Identifier of the exchange.
    pub id: PacketId,
    /// Result; Success in 3.1.1 (§3.7.2.1).
    pub reason: ReasonCode,
    /// Empty in 3.1.1.
    pub properties: AckProperties,
}

impl Pubcomp {
    /// The packet without properties.
    pub fn new(id: PacketId, reason: ReasonCode) -> Self {
        Self {
            id,
            reason,
            properties: AckProperties::default(),
        }
    }
}
