//! Pledges: made when a message is sent, and ended without delivery by an excuse, a withdrawal, or
//! a limit of memory.
//!
//! A recipient keeps a list of the cursors in which it may have open pledges, so that the end of a
//! connection costs what was pledged since the last one, not a walk over every topic.

use squall_protocol::{Instant, QoS};
use squall_scenario::{ClientKey, GroupId};

use super::walk::Outcome;
use super::{Deliveries, Message, StreamId, group_of, sender_to, session, share_group};
use crate::books::event::Event;
use crate::books::memory::MemoryLimit;
use crate::books::stream::{CursorKey, OpenCursors, RecordState};
use crate::books::tallies::{Excuse, TallyKey};
use crate::books::topics::{Place, Recipient};

/// Why pledges end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Excuses {
    /// Of messages that may have been on their way.
    pub(super) in_time: Excuse,
    /// Of those that had been under way for long.
    pub(super) late: Excuse,
}

impl Excuses {
    /// At QoS 0, a connection on the way was lost.
    pub(super) const CONNECTION_LOST: Self = Self {
        in_time: Excuse::ConnectionLost,
        late: Excuse::ConnectionLostLate,
    };

    /// The Session ended with its connection, as the scenario wanted.
    pub(super) const LEFT: Self = Self {
        in_time: Excuse::SessionEnded,
        late: Excuse::LeftLate,
    };

    /// The subscription was given up.
    pub(super) const UNSUBSCRIBED: Self = Self {
        in_time: Excuse::Unsubscribed,
        late: Excuse::UnsubscribedLate,
    };

    /// The same for all.
    pub(super) const fn all(excuse: Excuse) -> Self {
        Self {
            in_time: excuse,
            late: excuse,
        }
    }

    /// The one of what was late, or of what was not.
    pub(super) fn of(self, was_late: impl FnOnce() -> bool) -> Excuse {
        if was_late() { self.late } else { self.in_time }
    }
}

impl Deliveries {
    /// Writes down to whom a message that was just sent is owed.
    pub(super) fn pledge(&mut self, id: StreamId, event: &Event, message: &Message<'_>) {
        let sequence = message.stamp.sequence;
        let mut scattered = Vec::new();
        let mut newly_open = Vec::new();
        let mut pledges = 0_u64;
        for (number, place) in self
            .topics
            .places(self.streams[id].topic)
            .iter()
            .enumerate()
        {
            let Some((group, owed)) = self.owed(place, event, message.qos) else {
                continue;
            };
            pledges += 1;
            let pledged = self.streams[id].pledge(number, sequence, owed);
            if pledged.has_excess {
                scattered.push((number, group));
            }
            if pledged.is_newly_open {
                newly_open.push((place.recipient, number, owed));
            }
            let key = TallyKey {
                group,
                published: message.qos,
                owed,
            };
            self.books.tally_mut(key).pledged += 1;
            if let Recipient::Session(client) = place.recipient
                && let Some(session) = self.sessions[client.0 as usize].as_mut()
                && !session.is_online()
                && let Some(away) = session.away.as_mut()
            {
                away.waited += 1;
            }
        }
        if pledges == 0 && !self.is_asked_for(id, event.now) {
            let book = self.books.publications_mut(event.group, message.qos);
            book.to_no_subscriber += 1;
        }
        for (recipient, place, owed) in newly_open {
            if let Some(open) = self.open_cursors_mut(recipient) {
                open.list(owed, CursorKey { stream: id, place });
            }
        }
        for (place, group) in scattered {
            self.give_up_oldest(CursorKey { stream: id, place }, group);
        }
    }

    /// Whether any subscription, be it certain or not, asks for messages of a stream now.
    pub(super) fn is_asked_for(&self, id: StreamId, now: Instant) -> bool {
        let publisher = self.streams[id].client;
        let mut places = self.topics.places(self.streams[id].topic).iter();
        places.any(|place| match place.recipient {
            Recipient::Session(client) => session(&self.sessions, client).is_some_and(|session| {
                session
                    .asked(&place.filters, sender_to(client, publisher), now)
                    .copies
                    > 0
            }),
            Recipient::Share(filter) => self
                .shares
                .get(&filter)
                .is_some_and(|share| share.is_alive(&self.sessions, filter)),
        })
    }

    /// Whose books a message that is sent now is owed in, and at which QoS; `None` if it is not
    /// certainly owed at this place.
    pub(super) fn owed(
        &self,
        place: &Place,
        event: &Event,
        published: QoS,
    ) -> Option<(GroupId, QoS)> {
        match place.recipient {
            Recipient::Session(client) => {
                let session = session(&self.sessions, client)?;
                let asked =
                    session.asked(&place.filters, sender_to(client, event.client), event.now);
                let owed = asked.certain?.min(published);
                let is_owed = session.is_online()
                    || (owed > QoS::AtMostOnce && !session.has_expired(event.now));
                is_owed.then_some((session.group, owed))
            }
            Recipient::Share(filter) => {
                let share = self.shares.get(&filter)?;
                let granted = share.certain(&self.sessions, filter)?;
                let group = share_group(&self.sessions, share)?;
                Some((group, granted.min(published)))
            }
        }
    }

    /// Ends the oldest open pledges of a cursor before their time, to save memory: too many
    /// messages are missing here and there. What becomes of them stays unknown.
    fn give_up_oldest(&mut self, cursor: CursorKey, group: GroupId) {
        let (books, given_up) = (&mut self.books, &mut self.given_up);
        self.streams[cursor.stream].take_excess(cursor.place, |open| {
            books.tally_mut(open.key(group)).unknown += 1;
            given_up.add(MemoryLimit::Ranges, 1);
        });
        self.settle(cursor.stream);
    }

    /// A message turned out not to be *ok*: nothing was owed.
    pub(super) fn withdraw(&mut self, id: StreamId, sequence: u32) {
        let Some(published) = self.streams[id].record(sequence).map(|record| record.qos) else {
            return;
        };
        let (topics, sessions, shares) = (&self.topics, &self.sessions, &self.shares);
        let topic = self.streams[id].topic;
        let group_at =
            |place: usize| group_of(sessions, shares, topics.places(topic)[place].recipient);
        let books = &mut self.books;
        self.streams[id].take_open_of(sequence, |open| {
            books.tally_mut(open.key(group_at(open.place))).withdrawn += 1;
        });
        self.streams[id].take_kept_of(sequence, |place, owed| {
            let key = TallyKey {
                group: group_at(place),
                published,
                owed,
            };
            // It was delivered all the same: allowed, but not owed any longer.
            let tally = books.tally_mut(key);
            tally.delivered = tally.delivered.saturating_sub(1);
            tally.optional += 1;
            tally.withdrawn += 1;
        });
    }

    /// Ends the open pledges of a Session at `now`, those owed at one of `levels`: what had to come before that is lost, the
    /// rest is excused, what was under way for long by another name.
    pub(super) fn end_pledges(
        &mut self,
        client: ClientKey,
        now: Instant,
        levels: &[QoS],
        excuses: Excuses,
    ) {
        let recipient = Recipient::Session(client);
        self.walk_open(recipient, levels, now, |books, id, open| {
            if books.is_proven_lost(id, recipient, open) {
                return Outcome::Lost;
            }
            Outcome::Excused(excuses.of(|| books.was_late(id, client, open, now)))
        });
    }

    /// Settles the oldest record of a stream before its time, to save memory. Whether it was
    /// acknowledged, and who had it, stays unknown.
    pub(super) fn settle_oldest_early(&mut self, id: StreamId) {
        let sequence = self.streams[id].sequences().start;
        let Some(&record) = self.streams[id].record(sequence) else {
            return;
        };
        let (topics, sessions, shares) = (&self.topics, &self.sessions, &self.shares);
        let topic = self.streams[id].topic;
        let (books, given_up) = (&mut self.books, &mut self.given_up);
        self.streams[id].take_open_of(sequence, |open| {
            let recipient = topics.places(topic)[open.place].recipient;
            let group = group_of(sessions, shares, recipient);
            books.tally_mut(open.key(group)).unknown += 1;
            given_up.add(MemoryLimit::Records, 1);
        });
        if record.state == RecordState::Sent && record.qos > QoS::AtMostOnce {
            books
                .publications_mut(record.group, record.qos)
                .settled_early += 1;
            given_up.add(MemoryLimit::Records, 1);
        }
        let dropped = self.streams[id].drop_first();
        self.records = self.records.saturating_sub(dropped);
    }

    pub(super) fn open_cursors_mut(&mut self, recipient: Recipient) -> Option<&mut OpenCursors> {
        match recipient {
            Recipient::Session(client) => {
                let session = self.sessions.get_mut(client.0 as usize)?.as_mut()?;
                Some(&mut session.open)
            }
            Recipient::Share(filter) => Some(&mut self.shares.get_mut(&filter)?.open),
        }
    }
}
