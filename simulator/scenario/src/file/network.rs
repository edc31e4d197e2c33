//! `[[network]]` as the file writes it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{BitRateText, DistributionFile, DurationText};
use crate::Preset;

/// A link profile. Each device that names it has a link of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Network")]
pub(crate) struct NetworkFile {
    /// Groups refer to it. A shipped profile needs no block: a group names it with `network = "lte"`.
    pub(crate) name: String,
    /// A shipped profile to begin with: each key written beside it stands in place of the profile's own.
    /// By default none.
    pub(crate) preset: Option<PresetWord>,
    /// Latency one way, drawn for each segment; segments stay in order. The handshakes of TCP, TLS and WebSocket take a round
    /// trip each. By default that of `preset`, else 0s.
    pub(crate) latency: Option<DistributionFile>,
    /// Added to each draw of `latency`; it must vary. By default that of `preset`, else 0s.
    pub(crate) jitter: Option<DistributionFile>,
    /// Segments that have to be sent again. TCP loses no bytes, so a loss costs time. By default that of `preset`, else 0.
    pub(crate) loss: Option<LossFile>,
    /// What a lost segment costs before it is sent again. By default the mean round trip plus
    /// 200ms, as Linux does.
    pub(crate) retransmission_timeout: Option<DurationText>,
    /// Bit rates each way, of bytes of MQTT: those of TLS, WebSocket and TCP around them are not counted. Unlimited by
    /// default.
    #[serde(default)]
    pub(crate) bandwidth: BandwidthFile,
    /// Times when nothing passes, although no connection is closed.
    pub(crate) outages: Option<OutagesFile>,
    /// Times when nothing passes on the links of all devices whose group names this profile, for all of them at once, although
    /// no connection is closed: one, or a list. It is a fault `partition` of each such group, and told as one. Outages are
    /// each device's own. By default none.
    #[serde(default, rename = "partition")]
    #[schemars(with = "Option<PartitionForms>")]
    pub(crate) _partition: Option<IgnoredAny>,
}

/// A link profile that squall ships. Its figures and its source: `squall validate --resolved`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Preset")]
pub(crate) enum PresetWord {
    /// GSM packet data: about 1 s and more there and back, 13 kbit/s up.
    Gprs,
    /// Enhanced GSM packet data: 840 ms there and back, 200 kbit/s up.
    Edge,
    /// UMTS with HSPA: 300 ms there and back, 768 kbit/s up.
    #[serde(rename = "3g")]
    ThirdGeneration,
    /// LTE: 70 ms there and back, 6 Mbit/s up.
    Lte,
    /// A wireless LAN: 3 ms there and back, one in a hundred 250 ms.
    Wifi,
    /// ADSL: 50 ms there and back, 384 kbit/s up.
    Dsl,
    /// A constellation in low orbit: 47 ms there and back, 18 Mbit/s up.
    Starlink,
    /// A satellite in geostationary orbit: 600 ms there and back.
    Satellite,
}

impl PresetWord {
    /// The profile that the word names.
    pub(crate) fn preset(self) -> Preset {
        match self {
            Self::Gprs => Preset::Gprs,
            Self::Edge => Preset::Edge,
            Self::ThirdGeneration => Preset::ThirdGeneration,
            Self::Lte => Preset::Lte,
            Self::Wifi => Preset::Wifi,
            Self::Dsl => Preset::Dsl,
            Self::Starlink => Preset::Starlink,
            Self::Satellite => Preset::Satellite,
        }
    }
}

/// Share of segments that are lost, or a model of which ones are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Loss")]
pub(crate) enum LossFile {
    /// Each segment is lost with this probability.
    Independent(#[schemars(range(min = 0), extend("exclusiveMaximum" = 1))] f64),
    /// A model of which segments are lost.
    Model(LossModelFile),
}

/// A model of which segments are lost.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "model", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "LossModel")]
pub(crate) enum LossModelFile {
    /// Two states: nothing is lost in the good one, everything in the bad one.
    GilbertElliott {
        /// Probability of the step from good to bad.
        #[schemars(extend("exclusiveMinimum" = 0), range(max = 1))]
        good_to_bad: f64,
        /// Probability of the step from bad to good.
        #[schemars(extend("exclusiveMinimum" = 0), range(max = 1))]
        bad_to_good: f64,
    },
}

/// One time when nothing passes, or several.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "it describes what becomes faults before the types are read"
)]
#[serde(untagged)]
#[schemars(rename = "Partitions")]
pub(crate) enum PartitionForms {
    /// One, or one that comes again.
    One(PartitionFile),
    /// Several.
    Many(Vec<PartitionFile>),
}

/// When nothing passes, for all devices at once.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "it describes what becomes faults before the types are read"
)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Partition")]
pub(crate) struct PartitionFile {
    /// When it begins, from the beginning of the measured part. By default what `every` says: one of the two must be there.
    at: Option<DurationText>,
    /// How often it happens, for the first time after one period. By default it happens once, at `at`.
    every: Option<DurationText>,
    /// Until when it happens again, with `every`. By default until the end of the measured part.
    #[serde(rename = "for")]
    repeats_for: Option<DurationText>,
    /// How long it lasts, drawn each time. It ends with the measured part at the latest.
    lasts: DistributionFile,
}

/// Bit rates of a link.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Bandwidth")]
pub(crate) struct BandwidthFile {
    /// From the device to the broker. By default unlimited.
    pub(crate) up: Option<BitRateText>,
    /// From the broker to the device. By default unlimited.
    pub(crate) down: Option<BitRateText>,
}

/// Times when nothing passes; each device has its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Outages")]
pub(crate) struct OutagesFile {
    /// Time from the end of an outage to the beginning of the next.
    pub(crate) every: DistributionFile,
    /// How long an outage lasts. What an outage explains of the ends of connections goes by the length that all but
    /// one in 1,000 million stay below: of an exponential distribution 20.7 times its mean.
    pub(crate) lasts: DistributionFile,
}
