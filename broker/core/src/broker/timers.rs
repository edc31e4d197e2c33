//! What is due: timeouts of connections and Sessions, expiry, `$SYS`, and work that waits for its turn.

use squall_protocol::Instant;
use squall_protocol::server::TimedOut;

use super::ending::Ending;
use super::{Broker, Timer, Turn, Unfinished};
use crate::ConnectionId;
use crate::counters::DropReason;
use crate::keys::SessionKey;
use crate::session::Due;
use crate::timer::NEVER;

impl Broker {
    /// Does what is due by now.
    pub(super) fn handle_deadline(&mut self, turn: &mut Turn<'_>) {
        let mut due = std::mem::take(&mut self.due);
        self.timers.take_due(turn.now, &mut due);
        for timer in due.drain(..) {
            match timer {
                Timer::Connection(id) => self.handle_connection_timer(turn, id),
                Timer::Session(key) => self.handle_session_timer(turn, key),
            }
        }
        self.due = due;
        let slice = self.config.retained.replay_slice.get();
        let expired = self.retained.expire(turn.now, slice);
        self.counters.count_dropped(DropReason::Expired, expired);
        if turn.now >= self.sys_due {
            self.publish_sys(turn);
        }
        // One slice in each turn: sockets are served before the next one.
        match self.unfinished.pop_front() {
            Some(Unfinished::Session(key)) => {
                if let Some(session) = self.sessions.get_mut(key) {
                    session.handle_turn();
                }
                self.feed(turn, key);
            }
            Some(Unfinished::Request(id)) => self.continue_request(turn, id),
            Some(Unfinished::Leaving) => self.continue_leaving(),
            None => {}
        }
    }

    fn handle_connection_timer(&mut self, turn: &mut Turn<'_>, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if turn.now < connection.timer_at {
            return;
        }
        connection.timer_at = NEVER;
        let role = &mut connection.gate.role;
        match role.handle_timeout(turn.now) {
            Some(TimedOut::Connect) => self.end(turn, id, Ending::ConnectTimeout),
            Some(TimedOut::KeepAlive) => self.end(turn, id, Ending::KeepAliveTimeout),
            None => {
                let deadline = role.deadline();
                self.arm_connection(id, deadline);
            }
        }
    }

    fn handle_session_timer(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        match session.handle_timer(turn.now) {
            Due::Outdated => return,
            Due::End => {
                self.counters.sessions_expired += 1;
                self.end_session(turn, key);
                return;
            }
            Due::Will => self.publish_will(turn, key),
            Due::Nothing => {}
        }
        self.arm_session(key);
    }

    /// Makes sure that a timer fires for the connection at `deadline` or earlier. Timers are not moved
    /// back: one that fires too early is set again then.
    pub(super) fn arm_connection(&mut self, id: ConnectionId, deadline: Option<Instant>) {
        let deadline = deadline.unwrap_or(NEVER);
        if let Some(connection) = self.connections.get_mut(id)
            && deadline < connection.timer_at
        {
            connection.timer_at = self.timers.set(deadline, Timer::Connection(id));
        }
    }

    /// Makes sure that a timer fires for the Session at its deadline or earlier.
    pub(super) fn arm_session(&mut self, key: SessionKey) {
        if let Some(session) = self.sessions.get_mut(key)
            && let Some(deadline) = session.needs_timer()
        {
            session.timer_set(self.timers.set(deadline, Timer::Session(key)));
        }
    }
}
