//! QoS 2 exchanges (§4.3.3), from the devices' side.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// QoS 2 exchanges of all devices. How long they and their legs took is in the metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Qos2 {
    /// Exchanges that devices began as senders.
    pub sender_started: u64,
    /// Of those, finished with PUBCOMP or with a PUBREC that refused the message.
    pub sender_completed: u64,
    /// Exchanges that the broker began with a device as receiver.
    pub receiver_started: u64,
    /// Of those, finished: PUBCOMP was sent.
    pub receiver_completed: u64,
    /// Exchanges, of both sides, that were open when the run ended, by the last step that was seen:
    /// `sender awaits PUBREC`.
    pub incomplete: BTreeMap<String, u64>,
    /// Repeated PUBLISH packets that devices sent.
    pub dup_sent: u64,
    /// Of those, answered with PUBREC.
    pub dup_answered: u64,
    /// Packets that devices sent again on the same connection, as their scenario asks, by packet: `PUBLISH at QoS 1`,
    /// `PUBLISH at QoS 2`, `PUBREL`.
    #[serde(default)]
    pub repeated: BTreeMap<String, u64>,
    /// PUBLISH packets that came again after the exchange's PUBREL.
    pub publish_after_pubrel: u64,
    /// Connections cut on purpose, by the step after which: `publish`, `pubrec`, `pubrel`.
    pub cuts: BTreeMap<String, u64>,
    /// Answers withheld on purpose: `pubrec`, `pubcomp`.
    pub withheld: BTreeMap<String, u64>,
    /// Packets, leg by leg, in the order of the handshake.
    pub legs: Vec<LegCount>,
}

/// Packets of one leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LegCount {
    /// The device's part in the exchange.
    pub side: Qos2Side,
    /// The leg: `PUBLISH sent`, `PUBREC received`, …
    pub leg: String,
    /// Number of packets.
    pub count: u64,
}

/// The device's part in an exchange.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Qos2Side {
    /// The device published.
    Sender,
    /// The broker delivered to the device.
    Receiver,
}
