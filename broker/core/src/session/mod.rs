//! One Session: what a client's server side keeps while it has a Network Connection and until the
//! Session Expiry Interval has passed after it (§4.1).
//!
//! Every change of a Session is made in this folder, by a function named after what happened: here
//! its connection, its will, its subscriptions and its end, in `exchanges` the messages in flight,
//! in `backlog` what waits to be sent. The rest of the broker only looks, so that a log of changes
//! would have one place to be written. Counters, timers and other Sessions are not changed here: a
//! change returns what its caller needs for that. The table of all Sessions is `sessions`.
//!
//! Invariants:
//! - With a connection nothing is due: neither the Session's end nor a will.
//! - A will is due only if there is one, and no later than the Session's end.
//! - A Session that has ended has no connection.

mod backlog;
mod exchanges;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;
use squall_protocol::inbound::Inbound;
use squall_protocol::outbound::{Awaiting, Outbound};
use squall_protocol::packet::Will;

use crate::ConnectionId;
use crate::keys::SubscriptionKey;
use crate::message::Copied;
use crate::replays::Replays;
use crate::retained::Replay;
use crate::subscriptions::SessionSubscriptions;
use crate::timer::NEVER;
use crate::will;
use backlog::Backlog;
pub(crate) use backlog::{Polled, Waiting};

/// One client's Session. What most Sessions do not need is allocated at its first use.
#[derive(Debug)]
pub(crate) struct Session {
    client_id: Rc<str>,
    /// Its Network Connection, if it has one.
    connection: Option<ConnectionId>,
    /// Messages to the client that are sent and not finished.
    outbound: Outbound<Copied>,
    /// Messages from the client that are not finished.
    inbound: Inbound,
    subscriptions: SessionSubscriptions,
    /// Whether it waits for its turn to be fed.
    is_unfinished: bool,
    /// What waits to be sent.
    backlog: Option<Box<Backlog>>,
    /// Of the connection, or of the last one while it is delayed.
    will: Option<Box<Will>>,
    /// Seconds it outlives its connection; `u32::MAX`: without end.
    expiry_interval: u32,
    /// When it ends, if it has no connection; else the end of time.
    expires_at: Instant,
    /// When the will is due, if it has no connection; else the end of time.
    will_due: Instant,
    /// When its timer fires; the end of time if none is set.
    timer_at: Instant,
}

/// What a CONNECT that was accepted says of the Session.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) connection: ConnectionId,
    pub(crate) will: Option<Box<Will>>,
    /// Seconds, as the server allows it; `u32::MAX`: without end.
    pub(crate) expiry_interval: u32,
    /// QoS 1 and QoS 2 messages that may be in flight to the client, 1 to 65,535 (§3.1.2.11.3).
    pub(crate) outbound_max: u16,
    /// QoS 1 and QoS 2 messages that may be in flight from the client, 1 to 65,535 (§3.2.2.3.3).
    pub(crate) inbound_max: u16,
}

/// Whether a Session goes on when its connection is lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Afterwards {
    /// It waits for its client.
    Kept,
    /// Its Session Expiry Interval is 0: [`Session::end`] is next.
    Ends,
}

/// What a Session's timer found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Due {
    /// It fired for a deadline that another timer has now.
    Outdated,
    /// Nothing yet: a new timer is needed.
    Nothing,
    Will,
    End,
}

/// What a Session leaves behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) subscriptions: Vec<SubscriptionKey>,
    /// Retained messages that they would have brought.
    pub(crate) replays: Replays,
    /// Messages of shared subscriptions that other members may get, in order.
    pub(crate) shared: Vec<Copied>,
    /// How many messages were in its queue, those in `shared` included.
    pub(crate) queued: usize,
    /// How many messages, queued or in flight, are lost with it.
    pub(crate) lost: usize,
    /// To be published now [MQTT-3.1.2-8].
    pub(crate) will: Option<Box<Will>>,
}

/// Its Network Connection, its will and its end.
impl Session {
    pub(crate) fn new(client_id: Rc<str>) -> Self {
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

    pub(crate) fn client_id(&self) -> &Rc<str> {
        &self.client_id
    }

    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        self.connection
    }

    /// Begins its next Network Connection. It does not expire now, and a will that waits for its
    /// delay is not sent after all [MQTT-3.1.3-9].
    ///
    /// # Panics
    ///
    /// If it has a connection: that one leaves first [MQTT-3.1.4-3].
    pub(crate) fn handle_connected(&mut self, connected: Connected) {
        assert!(self.connection.is_none(), "a session has one connection");
        self.connection = Some(connected.connection);
        self.expiry_interval = connected.expiry_interval;
        self.expires_at = NEVER;
        self.will = connected.will;
        self.will_due = NEVER;
        self.outbound.resume(connected.outbound_max);
        self.inbound.resume(connected.inbound_max);
    }

    /// Takes the Session Expiry Interval of a DISCONNECT, as the server allows it (§3.14.2.2.2).
    pub(crate) fn set_expiry_interval(&mut self, seconds: u32) {
        assert!(self.connection.is_some(), "only a client sets it");
        self.expiry_interval = seconds;
    }

    /// Drops the will: its connection ended in a way that does not publish it [MQTT-3.14.4-3].
    pub(crate) fn withdraw_will(&mut self) {
        self.will = None;
        self.will_due = NEVER;
    }

    /// Ends its Network Connection at `now`, for whatever reason, a takeover included. From now on
    /// the Session Expiry Interval and the Will Delay Interval run.
    ///
    /// # Panics
    ///
    /// If it has no connection.
    pub(crate) fn handle_connection_lost(&mut self, now: Instant) -> Afterwards {
        assert!(self.connection.is_some(), "there is a connection to lose");
        self.connection = None;
        self.outbound.connection_lost();
        let interval = self.expiry_interval;
        if interval == 0 {
            return Afterwards::Ends;
        }
        self.expires_at = match interval {
            u32::MAX => NEVER,
            seconds => now + Duration::from_secs(seconds.into()),
        };
        self.will_due = match &self.will {
            Some(will) => now + will::delay(will, interval),
            None => NEVER,
        };
        Afterwards::Kept
    }

    pub(crate) fn is_will_due(&self, now: Instant) -> bool {
        self.will_due <= now
    }

    /// Takes the will to publish it: it is published once.
    pub(crate) fn take_will(&mut self) -> Option<Box<Will>> {
        self.will_due = NEVER;
        self.will.take()
    }

    /// When something is due before its timer fires, so that it needs another timer.
    pub(crate) fn needs_timer(&self) -> Option<Instant> {
        let deadline = self.expires_at.min(self.will_due);
        (deadline < self.timer_at).then_some(deadline)
    }

    /// Records that a timer was set, and when it fires.
    pub(crate) fn timer_set(&mut self, fires_at: Instant) {
        self.timer_at = fires_at;
    }

    /// Applies a timer that fired at `now`, and says what is due. The Session's end comes before its
    /// will, which is published with it.
    pub(crate) fn handle_timer(&mut self, now: Instant) -> Due {
        if now < self.timer_at {
            return Due::Outdated;
        }
        self.timer_at = NEVER;
        if now >= self.expires_at {
            Due::End
        } else if now >= self.will_due {
            Due::Will
        } else {
            Due::Nothing
        }
    }

    /// Ends the Session.
    ///
    /// Messages of shared subscriptions go to other members, except those of QoS 2 that were
    /// sent [MQTT-4.8.2-5]; all others are lost with the Session.
    ///
    /// # Panics
    ///
    /// If it has a connection.
    pub(crate) fn end(mut self) -> Ended {
        assert!(self.connection.is_none(), "its connection ends first");
        let queued = self.queued();
        let mut shared = self
            .outbound
            .extract(|awaiting, copied| awaiting == Awaiting::Puback && copied.group.is_some());
        if let Some(backlog) = &mut self.backlog {
            shared.extend(backlog.queue.extract_shared());
        }
        let lost = self.load();
        let replays = self.backlog.map(|backlog| backlog.replays);
        Ended {
            shared,
            queued,
            lost,
            replays: replays.unwrap_or_default(),
            subscriptions: self.subscriptions.into_vec(),
            will: self.will,
        }
    }
}

/// Its subscriptions and the retained messages that they ask for.
impl Session {
    pub(crate) fn subscriptions(&self) -> &[SubscriptionKey] {
        self.subscriptions.as_slice()
    }

    /// Adds a subscription that it does not have.
    pub(crate) fn add_subscription(&mut self, subscription: SubscriptionKey) {
        self.subscriptions.add(subscription);
    }

    /// How many messages will have left its queue when the last one has that is there now.
    pub(crate) fn queue_end(&self) -> u64 {
        self.backlog.as_ref().map_or(0, |b| b.queue.end())
    }

    /// Adds the retained messages that a subscription asks for, in place of those that it asked for
    /// before.
    pub(crate) fn add_replay(&mut self, subscription: SubscriptionKey, replay: Replay) {
        let backlog = self.backlog.get_or_insert_default();
        backlog.replays.push_back(subscription, replay);
    }

    /// Ends a subscription. What is queued or in flight is still sent (§3.10.4); retained messages
    /// that are not are not [MQTT-3.10.4-2].
    pub(crate) fn remove_subscription(&mut self, subscription: SubscriptionKey) {
        self.subscriptions.remove(subscription);
        if let Some(backlog) = &mut self.backlog {
            backlog.replays.remove(subscription);
        }
    }
}
