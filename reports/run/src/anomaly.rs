//! Things that should not happen, kept whole: the first of each kind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that should not have happened, with what a person needs to look into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Anomaly {
    /// The rule that was broken.
    pub kind: AnomalyKind,
    /// When it was noticed, since the start of the run; `None` if only counts at the end of the run show it.
    pub at_s: Option<f64>,
    /// How many it stands for that nothing tells apart: 1 or more.
    #[serde(default = "one")]
    pub times: u64,
    /// Client Identifier of the device that it is about: whose message or will it was, or whose connection or
    /// Session it concerns.
    pub client_id: Option<String>,
    /// Client Identifier of the device that the message or will came to, or should have come to.
    #[serde(default)]
    pub recipient: Option<String>,
    /// Topic Name of the message.
    pub topic: Option<String>,
    /// Sequence number of the message in its stream.
    pub sequence: Option<u64>,
    /// What was expected and what came, with the section of the specification.
    pub explanation: String,
    /// Number of the packets around it in `traces`; `None` if they are not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<usize>,
}

/// A run file of an earlier version has each anomaly by itself.
const fn one() -> u64 {
    1
}

/// Kinds of anomalies.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// An acknowledged message never came.
    Lost,
    /// A message came again.
    Duplicated,
    /// A message came before an earlier one of its stream.
    Reordered,
    /// A message came that no subscription asked for.
    Misrouted,
    /// A message came whose payload is not what was published, or not what is to be retained.
    Corrupted,
    /// A message came at another QoS, or with another RETAIN or DUP flag or Subscription Identifier, than
    /// it must have.
    Mislabelled,
    /// A will was due and did not come.
    WillMissing,
    /// A will came more than once for one ended connection.
    WillDoubled,
    /// A will came that was not due: after a polite goodbye.
    WillUnexpected,
    /// A will came later than it may.
    WillLate,
    /// A retained message is missing or another one is there.
    RetainedWrong,
    /// What was retained when SUBSCRIBE was sent did not come, on a broker that has other clients: one of them may have
    /// cleared it, or the broker lost it.
    RetainedAbsent,
    /// Two connections of one Client Identifier were alive at once.
    TwoAlive,
    /// A displaced connection was not closed in time.
    DisplacedNotClosed,
    /// A displaced connection was closed with another reason than it should.
    DisplacedReason,
    /// Session Present was not what it should be.
    SessionPresent,
    /// A QoS 2 exchange was not finished.
    Qos2Incomplete,
    /// A repeated PUBLISH at QoS 2 was not answered with PUBREC.
    Qos2DupUnanswered,
    /// A PUBLISH came after the PUBREL of its exchange.
    Qos2PublishAfterPubrel,
    /// A connection was refused.
    ConnectionRefused,
    /// A connection ended, and neither the scenario nor the device had asked for it.
    UnexpectedDisconnect,
    /// A link did not behave as configured: squall's own fault, not the broker's.
    NetworkOffProfile,
    /// A request and its response were owed, and the response did not come.
    ResponseMissing,
    /// The broker took longer for a request and its response than it may.
    ResponseLate,
    /// A request or a response came with another Response Topic or Correlation Data.
    ResponseMisdirected,
    /// The broker closed a connection whose device had fallen silent later than it may, or not at all.
    ClosedLate,
    /// The broker closed a connection before one and a half times Keep Alive had passed.
    ClosedEarly,
    /// A message came that had expired.
    Expired,
    /// A message did not tell what was left of its time, or told it wrongly.
    ExpiryWrong,
    /// The broker had more messages in flight than Receive Maximum allows.
    QuotaExceeded,
    /// The broker did not close a connection, or not in time, on which a malformed packet had come.
    MalformedTolerated,
    /// The broker closed a connection for a reason that has nothing to do with the malformed packet on it.
    MalformedReason,
    /// The broker broke the protocol in a way that no other kind names.
    ProtocolError,
}

impl AnomalyKind {
    /// A few words for a table.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::Misrouted => "misrouted",
            Self::Corrupted => "corrupted",
            Self::Mislabelled => "mislabelled",
            Self::WillMissing => "will missing",
            Self::WillDoubled => "will doubled",
            Self::WillUnexpected => "will not due",
            Self::WillLate => "will too late",
            Self::RetainedWrong => "retained message wrong",
            Self::RetainedAbsent => "retained message absent",
            Self::TwoAlive => "two alive for one client id",
            Self::DisplacedNotClosed => "displaced client not closed",
            Self::DisplacedReason => "displaced with wrong reason",
            Self::SessionPresent => "session present wrong",
            Self::Qos2Incomplete => "QoS 2 handshake incomplete",
            Self::Qos2DupUnanswered => "QoS 2 duplicate unanswered",
            Self::Qos2PublishAfterPubrel => "PUBLISH after PUBREL",
            Self::ConnectionRefused => "connection refused",
            Self::UnexpectedDisconnect => "unexpected disconnect",
            Self::NetworkOffProfile => "network off profile",
            Self::ResponseMissing => "response missing",
            Self::ResponseLate => "response too late",
            Self::ResponseMisdirected => "response misdirected",
            Self::ClosedLate => "silent client closed too late",
            Self::ClosedEarly => "silent client closed too early",
            Self::Expired => "came though expired",
            Self::ExpiryWrong => "remaining expiry wrong",
            Self::QuotaExceeded => "receive maximum exceeded",
            Self::MalformedTolerated => "malformed packet tolerated",
            Self::MalformedReason => "malformed packet, wrong reason",
            Self::ProtocolError => "protocol error",
        }
    }
}

/// Errors of one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorCount {
    /// Where: `connect`, `publish`, `subscribe`, `protocol`, `transport`, or `broker` for its own end.
    pub area: String,
    /// Why, in words or as a Reason Code: `0x87 not authorized`.
    pub reason: String,
    /// Errors of this reason in the whole run.
    pub count: u64,
    /// When the first came, since the start of the run.
    pub first_at_s: f64,
}
