//! `[[group.publish]]` as the file writes it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::shorthand;
use super::{DurationText, PayloadFile, PayloadForms, RateFile};

/// A stream of messages of each device.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Publish")]
pub(crate) struct PublishFile {
    /// Template of the Topic Name.
    pub(crate) topic: String,
    /// QoS that it is published with. Default 0.
    #[schemars(range(max = 2))]
    pub(crate) qos: Option<u8>,
    /// Whether the broker retains it. Default false.
    pub(crate) retain: Option<bool>,
    /// Messages per second of the whole group.
    /// By default what `rate_per_device` or `every` says: one of the three must be there.
    pub(crate) rate: Option<RateFile>,
    /// Messages per second of each device. By default what `rate` or `every` says.
    pub(crate) rate_per_device: Option<RateFile>,
    /// Time between two messages of a device. By default what `rate` or `rate_per_device` says.
    pub(crate) every: Option<DurationText>,
    /// How the times at which messages are due are spread, or `{ window = 100 }` for a closed loop. Default even.
    pub(crate) arrival: Option<ArrivalFile>,
    /// Messages of a device that are due at one moment; the rate stays the mean. Default 1.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) burst: Option<u32>,
    /// Messages of each device, after which it publishes no more. By default there is no limit.
    #[schemars(range(min = 1))]
    pub(crate) count: Option<u64>,
    /// When the stream begins, from the beginning of the measured part. By default it begins with the warm-up.
    pub(crate) start: Option<DurationText>,
    /// The last moment at which a message may be due, from the beginning of the measured part. By default the
    /// stream goes on to its end.
    pub(crate) until: Option<DurationText>,
    /// What each message carries. Default `{ size = "16B" }`.
    #[serde(default, deserialize_with = "shorthand::option::<_, PayloadForms, _>")]
    #[schemars(with = "Option<PayloadForms>")]
    pub(crate) payload: Option<PayloadFile>,
    /// Where each message has the stamp by which it is told from all others. Default `"payload"`.
    pub(crate) stamp: Option<StampWord>,
    /// Template of the Topic Name on which the device wants the response to each message, which then has Correlation
    /// Data of its own. Rendered for each message, with the placeholders of a topic. MQTT 5.0 only. The device subscribes to it with a `[[group.subscribe]]`. By default none.
    pub(crate) response_topic: Option<String>,
    /// How long each message lives, in whole seconds, at least 1s: the broker must not begin to deliver it later. MQTT 5.0
    /// only. By default without end.
    pub(crate) message_expiry: Option<DurationText>,
    /// Template of the description of the payload, as a MIME type, rendered for each message. MQTT 5.0 only. By default
    /// none.
    pub(crate) content_type: Option<String>,
    /// Templates of names and of their values that go with each message, in this order, rendered for each message. MQTT
    /// 5.0 only.
    #[serde(default)]
    pub(crate) user_properties: IndexMap<String, String>,
}

/// Where a message has its stamp.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Stamp")]
pub(crate) enum StampWord {
    /// In the payload: first in one of a given `size`, as a member `_squall` of a JSON object, and behind any other, as
    /// ` #squall:` and 32 digits.
    Payload,
    /// In a User Property `squall`: the payload is as it is written, of any size. MQTT 5.0 only, for publisher and
    /// subscribers.
    Property,
    /// Nowhere: the payload and the properties are as they are written. Such messages are counted for each topic and Session, not
    /// told apart: what is lost or comes twice is found by counts, where nothing but the broker can be why, and the time they take,
    /// their order, what they say and who gets them are not judged. One that is lost and another one that comes twice make up for each other.
    /// Not for messages that are retained, requests, and what a `respond` answers.
    None,
}

/// How messages come due: by a schedule, or as the broker answers those before.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Arrival")]
pub(crate) enum ArrivalFile {
    /// By a schedule.
    Word(ArrivalWord),
    /// As the broker answers.
    Window(WindowFile),
}

/// A closed loop: each device publishes as fast as the broker answers. It goes without a rate, at QoS 1 or 2; latencies
/// count from the write.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Window")]
pub(crate) struct WindowFile {
    /// Most messages of each device that have no PUBACK or PUBCOMP at a time. The Receive Maximum of the broker may allow
    /// fewer.
    #[schemars(range(min = 1, max = 65_535))]
    pub(crate) window: u32,
}

/// How the times at which messages are due are spread.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ArrivalWord")]
pub(crate) enum ArrivalWord {
    /// The devices of the group take turns at even intervals.
    Even,
    /// The gaps between a device's messages are exponential.
    Poisson,
}
