//! Messages with RETAIN to one topic, as far as their order is known.

use std::collections::VecDeque;
use std::time::Duration;

use squall_fleet::{SocketId, Stamp};
use squall_protocol::{Instant, QoS};
use squall_scenario::DeviceId;

use super::{Stored, Value};
use crate::books::stream::{ContentPrint, Said};

/// Of messages that replace each other, one in this time is remembered.
const CONFIRMED_EVERY: Duration = Duration::from_millis(250);

/// Confirmed values that are remembered of one topic.
const CONFIRMED_MAX: usize = 16;

/// What was published to one topic.
#[derive(Clone, Debug, Default)]
pub(super) struct Published {
    /// In order of sending; at first the topic has nothing.
    pub(super) candidates: Vec<Candidate>,
    /// Since when something is surely there in place of nothing.
    pub(super) set_at: Option<Instant>,
    /// Whether one of its messages was sent again behind others: then their order is not known.
    pub(super) is_unordered: bool,
    /// Whether any of its messages lives for a limited time: then the topic may have nothing.
    pub(super) has_expiring: bool,
    /// The last messages that surely arrived, the oldest first, one in [`CONFIRMED_EVERY`].
    confirmed: VecDeque<Confirmed>,
    /// What was dropped from the candidates to save memory; `None` once it is surely overwritten.
    dropped: Option<Dropped>,
}

/// Candidates that are no longer kept.
#[derive(Clone, Copy, Debug)]
struct Dropped {
    /// Who sent them; `None` if several devices did.
    pub(super) device: Option<DeviceId>,
    /// The highest sequence number among them.
    pub(super) sequence: u32,
}

/// A message that surely arrived, and replaced what its device had sent before.
#[derive(Clone, Copy, Debug)]
struct Confirmed {
    pub(super) device: DeviceId,
    pub(super) sequence: u32,
    at: Instant,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) value: Value,
    pub(super) said: Said,
    pub(super) device: DeviceId,
    pub(super) socket: SocketId,
    pub(super) sequence: u32,
    pub(super) sent_at: Instant,
    pub(super) acknowledged_at: Option<Instant>,
    pub(super) qos: QoS,
    /// Whether it was sent at QoS 0 on a connection that was lost, or when checkers had begun to look.
    pub(super) is_doubtful: bool,
    /// Whether it surely arrived.
    pub(super) is_certain: bool,
}

impl Candidate {
    fn is_assumed_to_have_come(&self) -> bool {
        self.qos == QoS::AtMostOnce && !self.is_doubtful && !self.is_certain
    }
}

impl Published {
    /// A candidate surely arrived: what it surely overwrote goes.
    pub(super) fn confirm(&mut self, place: usize) {
        let confirmed = self.candidates[place];
        if let Some(at) = confirmed.acknowledged_at {
            self.set_at.get_or_insert(at);
            self.remember(&confirmed, at);
        }
        self.candidates.retain(|other| {
            let is_same_device = other.device == confirmed.device;
            let is_older = if is_same_device {
                other.sequence < confirmed.sequence
            } else {
                other
                    .acknowledged_at
                    .is_some_and(|acknowledged| acknowledged < confirmed.sent_at)
            };
            !is_older
        });
        self.dropped = self.dropped.filter(|dropped| {
            dropped.device != Some(confirmed.device) || dropped.sequence >= confirmed.sequence
        });
    }

    fn remember(&mut self, confirmed: &Candidate, at: Instant) {
        let last = self.confirmed.back().map(|last| last.at);
        if last.is_some_and(|last| at < last + CONFIRMED_EVERY) {
            return;
        }
        if self.confirmed.len() == CONFIRMED_MAX {
            self.confirmed.pop_front();
        }
        self.confirmed.push_back(Confirmed {
            device: confirmed.device,
            sequence: confirmed.sequence,
            at,
        });
    }

    pub(super) fn stored(&self, stamp: Stamp) -> Stored {
        if self.is_unordered {
            return Stored::default();
        }
        let candidate = self.candidates.iter().find(|candidate| {
            candidate.device == stamp.device && candidate.sequence == stamp.sequence
        });
        let later = self.confirmed.iter().find(|confirmed| {
            confirmed.device == stamp.device && confirmed.sequence > stamp.sequence
        });
        Stored {
            published: candidate.and_then(|candidate| {
                let content = ContentPrint {
                    payload: candidate.value?,
                    said: candidate.said,
                };
                Some((content, candidate.qos))
            }),
            acknowledged_at: candidate.and_then(|candidate| candidate.acknowledged_at),
            overwritten_at: later.map(|confirmed| confirmed.at),
        }
    }

    /// Drops the oldest candidate to save memory.
    pub(super) fn drop_oldest(&mut self) {
        let oldest = self.candidates.remove(0);
        let dropped = self.dropped.get_or_insert(Dropped {
            device: Some(oldest.device),
            sequence: oldest.sequence,
        });
        if dropped.device != Some(oldest.device) {
            dropped.device = None;
        }
        dropped.sequence = dropped.sequence.max(oldest.sequence);
    }

    /// What may be there, by messages alone: at QoS 0 a connection that was never lost is the only
    /// acknowledgement. `None` if values were dropped to save memory, or their order is not known.
    pub(super) fn candidates(&self) -> Option<Vec<Candidate>> {
        let mut row = self.clone();
        while let Some(place) = row
            .candidates
            .iter()
            .rposition(|candidate| candidate.is_assumed_to_have_come())
        {
            row.candidates[place].is_certain = true;
            row.confirm(place);
        }
        (row.dropped.is_none() && !row.is_unordered).then_some(row.candidates)
    }
}
