//! What a peer can do wrong, one case each, and the Reason Code that answers it (§4.13).
//!
//! The first group is what a single packet shows and comes from `codec`. What only a role or a
//! Session can see (order, state, quotas) follows after it.

use crate::packet::PacketType;
use crate::topic::TopicError;
use crate::{PacketId, PropertyId, ReasonCode};

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
        /// Type of the packet.
        packet: PacketType,
        /// The lower four bits of the first byte.
        flags: u8,
    },
    /// PUBLISH, will or subscription with QoS 3 [MQTT-3.3.1-4].
    #[error("{packet} with QoS 3")]
    QoS3 {
        /// Type of the packet that had it.
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
        /// The value that it had.
        value: u32,
    },
    /// A packet of more bytes than we take [MQTT-3.1.2-24].
    #[error("{packet} of {bytes} bytes, the limit is {limit}")]
    PacketTooLarge {
        /// Type of the packet.
        packet: PacketType,
        /// Its length in bytes, with the fixed header.
        bytes: u32,
        /// The largest packet that we take, in bytes.
        limit: u32,
    },
    /// The first packet of a connection is not CONNECT [MQTT-3.1.0-1].
    #[error("{packet} before CONNECT")]
    ConnectExpected {
        /// Type of the packet.
        packet: PacketType,
    },
    /// The packet, or its properties, ends within a field.
    #[error("{packet} ends within a field")]
    Truncated {
        /// Type of the packet.
        packet: PacketType,
    },
    /// Bytes follow the last field.
    #[error("{packet} with {bytes} bytes after its last field")]
    TrailingBytes {
        /// Type of the packet.
        packet: PacketType,
        /// Bytes that are left over.
        bytes: usize,
    },
    /// A string that is not well-formed UTF-8; surrogates are not [MQTT-1.5.4-1].
    #[error("{packet} with a string that is not UTF-8")]
    NotUtf8 {
        /// Type of the packet.
        packet: PacketType,
    },
    /// A string with the null character U+0000 [MQTT-1.5.4-2].
    #[error("{packet} with the null character in a string")]
    NullCharacter {
        /// Type of the packet.
        packet: PacketType,
    },
    /// A string with a control character or a non-character, which should not be sent and is
    /// refused (§1.5.4).
    #[error("{packet} with the code point U+{:04X} in a string", u32::from(*.character))]
    DisallowedCodePoint {
        /// Type of the packet.
        packet: PacketType,
        /// The first one.
        character: char,
    },
    /// Packet Identifier 0 [MQTT-2.2.1-3].
    #[error("{packet} with packet identifier 0")]
    PacketIdZero {
        /// Type of the packet.
        packet: PacketType,
    },
    /// A text that is not a valid Topic Name, in PUBLISH or a will (§4.7).
    #[error("{packet} with an invalid topic name")]
    TopicName {
        /// Type of the packet that had it.
        packet: PacketType,
        /// What is wrong with it.
        #[source]
        source: TopicError,
    },
    /// A text that is not a valid Topic Filter, in SUBSCRIBE or UNSUBSCRIBE (§4.7).
    #[error("{packet} with an invalid topic filter")]
    TopicFilter {
        /// Type of the packet that had it.
        packet: PacketType,
        /// What is wrong with it.
        #[source]
        source: TopicError,
    },
    /// A Response Topic that is not a Topic Name [MQTT-3.3.2-14].
    #[error("{packet} with an invalid response topic")]
    ResponseTopic {
        /// Type of the packet that had it.
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
        /// Type of the packet that had it.
        packet: PacketType,
        /// The identifier that it had.
        identifier: u32,
    },
    /// A property that belongs to other packets (§2.2.2.2).
    #[error("{packet} with the property {property}")]
    PropertyNotAllowed {
        /// Type of the packet that had it.
        packet: PacketType,
        /// The property that it had.
        property: PropertyId,
    },
    /// A property more than once that may be there once (§2.2.2.2).
    #[error("{packet} with the property {property} twice")]
    DuplicateProperty {
        /// Type of the packet that had it.
        packet: PacketType,
        /// The property that it had.
        property: PropertyId,
    },
    /// A property with a value it must not have, such as Receive Maximum 0 (§3.1.2.11.3).
    #[error("{packet} with {property} {value}")]
    PropertyValue {
        /// Type of the packet that had it.
        packet: PacketType,
        /// The property that it had.
        property: PropertyId,
        /// The value that it had.
        value: u32,
    },
    /// Authentication Data without an Authentication Method (§3.1.2.11.10), or AUTH with
    /// neither (§3.15.2.2.2).
    #[error("{packet} without authentication method")]
    NoAuthenticationMethod {
        /// Type of the packet.
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
        /// The error that it named.
        reason: ReasonCode,
    },
    /// A Reason Code or return code that this packet cannot carry (§2.4).
    #[error("{packet} with reason code {code:#04x}")]
    ReasonCodeNotAllowed {
        /// Type of the packet that had it.
        packet: PacketType,
        /// The code as it came.
        code: u8,
    },
    /// SUBSCRIBE [MQTT-3.8.3-2] or UNSUBSCRIBE [MQTT-3.10.3-2] without Topic Filters, or their
    /// answer without codes.
    #[error("{packet} without an entry")]
    Empty {
        /// Type of the packet.
        packet: PacketType,
    },
    /// Reserved bits in the Subscription Options [MQTT-3.8.3-5].
    #[error("subscription options {options:#010b} with reserved bits")]
    ReservedSubscriptionOptions {
        /// The options as they came.
        options: u8,
    },
    /// Retain Handling 3 (§3.8.3.1).
    #[error("retain handling 3")]
    RetainHandling3,
    /// No Local on a shared subscription [MQTT-3.8.3-4].
    #[error("no local on a shared subscription")]
    NoLocalOnShare,
    /// A second CONNECT on one connection [MQTT-3.1.0-2].
    #[error("second CONNECT")]
    SecondConnect,
    /// Anything but AUTH and DISCONNECT between CONNECT with an Authentication Method and CONNACK
    /// [MQTT-3.1.2-30].
    #[error("{packet} during authentication")]
    DuringAuthentication {
        /// Type of the packet.
        packet: PacketType,
    },
    /// A packet after DISCONNECT [MQTT-3.14.4-1], or after the error that ended the connection.
    #[error("{packet} after the end of the connection")]
    AfterDisconnect {
        /// Type of the packet.
        packet: PacketType,
    },
    /// A packet that only servers send (§2.1.2).
    #[error("{packet} from a client")]
    NotFromClient {
        /// Type of the packet.
        packet: PacketType,
    },
    /// A packet that only clients send, or DISCONNECT in 3.1.1 (§2.1.2).
    #[error("{packet} from a server")]
    NotFromServer {
        /// Type of the packet.
        packet: PacketType,
    },
    /// Anything but AUTH before CONNACK [MQTT-3.2.0-1].
    #[error("{packet} before CONNACK")]
    ConnackExpected {
        /// Type of the packet.
        packet: PacketType,
    },
    /// A second CONNACK on one connection [MQTT-3.2.0-2].
    #[error("second CONNACK")]
    SecondConnack,
    /// Session Present after Clean Start [MQTT-3.2.2-2], or for a client without Session State
    /// [MQTT-3.2.2-4].
    #[error("session present, but the client has none")]
    UnexpectedSession,
    /// AUTH although CONNECT named no Authentication Method [MQTT-4.12.0-6] [MQTT-4.12.0-7].
    #[error("AUTH, but CONNECT named no authentication method")]
    AuthWithoutMethod,
    /// AUTH with a Reason Code that does not fit the moment (§3.15.2.1).
    #[error("AUTH with reason code {:#04x} at the wrong time", *reason as u8)]
    AuthReason {
        /// The Reason Code that it had.
        reason: ReasonCode,
    },
    /// DISCONNECT with a Session Expiry Interval where CONNECT had 0 (§3.14.2.2.2).
    #[error("DISCONNECT changes the session expiry interval from 0 to {seconds} s")]
    SessionExpiryFromZero {
        /// The interval that it had, in seconds.
        seconds: u32,
    },
    /// DISCONNECT with a Session Expiry Interval from a server [MQTT-3.14.2-2].
    #[error("DISCONNECT with a session expiry interval from a server")]
    SessionExpiryFromServer,
    /// PUBLISH with a Subscription Identifier from a client [MQTT-3.3.4-6].
    #[error("PUBLISH with a subscription identifier from a client")]
    SubscriptionIdentifierFromClient,
    /// A Topic Alias above our maximum, or 0 (§3.3.2.3.4).
    #[error("topic alias {alias}, the maximum is {maximum}")]
    TopicAliasInvalid {
        /// The Topic Alias that it had.
        alias: u16,
        /// Our Topic Alias Maximum.
        maximum: u16,
    },
    /// PUBLISH with only a Topic Alias that stands for nothing (§3.3.4).
    #[error("topic alias {alias} stands for nothing")]
    UnknownTopicAlias {
        /// The Topic Alias that it had.
        alias: u16,
    },
    /// More QoS 1 and QoS 2 messages at once than we allowed (§3.3.4).
    #[error("more than {limit} messages in flight, the receive maximum")]
    ReceiveMaximumExceeded {
        /// Our Receive Maximum.
        limit: u16,
    },
    /// PUBACK for a message that was sent at QoS 2 (§4.3.3).
    #[error("PUBACK for packet identifier {id}, which was sent at QoS 2")]
    PubackForQoS2 {
        /// Packet Identifier of the exchange.
        id: PacketId,
    },
    /// PUBREC for a message that was sent at QoS 1 (§4.3.2).
    #[error("PUBREC for packet identifier {id}, which was sent at QoS 1")]
    PubrecForQoS1 {
        /// Packet Identifier of the exchange.
        id: PacketId,
    },
    /// PUBCOMP for a message that was sent at QoS 1 (§4.3.2).
    #[error("PUBCOMP for packet identifier {id}, which was sent at QoS 1")]
    PubcompForQoS1 {
        /// Packet Identifier of the exchange.
        id: PacketId,
    },
    /// PUBCOMP for a message that has no PUBREC (§4.3.3).
    #[error("PUBCOMP for packet identifier {id} before its PUBREC")]
    PubcompBeforePubrec {
        /// Packet Identifier of the exchange.
        id: PacketId,
    },
    /// SUBACK or UNSUBACK with an identifier that awaits none [MQTT-2.2.1-6].
    #[error("{packet} with packet identifier {id}, which awaits none")]
    UnrequestedAnswer {
        /// Type of the packet.
        packet: PacketType,
        /// Packet Identifier that it had.
        id: PacketId,
    },
    /// SUBACK or UNSUBACK without one Reason Code per Topic Filter [MQTT-3.9.3-1].
    #[error("{packet} with {reasons} reason codes for {filters} filters")]
    AnswerCount {
        /// Type of the packet.
        packet: PacketType,
        /// How many Topic Filters we sent.
        filters: usize,
        /// How many Reason Codes came.
        reasons: usize,
    },
}

impl ProtocolError {
    /// The Reason Code of the DISCONNECT or CONNACK that answers it (§4.13).
    ///
    /// What cannot be a Topic Name or Topic Filter makes its packet malformed; the codes Topic
    /// Name invalid and Topic Filter invalid are for topics that are well-formed but not
    /// accepted (§2.4).
    #[expect(clippy::too_many_lines, reason = "each case has its line")]
    pub const fn reason(&self) -> ReasonCode {
        match self {
            // The specification calls it malformed in PUBLISH (§3.3.1.2) and in a will
            // (§3.1.2.6), and a Protocol Error in Subscription Options (§3.8.3.1).
            Self::QoS3 {
                packet: PacketType::Subscribe,
            } => ReasonCode::ProtocolError,
            Self::QoS3 { .. }
            | Self::ReservedPacketType { .. }
            | Self::ReservedFlags { .. }
            | Self::DupWithQoS0
            | Self::VariableByteIntegerTooLong
            | Self::VariableByteIntegerOverlong { .. }
            | Self::Truncated { .. }
            | Self::TrailingBytes { .. }
            | Self::NotUtf8 { .. }
            | Self::NullCharacter { .. }
            | Self::DisallowedCodePoint { .. }
            | Self::TopicName { .. }
            | Self::TopicFilter { .. }
            | Self::ResponseTopic { .. }
            | Self::UnknownProperty { .. }
            | Self::PropertyNotAllowed { .. }
            | Self::ReservedConnectFlag
            | Self::WillFlagsWithoutWill { .. }
            | Self::PasswordWithoutUserName
            | Self::ReservedConnackFlags { .. }
            | Self::ReasonCodeNotAllowed { .. }
            | Self::ReservedSubscriptionOptions { .. } => ReasonCode::MalformedPacket,
            Self::ConnectExpected { .. }
            | Self::PacketIdZero { .. }
            | Self::NoTopic
            | Self::DuplicateProperty { .. }
            | Self::PropertyValue { .. }
            | Self::NoAuthenticationMethod { .. }
            | Self::SessionPresentWithError { .. }
            | Self::Empty { .. }
            | Self::RetainHandling3
            | Self::NoLocalOnShare
            | Self::SecondConnect
            | Self::DuringAuthentication { .. }
            | Self::AfterDisconnect { .. }
            | Self::NotFromClient { .. }
            | Self::NotFromServer { .. }
            | Self::ConnackExpected { .. }
            | Self::SecondConnack
            | Self::UnexpectedSession
            | Self::AuthWithoutMethod
            | Self::AuthReason { .. }
            | Self::SessionExpiryFromZero { .. }
            | Self::SessionExpiryFromServer
            | Self::SubscriptionIdentifierFromClient
            | Self::UnknownTopicAlias { .. }
            | Self::PubackForQoS2 { .. }
            | Self::PubrecForQoS1 { .. }
            | Self::PubcompForQoS1 { .. }
            | Self::PubcompBeforePubrec { .. }
            | Self::UnrequestedAnswer { .. }
            | Self::AnswerCount { .. } => ReasonCode::ProtocolError,
            Self::ReceiveMaximumExceeded { .. } => ReasonCode::ReceiveMaximumExceeded,
            Self::TopicAliasZero | Self::TopicAliasInvalid { .. } => ReasonCode::TopicAliasInvalid,
            Self::PacketTooLarge { .. } => ReasonCode::PacketTooLarge,
            Self::UnsupportedProtocol { .. } | Self::UnknownProtocolName => {
                ReasonCode::UnsupportedProtocolVersion
            }
        }
    }
}
