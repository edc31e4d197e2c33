//! SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK (§3.8 to §3.11).

use std::fmt;

use super::{AckProperties, UserProperties};
use crate::topic::{TopicError, TopicFilter};
use crate::{PacketId, QoS, ReasonCode, Version};

/// Asks for one or more subscriptions (§3.8).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subscribe {
    /// Packet Identifier that SUBACK repeats.
    pub id: PacketId,
    /// Empty in 3.1.1.
    pub properties: SubscribeProperties,
    /// At least one [MQTT-3.8.3-2].
    pub subscriptions: Vec<Subscription>,
    /// More of them, if the packet is long: empty in one that is sent.
    pub rest: UndecodedFilters,
}

/// The undecoded rest of a long SUBSCRIBE or UNSUBSCRIBE: a server that decoded a hundred thousand
/// filters at once would serve no other client meanwhile. `codec` decodes it piece by piece.
///
/// What is wrong in it is found when it is decoded. The filters before are applied then, as if each
/// had come in a packet of its own [MQTT-3.8.4-5].
#[derive(Clone)]
pub struct UndecodedFilters {
    version: Version,
    packet: Vec<u8>,
    /// Bytes of the packet that are decoded.
    decoded: usize,
}

impl UndecodedFilters {
    /// The last `left` bytes of `packet`, which is of `version`.
    pub(crate) fn new(version: Version, packet: Vec<u8>, left: usize) -> Self {
        match left {
            0 => Self::default(),
            left => Self {
                version,
                decoded: packet.len() - left,
                packet,
            },
        }
    }

    /// Bytes that are left.
    pub fn as_bytes(&self) -> &[u8] {
        &self.packet[self.decoded..]
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Records that only `left` bytes are left.
    pub(crate) fn decoded_to(&mut self, left: usize) {
        self.decoded = self.packet.len() - left;
    }
}

/// Everything is decoded: no bytes are left.
impl Default for UndecodedFilters {
    fn default() -> Self {
        Self {
            version: Version::V5,
            packet: Vec::new(),
            decoded: 0,
        }
    }
}

/// Compares the bytes that are left.
impl PartialEq for UndecodedFilters {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for UndecodedFilters {}

/// Shows how many bytes are left: the bytes themselves would fill pages.
impl fmt::Debug for UndecodedFilters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UndecodedFilters({} bytes)", self.as_bytes().len())
    }
}

/// SUBSCRIBE properties (§3.8.2.1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SubscribeProperties {
    /// Comes back with every message that these subscriptions match.
    pub subscription_identifier: Option<SubscriptionIdentifier>,
    /// User properties, in order.
    pub user_properties: UserProperties,
}

/// A number the client gives a subscription: 1 to 268,435,455 (§3.8.2.1.2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SubscriptionIdentifier(u32);

impl SubscriptionIdentifier {
    /// The identifier `value`; `None` outside 1 to 268,435,455.
    pub const fn new(value: u32) -> Option<Self> {
        match value {
            1..=268_435_455 => Some(Self(value)),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A text that stands where a Topic Filter belongs and is not a valid one, in a packet that can be
/// parsed.
///
/// §4.13 has a Malformed Packet end the connection, one "that cannot be parsed according to this
/// specification". A misplaced wildcard (§4.7.1), a `$share/` without a group (§4.8.2) or an empty
/// filter (§4.7.3) do not keep the rest from being parsed, and each filter of a SUBSCRIBE is
/// handled as if it came alone [MQTT-3.8.4-5] and has a Reason Code of its own [MQTT-3.8.4-6]: it
/// is answered with 0x8F, the others are granted. A text that is not a UTF-8 string or holds the
/// null character makes the packet malformed [MQTT-1.5.4-1], [MQTT-1.5.4-2]. 3.1.1 closes the
/// connection in both cases [3.1.1: MQTT-4.8.0-1].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidFilter {
    /// The text as it came.
    pub text: Box<str>,
    /// Why it is not a Topic Filter.
    pub error: TopicError,
}

/// What stands in the place of a Topic Filter in SUBSCRIBE and UNSUBSCRIBE.
pub type RequestedFilter = Result<TopicFilter<Box<str>>, InvalidFilter>;

/// One Topic Filter of a SUBSCRIBE with its options (§3.8.3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subscription {
    /// Topic Filter, possibly of a shared subscription.
    pub filter: RequestedFilter,
    /// Subscription options.
    pub options: SubscriptionOptions,
}

/// Subscription options (§3.8.3.1). 3.1.1 has the QoS only.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SubscriptionOptions {
    /// Highest QoS the server sends with.
    pub qos: QoS,
    /// Whether the client's own messages are left out [MQTT-3.8.3-3].
    pub no_local: bool,
    /// Whether forwarded messages keep their RETAIN flag [MQTT-3.3.1-13].
    pub retain_as_published: bool,
    /// When retained messages are sent.
    pub retain_handling: RetainHandling,
}

/// When a subscription brings retained messages (§3.8.3.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(u8)]
pub enum RetainHandling {
    /// 0: at every SUBSCRIBE [MQTT-3.3.1-9].
    #[default]
    SendAtSubscribe = 0,
    /// 1: only if the subscription is new [MQTT-3.3.1-10].
    SendIfNew = 1,
    /// 2: never [MQTT-3.3.1-11].
    DoNotSend = 2,
}

/// Answers a SUBSCRIBE, one code a filter in its order (§3.9).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suback {
    /// Packet Identifier of the SUBSCRIBE.
    pub id: PacketId,
    /// Empty in 3.1.1.
    pub properties: AckProperties,
    /// Granted QoS or an error each. In 3.1.1 every error is sent as 0x80.
    pub reasons: Vec<ReasonCode>,
}

/// Ends one or more subscriptions (§3.10).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unsubscribe {
    /// Packet Identifier that UNSUBACK repeats.
    pub id: PacketId,
    /// Empty in 3.1.1.
    pub user_properties: UserProperties,
    /// At least one [MQTT-3.10.3-2].
    pub filters: Vec<RequestedFilter>,
    /// More of them, if the packet is long: empty in one that is sent.
    pub rest: UndecodedFilters,
}

/// Answers an UNSUBSCRIBE (§3.11).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unsuback {
    /// Packet Identifier of the UNSUBSCRIBE.
    pub id: PacketId,
    /// Empty in 3.1.1.
    pub properties: AckProperties,
    /// One a filter, in order. Not sent in 3.1.1, where decoding leaves it empty.
    pub reasons: Vec<ReasonCode>,
}
