//! Every key of the config file and the setting it changes.
//!
//! This table is the file's grammar: a key that is not here is unknown. What a key means, and its
//! default, stands in `squall-broker.toml`, which a test compares with this table.

use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::DeValue;

use super::Config;
use super::value::{
    Expected, address, boolean, duration, duration_or, integer, queue_policy, size,
};

/// One key.
pub(super) struct Key {
    /// Its table.
    pub(super) section: &'static str,
    /// Its name within the table.
    pub(super) name: &'static str,
    /// Applies a value to the config, or says what was expected instead.
    pub(super) apply: fn(&mut Config, &DeValue<'_>) -> Result<(), Expected>,
}

impl Key {
    /// Section and name, joined by a dot.
    pub(super) fn dotted(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }
}

/// Longest time any key takes.
const DAY: Duration = Duration::from_secs(86_400);
const PACKET_BYTES_MAX: u64 = squall_core::Config::PACKET_BYTES_MAX.get() as u64;
const SUBSCRIPTIONS_MAX: u64 = squall_core::Config::SUBSCRIPTIONS_MAX as u64;
const U16_MAX: u64 = u16::MAX as u64;
const U32_MAX: u64 = u32::MAX as u64;

/// Times between probes of the transport that Linux takes (tcp(7)).
const PROBE_TIMES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(32_767);
/// Most probes of the transport that Linux takes (tcp(7)).
const PROBES_MAX: u64 = 127;

/// All keys, in the order of the documented file.
pub(super) const KEYS: &[Key] = &[
    Key {
        section: "listen",
        name: "address",
        apply: |config, value| {
            config.listen.address = address(value)?;
            Ok(())
        },
    },
    Key {
        section: "listen",
        name: "port",
        apply: |config, value| {
            config.listen.port = integer(value, 0..=U16_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "listen",
        name: "backlog",
        apply: |config, value| {
            config.listen.backlog = integer(value, 1..=65_535)?;
            Ok(())
        },
    },
    Key {
        section: "listen",
        name: "connections_max",
        apply: |config, value| {
            config.listen.connections_max = integer(value, 1..=U32_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "listen",
        name: "allow_anonymous",
        apply: |config, value| {
            config.listen.allow_anonymous = boolean(value)?;
            Ok(())
        },
    },
    Key {
        section: "listen",
        name: "tcp_keepalive",
        apply: |config, value| {
            let idle = duration_or(value, "off", PROBE_TIMES)?;
            if let Some(idle) = idle {
                check_whole_seconds(idle)?;
            }
            config.listen.tcp_keepalive.idle = idle;
            Ok(())
        },
    },
    Key {
        section: "listen",
        name: "tcp_keepalive_interval",
        apply: |config, value| {
            let interval = duration(value, PROBE_TIMES)?;
            check_whole_seconds(interval)?;
            config.listen.tcp_keepalive.interval = interval;
            Ok(())
        },
    },
    Key {
        section: "listen",
        name: "tcp_keepalive_probes",
        apply: |config, value| {
            config.listen.tcp_keepalive.probes = integer(value, 1..=PROBES_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "server",
        name: "shards",
        apply: |config, value| {
            config.server.shards = non_zero_u16(value, U16_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "server",
        name: "shutdown_timeout",
        apply: |config, value| {
            config.server.shutdown_timeout = duration(value, Duration::ZERO..=DAY)?;
            Ok(())
        },
    },
    Key {
        section: "server",
        name: "close_timeout",
        apply: |config, value| {
            config.server.close_timeout = duration(value, Duration::ZERO..=DAY)?;
            Ok(())
        },
    },
    Key {
        section: "server",
        name: "sys_interval",
        apply: |config, value| {
            let range = Duration::from_secs(1)..=DAY;
            config.broker.sys_interval = duration_or(value, "off", range)?;
            Ok(())
        },
    },
    Key {
        section: "protocol",
        name: "connect_timeout",
        apply: |config, value| {
            let range = Duration::from_millis(100)..=DAY;
            config.broker.connect_timeout = duration(value, range)?;
            Ok(())
        },
    },
    Key {
        section: "protocol",
        name: "connect_size_max",
        apply: |config, value| {
            config.broker.connect_size_max = packet_size(value)?;
            Ok(())
        },
    },
    Key {
        section: "protocol",
        name: "maximum_packet_size",
        apply: |config, value| {
            config.broker.maximum_packet_size = packet_size(value)?;
            Ok(())
        },
    },
    Key {
        section: "protocol",
        name: "receive_maximum",
        apply: |config, value| {
            config.broker.receive_maximum = non_zero_u16(value, U16_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "protocol",
        name: "topic_alias_maximum",
        apply: |config, value| {
            config.broker.topic_alias_maximum = integer(value, 0..=U16_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "protocol",
        name: "topic_levels_max",
        apply: |config, value| {
            config.broker.topic_levels_max = non_zero_usize(value, 65_536)?;
            Ok(())
        },
    },
    Key {
        section: "session",
        name: "expiry_interval_max",
        apply: |config, value| {
            config.broker.session_expiry_interval_max = seconds_or_never(value)?;
            Ok(())
        },
    },
    Key {
        section: "session",
        name: "sessions_max",
        apply: |config, value| {
            config.broker.sessions_max = integer(value, 1..=U32_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "session",
        name: "subscriptions_max",
        apply: |config, value| {
            config.broker.subscriptions_per_session_max = integer(value, 1..=SUBSCRIPTIONS_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "session",
        name: "in_flight_max",
        apply: |config, value| {
            config.broker.in_flight_max = non_zero_u16(value, U16_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "queue",
        name: "messages_max",
        apply: |config, value| {
            config.broker.queue.messages_max = integer(value, 0..=U32_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "queue",
        name: "bytes_max",
        apply: |config, value| {
            config.broker.queue.bytes_max = size(value, 0..=1 << 40)?;
            Ok(())
        },
    },
    Key {
        section: "queue",
        name: "policy",
        apply: |config, value| {
            config.broker.queue.policy = queue_policy(value)?;
            Ok(())
        },
    },
    Key {
        section: "outbox",
        name: "soft",
        apply: |config, value| {
            config.broker.outbox.soft_bytes = size(value, 4_096..=1 << 30)?;
            Ok(())
        },
    },
    Key {
        section: "outbox",
        name: "hard",
        apply: |config, value| {
            config.broker.outbox.hard_bytes = size(value, 4_096..=1 << 30)?;
            Ok(())
        },
    },
    Key {
        section: "retained",
        name: "messages_max",
        apply: |config, value| {
            config.broker.retained.messages_max = integer(value, 0..=U32_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "retained",
        name: "bytes_max",
        apply: |config, value| {
            config.broker.retained.bytes_max = size(value, 0..=1 << 40)?;
            Ok(())
        },
    },
    Key {
        section: "retained",
        name: "replay_slice",
        apply: |config, value| {
            config.broker.retained.replay_slice = non_zero_usize(value, U32_MAX)?;
            Ok(())
        },
    },
    Key {
        section: "routing",
        name: "match_cache_topics_max",
        apply: |config, value| {
            config.broker.match_cache_topics_max = non_zero_usize(value, U32_MAX)?;
            Ok(())
        },
    },
];

/// Whole seconds as the protocol has them, where the highest number means without end (§3.1.2.11.2).
fn seconds_or_never(value: &DeValue<'_>) -> Result<u32, Expected> {
    let range = Duration::from_secs(1)..=Duration::from_secs(U32_MAX - 1);
    match duration_or(value, "never", range)? {
        None => Ok(u32::MAX),
        Some(longest) if longest.subsec_nanos() == 0 => {
            Ok(u32::try_from(longest.as_secs()).unwrap_or(u32::MAX))
        }
        Some(_) => Err(Expected::from("\"never\" or a whole number of seconds")),
    }
}

/// The system counts these times in seconds.
fn check_whole_seconds(time: Duration) -> Result<(), Expected> {
    match time.subsec_nanos() {
        0 => Ok(()),
        _ => Err(Expected::from("a whole number of seconds")),
    }
}

fn non_zero_u16(value: &DeValue<'_>, max: u64) -> Result<NonZeroU16, Expected> {
    let number: u16 = integer(value, 1..=max)?;
    Ok(NonZeroU16::new(number).expect("the range starts above 0"))
}

fn packet_size(value: &DeValue<'_>) -> Result<NonZeroU32, Expected> {
    let bytes: u32 = size(value, 64..=PACKET_BYTES_MAX)?;
    Ok(NonZeroU32::new(bytes).expect("the range starts above 0"))
}

fn non_zero_usize(value: &DeValue<'_>, max: u64) -> Result<NonZeroUsize, Expected> {
    let number: usize = integer(value, 1..=max)?;
    Ok(NonZeroUsize::new(number).expect("the range starts above 0"))
}
