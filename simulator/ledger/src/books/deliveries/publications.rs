//! Messages as their publishers tell of them: given up, sent, answered.

use squall_fleet::Stamp;
use squall_protocol::QoS;
use squall_scenario::StampPlace;

use super::{Acknowledged, Deliveries, Message};
use crate::books::event::{Answered, Event};
use crate::books::stream::{Content, ContentPrint, Record, RecordState};

impl Deliveries {
    /// A message that was due was given up.
    pub(crate) fn handle_skipped(&mut self, event: &Event, message: &Message<'_>) {
        if self.is_closed {
            return;
        }
        let publications = self.books.publications_mut(event.group, message.qos);
        publications.skipped += 1;
        let id = self.stream_of(event, message.topic);
        let skipped = Record {
            state: RecordState::Skipped,
            qos: message.qos,
            retain: message.retain,
            outstanding: 0,
            due_at: message.stamp.scheduled,
            sent_at: event.now,
            left: None,
            answered_at: event.now,
            reached_at: message.reached_at,
            socket: event.socket,
            connected_at: self.connected_at_of(event.device),
            group: event.group,
            content: ContentPrint::NOTHING,
        };
        self.records += self.streams[id].put(message.stamp.sequence, skipped);
        self.settle(id);
    }

    /// A message was handed to the link for the first time.
    pub(crate) fn handle_published(
        &mut self,
        event: &Event,
        message: &Message<'_>,
        content: &Content<'_>,
    ) {
        if self.is_closed {
            return;
        }
        self.books.publications_mut(event.group, message.qos).sent += 1;
        let id = self.stream_of(event, message.topic);
        let record = Record {
            state: RecordState::Sent,
            qos: message.qos,
            retain: message.retain,
            outstanding: 0,
            due_at: message.stamp.scheduled,
            sent_at: event.now,
            left: self.hand_over(event, id, message.stamp.sequence),
            answered_at: event.now,
            reached_at: message.reached_at,
            socket: event.socket,
            connected_at: self.connected_at_of(event.device),
            group: event.group,
            content: content.print(),
        };
        let stream = &mut self.streams[id];
        stream.sent_as.add(message.qos);
        self.records += self.streams[id].put(message.stamp.sequence, record);
        if let Some(expiry) = message.expiry {
            self.streams[id].has_expiring = true;
            let named = (id, message.stamp.sequence);
            self.expiries.note_sent(named, event.now, expiry);
        }
        match message.stamp_place {
            StampPlace::Payload | StampPlace::Property => {
                self.streams[id].has_stamped = true;
                self.pledge(id, event, message);
            }
            StampPlace::None => self.count_sent(id, event, message),
        }
        while self.records > self.memory.records && self.streams[id].records() > 1 {
            self.settle_oldest_early(id);
        }
    }

    /// The exchange of a message ended. `None` if its record is gone.
    pub(crate) fn handle_acknowledged(
        &mut self,
        event: &Event,
        stamp: Stamp,
        topic: &str,
        answered: Answered,
    ) -> Option<Acknowledged> {
        let topic = self.topics.topic(topic)?;
        let &id = self.stream_ids.get(&(stamp.device, topic))?;
        let has_expiring = self.streams[id].has_expiring;
        let connected_at = self.connected_at_of(event.device);
        let record = self.streams[id].record_mut(stamp.sequence)?;
        let acknowledged = Acknowledged {
            sent_at: record.sent_at,
            reached_at: record.reached_at,
            qos: record.qos,
        };
        if self.is_closed || record.state != RecordState::Sent {
            return Some(acknowledged);
        }
        if record.qos == QoS::AtLeastOnce {
            let until = self.answered_until.entry(event.device).or_default();
            *until = record.sent_at.max(*until);
        }
        let publications = self.books.publications_mut(event.group, record.qos);
        match answered {
            Answered::Accepted => {
                if has_expiring {
                    let named = (id, stamp.sequence);
                    self.expiries.note_acknowledged(named, event.now);
                }
                record.state = RecordState::Acknowledged;
                record.answered_at = event.now;
                record.connected_at = connected_at;
                publications.acknowledged += 1;
                self.counted.handle_acknowledged(topic, event.now);
            }
            Answered::Refused => {
                record.state = RecordState::Refused;
                publications.refused += 1;
                if acknowledged.qos == QoS::ExactlyOnce {
                    self.session_mut(event).moves.handle_refused(stamp);
                }
                self.withdraw(id, stamp.sequence);
            }
        }
        self.settle(id);
        Some(acknowledged)
    }
}
