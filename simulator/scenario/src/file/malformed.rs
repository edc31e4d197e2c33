//! `kind` of a `[[fault]]` with `how = "malformed"`.

use schemars::JsonSchema;
use serde::Deserialize;

/// One kind of malformed packet, or several.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "MalformedKinds")]
pub(crate) enum MalformedForms {
    /// This one for each device.
    One(MalformedWord),
    /// These, one device after the other.
    Several(#[schemars(length(min = 1))] Vec<MalformedWord>),
}

/// A rule that a malformed packet breaks. The broker must close the connection.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "MalformedKind")]
pub(crate) enum MalformedWord {
    /// PINGREQ with a reserved flag.
    ReservedFlags,
    /// Packet type 0.
    ReservedType,
    /// PUBLISH with QoS 3.
    #[serde(rename = "qos_3")]
    Qos3,
    /// PUBLISH of QoS 1 with Packet Identifier 0.
    PacketIdZero,
    /// PUBLISH to a topic with a wildcard.
    WildcardTopic,
    /// PUBLISH to a topic that is not UTF-8.
    #[serde(rename = "invalid_utf8")]
    InvalidUtf8,
    /// PUBLISH to a topic with the null character.
    NullCharacter,
    /// A second CONNECT.
    SecondConnect,
    /// A Remaining Length of five bytes.
    OverlongLength,
    /// SUBSCRIBE without a Topic Filter.
    EmptySubscribe,
    /// SUBSCRIBE that ends within its Topic Filter.
    Truncated,
    /// PUBLISH with a property that does not exist. MQTT 5.0 only.
    UnknownProperty,
}
