//! What a stream still owes, and how that ends without delivery.

use squall_protocol::{Instant, QoS};
use squall_scenario::GroupId;

use super::overtaken::{Overtaken, Overtaker};
use super::{Record, Stream};
use crate::books::tallies::TallyKey;

/// A pledge that ends without delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenPledge {
    /// Place number of the recipient.
    pub(crate) place: usize,
    /// Sequence number of the message in its stream.
    pub(crate) sequence: u32,
    /// QoS it is owed at.
    pub(crate) owed: QoS,
    /// What is known of the message.
    pub(crate) record: Record,
    /// Later ones of the same stream and QoS that came to this place.
    pub(crate) overtaken: Option<Overtaken>,
}

impl OpenPledge {
    /// When a later one came that the broker surely had after this one: it had to send this one before that (§4.6). `None` if
    /// none did.
    pub(crate) fn lost_by_order_at(&self) -> Option<Instant> {
        let overtaken = self.overtaken.filter(|_| self.record.is_ok())?;
        let overtakers = [overtaken.first, overtaken.last];
        let later = overtakers.iter().find(|later| self.was_had_before(later))?;
        Some(later.at)
    }

    /// Whether the broker surely had it before a later one. On the connection that both were sent on it had them in that order.
    /// What is sent again on a later connection, or waits to be released (§4.3.3), it may have only after the later one.
    fn was_had_before(&self, later: &Overtaker) -> bool {
        let record = &self.record;
        let was_answered_before = record.answered_at < later.sent_at;
        match record.qos {
            QoS::AtMostOnce => record.socket == later.socket,
            QoS::AtLeastOnce => record.connected_at <= record.sent_at || was_answered_before,
            QoS::ExactlyOnce => was_answered_before,
        }
    }

    /// The tally of this pledge, made to a recipient of `group`.
    pub(crate) fn key(&self, group: GroupId) -> TallyKey {
        TallyKey {
            group,
            published: self.record.qos,
            owed: self.owed,
        }
    }
}

impl Stream {
    /// The open pledges of a place that are owed at `owed`.
    pub(crate) fn open_pledges(
        &self,
        place: usize,
        owed: QoS,
    ) -> impl Iterator<Item = OpenPledge> + '_ {
        let levels = self.cursors.get(place).map(|cursor| &cursor.levels);
        let levels = levels.into_iter().flatten();
        let of_it = levels.filter(move |level| level.owed == owed);
        of_it.flat_map(move |level| {
            level.pending.iter().map(move |sequence| OpenPledge {
                place,
                sequence,
                owed,
                record: self.records[(sequence - self.base) as usize],
                overtaken: level.overtaken(sequence, self.qos_of(sequence)),
            })
        })
    }

    /// QoS of the PUBLISH of a message whose record is kept.
    fn qos_of(&self, sequence: u32) -> QoS {
        self.records[(sequence - self.base) as usize].qos
    }

    /// Takes one open pledge out.
    pub(crate) fn end_pledge(&mut self, open: &OpenPledge) {
        let Some(cursor) = self.cursors.get_mut(open.place) else {
            return;
        };
        let mut levels = cursor.levels.iter_mut();
        let level = levels.find(|level| level.owed == open.owed);
        let was_pending = level.is_some_and(|level| {
            level.pledged.remove(open.sequence);
            level.pending.remove(open.sequence)
        });
        if was_pending && let Some(record) = self.record_mut(open.sequence) {
            record.outstanding = record.outstanding.saturating_sub(1);
        }
    }

    /// Tells whether a place has open pledges at `owed`; if not, the recipient does not list the cursor for them.
    pub(crate) fn stays_listed(&mut self, place: usize, owed: QoS) -> bool {
        let level = self.cursors.get_mut(place).and_then(|cursor| {
            let mut levels = cursor.levels.iter_mut();
            levels.find(|level| level.owed == owed)
        });
        level.is_some_and(|level| {
            level.is_listed = level.pending.len() > 0;
            level.is_listed
        })
    }

    /// Takes the oldest open pledges of a place out if they are too scattered to keep.
    pub(crate) fn take_excess(&mut self, place: usize, mut hand_over: impl FnMut(OpenPledge)) {
        let Some(cursor) = self.cursors.get_mut(place) else {
            return;
        };
        for level in &mut cursor.levels {
            while let Some((first, last)) = level.pending.excess(self.ranges_max) {
                for sequence in first..=last {
                    level.pending.remove(sequence);
                    level.pledged.remove(sequence);
                    let record = &mut self.records[(sequence - self.base) as usize];
                    record.outstanding = record.outstanding.saturating_sub(1);
                    hand_over(OpenPledge {
                        place,
                        sequence,
                        owed: level.owed,
                        record: *record,
                        overtaken: level.overtaken(sequence, record.qos),
                    });
                }
            }
        }
    }

    /// The places that still wait for one message.
    pub(crate) fn open_places(&self, sequence: u32) -> impl Iterator<Item = usize> + '_ {
        let cursors = self.cursors.iter().enumerate();
        cursors.filter_map(move |(place, cursor)| {
            let mut levels = cursor.levels.iter();
            levels
                .any(|level| level.pending.contains(sequence))
                .then_some(place)
        })
    }

    /// The open pledges of one message, at every place.
    pub(crate) fn open_pledges_of(&self, sequence: u32) -> impl Iterator<Item = OpenPledge> + '_ {
        let record = self.record(sequence).copied();
        let places = self.cursors.iter().enumerate();
        let levels = places
            .flat_map(|(place, cursor)| cursor.levels.iter().map(move |level| (place, level)));
        let pending = levels.filter(move |(_, level)| level.pending.contains(sequence));
        pending.filter_map(move |(place, level)| {
            let record = record?;
            Some(OpenPledge {
                place,
                sequence,
                owed: level.owed,
                record,
                overtaken: level.overtaken(sequence, record.qos),
            })
        })
    }

    /// Takes the open pledges of one message out, at every place.
    pub(crate) fn take_open_of(&mut self, sequence: u32, hand_over: impl FnMut(OpenPledge)) {
        let open: Vec<OpenPledge> = self.open_pledges_of(sequence).collect();
        for open in &open {
            self.end_pledge(open);
        }
        open.into_iter().for_each(hand_over);
    }
}
