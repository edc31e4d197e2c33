//! The figures of one run that sides are compared by, each with its unit and which way it is better.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::noise::{Better, Grain, GrainOf, Rule};
use crate::{
    CountedFrom, FigureUnit, Histogram, MetricName, Metrics, Percentile, Run, Summary, Tag,
};

/// Populations of a metric that have figures of their own, the first by name: the others are in the reports.
const POPULATIONS_MAX: usize = 6;
/// Noise that a figure has at least from run to run, as a share: what a busy machine, another layout of memory or another
/// core makes of the same work.
const SHARE_OF_MEASURES: f64 = 0.02;
/// The same of rates, which follow a schedule.
const SHARE_OF_RATES: f64 = 0.001;
/// Durations are kept in whole microseconds.
const STEP_US: f64 = 1.0;
/// The system counts processor time in steps of 10 ms.
const STEP_CPU_S: f64 = 0.01;
/// An allocator takes memory in pieces.
const STEP_BYTES: f64 = 65_536.0;

/// What a figure is about: its part of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FigurePart {
    /// How long things took.
    Times,
    /// What became of messages and connections.
    Accounting,
    /// What the broker used.
    Broker,
    /// What was asked for and what passed.
    Load,
    /// What squall itself was like meanwhile.
    Generator,
}

impl FigurePart {
    /// As a heading.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Times => "Times",
            Self::Accounting => "Accounting",
            Self::Broker => "Broker",
            Self::Load => "Load",
            Self::Generator => "Generator",
        }
    }
}

/// A figure of one run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FigureOfRun {
    /// As a program knows it: `e2e_latency{group=backend,qos=1}.p99`.
    pub(super) key: String,
    /// As a reader does: `end-to-end latency p99, backend QoS 1`.
    pub(super) name: String,
    pub(super) part: FigurePart,
    pub(super) unit: FigureUnit,
    pub(super) rule: Rule,
    pub(super) number: f64,
}

/// Figures as they are found.
struct Found {
    part: FigurePart,
    figures: Vec<FigureOfRun>,
}

/// What a figure is called by a program and by a reader.
#[derive(Clone, Copy)]
struct Called<'a> {
    key: &'a str,
    name: &'a str,
}

impl Found {
    fn add(&mut self, called: Called<'_>, unit: FigureUnit, better: Better, number: Option<f64>) {
        let grain = grain_of(unit);
        self.add_with(called, unit, Rule { better, grain }, number);
    }

    fn add_with(&mut self, called: Called<'_>, unit: FigureUnit, rule: Rule, number: Option<f64>) {
        self.figures.extend(number.map(|number| FigureOfRun {
            key: called.key.to_owned(),
            name: called.name.to_owned(),
            part: self.part,
            unit,
            rule,
            number,
        }));
    }
}

/// The grain of what is measured in `unit`.
pub(crate) fn grain_of(unit: FigureUnit) -> Grain {
    let measure = |share, step| Grain {
        share,
        step,
        of: GrainOf::Measure,
    };
    match unit {
        FigureUnit::Count => Grain {
            share: 0.0,
            step: 0.0,
            of: GrainOf::Count,
        },
        FigureUnit::Micros => measure(SHARE_OF_MEASURES, STEP_US),
        FigureUnit::PerSecond => measure(SHARE_OF_RATES, 0.0),
        FigureUnit::Cores | FigureUnit::Seconds | FigureUnit::PerMessage => {
            measure(SHARE_OF_MEASURES, 0.0)
        }
        FigureUnit::Bytes => measure(SHARE_OF_MEASURES, STEP_BYTES),
    }
}

/// All figures of `run`, part by part. One that a run lacks is not among them: a percentile with too few samples, the memory
/// of a broker that squall did not start.
pub(super) fn figures_of(run: &Run) -> Vec<FigureOfRun> {
    let summary = Summary::of(run);
    let mut found = Found {
        part: FigurePart::Times,
        figures: Vec::new(),
    };
    times(&run.measured.metrics, &mut found);
    found.part = FigurePart::Accounting;
    accounting(&summary, &mut found);
    found.part = FigurePart::Broker;
    broker(&summary, &mut found);
    found.part = FigurePart::Load;
    load(&summary, &mut found);
    found.part = FigurePart::Generator;
    generator(&summary, &run.measured.metrics, &mut found);
    found.figures
}

fn times(metrics: &Metrics, found: &mut Found) {
    for name in MetricName::ALL {
        if !is_compared(name) {
            continue;
        }
        // A distribution over what has nothing in common says little, so groups and QoS stay apart; connecting and the
        // like are one thing for all.
        if name.tags() == [Tag::Group, Tag::Qos] {
            let mut populations = metrics.populations(name, CountedFrom::Scheduled);
            populations.retain(|population| !population.is_late());
            let is_alone = populations.len() == 1;
            for population in populations.iter().take(POPULATIONS_MAX) {
                let tags = population.tags.iter();
                let tags: Vec<String> = tags.map(|(tag, value)| format!("{tag}={value}")).collect();
                let (of_key, of_name) = match is_alone {
                    true => (String::new(), String::new()),
                    false => (format!("{{{}}}", tags.join(",")), format!(", {population}")),
                };
                of_distribution(name, (&of_key, &of_name), &population.histogram, found);
            }
        } else {
            of_distribution(name, ("", ""), &metrics.all(name), found);
        }
    }
}

/// Whether it is a time that the broker has a part in, and not part of another one; the time in the broker is what a comparison is about.
fn is_compared(name: MetricName) -> bool {
    match name {
        MetricName::E2eLatency
        | MetricName::BrokerTime
        | MetricName::AckLatency
        | MetricName::RoundTrip
        | MetricName::ConnectLatency
        | MetricName::SubscribeLatency
        | MetricName::Qos2Handshake
        | MetricName::TimeToWill
        | MetricName::TakeoverTime
        | MetricName::ReconnectDelay => true,
        MetricName::ServiceLatency
        | MetricName::Qos2Pubrec
        | MetricName::Qos2Pubrel
        | MetricName::Qos2Pubcomp
        | MetricName::ScheduleLag
        | MetricName::PublishRate
        | MetricName::DeliveryRate
        | MetricName::ConnectRate
        | MetricName::Errors
        | MetricName::Dropped
        | MetricName::BrokerCpu
        | MetricName::BrokerRss
        | MetricName::BrokerRssPerConnection => false,
    }
}

/// More percentiles of what a message's way is measured by than of other times: each figure more widens the interval of all.
fn percentiles_of(name: MetricName) -> &'static [Percentile] {
    if name == MetricName::E2eLatency {
        return &[
            Percentile::P50,
            Percentile::P90,
            Percentile::P99,
            Percentile::P99_9,
        ];
    }
    &[Percentile::P50, Percentile::P99]
}

fn of_distribution(name: MetricName, of: (&str, &str), histogram: &Histogram, found: &mut Found) {
    let (of_key, of_name) = of;
    let called = name.in_words().trim_start_matches("the ");
    let mut add = |aggregate: &str, us: Option<u64>| {
        let key = format!("{name}{of_key}.{aggregate}");
        let name = format!("{called} {aggregate}{of_name}");
        let called = Called {
            key: &key,
            name: &name,
        };
        let number = us.map(|us| us as f64);
        found.add(called, FigureUnit::Micros, Better::Lower, number);
    };
    for percentile in percentiles_of(name) {
        add(
            &percentile.to_string(),
            histogram.percentile_us(*percentile),
        );
    }
    add("max", histogram.max_us());
}

fn accounting(summary: &Summary, found: &mut Found) {
    let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
    for (key, name, count) in [
        ("lost", "lost", summary.lost),
        (
            "forbidden_duplicates",
            "forbidden copies",
            summary.forbidden,
        ),
        ("duplicated", "further copies", summary.duplicated),
        ("reordered", "out of order", summary.reordered),
        ("corrupted", "corrupted", summary.corrupted),
        ("mislabelled", "mislabelled", summary.mislabelled),
        ("misrouted", "misrouted", summary.misrouted),
        ("in_doubt", "in doubt", summary.in_doubt),
        (
            "unsent_unexplained",
            "never sent, unexplained",
            summary.unsent_unexplained,
        ),
        ("errors", "errors", sum(&summary.errors)),
        (
            "ended_unasked",
            "connections that ended unasked",
            sum(&summary.ended_unasked),
        ),
    ] {
        let number = Some(count as f64);
        found.add(
            Called { key, name },
            FigureUnit::Count,
            Better::Lower,
            number,
        );
    }
    let called = Called {
        key: "online",
        name: "devices online at once",
    };
    let online = Some(summary.peak_online as f64);
    found.add(called, FigureUnit::Count, Better::Higher, online);
}

fn broker(summary: &Summary, found: &mut Found) {
    let cores = summary.broker_cpu_mean_cores;
    let step_cores = match (summary.processes_from_s, summary.processes_to_s) {
        (Some(from_s), Some(to_s)) if to_s > from_s => STEP_CPU_S / (to_s - from_s),
        _ => 0.0,
    };
    let called = Called {
        key: "broker_cpu.avg",
        name: "processor use of the broker, mean",
    };
    let grain = Grain {
        step: step_cores,
        ..grain_of(FigureUnit::Cores)
    };
    // Of a broker that delivers less, less is not better: that is told for each message.
    let rule = Rule {
        better: Better::Neither,
        grain,
    };
    found.add_with(called, FigureUnit::Cores, rule, cores);
    let per_million = summary.broker_cpu_s_per_million;
    let step_share = cores
        .filter(|cores| *cores > 0.0)
        .map_or(0.0, |cores| step_cores / cores);
    let called = Called {
        key: "broker_cpu_s_per_million",
        name: "processor seconds for a million messages",
    };
    let grain = Grain {
        step: per_million.unwrap_or(0.0) * step_share,
        ..grain_of(FigureUnit::Seconds)
    };
    let rule = Rule {
        better: Better::Lower,
        grain,
    };
    found.add_with(called, FigureUnit::Seconds, rule, per_million);
    for (key, name, number) in [
        (
            "broker_rss.max",
            "resident memory of the broker, peak",
            summary.broker_rss_peak_bytes,
        ),
        (
            "broker_rss_per_connection",
            "resident memory for each connection",
            summary.broker_rss_per_connection_bytes,
        ),
    ] {
        let number = number.map(|bytes| bytes as f64);
        found.add(
            Called { key, name },
            FigureUnit::Bytes,
            Better::Lower,
            number,
        );
    }
}

fn load(summary: &Summary, found: &mut Found) {
    for (key, name, better, number) in [
        (
            "offered_rate",
            "messages offered",
            Better::Neither,
            summary.offered_per_s,
        ),
        (
            "publish_rate",
            "messages sent",
            Better::Higher,
            summary.achieved_per_s,
        ),
        (
            "delivery_rate",
            "messages delivered",
            Better::Higher,
            summary.delivered_per_s,
        ),
    ] {
        found.add(Called { key, name }, FigureUnit::PerSecond, better, number);
    }
}

fn generator(summary: &Summary, metrics: &Metrics, found: &mut Found) {
    let lag = metrics
        .all(MetricName::ScheduleLag)
        .percentile_us(Percentile::P99);
    let called = Called {
        key: "schedule_lag.p99",
        name: "schedule lag p99",
    };
    let number = lag.map(|us| us as f64);
    found.add(called, FigureUnit::Micros, Better::Neither, number);
    let called = Called {
        key: "generator_cpu.avg",
        name: "processor use of squall, mean",
    };
    let cores = summary.generator_cpu_mean_cores;
    found.add(called, FigureUnit::Cores, Better::Neither, cores);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// Keys name one figure each, and groups and QoS that have nothing in common have figures of their own.
    #[test]
    fn every_figure_has_a_key_of_its_own() {
        let figures = figures_of(&sample::passing());

        let mut keys: Vec<&str> = figures.iter().map(|figure| figure.key.as_str()).collect();
        assert!(
            keys.contains(&"e2e_latency{group=backend,qos=1}.p99"),
            "{keys:?}"
        );
        assert!(keys.contains(&"broker_rss.max"), "{keys:?}");
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }

    /// What was not measured is not a zero.
    #[test]
    fn what_a_run_lacks_is_not_there() {
        let figures = figures_of(&sample::empty());

        assert!(
            figures
                .iter()
                .all(|figure| figure.part == FigurePart::Accounting),
            "{figures:?}"
        );
    }
}
