//! The figures that a report heads with, computed from a run.
//!
//! Computing is here, drawing and writing are in `render`. Rates are those of the measured phase
//! alone; counts of messages are those of the whole run, since a message lost in warm-up is lost.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::{
    CountedFrom, Event, Histogram, MetricName, Metrics, Percentile, Population, Publications, Run,
};

/// Messages from which on the processor time for each of them means something.
const MESSAGES_FOR_CPU: u64 = 100_000;

/// Growth of memory from which on its share for each connection means something.
const GROWTH_TOLD_BYTES: u64 = 256 * 1024;

/// The figures that a report heads with.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// What must be known beside the outcome, such as the generator's share of the figures.
    pub notes: Vec<String>,
    /// Exact length of the measured part, over which all rates are; 0 if it never began.
    pub measured_s: f64,
    /// Messages due a second; `null` if the measured part never began.
    pub offered_per_s: Option<f64>,
    /// Messages sent a second.
    pub achieved_per_s: Option<f64>,
    /// Messages sent a second in the fullest of its seconds; `null` if it was shorter than one.
    pub achieved_peak_per_s: Option<f64>,
    /// First deliveries a second: further copies and wills are not counted. Messages without a stamp count as often as they come.
    pub delivered_per_s: Option<f64>,
    /// First deliveries a second in the fullest of its seconds.
    pub delivered_peak_per_s: Option<f64>,
    /// Messages that were due.
    pub scheduled: u64,
    /// Of those, sent, on time or late.
    pub sent: u64,
    /// Of those sent, the ones that no subscription asked for.
    pub to_no_subscriber: u64,
    /// Of those sent at QoS 1 and 2, the ones in doubt: the broker had neither acknowledged nor refused them
    /// when the run ended. They are not owed, and cannot be lost.
    pub in_doubt: u64,
    /// Of those in doubt, the ones that came to a subscriber all the same.
    pub in_doubt_came: u64,
    /// Of those in doubt, the ones that their device does not send again: their connection ended, and the
    /// device's Session is not resumed on the next (`clean_start`, or no `session_expiry`).
    pub forgotten: u64,
    /// Of those due, never sent, by why.
    pub unsent: BTreeMap<String, u64>,
    /// Of those never sent, the ones that no fault, network or device of the scenario explains.
    pub unsent_unexplained: u64,
    /// Deliveries of acknowledged messages to Sessions that asked for them.
    pub expected: u64,
    /// Of those, not owed: excused by the specification, or not judged, as where a run ended too early to call them lost.
    pub excused: u64,
    /// Of those owed, made.
    pub delivered: u64,
    /// Of those owed, never made.
    pub lost: u64,
    /// Further copies, at all QoS.
    pub duplicated: u64,
    /// Of those, forbidden: by their QoS; at QoS 1, without DUP, or in MQTT 5.0 without a reconnect that allows them.
    pub forbidden: u64,
    /// Of those duplicated, at QoS 2, where they are a violation.
    pub duplicated_at_qos2: u64,
    /// Deliveries out of order.
    pub reordered: u64,
    /// Deliveries with another payload, Content Type or User Properties than was published, or with another payload than
    /// was to be retained: not among `delivered`.
    pub corrupted: u64,
    /// Deliveries at another QoS, or with another RETAIN or DUP flag or Subscription
    /// Identifier, than they must have.
    pub mislabelled: u64,
    /// Deliveries that no subscription asked for.
    pub misrouted: u64,
    /// End-to-end latency from the scheduled time; `null` without samples, and where there are several
    /// groups or QoS, which are in `e2e_latency_of` alone.
    pub e2e_latency: Option<Latency>,
    /// End-to-end latency from the scheduled time, by group and QoS.
    pub e2e_latency_of: Vec<LatencyOf>,
    /// End-to-end latency from the time of sending; `null` as with `e2e_latency`.
    pub e2e_service_time: Option<Latency>,
    /// Time to connect.
    pub connect_latency: Option<Latency>,
    /// Schedule lag of the generator.
    pub schedule_lag: Option<Latency>,
    /// The most devices connected at once.
    pub peak_online: u64,
    /// What kept devices out, the most frequent first, a sentence each.
    pub refusals: Vec<String>,
    /// Errors of the whole run by place and reason: `publish: 0x97 Quota exceeded`.
    pub errors: BTreeMap<String, u64>,
    /// Connections that ended though neither the scenario nor the device asked for it, by cause.
    pub ended_unasked: BTreeMap<String, u64>,
    /// Where the window begins that use of processor and memory is of: the readings at the borders of
    /// the measured part. Seconds since the start of the run.
    pub processes_from_s: Option<f64>,
    /// Where it ends.
    pub processes_to_s: Option<f64>,
    /// Mean processor use of the broker in the measured part, in cores.
    pub broker_cpu_mean_cores: Option<f64>,
    /// Its busiest stretch of about a second.
    pub broker_cpu_peak_cores: Option<f64>,
    /// Peak resident memory of the broker in the measured part.
    pub broker_rss_peak_bytes: Option<u64>,
    /// As `broker_rss_peak_bytes`, of the whole run.
    pub broker_rss_peak_of_run_bytes: Option<u64>,
    /// What a connection costs the broker: its resident memory above that before the first connect,
    /// divided by the devices online, as the metric `broker_rss_per_connection`; mean of the measured part. `null`
    /// if its memory grew by less than 256 KiB in the whole run, which its allocator may have had in store.
    pub broker_rss_per_connection_bytes: Option<u64>,
    /// Processor seconds of the broker for each million messages sent and delivered, all in the measured
    /// part; `null` with fewer than 100,000, where what the broker does anyway would outweigh them.
    pub broker_cpu_s_per_million: Option<f64>,
    /// Mean processor use of the generator in the measured part, in cores.
    pub generator_cpu_mean_cores: Option<f64>,
    /// Its busiest stretch of about a second.
    pub generator_cpu_peak_cores: Option<f64>,
    /// Peak resident memory of the generator in the measured part.
    pub generator_rss_peak_bytes: Option<u64>,
    /// As `generator_rss_peak_bytes`, of the whole run.
    pub generator_rss_peak_of_run_bytes: Option<u64>,
}

/// A distribution in a few figures. A percentile is `null` with fewer samples than it needs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Latency {
    /// Number of samples.
    pub count: u64,
    /// The least, microseconds.
    pub min_us: u64,
    /// The mean, microseconds.
    pub mean_us: f64,
    /// Percentiles by name, from `p50` to `p99.99`, microseconds; `null` for one with fewer samples than
    /// it needs.
    #[serde(serialize_with = "by_name")]
    #[schemars(with = "BTreeMap<String, Option<u64>>")]
    pub percentiles_us: [Option<u64>; Percentile::SHOWN.len()],
    /// The greatest, microseconds.
    pub max_us: u64,
}

/// The latency of one group at one QoS.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LatencyOf {
    /// The group that the messages were delivered to.
    pub group: Option<String>,
    /// The QoS that they were published with.
    pub qos: Option<String>,
    /// Whether these are the deliveries that waited for a device that was away; the others are in an entry
    /// of their own.
    pub late: bool,
    /// The figures.
    #[serde(flatten)]
    pub latency: Latency,
}

impl LatencyOf {
    fn of(population: &Population) -> Option<Self> {
        let tag = |name: &str| population.tags.get(name).cloned();
        Some(Self {
            group: tag("group"),
            qos: tag("qos"),
            late: population.is_late(),
            latency: Latency::of(&population.histogram)?,
        })
    }
}

/// As a map from `p50` and so on, so that a program need not know the order.
fn by_name<S: Serializer>(
    percentiles_us: &[Option<u64>; Percentile::SHOWN.len()],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let pairs = Percentile::SHOWN.iter().map(Percentile::to_string);
    serializer.collect_map(pairs.zip(percentiles_us))
}

impl Latency {
    /// The figures of `histogram`; `null` without samples.
    pub fn of(histogram: &Histogram) -> Option<Self> {
        Some(Self {
            count: histogram.count(),
            min_us: histogram.min_us()?,
            mean_us: histogram.mean_us()?,
            percentiles_us: Percentile::SHOWN.map(|shown| histogram.percentile_us(shown)),
            max_us: histogram.max_us()?,
        })
    }

    /// One of [`Percentile::SHOWN`], microseconds; `null` for others and with too few samples.
    pub fn percentile_us(&self, percentile: Percentile) -> Option<u64> {
        let index = Percentile::SHOWN
            .iter()
            .position(|shown| *shown == percentile)?;
        self.percentiles_us[index]
    }
}

/// The latencies that a summary has, under its names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Latencies {
    /// As [`Summary::e2e_latency`].
    pub e2e_latency: Option<Latency>,
    /// As [`Summary::e2e_latency_of`].
    pub e2e_latency_of: Vec<LatencyOf>,
    /// As [`Summary::e2e_service_time`].
    pub e2e_service_time: Option<Latency>,
    /// As [`Summary::connect_latency`].
    pub connect_latency: Option<Latency>,
    /// As [`Summary::schedule_lag`].
    pub schedule_lag: Option<Latency>,
}

impl Latencies {
    /// Those of `metrics`, of a run that is over or goes on.
    pub fn of(metrics: &Metrics) -> Self {
        let of = |from| metrics.populations(MetricName::E2eLatency, from);
        let (due, sent) = (of(CountedFrom::Scheduled), of(CountedFrom::Sent));
        let latency = |name| Latency::of(&metrics.all(name));
        Self {
            e2e_latency: the_only_one(&due),
            e2e_latency_of: due.iter().filter_map(LatencyOf::of).collect(),
            e2e_service_time: the_only_one(&due).and_then(|_| the_only_one(&sent)),
            connect_latency: latency(MetricName::ConnectLatency),
            schedule_lag: latency(MetricName::ScheduleLag),
        }
    }
}

impl Summary {
    /// Computes the figures of `run`.
    pub fn of(run: &Run) -> Self {
        let latencies = Latencies::of(&run.measured.metrics);
        let publications = &run.measured.accounting.publications;
        let published = |count: fn(&Publications) -> u64| publications.iter().map(count).sum();
        let deliveries = &run.measured.accounting.deliveries;
        let sum = |count: fn(&crate::Deliveries) -> u64| deliveries.iter().map(count).sum();
        let rate = |event| run.measured.rates.of_all(event);
        let [offered, achieved, delivered] = [Event::Due, Event::Sent, Event::Delivered].map(rate);
        let (broker, generator) = (&run.resources.broker, &run.resources.generator);
        Self {
            notes: run.notes(),
            measured_s: run.measured.rates.measured_s,
            offered_per_s: offered.map(|figures| figures.mean_per_s),
            achieved_per_s: achieved.map(|figures| figures.mean_per_s),
            achieved_peak_per_s: achieved.and_then(|figures| figures.peak_per_s),
            delivered_per_s: delivered.map(|figures| figures.mean_per_s),
            delivered_peak_per_s: delivered.and_then(|figures| figures.peak_per_s),
            scheduled: published(|entry| entry.scheduled),
            sent: published(|entry| entry.sent),
            to_no_subscriber: published(|entry| entry.to_no_subscriber),
            in_doubt: published(|entry| entry.in_doubt),
            in_doubt_came: published(|entry| entry.in_doubt_came),
            forgotten: published(|entry| entry.forgotten),
            unsent: run.measured.accounting.unsent(),
            unsent_unexplained: published(|entry| entry.unsent_unexplained),
            expected: sum(|entry| entry.expected),
            excused: sum(|entry| entry.excused),
            delivered: sum(|entry| entry.delivered),
            lost: sum(|entry| entry.lost),
            duplicated: sum(|entry| entry.duplicated),
            forbidden: sum(|entry| entry.forbidden),
            duplicated_at_qos2: sum(|entry| if entry.qos == 2 { entry.duplicated } else { 0 }),
            reordered: sum(|entry| entry.reordered),
            corrupted: sum(|entry| entry.corrupted),
            mislabelled: sum(|entry| entry.mislabelled),
            misrouted: sum(|entry| entry.misrouted),
            e2e_latency: latencies.e2e_latency,
            e2e_latency_of: latencies.e2e_latency_of,
            e2e_service_time: latencies.e2e_service_time,
            connect_latency: latencies.connect_latency,
            schedule_lag: latencies.schedule_lag,
            peak_online: run.measured.connections.peak_online,
            refusals: refusals(run),
            errors: errors(run),
            ended_unasked: run.measured.connections.total().unexpected,
            processes_from_s: generator.measured.map(|used| used.from_s),
            processes_to_s: generator.measured.map(|used| used.to_s),
            broker_cpu_mean_cores: broker.measured.map(|used| used.cpu_cores.mean),
            broker_cpu_peak_cores: broker.measured.map(|used| used.cpu_cores.peak),
            broker_rss_peak_bytes: broker.measured.map(|used| used.rss_bytes.peak as u64),
            broker_rss_peak_of_run_bytes: broker.rss_peak_of_run(),
            broker_rss_per_connection_bytes: rss_per_connection(run),
            broker_cpu_s_per_million: cpu_per_million(run),
            generator_cpu_mean_cores: generator.measured.map(|used| used.cpu_cores.mean),
            generator_cpu_peak_cores: generator.measured.map(|used| used.cpu_cores.peak),
            generator_rss_peak_bytes: generator.measured.map(|used| used.rss_bytes.peak as u64),
            generator_rss_peak_of_run_bytes: generator.rss_peak_of_run(),
        }
    }
}

/// The figures of the population, if there is one alone beside what was late.
fn the_only_one(populations: &[Population]) -> Option<Latency> {
    let mut in_time = populations
        .iter()
        .filter(|population| !population.is_late());
    match (in_time.next(), in_time.next()) {
        (Some(population), None) => Latency::of(&population.histogram),
        (None, _) | (_, Some(_)) => None,
    }
}

fn refusals(run: &Run) -> Vec<String> {
    let refusals = run.measured.connections.refusals.iter();
    refusals.map(ToString::to_string).collect()
}

fn errors(run: &Run) -> BTreeMap<String, u64> {
    let mut errors = BTreeMap::new();
    for error in &run.measured.errors {
        *errors
            .entry(format!("{}: {}", error.area, error.reason))
            .or_default() += error.count;
    }
    errors
}

/// The mean over the measured part; `null` where memory grew so little that its allocator may have
/// had it in store.
fn rss_per_connection(run: &Run) -> Option<u64> {
    let broker = &run.resources.broker;
    let base = broker.samples.first()?.rss_bytes;
    let growth = broker.rss_peak_of_run()?.checked_sub(base)?;
    let each = broker.rss_per_connection(&run.measured.series)?;
    (growth >= GROWTH_TOLD_BYTES).then_some(each.mean.round() as u64)
}

fn cpu_per_million(run: &Run) -> Option<f64> {
    let used = run.resources.broker.measured?;
    let count = |event| Some(run.measured.rates.of_all(event)?.count);
    let messages = count(Event::Sent)? + count(Event::Delivered)?;
    (messages >= MESSAGES_FOR_CPU).then(|| used.cpu_s / messages as f64 * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// Rates are those of the measured part: connecting, warm-up and drain do not dilute them.
    #[test]
    fn rates_are_of_the_measured_phase() {
        let run = sample::passing();

        let summary = Summary::of(&run);

        let measured = &run.measured.series.intervals[20..120];
        let scheduled: u64 = measured.iter().map(|interval| interval.scheduled).sum();
        let sent: u64 = measured.iter().map(|interval| interval.sent).sum();
        assert_eq!(summary.offered_per_s, Some(scheduled as f64 / 100.0));
        assert_eq!(summary.achieved_per_s, Some(sent as f64 / 100.0));
    }

    /// Latency is kept apart by group and QoS, without warm-up; a total is there for one alone.
    #[test]
    fn latency_is_by_group_and_qos() {
        let mut run = sample::passing();

        let two = Summary::of(&run);
        let cells = &mut run.measured.metrics.cells;
        cells.retain(|cell| cell.tags.get("qos").is_none_or(|qos| qos != "2"));
        let one = Summary::of(&run);

        let counts: Vec<u64> = two
            .e2e_latency_of
            .iter()
            .map(|of| of.latency.count)
            .collect();
        assert_eq!(counts, [40_000, 8_000]);
        assert_eq!(two.e2e_latency, None);
        let latency = one.e2e_latency.unwrap();
        assert_eq!(latency, one.e2e_latency_of[0].latency);
        assert!(latency.percentile_us(Percentile::P99_9).is_some());
        // 40,000 samples are too few: p99.99 needs 100,000.
        assert_eq!(latency.percentile_us(Percentile::P99_99), None);
        assert!(latency.percentiles_us[..5].is_sorted());
    }

    /// A run without data has no figures rather than zeros.
    #[test]
    fn an_empty_run_has_no_figures() {
        let summary = Summary::of(&sample::empty());

        assert_eq!(summary.offered_per_s, None);
        assert_eq!(summary.e2e_latency, None);
        assert_eq!(summary.broker_rss_per_connection_bytes, None);
    }

    /// Growth by a page or two says nothing about a connection: no figure rather than `0 B`.
    #[test]
    fn cost_of_a_connection_is_not_guessed() {
        let mut run = sample::passing();
        let base = run.resources.broker.samples[0];
        run.resources.broker.rss_peak_of_run_bytes = base.rss_bytes + 4_096;

        let summary = Summary::of(&run);

        assert_eq!(summary.broker_rss_per_connection_bytes, None);
    }

    /// A connection costs what memory grew by, not what the broker needs for itself, at each reading for
    /// the devices that were online then.
    #[test]
    fn cost_of_a_connection_is_growth() {
        let summary = Summary::of(&sample::passing());

        let bytes = summary.broker_rss_per_connection_bytes.unwrap();

        // 7.4 MiB for 5,004 devices in 91 of 100 seconds, for 3,500 in the 9 of the faults.
        let each = 7.4 * 1_048_576.0 * (0.91 / 5_004.0 + 0.09 / 3_500.0);
        assert!((bytes as f64 - each).abs() < 5.0, "{bytes}, not {each}");
    }
}
