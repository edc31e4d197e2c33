//! Property identifiers (§2.2.2.2).
//!
//! Which properties a packet may have is said where that packet is decoded.

use std::fmt;

/// Names a property (§2.2.2.2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum PropertyId {
    /// Byte, 0 or 1: PUBLISH, will.
    PayloadFormatIndicator = 0x01,
    /// Four bytes: PUBLISH, will.
    MessageExpiryInterval = 0x02,
    /// String: PUBLISH, will.
    ContentType = 0x03,
    /// String: PUBLISH, will.
    ResponseTopic = 0x08,
    /// Binary: PUBLISH, will.
    CorrelationData = 0x09,
    /// Variable byte integer: PUBLISH, SUBSCRIBE.
    SubscriptionIdentifier = 0x0B,
    /// Four bytes: CONNECT, CONNACK, DISCONNECT.
    SessionExpiryInterval = 0x11,
    /// String: CONNACK.
    AssignedClientIdentifier = 0x12,
    /// Two bytes: CONNACK.
    ServerKeepAlive = 0x13,
    /// String: CONNECT, CONNACK, AUTH.
    AuthenticationMethod = 0x15,
    /// Binary: CONNECT, CONNACK, AUTH.
    AuthenticationData = 0x16,
    /// Byte, 0 or 1: CONNECT.
    RequestProblemInformation = 0x17,
    /// Four bytes: will.
    WillDelayInterval = 0x18,
    /// Byte, 0 or 1: CONNECT.
    RequestResponseInformation = 0x19,
    /// String: CONNACK.
    ResponseInformation = 0x1A,
    /// String: CONNACK, DISCONNECT.
    ServerReference = 0x1C,
    /// String: every answer, DISCONNECT, AUTH.
    ReasonString = 0x1F,
    /// Two bytes, not 0: CONNECT, CONNACK.
    ReceiveMaximum = 0x21,
    /// Two bytes: CONNECT, CONNACK.
    TopicAliasMaximum = 0x22,
    /// Two bytes, not 0: PUBLISH.
    TopicAlias = 0x23,
    /// Byte, 0 or 1: CONNACK.
    MaximumQoS = 0x24,
    /// Byte, 0 or 1: CONNACK.
    RetainAvailable = 0x25,
    /// String pair, any number: every packet with properties.
    UserProperty = 0x26,
    /// Four bytes, not 0: CONNECT, CONNACK.
    MaximumPacketSize = 0x27,
    /// Byte, 0 or 1: CONNACK.
    WildcardSubscriptionAvailable = 0x28,
    /// Byte, 0 or 1: CONNACK.
    SubscriptionIdentifierAvailable = 0x29,
    /// Byte, 0 or 1: CONNACK.
    SharedSubscriptionAvailable = 0x2A,
}

impl PropertyId {
    /// The property that an identifier stands for; `None` if it has no meaning.
    pub const fn from_identifier(identifier: u32) -> Option<Self> {
        Some(match identifier {
            0x01 => Self::PayloadFormatIndicator,
            0x02 => Self::MessageExpiryInterval,
            0x03 => Self::ContentType,
            0x08 => Self::ResponseTopic,
            0x09 => Self::CorrelationData,
            0x0B => Self::SubscriptionIdentifier,
            0x11 => Self::SessionExpiryInterval,
            0x12 => Self::AssignedClientIdentifier,
            0x13 => Self::ServerKeepAlive,
            0x15 => Self::AuthenticationMethod,
            0x16 => Self::AuthenticationData,
            0x17 => Self::RequestProblemInformation,
            0x18 => Self::WillDelayInterval,
            0x19 => Self::RequestResponseInformation,
            0x1A => Self::ResponseInformation,
            0x1C => Self::ServerReference,
            0x1F => Self::ReasonString,
            0x21 => Self::ReceiveMaximum,
            0x22 => Self::TopicAliasMaximum,
            0x23 => Self::TopicAlias,
            0x24 => Self::MaximumQoS,
            0x25 => Self::RetainAvailable,
            0x26 => Self::UserProperty,
            0x27 => Self::MaximumPacketSize,
            0x28 => Self::WildcardSubscriptionAvailable,
            0x29 => Self::SubscriptionIdentifierAvailable,
            0x2A => Self::SharedSubscriptionAvailable,
            _ => return None,
        })
    }

    /// The name the specification gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PayloadFormatIndicator => "Payload Format Indicator",
            Self::MessageExpiryInterval => "Message Expiry Interval",
            Self::ContentType => "Content Type",
            Self::ResponseTopic => "Response Topic",
            Self::CorrelationData => "Correlation Data",
            Self::SubscriptionIdentifier => "Subscription Identifier",
            Self::SessionExpiryInterval => "Session Expiry Interval",
            Self::AssignedClientIdentifier => "Assigned Client Identifier",
            Self::ServerKeepAlive => "Server Keep Alive",
            Self::AuthenticationMethod => "Authentication Method",
            Self::AuthenticationData => "Authentication Data",
            Self::RequestProblemInformation => "Request Problem Information",
            Self::WillDelayInterval => "Will Delay Interval",
            Self::RequestResponseInformation => "Request Response Information",
            Self::ResponseInformation => "Response Information",
            Self::ServerReference => "Server Reference",
            Self::ReasonString => "Reason String",
            Self::ReceiveMaximum => "Receive Maximum",
            Self::TopicAliasMaximum => "Topic Alias Maximum",
            Self::TopicAlias => "Topic Alias",
            Self::MaximumQoS => "Maximum QoS",
            Self::RetainAvailable => "Retain Available",
            Self::UserProperty => "User Property",
            Self::MaximumPacketSize => "Maximum Packet Size",
            Self::WildcardSubscriptionAvailable => "Wildcard Subscription Available",
            Self::SubscriptionIdentifierAvailable => "Subscription Identifier Available",
            Self::SharedSubscriptionAvailable => "Shared Subscription Available",
        }
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
