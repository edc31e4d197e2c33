//! Reads thresholds: `"e2e_latency{group=backend}" = ["p99 < 250ms"]`.

use squall_protocol::QoS;
use squall_run::{Aggregate, Comparison, MetricKind, MetricName, Percentile, Tag, UnknownMetric};
use squall_toml::nearest::Choice;
use squall_toml::quantity::{Quantity, UnitError, parse_duration, parse_size};

use super::{Condition, Limit, MetricSelector, MetricTags};
use crate::DropKind;
use crate::id::GroupId;

/// What is wrong with a threshold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ThresholdError {
    /// A metric that is not measured.
    #[error("unknown metric `{written}`")]
    UnknownMetric {
        /// The text as it was written.
        written: String,
        /// The names of all metrics.
        known: Vec<String>,
    },
    /// The part in braces is not `{tag=value, …}`.
    #[error("malformed selector {written:?}, write it like `e2e_latency{{group=backend,qos=1}}`")]
    MalformedSelector {
        /// The text as it was written.
        written: String,
    },
    /// A tag that the metric does not have.
    #[error("`{metric}` has no tag `{tag}`")]
    UnknownTag {
        /// The name of the metric.
        metric: &'static str,
        /// The text as it was written.
        tag: String,
        /// Tags that it has.
        known: Vec<String>,
    },
    /// A tag that is there twice.
    #[error("tag `{tag}` is there twice")]
    RepeatedTag {
        /// The text as it was written.
        tag: String,
    },
    /// A value that a tag does not have.
    #[error("tag `{tag}` has no value {value:?}")]
    UnknownTagValue {
        /// The name of the tag.
        tag: String,
        /// The text as it was written.
        value: String,
        /// The values that it has.
        known: Vec<String>,
    },
    /// A text that is not an aggregate, a comparison and a limit.
    #[error("malformed condition {written:?}, write it like `{example}`")]
    MalformedCondition {
        /// A condition that the metric can have.
        example: &'static str,
        /// The text as it was written.
        written: String,
    },
    /// An aggregate that the metric does not have.
    #[error("`{metric}` has no aggregate `{written}`{}", other_percentiles(known))]
    UnknownAggregate {
        /// The name of the metric.
        metric: &'static str,
        /// The text as it was written.
        written: String,
        /// Aggregates that it has.
        known: Vec<String>,
    },
    /// A limit with the wrong unit, or none.
    #[error("limit {written:?} of `{metric}` is not {}: {error}", quantity.expected())]
    BadLimit {
        /// The name of the metric.
        metric: &'static str,
        /// The text as it was written.
        written: String,
        /// What it must be.
        quantity: Quantity,
        /// Why it is not.
        error: UnitError,
    },
    /// A limit that must be a plain number and is not.
    #[error("limit {written:?} of `{metric}` is not a plain number")]
    NotANumber {
        /// The name of the metric.
        metric: &'static str,
        /// The text as it was written.
        written: String,
    },
}

/// Percentiles beside those that are listed.
fn other_percentiles(known: &[String]) -> &'static str {
    let has_percentiles = known.iter().any(|word| word.parse::<Percentile>().is_ok());
    match has_percentiles {
        true => "; a percentile is any from `p0.001` to `p99.999`",
        false => "",
    }
}

impl ThresholdError {
    /// The words of which the text had to be one, if that is the error.
    pub(crate) fn choice(&self) -> Option<Choice<'_>> {
        let (written, known, listed_in) = match self {
            Self::UnknownMetric { written, known } => (written, known, "`squall explain`"),
            Self::UnknownTag { tag, known, .. } => (tag, known, "`squall explain`"),
            Self::UnknownTagValue { value, known, .. } => (value, known, "the file"),
            Self::UnknownAggregate { written, known, .. } => (written, known, "`squall explain`"),
            Self::MalformedSelector { .. }
            | Self::RepeatedTag { .. }
            | Self::MalformedCondition { .. }
            | Self::BadLimit { .. }
            | Self::NotANumber { .. } => return None,
        };
        Some(Choice {
            written,
            known,
            listed_in,
            meant: &[],
        })
    }
}

/// A condition on the metric that `selector` names, as a reader would write it.
pub(crate) fn example_condition(selector: &str) -> &'static str {
    let name = selector.split('{').next().unwrap_or_default().trim();
    let metric = name.parse().unwrap_or(MetricName::E2eLatency);
    match metric.kind() {
        MetricKind::Durations => "p99 < 250ms",
        MetricKind::Rate => "avg > 50",
        MetricKind::Count => "count == 0",
        MetricKind::Cores => "max < 0.5",
        MetricKind::Bytes => "max < 64MiB",
    }
}

impl MetricSelector {
    /// Parses `metric` or `metric{tag=value,…}`; `groups` are the names of all groups, by id.
    pub(crate) fn parse(text: &str, groups: &[String]) -> Result<Self, ThresholdError> {
        let malformed = || ThresholdError::MalformedSelector {
            written: text.to_owned(),
        };
        let (name, tags) = match text.split_once('{') {
            Some((name, tags)) => (
                name,
                tags.trim_end().strip_suffix('}').ok_or_else(malformed)?,
            ),
            None => (text, ""),
        };
        let name = name.trim();
        let metric =
            name.parse()
                .map_err(|UnknownMetric { name }| ThresholdError::UnknownMetric {
                    written: name,
                    known: MetricName::ALL.map(|metric| metric.to_string()).to_vec(),
                })?;
        let mut selector = Self {
            metric,
            tags: MetricTags::default(),
            text: text.to_owned(),
        };
        for pair in tags.split(',').filter(|pair| !pair.trim().is_empty()) {
            let (tag, value) = pair.split_once('=').ok_or_else(malformed)?;
            selector.set_tag(tag.trim(), value.trim(), groups)?;
        }
        Ok(selector)
    }

    fn set_tag(&mut self, tag: &str, value: &str, groups: &[String]) -> Result<(), ThresholdError> {
        let known = self.metric.tags();
        let Some(tag) = known.iter().find(|known| known.as_str() == tag) else {
            return Err(ThresholdError::UnknownTag {
                metric: self.metric.as_str(),
                tag: tag.to_owned(),
                known: known.iter().map(|tag| tag.as_str().to_owned()).collect(),
            });
        };
        let unknown = |known| ThresholdError::UnknownTagValue {
            tag: tag.as_str().to_owned(),
            value: value.to_owned(),
            known,
        };
        let tags = &mut self.tags;
        let was_set = match tag {
            Tag::Group => {
                let id = groups.iter().position(|name| name == value);
                let id = id.and_then(|id| u16::try_from(id).ok());
                let id = id.ok_or_else(|| unknown(groups.to_vec()))?;
                tags.group.replace(GroupId(id)).is_some()
            }
            Tag::Qos => {
                let qos = value.parse().ok().and_then(QoS::from_bits);
                let qos =
                    qos.ok_or_else(|| unknown(["0", "1", "2"].map(str::to_owned).to_vec()))?;
                tags.qos.replace(qos).is_some()
            }
            Tag::How => {
                let how = DropKind::ALL.into_iter().find(|how| how.name() == value);
                let known = || DropKind::ALL.map(|how| how.name().to_owned()).to_vec();
                let how = how.ok_or_else(|| unknown(known()))?;
                tags.how.replace(how).is_some()
            }
        };
        if was_set {
            let tag = tag.as_str().to_owned();
            return Err(ThresholdError::RepeatedTag { tag });
        }
        Ok(())
    }
}

impl Condition {
    /// Parses `p99 < 250ms` as a condition on `metric`.
    ///
    /// # Errors
    /// If it is not an aggregate that the metric has, a comparison and a limit in the metric's unit.
    pub fn parse(text: &str, metric: MetricName) -> Result<Self, ThresholdError> {
        let malformed = || ThresholdError::MalformedCondition {
            example: example_condition(metric.as_str()),
            written: text.to_owned(),
        };
        let position = text.find(['<', '>', '=', '!']).ok_or_else(malformed)?;
        let (aggregate, rest) = text.split_at(position);
        let comparison = Comparison::ALL
            .into_iter()
            .find(|comparison| rest.starts_with(comparison.symbol()))
            .ok_or_else(malformed)?;
        let limit = rest[comparison.symbol().len()..].trim();
        if limit.is_empty() || aggregate.trim().is_empty() {
            return Err(malformed());
        }
        let aggregate = parse_aggregate(aggregate.trim(), metric)?;
        Ok(Self {
            aggregate,
            comparison,
            limit: parse_limit(limit, metric, aggregate)?,
            text: text.trim().to_owned(),
        })
    }
}

fn parse_aggregate(word: &str, metric: MetricName) -> Result<Aggregate, ThresholdError> {
    word.parse()
        .ok()
        .filter(|&aggregate| metric.kind().allows(aggregate))
        .ok_or_else(|| ThresholdError::UnknownAggregate {
            metric: metric.as_str(),
            written: word.to_owned(),
            known: metric
                .kind()
                .aggregates()
                .iter()
                .map(Aggregate::to_string)
                .collect(),
        })
}

fn parse_limit(
    text: &str,
    metric: MetricName,
    aggregate: Aggregate,
) -> Result<Limit, ThresholdError> {
    let bad = |quantity| {
        move |error| ThresholdError::BadLimit {
            metric: metric.as_str(),
            written: text.to_owned(),
            quantity,
            error,
        }
    };
    match metric.kind() {
        MetricKind::Durations if aggregate != Aggregate::Count => parse_duration(text)
            .map(Limit::Time)
            .map_err(bad(Quantity::Duration)),
        MetricKind::Bytes => parse_size(text)
            .map(Limit::Bytes)
            .map_err(bad(Quantity::Size)),
        MetricKind::Durations | MetricKind::Rate | MetricKind::Count | MetricKind::Cores => text
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
            .map(Limit::Number)
            .ok_or_else(|| ThresholdError::NotANumber {
                metric: metric.as_str(),
                written: text.to_owned(),
            }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use squall_run::Percentile;

    use super::*;

    fn selector(text: &str) -> Result<MetricSelector, ThresholdError> {
        MetricSelector::parse(text, &["sensors".to_owned(), "backend".to_owned()])
    }

    #[test]
    fn a_selector_names_a_metric_and_its_part() {
        let selector = selector("e2e_latency{group=backend, qos=1}").unwrap();

        assert_eq!(selector.metric, MetricName::E2eLatency);
        assert_eq!(
            selector.tags,
            MetricTags {
                group: Some(GroupId(1)),
                qos: Some(QoS::AtLeastOnce),
                how: None,
            }
        );
    }

    #[test]
    fn a_selector_that_means_nothing_is_refused() {
        assert!(matches!(
            selector("e2e_latencies"),
            Err(ThresholdError::UnknownMetric { .. })
        ));
        assert!(matches!(
            selector("e2e_latency{group=backend"),
            Err(ThresholdError::MalformedSelector { .. })
        ));
        assert!(matches!(
            selector("e2e_latency{how=rst}"),
            Err(ThresholdError::UnknownTag { .. })
        ));
        assert!(matches!(
            selector("e2e_latency{qos=3}"),
            Err(ThresholdError::UnknownTagValue { .. })
        ));
        assert!(matches!(
            selector("e2e_latency{group=backends}"),
            Err(ThresholdError::UnknownTagValue { .. })
        ));
        assert!(matches!(
            selector("e2e_latency{qos=1,qos=2}"),
            Err(ThresholdError::RepeatedTag { .. })
        ));
    }

    #[test]
    fn a_condition_has_an_aggregate_a_comparison_and_a_limit() {
        let parse = |text, metric| {
            let condition = Condition::parse(text, metric).unwrap();
            (condition.aggregate, condition.comparison, condition.limit)
        };

        assert_eq!(
            parse("p99.9 <= 250ms", MetricName::E2eLatency),
            (
                Aggregate::Percentile(Percentile::P99_9),
                Comparison::LessOrEqual,
                Limit::Time(Duration::from_millis(250))
            )
        );
        assert_eq!(
            parse("count==0", MetricName::Errors),
            (Aggregate::Count, Comparison::Equal, Limit::Number(0.0))
        );
        assert_eq!(
            parse("max < 1.5KiB", MetricName::BrokerRssPerConnection),
            (Aggregate::Max, Comparison::Less, Limit::Bytes(1_536))
        );
        assert_eq!(
            parse("count > 1000", MetricName::E2eLatency),
            (
                Aggregate::Count,
                Comparison::Greater,
                Limit::Number(1_000.0)
            )
        );
    }

    #[test]
    fn a_condition_that_means_nothing_is_refused() {
        let parse = |text, metric| Condition::parse(text, metric).unwrap_err();

        for text in ["p99", "< 5ms", "p99 ~ 5ms", "p99 <", ""] {
            let error = parse(text, MetricName::E2eLatency);
            assert!(
                matches!(error, ThresholdError::MalformedCondition { .. }),
                "{text}"
            );
        }
        for (text, metric) in [
            ("p100 < 5ms", MetricName::E2eLatency),
            ("p99.9999 < 5ms", MetricName::E2eLatency),
            ("q99 < 5ms", MetricName::E2eLatency),
            ("p99 < 5", MetricName::Errors),
            ("value < 5ms", MetricName::E2eLatency),
        ] {
            let error = parse(text, metric);
            assert!(
                matches!(error, ThresholdError::UnknownAggregate { .. }),
                "{text}"
            );
        }
        assert!(matches!(
            parse("p99 < 5", MetricName::E2eLatency),
            ThresholdError::BadLimit {
                error: UnitError::NoUnit,
                ..
            }
        ));
        assert!(matches!(
            parse("avg > 5ms", MetricName::PublishRate),
            ThresholdError::NotANumber { .. }
        ));
    }
}
