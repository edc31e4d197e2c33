//! The end of a Network Connection: it is taken from its Session, which goes on or ends with it.

use std::rc::Rc;

use super::ending::{Ending, WillFate};
use super::{Broker, Turn};
use crate::keys::SessionKey;
use crate::session::Afterwards;
use crate::{Close, ConnectionId};

impl Broker {
    /// Ends a connection: sends its last packet, asks for the close, frees its Session.
    pub(super) fn end(&mut self, turn: &mut Turn<'_>, id: ConnectionId, ending: Ending) {
        let Some(connection) = self.connections.remove(id) else {
            return;
        };
        self.counters.connections_closed += 1;
        match ending {
            Ending::Protocol(_) | Ending::TopicTooDeep { .. } => self.counters.protocol_errors += 1,
            Ending::KeepAliveTimeout => self.counters.keep_alive_timeouts += 1,
            Ending::DoesNotRead => self.counters.outbox_overflows += 1,
            Ending::Disconnect(_)
            | Ending::Refused(_)
            | Ending::AnswerTooLarge
            | Ending::ConnectTimeout
            | Ending::TakenOver
            | Ending::TakenOverByNewSession
            | Ending::Lost
            | Ending::Shutdown => {}
        }
        self.say_goodbye(turn, &connection, &ending);
        let session = connection.session.and_then(|key| self.sessions.get(key));
        turn.outboxes.close(Close {
            connection: id,
            client_id: session.map(|session| Rc::clone(session.client_id())),
            cause: ending.close_cause(self.config.topic_levels_max.get()),
        });
        if let Some(key) = connection.session {
            self.detach(turn, key, &ending);
        }
    }

    /// Ends every connection, also those without CONNECT.
    pub(super) fn handle_shutdown(&mut self, turn: &mut Turn<'_>) {
        for id in self.connections.ids() {
            self.end(turn, id, Ending::Shutdown);
        }
    }

    /// Takes the connection from its Session.
    fn detach(&mut self, turn: &mut Turn<'_>, key: SessionKey, ending: &Ending) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        if let Ending::Disconnect(disconnect) = ending
            && let Some(interval) = disconnect.properties.session_expiry_interval
        {
            session.set_expiry_interval(interval.min(self.config.session_expiry_interval_max));
        }
        if ending.will_fate() == WillFate::Discarded {
            session.withdraw_will();
        }
        let afterwards = session.handle_connection_lost(turn.now);
        self.counters.clients_connected -= 1;
        if afterwards == Afterwards::Ends || matches!(ending, Ending::TakenOverByNewSession) {
            // Its will, if it is still there, is published with the end of the Session.
            self.end_session(turn, key);
            return;
        }
        if session.is_will_due(turn.now) {
            self.publish_will(turn, key);
        }
        self.arm_session(key);
        if !matches!(ending, Ending::TakenOver) {
            self.return_shared(turn, key);
        }
    }
}
