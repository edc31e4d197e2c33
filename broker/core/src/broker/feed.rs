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
use crate::message::Copied;
use crate::replays::ReplaySlice;
use crate::session::{Polled, Waiting};

/// Whether feeding goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    Advanced,
    /// It waits for an acknowledgement.
    Blocked,
    /// Other clients are served first.
    Paused,
}

impl Broker {
    /// Sends what waits for the Session. It is called where an obstacle goes away: an
    /// acknowledgement, a drained socket, CONNACK.
    pub(super) fn feed(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let mut slice = ReplaySlice::new(self.config.retained.replay_slice.get());
        while let Some(session) = self.sessions.get_mut(key) {
            let Some(connection) = session.connection() else {
                return;
            };
            if turn.outboxes.pending(connection) > self.config.outbox.soft_bytes {
                return;
            }
            if let Some(resend) = session.poll_resend() {
                self.resend(turn, key, resend);
                continue;
            }
            let progress = match session.poll_waiting() {
                Waiting::Queued => self.send_queued(turn, key),
                Waiting::Replay => self.send_retained(turn, key, &mut slice),
                Waiting::Nothing => return,
            };
            match progress {
                Progress::Advanced => {}
                Progress::Blocked => return,
                Progress::Paused => {
                    if let Some(session) = self.sessions.get_mut(key)
                        && session.wait_for_turn()
                    {
                        self.unfinished.push_back(Unfinished::Session(key));
                    }
                    return;
                }
            }
        }
    }

    fn send_queued(&mut self, turn: &mut Turn<'_>, key: SessionKey) -> Progress {
        let Some(session) = self.sessions.get_mut(key) else {
            return Progress::Blocked;
        };
        let polled = session.poll_queued(turn.now);
        self.counters.queued_messages -= match polled {
            Polled::Message(_) | Polled::Expired => 1,
            Polled::Nothing | Polled::Blocked | Polled::Paused => 0,
        };
        self.send_polled(turn, key, polled)
    }

    fn send_retained(
        &mut self,
        turn: &mut Turn<'_>,
        key: SessionKey,
        slice: &mut ReplaySlice,
    ) -> Progress {
        let Some(session) = self.sessions.get_mut(key) else {
            return Progress::Blocked;
        };
        let polled = session.poll_retained(&self.retained, turn.now, slice);
        self.send_polled(turn, key, polled)
    }

    fn send_polled(&mut self, turn: &mut Turn<'_>, key: SessionKey, polled: Polled) -> Progress {
        match polled {
            Polled::Message(copied) => self.send_first(turn, key, copied),
            Polled::Expired => self.counters.count_dropped(DropReason::Expired, 1),
            Polled::Nothing => {}
            Polled::Blocked => return Progress::Blocked,
            Polled::Paused => return Progress::Paused,
        }
        Progress::Advanced
    }

    /// Sends a kept copy for the first time. One that is too large for the client counts as sent and
    /// acknowledged [MQTT-3.1.2-25].
    fn send_first(&mut self, turn: &mut Turn<'_>, key: SessionKey, copied: Copied) {
        let qos = copied.options.qos();
        if qos == QoS::AtMostOnce {
            self.send_copied(turn, key, &copied, Sending::Unnumbered);
            return;
        }
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let id = session.message_sent(qos, copied.clone());
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
        let connection = session.and_then(|session| self.connections.get(session.connection()?));
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
        let Some((copied, awaiting)) = session.exchange(id) else {
            return;
        };
        let copied = copied.clone();
        if awaiting == Awaiting::Puback && copied.message.is_expired(turn.now) {
            self.counters.count_dropped(DropReason::Expired, 1);
            self.abandon(key, id);
        } else if !self.send_copied(turn, key, &copied, Sending::Again(id)) {
            self.abandon(key, id);
        }
    }

    /// Treats a message as completed, so that its identifier and quota are free.
    fn abandon(&mut self, key: SessionKey, id: PacketId) {
        if let Some(session) = self.sessions.get_mut(key) {
            session.abandon(id);
        }
    }
}
