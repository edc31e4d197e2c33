//! The end of the books: what is still open is lost, excused or withdrawn.

use squall_protocol::{Instant, QoS};
use squall_run::AnomalyKind;

use super::{Deliveries, group_of, session};
use crate::books::anomalies::{Anomaly, Scope};
use crate::books::stream::{OpenPledge, RecordState};
use crate::books::tallies::{Excuse, Imbalance};
use crate::books::topics::Recipient;

/// How the part of a run ended in which deliveries count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RunEnd {
    /// The drain was over at this moment: what had not come then never will.
    Drained(Instant),
    /// The run was cut short: what was on its way may have come.
    Cut,
}

impl Deliveries {
    /// Closes the books: what has not been delivered will never be. Later facts change nothing. Returns the books that do not balance.
    pub(crate) fn close(&mut self, end: RunEnd) -> Vec<Imbalance> {
        if self.is_closed {
            return Vec::new();
        }
        let in_doubt: u64 = self.streams.iter().map(|stream| stream.in_doubt()).sum();
        for id in 0..self.streams.len() {
            for sequence in self.streams[id].sequences() {
                self.close_message(id, sequence, end);
            }
        }
        match end {
            RunEnd::Drained(now) => self.close_replays(now),
            RunEnd::Cut => {}
        }
        self.is_closed = true;
        self.books.imbalances(in_doubt)
    }

    fn close_message(&mut self, id: usize, sequence: u32, end: RunEnd) {
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
            self.close_pledge(id, &pledge, end);
        }
    }

    fn close_pledge(&mut self, id: usize, open: &OpenPledge, end: RunEnd) {
        let topic = self.streams[id].topic;
        let recipient = self.topics.places(topic)[open.place].recipient;
        let key = open.key(group_of(&self.sessions, &self.shares, recipient));
        if let Some(excuse) = self.excuse_at_end(recipient, open, end) {
            self.books.tally_mut(key).excused[excuse as usize] += 1;
            return;
        }
        self.books.tally_mut(key).lost += 1;
        let stream = &self.streams[id];
        let device = self.device_of(recipient);
        self.anomalies.note(AnomalyKind::Lost, || {
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
                device,
                topic: Some(self.topics.text(topic).to_string()),
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
        end: RunEnd,
    ) -> Option<Excuse> {
        let now = match end {
            RunEnd::Drained(now) => now,
            RunEnd::Cut => return Some(Excuse::RunCut),
        };
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
}
