//! Subscription Identifiers: a delivery bears those of the subscriptions that it comes for [MQTT-3.3.4-3].
//!
//! Where several subscriptions of a Session match, the broker may send one message with the identifiers of all
//! [MQTT-3.3.4-4], or one for each of them [MQTT-3.3.4-5]. So a message that has come with some of them is kept until
//! the others have come too, and judged when the books are closed. The end of the connection ends that: then nothing
//! is concluded.

use std::collections::HashMap;

use squall_protocol::Instant;
use squall_protocol::packet::SubscriptionIdentifier;
use squall_run::AnomalyKind;
use squall_scenario::ClientKey;

use super::case::Case;
use super::delivery::Origin;
use super::{Deliveries, StreamId, TallyKey, session};
use crate::books::anomalies::{Anomaly, Noticed};
use crate::books::retained::SETTLING_TIME;
use crate::books::session::{Identifiers, Sender};
use crate::books::topics::FilterKey;

/// Messages of which identifiers are awaited at once; of further ones none is.
const AWAITED_MAX: usize = 10_000;

/// Identifiers that are to come still, by message and Session.
#[derive(Debug, Default)]
pub(super) struct AwaitedIdentifiers {
    messages: HashMap<(StreamId, u32, ClientKey), Awaited>,
}

/// A message that came without the identifiers of all subscriptions that surely asked for it.
#[derive(Debug)]
struct Awaited {
    missing: Vec<SubscriptionIdentifier>,
    since: Instant,
    key: TallyKey,
    noticed: Noticed,
    anomaly: Anomaly,
}

impl AwaitedIdentifiers {
    /// A connection of a Session ended.
    pub(super) fn handle_ended(&mut self, client: ClientKey) {
        if !self.messages.is_empty() {
            self.messages.retain(|&(_, _, of), _| of != client);
        }
    }
}

impl Deliveries {
    /// Compares the Subscription Identifiers of a delivery with those of the subscriptions that it comes for.
    pub(super) fn check_identifiers(&mut self, case: &Case<'_>) {
        let Some(session) = session(&self.sessions, case.event.client) else {
            return;
        };
        let came = case.delivery.identifiers;
        if came.is_empty() && !session.has_identifiers() {
            return;
        }
        let filters: Vec<FilterKey> = [
            self.topics.filters(case.topic),
            self.topics.shared_filters(case.topic),
        ]
        .concat();
        let sender = match case.delivery.origin {
            Origin::Live => case.sender,
            Origin::Store | Origin::EmptyStore => Sender::Another,
        };
        let allowed = session.identifiers(&filters, sender, case.sent_at_least());
        // What a shared subscription brings goes to one member, perhaps another.
        let own = self.topics.filters(case.topic);
        let own = session.identifiers(own, sender, case.sent_at_least());
        if let Some(what) = wrong_identifier(came, &allowed) {
            self.note_mislabelled(case, &what);
        } else if case.delivery.origin == Origin::Live && own.certain.len() > 1 {
            self.await_identifiers(case, &own);
        }
    }

    /// Of several identifiers that must come, those that did are written down.
    fn await_identifiers(&mut self, case: &Case<'_>, allowed: &Identifiers) {
        let came = case.delivery.identifiers;
        let message = (case.stream, case.sequence(), case.event.client);
        let awaited = &mut self.identifiers.messages;
        if let Some(known) = awaited.get_mut(&message) {
            known
                .missing
                .retain(|identifier| !came.contains(identifier));
            if known.missing.is_empty() {
                awaited.remove(&message);
            }
            return;
        }
        let missing: Vec<_> = allowed
            .certain
            .iter()
            .copied()
            .filter(|identifier| !came.contains(identifier))
            .collect();
        if missing.is_empty() || awaited.len() >= AWAITED_MAX {
            return;
        }
        let explanation = format!(
            "message {} of {} came without Subscription Identifier {} of a subscription that asked for it [MQTT-3.3.4-4], \
             [MQTT-3.3.4-5]",
            case.sequence(),
            self.names.of(case.stamp.device),
            missing[0].get()
        );
        let awaits = Awaited {
            missing,
            since: case.event.now,
            key: case.key(),
            noticed: case.noticed(),
            anomaly: case.anomaly(AnomalyKind::Mislabelled, explanation),
        };
        awaited.insert(message, awaits);
    }

    /// The run is drained: identifiers that have not come never will.
    pub(super) fn close_identifiers(&mut self, now: Instant) {
        let awaited = std::mem::take(&mut self.identifiers.messages);
        let mut missed: Vec<_> = awaited.into_iter().collect();
        missed.sort_by_key(|&(message, _)| message);
        for ((_, _, client), awaited) in missed {
            let is_on_link = session(&self.sessions, client).is_some_and(|row| row.is_on_link);
            if is_on_link || awaited.since + SETTLING_TIME >= now {
                continue;
            }
            self.books.tally_mut(awaited.key).mislabelled += 1;
            self.anomalies
                .note(AnomalyKind::Mislabelled, awaited.noticed, || {
                    awaited.anomaly
                });
        }
    }
}

/// What is wrong with the identifiers of one delivery, whatever else came.
fn wrong_identifier(came: &[SubscriptionIdentifier], allowed: &Identifiers) -> Option<String> {
    let foreign = came.iter().find(|came| !allowed.possible.contains(came));
    if let Some(foreign) = foreign {
        return Some(format!(
            "came with Subscription Identifier {}, which no subscription has that it could come for [MQTT-3.3.4-3]",
            foreign.get()
        ));
    }
    let is_missing = came.is_empty() && !allowed.may_be_without;
    is_missing.then(|| {
        "came without the Subscription Identifier of its subscription [MQTT-3.3.4-3]".to_owned()
    })
}
