//! What the options of subscriptions change in what a Session is owed, and in how it comes (§3.8.3.1).
//!
//! Where subscriptions of one Session overlap that have different options, the specification leaves the server a
//! choice: then every answer that one of them allows is right.

use squall_fleet::SocketId;
use squall_protocol::Instant;
use squall_protocol::packet::{RetainHandling, SubscriptionIdentifier};

use super::brings::Brings;
use super::{Session, Subscription, SubscriptionState};
use crate::books::topics::FilterKey;

/// Whose message it is, as a Session sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sender {
    /// One with the Client Identifier of the Session.
    Itself,
    /// One with another.
    Another,
}

/// What the RETAIN flag of a message must be that does not come out of the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RetainFlag {
    /// 0 [MQTT-3.3.1-12].
    Cleared,
    /// What it was published with [MQTT-3.3.1-13].
    AsPublished,
    /// One of both.
    Either,
}

/// The Subscription Identifiers that a message may bear [MQTT-3.3.4-3].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Identifiers {
    /// Those of subscriptions that may have brought it.
    pub(crate) possible: Vec<SubscriptionIdentifier>,
    /// Those of subscriptions that surely asked for it when it was sent.
    pub(crate) certain: Vec<SubscriptionIdentifier>,
    /// Whether a subscription without one may have brought it.
    pub(crate) may_be_without: bool,
}

impl Subscription {
    /// Whether it asks, certainly or not, for what `sender` sent at `sent_at` [MQTT-3.8.3-3].
    pub(crate) fn may_bring(&self, sender: Sender, sent_at: Instant) -> bool {
        let is_local = sender == Sender::Itself && self.options.no_local;
        self.asks_for(sent_at) && !is_local
    }

    /// What another SUBSCRIBE for it brings, on the connection `on`.
    pub(crate) fn brings_again(&self, on: SocketId) -> Brings {
        match self.options.retain_handling {
            RetainHandling::SendAtSubscribe => Brings::Everything,
            RetainHandling::DoNotSend => Brings::Nothing,
            RetainHandling::SendIfNew => match self.state {
                SubscriptionState::Absent => Brings::Everything,
                // Made or resumed here.
                SubscriptionState::Active if self.socket == on && self.confirmed_at.is_some() => {
                    Brings::Nothing
                }
                SubscriptionState::Active
                | SubscriptionState::Requested
                | SubscriptionState::Leaving
                | SubscriptionState::Ending => Brings::Perhaps,
            },
        }
    }
}

impl Session {
    /// What the RETAIN flag of a live message of `sent_at` must be that came by one of `filters`.
    pub(crate) fn retain_flag(&self, filters: &[FilterKey], sent_at: Instant) -> RetainFlag {
        let mut keeps = false;
        let mut clears = false;
        for subscription in self.asking(filters, sent_at) {
            keeps |= subscription.options.retain_as_published;
            clears |= !subscription.options.retain_as_published;
        }
        match (keeps, clears) {
            (true, true) => RetainFlag::Either,
            (true, false) => RetainFlag::AsPublished,
            (false, _) => RetainFlag::Cleared,
        }
    }

    /// Whether any of its subscriptions has an identifier.
    pub(crate) fn has_identifiers(&self) -> bool {
        self.subscriptions
            .iter()
            .any(|subscription| subscription.identifier.is_some())
    }

    /// The identifiers that a message of `sender` may bear that came by `filters`, and was sent at `sent_at` or later.
    pub(crate) fn identifiers(
        &self,
        filters: &[FilterKey],
        sender: Sender,
        sent_at: Instant,
    ) -> Identifiers {
        let mut found = Identifiers::default();
        for subscription in self.asking(filters, sent_at) {
            if !subscription.may_bring(sender, sent_at) {
                continue;
            }
            let Some(identifier) = subscription.identifier else {
                found.may_be_without = true;
                continue;
            };
            found.possible.push(identifier);
            let is_certain = subscription.state == SubscriptionState::Active
                && subscription.active_since < sent_at;
            if is_certain {
                found.certain.push(identifier);
            }
        }
        found
    }
}
