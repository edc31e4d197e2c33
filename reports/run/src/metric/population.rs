//! Samples of one group at one QoS: what may be read as one distribution.

use std::collections::BTreeSet;
use std::fmt;

use super::{CountedFrom, MetricName, Metrics, Tags};
use crate::Histogram;

/// The samples of one group at one QoS.
///
/// A population without tags has all samples of its metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// `group`, `qos` and `late`, as far as they are known.
    pub tags: Tags,
    /// Its samples.
    pub histogram: Histogram,
}

impl Population {
    /// Whether its messages waited for a recipient that was not connected when they were sent.
    pub fn is_late(&self) -> bool {
        self.tags.contains_key("late")
    }
}

impl fmt::Display for Population {
    /// `backend QoS 1`, `backend QoS 1, late`, `all`
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

impl Metrics {
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
    use crate::metric::made_up::cell;

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
}
