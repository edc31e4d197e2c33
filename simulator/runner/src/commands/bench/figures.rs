//! What one trial of a bench found.

use serde::Serialize;
use squall_run::Histogram;
use squall_saturate::{Account, Counters};

use crate::machine::process::Usage;

/// Samples beyond a percentile below which it is not told.
const SAMPLES_BEYOND_MIN: f64 = 10.0;
/// Connections below which their memory is not told: a process grows by pages.
const CONNECTIONS_MIN: u64 = 50;
/// Messages below which nothing is told for each of them.
const MESSAGES_MIN: u64 = 100;

/// A core that is busy for more than this has no room left, as a share.
pub const BUSY: f64 = 0.9;

/// A reading at one end of the measured time.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Seconds of the same clock.
    pub at_s: f64,
    /// What the engine has done.
    pub counters: Counters,
    /// Processor seconds of the generator's thread.
    pub generator_s: f64,
    /// `None` if the broker's processes are not known.
    pub broker: Option<Usage>,
    /// Context switches of the broker's threads; `None` if they are not known.
    pub switches: Option<u64>,
    /// Bytes that the broker's processes have written to disks; `None` if they are not known.
    pub written_bytes: Option<u64>,
}

/// What the figures of a trial are for each of.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Messages at a subscriber.
    Delivered,
    /// Messages that the broker acknowledged.
    Acknowledged,
    /// Messages that were written.
    Published,
    /// Clients that were connected.
    Connected,
}

/// What a trial has seen.
pub struct Seen {
    /// At the beginning of the measured time.
    pub before: Reading,
    /// At its end.
    pub after: Reading,
    /// Of what was delivered in it.
    pub latencies: Histogram,
    /// Of all messages, after the drain.
    pub account: Account,
    /// The broker's memory before the first connection, and with all of them.
    pub idle_bytes: Option<u64>,
    /// The same with all connections.
    pub connected_bytes: Option<u64>,
    /// Clients.
    pub connections: u64,
    /// What the figures are for each of.
    pub counted: Counted,
    /// Of messages and subscriptions.
    pub qos: u8,
    /// Of each publisher, as far as the broker allows it.
    pub unacknowledged_max: u32,
}

/// The figures of a trial. What could not be measured, or has too few samples, is left out.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Seconds that were measured.
    pub seconds: f64,
    /// What `messages_per_s` and the figures for each message count.
    pub counted: Counted,
    /// In the measured time.
    pub messages: u64,
    /// Of `messages`.
    pub messages_per_s: f64,
    /// Messages that publishers were given.
    pub published_per_s: f64,
    /// Processor time of all the broker's processes, user and system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_cpu_us_per_message: Option<f64>,
    /// Cores that the broker kept busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_cores: Option<f64>,
    /// At the end of the measured time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_rss_bytes: Option<u64>,
    /// What the broker's memory grew by for each client, before the load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_bytes_per_connection: Option<f64>,
    /// Context switches of the broker's threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_switches_per_message: Option<f64>,
    /// Bytes that the broker's processes wrote to disks; left out where that is nothing, as on a file system in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_written_bytes_per_message: Option<f64>,
    /// Processor time of the generator's thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generator_cpu_us_per_message: Option<f64>,
    /// Share of a core that the generator kept busy.
    pub generator_cores: f64,
    /// Unacknowledged messages that each publisher could have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unacknowledged_max: Option<u32>,
    /// Of what was delivered in the measured time.
    pub latency: Latency,
    /// Of all that was published.
    pub account: AccountFigures,
    /// Times that a closed loop took messages for lost.
    pub stalls: u64,
    /// Most messages of an open loop that were due and could not be sent.
    pub backlog_max: u64,
}

/// Latencies in microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// Deliveries.
    pub samples: u64,
    /// Half are faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_us: Option<u64>,
    /// Of ten, nine are faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90_us: Option<u64>,
    /// Of twenty, all but one are faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_us: Option<u64>,
    /// Of a hundred, all but one are faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<u64>,
    /// Of a thousand, all but one are faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999_us: Option<u64>,
    /// None is slower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_us: Option<u64>,
}

/// What became of all messages, warm-up and drain among them.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AccountFigures {
    /// Messages that were sent.
    pub published: u64,
    /// Of QoS 1 and 2, those that the broker acknowledged.
    pub acknowledged: u64,
    /// Deliveries, each once.
    pub delivered: u64,
    /// Deliveries that never came.
    pub lost: u64,
    /// Deliveries that came again.
    pub duplicated: u64,
    /// Deliveries that came after a later one of their publisher.
    pub reordered: u64,
    /// Messages at clients that had not subscribed to them.
    pub misrouted: u64,
    /// Messages of another length, or never sent.
    pub corrupted: u64,
    /// Deliveries that came too late to be told from a copy.
    pub unclear: u64,
}

impl Figures {
    /// Of what a trial has seen.
    pub fn of(seen: &Seen) -> Self {
        let (before, after) = (&seen.before, &seen.after);
        let seconds = after.at_s - before.at_s;
        let counted =
            |count: fn(&Counters) -> u64| count(&after.counters) - count(&before.counters);
        let published = counted(|counters| counters.published);
        let messages = match seen.counted {
            Counted::Delivered => counted(|counters| counters.delivered),
            Counted::Acknowledged => counted(|counters| counters.acknowledged),
            Counted::Published => published,
            Counted::Connected => seen.connections,
        };
        let for_each = |amount: f64| (messages >= MESSAGES_MIN).then(|| amount / messages as f64);
        let broker_s = before.broker.zip(after.broker).map(|(before, after)| {
            (after.cpu + after.cpu_of_ended)
                .saturating_sub(before.cpu + before.cpu_of_ended)
                .as_secs_f64()
        });
        let generator_s = after.generator_s - before.generator_s;
        let switches = before.switches.zip(after.switches);
        let written = before.written_bytes.zip(after.written_bytes);
        let written = written.map(|(before, after)| after.saturating_sub(before));
        let grown = seen.idle_bytes.zip(seen.connected_bytes);
        let grown = grown.filter(|_| seen.connections >= CONNECTIONS_MIN);
        Self {
            seconds,
            counted: seen.counted,
            messages,
            messages_per_s: messages as f64 / seconds,
            published_per_s: published as f64 / seconds,
            broker_cpu_us_per_message: broker_s.and_then(|used| for_each(used * 1e6)),
            broker_cores: broker_s.map(|used| used / seconds),
            broker_rss_bytes: after.broker.map(|usage| usage.rss_bytes),
            broker_bytes_per_connection: grown.map(|(idle, connected)| {
                connected.saturating_sub(idle) as f64 / seen.connections as f64
            }),
            broker_switches_per_message: switches
                .and_then(|(before, after)| for_each(after.saturating_sub(before) as f64)),
            broker_written_bytes_per_message: written
                .filter(|written| *written > 0)
                .and_then(|written| for_each(written as f64)),
            generator_cpu_us_per_message: for_each(generator_s * 1e6),
            generator_cores: generator_s / seconds,
            unacknowledged_max: (seen.qos > 0).then_some(seen.unacknowledged_max),
            latency: Latency::of(&seen.latencies),
            account: AccountFigures::of(&seen.account),
            stalls: after.counters.stalls,
            backlog_max: after.counters.backlog_max,
        }
    }

    /// Whether the generator has no room left on its core, and the broker has on one.
    pub fn is_limited_by_generator(&self) -> bool {
        self.generator_cores > BUSY && self.broker_cores.is_some_and(|cores| cores < BUSY)
    }
}

impl Latency {
    /// Of a distribution.
    pub fn of(latencies: &Histogram) -> Self {
        let samples = latencies.count();
        let quantile = |quantile: f64| {
            let beyond = samples as f64 * (1.0 - quantile);
            let told = beyond >= SAMPLES_BEYOND_MIN;
            told.then(|| latencies.quantile_us(quantile)).flatten()
        };
        Self {
            samples,
            p50_us: quantile(0.5),
            p90_us: quantile(0.9),
            p95_us: quantile(0.95),
            p99_us: quantile(0.99),
            p999_us: quantile(0.999),
            max_us: latencies.max_us(),
        }
    }
}

impl AccountFigures {
    /// Of the engine's account.
    pub fn of(account: &Account) -> Self {
        Self {
            published: account.published,
            acknowledged: account.acknowledged,
            delivered: account.delivered,
            lost: account.lost,
            duplicated: account.duplicated,
            reordered: account.reordered,
            misrouted: account.misrouted,
            corrupted: account.corrupted,
            unclear: account.unclear,
        }
    }

    /// What the broker has done to messages of `qos` that it may not do (§4.3, §4.6).
    pub fn broken(&self, qos: u8) -> Vec<String> {
        let unacknowledged = match qos {
            0 => 0,
            _ => self.published.saturating_sub(self.acknowledged),
        };
        let counts = [
            (qos > 0, self.lost, "lost"),
            (qos > 0, unacknowledged, "never acknowledged"),
            (qos != 1, self.duplicated, "delivered twice"),
            (true, self.reordered, "out of order"),
            (
                true,
                self.misrouted,
                "sent to a client that had not subscribed to them",
            ),
            (true, self.corrupted, "changed, or not of this bench"),
        ];
        let broken = counts
            .into_iter()
            .filter(|(is_wrong, count, _)| *is_wrong && *count > 0);
        broken
            .map(|(_, count, what)| format!("{} {what}", squall_run::count_text(count)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A percentile with fewer than ten samples beyond it is left out.
    #[test]
    fn a_percentile_needs_samples_beyond_it() {
        let mut latencies = Histogram::new();
        for us in 1..=1000 {
            latencies.record_us(us);
        }

        let told = Latency::of(&latencies);

        assert_eq!((told.p50_us, told.p99_us), (Some(500), Some(990)));
        assert_eq!((told.p999_us, told.max_us), (None, Some(1000)));
    }

    #[test]
    fn figures_are_those_of_the_measured_time() {
        let reading = |at_s: f64, delivered: u64, cpu_ms: u64| Reading {
            at_s,
            counters: Counters {
                published: delivered + 7,
                delivered,
                ..Counters::default()
            },
            generator_s: at_s / 4.0,
            broker: Some(Usage {
                cpu: std::time::Duration::from_millis(cpu_ms),
                ..Usage::default()
            }),
            switches: Some(delivered / 10),
            written_bytes: Some(delivered * 64),
        };
        let seen = Seen {
            before: reading(1.0, 1000, 100),
            after: reading(3.0, 5000, 1100),
            latencies: Histogram::new(),
            account: Account::default(),
            idle_bytes: Some(1000),
            connected_bytes: Some(101_000),
            connections: 100,
            counted: Counted::Delivered,
            qos: 0,
            unacknowledged_max: 9,
        };

        let figures = Figures::of(&seen);

        assert_eq!((figures.messages, figures.messages_per_s), (4000, 2000.0));
        assert_eq!(figures.broker_cpu_us_per_message, Some(250.0));
        assert_eq!(figures.broker_cores, Some(0.5));
        assert_eq!(figures.broker_bytes_per_connection, Some(1000.0));
        assert_eq!(figures.broker_switches_per_message, Some(0.1));
        assert_eq!(figures.broker_written_bytes_per_message, Some(64.0));
        assert_eq!(figures.generator_cpu_us_per_message, Some(125.0));
        assert_eq!(figures.generator_cores, 0.25);
    }
}
