//! One stream of messages: those of one device to one Topic Name, and how far each recipient is.
//!
//! A message is a [`Record`] from its sending until it is acknowledged and every recipient it was
//! pledged to has it; then only the recipients' [`SequenceSet`]s remember it.
//!
//! Invariant: `record.outstanding` is the number of cursors that have its sequence pending.

mod content;
mod cursor;
mod open_cursors;
mod open_pledges;
mod overtaken;
mod record;
mod sent_as;

use std::collections::VecDeque;

use squall_protocol::{Instant, QoS};
use squall_scenario::{ClientKey, DeviceId, TopicKey};

use self::cursor::Coming;
use self::overtaken::Overtaker;

pub(crate) use content::{Changed, Content, ContentPrint, Said, fingerprint};
pub(crate) use cursor::{Arrival, Cursor, OrderLevel};
pub(crate) use open_cursors::OpenCursors;
pub(crate) use open_pledges::OpenPledge;
pub(crate) use record::{Left, Record, RecordState};
pub(crate) use sent_as::SentAs;

/// Messages of one device to one Topic Name.
#[derive(Debug)]
pub(crate) struct Stream {
    /// The publisher.
    pub(crate) device: DeviceId,
    /// Whose Session that holds.
    pub(crate) client: ClientKey,
    /// The Topic Name that it publishes to.
    pub(crate) topic: TopicKey,
    /// QoS of its messages.
    pub(crate) sent_as: SentAs,
    /// Whether any message expires.
    pub(crate) has_expiring: bool,
    /// Whether any of its messages bears a stamp.
    pub(crate) has_stamped: bool,
    /// Sequence of the first record.
    base: u32,
    records: VecDeque<Record>,
    /// By place number of the topic; short if later places have had no message yet.
    cursors: Vec<Cursor>,
    /// As [`Memory::ranges`](super::memory::Memory::ranges).
    ranges_max: usize,
}

/// Who publishes a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Publisher {
    /// The device.
    pub(crate) device: DeviceId,
    /// Whose Session it holds.
    pub(crate) client: ClientKey,
}

/// Names one cursor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CursorKey {
    /// Place of the stream in its table.
    pub(crate) stream: usize,
    /// Place number of the recipient.
    pub(crate) place: usize,
}

/// What became of a new pledge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Pledged {
    /// Whether the open pledges of the cursor are too scattered to keep them all.
    pub(crate) has_excess: bool,
    /// Whether the recipient must list the cursor among those with open pledges at this QoS.
    pub(crate) is_newly_open: bool,
}

impl Stream {
    /// Nothing was sent yet.
    pub(crate) fn new(publisher: Publisher, topic: TopicKey, ranges_max: usize) -> Self {
        Self {
            ranges_max,
            device: publisher.device,
            client: publisher.client,
            topic,
            sent_as: SentAs::default(),
            has_expiring: false,
            has_stamped: false,
            base: 0,
            records: VecDeque::new(),
            cursors: Vec::new(),
        }
    }

    /// The QoS that a message was sent at of which nothing more is known than that it came at
    /// `delivered`.
    pub(crate) fn qos_of_forgotten(&self, delivered: QoS) -> QoS {
        self.sent_as.only().unwrap_or(delivered)
    }

    /// Records that are kept.
    pub(crate) fn records(&self) -> usize {
        self.records.len()
    }

    /// Whether a message with this sequence was ever heard of.
    pub(crate) fn has_sent(&self, sequence: u32) -> bool {
        match self.record(sequence) {
            Some(record) => !matches!(record.state, RecordState::Unheard | RecordState::Skipped),
            None => sequence < self.base,
        }
    }

    /// The record of a message, if it is kept.
    pub(crate) fn record(&self, sequence: u32) -> Option<&Record> {
        self.records.get(sequence.checked_sub(self.base)? as usize)
    }

    /// As [`Self::record`].
    pub(crate) fn record_mut(&mut self, sequence: u32) -> Option<&mut Record> {
        self.records
            .get_mut(sequence.checked_sub(self.base)? as usize)
    }

    /// Puts a record in its place; those between it and the last are unheard of. Returns by how
    /// much the records have grown.
    pub(crate) fn put(&mut self, sequence: u32, record: Record) -> usize {
        let before = self.records.len();
        let Some(place) = sequence.checked_sub(self.base) else {
            // Settled long ago: a sequence is never used twice.
            return 0;
        };
        let place = place as usize;
        if place >= self.records.len() {
            self.records.resize(place + 1, Record::UNHEARD);
        }
        self.records[place] = record;
        self.records.len() - before
    }

    /// Records that were sent and neither acknowledged nor refused, QoS 0 aside.
    pub(crate) fn in_doubt(&self) -> u64 {
        let open = self.records.iter().filter(|record| record.is_in_doubt());
        open.count() as u64
    }

    /// Whether a place waits for a message.
    pub(crate) fn awaits(&self, place: usize, sequence: u32) -> bool {
        self.cursors.get(place).is_some_and(|cursor| {
            let mut levels = cursor.levels.iter();
            levels.any(|level| level.pending.contains(sequence))
        })
    }

    /// Messages that a place waits for, of those owed at `owed`.
    pub(crate) fn pending(&self, place: usize, owed: QoS) -> u64 {
        let levels = self.cursors.get(place).map(|cursor| &cursor.levels);
        let levels = levels.into_iter().flatten();
        let of_it = levels.filter(|level| level.owed == owed);
        of_it.map(|level| level.pending.len()).sum()
    }

    /// How often a message came to a place out of the broker's store.
    pub(crate) fn replays(&self, place: usize, sequence: u32) -> u32 {
        let cursor = self.cursors.get(place);
        cursor.map_or(0, |cursor| cursor.replays(sequence))
    }

    /// Whether any recipient has had the message.
    pub(crate) fn has_come(&self, sequence: u32) -> bool {
        (0..self.cursors.len()).any(|place| self.has_come_to(place, sequence))
    }

    /// Whether a place has had the message.
    pub(crate) fn has_come_to(&self, place: usize, sequence: u32) -> bool {
        let cursor = self.cursors.get(place);
        cursor.is_some_and(|cursor| cursor.received.contains(sequence))
    }

    /// The cursor of a place.
    pub(crate) fn cursor_mut(&mut self, place: usize) -> &mut Cursor {
        if self.cursors.len() <= place {
            self.cursors.resize_with(place + 1, Cursor::default);
        }
        &mut self.cursors[place]
    }

    /// Writes down that a place is owed a message.
    pub(crate) fn pledge(&mut self, place: usize, sequence: u32, owed: QoS) -> Pledged {
        let ranges_max = self.ranges_max;
        let cursor = self.cursor_mut(place);
        let pledged = cursor.pledge(sequence, owed, ranges_max);
        if let Some(record) = self.record_mut(sequence) {
            record.outstanding += 1;
        }
        pledged
    }

    /// Writes down a delivery at QoS `delivered` to a place.
    pub(crate) fn deliver(
        &mut self,
        place: usize,
        sequence: u32,
        delivered: QoS,
        now: Instant,
    ) -> Arrival {
        let ranges_max = self.ranges_max;
        let coming = self.record(sequence).map(|record| Coming {
            level: OrderLevel {
                published: record.qos,
                delivered,
            },
            message: Overtaker::new(record, now),
        });
        let cursor = self.cursor_mut(place);
        let arrival = cursor.deliver(sequence, coming, ranges_max);
        if let Arrival::Pledged(_) = arrival
            && let Some(record) = self.record_mut(sequence)
        {
            record.outstanding = record.outstanding.saturating_sub(1);
        }
        arrival
    }

    /// The message that the last delivery at a place overtook for the first time.
    pub(crate) fn take_overtaken(&mut self, place: usize) -> Option<u32> {
        self.cursors.get_mut(place)?.last_overtaken.take()
    }

    /// Whether overlapping subscriptions allow one more copy of a message at a place, which may
    /// have `allowed` in all; uses it up.
    pub(crate) fn take_copy(&mut self, place: usize, sequence: u32, allowed: u8) -> bool {
        let ranges_max = self.ranges_max;
        self.cursor_mut(place)
            .take_copy(sequence, allowed, ranges_max)
    }

    /// Takes the pledges of one message that were delivered out: place and QoS owed of each. Its
    /// open pledges must have been taken out before.
    pub(crate) fn take_kept_of(&mut self, sequence: u32, mut hand_over: impl FnMut(usize, QoS)) {
        for (place, cursor) in self.cursors.iter_mut().enumerate() {
            for level in &mut cursor.levels {
                if level.pledged.remove(sequence) {
                    hand_over(place, level.owed);
                }
            }
        }
    }

    /// Sequences whose records are kept.
    pub(crate) fn sequences(&self) -> std::ops::Range<u32> {
        let length = u32::try_from(self.records.len()).expect("sequences have 32 bits");
        self.base..self.base + length
    }

    /// Forgets settled records at the front; returns how many.
    pub(crate) fn settle(&mut self) -> usize {
        let settled = self
            .records
            .iter()
            .take_while(|record| record.is_settled())
            .count();
        self.drop_front(settled)
    }

    /// Forgets the first record, whatever its state, after its pledges were taken out.
    pub(crate) fn drop_first(&mut self) -> usize {
        self.drop_front(1)
    }

    fn drop_front(&mut self, records: usize) -> usize {
        if records == 0 {
            return 0;
        }
        self.records.drain(..records);
        self.base += u32::try_from(records).expect("sequences have 32 bits");
        if self.records.is_empty() {
            // A long queue that was worked off gives its memory back.
            self.records.shrink_to(8);
        }
        for level in self
            .cursors
            .iter_mut()
            .flat_map(|cursor| &mut cursor.levels)
        {
            level.pledged.remove_below(self.base);
        }
        records
    }
}
