//! Who watches a topic, and since when without a break: for wills, which are not pledged.

use std::collections::BTreeSet;

use squall_protocol::{Instant, QoS};
use squall_scenario::ClientKey;

use super::{Deliveries, session};
use crate::books::event::Event;
use crate::books::session::Sender;
use crate::books::session::Session;
use crate::books::topics::{FilterKey, Recipient};

/// For whom a will is that reaches a Session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WillRecipient {
    /// The Session, or the shared subscription that it is a member of.
    pub(crate) recipient: Recipient,
    /// Copies that its subscriptions allow.
    pub(crate) copies: u8,
}

/// A Session that watches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Watcher {
    /// Whose Session it is.
    pub(crate) client: ClientKey,
    /// Since when it has watched without a break.
    pub(crate) since: Instant,
}

impl Deliveries {
    /// For whom a will is that reaches a Session, and was published at `sent_at` or later; `None` if no subscription asks
    /// for it.
    pub(crate) fn recipient_of(
        &self,
        event: &Event,
        topic: &str,
        sent_at: Instant,
    ) -> Option<WillRecipient> {
        let topic = self.topics.topic(topic)?;
        let session = session(&self.sessions, event.client)?;
        // Whether No Local keeps a will from its own Session is not said: it may come.
        let filters = self.topics.filters(topic);
        let copies = session.asked(filters, Sender::Another, sent_at).copies;
        let mut shares = self.topics.shared_filters(topic).iter();
        let is_member =
            |filter: FilterKey| session.asked(&[filter], Sender::Another, sent_at).copies > 0;
        if copies > 0 {
            // Those of shared subscriptions look like its own.
            let of_shares = shares.filter(|&&filter| is_member(filter)).count();
            let of_shares = u8::try_from(of_shares).unwrap_or(u8::MAX);
            return Some(WillRecipient {
                recipient: Recipient::Session(event.client),
                copies: copies.saturating_add(of_shares),
            });
        }
        let share = shares.find(|&&filter| is_member(filter))?;
        Some(WillRecipient {
            recipient: Recipient::Share(*share),
            copies: 1,
        })
    }

    /// Filters that match a topic, shared subscriptions apart; none if it is not known.
    pub(crate) fn filters_of(&self, topic: &str) -> &[FilterKey] {
        let topic = self.topics.topic(topic);
        topic.map_or(&[], |topic| self.topics.filters(topic))
    }

    /// For each Session that watches by one of `filters`, since when it has done so without a
    /// break: a will of an earlier end may have been lost with the Session, or, at QoS 0, with a
    /// connection (§4.3.1).
    pub(crate) fn watchers(&self, filters: &[FilterKey], qos: QoS) -> Vec<Watcher> {
        let clients: BTreeSet<ClientKey> = filters
            .iter()
            .flat_map(|&filter| self.topics.recipients(filter))
            .filter_map(|recipient| match recipient {
                Recipient::Session(client) => Some(*client),
                Recipient::Share(_) => None,
            })
            .collect();
        clients
            .into_iter()
            .filter_map(|client| {
                let session = session(&self.sessions, client)?;
                let since = session.watching_since(filters, qos)?;
                Some(Watcher { client, since })
            })
            .collect()
    }

    /// Since when the Session of an event has had the connection of the event, and no other; `None` if it has
    /// others.
    pub(crate) fn alone_since(&self, event: &Event) -> Option<Instant> {
        let session = session(&self.sessions, event.client)?;
        session
            .has_only(event.socket)
            .then_some(session.connected_at)
    }

    /// Whether another connection may have displaced that of an event.
    pub(crate) fn is_displaced(&self, event: &Event) -> bool {
        let session = session(&self.sessions, event.client);
        session.is_some_and(|session| session.is_displaced(event.socket))
    }

    /// Since when a recipient has watched a topic without a break; `None` if it does not now.
    pub(crate) fn watched_since(
        &self,
        recipient: Recipient,
        topic: &str,
        qos: QoS,
    ) -> Option<Instant> {
        match recipient {
            Recipient::Session(client) => session(&self.sessions, client)
                .and_then(|session: &Session| session.watching_since(self.filters_of(topic), qos)),
            Recipient::Share(filter) => {
                let share = self.shares.get(&filter)?;
                share.certain(&self.sessions, filter)?;
                Some(share.disturbed_until())
            }
        }
    }

    /// Shared subscriptions that certainly ask for a topic now, but for those with a member that asks for it by itself
    /// too: which of the two a copy is for cannot be seen.
    pub(crate) fn certain_shares(&self, topic: &str) -> Vec<FilterKey> {
        let Some(topic) = self.topics.topic(topic) else {
            return Vec::new();
        };
        let filters = self.topics.shared_filters(topic).iter().copied();
        filters
            .filter(|filter| {
                let share = self.shares.get(filter);
                share.is_some_and(|share| {
                    let mut members = share.members.iter();
                    let own = self.topics.filters(topic);
                    share.certain(&self.sessions, *filter).is_some()
                        && !members.any(|&member| {
                            session(&self.sessions, member).is_some_and(|row| row.has_asked(own))
                        })
                })
            })
            .collect()
    }

    /// Whether no member of a shared subscription was lost since `at`.
    pub(crate) fn is_undisturbed_since(&self, share: FilterKey, at: Instant) -> bool {
        let share_row = self.shares.get(&share);
        share_row.is_some_and(|row| {
            row.disturbed_until() <= at && row.certain(&self.sessions, share).is_some()
        })
    }
}
