//! CONNACK (§3.2).

use super::UserProperties;
use crate::{QoS, ReasonCode};

/// The server's answer to CONNECT (§3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Connack {
    /// Whether the server resumes a stored Session [MQTT-3.2.2-2]; false with an error code.
    pub session_present: bool,
    /// Connect Reason Code (§3.2.2.2). Of 3.1.1's return codes, 1 to 5 stand for Unsupported
    /// Protocol Version, Client Identifier not valid, Server unavailable, Bad User Name or
    /// Password and Not authorized.
    pub reason: ReasonCode,
    /// Empty in 3.1.1.
    pub properties: ConnackProperties,
}

/// CONNACK properties (§3.2.2.3). `None` stands for an absent property.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ConnackProperties {
    /// Seconds, in place of the client's wish.
    pub session_expiry_interval: Option<u32>,
    /// QoS 1 and 2 messages the server takes at once; absent is 65,535, 0 is an error.
    pub receive_maximum: Option<u16>,
    /// Highest QoS the server takes; absent is QoS 2. Only 0 and 1 are sent.
    pub maximum_qos: Option<QoS>,
    /// Whether retained messages are supported; absent is yes.
    pub retain_available: Option<bool>,
    /// Bytes of the largest packet the server takes; absent is no limit, 0 is an error.
    pub maximum_packet_size: Option<u32>,
    /// Client Identifier that the server chose [MQTT-3.1.3-7].
    pub assigned_client_identifier: Option<String>,
    /// Highest Topic Alias the server takes; absent is 0.
    pub topic_alias_maximum: Option<u16>,
    /// Human-readable reason.
    pub reason_string: Option<String>,
    /// User properties, in order.
    pub user_properties: UserProperties,
    /// Whether wildcard subscriptions are supported; absent is yes.
    pub wildcard_subscription_available: Option<bool>,
    /// Whether Subscription Identifiers are supported; absent is yes.
    pub subscription_identifiers_available: Option<bool>,
    /// Whether shared subscriptions are supported; absent is yes.
    pub shared_subscription_available: Option<bool>,
    /// Seconds, in place of the client's Keep Alive [MQTT-3.2.2-21].
    pub server_keep_alive: Option<u16>,
    /// Basis for Response Topics.
    pub response_information: Option<String>,
    /// Another server to use (§4.11).
    pub server_reference: Option<String>,
    /// Name of the extended authentication method (§4.12).
    pub authentication_method: Option<String>,
    /// Data of the authentication method (§4.12).
    pub authentication_data: Option<Vec<u8>>,
}
