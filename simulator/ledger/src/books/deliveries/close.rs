//! The end of the books: what is still open is lost, excused or withdrawn.

use squall_protocol::{Instant, QoS};
use squall_run::AnomalyKind;
use squall_scenario::GroupId;

use super::{Deliveries, TallyKey, group_of, session};
use crate::books::anomalies::{Anomalies, Anomaly, Scope};
use crate::books::stream::{OpenPledge, RecordState};
use crate::books::tallies::{Excuse, QOS};
use crate::books::topics::Recipient;

impl Deliveries {
    /// Closes the books: what has not been delivered at `now` will never be. Later facts change
    /// nothing. Closing again does nothing.
    pub(crate) fn close(&mut self, now: Instant, anomalies: &mut Anomalies) {
        if self.is_closed {
            return;
        }
        let in_doubt: u64 = self.streams.iter().map(|stream| stream.in_doubt()).sum();
        self.assert_every_message_has_an_end(in_doubt + self.dropped_in_doubt);
        for id in 0..self.streams.len() {
            for sequence in self.streams[id].sequences() {
                self.close_message(id, sequence, now, anomalies);
            }
        }
        self.is_closed = true;
        for group in 0..self.books.groups() {
            for (published, owed) in pairs() {
                let key = TallyKey {
                    group: GroupId(group),
                    published,
                    owed,
                };
                let tally = self.books.tally(key);
                assert_eq!(
                    tally.balance(),
                    0,
                    "the books of {key:?} do not balance: {tally:?}"
                );
            }
        }
    }

    fn close_message(&mut self, id: usize, sequence: u32, now: Instant, anomalies: &mut Anomalies) {
        let Some(&record) = self.streams[id].record(sequence) else {
            return;
        };
        match record.state {
            RecordState::Unheard | RecordState::Skipped | RecordState::Refused => return,
            RecordState::Sent | RecordState::Acknowledged => {}
        }
        if !record.is_ok() {
            self.withdraw(id, sequence);
            return;
        }
        let mut open = Vec::new();
        self.streams[id].take_open_of(sequence, |pledge| open.push(pledge));
        for pledge in open {
            self.close_pledge(id, &pledge, now, anomalies);
        }
    }

    fn close_pledge(
        &mut self,
        id: usize,
        open: &OpenPledge,
        now: Instant,
        anomalies: &mut Anomalies,
    ) {
        let topic = self.streams[id].topic;
        let recipient = self.topics.places(topic)[open.place].recipient;
        let key = TallyKey {
            group: group_of(&self.sessions, &self.shares, recipient),
            published: open.record.qos,
            owed: open.owed,
        };
        if let Some(excuse) = self.excuse_at_end(recipient, open, now) {
            self.books.tally_mut(key).excused[excuse as usize] += 1;
            return;
        }
        self.lose(id, (key, open), anomalies);
    }

    /// Writes down that a pledge will never be kept.
    pub(super) fn lose(
        &mut self,
        id: usize,
        (key, open): (TallyKey, &OpenPledge),
        anomalies: &mut Anomalies,
    ) {
        self.books.tally_mut(key).lost += 1;
        let stream = &self.streams[id];
        let recipient = self.topics.places(stream.topic)[open.place].recipient;
        anomalies.note(AnomalyKind::Lost, || {
            let what = match open.record.state {
                RecordState::Acknowledged => "acknowledged",
                RecordState::Unheard
                | RecordState::Skipped
                | RecordState::Sent
                | RecordState::Refused => "on a connection that stayed up",
            };
            Anomaly {
                kind: AnomalyKind::Lost,
                at: open.record.sent_at,
                device: self.device_of(recipient),
                topic: Some(self.topics.text(stream.topic).to_string()),
                sequence: Some(open.sequence),
                explanation: format!(
                    "message {} of device {}, sent at {}, {what}, owed at QoS {}, never came (§4.3)",
                    open.sequence, stream.device.0, open.record.sent_at, open.owed as u8
                ),
                scope: Scope {
                    group: Some(key.group),
                    qos: Some(open.record.qos),
                    ..Scope::default()
                },
            }
        });
    }

    /// Why a pledge that is open at the end may be.
    fn excuse_at_end(
        &self,
        recipient: Recipient,
        open: &OpenPledge,
        now: Instant,
    ) -> Option<Excuse> {
        match recipient {
            Recipient::Session(client) => {
                let session = session(&self.sessions, client)?;
                if session.is_online() {
                    None
                } else if session.has_expired(now) {
                    Some(Excuse::SessionEnded)
                } else {
                    Some(Excuse::OfflineAtEnd)
                }
            }
            Recipient::Share(filter) => {
                let share = self.shares.get(&filter)?;
                if open.record.sent_at > share.disturbed_until {
                    return None;
                }
                // What was on its way to the lost member: at QoS 2 no other member may have it
                // [MQTT-4.8.2-5], at QoS 1 the broker may wait for that member, or may not have
                // noticed yet (§4.8.2).
                let may_wait = open.owed == QoS::ExactlyOnce
                    || now < share.disturbed_until
                    || share.has_offline_member(&self.sessions, filter);
                may_wait.then_some(Excuse::MemberLost)
            }
        }
    }

    fn device_of(&self, recipient: Recipient) -> Option<squall_scenario::DeviceId> {
        match recipient {
            Recipient::Session(client) => Some(session(&self.sessions, client)?.device),
            Recipient::Share(_) => None,
        }
    }

    /// `sent == acknowledged + refused + in doubt` at QoS 1 and 2, counted on both sides.
    fn assert_every_message_has_an_end(&self, in_doubt: u64) {
        let mut open = 0;
        for group in 0..self.books.groups() {
            for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
                let book = self.books.publications(GroupId(group), qos);
                open += book.sent - book.acknowledged - book.refused;
            }
        }
        assert_eq!(open, in_doubt, "messages without an end");
    }
}

fn pairs() -> impl Iterator<Item = (QoS, QoS)> {
    QOS.into_iter()
        .flat_map(|published| QOS.into_iter().map(move |owed| (published, owed)))
}
