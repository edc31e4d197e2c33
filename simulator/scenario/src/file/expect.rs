//! `[[expect]]` as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::DurationText;
use super::shorthand::{self, TextsFile};

/// Something that must hold. Only the claims given are judged; everything is counted and reported.
/// Numbers are the most that is allowed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "check", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "Expect")]
pub(crate) enum ExpectFile {
    /// Every acknowledged message reaches the sessions that it is owed to.
    Delivery {
        /// Only messages published with this QoS. By default of every QoS.
        #[schemars(range(max = 2))]
        qos: Option<u8>,
        /// Only deliveries to this group. By default to all groups.
        group: Option<String>,
        /// Messages that were acknowledged, owed and never delivered: without `qos`, those owed at
        /// QoS 1 and 2. One that a later message of its publisher and topic overtook is lost. The last of its topic,
        /// or of a shared subscription, is lost if it was under way for 5 s and for twice as long as the slowest delivery to
        /// its group took, or, if none came, for `run.connect_timeout`; until then it could come still, and `lost` is
        /// not judged: `run.drain` should be as long as that. By default not judged.
        lost: Option<u64>,
        /// Messages that came again though that is forbidden: by the QoS, or, at QoS 1, where its publisher sent it once,
        /// without DUP, in a later Session, or, in MQTT 5.0, on one connection. By default not judged.
        duplicated: Option<u64>,
        /// Messages out of order within one publisher and topic. By default not judged.
        reordered: Option<u64>,
        /// Messages that were delivered to a session without a subscription to them. By default not judged.
        misrouted: Option<u64>,
        /// Messages that came with another payload, Content Type or other User Properties than was published. By default
        /// judged as 0 where `lost` or `misrouted` is given.
        corrupted: Option<u64>,
        /// Messages that came at another QoS, or with another RETAIN or DUP flag or Subscription
        /// Identifier, than they must have. By default judged as 0 where `misrouted` is given.
        mislabelled: Option<u64>,
        /// Messages that waited for a Session whose connection had ended though nothing in the scenario asked for
        /// that: no fault, takeover or link. Those that waited for another reason are counted, and not judged.
        /// By default not judged.
        late: Option<u64>,
    },
    /// Wills after faults.
    Will {
        /// Name of the fault, or of several, of action `drop` or `disconnect`.
        #[serde(deserialize_with = "shorthand::texts")]
        #[schemars(with = "TextsFile")]
        after: Vec<String>,
        /// Number of wills for each device that a fault ended: 0 is none, and of three or more it is not counted how many
        /// they are. A device that came back before its will was due, by the `delay` of that, must have none, and one that came
        /// back later must have it; from a second before until one and a half after, both are right. A will before it
        /// is due breaks the claim. By default not judged.
        #[schemars(range(max = 2))]
        exactly: Option<u32>,
        /// Longest time from the fault to the will, for every kind of drop or for each: as long as the broker had for it. A will
        /// that waits, by its `delay`, counts from when it is due: when that has passed, or the Session has ended. Without
        /// what the simulated links of the two devices held, and the time in which the watcher was away, or its link
        /// held answers that the broker may have waited for. By default not judged.
        #[serde(default)]
        within: WithinFile,
    },
    /// What the broker retains when the run ends.
    Retained {
        /// Topic Filter of the retained messages that are compared.
        filter: String,
        /// `last_will`, `last_publish`, or the text of every payload. Where a device of the run published it, squall
        /// added a stamp to the text, or a member to the JSON object: that is not compared. A text that differs from one of the
        /// two words by a slip is refused.
        equals: String,
    },
    /// Several connections for one Client Identifier.
    Takeover {
        /// Connections open at once for one Client Identifier. By default not judged.
        #[schemars(range(min = 1))]
        alive_per_client_id: Option<u32>,
        /// Longest time from the CONNACK of the newer connection to the end of the older one, as their devices'
        /// machines see both: how long two are alive. The metric `takeover_time` counts from the CONNECT instead, and so
        /// has the time that the broker took for the CONNACK. By default not judged.
        displaced_closed_within: Option<DurationText>,
        /// The reason that the displaced device is given. MQTT 5.0 only. By default not judged.
        reason: Option<DisplacedReasonWord>,
        /// Session Present is 1 exactly where there was a session. By default not judged.
        session_present: Option<CorrectWord>,
    },
    /// QoS 2 exchanges.
    #[serde(rename = "qos2_handshake")]
    Qos2Handshake {
        /// Exchanges that are not finished when the run, or their Session, ends. By default not judged.
        incomplete: Option<u64>,
        /// A PUBLISH sent again is answered with PUBREC. By default not judged.
        dup_answered_with_pubrec: Option<bool>,
        /// The broker sends no PUBLISH again once it has sent PUBREL. By default not judged.
        no_publish_after_pubrel: Option<bool>,
    },
    /// The simulated network did what it was told to do.
    Network {
        /// Name of a `[[network]]`, or of a shipped profile.
        profile: String,
        /// Largest relative difference: 0.1 is ten per cent.
        #[schemars(extend("exclusiveMinimum" = 0), range(max = 1))]
        tolerance: f64,
    },
    /// Responses to requests: messages with a Response Topic, and others that a `[[group.respond]]` answers.
    Response {
        /// Each request that was owed a response got one. A request or a response that is lost breaks it, and a request that
        /// the broker changed so that it could not be answered; one that `delivery` excuses does not. Where one is lost at QoS
        /// 0, which may lose it, it is not judged. By default not judged.
        answered: Option<bool>,
        /// Longest time that the broker may take for a request and its response together: from when the request is sent to
        /// the device that answers, and from there back, without that device's own time. Requests with a Response Topic
        /// only, and only where neither device was away meanwhile. Goes with groups without `network` and without faults; the
        /// metric `round_trip` has no such limits. By default not judged.
        within: Option<DurationText>,
        /// Requests and responses that come with another Response Topic or Correlation Data than they were sent with. MQTT 5.0
        /// only. By default not judged.
        misdirected: Option<u64>,
    },
    /// The broker closes a connection on which it has had no packet for one and a half times Keep Alive [MQTT-3.1.2-22]: of
    /// devices that a `mute`, or a `drop` with `how = "silent"`, has silenced. One that a newer connection of its Client
    /// Identifier, the device that talks again or the end of the run ends first is not judged.
    KeepAlive {
        /// Longest time beyond one and a half times Keep Alive, from the last packet.
        closed_within: DurationText,
        /// Connections that are closed before that time has passed. Default 0.
        closed_early: Option<u64>,
    },
    /// Malformed packets that a fault sends.
    Malformed {
        /// Longest time from when a malformed packet is sent until the broker has closed the connection: it must. One that
        /// ends because its device is back before is not judged. By default not judged.
        closed_within: Option<DurationText>,
        /// Where the broker says why, the Reason Code fits: that of a Malformed Packet or a Protocol Error, one for the very
        /// case, or Unspecified error. MQTT 5.0 only. By default not judged.
        reason: Option<CorrectWord>,
    },
    /// Connections that must not fail.
    Connections {
        /// Only devices of this group. By default of all groups.
        group: Option<String>,
        /// CONNECTs that the broker refused, and transports that could not be opened. By default not judged.
        refused: Option<u64>,
        /// Connections that ended without a cause in the scenario. By default not judged.
        unexpected_disconnects: Option<u64>,
    },
    /// What the broker keeps of devices that are away.
    Session {
        /// Session Present is 1 exactly where there was a Session, on each CONNACK of which that is known.
        /// By default not judged.
        present: Option<CorrectWord>,
        /// Every message that was owed at QoS 1 or 2 to a Session while no connection held it came once one did.
        /// By default not judged.
        backlog: Option<CompleteWord>,
    },
    /// Messages with `message_expiry`. What comes over a simulated link, or to a device that did not read for a while,
    /// and what is sent again with DUP, is not judged.
    Expiry {
        /// No message is delivered that had expired. By default not judged.
        never_after: Option<bool>,
        /// Each delivery tells what is left of the time: the interval of the message less what it had waited in the broker.
        /// By default not judged.
        remaining: Option<CorrectWord>,
        /// How much sooner or later than in time the broker may be with both. Default 1s.
        tolerance: Option<DurationText>,
    },
    /// Shared subscriptions.
    Shared {
        /// Each message that is owed at QoS 1 or 2 reaches exactly one member. Of what a lost member may have had, no more than that is judged that it
        /// does not come twice. By default not judged.
        exactly_one: Option<bool>,
        /// What was owed at QoS 1 when a connection of a member ended, and its Session with it, reached another member.
        /// By default not judged.
        redistributed: Option<bool>,
    },
    /// Flow control.
    Quota {
        /// Only connections of this group. By default of all groups.
        group: Option<String>,
        /// The broker never has more messages of QoS 1 and 2 unacknowledged on a connection than the group's `receive_maximum`.
        /// What comes together was in flight together; what is seen of that is the least that it was.
        /// By default not judged.
        receive_maximum: Option<KeptWord>,
    },
}

/// Longest time from the fault, or from when a will that waits is due, to the will.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Within")]
pub(crate) enum WithinFile {
    /// After a drop of any kind.
    All(DurationText),
    /// By the kind of drop.
    Each(LimitsFile),
}

impl Default for WithinFile {
    fn default() -> Self {
        Self::Each(LimitsFile::default())
    }
}

/// The same by the kind of drop.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Limits")]
pub(crate) struct LimitsFile {
    /// After a silent drop: 1.5 times Keep Alive and a little. By default not judged.
    pub(crate) silent: Option<DurationText>,
    /// After a close in order. By default not judged.
    pub(crate) fin: Option<DurationText>,
    /// After a reset. By default not judged.
    pub(crate) rst: Option<DurationText>,
    /// After a close of the sending side. By default not judged.
    pub(crate) half_close: Option<DurationText>,
    /// After half a packet. By default not judged.
    pub(crate) mid_packet: Option<DurationText>,
    /// After a malformed packet. By default not judged.
    pub(crate) malformed: Option<DurationText>,
    /// After a close without the close_notify of TLS. By default not judged.
    pub(crate) tls_abort: Option<DurationText>,
}

/// The reason that a displaced device is given.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DisplacedReason")]
pub(crate) enum DisplacedReasonWord {
    /// 0x8E, Session taken over.
    SessionTakenOver,
}

/// A claim without a number.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Correct")]
pub(crate) enum CorrectWord {
    /// As the specification says.
    Correct,
}

/// A claim without a number.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Complete")]
pub(crate) enum CompleteWord {
    /// Nothing is missing.
    Complete,
}

/// A claim without a number.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Kept")]
pub(crate) enum KeptWord {
    /// It was never exceeded.
    Kept,
}
