//! Sessions: what a client's server side keeps while it has a Network Connection and until the
//! Session Expiry Interval has passed after it (§4.1).
//!
//! Invariant: a Session is in the table under its Client Identifier for as long as it exists; its
//! key is used again only after it ended.

use std::rc::Rc;

use hashbrown::HashMap;
use squall_protocol::Instant;
use squall_protocol::inbound::Inbound;
use squall_protocol::outbound::Outbound;
use squall_protocol::packet::Will;

use crate::ConnectionId;
use crate::config::QueueLimits;
use crate::keys::SessionKey;
use crate::message::Copied;
use crate::queue::Queue;
use crate::replays::Replays;
use crate::subscriptions::SessionSubscriptions;
use crate::timer::NEVER;

/// One client's Session. What most Sessions do not need is allocated when it is used.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client_id: Rc<str>,
    /// Its Network Connection, if it has one.
    pub(crate) connection: Option<ConnectionId>,
    /// Messages to the client that are sent and not finished.
    pub(crate) outbound: Outbound<Copied>,
    /// Messages from the client that are not finished.
    pub(crate) inbound: Inbound,
    pub(crate) subscriptions: SessionSubscriptions,
    /// Whether it waits for its turn to be fed.
    pub(crate) is_unfinished: bool,
    /// What waits to be sent.
    pub(crate) backlog: Option<Box<Backlog>>,
    /// Of the connection, or of the last one while it is delayed.
    pub(crate) will: Option<Box<Will>>,
    /// Seconds it outlives its connection; `u32::MAX`: without end.
    pub(crate) expiry_interval: u32,
    /// When it ends, if it has no connection; else the end of time.
    pub(crate) expires_at: Instant,
    /// When the will is due, if it has no connection; else the end of time.
    pub(crate) will_due: Instant,
    /// When its timer fires; the end of time if none is set.
    pub(crate) timer_at: Instant,
}

/// Messages that wait for quota, for the socket or for a connection, and retained messages that
/// a subscription asked for.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    pub(crate) queue: Queue,
    pub(crate) replays: Replays,
}

impl Session {
    fn new(client_id: Rc<str>) -> Self {
        Self {
            client_id,
            connection: None,
            outbound: Outbound::default(),
            inbound: Inbound::default(),
            subscriptions: SessionSubscriptions::default(),
            is_unfinished: false,
            backlog: None,
            will: None,
            expiry_interval: 0,
            expires_at: NEVER,
            will_due: NEVER,
            timer_at: NEVER,
        }
    }

    /// Messages that wait in its queue.
    pub(crate) fn queued(&self) -> usize {
        self.backlog.as_ref().map_or(0, |b| b.queue.len())
    }

    /// Whether a new QoS 1 or QoS 2 message must wait behind others or for the send quota.
    pub(crate) fn holds_back(&self) -> bool {
        self.backlog.is_some() || !self.outbound.can_send()
    }

    /// Whether its queue has room for a message of `bytes` bytes.
    pub(crate) fn has_room_for(&self, bytes: usize, limits: &QueueLimits) -> bool {
        match &self.backlog {
            Some(backlog) => backlog.queue.has_room_for(bytes, limits),
            None => Queue::default().has_room_for(bytes, limits),
        }
    }

    /// Whether retained messages wait, so that everything later must wait behind them.
    pub(crate) fn is_replaying(&self) -> bool {
        self.backlog.as_ref().is_some_and(|b| !b.replays.is_empty())
    }

    /// When something is due while it has no connection; the end of time for never.
    pub(crate) fn deadline(&self) -> Instant {
        self.expires_at.min(self.will_due)
    }
}

/// All Sessions, by key and by Client Identifier.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    slots: Vec<Option<Session>>,
    free: Vec<SessionKey>,
    by_client_id: HashMap<Rc<str>, SessionKey>,
}

impl Sessions {
    pub(crate) fn len(&self) -> usize {
        self.by_client_id.len()
    }

    pub(crate) fn find(&self, client_id: &str) -> Option<SessionKey> {
        self.by_client_id.get(client_id).copied()
    }

    /// Makes a Session for a client that has none.
    pub(crate) fn create(&mut self, client_id: &str) -> SessionKey {
        let client_id: Rc<str> = client_id.into();
        let key = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            SessionKey(self.slots.len() as u32 - 1)
        });
        let replaced = self.by_client_id.insert(Rc::clone(&client_id), key);
        assert!(replaced.is_none(), "a client has one session");
        self.slots[key.0 as usize] = Some(Session::new(client_id));
        key
    }

    pub(crate) fn get(&self, key: SessionKey) -> Option<&Session> {
        self.slots.get(key.0 as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: SessionKey) -> Option<&mut Session> {
        self.slots.get_mut(key.0 as usize)?.as_mut()
    }

    /// Takes a Session out. Its key is not used again until [`Self::release`].
    pub(crate) fn take(&mut self, key: SessionKey) -> Option<Session> {
        let session = self.slots.get_mut(key.0 as usize)?.take()?;
        self.by_client_id.remove(&session.client_id);
        Some(session)
    }

    /// Lets the key of a Session that was taken out be used again: nothing knows it any longer.
    pub(crate) fn release(&mut self, key: SessionKey) {
        self.free.push(key);
    }

    /// Sessions with a connection, by a look at each.
    pub(crate) fn connected(&self) -> usize {
        let sessions = self.slots.iter().flatten();
        sessions
            .filter(|session| session.connection.is_some())
            .count()
    }

    /// Messages that wait in queues, by a look at each Session.
    pub(crate) fn queued(&self) -> usize {
        self.slots.iter().flatten().map(Session::queued).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Connection;

    /// What an idle client costs the core, beside its name and its slots in tables.
    #[test]
    fn an_idle_session_and_its_connection_are_small() {
        let bytes = size_of::<Option<Session>>() + size_of::<Connection>();

        assert!(bytes <= 448, "{bytes} bytes");
    }
}
