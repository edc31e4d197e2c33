//! The figures of one trial of a bench.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Histogram, count_text, duration_text, share_text};

/// Samples beyond a percentile below which it is not told.
const SAMPLES_BEYOND_MIN: f64 = 10.0;

/// A core that is busy for more than this has no room left, as a share.
pub const BUSY: f64 = 0.9;
/// A core that is busy for less than this has room, as a share.
pub const ROOM: f64 = 0.5;
/// A generator that waits for a processor for a greater share of the time is held up.
const WAITED: f64 = 0.05;
/// A shorter pause of the broker is not told, in seconds.
const PAUSE_TOLD_S: f64 = 1.0;
/// Messages that a pause is long enough for, before it is told: at a low rate there is nothing to deliver most of the time.
const PAUSE_MESSAGES: f64 = 10.0;
/// A lag of the generator that is a greater share of the latency is told.
const LAG_TOLD: f64 = 0.25;

/// What the figures of a trial are for each of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// The figures of a trial. What could not be measured, or has too few samples, is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// System calls of the broker's threads, counted in a time of its own after what was measured, so that the counting costs the
    /// other figures nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_syscalls_per_message: Option<f64>,
    /// Why they could not be counted, and what would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_syscalls_missing: Option<String>,
    /// Bytes that the broker's processes wrote to disks; left out where that is nothing, as on a file system in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_written_bytes_per_message: Option<f64>,
    /// Processor time of the generator's thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generator_cpu_us_per_message: Option<f64>,
    /// Share of a core that the generator kept busy.
    pub generator_cores: f64,
    /// Share of the measured time that the generator's thread was ready and had no processor, because others had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_waited: Option<f64>,
    /// Whether it was the broker that had its processor meanwhile: the two together kept nearly all that there are busy.
    #[serde(default)]
    pub generator_waited_for_broker: bool,
    /// From when messages of an open loop were due to when their connections were given them: this much of their latency is the
    /// generator's. What waited for the broker is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_lag: Option<Latency>,
    /// Unacknowledged messages that each publisher could have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unacknowledged_max: Option<u32>,
    /// Of what was delivered in the measured time.
    pub latency: Latency,
    /// Of all that was published.
    pub account: AccountFigures,
    /// Longest time of the measured one in which nothing was delivered or acknowledged though something was owed, in seconds, to a tenth;
    /// earlier files lack it.
    #[serde(default)]
    pub longest_pause_s: f64,
    /// Times that a closed loop took messages for lost.
    pub stalls: u64,
    /// Most messages of an open loop that were due and could not be sent.
    pub backlog_max: u64,
}

/// Latencies in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// What is to be said where others had the generator's processor for so long that rates and latencies are theirs too.
    pub fn held_up_text(&self) -> Option<String> {
        let waited = self
            .waited()
            .filter(|_| !self.generator_waited_for_broker)?;
        Some(format!(
            "the generator was ready and had no processor for {} of the time, since other processes had it",
            share_text(waited)
        ))
    }

    fn waited(&self) -> Option<f64> {
        self.generator_waited.filter(|waited| *waited > WAITED)
    }

    /// What is to be said where the broker left the generator too little of the processors.
    pub fn crowded_out_text(&self) -> Option<String> {
        let waited = self.waited().filter(|_| self.generator_waited_for_broker)?;
        Some(format!(
            "the generator was ready and had no processor for {} of the time, since the broker kept them busy: rates and latencies are those of the two on one machine",
            share_text(waited)
        ))
    }

    /// What is to be said of a broker that stood still for a time.
    pub fn pause_text(&self) -> Option<String> {
        let pause_s = self.longest_pause_s;
        let is_told = pause_s >= PAUSE_TOLD_S && pause_s * self.published_per_s >= PAUSE_MESSAGES;
        is_told.then(|| {
            format!(
                "nothing came from the broker for {} though messages were under way: rates and latencies are those of a load with such a pause",
                duration_text(pause_s)
            )
        })
    }

    /// How much of the latency is the generator's lag, as a share of the 99th percentile of both.
    fn lag_share(&self) -> Option<f64> {
        let lag_us = self.generator_lag.as_ref()?.p99_us? as f64;
        Some(lag_us / (self.latency.p99_us?.max(1) as f64))
    }

    /// What is to be said where a good part of the latency is the generator's lag.
    pub fn lag_text(&self) -> Option<String> {
        let share = self.lag_share().filter(|share| *share > LAG_TOLD)?;
        let lag_us = self.generator_lag.as_ref()?.p99_us?;
        Some(format!(
            "the generator sent messages {} after they were due (p99), which is {} of the latency's p99: as much of that may not be the broker's",
            duration_text(lag_us as f64 / 1e6),
            share_text(share.min(1.0))
        ))
    }

    /// Whether neither the generator nor the broker was busy: a closed loop is then held back by something else.
    pub fn has_room_on_both_sides(&self) -> bool {
        self.generator_cores < ROOM && self.broker_cores.is_some_and(|cores| cores < ROOM)
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
    /// What the broker has done to messages of `qos` that it may not do (§4.3, §4.6).
    pub fn broken(&self, qos: u8) -> Vec<String> {
        let unacknowledged = match qos {
            0 => 0,
            _ => self.published.saturating_sub(self.acknowledged),
        };
        // What the broker never acknowledged it had not promised to deliver.
        let missing = match unacknowledged {
            0 => "lost",
            _ => "not delivered",
        };
        let counts = [
            (qos > 0, self.lost, missing),
            (
                qos > 0,
                unacknowledged,
                "never acknowledged, though the broker answered pings and had 2 s more",
            ),
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
            .map(|(_, count, what)| format!("{} {what}", count_text(count)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broker that stops answering is not told to have lost what it had not taken.
    #[test]
    fn what_was_never_acknowledged_is_not_called_lost() {
        let stopped = AccountFigures {
            published: 256,
            acknowledged: 248,
            delivered: 248,
            lost: 8,
            ..AccountFigures::default()
        };
        let losing = AccountFigures {
            acknowledged: 256,
            ..stopped
        };

        assert!(stopped.broken(1)[0].ends_with("8 not delivered"));
        assert!(stopped.broken(1)[1].starts_with("8 never acknowledged"));
        assert_eq!(losing.broken(1), ["8 lost"]);
    }

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
}
