//! The end of the books: what is still open is lost, excused or withdrawn.

use squall_fleet::SocketId;
use squall_protocol::{Instant, QoS};
use squall_run::{AnomalyKind, count_text, duration_text};
use squall_scenario::{DeviceId, GroupId};

use super::{Deliveries, group_of, session};
use crate::books::anomalies::{Anomaly, Scope, Subject};
use crate::books::missing::{Fate, MessageKey, Missing};
use crate::books::session::{Away, Session};
use crate::books::stream::{OpenPledge, Record, RecordState, Stream};
use crate::books::tallies::{Excuse, Imbalance};
use crate::books::topics::Recipient;
use crate::books::unanswered::{Pending, Undelivered, UnderWay};

/// How the part of a run ended in which deliveries count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RunEnd {
    /// The drain was over at this moment: what had not come then never will.
    Drained(Instant),
    /// The run was cut short: what was on its way may have come.
    Cut,
}

impl Deliveries {
    /// Messages of QoS 1 without an answer over connections that `is_up` says are up, and what of these
    /// and of those of QoS 2 has not come to recipients that are online.
    pub(crate) fn under_way(&self, is_up: impl Fn(SocketId) -> bool) -> UnderWay {
        let mut under_way = UnderWay::default();
        for stream in &self.streams {
            for sequence in stream.sequences() {
                let Some(record) = stream.record(sequence) else {
                    continue;
                };
                let is_open = record.state == RecordState::Sent
                    && record.qos != QoS::AtMostOnce
                    && is_up(record.socket);
                if is_open {
                    self.add_under_way(&mut under_way, stream, sequence, record);
                }
            }
        }
        under_way
    }

    fn add_under_way(
        &self,
        under_way: &mut UnderWay,
        stream: &Stream,
        sequence: u32,
        record: &Record,
    ) {
        if record.qos == QoS::AtLeastOnce {
            let answered = self.answered_until.get(&stream.device);
            under_way.exchanges.push(Pending {
                device: stream.device,
                group: record.group,
                qos: record.qos,
                reached_at: record.reached_at,
                asked_at: record.sent_at,
                is_overtaken: answered.is_some_and(|&until| record.sent_at < until),
            });
        }
        let places = self.topics.places(stream.topic);
        for place in stream.open_places(sequence) {
            let recipient = places[place].recipient;
            let is_online = match recipient {
                Recipient::Session(client) => {
                    session(&self.sessions, client).is_some_and(Session::is_online)
                }
                Recipient::Share(filter) => {
                    let share = self.shares.get(&filter);
                    share.is_some_and(|share| share.is_alive(&self.sessions, filter))
                }
            };
            if is_online {
                let group = group_of(&self.sessions, &self.shares, recipient);
                under_way.deliveries.push(Undelivered {
                    group,
                    qos: record.qos,
                    reached_at: record.reached_at,
                    sent_at: record.sent_at,
                    left_at: self
                        .left_once(stream.device, record, recipient)
                        .map(|left| left.at)
                        .filter(|_| !self.on_links[usize::from(group.0)]),
                });
            }
        }
    }

    /// Closes the books: what has not been delivered will never be. Later facts change nothing. `is_up` says of a
    /// connection whether it is up. Returns the books that do not balance.
    pub(crate) fn close(
        &mut self,
        end: RunEnd,
        is_up: impl Fn(SocketId) -> bool,
    ) -> Vec<Imbalance> {
        if self.is_closed {
            return Vec::new();
        }
        let in_doubt: u64 = self.streams.iter().map(|stream| stream.in_doubt()).sum();
        for id in 0..self.streams.len() {
            for sequence in self.streams[id].sequences() {
                self.note_doubt(id, sequence, &is_up);
                self.close_message(id, sequence, end);
            }
        }
        self.close_counted(end);
        self.close_suspects();
        match end {
            RunEnd::Drained(now) => {
                self.close_replays(now);
                self.close_identifiers(now);
            }
            RunEnd::Cut => {}
        }
        self.is_closed = true;
        self.books.imbalances(in_doubt)
    }

    /// Counts a message of QoS 1 or 2 that the broker has neither acknowledged nor refused.
    fn note_doubt(&mut self, id: usize, sequence: u32, is_up: impl Fn(SocketId) -> bool) {
        let stream = &self.streams[id];
        let Some(record) = stream
            .record(sequence)
            .filter(|record| record.is_in_doubt())
        else {
            return;
        };
        let publications = self.books.publications_mut(record.group, record.qos);
        publications.in_doubt_came += u64::from(stream.has_come(sequence));
        publications.in_doubt_cut += u64::from(!is_up(record.socket));
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
        if end != RunEnd::Cut && self.is_proven_lost(id, recipient, open) {
            return self.count_lost(id, open, end);
        }
        if let RunEnd::Drained(now) = end
            && self.may_have_expired(id, recipient, open, now)
        {
            self.note_expired();
            return self.excuse(id, open, Excuse::Expired);
        }
        if let Some(excuse) = self.excuse_at_end(recipient, open, end) {
            let has_left = matches!(excuse, Excuse::OfflineAtEnd | Excuse::SessionEnded);
            let excuse = match has_left && self.was_late_before_it_left(id, recipient, open) {
                true => Excuse::LeftLate,
                false => excuse,
            };
            return self.excuse(id, open, excuse);
        }
        if let RunEnd::Drained(now) = end
            && let Some(since) = self.coming_since(recipient, open)
            && let Some(short_by) = self.slowest.short_by(key.group, since, now)
        {
            self.books.tally_mut(key).could_come(short_by);
            self.note_missing(id, open, Fate::UnderWay);
            self.backlog.coming += u64::from(self.has_waited(recipient, open));
            self.note_share_coming(recipient, open);
            return;
        }
        if self.was_mistaken(id, open) {
            return self.excuse(id, open, Excuse::IdentifierInUse);
        }
        self.count_lost(id, open, end);
    }

    /// Whether nothing that became of its recipient later can excuse that a message did not come: it would have had to come
    /// before another one did, when it had not expired. At QoS 0 that is so only on the connection that the recipient had when it
    /// was sent, and if its device read.
    pub(super) fn is_proven_lost(
        &self,
        id: usize,
        recipient: Recipient,
        open: &OpenPledge,
    ) -> bool {
        let (Recipient::Session(client), Some(at)) = (recipient, open.lost_by_order_at()) else {
            return false;
        };
        let may_be_dropped = match open.owed {
            QoS::AtMostOnce => {
                let row = session(&self.sessions, client);
                let was_there = row.is_some_and(|row| row.connected_at < open.record.sent_at);
                !was_there || self.may_miss(recipient, open.record.sent_at)
            }
            QoS::AtLeastOnce | QoS::ExactlyOnce => false,
        };
        !may_be_dropped && !self.may_be_over(id, open, at) && !self.was_mistaken(id, open)
    }

    /// Writes down that a message is lost.
    pub(super) fn count_lost(&mut self, id: usize, open: &OpenPledge, end: RunEnd) {
        let recipient = self.topics.places(self.streams[id].topic)[open.place].recipient;
        let key = open.key(group_of(&self.sessions, &self.shares, recipient));
        self.backlog.lost += u64::from(self.has_waited(recipient, open));
        if let Recipient::Share(filter) = recipient {
            self.note_share_lost(filter, open);
        }
        self.books.tally_mut(key).lost += 1;
        self.note_missing(id, open, Fate::Lost);
        self.note_lost(id, open, key.group, end);
    }

    /// Notes a message that is lost, with what explains it.
    fn note_lost(&mut self, id: usize, open: &OpenPledge, group: GroupId, end: RunEnd) {
        let stream = &self.streams[id];
        let (topic, sender) = (stream.topic, stream.device);
        let recipient = self.topics.places(topic)[open.place].recipient;
        let device = self.device_of(recipient);
        let subject = Subject {
            device,
            scope: Scope {
                group: Some(group),
                qos: Some(open.record.qos),
                ..Scope::default()
            },
        };
        let away = self.away_of(recipient, open);
        let missed_at = missed_at(recipient, open, end);
        let forgetting = self.note_forgetting(recipient, open, missed_at);
        // A generator that was held up when it was due sent it with all that was due meanwhile.
        let since = open.record.due_at.min(open.record.sent_at);
        let noticed = subject.between(since, missed_at);
        let noticed = noticed.with_message_of(sender);
        self.anomalies.note(AnomalyKind::Lost, noticed, || {
            let publisher = self.names.of(sender);
            let away = away.map(|(device, away)| (self.names.of(device), away));
            Anomaly {
                by_counts: None,
                kind: AnomalyKind::Lost,
                at: open.record.sent_at,
                device: Some(sender),
                recipient: device,
                topic: Some(self.topics.text(topic).to_string()),
                sequence: Some(open.sequence),
                explanation: match &forgetting {
                    Some(text) => format!("{}; {text}", explain_lost(open, &publisher, None)),
                    None => explain_lost(open, &publisher, away),
                },
                scope: subject.scope,
            }
        });
    }

    /// Tells the book of responses that a message is missing.
    fn note_missing(&mut self, id: usize, open: &OpenPledge, fate: Fate) {
        if !self.tells_missing {
            return;
        }
        let (device, topic) = (self.streams[id].device, self.streams[id].topic);
        let recipient = self.topics.places(topic)[open.place].recipient;
        self.missing.push(Missing {
            key: MessageKey::new(device, open.sequence, self.topics.text(topic)),
            recipient: self.device_of(recipient),
            owed: open.owed,
            fate,
        });
    }

    /// What was owed and had not come when the books were closed, if a device answers requests.
    pub(crate) fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// While the Session was away for the last time: what waited for it then, if the message did.
    fn away_of(&self, recipient: Recipient, open: &OpenPledge) -> Option<(DeviceId, Away)> {
        let Recipient::Session(client) = recipient else {
            return None;
        };
        let session = session(&self.sessions, client)?;
        let away = session.away.filter(|away| {
            let sent_at = open.record.sent_at;
            sent_at >= away.from && away.until.is_some_and(|until| sent_at < until)
        })?;
        Some((session.device, away))
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
        // At QoS 0 nothing tells whether it has left the publisher's link.
        if open.record.qos == QoS::AtMostOnce && self.on_link_up.contains(&open.record.socket) {
            return Some(Excuse::OnLink);
        }
        if open.owed == QoS::AtMostOnce && self.may_miss(recipient, open.record.sent_at) {
            return Some(Excuse::NotRead);
        }
        match recipient {
            Recipient::Session(client) => {
                let session = session(&self.sessions, client)?;
                if session.is_on_link {
                    Some(Excuse::OnLink)
                } else if session.is_online() {
                    None
                } else if session.has_expired(now) {
                    Some(Excuse::SessionEnded)
                } else {
                    Some(Excuse::OfflineAtEnd)
                }
            }
            Recipient::Share(filter) => self.excuse_of_share(filter, open, now),
        }
    }

    /// Whether a recipient, or a member of it, may have missed what was sent to it at QoS 0 because it did not read.
    pub(super) fn may_miss(&self, recipient: Recipient, sent_at: Instant) -> bool {
        let one = |client| {
            session(&self.sessions, client).is_some_and(|session| session.unread.may_miss(sent_at))
        };
        match recipient {
            Recipient::Session(client) => one(client),
            Recipient::Share(filter) => {
                let share = self.shares.get(&filter);
                share.is_some_and(|share| share.members.iter().any(|&member| one(member)))
            }
        }
    }

    pub(super) fn device_of(&self, recipient: Recipient) -> Option<DeviceId> {
        match recipient {
            Recipient::Session(client) => Some(session(&self.sessions, client)?.device),
            Recipient::Share(_) => None,
        }
    }
}

/// What was lost, and what squall knows of why.
fn explain_lost(open: &OpenPledge, publisher: &str, away: Option<(String, Away)>) -> String {
    let seconds = |at: Instant| duration_text(at.as_secs_f64());
    let state = match open.record.state {
        RecordState::Acknowledged => "acknowledged",
        RecordState::Unheard | RecordState::Skipped | RecordState::Sent | RecordState::Refused => {
            "on a connection that stayed up"
        }
    };
    let lost = format!(
        "message {} of {publisher}, sent at {}, {state}, owed at QoS {}, never came (§4.3)",
        open.sequence,
        seconds(open.record.sent_at),
        open.owed as u8
    );
    let Some((name, away)) = away else {
        return lost;
    };
    let until = away
        .until
        .map_or(String::new(), |until| format!(" to {}", seconds(until)));
    format!(
        "{lost}; {name} was away from {}{until}, and {} of the {} messages that waited for it came: a limit of the broker's \
         queue?",
        seconds(away.from),
        count_text(away.came),
        count_text(away.waited)
    )
}

/// When it was seen that a message is missing: a later one of its stream came to the Session, for whose order it
/// was too late then [MQTT-4.6.0-6]. Members of a share have no order between them.
fn missed_at(recipient: Recipient, open: &OpenPledge, end: RunEnd) -> Instant {
    let at_end = match end {
        RunEnd::Drained(now) => now,
        RunEnd::Cut => open.record.sent_at,
    };
    match recipient {
        Recipient::Session(_) => open.lost_by_order_at().unwrap_or(at_end),
        Recipient::Share(_) => at_end,
    }
}
