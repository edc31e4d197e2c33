//! Every limit and choice of the broker, each with its unit.
//!
//! A `Config` is plain data and every value of it works: what could be wrong is ruled out by a
//! type (`NonZero…`) or given a meaning (0 messages: nothing is queued). The shell's config file
//! reads into it.

use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::time::Duration;

const fn non_zero_u16(value: u16) -> NonZeroU16 {
    NonZeroU16::new(value).expect("a constant above 0")
}

const fn non_zero_u32(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).expect("a constant above 0")
}

const fn non_zero_usize(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("a constant above 0")
}

/// The choices of one broker; [`Config::default`] suits a broker on one machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// Time from `Opened` to a whole CONNECT; then the connection is closed. 10 s.
    pub connect_timeout: Duration,
    /// Bytes of the largest CONNECT, the packet of a client that is not known yet. 256 KiB: room for
    /// the longest names, and for a will of up to 65,535 bytes.
    pub connect_size_max: NonZeroU32,
    /// QoS 1 and QoS 2 messages a 5.0 client may have unacknowledged towards us (§3.2.2.3.3).
    /// 1,024. 3.1.1 has no such limit but its Packet Identifiers.
    pub receive_maximum: NonZeroU16,
    /// Bytes of the largest packet we take (§3.2.2.3.6). 16 MiB; above
    /// [`Self::PACKET_BYTES_MAX`] it is taken as that.
    pub maximum_packet_size: NonZeroU32,
    /// Highest Topic Alias a client may use (§3.2.2.3.8). 16; 0 allows none.
    pub topic_alias_maximum: u16,
    /// Longest Session Expiry Interval granted, in seconds; a longer wish is cut and answered in
    /// CONNACK (§3.2.2.3.2). 0xFFFF_FFFF means that it never ends. Sessions of 3.1.1 with Clean Session 0 get
    /// the same.
    pub session_expiry_interval_max: u32,
    /// Levels a Topic Name or Topic Filter may have; more is answered with 0x90 or 0x8F. 256.
    pub topic_levels_max: NonZeroUsize,
    /// Sessions, of clients that are connected or away; a client who would need one more is refused
    /// with 0x97. 1,000,000.
    pub sessions_max: usize,
    /// Subscriptions one Session may hold; more is answered with 0x97. 10,000; above
    /// [`Self::SUBSCRIPTIONS_MAX`] it is taken as that.
    pub subscriptions_per_session_max: usize,
    /// QoS 1 and QoS 2 messages we send at once, even if the client's Receive Maximum is higher
    /// or its version has none. 1,024.
    pub in_flight_max: NonZeroU16,
    /// What waits for a Session that is offline or over its quota.
    pub queue: QueueLimits,
    /// What waits for a socket that is slower than its messages.
    pub outbox: OutboxLimits,
    /// The retained message store.
    pub retained: RetainedLimits,
    /// Topic Names whose matching wildcard filters are remembered. 65,536.
    pub match_cache_topics_max: NonZeroUsize,
    /// Time between two publications of the `$SYS` tree; `None` has none. 10 s.
    pub sys_interval: Option<Duration>,
    /// What `$SYS/broker/version` says.
    pub version: String,
}

impl Config {
    /// Most bytes of a packet that any config takes: 255 MiB. MQTT ends at 256, and a message may go
    /// out longer than it came in, by the topic that an alias stood for and by one Subscription
    /// Identifier for each of [`Self::SUBSCRIPTIONS_MAX`].
    pub const PACKET_BYTES_MAX: NonZeroU32 = non_zero_u32(255 * 1024 * 1024);
    /// Most subscriptions of one Session that any config takes.
    pub const SUBSCRIPTIONS_MAX: usize = 100_000;

    /// The same choices, none of them above what can be served.
    pub(crate) fn bounded(self) -> Self {
        Self {
            maximum_packet_size: self.maximum_packet_size.min(Self::PACKET_BYTES_MAX),
            subscriptions_per_session_max: self
                .subscriptions_per_session_max
                .min(Self::SUBSCRIPTIONS_MAX),
            ..self
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            connect_size_max: const { non_zero_u32(256 * 1024) },
            receive_maximum: const { non_zero_u16(1024) },
            maximum_packet_size: const { non_zero_u32(16 * 1024 * 1024) },
            topic_alias_maximum: 16,
            session_expiry_interval_max: u32::MAX,
            topic_levels_max: const { non_zero_usize(256) },
            sessions_max: 1_000_000,
            subscriptions_per_session_max: 10_000,
            in_flight_max: const { non_zero_u16(1024) },
            queue: QueueLimits::default(),
            outbox: OutboxLimits::default(),
            retained: RetainedLimits::default(),
            match_cache_topics_max: const { non_zero_usize(65_536) },
            sys_interval: Some(Duration::from_secs(10)),
            version: format!("squall {}", env!("CARGO_PKG_VERSION")),
        }
    }
}

/// Limits of one Session's queue, and of what a shared group keeps while no member is online.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QueueLimits {
    /// Messages. 10,000.
    pub messages_max: usize,
    /// Bytes of their topics, properties and payloads, each counted whole although bodies are
    /// shared. 16 MiB.
    pub bytes_max: usize,
    /// What is dropped when a limit is reached.
    pub policy: QueuePolicy,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            messages_max: 10_000,
            bytes_max: 16 * 1024 * 1024,
            policy: QueuePolicy::default(),
        }
    }
}

/// What a full queue does with a new message. Each drop is counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum QueuePolicy {
    /// The messages that wait longest make room.
    DropOldest,
    /// The new message is dropped for this Session.
    #[default]
    DropNewest,
    /// The publisher's message is not delivered and is answered with 0x97 (Quota exceeded). A
    /// 3.1.1 publisher cannot be told: for it this is [`Self::DropNewest`].
    Reject,
}

/// Limits of the bytes that wait for one socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OutboxLimits {
    /// Above this, QoS 0 messages are dropped and QoS 1 and 2 messages stay in the queue until
    /// [`crate::Input::Drained`]. 256 KiB.
    pub soft_bytes: usize,
    /// Above this, the connection is closed: its peer sends but does not read. 1 MiB. A message
    /// that is larger on its own does not count.
    pub hard_bytes: usize,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self {
            soft_bytes: 256 * 1024,
            hard_bytes: 1024 * 1024,
        }
    }
}

/// Limits of the retained message store; what the broker itself says in `$SYS` does not count.
///
/// A message beyond them is answered with 0x97 (Quota exceeded) and is not delivered, if its
/// publisher can be told: 5.0 at QoS 1 or 2. From a 3.1.1 client, at QoS 0, and as a will, it is
/// delivered and not stored, and its topic's older message is forgotten. Either is counted as
/// [`crate::DropReason::RetainedFull`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RetainedLimits {
    /// Messages. 1,000,000.
    pub messages_max: usize,
    /// Bytes of their topics, properties and payloads. 1 GiB.
    pub bytes_max: usize,
    /// Stored messages looked at for one subscription, or forgotten because they expired, before
    /// others get their turn. 4,096.
    pub replay_slice: NonZeroUsize,
}

impl Default for RetainedLimits {
    fn default() -> Self {
        Self {
            messages_max: 1_000_000,
            bytes_max: 1024 * 1024 * 1024,
            replay_slice: const { non_zero_usize(4096) },
        }
    }
}

#[cfg(test)]
mod tests {
    use squall_protocol::codec::PACKET_BYTES_MAX;

    use super::*;

    /// What delivery may add to the largest packet still makes a packet (§2.1.4).
    #[test]
    fn the_largest_packet_can_be_delivered() {
        let topic_bytes = 65_535;
        let length_bytes = 8;
        let identifiers = 5 * Config::SUBSCRIPTIONS_MAX as u32;

        let delivered = Config::PACKET_BYTES_MAX.get() + topic_bytes + length_bytes + identifiers;

        assert!(delivered <= PACKET_BYTES_MAX, "{delivered} bytes");
    }

    /// A choice above what can be served is the highest that can.
    #[test]
    fn choices_are_bounded() {
        let config = Config {
            maximum_packet_size: NonZeroU32::MAX,
            subscriptions_per_session_max: usize::MAX,
            ..Config::default()
        };

        let bounded = config.bounded();

        assert_eq!(bounded.maximum_packet_size, Config::PACKET_BYTES_MAX);
        let subscriptions = bounded.subscriptions_per_session_max;
        assert_eq!(subscriptions, Config::SUBSCRIPTIONS_MAX);
    }
}
