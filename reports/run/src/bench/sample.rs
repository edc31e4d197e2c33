//! Made-up benches for tests.

use super::figures::{AccountFigures, Counted, Figures, Latency};
use super::result::{About, BenchResult, Repeat, TargetResult};
use super::suite::{Suite, SuiteMachine, SuiteRow};

/// A trial in which the broker took `cpu_us` for each message.
pub fn figures(cpu_us: f64) -> Figures {
    Figures {
        seconds: 5.0,
        counted: Counted::Delivered,
        messages: 500_000,
        messages_per_s: 100_000.0,
        published_per_s: 100_000.0,
        broker_cpu_us_per_message: Some(cpu_us),
        broker_cores: Some(0.95),
        broker_rss_bytes: Some(9_000_000),
        broker_bytes_per_connection: Some(512.0),
        broker_switches_per_message: Some(0.01),
        broker_syscalls_per_message: Some(0.04),
        broker_syscalls_missing: None,
        broker_written_bytes_per_message: None,
        generator_cpu_us_per_message: Some(0.1),
        generator_cores: 0.3,
        generator_waited: None,
        generator_waited_for_broker: false,
        generator_lag: None,
        unacknowledged_max: None,
        latency: Latency {
            samples: 500_000,
            p50_us: Some(900),
            p90_us: Some(1200),
            p95_us: Some(1300),
            p99_us: Some(2000),
            p999_us: Some(4000),
            max_us: Some(9000),
        },
        account: AccountFigures {
            published: 500_000,
            acknowledged: 0,
            delivered: 500_000,
            lost: 0,
            duplicated: 0,
            reordered: 0,
            misrouted: 0,
            corrupted: 0,
            unclear: 0,
        },
        longest_pause_s: 0.0,
        stalls: 0,
        backlog_max: 0,
    }
}

/// A target with a trial for each of `cpu_us`.
pub fn target(name: &str, cpu_us: &[f64]) -> TargetResult {
    let repeats = cpu_us
        .iter()
        .map(|us| Repeat::Measured(Box::new(figures(*us))));
    TargetResult {
        software: Some(format!("{name} 1.2.3")),
        repeats: repeats.collect(),
        ..TargetResult::new(name.to_owned())
    }
}

/// A bench of pairs.
pub fn bench(targets: Vec<TargetResult>) -> BenchResult {
    BenchResult {
        about: About {
            bench: "pairs".to_owned(),
            publishers: 100,
            subscribers: 100,
            qos: 0,
            protocol: "3.1.1".to_owned(),
            payload_bytes: 16,
            window: Some(256),
            rate: None,
            pinned: true,
            cores: 2,
            cpu: "a processor".to_owned(),
        },
        targets,
        warnings: Vec::new(),
        exit_code: 0,
    }
}

/// A suite of two rows: pairs, and clients that only connect.
pub fn suite(targets: Vec<TargetResult>) -> Suite {
    let pairs = bench(targets.clone());
    let mut conn = bench(targets);
    conn.about.bench = "conn".to_owned();
    (
        conn.about.publishers,
        conn.about.subscribers,
        conn.about.window,
    ) = (10_000, 0, None);
    for repeat in conn
        .targets
        .iter_mut()
        .flat_map(|target| &mut target.repeats)
    {
        if let Repeat::Measured(figures) = repeat {
            figures.counted = Counted::Connected;
        }
    }
    let row = |id: &str, title: &str, result: BenchResult| SuiteRow {
        id: id.to_owned(),
        title: title.to_owned(),
        command: format!("squall bench {}", result.about.bench),
        result,
    };
    Suite {
        version: Suite::VERSION,
        squall: "0.1.0".to_owned(),
        started_at: "2026-11-29T10:02:00Z".to_owned(),
        machine: SuiteMachine {
            cpu: "a processor".to_owned(),
            cores: 2,
            memory_bytes: 4 << 30,
            kernel: "Linux 6.1".to_owned(),
        },
        pinned: true,
        repeat: 3,
        duration_s: 5.0,
        warmup_s: 1.0,
        command: "squall bench suite --pin".to_owned(),
        targets: pairs
            .targets
            .iter()
            .map(|target| target.name.clone())
            .collect(),
        rows: vec![
            row("pairs-qos0", "pairs 100 to 100, QoS 0", pairs),
            row("connections", "10,000 connections", conn),
        ],
        exit_code: 0,
    }
}
