//! What the devices of a run saw.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Accounting, Anomaly, AnomalyKind, CheckOutcome, ClosedLoop, Connections, Drain, ErrorCount,
    FaultOccurrence, LatencySpent, MalformedOutcome, Metrics, NetworkOutcome, PacketTrace,
    PayloadCommand, Qos2, Rates, Responses, RetainedOutcome, ScenarioDelay, Series, Sessions,
    Silences, Takeovers, ThresholdOutcome, Unfinished, WillOutcome,
};

/// What the devices saw, and what the ledger makes of it.
///
/// A part is empty or `None` if the scenario had nothing of the kind; a report leaves it out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Every message, accounted for.
    pub accounting: Accounting,
    /// Every distribution that was measured.
    pub metrics: Metrics,
    /// What of these distributions had no end when the run ended, and is in them with its age.
    #[serde(default)]
    pub unfinished: Vec<Unfinished>,
    /// How often things happened in the measured part.
    pub rates: Rates,
    /// Delays that the scenario itself makes, and that latencies include.
    #[serde(default)]
    pub scenario_delays: Vec<ScenarioDelay>,
    /// Where end-to-end latencies were spent, by receiving group and QoS.
    #[serde(default)]
    pub spent: Vec<LatencySpent>,
    /// How long the drain was, and why.
    #[serde(default)]
    pub drain: Drain,
    /// Counters over time.
    pub series: Series,
    /// Network Connections.
    pub connections: Connections,
    /// Sessions that were ended so that the run begins with its own and leaves none behind.
    pub sessions: Sessions,
    /// QoS 2 exchanges, if any message went at QoS 2.
    pub qos2: Option<Qos2>,
    /// Last Wills, one entry for each fault and way of ending.
    pub wills: Vec<WillOutcome>,
    /// Takeovers, if client identifiers were contended.
    pub takeovers: Option<Takeovers>,
    /// Streams that were published as fast as the broker answered.
    #[serde(default)]
    pub closed_loops: Vec<ClosedLoop>,
    /// Commands that gave payloads.
    #[serde(default)]
    pub commands: Vec<PayloadCommand>,
    /// Devices that fell silent, and when the broker closed their connections; `None` if none did.
    #[serde(default)]
    pub silences: Option<Silences>,
    /// Malformed packets that faults sent, by kind.
    #[serde(default)]
    pub malformed: Vec<MalformedOutcome>,
    /// Requests and responses, if a device answered some.
    #[serde(default)]
    pub responses: Option<Responses>,
    /// Link profiles, configured against measured.
    pub networks: Vec<NetworkOutcome>,
    /// Retained messages that were compared.
    pub retained: Vec<RetainedOutcome>,
    /// What was broken on purpose, in order of time.
    pub faults: Vec<FaultOccurrence>,
    /// Invariants, in file order.
    pub checks: Vec<CheckOutcome>,
    /// Limits on numbers, in file order.
    pub thresholds: Vec<ThresholdOutcome>,
    /// Errors by reason.
    pub errors: Vec<ErrorCount>,
    /// How many anomalies of each kind there were, judged or not.
    #[serde(default)]
    pub anomaly_counts: BTreeMap<AnomalyKind, u64>,
    /// The first anomalies of each kind, in order of time, judged or not.
    pub anomalies: Vec<Anomaly>,
    /// The packets around some of the anomalies here and of the violations in `checks`, which have their numbers in this
    /// list, counted from 0: three of each kind at most, 20 in all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<PacketTrace>,
}
