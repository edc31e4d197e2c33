//! One publisher: what it may send now, and its messages as bytes.

use squall_protocol::codec::{PublishFlags, PublishTemplate};
use squall_protocol::packet::{Publish, PublishProperties};
use squall_protocol::{PacketId, QoS};

use crate::limits::OUT_BYTES_MAX;
use crate::load::{Load, Pace, PublisherSpec};
use crate::stamp::Stamp;

/// A publisher's messages.
#[derive(Debug)]
pub(crate) struct Publisher {
    place: u32,
    template: PublishTemplate,
    payload_bytes: usize,
    qos: QoS,
    /// Messages that were appended.
    pub(crate) sent: u32,
    /// Deliveries of them that are over.
    settled: u64,
    /// Deliveries that each of them has.
    copies: u32,
    /// Messages without PUBACK or PUBCOMP.
    unacknowledged: u32,
    unacknowledged_max: u32,
    newest_id: u16,
    /// When a delivery was over last, or the first of those under way was sent: nanoseconds of the engine's clock.
    moved_at: u64,
    /// How many deliveries all publishers together had when the last one here was over.
    settled_at: u64,
    /// Whether it is listed as one that may send.
    pub(crate) is_listed: bool,
}

impl Publisher {
    pub(crate) fn new(place: u32, spec: &PublisherSpec, load: &Load) -> Self {
        let publish = Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: false,
            topic: spec.topic.borrowed(),
            packet_id: None,
            properties: PublishProperties::default(),
            payload: &vec![0; load.payload_bytes],
        };
        Self {
            place,
            template: PublishTemplate::new(&publish, load.version),
            payload_bytes: load.payload_bytes,
            qos: load.qos,
            sent: 0,
            settled: 0,
            copies: load.copies(),
            unacknowledged: 0,
            unacknowledged_max: u32::from(load.unacknowledged_max),
            newest_id: 0,
            moved_at: 0,
            settled_at: 0,
            is_listed: false,
        }
    }

    /// The broker allows `maximum` unacknowledged messages (§3.2.2.3.3).
    pub(crate) fn limit(&mut self, maximum: u16) {
        self.unacknowledged_max = self.unacknowledged_max.min(u32::from(maximum));
    }

    /// Messages that may be unacknowledged.
    pub(crate) fn unacknowledged_max(&self) -> u32 {
        self.unacknowledged_max
    }

    /// Messages that it may send now.
    pub(crate) fn credit(&self, pace: Pace) -> u32 {
        let by_acknowledgements = match self.qos {
            QoS::AtMostOnce => u32::MAX,
            QoS::AtLeastOnce | QoS::ExactlyOnce => {
                self.unacknowledged_max.saturating_sub(self.unacknowledged)
            }
        };
        let by_pace = match (pace, self.copies) {
            (Pace::Rate(_), _) => u32::MAX,
            (Pace::Window(window), 0) => window.saturating_sub(self.unacknowledged),
            (Pace::Window(window), copies) => {
                let under_way = self.under_way().div_ceil(u64::from(copies));
                u64::from(window).saturating_sub(under_way) as u32
            }
        };
        by_acknowledgements.min(by_pace)
    }

    /// Deliveries that are not over.
    pub(crate) fn under_way(&self) -> u64 {
        (u64::from(self.sent) * u64::from(self.copies)).saturating_sub(self.settled)
    }

    pub(crate) fn is_acknowledged(&self) -> bool {
        self.unacknowledged == 0
    }

    /// Appends at most `count` messages with the time `at` to `out`, as far as there is room; how many.
    pub(crate) fn append(&mut self, count: u32, at: u64, out: &mut Vec<u8>) -> u32 {
        let flags = PublishFlags {
            dup: false,
            qos: self.qos,
            retain: false,
        };
        let message_bytes = self.template.encoded_len(self.qos);
        let room = OUT_BYTES_MAX
            .saturating_sub(out.len())
            .div_ceil(message_bytes);
        let count = count.min(u32::try_from(room).unwrap_or(u32::MAX));
        if self.under_way() == 0 {
            self.moved_at = at;
        }
        out.reserve(count as usize * message_bytes);
        for sequence in self.sent..self.sent + count {
            let id = match self.qos {
                QoS::AtMostOnce => None,
                QoS::AtLeastOnce | QoS::ExactlyOnce => Some(self.next_id()),
            };
            self.template.append(out, flags, id);
            let stamp = Stamp {
                at,
                publisher: self.place,
                sequence,
            };
            let begin = out.len() - self.payload_bytes;
            stamp.write(&mut out[begin..]);
        }
        self.sent += count;
        match self.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce | QoS::ExactlyOnce => self.unacknowledged += count,
        }
        count
    }

    /// Notes that `over` deliveries are, at `now`, when all publishers together have had `of_all`.
    pub(crate) fn settle(&mut self, over: u32, now: u64, of_all: u64) {
        self.settled += u64::from(over);
        (self.moved_at, self.settled_at) = (now, of_all);
    }

    /// Notes a PUBACK or PUBCOMP; false if no message waits for one.
    pub(crate) fn acknowledge(&mut self) -> bool {
        match self.unacknowledged.checked_sub(1) {
            Some(left) => {
                self.unacknowledged = left;
                true
            }
            None => false,
        }
    }

    /// Whether deliveries are under way, and none was over for longer than `limit` nanoseconds at `now`.
    pub(crate) fn stands_still(&self, now: u64, limit: u64) -> bool {
        self.under_way() > 0 && now.saturating_sub(self.moved_at) > limit
    }

    /// Whether all publishers together had more than `passed` deliveries since the last one here was over, when they have had
    /// `of_all`.
    pub(crate) fn is_passed_over(&self, of_all: u64, passed: u64) -> bool {
        of_all.saturating_sub(self.settled_at) > passed
    }

    /// Takes what is under way for lost.
    pub(crate) fn give_up(&mut self) {
        self.settled += self.under_way();
    }

    /// Those of the last 65,535 messages: far more than may be unacknowledged.
    fn next_id(&mut self) -> PacketId {
        self.newest_id = self.newest_id.checked_add(1).unwrap_or(1);
        PacketId::new(self.newest_id).expect("it is counted from 1")
    }
}
