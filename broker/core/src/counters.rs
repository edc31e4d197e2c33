//! What the broker counts: monotonic counts of events, and gauges of what it holds.
//!
//! No decision of the broker depends on a counter.

use squall_protocol::QoS;

/// Why a message, or one subscriber's copy of it, was dropped.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum DropReason {
    /// It waited longest in a full queue ([`crate::QueuePolicy::DropOldest`]).
    QueueFullOldest,
    /// It came to a full queue ([`crate::QueuePolicy::DropNewest`]).
    QueueFullNewest,
    /// It was refused for a full queue ([`crate::QueuePolicy::Reject`]).
    QueueFullRejected,
    /// QoS 0 for a socket with too much to write.
    SlowConsumer,
    /// QoS 0 for a Session without a Network Connection.
    OfflineQos0,
    /// Its Message Expiry Interval passed before it was sent [MQTT-3.3.2-5].
    Expired,
    /// Larger than the client's Maximum Packet Size [MQTT-3.1.2-25].
    PacketTooLarge,
    /// It waited for a Session that ended.
    SessionEnded,
    /// It waited for a shared subscription whose last member left.
    GroupEnded,
    /// The retained message store is full: it was refused, or delivered and not stored
    /// ([`crate::RetainedLimits`]).
    RetainedFull,
    /// A client published to a topic of the server's own (§4.7.2).
    ReservedTopic,
}

impl DropReason {
    /// Every reason, in the order of the counts.
    pub const ALL: [Self; 11] = [
        Self::QueueFullOldest,
        Self::QueueFullNewest,
        Self::QueueFullRejected,
        Self::SlowConsumer,
        Self::OfflineQos0,
        Self::Expired,
        Self::PacketTooLarge,
        Self::SessionEnded,
        Self::GroupEnded,
        Self::RetainedFull,
        Self::ReservedTopic,
    ];

    /// A name for logs, metrics and `$SYS`, in snake case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueFullOldest => "queue_full_oldest",
            Self::QueueFullNewest => "queue_full_newest",
            Self::QueueFullRejected => "queue_full_rejected",
            Self::SlowConsumer => "slow_consumer",
            Self::OfflineQos0 => "offline_qos0",
            Self::Expired => "expired",
            Self::PacketTooLarge => "packet_too_large",
            Self::SessionEnded => "session_ended",
            Self::GroupEnded => "group_ended",
            Self::RetainedFull => "retained_full",
            Self::ReservedTopic => "reserved_topic",
        }
    }
}

/// A snapshot of what the broker counted since it was made and what it holds now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// Network Connections opened.
    pub connections_opened: u64,
    /// Network Connections that ended, by the client, the broker or the network.
    pub connections_closed: u64,
    /// CONNECTs answered with Success.
    pub clients_accepted: u64,
    /// CONNECTs answered with an error.
    pub clients_refused: u64,
    /// Connections displaced by a CONNECT with their Client Identifier [MQTT-3.1.4-3].
    pub takeovers: u64,
    /// Connections closed for silence [MQTT-3.1.2-22].
    pub keep_alive_timeouts: u64,
    /// Connections closed because their peer broke the protocol or sent a Malformed Packet.
    pub protocol_errors: u64,
    /// Connections closed because the peer did not read ([`crate::OutboxLimits::hard_bytes`]).
    pub outbox_overflows: u64,
    /// Bytes that came in.
    pub bytes_received: u64,
    /// Bytes put into outboxes.
    pub bytes_sent: u64,
    /// PUBLISH packets that came in, by QoS.
    pub publishes_received: [u64; 3],
    /// PUBLISH packets put into outboxes, by QoS, repetitions included.
    pub publishes_sent: [u64; 3],
    /// PUBLISH packets of `publishes_sent` that were repetitions.
    pub publishes_repeated: u64,
    /// Will Messages published (§3.1.2.5).
    pub wills_published: u64,
    /// Sessions that ended because their Session Expiry Interval passed.
    pub sessions_expired: u64,
    /// By [`DropReason`]; see [`Self::dropped`].
    dropped: [u64; DropReason::ALL.len()],
    /// Gauge: Network Connections, whether or not CONNECT came.
    pub connections: usize,
    /// Gauge: Sessions with a Network Connection.
    pub clients_connected: usize,
    /// Gauge: Sessions, connected or not.
    pub sessions: usize,
    /// Gauge: subscriptions of all Sessions.
    pub subscriptions: usize,
    /// Gauge: retained messages of clients.
    pub retained_messages: usize,
    /// Gauge: bytes of the retained messages.
    pub retained_bytes: usize,
    /// Gauge: messages that wait in queues.
    pub queued_messages: usize,
}

impl Counters {
    /// Messages dropped for this reason, counted once per subscriber that lost one.
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Messages dropped for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    pub(crate) fn count_dropped(&mut self, reason: DropReason, messages: usize) {
        self.dropped[reason as usize] += messages as u64;
    }

    pub(crate) fn count_received(&mut self, qos: QoS) {
        self.publishes_received[qos as usize] += 1;
    }

    pub(crate) fn count_sent(&mut self, qos: QoS) {
        self.publishes_sent[qos as usize] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of reasons is complete and in the order of the discriminants.
    #[test]
    fn every_drop_reason_has_its_own_count() {
        let mut counters = Counters::default();

        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
            counters.count_dropped(reason, index + 1);
        }

        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(counters.dropped(reason), index as u64 + 1);
        }
    }
}
