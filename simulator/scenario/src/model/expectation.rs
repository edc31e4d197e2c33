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
    /// `delivery`
    Delivery(DeliveryClaim),
    /// `will`
    Will(WillClaim),
    /// `retained`
    Retained(RetainedClaim),
    /// `takeover`
    Takeover(TakeoverClaim),
    /// `qos2_handshake`
    Qos2Handshake(Qos2HandshakeClaim),
    /// `network`
    Network(NetworkClaim),
    /// `connections`
    Connections(ConnectionsClaim),
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
        }
    }
}

/// Every acknowledged message reaches the Sessions that it is owed to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeliveryClaim {
    /// Only messages published with this QoS.
    pub qos: Option<QoS>,
    /// Only deliveries to Sessions of this group.
    pub group: Option<GroupId>,
    /// Acknowledged, owed and never delivered.
    pub lost: Option<u64>,
    /// Delivered again, DUP or not.
    pub duplicated: Option<u64>,
    /// Out of order within one publisher and Topic Name (§4.6).
    pub reordered: Option<u64>,
    /// Delivered to a Session without a subscription that asked for it.
    pub misrouted: Option<u64>,
    /// Delivered after the Session was resumed.
    pub late: Option<u64>,
}

/// Wills after the named faults.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WillClaim {
    /// At least one; each has an action `drop` or `disconnect` and a group with a will and, by
    /// another group or the same, a subscription.
    pub after: Vec<FaultId>,
    /// Wills per device that a fault ended.
    pub exactly: Option<u32>,
    /// Longest time from the fault to the will, per kind of drop.
    pub within: BTreeMap<DropKind, Duration>,
}

/// What the broker has retained when the run ends: a device that subscribes to `filter` during
/// the drain is sent exactly this.
#[derive(Clone, Debug, PartialEq)]
pub struct RetainedClaim {
    /// Not shared.
    pub filter: TopicFilter<Box<str>>,
    /// For each Topic Name that matches.
    pub equals: RetainedValue,
}

/// What a retained message is compared with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RetainedValue {
    /// `last_will`: the last will with RETAIN that was due on that Topic Name, and nothing where
    /// none was due.
    LastWill,
    /// `last_publish`: the last acknowledged message with RETAIN on that Topic Name.
    LastPublish,
    /// This text as the payload, on every Topic Name that matches; at least one does.
    Text(String),
}

/// Several connections for one Client Identifier (§3.1.4).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TakeoverClaim {
    /// Connections that are open at once for one Client Identifier, once the older ones' ends
    /// have been seen.
    pub alive_per_client_id: Option<u32>,
    /// Longest time from the CONNACK of the newer connection to the end of the older one.
    pub displaced_closed_within: Option<Duration>,
    /// What DISCONNECT tells the displaced device. MQTT 5.0 only.
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

/// The simulator proves its own network: what was measured is what was configured.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkClaim {
    /// Used by at least one group.
    pub profile: NetworkId,
    /// Largest relative difference: 0.1 is ten per cent. Above 0, at most 1.
    pub tolerance: f64,
}

/// Connections that should not have failed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ConnectionsClaim {
    /// Only devices of this group.
    pub group: Option<GroupId>,
    /// CONNACKs with an error and transports that could not be had.
    pub refused: Option<u64>,
    /// Ends that neither a fault nor a cut nor a takeover nor the end of the run explains.
    pub unexpected_disconnects: Option<u64>,
}
