//! Expectations: invariants of the protocol that a run is judged by.
//!
//! Each field is one claim; `None` and `false` are not judged. Everything is counted and reported
//! all the same. Numbers are the most that is allowed.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_protocol::{QoS, ReasonCode, topic::TopicFilter};

use crate::DropKind;
use crate::id::{FaultId, GroupId, NetworkId};

/// One `[[expect]]`; at least one claim of it is set.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// `check = "delivery"`
    Delivery(DeliveryClaim),
    /// `check = "will"`
    Will(WillClaim),
    /// `check = "retained"`
    Retained(RetainedClaim),
    /// `check = "takeover"`
    Takeover(TakeoverClaim),
    /// `check = "qos2_handshake"`
    Qos2Handshake(Qos2HandshakeClaim),
    /// `check = "network"`
    Network(NetworkClaim),
    /// `check = "connections"`
    Connections(ConnectionsClaim),
    /// `check = "keep_alive"`
    KeepAlive(KeepAliveClaim),
    /// `check = "response"`
    Response(ResponseClaim),
    /// `check = "session"`
    Session(SessionClaim),
    /// `check = "expiry"`
    Expiry(ExpiryClaim),
    /// `check = "shared"`
    Shared(SharedClaim),
    /// `check = "quota"`
    Quota(QuotaClaim),
    /// `check = "malformed"`
    Malformed(MalformedClaim),
}

impl Expectation {
    /// Its `check`, as the file names it.
    pub const fn check_name(&self) -> &'static str {
        match self {
            Self::Delivery(_) => "delivery",
            Self::Will(_) => "will",
            Self::Retained(_) => "retained",
            Self::Takeover(_) => "takeover",
            Self::Qos2Handshake(_) => "qos2_handshake",
            Self::Network(_) => "network",
            Self::Connections(_) => "connections",
            Self::KeepAlive(_) => "keep_alive",
            Self::Response(_) => "response",
            Self::Session(_) => "session",
            Self::Expiry(_) => "expiry",
            Self::Shared(_) => "shared",
            Self::Quota(_) => "quota",
            Self::Malformed(_) => "malformed",
        }
    }
}

/// The broker closes the connections of silent clients in time, and not before [MQTT-3.1.2-22].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeepAliveClaim {
    /// What it may take beyond one and a half times Keep Alive.
    pub closed_within: Duration,
    /// Connections that it may close before that. Default 0.
    pub closed_early: u64,
}

/// A broker ends each connection on which a malformed packet comes ([MQTT-4.13.1-1], [3.1.1: MQTT-4.8.0-1]).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MalformedClaim {
    /// Longest time from the packet to the close.
    pub closed_within: Option<Duration>,
    /// A reason that it tells fits what is wrong with the packet.
    pub reason_correct: bool,
}

/// Every request gets its response, as it was asked for (§4.10).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ResponseClaim {
    /// No request or response that was owed at QoS 1 or 2 is missing.
    pub answered: bool,
    /// What the broker may take for a request and its response together.
    pub within: Option<Duration>,
    /// Requests and responses that come with another Response Topic or Correlation Data than they were sent with.
    pub misdirected: Option<u64>,
}

/// Every acknowledged message reaches the Sessions that it is owed to, as it was published.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeliveryClaim {
    /// Only messages published with this QoS.
    pub qos: Option<QoS>,
    /// Only deliveries to Sessions of this group.
    pub group: Option<GroupId>,
    /// Messages that were acknowledged, owed and never delivered.
    pub lost: Option<u64>,
    /// Messages that came again, with DUP or without, though that is forbidden: by the QoS, or, at QoS 1 in
    /// MQTT 5.0, because neither the publisher nor the Session had another connection since.
    pub duplicated: Option<u64>,
    /// Messages out of order within one publisher and Topic Name (§4.6).
    pub reordered: Option<u64>,
    /// Messages that were delivered to a Session without a subscription to them.
    pub misrouted: Option<u64>,
    /// Messages that came with another payload, Content Type or other User Properties than was published.
    pub corrupted: Option<u64>,
    /// Messages that came at another QoS, or with another RETAIN or DUP flag or Subscription
    /// Identifier, than they must have.
    pub mislabelled: Option<u64>,
    /// Messages that were delivered after the Session was resumed.
    pub late: Option<u64>,
}

/// Wills after the named faults.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WillClaim {
    /// At least one; each has an action `drop` or `disconnect` and a group with a will and, by
    /// another group or the same, a subscription.
    pub after: Vec<FaultId>,
    /// Number of wills for each device that a fault ended: from 0 to 2.
    pub exactly: Option<u32>,
    /// Longest time from the fault, or from when a will that waits is due, to the will, per kind of drop.
    pub within: BTreeMap<DropKind, Duration>,
}

/// What the broker has retained when the run ends: a device that subscribes to `filter` during
/// the drain is sent exactly this.
#[derive(Clone, Debug, PartialEq)]
pub struct RetainedClaim {
    /// The messages that are compared; not a shared subscription.
    pub filter: TopicFilter<Box<str>>,
    /// What the message on each Topic Name that matches is compared with.
    pub equals: RetainedValue,
}

/// What a retained message is compared with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RetainedValue {
    /// `last_will`: the last will with RETAIN that was due on that Topic Name, unless a message with RETAIN
    /// came after it, and nothing where there was neither.
    LastWill,
    /// `last_publish`: the last acknowledged message with RETAIN on that Topic Name.
    LastPublish,
    /// This text as the payload, on every Topic Name that matches; at least one does. A stamp of squall's in the
    /// payload is not compared.
    Text(String),
}

impl RetainedValue {
    /// What the file calls it: its word, or the text of the payload.
    pub fn source(&self) -> &str {
        match self {
            Self::LastWill => "last_will",
            Self::LastPublish => "last_publish",
            Self::Text(text) => text,
        }
    }
}

/// Several connections for one Client Identifier (§3.1.4).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TakeoverClaim {
    /// Connections that are open at once for one Client Identifier, once the older ones' ends
    /// have been seen.
    pub alive_per_client_id: Option<u32>,
    /// Longest time from the CONNACK of the newer connection to the end of the older one, as their devices'
    /// machines see both: how long two are alive. The metric `takeover_time` counts from the CONNECT instead, and so
    /// has the time that the broker took for the CONNACK.
    pub displaced_closed_within: Option<Duration>,
    /// The reason that DISCONNECT gives the displaced device. MQTT 5.0 only.
    pub reason: Option<ReasonCode>,
    /// Session Present is 1 exactly where there was a Session to resume (§3.2.2.1.1).
    pub session_present_correct: bool,
}

/// QoS 2 exchanges (§4.3.3).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Qos2HandshakeClaim {
    /// Exchanges of live Sessions that are not finished when the run ends.
    pub incomplete: Option<u64>,
    /// A PUBLISH sent again is answered with PUBREC, not refused [MQTT-4.3.3-10].
    pub dup_answered_with_pubrec: bool,
    /// The broker sends no PUBLISH of an exchange again once it has sent PUBREL
    /// [MQTT-4.3.3-6].
    pub no_publish_after_pubrel: bool,
}

/// The simulated network did what it was told to do: what was measured is what was configured.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkClaim {
    /// Used by at least one group.
    pub profile: NetworkId,
    /// Largest relative difference: 0.1 is ten per cent. Above 0, at most 1.
    pub tolerance: f64,
}

/// Connections that must not fail.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ConnectionsClaim {
    /// Only devices of this group.
    pub group: Option<GroupId>,
    /// CONNACKs with an error and transports that could not be opened.
    pub refused: Option<u64>,
    /// Connections whose end is not explained by a fault, a cut, a takeover or the end of the run.
    pub unexpected_disconnects: Option<u64>,
}

/// What is kept of a client that is away (§4.1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SessionClaim {
    /// Session Present is 1 exactly where there was a Session to resume (§3.2.2.1.1).
    pub present_correct: bool,
    /// What was owed at QoS 1 and 2 while no connection held a Session comes once one does.
    pub backlog_complete: bool,
}

/// Messages that live for a limited time (§3.3.2.3.3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExpiryClaim {
    /// None is delivered that had expired before the broker began to [MQTT-3.3.2-5].
    pub never_after: bool,
    /// What is left of its time is told with each delivery [MQTT-3.3.2-6].
    pub remaining_correct: bool,
    /// How much sooner or later the broker may be. Default 1 s, since the interval counts in seconds.
    pub tolerance: Duration,
}

/// Shared subscriptions (§4.8.2).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SharedClaim {
    /// Each message goes to exactly one member, unless a member was lost.
    pub exactly_one: bool,
    /// What a member that is lost for good had at QoS 1, and had not acknowledged, goes to another.
    pub redistributed: bool,
}

/// How many messages the broker has in flight (§4.9).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct QuotaClaim {
    /// Only to devices of this group.
    pub group: Option<GroupId>,
    /// No more than Receive Maximum of QoS 1 and 2 are unacknowledged at once [MQTT-3.3.4-9].
    pub receive_maximum_kept: bool,
}
