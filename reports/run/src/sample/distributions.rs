//! Distributions and counters over time of the made-up runs.

use crate::{
    CountedFrom, Direction, Event, Histogram, Interval, IntervalLatency, LatencySpent, MetricCell,
    MetricName, Metrics, NetworkFigure, NetworkOutcome, PhaseKind, ProcessLog, Quantile, RateEntry,
    Rates, Reading, Resources, ScenarioDelay, Series, SpentBy, SpentRow, Tags, Value,
};

/// A small generator (Lehmer, modulus 2^31 - 1): the same numbers on every machine.
struct Draws(u64);

impl Draws {
    /// A number from `[0, 1)`.
    fn unit(&mut self) -> f64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0 as f64 / 2_147_483_647.0
    }

    /// A lognormal number: `median` times e to the power of `sigma` times a nearly normal draw.
    fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        let normal = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        median * (sigma * normal).exp()
    }
}

fn lognormal_us(seed: u64, count: u32, median_us: f64, sigma: f64) -> Histogram {
    let mut draws = Draws(seed);
    let mut histogram = Histogram::new();
    for _ in 0..count {
        histogram.record_us(draws.lognormal(median_us, sigma) as u64);
    }
    histogram
}

fn cell(name: MetricName, pairs: &[(&str, &str)], histogram: Histogram) -> MetricCell {
    let mut tags: Tags = pairs
        .iter()
        .map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned()))
        .collect();
    tags.entry("phase".to_owned())
        .or_insert_with(|| "measure".to_owned());
    MetricCell {
        name,
        counted_from: CountedFrom::Scheduled,
        tags,
        histogram,
    }
}

pub(super) fn metrics() -> Metrics {
    let mut cells = latencies();
    cells.extend(qos2_legs());
    cells.extend(wills());
    cells.push(cell(
        MetricName::TakeoverTime,
        &[("group", "twins")],
        lognormal_us(21, 3_000, 800.0, 0.9),
    ));
    cells.push(cell(
        MetricName::RoundTrip,
        &[("group", "backend")],
        lognormal_us(24, 1_190, 25_000.0, 0.4),
    ));
    cells.push(cell(
        MetricName::ReconnectDelay,
        &[("group", "twins")],
        lognormal_us(22, 3_000, 900_000.0, 0.5),
    ));
    cells.push(cell(
        MetricName::ScheduleLag,
        &[],
        lognormal_us(23, 60_000, 90.0, 0.7),
    ));
    Metrics { cells }
}

fn latencies() -> Vec<MetricCell> {
    use MetricName as Name;
    let one = [("group", "backend"), ("qos", "1")];
    let two = [("group", "backend"), ("qos", "2")];
    let warmup = [("group", "backend"), ("qos", "1"), ("phase", "warmup")];
    let sensors = [("group", "sensors")];
    let mut served = cell(
        Name::E2eLatency,
        &one,
        lognormal_us(11, 40_000, 58_000.0, 0.5),
    );
    served.counted_from = CountedFrom::Sent;
    vec![
        cell(
            Name::E2eLatency,
            &one,
            lognormal_us(7, 40_000, 64_000.0, 0.62),
        ),
        cell(
            Name::E2eLatency,
            &two,
            lognormal_us(8, 8_000, 190_000.0, 0.4),
        ),
        cell(
            Name::E2eLatency,
            &warmup,
            lognormal_us(9, 4_000, 90_000.0, 0.8),
        ),
        served,
        cell(
            Name::AckLatency,
            &sensors,
            lognormal_us(12, 40_000, 125_000.0, 0.55),
        ),
        cell(
            Name::ConnectLatency,
            &sensors,
            lognormal_us(13, 5_000, 240_000.0, 0.3),
        ),
        cell(
            Name::SubscribeLatency,
            &[("group", "backend")],
            lognormal_us(14, 4, 900.0, 0.3),
        ),
    ]
}

fn qos2_legs() -> Vec<MetricCell> {
    use MetricName as Name;
    let sensors = [("group", "sensors")];
    vec![
        cell(
            Name::Qos2Handshake,
            &sensors,
            lognormal_us(15, 8_000, 250_000.0, 0.4),
        ),
        cell(
            Name::Qos2Pubrec,
            &sensors,
            lognormal_us(16, 8_000, 121_000.0, 0.4),
        ),
        cell(
            Name::Qos2Pubrel,
            &sensors,
            lognormal_us(17, 8_000, 2_000.0, 1.2),
        ),
        cell(
            Name::Qos2Pubcomp,
            &sensors,
            lognormal_us(18, 8_000, 119_000.0, 0.4),
        ),
    ]
}

fn wills() -> Vec<MetricCell> {
    let will = |how, fault, histogram| {
        cell(
            MetricName::TimeToWill,
            &[("how", how), ("fault", fault)],
            histogram,
        )
    };
    let mut silent = Histogram::new();
    let mut draws = Draws(5);
    for _ in 0..1_000 {
        silent.record_us(15_000_000 + (draws.unit() * 260_000.0) as u64);
    }
    vec![
        will("silent", "power-cut", silent),
        will("rst", "socket-reset", lognormal_us(19, 400, 1_900.0, 0.7)),
        will("fin", "socket-close", lognormal_us(20, 400, 2_400.0, 0.7)),
    ]
}

/// 135 intervals of a second: connecting, load, and two faults that show.
pub(super) fn series() -> Series {
    let mut draws = Draws(99);
    let intervals = (0..135_u32).map(|second| {
        let is_loaded = (10..120).contains(&second);
        let is_hit = (40..46).contains(&second) || (80..83).contains(&second);
        let scheduled = if is_loaded {
            4_900 + (draws.unit() * 200.0) as u64
        } else {
            0
        };
        let sent = if is_hit {
            scheduled * 7 / 10
        } else {
            scheduled
        };
        let median_us = if is_hit { 420_000.0 } else { 64_000.0 };
        let seed = u64::from(second) + 1_000;
        let samples = if is_loaded { 600 } else { 0 };
        let e2e_latency_of = by_qos(seed, samples, median_us);
        Interval {
            start_s: f64::from(second),
            end_s: f64::from(second + 1),
            online: match second {
                0..10 => u64::from(second + 1) * 500,
                _ if is_hit => 3_500,
                _ => 5_004,
            },
            scheduled,
            sent,
            acknowledged: sent.saturating_sub(30),
            delivered: sent.saturating_sub(12),
            unstamped: 0,
            under_way: Some(match (is_hit, is_loaded) {
                (true, _) => 1_500,
                (false, true) => 300 + u64::from(second % 7) * 10,
                (false, false) => 0,
            }),
            connected: if second < 10 {
                500
            } else {
                u64::from(is_hit) * 240
            },
            ended: u64::from(is_hit) * 250,
            connect_failed: u64::from(is_hit) * 7,
            wills: u64::from(is_hit) * 100,
            e2e_latency: Histogram::merged(e2e_latency_of.iter().map(|of| &of.latency)),
            e2e_latency_of,
            schedule_lag: lognormal_us(seed + 7, samples, 90.0, 0.7),
            connect_latency: lognormal_us(
                seed + 8,
                if second < 10 { 500 } else { 0 },
                61_000.0,
                0.3,
            ),
            sent_payload_bytes: sent * 64,
            delivered_payload_bytes: sent.saturating_sub(12) * 64,
        }
    });
    Series {
        intervals: intervals.collect(),
    }
}

/// Five of six messages came at QoS 1, the others at QoS 2 in twice the time.
fn by_qos(seed: u64, samples: u32, median_us: f64) -> Vec<IntervalLatency> {
    let of = |qos, latency| IntervalLatency {
        group: "backend".to_owned(),
        qos,
        late: false,
        latency,
    };
    let mut all = vec![
        of(1, lognormal_us(seed, samples / 6 * 5, median_us, 0.6)),
        of(
            2,
            lognormal_us(seed + 500, samples / 6, 2.0 * median_us, 0.4),
        ),
    ];
    all.retain(|of| !of.latency.is_empty());
    all
}

/// Most of the time of most messages is the link's; that of the slowest is the broker's.
pub(super) fn spent() -> Vec<LatencySpent> {
    let row = |of, count, parts_us: [f64; 5]| SpentRow {
        of,
        count,
        latency_us: parts_us.iter().sum(),
        parts_us,
    };
    vec![LatencySpent {
        group: "backend".to_owned(),
        qos: 1,
        count: 48_000,
        undivided: 12,
        rows: vec![
            row(SpentBy::Median, 480, [120.0, 0.0, 61_000.0, 880.0, 0.0]),
            row(SpentBy::P99, 480, [300.0, 0.0, 405_000.0, 6_700.0, 0.0]),
            row(
                SpentBy::Slowest,
                100,
                [900.0, 40_000.0, 410_000.0, 190_000.0, 0.0],
            ),
        ],
    }]
}

/// What the links add, both ways.
pub(super) fn scenario_delays() -> Vec<ScenarioDelay> {
    let link = |network: NetworkOutcome| ScenarioDelay {
        cause: match network.direction {
            Direction::Up => "the link lte-poor up".to_owned(),
            Direction::Down => "the link lte-poor down".to_owned(),
        },
        what: "segments".to_owned(),
        times: network.total_delay,
    };
    networks().into_iter().map(link).collect()
}

pub(super) fn networks() -> Vec<NetworkOutcome> {
    let sigma = (450.0_f64 / 60.0).ln() / 2.326;
    // Quantiles of the standard normal distribution.
    let normal = [
        (0.01, -2.326),
        (0.05, -1.645),
        (0.1, -1.282),
        (0.25, -0.674),
        (0.5, 0.0),
        (0.75, 0.674),
        (0.9, 1.282),
        (0.95, 1.645),
        (0.99, 2.326),
        (0.999, 3.09),
    ];
    let configured: Vec<Quantile> = normal
        .iter()
        .map(|(quantile, z)| Quantile {
            quantile: *quantile,
            value_us: 60_000.0 * (sigma * z).exp(),
        })
        .collect();
    let figure = |name: &str, configured, measured, samples| NetworkFigure {
        name: name.to_owned(),
        configured,
        measured: Some(measured),
        samples,
        samples_needed: 1_000,
    };
    let link = |direction, seed| NetworkOutcome {
        profile: "lte-poor".to_owned(),
        direction,
        devices: 5_000,
        figures: vec![
            figure(
                "latency p50",
                Value::Seconds(0.06),
                Value::Seconds(0.0603),
                30_000,
            ),
            figure(
                "latency p99",
                Value::Seconds(0.45),
                Value::Seconds(0.447),
                30_000,
            ),
            figure("loss", Value::Ratio(0.0079), Value::Ratio(0.0081), 30_000),
        ],
        configured_delay: configured.clone(),
        measured_delay: lognormal_us(seed, 30_000, 60_000.0, sigma),
        total_delay: lognormal_us(seed + 1, 30_000, 66_000.0, sigma * 1.1),
    };
    vec![link(Direction::Up, 301), link(Direction::Down, 303)]
}

/// One second of two processes, for 135 seconds.
pub(super) fn resources() -> Resources {
    let record = |cores: f64, base_mib: f64, grown_mib: f64| {
        let mut draws = Draws(3);
        let mut cpu_total_s = 0.0;
        let mut log = ProcessLog::default();
        for second in 0..135_u32 {
            let (phase, load) = match second {
                0..10 => (PhaseKind::Connect, 0.2),
                10..20 => (PhaseKind::Warmup, 1.0),
                20..120 => (PhaseKind::Measure, 1.0),
                _ => (PhaseKind::Drain, 0.2),
            };
            cpu_total_s += cores * load * (0.9 + draws.unit() * 0.2);
            let grown = grown_mib * (f64::from(second) / 12.0).min(1.0);
            let reading = Reading {
                at_s: f64::from(second),
                cpu_total_s,
                rss_bytes: ((base_mib + grown) * 1_048_576.0) as u64,
                descriptors: 20 + u64::from(second.min(10)) * 500,
            };
            log.add(Some(phase), reading);
        }
        log.record()
    };
    Resources {
        broker: record(0.31, 6.0, 7.4),
        generator: record(0.62, 22.0, 31.0),
        workers: None,
    }
}

/// What was counted in the intervals of `series` from 20 s to 120 s, all of one second.
pub(super) fn rates(series: &Series) -> Rates {
    let measured = &series.intervals[20..120];
    let events = [Event::Due, Event::Sent, Event::Delivered];
    let entries = events.into_iter().map(|event| {
        let counts = measured.iter().map(|interval| match event {
            Event::Due => interval.scheduled,
            Event::Sent => interval.sent,
            Event::Delivered => interval.first_deliveries(),
            Event::Connected => interval.connected,
            Event::Dropped | Event::Error => 0,
        });
        let sum = counts.clone().sum();
        let is_windowed = event != Event::Due;
        RateEntry {
            event,
            tags: Tags::new(),
            count: sum,
            count_without_warmup: sum,
            emptiest_second: counts
                .clone()
                .min()
                .filter(|_| is_windowed)
                .map(|count| count as f64),
            fullest_second: counts
                .max()
                .filter(|_| is_windowed)
                .map(|count| count as f64),
        }
    });
    Rates {
        measured_s: 100.0,
        entries: entries.collect(),
    }
}
