//! Brings a connected Session what waits for it, as far as its quota and its socket allow: first
//! what has to be sent again, then queued messages and retained messages in the order in which
//! they came.

use squall_protocol::outbound::{Awaiting, Resend};
use squall_protocol::packet::{Packet, Pubrel};
use squall_protocol::{PacketId, QoS, ReasonCode};

use super::kept::Sending;
use super::{Broker, Turn, Unfinished};
use crate::counters::DropReason;
use crate::keys::SessionKey;
use crate::message::{Copied, CopyOptions};
use crate::retained::Found;

/// What a Session's backlog has next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Queued,
    Replay,
    Nothing,
}

/// Whether feeding goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    Advanced,
    /// It waits for an acknowledgement.
    Blocked,
    /// Others go first.
    Paused,
}

impl Broker {
    /// Sends what waits for the Session. It is called where an obstacle goes away: an
    /// acknowledgement, a drained socket, CONNACK.
    pub(super) fn feed(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let mut budget = self.config.retained.replay_slice.get();
        while let Some(session) = self.sessions.get_mut(key) {
            let Some(connection) = session.connection else {
                return;
            };
            if turn.outboxes.pending(connection) > self.config.outbox.soft_bytes {
                return;
            }
            if let Some(resend) = session.outbound.poll_resend() {
                self.resend(turn, key, resend);
                continue;
            }
            let progress = match self.next_of_backlog(key) {
                Next::Queued => self.send_queued(turn, key),
                Next::Replay => self.send_retained(turn, key, &mut budget),
                Next::Nothing => return,
            };
            match progress {
                Progress::Advanced => {}
                Progress::Blocked => return,
                Progress::Paused => {
                    if let Some(session) = self.sessions.get_mut(key)
                        && !session.is_unfinished
                    {
                        session.is_unfinished = true;
                        self.unfinished.push_back(Unfinished::Session(key));
                    }
                    return;
                }
            }
        }
    }

    /// Looks at the backlog, and frees it if it is empty.
    fn next_of_backlog(&mut self, key: SessionKey) -> Next {
        let Some(session) = self.sessions.get_mut(key) else {
            return Next::Nothing;
        };
        let Some(backlog) = &session.backlog else {
            return Next::Nothing;
        };
        match backlog.replays.front() {
            Some(replay) if backlog.queue.left() >= replay.behind => Next::Replay,
            _ if !backlog.queue.is_empty() => Next::Queued,
            Some(_) => Next::Replay,
            None => {
                session.backlog = None;
                Next::Nothing
            }
        }
    }

    fn send_queued(&mut self, turn: &mut Turn<'_>, key: SessionKey) -> Progress {
        let Some(session) = self.sessions.get_mut(key) else {
            return Progress::Blocked;
        };
        let Some(backlog) = &mut session.backlog else {
            return Progress::Advanced;
        };
        let is_due = |copied: &Copied| !copied.message.is_expired(turn.now);
        let blocks = |copied: &Copied| copied.options.qos() != QoS::AtMostOnce;
        match backlog.queue.front() {
            Some(copied) if is_due(copied) && blocks(copied) && !session.outbound.can_send() => {
                return Progress::Blocked;
            }
            Some(_) | None => {}
        }
        let Some(copied) = backlog.queue.pop() else {
            return Progress::Advanced;
        };
        self.counters.queued_messages -= 1;
        if !is_due(&copied) {
            self.counters.count_dropped(DropReason::Expired, 1);
            return Progress::Advanced;
        }
        self.send_first(turn, key, copied);
        Progress::Advanced
    }

    fn send_retained(
        &mut self,
        turn: &mut Turn<'_>,
        key: SessionKey,
        budget: &mut usize,
    ) -> Progress {
        let Some(session) = self.sessions.get_mut(key) else {
            return Progress::Blocked;
        };
        let Some(backlog) = &mut session.backlog else {
            return Progress::Advanced;
        };
        let Some(replay) = backlog.replays.front_mut() else {
            return Progress::Advanced;
        };
        let (topic, message) = match self.retained.find_next(replay, turn.now, budget) {
            Found::Message { topic, message } => (topic, message),
            Found::Paused => return Progress::Paused,
            Found::End => {
                backlog.replays.pop_front();
                return Progress::Advanced;
            }
        };
        let qos = message.qos().min(replay.qos);
        if qos != QoS::AtMostOnce && !session.outbound.can_send() {
            return Progress::Blocked;
        }
        replay.advance(topic);
        // A new subscription sees that it is a retained message, whatever it asks for otherwise.
        let copied = Copied {
            message,
            options: CopyOptions::new(qos, true, replay.identifier),
            group: None,
        };
        self.send_first(turn, key, copied);
        Progress::Advanced
    }

    /// Sends a kept copy for the first time. One that is too large for the client is done.
    fn send_first(&mut self, turn: &mut Turn<'_>, key: SessionKey, copied: Copied) {
        let qos = copied.options.qos();
        if qos == QoS::AtMostOnce {
            self.send_copied(turn, key, &copied, Sending::Unnumbered);
            return;
        }
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let id = session.outbound.send(qos, copied.clone());
        if !self.send_copied(turn, key, &copied, Sending::First(id)) {
            self.abandon(key, id);
        }
    }

    /// Sends a packet again after a reconnect [MQTT-4.4.0-1].
    fn resend(&mut self, turn: &mut Turn<'_>, key: SessionKey, resend: Resend) {
        match resend {
            Resend::Pubrel(id) => self.resend_pubrel(turn, key, id),
            Resend::Publish(id) => self.resend_publish(turn, key, id),
        }
    }

    fn resend_pubrel(&mut self, turn: &mut Turn<'_>, key: SessionKey, id: PacketId) {
        let session = self.sessions.get(key);
        let connection = session.and_then(|session| self.connections.get(session.connection?));
        let Some(connection) = connection else {
            return;
        };
        let (connection, version) = (connection.id, connection.version);
        let pubrel = Packet::Pubrel(Pubrel::new(id, ReasonCode::Success));
        self.send(turn, connection, version, &pubrel);
    }

    /// An expired message is not sent again, except at QoS 2, where a message that was sent once
    /// does not expire [MQTT-4.3.3-7]: its identifier is free only when the exchange is over.
    fn resend_publish(&mut self, turn: &mut Turn<'_>, key: SessionKey, id: PacketId) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let Some(copied) = session.outbound.message(id).cloned() else {
            return;
        };
        let is_qos1 = session.outbound.awaiting(id) == Some(Awaiting::Puback);
        if is_qos1 && copied.message.is_expired(turn.now) {
            self.counters.count_dropped(DropReason::Expired, 1);
            self.abandon(key, id);
        } else if !self.send_copied(turn, key, &copied, Sending::Again(id)) {
            self.abandon(key, id);
        }
    }

    /// Treats a message as completed, so that its identifier and quota are free.
    fn abandon(&mut self, key: SessionKey, id: PacketId) {
        if let Some(session) = self.sessions.get_mut(key) {
            session.outbound.abandon(id);
        }
    }
}
