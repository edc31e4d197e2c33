//! One Topic Filter of one Session: whether it asks for messages, and what its SUBSCRIBE brings.

use squall_fleet::{SocketId, Wanted};
use squall_protocol::packet::{SubscriptionIdentifier, SubscriptionOptions};
use squall_protocol::{Instant, QoS};

use super::brings::Brings;
use super::requests::{Connection, Requests};
use crate::books::event::Event;
use crate::books::topics::FilterKey;

/// One Topic Filter of one Session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subscription {
    /// The Topic Filter that is subscribed to.
    pub(crate) filter: FilterKey,
    /// Whether it asks for messages.
    pub(crate) state: SubscriptionState,
    /// As the last SUBSCRIBE asked for it; the QoS is in `granted`.
    pub(crate) options: SubscriptionOptions,
    /// The Subscription Identifier of that SUBSCRIBE.
    pub(crate) identifier: Option<SubscriptionIdentifier>,
    /// What the last SUBSCRIBE brings of what is retained.
    pub(crate) brings: Brings,
    /// The most that any brings that was sent for it in this Session.
    pub(crate) brings_at_most: Brings,
    /// Granted by the last SUBACK.
    pub(crate) granted: QoS,
    /// When SUBACK came; `None` from SUBSCRIBE until then.
    pub(crate) confirmed_at: Option<Instant>,
    /// SUBSCRIBE packets that were sent for it.
    pub(crate) requests: Requests,
    /// When SUBSCRIBE was sent for the first time in this Session.
    pub(crate) asked_at: Instant,
    /// The connection of the last SUBSCRIBE.
    pub(crate) asked_on: SocketId,
    /// When it was sent for the first time on that connection.
    pub(crate) asked_here_at: Instant,
    /// When it became active; means nothing before.
    pub(crate) active_since: Instant,
    /// The connection that it was made or resumed on.
    pub(crate) socket: SocketId,
    /// When UNSUBACK for it came the last time; `None` if none did in this Session.
    left_at: Option<Instant>,
}

impl Subscription {
    /// SUBSCRIBE is sent for a filter for the first time.
    pub(crate) fn ask(filter: FilterKey, event: &Event, wanted: &Wanted, brings: Brings) -> Self {
        let mut requests = Requests::default();
        if brings > Brings::Nothing {
            requests.send(Connection::Other, event.now);
        }
        Self {
            filter,
            state: SubscriptionState::Requested,
            options: wanted.options,
            identifier: wanted.identifier,
            brings,
            brings_at_most: brings,
            granted: QoS::AtMostOnce,
            confirmed_at: None,
            requests,
            asked_at: event.now,
            asked_on: event.socket,
            asked_here_at: event.now,
            active_since: event.now,
            socket: event.socket,
            left_at: None,
        }
    }

    /// UNSUBSCRIBE is sent for a filter for which no SUBSCRIBE was: an earlier run's Session may have it.
    pub(crate) fn give_up(filter: FilterKey, event: &Event, wanted: &Wanted) -> Self {
        Self {
            state: SubscriptionState::Leaving,
            ..Self::ask(filter, event, wanted, Brings::Nothing)
        }
    }

    /// SUBSCRIBE is sent again.
    pub(crate) fn ask_again(&mut self, event: &Event, wanted: &Wanted) {
        self.options = wanted.options;
        self.identifier = wanted.identifier;
        self.brings = self.brings_again(event.socket);
        if self.state == SubscriptionState::Absent && self.left_at.is_none() {
            self.brings_at_most = self.brings;
            self.asked_at = event.now;
            self.asked_here_at = event.now;
        } else if self.asked_on != event.socket {
            self.asked_here_at = event.now;
        }
        self.brings_at_most = self.brings_at_most.max(self.brings);
        self.asked_on = event.socket;
        if self.brings > Brings::Nothing {
            let on = match self.socket == event.socket {
                true => Connection::Same,
                false => Connection::Other,
            };
            self.requests.send(on, event.now);
        }
        self.socket = event.socket;
        self.confirmed_at = None;
        if self.state != SubscriptionState::Active {
            self.state = SubscriptionState::Requested;
        }
    }

    /// UNSUBSCRIBE is sent.
    pub(crate) fn leave(&mut self) {
        self.state = match self.state {
            SubscriptionState::Requested
            | SubscriptionState::Active
            | SubscriptionState::Leaving => SubscriptionState::Leaving,
            SubscriptionState::Absent => SubscriptionState::Absent,
            SubscriptionState::Ending => SubscriptionState::Ending,
        };
    }

    /// UNSUBACK came.
    pub(crate) fn note_left(&mut self, now: Instant) {
        if self.state == SubscriptionState::Leaving {
            self.state = SubscriptionState::Absent;
            self.left_at = Some(now);
        }
    }

    /// Its Session is over, or does not have it.
    pub(crate) fn end(&mut self) {
        self.state = SubscriptionState::Absent;
        self.left_at = None;
    }

    /// Whether UNSUBACK came for it in this Session, and no SUBSCRIBE was sent since.
    pub(crate) fn has_left(&self) -> bool {
        self.state == SubscriptionState::Absent && self.left_at.is_some()
    }

    /// Whether it asks, certainly or not, for what was sent at `sent_at`: after UNSUBACK the broker may finish what it
    /// had begun [MQTT-3.10.4-3], and deliver what it had queued.
    pub(crate) fn asks_for(&self, sent_at: Instant) -> bool {
        self.state != SubscriptionState::Absent
            || self.left_at.is_some_and(|left_at| sent_at <= left_at)
    }
}

/// Whether a subscription asks for messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SubscriptionState {
    /// It does not ask for messages.
    Absent,
    /// It may: SUBSCRIBE was sent.
    Requested,
    /// Certainly: SUBACK came.
    Active,
    /// It may: UNSUBSCRIBE was sent.
    Leaving,
    /// It may: a connection with Clean Start is about to end it.
    Ending,
}
