//! Names of what is measured, and distributions by name and tags.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Histogram;

/// Tags of a distribution, or of a selection: `group`, `qos`, `how`, `fault`, `phase`, `late`.
///
/// For `e2e_latency` and `delivery_rate` the group is the one that receives and the QoS the one that was
/// published with; for `ack_latency` and `publish_rate` the group is the one that sends. `late` marks
/// deliveries that were sent before their recipient had resumed the connection on which they came: their
/// latency is the time for which it was away.
pub type Tags = BTreeMap<String, String>;

/// What is measured, by the names of `[thresholds]`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MetricName {
    /// From the time a message was due to its delivery to a subscriber's application.
    E2eLatency,
    /// From the time a message was due to the end of its exchange: PUBACK or PUBCOMP.
    AckLatency,
    /// From asking for a transport to CONNACK.
    ConnectLatency,
    /// From SUBSCRIBE to SUBACK.
    SubscribeLatency,
    /// A QoS 2 exchange of a sender: PUBLISH to PUBREC and PUBREL to PUBCOMP together, without the
    /// device's own delay in between.
    Qos2Handshake,
    /// Its first leg: from PUBLISH to PUBREC.
    Qos2Pubrec,
    /// What the device took, by its settings: from PUBREC to PUBREL.
    Qos2Pubrel,
    /// Its last leg: from PUBREL to PUBCOMP.
    Qos2Pubcomp,
    /// From the end of a connection to its will at a watcher.
    TimeToWill,
    /// From the CONNACK of a contender to the close of the connection it displaced.
    TakeoverTime,
    /// From the end of a connection to the next CONNACK of the device.
    ReconnectDelay,
    /// How much later than scheduled the generator acted.
    ScheduleLag,
    /// Messages sent a second.
    PublishRate,
    /// Deliveries a second.
    DeliveryRate,
    /// Connections accepted a second.
    ConnectRate,
    /// Errors of all reasons.
    Errors,
    /// Messages that were due and never sent.
    Dropped,
    /// Processor use of the broker, in cores.
    BrokerCpu,
    /// Resident memory of the broker.
    BrokerRss,
    /// Resident memory of the broker for each connection.
    BrokerRssPerConnection,
}

/// What a metric's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Times, kept as a histogram.
    Durations,
    /// Events a second.
    Rate,
    /// A number of events.
    Count,
    /// Processor cores.
    Cores,
    /// A number of bytes.
    Bytes,
}

/// No metric has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no metric is called `{name}`")]
pub struct UnknownMetric {
    /// The name.
    pub name: String,
}

impl MetricName {
    /// All names, in the order a report shows them.
    pub const ALL: [Self; 20] = [
        Self::E2eLatency,
        Self::AckLatency,
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
            Self::AckLatency => "ack_latency",
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
            | Self::AckLatency
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

    /// A definition for the report's appendix: from when to when, or what is counted.
    pub const fn definition(self) -> &'static str {
        match self {
            Self::E2eLatency => {
                "from the time a message was due to its delivery to a subscriber's application"
            }
            Self::AckLatency => {
                "from the time a message was due to the end of its exchange with the broker (PUBACK or PUBCOMP)"
            }
            Self::ConnectLatency => "from asking for a transport to CONNACK",
            Self::SubscribeLatency => "from SUBSCRIBE to SUBACK",
            Self::Qos2Handshake => {
                "from PUBLISH to PUBREC and from PUBREL to PUBCOMP together, at the sender: without the device's own delay"
            }
            Self::Qos2Pubrec => "from PUBLISH to PUBREC, at the sender",
            Self::Qos2Pubrel => "from PUBREC to PUBREL, at the sender: the device's own delay",
            Self::Qos2Pubcomp => "from PUBREL to PUBCOMP, at the sender",
            Self::TimeToWill => "from the end of a connection to its will at a watcher",
            Self::TakeoverTime => {
                "from the CONNECT of a contender to the end of the connection it displaced, as that one sees it"
            }
            Self::ReconnectDelay => "from the end of a connection to the device's next CONNACK",
            Self::ScheduleLag => "how much later than scheduled the generator acted",
            Self::PublishRate => "messages sent a second",
            Self::DeliveryRate => "deliveries a second",
            Self::ConnectRate => "connections accepted a second",
            Self::Errors => "errors of all reasons",
            Self::Dropped => "messages that were due and never sent",
            Self::BrokerCpu => "processor use of the broker, in cores",
            Self::BrokerRss => "resident memory of the broker",
            Self::BrokerRssPerConnection => "resident memory of the broker for each connection",
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

/// Where the clock of a distribution starts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CountedFrom {
    /// When it was due (*response time*), or the event that the metric's definition names.
    /// What thresholds judge.
    Scheduled,
    /// When it was really sent (*service time*): hides what waited. For comparison only.
    Sent,
    /// When the generator acted, and without the time that it stood still since: what is left is
    /// the broker's, the link's and the device's. Beside [`Self::Scheduled`] it tells the
    /// generator's share, see [`crate::LagShare`]. An upper bound of that share: a delay of the
    /// broker during a standstill goes with it.
    LessLag,
}

/// One cell: samples of one metric with one set of tags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// What is measured; one of the kind [`MetricKind::Durations`].
    pub name: MetricName,
    /// Where the clock starts.
    pub counted_from: CountedFrom,
    /// Its tags. `phase` is always among them.
    pub tags: Tags,
    /// The samples.
    pub histogram: Histogram,
}

/// All distributions of a run.
///
/// Invariant: a sample is in exactly one cell of its name and clock, so cells may be merged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Metrics {
    /// The cells.
    pub cells: Vec<Metric>,
}

impl Metrics {
    /// All samples of a metric, from the scheduled time, whose cells carry all of `tags`.
    ///
    /// Warm-up is left out, unless `tags` ask for a `phase`, and what was delivered late, unless they ask
    /// for `late`.
    pub fn select(&self, name: MetricName, tags: &Tags) -> Histogram {
        self.select_counted_from(name, CountedFrom::Scheduled, tags)
    }

    /// As [`Self::select`], by the clock that is asked for.
    pub fn select_counted_from(
        &self,
        name: MetricName,
        counted_from: CountedFrom,
        tags: &Tags,
    ) -> Histogram {
        let matching = self.cells.iter().filter(|cell| {
            cell.name == name && cell.counted_from == counted_from && carries(&cell.tags, tags)
        });
        Histogram::merged(matching.map(|cell| &cell.histogram))
    }

    /// All samples of a metric, from the scheduled time, without warm-up.
    pub fn all(&self, name: MetricName) -> Histogram {
        self.select(name, &Tags::new())
    }

    /// A metric by group and QoS, by the clock that is asked for, in the order of their names.
    ///
    /// A distribution over several of them says little: what waits for a device that a fault holds
    /// offline has nothing in common with what an idle group gets at QoS 0.
    pub fn populations(&self, name: MetricName, counted_from: CountedFrom) -> Vec<Population> {
        let tags: BTreeSet<Tags> = self
            .cells
            .iter()
            .filter(|cell| cell.name == name && cell.counted_from == counted_from)
            .map(|cell| population_of(&cell.tags))
            .collect();
        let mut populations: Vec<Population> = tags
            .into_iter()
            .map(|tags| Population {
                histogram: self.select_counted_from(name, counted_from, &tags),
                tags,
            })
            .filter(|population| !population.histogram.is_empty())
            .collect();
        // What was late after what was not.
        populations.sort_by_cached_key(Population::to_string);
        populations
    }

    /// The values that `tag` has among the cells of a metric that have samples, in order.
    pub fn tag_values(&self, name: MetricName, tag: &str) -> Vec<String> {
        let values: BTreeSet<&String> = self
            .cells
            .iter()
            .filter(|cell| cell.name == name && !cell.histogram.is_empty())
            .filter_map(|cell| cell.tags.get(tag))
            .collect();
        values.into_iter().cloned().collect()
    }
}

/// The samples of one group at one QoS.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Its group and its QoS, where its cells have them.
    pub tags: Tags,
    /// Its samples, without warm-up.
    pub histogram: Histogram,
}

impl Population {
    /// Whether its messages waited for a recipient that was not connected when they were sent.
    pub fn is_late(&self) -> bool {
        self.tags.contains_key("late")
    }
}

impl fmt::Display for Population {
    /// `backend QoS 1`, `backend QoS 1, late`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tags.get("group").map_or("all", String::as_str))?;
        if let Some(qos) = self.tags.get("qos") {
            write!(f, " QoS {qos}")?;
        }
        if self.is_late() {
            f.write_str(", late")?;
        }
        Ok(())
    }
}

/// Whether a cell with the tags `cell` is part of a selection.
fn carries(cell: &Tags, selection: &Tags) -> bool {
    let is_warmup = cell.get("phase").is_some_and(|phase| phase == "warmup");
    if is_warmup && !selection.contains_key("phase") {
        return false;
    }
    if cell.contains_key("late") && !selection.contains_key("late") {
        return false;
    }
    selection
        .iter()
        .all(|(tag, value)| cell.get(tag) == Some(value))
}

/// The tags of a cell that say which population it belongs to.
fn population_of(cell: &Tags) -> Tags {
    let names = ["group", "qos", "late"];
    cell.iter()
        .filter(|(tag, _)| names.contains(&tag.as_str()))
        .map(|(tag, value)| (tag.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs
            .iter()
            .map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn cell(pairs: &[(&str, &str)], value_us: u64) -> Metric {
        let mut histogram = Histogram::new();
        histogram.record_us(value_us);
        Metric {
            name: MetricName::TimeToWill,
            counted_from: CountedFrom::Scheduled,
            tags: tags(pairs),
            histogram,
        }
    }

    /// What waited for a device that was away is not in the latency of the others.
    #[test]
    fn late_deliveries_are_a_population_of_their_own() {
        let of_b = [("group", "b"), ("qos", "1"), ("phase", "measure")];
        let late = [&of_b[..], &[("late", "true")]].concat();
        let metrics = Metrics {
            cells: vec![cell(&of_b, 10), cell(&late, 9_000)],
        };

        let name = MetricName::TimeToWill;
        let all = metrics.all(name);
        let populations = metrics.populations(name, CountedFrom::Scheduled);

        assert_eq!((all.count(), all.max_us()), (1, Some(10)));
        let named: Vec<String> = populations.iter().map(Population::to_string).collect();
        assert_eq!(named, ["b QoS 1", "b QoS 1, late"]);
        assert_eq!(populations[1].histogram.max_us(), Some(9_000));
    }

    /// Groups and QoS are kept apart, phases are not, and warm-up is left out.
    #[test]
    fn populations_are_groups_and_qos() {
        let metrics = Metrics {
            cells: vec![
                cell(&[("group", "b"), ("qos", "1"), ("phase", "measure")], 10),
                cell(&[("group", "b"), ("qos", "1"), ("phase", "drain")], 20),
                cell(&[("group", "b"), ("qos", "0"), ("phase", "measure")], 30),
                cell(&[("group", "a"), ("phase", "measure")], 40),
                cell(&[("group", "c"), ("phase", "warmup")], 50),
            ],
        };

        let populations = metrics.populations(MetricName::TimeToWill, CountedFrom::Scheduled);

        let named: Vec<(String, u64)> = populations
            .iter()
            .map(|population| (population.to_string(), population.histogram.count()))
            .collect();
        let expected = [("a", 1), ("b QoS 0", 1), ("b QoS 1", 2)];
        assert_eq!(
            named,
            expected.map(|(name, count)| (name.to_owned(), count))
        );
    }

    /// Every name is found again, and nothing else is.
    #[test]
    fn names_round_trip() {
        for name in MetricName::ALL {
            assert_eq!(name.as_str().parse(), Ok(name));
            assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{name}\""));
        }
        assert!("latency".parse::<MetricName>().is_err());
    }

    /// A selection merges the cells that carry all its tags; warm-up only if asked for.
    #[test]
    fn selection_leaves_warmup_out() {
        let metrics = Metrics {
            cells: vec![
                cell(&[("how", "rst"), ("phase", "measure")], 10),
                cell(&[("how", "rst"), ("phase", "drain")], 20),
                cell(&[("how", "fin"), ("phase", "measure")], 30),
                cell(&[("how", "rst"), ("phase", "warmup")], 40),
            ],
        };

        let all = metrics.all(MetricName::TimeToWill);
        let rst = metrics.select(MetricName::TimeToWill, &tags(&[("how", "rst")]));
        let warmup = metrics.select(MetricName::TimeToWill, &tags(&[("phase", "warmup")]));

        assert_eq!((all.count(), all.max_us()), (3, Some(30)));
        assert_eq!((rst.count(), rst.max_us()), (2, Some(20)));
        assert_eq!((warmup.count(), warmup.max_us()), (1, Some(40)));
        assert_eq!(
            metrics.tag_values(MetricName::TimeToWill, "how"),
            ["fin", "rst"]
        );
    }
}
