//! The distributions of a run: samples by metric, clock and tags.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MetricName;
use crate::Histogram;

/// Tags of a distribution, or of a selection: `group`, `qos`, `how`, `fault`, `phase`, `late`.
///
/// For `e2e_latency`, `service_latency` and `delivery_rate` the group is the one that receives and the QoS the one that was
/// published with; for `ack_latency` and `publish_rate` the group is the one that sends. `late` marks
/// deliveries that were sent before their recipient had resumed the connection on which they came: their
/// latency is the time for which it was away.
pub type Tags = BTreeMap<String, String>;

/// Where the clock of a distribution starts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CountedFrom {
    /// When it was due (*response time*), or the event that the metric's definition names.
    /// What thresholds judge.
    Scheduled,
    /// When it was really sent (*service time*): leaves out how long it waited to be sent. For comparison
    /// only.
    Sent,
    /// When the generator acted, and without the time that it stood still since: what is left is
    /// the broker's, the link's and the device's. Beside [`Self::Scheduled`] it tells the
    /// generator's share, see [`crate::LagShare`]. An upper bound of that share: a delay of the
    /// broker during a standstill goes with it.
    LessLag,
    /// The event that the metric's definition names, as its device saw it, up to when the other device had
    /// the answer: with what the simulated links of both held, the time in which the other device was away, and Will Delay,
    /// which [`Self::Scheduled`] leaves out. Kept of `time_to_will` and `takeover_time`. For comparison only.
    WithLinks,
}

/// One cell: samples of one metric with one set of tags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricCell {
    /// What is measured; one of the kind [`crate::MetricKind::Durations`].
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
    pub cells: Vec<MetricCell>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::made_up::{cell, tags};

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
