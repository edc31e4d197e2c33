//! Thresholds: numbers with limits, in k6's syntax.

mod parse;

use std::time::Duration;

use squall_protocol::QoS;
use squall_run::{Aggregate, Comparison};

use crate::DropKind;
use crate::id::GroupId;

pub use parse::ThresholdError;

/// One entry of `[thresholds]`: a metric, and every condition it must meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// Which numbers.
    pub selector: MetricSelector,
    /// At least one.
    pub conditions: Vec<Condition>,
}

/// A metric and the part of it that is meant, as `e2e_latency{group=backend}`.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSelector {
    /// Which metric.
    pub metric: Metric,
    /// Which part.
    pub tags: MetricTags,
    /// As the file writes it.
    pub text: String,
}

/// What a selector narrows a metric down to; `None` is everything.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MetricTags {
    /// Devices of this group; for `e2e_latency` and `delivery_rate` those that receive.
    pub group: Option<GroupId>,
    /// Messages published with this QoS.
    pub qos: Option<QoS>,
    /// Wills after this kind of drop.
    pub how: Option<DropKind>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Metric {
    /// From the due time of a message to its delivery.
    E2eLatency,
    /// From the due time of a message to the end of its exchange: PUBACK or PUBCOMP.
    AckLatency,
    /// From asking for a transport to CONNACK.
    ConnectLatency,
    /// From SUBSCRIBE to SUBACK.
    SubscribeLatency,
    /// Time that a publisher's QoS 2 exchange waited for the broker: PUBLISH to PUBREC plus PUBREL to
    /// PUBCOMP, without what the device delayed itself.
    Qos2Handshake,
    /// From a drop to the delivery of its will.
    TimeToWill,
    /// From the CONNECT of a newer connection to the end of the older one.
    TakeoverTime,
    /// From the end of a connection to the CONNACK of the next.
    ReconnectDelay,
    /// From the due time of a message to its hand-over to the link while the device is connected:
    /// how late the simulator itself is.
    ScheduleLag,
    /// Messages published per second.
    PublishRate,
    /// Messages delivered per second.
    DeliveryRate,
    /// CONNACKs with success per second.
    ConnectRate,
    /// Refused connects, refused publishes and broken protocol.
    Errors,
    /// Messages that were due and never sent.
    Dropped,
    /// CPU of the broker in cores: 1.0 is one core, busy.
    BrokerCpu,
    /// Resident memory of the broker in bytes.
    BrokerRss,
    /// Resident memory of the broker over its memory before the first connect, in bytes per
    /// connection.
    BrokerRssPerConnection,
}

impl Metric {
    /// Every metric, in the order of the documentation.
    pub const ALL: [Self; 17] = [
        Self::E2eLatency,
        Self::AckLatency,
        Self::ConnectLatency,
        Self::SubscribeLatency,
        Self::Qos2Handshake,
        Self::TimeToWill,
        Self::TakeoverTime,
        Self::ReconnectDelay,
        Self::ScheduleLag,
        Self::PublishRate,
        Self::DeliveryRate,
        Self::ConnectRate,
        Self::Errors,
        Self::Dropped,
        Self::BrokerCpu,
        Self::BrokerRss,
        Self::BrokerRssPerConnection,
    ];

    /// Its name in scenario files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::E2eLatency => "e2e_latency",
            Self::AckLatency => "ack_latency",
            Self::ConnectLatency => "connect_latency",
            Self::SubscribeLatency => "subscribe_latency",
            Self::Qos2Handshake => "qos2_handshake",
            Self::TimeToWill => "time_to_will",
            Self::TakeoverTime => "takeover_time",
            Self::ReconnectDelay => "reconnect_delay",
            Self::ScheduleLag => "schedule_lag",
            Self::PublishRate => "publish_rate",
            Self::DeliveryRate => "delivery_rate",
            Self::ConnectRate => "connect_rate",
            Self::Errors => "errors",
            Self::Dropped => "dropped",
            Self::BrokerCpu => "broker_cpu",
            Self::BrokerRss => "broker_rss",
            Self::BrokerRssPerConnection => "broker_rss_per_connection",
        }
    }
}

/// One condition, as `p99 < 250ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Which number of the metric; one that the metric has.
    pub aggregate: Aggregate,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what; in the metric's unit.
    pub limit: Limit,
    /// As the file writes it.
    pub text: String,
}

/// A limit with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Of a time.
    Time(Duration),
    /// Of a size in bytes.
    Bytes(u64),
    /// Of a count, a rate per second or a number of cores.
    Number(f64),
}

impl Limit {
    /// In seconds, bytes, or as it is.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64(),
            Self::Bytes(bytes) => bytes as f64,
            Self::Number(number) => number,
        }
    }
}
