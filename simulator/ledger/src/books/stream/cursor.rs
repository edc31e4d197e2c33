//! How far one recipient is with one stream: what it had, what it is owed, and in which order it came.

use squall_protocol::QoS;
use squall_scenario::ClientKey;

use super::Pledged;
use super::overtaken::{Overtaken, Overtaker, Overtakers};
use crate::books::sequences::SequenceSet;

/// How far one recipient is with one stream.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    /// Sequences that it had.
    pub(super) received: SequenceSet,
    /// What the last delivery overtook for the first time.
    pub(super) last_overtaken: Option<u32>,
    /// From here on `received` is exact.
    pub(super) exact_from: u32,
    /// Pledges, by the QoS they are owed at; nearly always one level.
    pub(super) levels: Vec<Level>,
    /// The last message that came out of the broker's store of retained messages, and how often.
    pub(super) replayed: Option<Replayed>,
    /// By Session; for a Session's own place there is one.
    pub(super) orders: Vec<Order>,
    /// Sequences of which a second copy came, then those with a third, and so on: overlapping
    /// subscriptions allow them.
    pub(super) copies: Vec<SequenceSet>,
}

/// Copies of one message out of the broker's store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replayed {
    sequence: u32,
    times: u32,
}

/// Pledges at one QoS.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) owed: QoS,
    /// Pledges to messages that still have a record, open or delivered.
    pub(super) pledged: SequenceSet,
    /// Of those, not delivered.
    pub(super) pending: SequenceSet,
    /// Whether its recipient lists the cursor among those with open pledges at this QoS.
    pub(super) is_listed: bool,
    /// By QoS of the PUBLISH to the broker, within which order is promised: what of `pending` was overtaken by later ones that
    /// came at the QoS of these pledges.
    overtaken: [Overtakers; 3],
}

impl Level {
    fn new(owed: QoS) -> Self {
        Self {
            owed,
            pledged: SequenceSet::default(),
            pending: SequenceSet::default(),
            is_listed: false,
            overtaken: Default::default(),
        }
    }

    /// `sequence` came: those that are pending before it did not come in order. Order is promised within one QoS (§4.6). The last
    /// of them, if there are some that had not been overtaken before.
    fn note_overtaken(&mut self, sequence: u32, coming: &Coming, most: usize) -> Option<u32> {
        if coming.level.delivered != self.owed {
            return None;
        }
        let highest = self.pending.highest_below(sequence)?;
        let overtaken = &mut self.overtaken[coming.level.published as usize];
        let is_new = overtaken.note(highest, coming.message, most);
        is_new.then_some(highest)
    }

    /// What overtook this message, published at `published`, while it was pending: later ones of the same QoS.
    pub(super) fn overtaken(&self, sequence: u32, published: QoS) -> Option<Overtaken> {
        self.overtaken[published as usize].of(sequence)
    }
}

/// Order within one stream, as one Session sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    client: ClientKey,
    /// Highest sequence of a first delivery, by QoS of the PUBLISH to the broker and by that of the PUBLISH from
    /// it: order is promised within one QoS (§4.6).
    highest: [[Option<u32>; 3]; 3],
}

/// Within which messages of a stream order is promised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderLevel {
    /// QoS of the PUBLISH to the broker.
    pub(crate) published: QoS,
    /// QoS of the PUBLISH from it.
    pub(crate) delivered: QoS,
}

/// A message that comes, of which it is known how it was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coming {
    pub(super) level: OrderLevel,
    pub(super) message: Overtaker,
}

/// What a delivery is to a cursor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Arrival {
    /// The first, and it was pledged at this QoS.
    Pledged(QoS),
    /// The first, without a pledge.
    Optional,
    /// Not the first.
    Again,
    /// Too long ago to say.
    Forgotten,
}

impl Cursor {
    /// Whether this delivery comes after that of a later message of the same level; remembers it.
    pub(crate) fn is_out_of_order(
        &mut self,
        client: ClientKey,
        level: OrderLevel,
        sequence: u32,
    ) -> Option<u32> {
        let place = self
            .orders
            .iter()
            .position(|order| order.client == client)
            .unwrap_or_else(|| {
                self.orders.push(Order {
                    client,
                    highest: [[None; 3]; 3],
                });
                self.orders.len() - 1
            });
        let highest = &mut self.orders[place].highest;
        let highest = &mut highest[level.published as usize][level.delivered as usize];
        let later = highest.filter(|&later| later > sequence);
        if later.is_none() {
            *highest = Some(sequence);
        }
        later
    }

    /// Counts one more copy of a message out of the broker's store; returns how many that are. The
    /// store has one message of a topic: what came before it will not come again.
    pub(crate) fn count_replay(&mut self, sequence: u32) -> u32 {
        let before = self.replayed.filter(|last| last.sequence == sequence);
        let times = before.map_or(0, |last| last.times) + 1;
        self.replayed = Some(Replayed { sequence, times });
        times
    }

    /// Copies of a message that came out of the broker's store.
    pub(super) fn replays(&self, sequence: u32) -> u32 {
        let last = self.replayed.filter(|last| last.sequence == sequence);
        last.map_or(0, |last| last.times)
    }

    pub(super) fn pledge(&mut self, sequence: u32, owed: QoS, ranges_max: usize) -> Pledged {
        let place = self
            .levels
            .iter()
            .position(|level| level.owed == owed)
            .unwrap_or_else(|| {
                self.levels.push(Level::new(owed));
                self.levels.len() - 1
            });
        let level = &mut self.levels[place];
        level.pledged.insert(sequence);
        level.pending.insert(sequence);
        Pledged {
            has_excess: level.pending.excess(ranges_max).is_some(),
            is_newly_open: !std::mem::replace(&mut level.is_listed, true),
        }
    }

    /// Message `sequence` came; `coming` says how it was sent, if that is still known.
    pub(super) fn deliver(
        &mut self,
        sequence: u32,
        coming: Option<Coming>,
        ranges_max: usize,
    ) -> Arrival {
        let is_new = self.received.insert(sequence);
        if let Some(exact_from) = self.received.forget_oldest_gap(ranges_max) {
            self.exact_from = exact_from;
        }
        // An open pledge is exact, whatever gap was forgotten: this is the first delivery.
        let pledged = self.levels.iter_mut().find_map(|level| {
            if !level.pending.remove(sequence) {
                return None;
            }
            if let Some(coming) = coming {
                self.last_overtaken = level.note_overtaken(sequence, &coming, ranges_max);
            }
            Some(level.owed)
        });
        match pledged {
            Some(owed) => Arrival::Pledged(owed),
            None if is_new => Arrival::Optional,
            None if sequence < self.exact_from => Arrival::Forgotten,
            None => Arrival::Again,
        }
    }

    pub(super) fn take_copy(&mut self, sequence: u32, allowed: u8, ranges_max: usize) -> bool {
        let further = usize::from(allowed.saturating_sub(1));
        if self.copies.len() < further {
            self.copies.resize_with(further, SequenceSet::default);
        }
        // The first copy is in `received`; each further one takes the next set that lacks it.
        let taken = self.copies[..further]
            .iter_mut()
            .find_map(|copies| copies.insert(sequence).then_some(copies));
        let Some(copies) = taken else {
            return false;
        };
        // A forgotten gap counts as come: then a copy that is allowed looks like one too many.
        if let Some(exact_from) = copies.forget_oldest_gap(ranges_max) {
            self.exact_from = self.exact_from.max(exact_from);
        }
        true
    }
}
