//! What a peer can do wrong, one case each, and the Reason Code that answers it (§4.13).
//!
//! The first group is what a single packet shows and comes from `codec`. What only a role or a
//! Session can see (order, state, quotas) follows after it.

use crate::ReasonCode;
use crate::codec::PropertyId;
use crate::packet::PacketType;
use crate::topic::TopicError;

/// The peer broke the protocol: answer with [`Self::reason`] where the version has a way to say
/// so, then close the Network Connection [MQTT-4.13.1-1].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProtocolError {
    /// Packet type 0, or AUTH in 3.1.1 (§2.1.2).
    #[error("packet type {bits} is reserved")]
    ReservedPacketType {
        /// The upper four bits of the first byte.
        bits: u8,
    },
    /// Flags of the fixed header that the packet type does not have [MQTT-2.1.3-1].
    #[error("{packet} with reserved flags {flags:#06b}")]
    ReservedFlags {
        /// What came in.
        packet: PacketType,
        /// The lower four bits of the first byte.
        flags: u8,
    },
    /// PUBLISH, will or subscription with QoS 3 [MQTT-3.3.1-4].
    #[error("{packet} with QoS 3")]
    QoS3 {
        /// Where it was.
        packet: PacketType,
    },
    /// PUBLISH with DUP and QoS 0 [MQTT-3.3.1-2].
    #[error("PUBLISH with DUP and QoS 0")]
    DupWithQoS0,
    /// A variable byte integer of more than four bytes (§1.5.5).
    #[error("variable byte integer of more than four bytes")]
    VariableByteIntegerTooLong,
    /// A variable byte integer with more bytes than its value needs [MQTT-1.5.5-1].
    #[error("variable byte integer {value} with more bytes than it needs")]
    VariableByteIntegerOverlong {
        /// Its value.
        value: u32,
    },
    /// A packet of more bytes than we take [MQTT-3.1.2-24].
    #[error("{packet} of {bytes} bytes, the limit is {limit}")]
    PacketTooLarge {
        /// What came in.
        packet: PacketType,
        /// Its length with the fixed header.
        bytes: u32,
        /// The most that is allowed.
        limit: u32,
    },
    /// The first packet of a connection is not CONNECT [MQTT-3.1.0-1].
    #[error("{packet} before CONNECT")]
    ConnectExpected {
        /// What came in.
        packet: PacketType,
    },
    /// The packet, or its properties, ends within a field.
    #[error("{packet} ends within a field")]
    Truncated {
        /// What came in.
        packet: PacketType,
    },
    /// Bytes follow the last field.
    #[error("{packet} with {bytes} bytes after its last field")]
    TrailingBytes {
        /// What came in.
        packet: PacketType,
        /// How many.
        bytes: usize,
    },
    /// A string that is not well-formed UTF-8; surrogates are not [MQTT-1.5.4-1].
    #[error("{packet} with a string that is not UTF-8")]
    NotUtf8 {
        /// What came in.
        packet: PacketType,
    },
    /// A string with the null character U+0000 [MQTT-1.5.4-2].
    #[error("{packet} with the null character in a string")]
    NullCharacter {
        /// What came in.
        packet: PacketType,
    },
    /// Packet Identifier 0 [MQTT-2.2.1-3].
    #[error("{packet} with packet identifier 0")]
    PacketIdZero {
        /// What came in.
        packet: PacketType,
    },
    /// A Topic Name that is none, in PUBLISH or a will (§4.7).
    #[error("{packet} with an invalid topic name")]
    TopicName {
        /// Where it was.
        packet: PacketType,
        /// What is wrong with it.
        #[source]
        source: TopicError,
    },
    /// A Topic Filter that is none, in SUBSCRIBE or UNSUBSCRIBE (§4.7).
    #[error("{packet} with an invalid topic filter")]
    TopicFilter {
        /// Where it was.
        packet: PacketType,
        /// What is wrong with it.
        #[source]
        source: TopicError,
    },
    /// A Response Topic that is no Topic Name [MQTT-3.3.2-14].
    #[error("{packet} with an invalid response topic")]
    ResponseTopic {
        /// Where it was.
        packet: PacketType,
        /// What is wrong with it.
        #[source]
        source: TopicError,
    },
    /// PUBLISH with neither a Topic Name nor a Topic Alias (§3.3.2.1).
    #[error("PUBLISH with neither topic name nor topic alias")]
    NoTopic,
    /// Topic Alias 0 [MQTT-3.3.2-8].
    #[error("topic alias 0")]
    TopicAliasZero,
    /// A property identifier without meaning (§2.2.2.2).
    #[error("{packet} with unknown property {identifier:#04x}")]
    UnknownProperty {
        /// Where it was.
        packet: PacketType,
        /// The identifier.
        identifier: u32,
    },
    /// A property that belongs to other packets (§2.2.2.2).
    #[error("{packet} with the property {property}")]
    PropertyNotAllowed {
        /// Where it was.
        packet: PacketType,
        /// Which one.
        property: PropertyId,
    },
    /// A property more than once that may be there once (§2.2.2.2).
    #[error("{packet} with the property {property} twice")]
    DuplicateProperty {
        /// Where it was.
        packet: PacketType,
        /// Which one.
        property: PropertyId,
    },
    /// A property with a value it must not have, such as Receive Maximum 0 (§3.1.2.11.3).
    #[error("{packet} with {property} {value}")]
    PropertyValue {
        /// Where it was.
        packet: PacketType,
        /// Which one.
        property: PropertyId,
        /// Its value.
        value: u32,
    },
    /// Authentication Data without an Authentication Method (§3.1.2.11.10), or AUTH with
    /// neither (§3.15.2.2.2).
    #[error("{packet} without authentication method")]
    NoAuthenticationMethod {
        /// What came in.
        packet: PacketType,
    },
    /// CONNECT with a protocol name other than `MQTT` [MQTT-3.1.2-1] or a protocol version other
    /// than 4 and 5 [MQTT-3.1.2-2].
    #[error("unsupported protocol, level {level}")]
    UnsupportedProtocol {
        /// The protocol version byte; 3 with the name `MQIsdp` is MQTT 3.1.
        level: u8,
    },
    /// CONNECT with a protocol name that no version of MQTT has [MQTT-3.1.2-1].
    #[error("CONNECT with an unknown protocol name")]
    UnknownProtocolName,
    /// CONNECT with a reserved flag [MQTT-3.1.2-3].
    #[error("CONNECT with the reserved flag")]
    ReservedConnectFlag,
    /// CONNECT without Will Flag but with Will QoS or Will Retain (§3.1.2.6, §3.1.2.7).
    #[error("CONNECT with will flags {flags:#010b} but without a will")]
    WillFlagsWithoutWill {
        /// The connect flags.
        flags: u8,
    },
    /// 3.1.1 CONNECT with a password but no user name [3.1.1: MQTT-3.1.2-22].
    #[error("CONNECT with a password but no user name")]
    PasswordWithoutUserName,
    /// CONNACK with reserved flags [MQTT-3.2.2-1].
    #[error("CONNACK with reserved flags {flags:#010b}")]
    ReservedConnackFlags {
        /// The Connect Acknowledge Flags.
        flags: u8,
    },
    /// CONNACK with Session Present and an error [MQTT-3.2.2-6].
    #[error("CONNACK with session present and an error")]
    SessionPresentWithError {
        /// The error.
        reason: ReasonCode,
    },
    /// A Reason Code or return code that this packet cannot carry (§2.4).
    #[error("{packet} with reason code {code:#04x}")]
    ReasonCodeNotAllowed {
        /// Where it was.
        packet: PacketType,
        /// The byte.
        code: u8,
    },
    /// SUBSCRIBE [MQTT-3.8.3-2] or UNSUBSCRIBE [MQTT-3.10.3-2] without Topic Filters, or their
    /// answer without codes.
    #[error("{packet} without an entry")]
    Empty {
        /// What came in.
        packet: PacketType,
    },
    /// Reserved bits in the Subscription Options [MQTT-3.8.3-5].
    #[error("subscription options {options:#010b} with reserved bits")]
    ReservedSubscriptionOptions {
        /// The byte.
        options: u8,
    },
    /// Retain Handling 3 (§3.8.3.1).
    #[error("retain handling 3")]
    RetainHandling3,
    /// No Local on a shared subscription [MQTT-3.8.3-4].
    #[error("no local on a shared subscription")]
    NoLocalOnShare,
}

impl ProtocolError {
    /// The Reason Code of the DISCONNECT or CONNACK that answers it (§4.13).
    pub const fn reason(&self) -> ReasonCode {
        match self {
            Self::ReservedPacketType { .. }
            | Self::ReservedFlags { .. }
            | Self::QoS3 { .. }
            | Self::DupWithQoS0
            | Self::VariableByteIntegerTooLong
            | Self::VariableByteIntegerOverlong { .. }
            | Self::Truncated { .. }
            | Self::TrailingBytes { .. }
            | Self::NotUtf8 { .. }
            | Self::NullCharacter { .. }
            | Self::UnknownProperty { .. }
            | Self::ReservedConnectFlag
            | Self::WillFlagsWithoutWill { .. }
            | Self::PasswordWithoutUserName
            | Self::ReservedConnackFlags { .. }
            | Self::ReasonCodeNotAllowed { .. }
            | Self::ReservedSubscriptionOptions { .. } => ReasonCode::MalformedPacket,
            Self::ConnectExpected { .. }
            | Self::PacketIdZero { .. }
            | Self::ResponseTopic { .. }
            | Self::NoTopic
            | Self::PropertyNotAllowed { .. }
            | Self::DuplicateProperty { .. }
            | Self::PropertyValue { .. }
            | Self::NoAuthenticationMethod { .. }
            | Self::SessionPresentWithError { .. }
            | Self::Empty { .. }
            | Self::RetainHandling3
            | Self::NoLocalOnShare => ReasonCode::ProtocolError,
            Self::TopicName { .. } => ReasonCode::TopicNameInvalid,
            Self::TopicFilter { .. } => ReasonCode::TopicFilterInvalid,
            Self::TopicAliasZero => ReasonCode::TopicAliasInvalid,
            Self::PacketTooLarge { .. } => ReasonCode::PacketTooLarge,
            Self::UnsupportedProtocol { .. } | Self::UnknownProtocolName => {
                ReasonCode::UnsupportedProtocolVersion
            }
        }
    }
}
