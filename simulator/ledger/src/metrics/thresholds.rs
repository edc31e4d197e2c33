//! `[thresholds]`: numbers compared with their limits.
//!
//! Warm-up is left out of every number. A percentile with fewer samples than it needs is not a
//! number: the condition is not judged, and says what it would take.

use squall_run::{
    Aggregate, Comparison, CountedFrom, Event, Histogram, MetricName, ProcessUse, Rates, Resources,
    Spread, Tags, ThresholdOutcome, ThresholdResult, WithoutLag,
};
use squall_scenario::{Condition, MetricSelector, MetricTags, Scenario, Threshold};

use super::Metrics;

/// A number, and the samples behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measurement {
    /// In seconds, bytes, cores, events or events per second; `None` if there are too few samples.
    number: Option<f64>,
    samples: u64,
}

/// Judges every condition of every threshold, in file order.
pub(crate) fn judge_thresholds(
    scenario: &Scenario,
    metrics: &Metrics,
    cells: &squall_run::Metrics,
    rates: &Rates,
    resources: &Resources,
) -> Vec<ThresholdOutcome> {
    let judge = Judge {
        scenario,
        metrics,
        cells,
        rates,
        resources,
    };
    scenario
        .thresholds
        .iter()
        .flat_map(|threshold| judge.threshold(threshold))
        .collect()
}

/// The first condition in file order that is broken by what was measured so far, in words: a limit from above on a time or a
/// count. What a mean or a rate will be in the end is open.
pub(crate) fn broken_threshold(scenario: &Scenario, metrics: &Metrics) -> Option<String> {
    let mut all = scenario.thresholds.iter();
    if !all.any(|threshold| threshold.conditions.iter().any(is_from_above)) {
        return None;
    }
    let cells = metrics.cells(scenario);
    let (_, outcome) = thresholds_so_far(scenario, metrics, &cells)
        .into_iter()
        .find(|(is_known, outcome)| *is_known && outcome.result == ThresholdResult::Broken)?;
    let actual = outcome.actual.map(|actual| actual.to_string());
    Some(format!(
        "{}: {} is broken already, it is {}",
        outcome.metric.as_str(),
        outcome.expression,
        actual.unwrap_or_default()
    ))
}

/// Every condition in file order, judged by what was measured so far, of which `cells` are the distributions; beside it whether
/// that says something: only of a limit from above on a time or a count.
pub(crate) fn thresholds_so_far(
    scenario: &Scenario,
    metrics: &Metrics,
    cells: &squall_run::Metrics,
) -> Vec<(bool, ThresholdOutcome)> {
    let judge = Judge {
        scenario,
        metrics,
        cells,
        rates: &metrics.rates(scenario),
        resources: &Resources::default(),
    };
    let conditions = scenario.thresholds.iter().flat_map(|threshold| {
        let conditions = threshold.conditions.iter();
        conditions.map(move |condition| (threshold, condition))
    });
    conditions
        .map(|(threshold, condition)| {
            let outcome = judge.condition(&threshold.selector, condition);
            (is_from_above(condition), outcome)
        })
        .collect()
}

/// Whether it is about samples, and bounds them from above. More samples may mend a percentile, but rarely do.
fn is_from_above(condition: &Condition) -> bool {
    let is_of_samples = match condition.aggregate {
        Aggregate::Percentile(_) | Aggregate::Max | Aggregate::Count => true,
        Aggregate::Min | Aggregate::Avg | Aggregate::Rate | Aggregate::Value => false,
    };
    is_of_samples
        && matches!(
            condition.comparison,
            Comparison::Less | Comparison::LessOrEqual
        )
}

struct Judge<'a> {
    scenario: &'a Scenario,
    metrics: &'a Metrics,
    cells: &'a squall_run::Metrics,
    rates: &'a Rates,
    resources: &'a Resources,
}

impl Judge<'_> {
    fn threshold<'a>(
        &'a self,
        threshold: &'a Threshold,
    ) -> impl Iterator<Item = ThresholdOutcome> + 'a {
        threshold
            .conditions
            .iter()
            .map(|condition| self.condition(&threshold.selector, condition))
    }

    fn condition(&self, selector: &MetricSelector, condition: &Condition) -> ThresholdOutcome {
        let measured = self.measure(selector, condition.aggregate);
        let limit = condition.limit.as_f64();
        let less_lag = self.less_lag(selector, condition.aggregate);
        let holds = |number: f64| condition.comparison.holds(number, limit);
        let result = match measured.number {
            None => ThresholdResult::TooFewSamples,
            Some(number) if holds(number) => ThresholdResult::Held,
            Some(_) if less_lag.is_some_and(holds) => ThresholdResult::ExplainedByLag,
            Some(_) => ThresholdResult::Broken,
        };
        let value = |number: f64| selector.metric.kind().value(condition.aggregate, number);
        ThresholdOutcome {
            metric: selector.metric,
            tags: self.tags(&selector.tags),
            expression: condition.text.clone(),
            aggregate: condition.aggregate,
            comparison: condition.comparison,
            limit: value(limit),
            actual: measured.number.map(value),
            less_lag: less_lag.map(value),
            samples: measured.samples,
            result,
        }
    }

    /// What a number would be without the generator's lag; `None` if that is not known, or if it is
    /// of other samples than the number.
    fn less_lag(&self, selector: &MetricSelector, aggregate: Aggregate) -> Option<f64> {
        match selector.metric.without_lag() {
            WithoutLag::Kept => self.time_less_lag(selector, aggregate),
            WithoutLag::FromStandstills => self.rate_less_lag(selector, aggregate),
            WithoutLag::Itself | WithoutLag::Unknown => None,
        }
    }

    /// What a rate may have been without the standstills: in the emptiest second nothing happened while the
    /// generator stood still, in the fullest what it had not done before happened too.
    fn rate_less_lag(&self, selector: &MetricSelector, aggregate: Aggregate) -> Option<f64> {
        let measured = self.measure(selector, aggregate).number?;
        let [all, longest, length] = self.metrics.standstills_while_measuring()?;
        let [all, longest, length] = [all, longest, length].map(|time| time.as_secs_f64());
        let mean = || self.measure(selector, Aggregate::Avg).number;
        match aggregate {
            Aggregate::Min if longest < 1.0 => {
                mean().map(|mean| (measured / (1.0 - longest)).min(mean.max(measured)))
            }
            Aggregate::Min => mean(),
            Aggregate::Max => Some(measured / (1.0 + longest)),
            Aggregate::Avg => (all < length).then(|| measured * length / (length - all)),
            Aggregate::Count | Aggregate::Rate | Aggregate::Value | Aggregate::Percentile(_) => {
                None
            }
        }
    }

    fn time_less_lag(&self, selector: &MetricSelector, aggregate: Aggregate) -> Option<f64> {
        let name = selector.metric;
        let tags = self.tags(&selector.tags);
        let histogram = self
            .cells
            .select_counted_from(name, CountedFrom::LessLag, &tags);
        if histogram.is_empty() || histogram.count() != self.cells.select(name, &tags).count() {
            return None;
        }
        of_times(&histogram, aggregate).number
    }

    fn measure(&self, selector: &MetricSelector, aggregate: Aggregate) -> Measurement {
        match selector.metric {
            MetricName::E2eLatency
            | MetricName::ServiceLatency
            | MetricName::BrokerTime
            | MetricName::AckLatency
            | MetricName::RoundTrip
            | MetricName::ConnectLatency
            | MetricName::SubscribeLatency
            | MetricName::Qos2Handshake
            | MetricName::Qos2Pubrec
            | MetricName::Qos2Pubrel
            | MetricName::Qos2Pubcomp
            | MetricName::TimeToWill
            | MetricName::TakeoverTime
            | MetricName::ReconnectDelay
            | MetricName::ScheduleLag => {
                let tags = self.tags(&selector.tags);
                let histogram = self.cells.select(selector.metric, &tags);
                of_times(&histogram, aggregate)
            }
            MetricName::PublishRate => self.rate(Event::Sent, &selector.tags, aggregate),
            MetricName::DeliveryRate => self.rate(Event::Delivered, &selector.tags, aggregate),
            MetricName::ConnectRate => self.rate(Event::Connected, &selector.tags, aggregate),
            MetricName::Errors => self.events(Event::Error, &selector.tags, aggregate),
            MetricName::Dropped => self.events(Event::Dropped, &selector.tags, aggregate),
            MetricName::BrokerCpu => self.broker(aggregate, |used| Some(used.cpu_cores)),
            MetricName::BrokerRss => self.broker(aggregate, |used| Some(used.rss_bytes)),
            MetricName::BrokerRssPerConnection => {
                self.broker(aggregate, |_| self.rss_per_connection())
            }
        }
    }

    fn rate(&self, event: Event, tags: &MetricTags, aggregate: Aggregate) -> Measurement {
        let tags = self.tags(tags);
        let Some(figures) = self.rates.figures(event, &tags) else {
            return Measurement::NONE;
        };
        if figures.count == 0 && self.asked_for_nothing(event) {
            return Measurement::NONE;
        }
        let whole = |count: u64| count as f64;
        let number = match aggregate {
            Aggregate::Min => figures.least_per_s,
            Aggregate::Max => figures.peak_per_s,
            Aggregate::Count => Some(whole(figures.count)),
            Aggregate::Avg | Aggregate::Rate | Aggregate::Value | Aggregate::Percentile(_) => {
                Some(figures.mean_per_s)
            }
        };
        let samples = match aggregate {
            Aggregate::Min | Aggregate::Max => figures.windows,
            Aggregate::Count
            | Aggregate::Avg
            | Aggregate::Rate
            | Aggregate::Value
            | Aggregate::Percentile(_) => figures.count,
        };
        Measurement { number, samples }
    }

    /// Whether nothing of this kind can have happened while measuring, whatever the broker did: no message was
    /// due.
    fn asked_for_nothing(&self, event: Event) -> bool {
        let is_of_messages = match event {
            Event::Due | Event::Sent | Event::Delivered | Event::Dropped => true,
            Event::Connected | Event::Error => false,
        };
        let due = self.rates.of_all(Event::Due);
        is_of_messages && due.is_some_and(|due| due.count == 0)
    }

    fn events(&self, event: Event, tags: &MetricTags, aggregate: Aggregate) -> Measurement {
        if aggregate == Aggregate::Rate {
            return self.rate(event, tags, aggregate);
        }
        let count = self.rates.count_without_warmup(event, &self.tags(tags));
        Measurement {
            number: Some(count as f64),
            samples: count,
        }
    }

    fn broker(
        &self,
        aggregate: Aggregate,
        spread: impl FnOnce(&ProcessUse) -> Option<Spread>,
    ) -> Measurement {
        let used = self.resources.broker.measured;
        let number = used.and_then(|used| Some((spread(&used)?, used.readings)));
        number.map_or(Measurement::NONE, |(spread, readings)| {
            of_spread(&spread, readings, aggregate)
        })
    }

    fn rss_per_connection(&self) -> Option<Spread> {
        let series = self.metrics.series(self.scenario);
        self.resources.broker.rss_per_connection(&series)
    }

    fn tags(&self, tags: &MetricTags) -> Tags {
        let mut names = Tags::new();
        if let Some(group) = tags.group {
            names.insert("group".to_owned(), self.scenario.group(group).name.clone());
        }
        if let Some(qos) = tags.qos {
            names.insert("qos".to_owned(), (qos as u8).to_string());
        }
        if let Some(how) = tags.how {
            names.insert("how".to_owned(), how.name().to_owned());
        }
        names
    }
}

impl Measurement {
    const NONE: Self = Self {
        number: None,
        samples: 0,
    };
}

fn of_spread(spread: &Spread, readings: u64, aggregate: Aggregate) -> Measurement {
    let number = match aggregate {
        Aggregate::Min => spread.least,
        Aggregate::Max => spread.peak,
        Aggregate::Value => spread.last,
        Aggregate::Avg | Aggregate::Count | Aggregate::Rate | Aggregate::Percentile(_) => {
            spread.mean
        }
    };
    Measurement {
        number: Some(number),
        samples: readings,
    }
}

fn of_times(histogram: &Histogram, aggregate: Aggregate) -> Measurement {
    let seconds = |micros: u64| micros as f64 / 1e6;
    let number = match aggregate {
        Aggregate::Percentile(percentile) => histogram.percentile_us(percentile).map(seconds),
        Aggregate::Min => histogram.min_us().map(seconds),
        Aggregate::Max => histogram.max_us().map(seconds),
        Aggregate::Count => Some(histogram.count() as f64),
        Aggregate::Avg | Aggregate::Rate | Aggregate::Value => {
            histogram.mean_us().map(|micros| micros / 1e6)
        }
    };
    Measurement {
        number,
        samples: histogram.count(),
    }
}
