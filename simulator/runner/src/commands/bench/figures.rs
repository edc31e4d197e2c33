//! What one trial of a bench found.

use std::time::Duration;

use squall_run::Histogram;
use squall_run::bench::{AccountFigures, Counted, Figures, Latency};
use squall_saturate::{Account, Counters};

use crate::machine::process::Usage;

/// Connections below which their memory is not told: a process grows by pages.
const CONNECTIONS_MIN: u64 = 50;
/// Of the cores, what broker and generator keep busy so that others cannot have had much of them.
const NEARLY_ALL: f64 = 0.9;
/// Messages below which nothing is told for each of them.
const MESSAGES_MIN: u64 = 100;

/// A reading at one end of the measured time.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Seconds of the same clock.
    pub at_s: f64,
    /// What the engine has done.
    pub counters: Counters,
    /// Processor seconds of the generator's thread.
    pub generator_s: f64,
    /// Seconds that it was ready and had no processor; `None` where the system does not count them.
    pub generator_waited_s: Option<f64>,
    /// `None` if the broker's processes are not known.
    pub broker: Option<Usage>,
    /// Context switches of the broker's threads; `None` if they are not known.
    pub switches: Option<u64>,
    /// Bytes that the broker's processes have written to disks; `None` if they are not known.
    pub written_bytes: Option<u64>,
}

/// What is known of the broker's system calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemCalls {
    /// They were counted for a time of its own.
    Counted {
        /// System calls.
        calls: u64,
        /// What figures are for each of, in the same time.
        messages: u64,
    },
    /// They cannot be counted here, for this reason.
    Missing(String),
    /// They were not asked for.
    NotAsked,
}

/// What a trial has seen.
pub struct Seen {
    /// At the beginning of the measured time.
    pub before: Reading,
    /// At its end.
    pub after: Reading,
    /// Of what was delivered in it.
    pub latencies: Histogram,
    /// How late they were sent, in an open loop.
    pub lags: Histogram,
    /// In which nothing came.
    pub longest_pause: Duration,
    /// Of all messages, after the drain.
    pub account: Account,
    /// The broker's memory before the first connection, and with all of them.
    pub idle_bytes: Option<u64>,
    /// The same with all connections.
    pub connected_bytes: Option<u64>,
    /// Cores that broker and generator have together; `None` where each has its own.
    pub shared_cores: Option<u32>,
    /// Clients.
    pub connections: u64,
    /// What the figures are for each of.
    pub counted: Counted,
    /// Of messages and subscriptions.
    pub qos: u8,
    /// Of each publisher, as far as the broker allows it.
    pub unacknowledged_max: u32,
    /// Of the broker.
    pub system_calls: SystemCalls,
}

/// Of what a trial has seen.
pub fn of(seen: &Seen) -> Figures {
    let (before, after) = (&seen.before, &seen.after);
    let seconds = after.at_s - before.at_s;
    let published = after.counters.published - before.counters.published;
    let messages = match seen.counted {
        Counted::Connected => seen.connections,
        Counted::Delivered | Counted::Acknowledged | Counted::Published => {
            count_of(seen.counted, &after.counters) - count_of(seen.counted, &before.counters)
        }
    };
    let for_each = |amount: f64| (messages >= MESSAGES_MIN).then(|| amount / messages as f64);
    let broker_s = before.broker.zip(after.broker);
    let broker_s = broker_s.map(|(before, after)| cpu_s_between(before, after));
    let generator_s = after.generator_s - before.generator_s;
    let switches = before.switches.zip(after.switches);
    let written = before.written_bytes.zip(after.written_bytes);
    let written = written.map(|(before, after)| after.saturating_sub(before));
    let grown = seen.idle_bytes.zip(seen.connected_bytes);
    let grown = grown.filter(|_| seen.connections >= CONNECTIONS_MIN);
    Figures {
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
        broker_syscalls_per_message: match seen.system_calls {
            SystemCalls::Counted { calls, messages } if messages >= MESSAGES_MIN => {
                Some(calls as f64 / messages as f64)
            }
            SystemCalls::Counted { .. } | SystemCalls::Missing(_) | SystemCalls::NotAsked => None,
        },
        broker_syscalls_missing: match &seen.system_calls {
            SystemCalls::Missing(why) => Some(why.clone()),
            SystemCalls::Counted { .. } | SystemCalls::NotAsked => None,
        },
        broker_written_bytes_per_message: written
            .filter(|written| *written > 0)
            .and_then(|written| for_each(written as f64)),
        generator_cpu_us_per_message: for_each(generator_s * 1e6),
        generator_cores: generator_s / seconds,
        generator_waited: (before.generator_waited_s.zip(after.generator_waited_s))
            .map(|(before, after)| (after - before) / seconds),
        generator_waited_for_broker: broker_s.zip(seen.shared_cores).is_some_and(
            |(broker_s, cores)| broker_s + generator_s > NEARLY_ALL * f64::from(cores) * seconds,
        ),
        generator_lag: (seen.lags.count() > 0).then(|| Latency::of(&seen.lags)),
        unacknowledged_max: (seen.qos > 0).then_some(seen.unacknowledged_max),
        latency: Latency::of(&seen.latencies),
        account: account_of(&seen.account),
        longest_pause_s: seen.longest_pause.as_secs_f64(),
        stalls: after.counters.stalls,
        backlog_max: after.counters.backlog_max,
    }
}

/// Processor seconds of the broker, those of its children among them.
fn cpu_s_between(before: Usage, after: Usage) -> f64 {
    let all = |usage: Usage| usage.cpu_clock + usage.cpu_of_ended;
    all(after).saturating_sub(all(before)).as_secs_f64()
}

/// How many of what figures are for each of there have been; of clients that only connect none are messages.
pub fn count_of(counted: Counted, counters: &Counters) -> u64 {
    match counted {
        Counted::Delivered => counters.delivered,
        Counted::Acknowledged => counters.acknowledged,
        Counted::Published => counters.published,
        Counted::Connected => 0,
    }
}

/// Of the engine's account.
pub fn account_of(account: &Account) -> AccountFigures {
    AccountFigures {
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

#[cfg(test)]
mod tests {
    use super::*;

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
            generator_waited_s: Some(at_s / 8.0),
            broker: Some(Usage {
                cpu_clock: std::time::Duration::from_millis(cpu_ms),
                ..Usage::default()
            }),
            switches: Some(delivered / 10),
            written_bytes: Some(delivered * 64),
        };
        let seen = Seen {
            before: reading(1.0, 1000, 100),
            after: reading(3.0, 5000, 1100),
            latencies: Histogram::new(),
            lags: Histogram::new(),
            longest_pause: Duration::ZERO,
            account: Account::default(),
            idle_bytes: Some(1000),
            connected_bytes: Some(101_000),
            shared_cores: Some(2),
            connections: 100,
            counted: Counted::Delivered,
            qos: 0,
            unacknowledged_max: 9,
            system_calls: SystemCalls::Counted {
                calls: 50,
                messages: 200,
            },
        };

        let figures = of(&seen);

        assert_eq!((figures.messages, figures.messages_per_s), (4000, 2000.0));
        assert_eq!(figures.broker_cpu_us_per_message, Some(250.0));
        assert_eq!(figures.broker_cores, Some(0.5));
        assert_eq!(figures.broker_bytes_per_connection, Some(1000.0));
        assert_eq!(figures.broker_switches_per_message, Some(0.1));
        assert_eq!(figures.broker_written_bytes_per_message, Some(64.0));
        assert_eq!(figures.broker_syscalls_per_message, Some(0.25));
        assert_eq!(figures.broker_syscalls_missing, None);
        assert_eq!(figures.generator_cpu_us_per_message, Some(125.0));
        assert_eq!(figures.generator_cores, 0.25);
        assert!(
            !figures.generator_waited_for_broker,
            "they use 0.75 of 2 cores"
        );
        let one = Seen {
            shared_cores: Some(0),
            ..seen
        };
        assert!(of(&one).generator_waited_for_broker);
    }
}
