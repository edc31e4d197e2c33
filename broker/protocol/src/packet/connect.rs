//! CONNECT (§3.1).

use super::UserProperties;
use crate::topic::TopicName;
use crate::{QoS, Version};

/// The first packet of every Network Connection (§3.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Connect {
    /// Protocol level (§3.1.2.2).
    pub version: Version,
    /// Whether an existing Session is discarded (§3.1.2.4). Clean Session in 3.1.1, where 1 also
    /// means that the Session ends with the Network Connection.
    pub clean_start: bool,
    /// Seconds, 0 for none (§3.1.2.10).
    pub keep_alive: u16,
    /// Client Identifier; empty asks the server to assign one (§3.1.3.1).
    pub client_id: String,
    /// Published by the server if the connection ends abnormally (§3.1.2.5).
    pub will: Option<Will>,
    /// User Name (§3.1.3.5).
    pub user_name: Option<String>,
    /// Password: binary data (§3.1.3.6).
    pub password: Option<Vec<u8>>,
    /// Empty in 3.1.1.
    pub properties: ConnectProperties,
}

/// CONNECT properties (§3.1.2.11). `None` stands for an absent property.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ConnectProperties {
    /// Seconds the Session outlives the connection; absent is 0, 0xFFFF_FFFF: without end.
    pub session_expiry_interval: Option<u32>,
    /// QoS 1 and 2 messages the client takes at once; absent is 65,535, 0 is an error.
    pub receive_maximum: Option<u16>,
    /// Bytes of the largest packet the client takes; absent is no limit, 0 is an error.
    pub maximum_packet_size: Option<u32>,
    /// Highest Topic Alias the client takes; absent is 0.
    pub topic_alias_maximum: Option<u16>,
    /// Whether the client asks for Response Information; absent is no.
    pub request_response_information: Option<bool>,
    /// Whether reason strings and user properties may be sent on failures; absent is yes.
    pub request_problem_information: Option<bool>,
    /// Name of the extended authentication method (§4.12).
    pub authentication_method: Option<String>,
    /// Data of the authentication method (§4.12).
    pub authentication_data: Option<Vec<u8>>,
    /// User properties, in order.
    pub user_properties: UserProperties,
}

/// The Will Message of a CONNECT (§3.1.2.5).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Will {
    /// Will Topic (§3.1.3.3).
    pub topic: TopicName<Box<str>>,
    /// Will Payload, 0 to 65,535 bytes (§3.1.3.4).
    pub payload: Vec<u8>,
    /// Will QoS (§3.1.2.6).
    pub qos: QoS,
    /// Will Retain (§3.1.2.7).
    pub retain: bool,
    /// Empty in 3.1.1.
    pub properties: WillProperties,
}

/// Will properties (§3.1.3.2). `None` stands for an absent property.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WillProperties {
    /// Seconds between the end of the connection and the will; absent is 0.
    pub will_delay_interval: Option<u32>,
    /// Whether the payload is UTF-8 text; absent is no.
    pub payload_format_indicator: Option<bool>,
    /// Seconds the published will lives.
    pub message_expiry_interval: Option<u32>,
    /// MIME type or any other description of the payload.
    pub content_type: Option<String>,
    /// Topic Name for a response.
    pub response_topic: Option<String>,
    /// Data that ties a response to its request.
    pub correlation_data: Option<Vec<u8>>,
    /// User properties, in order.
    pub user_properties: UserProperties,
}
