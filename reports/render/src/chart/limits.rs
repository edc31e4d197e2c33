//! Upper limits that thresholds set to latencies, as charts show them.

use squall_run::{
    Aggregate, Comparison, CountedFrom, MetricName, Run, Tags, ThresholdOutcome, duration_text,
};

use super::figure::{Layer, Line, Look, Mark, MarkLine, Stroke};
use super::theme::Ink;

/// A threshold that is an upper limit of a percentile or of the maximum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    /// The share of samples that must be below it; 1 for the maximum.
    quantile: f64,
    /// The limit in microseconds.
    pub(super) us: f64,
    /// As words: `p99 limit 4.00 s`.
    label: String,
    tags: Tags,
    /// How many samples it is about.
    samples: u64,
}

/// The upper limits of `metric`, the lowest percentile first.
fn all(run: &Run, metric: MetricName) -> Vec<Limit> {
    let thresholds = run.measured.thresholds.iter();
    let of_metric = thresholds.filter(|threshold| threshold.metric == metric);
    let mut limits: Vec<Limit> = of_metric.filter_map(limit_of).collect();
    limits.sort_by(|one, other| one.quantile.total_cmp(&other.quantile));
    limits
}

fn limit_of(threshold: &ThresholdOutcome) -> Option<Limit> {
    let quantile = match threshold.aggregate {
        Aggregate::Percentile(percentile) => percentile.quantile(),
        Aggregate::Max => 1.0,
        Aggregate::Min | Aggregate::Avg | Aggregate::Count | Aggregate::Rate | Aggregate::Value => {
            return None;
        }
    };
    match threshold.comparison {
        Comparison::Less | Comparison::LessOrEqual => {}
        Comparison::Greater
        | Comparison::GreaterOrEqual
        | Comparison::Equal
        | Comparison::NotEqual => return None,
    }
    let seconds = threshold.limit.number()?;
    Some(Limit {
        quantile,
        us: seconds * 1e6,
        label: format!("{} limit {}", threshold.aggregate, duration_text(seconds)),
        tags: threshold.tags.clone(),
        samples: threshold.samples,
    })
}

/// Those on just the samples that have `tags`, and maxima of more of them: what another limit on more of them says is not known of
/// a part.
pub(super) fn on(run: &Run, metric: MetricName, tags: &Tags) -> Vec<Limit> {
    let mut limits = all(run, metric);
    let populations = run
        .measured
        .metrics
        .populations(metric, CountedFrom::Scheduled);
    let tags = match (tags.is_empty(), populations.as_slice()) {
        // All samples are of one group and one QoS, so that a limit on these is one on all.
        (true, [alone]) => &alone.tags,
        (_, _) => tags,
    };
    let has_all = |other: &Tags, some: &Tags| {
        let mut some = some.iter();
        some.all(|(tag, value)| other.get(tag) == Some(value))
    };
    let of_tags = populations.iter();
    let of_tags = of_tags.filter(|population| has_all(&population.tags, tags));
    let samples: u64 = of_tags.map(|population| population.histogram.count()).sum();
    limits.retain(|limit| {
        let is_of_each = limit.quantile >= 1.0;
        has_all(tags, &limit.tags) && (is_of_each || limit.samples == samples)
    });
    limits
}

/// Lines from side to side, for a chart over time.
pub(super) fn levels(limits: &[Limit]) -> impl Iterator<Item = Mark> + '_ {
    limits.iter().map(|limit| Mark {
        line: MarkLine::Level(limit.us),
        label: limit.label.clone(),
        ink: Ink::Limit,
    })
}

/// Steps that a distribution has to stay below, one flight for each choice of samples. The last one ends at
/// `end`, a quantile.
pub(super) fn steps(run: &Run, metric: MetricName, end: f64) -> Vec<Layer> {
    let limits = all(run, metric);
    let mut flights: Vec<Layer> = Vec::new();
    for flight in limits
        .iter()
        .map(|limit| &limit.tags)
        .collect::<std::collections::BTreeSet<_>>()
    {
        let mut points = Vec::new();
        let mut from = 0.0;
        for limit in limits.iter().filter(|limit| limit.tags == *flight) {
            let to = limit.quantile.min(end);
            points.extend([(from, limit.us), (to, limit.us)]);
            from = to;
        }
        let tags: Vec<&str> = flight.values().map(String::as_str).collect();
        let label = match tags.is_empty() {
            true => "limits".to_owned(),
            false => format!("limits, {}", tags.join(" ")),
        };
        let look = Look {
            ink: Ink::Limit,
            stroke: Stroke::Dashed,
        };
        flights.push(Layer::Line(Line {
            label,
            points,
            look,
        }));
    }
    flights
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// Only upper limits of percentiles and of the maximum can be drawn, the lowest percentile first, and a chart of a
    /// part of the samples has those that are about all of them.
    #[test]
    fn upper_limits_are_drawn() {
        let mut run = sample::passing();
        let template = run
            .measured
            .thresholds
            .iter()
            .find(|threshold| threshold.metric == MetricName::E2eLatency)
            .unwrap()
            .clone();
        let with = |aggregate, comparison, tags: &[(&str, &str)]| ThresholdOutcome {
            aggregate,
            comparison,
            limit: squall_run::Value::Seconds(2.0),
            tags: tags
                .iter()
                .map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned()))
                .collect(),
            ..template.clone()
        };
        let p50 = Aggregate::Percentile(squall_run::Percentile::P50);
        run.measured.thresholds = vec![
            with(Aggregate::Max, Comparison::Less, &[]),
            with(p50, Comparison::LessOrEqual, &[("group", "backend")]),
            with(p50, Comparison::Greater, &[]),
            with(Aggregate::Avg, Comparison::Less, &[]),
        ];
        let backend = Tags::from([("group".to_owned(), "backend".to_owned())]);

        let labels = |tags: &Tags| -> Vec<String> {
            let limits = on(&run, MetricName::E2eLatency, tags);
            limits.into_iter().map(|limit| limit.label).collect()
        };

        assert_eq!(labels(&Tags::new()), ["max limit 2.00 s"]);
        assert_eq!(labels(&backend), ["p50 limit 2.00 s", "max limit 2.00 s"]);
        assert_eq!(steps(&run, MetricName::E2eLatency, 0.999).len(), 2);
    }
}
