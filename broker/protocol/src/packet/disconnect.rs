//! DISCONNECT (§3.14).

use super::UserProperties;
use crate::ReasonCode;

/// The last packet of a connection that ends on purpose (§3.14).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Disconnect {
    /// Why; Normal disconnection (0x00) in 3.1.1, where only the client sends DISCONNECT.
    pub reason: ReasonCode,
    /// Empty in 3.1.1.
    pub properties: DisconnectProperties,
}

/// DISCONNECT properties (§3.14.2.2). `None` stands for an absent property.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DisconnectProperties {
    /// Seconds; only from the client [MQTT-3.14.2-2].
    pub session_expiry_interval: Option<u32>,
    /// Human-readable reason.
    pub reason_string: Option<String>,
    /// User properties, in order.
    pub user_properties: UserProperties,
    /// Another server to use (§4.11); only from the server.
    pub server_reference: Option<String>,
}
