//! The names of metrics, and what each one means.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MetricKind;

/// What is measured, by the names of `[thresholds]`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MetricName {
    /// From the time a message was due to its delivery to a subscriber's application; a delivery that came after its subscriber
    /// had been away (late) is left out, and has a row of its own.
    E2eLatency,
    /// From the first write of a message to its delivery to a subscriber's application: without the time for which it waited in
    /// a device that was away; one that came late is left out as there.
    ServiceLatency,
    /// The broker's part of e2e_latency: from when a message left its publisher's machine, or the simulated link of that, to
    /// when it reached its recipient's, with the network that is really between; without what squall, simulated links and the
    /// devices kept.
    BrokerTime,
    /// From the time a message was due to the end of its exchange with the broker: PUBACK or PUBCOMP.
    AckLatency,
    /// From the time a request was due to its response at the device that asked: both ways through the broker, with the
    /// delay of the device that answers.
    RoundTrip,
    /// From asking for a transport to CONNACK, with the handshakes of TCP, TLS and WebSocket; over the link of a `[[network]]`
    /// each of them takes a round trip, as that of TLS 1.3 does.
    ConnectLatency,
    /// From SUBSCRIBE to SUBACK.
    SubscribeLatency,
    /// From PUBLISH to PUBREC and from PUBREL to PUBCOMP together, at the sender: without the device's own
    /// delay in between.
    Qos2Handshake,
    /// From PUBLISH to PUBREC, at the sender.
    Qos2Pubrec,
    /// From PUBREC to PUBREL, at the sender: the device's own delay.
    Qos2Pubrel,
    /// From PUBREL to PUBCOMP, at the sender.
    Qos2Pubcomp,
    /// From the end of a connection, or from when a will that waits is due, to the will at a watcher, without
    /// what the links of the two hold back.
    TimeToWill,
    /// From the CONNECT of the newer connection to the end of the older one, as the older one sees it,
    /// without what their links hold back; displaced_closed_within counts from the CONNACK.
    TakeoverTime,
    /// From the end of a connection to the device's next CONNACK.
    ReconnectDelay,
    /// From the time a thing was due to the time the generator did it: how late squall itself was.
    ScheduleLag,
    /// Messages sent a second.
    PublishRate,
    /// Messages delivered a second, each recipient's first copy, and those without a stamp as often as they come.
    DeliveryRate,
    /// Connections accepted a second: CONNACK with success.
    ConnectRate,
    /// Refused connects, refused publishes and broken protocol.
    Errors,
    /// Messages that were due and never sent.
    Dropped,
    /// Processor use of the broker, in cores: 1.0 is one core fully busy.
    BrokerCpu,
    /// Resident memory of the broker.
    BrokerRss,
    /// Resident memory of the broker above that before the first connect, divided by the devices online.
    BrokerRssPerConnection,
}

/// A tag by which a threshold narrows a metric down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Devices of one group.
    Group,
    /// Messages published with one QoS.
    Qos,
    /// Wills after one kind of drop.
    How,
}

impl Tag {
    /// As it is written in scenarios and run files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Qos => "qos",
            Self::How => "how",
        }
    }
}

/// How what a metric would be without the generator's lag is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutLag {
    /// Each sample is kept less the lag too ([`CountedFrom::LessLag`](crate::CountedFrom::LessLag)).
    Kept,
    /// It follows from how long the generator stood still meanwhile.
    FromStandstills,
    /// It is measured without it.
    Itself,
    /// It is not known, or the metric is the lag itself.
    Unknown,
}

/// No metric has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no metric is called `{name}`")]
pub struct UnknownMetric {
    /// As it was written.
    pub name: String,
}

impl MetricName {
    /// All names, in the order a report shows them.
    pub const ALL: [Self; 23] = [
        Self::E2eLatency,
        Self::ServiceLatency,
        Self::BrokerTime,
        Self::AckLatency,
        Self::RoundTrip,
        Self::ConnectLatency,
        Self::SubscribeLatency,
        Self::Qos2Handshake,
        Self::Qos2Pubrec,
        Self::Qos2Pubrel,
        Self::Qos2Pubcomp,
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

    /// As it is written in scenarios and run files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::E2eLatency => "e2e_latency",
            Self::ServiceLatency => "service_latency",
            Self::BrokerTime => "broker_time",
            Self::AckLatency => "ack_latency",
            Self::RoundTrip => "round_trip",
            Self::ConnectLatency => "connect_latency",
            Self::SubscribeLatency => "subscribe_latency",
            Self::Qos2Handshake => "qos2_handshake",
            Self::Qos2Pubrec => "qos2_pubrec",
            Self::Qos2Pubrel => "qos2_pubrel",
            Self::Qos2Pubcomp => "qos2_pubcomp",
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

    /// What its values are.
    pub const fn kind(self) -> MetricKind {
        match self {
            Self::E2eLatency
            | Self::ServiceLatency
            | Self::BrokerTime
            | Self::AckLatency
            | Self::RoundTrip
            | Self::ConnectLatency
            | Self::SubscribeLatency
            | Self::Qos2Handshake
            | Self::Qos2Pubrec
            | Self::Qos2Pubrel
            | Self::Qos2Pubcomp
            | Self::TimeToWill
            | Self::TakeoverTime
            | Self::ReconnectDelay
            | Self::ScheduleLag => MetricKind::Durations,
            Self::PublishRate | Self::DeliveryRate | Self::ConnectRate => MetricKind::Rate,
            Self::Errors | Self::Dropped => MetricKind::Count,
            Self::BrokerCpu => MetricKind::Cores,
            Self::BrokerRss | Self::BrokerRssPerConnection => MetricKind::Bytes,
        }
    }

    /// How what it would be without the generator's lag is known.
    pub const fn without_lag(self) -> WithoutLag {
        match self {
            Self::E2eLatency
            | Self::ServiceLatency
            | Self::AckLatency
            | Self::RoundTrip
            | Self::ConnectLatency
            | Self::SubscribeLatency
            | Self::Qos2Handshake
            | Self::Qos2Pubrec
            | Self::Qos2Pubrel
            | Self::Qos2Pubcomp
            | Self::TimeToWill
            | Self::TakeoverTime
            | Self::ReconnectDelay => WithoutLag::Kept,
            Self::PublishRate | Self::DeliveryRate | Self::ConnectRate => {
                WithoutLag::FromStandstills
            }
            Self::BrokerTime => WithoutLag::Itself,
            Self::ScheduleLag
            | Self::Errors
            | Self::Dropped
            | Self::BrokerCpu
            | Self::BrokerRss
            | Self::BrokerRssPerConnection => WithoutLag::Unknown,
        }
    }

    /// Tags that narrow it down in a threshold.
    pub const fn tags(self) -> &'static [Tag] {
        match self {
            Self::E2eLatency
            | Self::ServiceLatency
            | Self::BrokerTime
            | Self::AckLatency
            | Self::PublishRate
            | Self::DeliveryRate
            | Self::Dropped => &[Tag::Group, Tag::Qos],
            Self::TimeToWill => &[Tag::Group, Tag::How],
            Self::RoundTrip
            | Self::ConnectLatency
            | Self::SubscribeLatency
            | Self::Qos2Handshake
            | Self::Qos2Pubrec
            | Self::Qos2Pubrel
            | Self::Qos2Pubcomp
            | Self::TakeoverTime
            | Self::ReconnectDelay
            | Self::ScheduleLag
            | Self::ConnectRate
            | Self::Errors => &[Tag::Group],
            Self::BrokerCpu | Self::BrokerRss | Self::BrokerRssPerConnection => &[],
        }
    }

    /// What it is called in a sentence.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::E2eLatency => "the end-to-end latency",
            Self::ServiceLatency => "the latency from the write",
            Self::BrokerTime => "the time in the broker",
            Self::AckLatency => "the time to the acknowledgement",
            Self::RoundTrip => "the round trip of a request",
            Self::ConnectLatency => "the time to connect",
            Self::SubscribeLatency => "the time to subscribe",
            Self::Qos2Handshake => "the QoS 2 handshake",
            Self::Qos2Pubrec => "the time to PUBREC",
            Self::Qos2Pubrel => "the time to PUBREL",
            Self::Qos2Pubcomp => "the time to PUBCOMP",
            Self::TimeToWill => "the time to the Last Will",
            Self::TakeoverTime => "the time of a takeover",
            Self::ReconnectDelay => "the time to reconnect",
            Self::ScheduleLag => "the schedule lag",
            Self::PublishRate => "the rate of publishing",
            Self::DeliveryRate => "the rate of deliveries",
            Self::ConnectRate => "the rate of connecting",
            Self::Errors => "the errors",
            Self::Dropped => "the messages that were never sent",
            Self::BrokerCpu => "the broker's processor use",
            Self::BrokerRss => "the broker's memory",
            Self::BrokerRssPerConnection => "the broker's memory for each connection",
        }
    }

    /// What it means, as a report's appendix says it: from when to when, or what is counted.
    pub const fn definition(self) -> &'static str {
        match self {
            Self::E2eLatency => {
                "from the time a message was due to its delivery to a subscriber's application; a delivery that came after its \
                 subscriber had been away (late) is left out, and has a row of its own"
            }
            Self::ServiceLatency => {
                "from the first write of a message to its delivery to a subscriber's application: without the time for which it waited in \
                 a device that was away; one that came late is left out as there"
            }
            Self::BrokerTime => {
                "the broker's part of e2e_latency: from when a message left its publisher's machine, or the simulated link of that, to when \
                 it reached its recipient's, with the network that is really between; without what squall, simulated links and the \
                 devices kept"
            }
            Self::AckLatency => {
                "from the time a message was due to the end of its exchange with the broker: PUBACK or PUBCOMP"
            }
            Self::RoundTrip => {
                "from the time a request was due to its response at the device that asked: both ways through the broker, with the \
                 delay of the device that answers"
            }
            Self::ConnectLatency => {
                "from asking for a transport to CONNACK, with the handshakes of TCP, TLS and WebSocket; over the link of a `[[network]]` \
                 each of them takes a round trip, as that of TLS 1.3 does"
            }
            Self::SubscribeLatency => "from SUBSCRIBE to SUBACK",
            Self::Qos2Handshake => {
                "from PUBLISH to PUBREC and from PUBREL to PUBCOMP together, at the sender: without the device's own delay in between"
            }
            Self::Qos2Pubrec => "from PUBLISH to PUBREC, at the sender",
            Self::Qos2Pubrel => "from PUBREC to PUBREL, at the sender: the device's own delay",
            Self::Qos2Pubcomp => "from PUBREL to PUBCOMP, at the sender",
            Self::TimeToWill => {
                "from the end of a connection, or from when a will that waits is due, to the will at a watcher, without what the links of the two hold back"
            }
            Self::TakeoverTime => {
                "from the CONNECT of the newer connection to the end of the older one, as the older one sees it, without what their links hold back; \
                 displaced_closed_within counts from the CONNACK"
            }
            Self::ReconnectDelay => "from the end of a connection to the device's next CONNACK",
            Self::ScheduleLag => {
                "from the time a thing was due to the time the generator did it: how late squall itself was"
            }
            Self::PublishRate => "messages sent a second",
            Self::DeliveryRate => {
                "messages delivered a second, each recipient's first copy, and those without a stamp as often as they come"
            }
            Self::ConnectRate => "connections accepted a second: CONNACK with success",
            Self::Errors => "refused connects, refused publishes and broken protocol",
            Self::Dropped => "messages that were due and never sent",
            Self::BrokerCpu => "processor use of the broker, in cores: 1.0 is one core fully busy",
            Self::BrokerRss => "resident memory of the broker",
            Self::BrokerRssPerConnection => {
                "resident memory of the broker above that before the first connect, divided by the devices online"
            }
        }
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MetricName {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.as_str() == name)
            .ok_or_else(|| UnknownMetric {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every name is found again, and nothing else is.
    #[test]
    fn names_round_trip() {
        for name in MetricName::ALL {
            assert_eq!(name.as_str().parse(), Ok(name));
            assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{name}\""));
        }
        assert!("latency".parse::<MetricName>().is_err());
    }

    /// The run file's schema and the report's appendix define a metric in the same words.
    #[test]
    fn the_schema_says_what_the_appendix_says() {
        let schema = schemars::schema_for!(MetricName).to_value();
        let variants = schema["oneOf"].as_array().unwrap();

        assert_eq!(variants.len(), MetricName::ALL.len());
        for (variant, name) in variants.iter().zip(MetricName::ALL) {
            assert_eq!(variant["const"], name.as_str());
            let described = variant["description"].as_str().unwrap().replace('\n', " ");
            let first = described.chars().next().unwrap().to_lowercase();
            let rest = described[1..].trim_end_matches('.');
            assert_eq!(format!("{first}{rest}"), name.definition());
        }
    }
}
