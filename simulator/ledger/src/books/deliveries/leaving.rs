//! Subscriptions that are given up (§3.10.4).
//!
//! From UNSUBSCRIBE on nothing more is owed for them, and from UNSUBACK on nothing may be added. What the broker has
//! begun to send it must complete; what it has queued it may deliver, or not. Which of the two a message is cannot be
//! seen from outside, so what has not come is excused; of what was under way for long it is not even known whether
//! the broker had it still. Two things are not: a message that another subscription of the
//! Session asks for as well, and one that a later message of its stream has overtaken, because it would have had to come
//! before that (§4.6).

use squall_fleet::Wanted;
use squall_protocol::{Instant, QoS, ReasonCode};

use super::pledges::Excuses;
use super::walk::{LEVELS, Outcome};
use super::{Deliveries, StreamId, group_of, session};
use crate::books::event::Event;
use crate::books::session::{Subscription, SubscriptionState};
use crate::books::share::{HowLost, Notice};
use crate::books::stream::OpenPledge;
use crate::books::topics::{FilterKey, Recipient};

/// What else asks for the messages of a topic, beside a subscription that is given up.
#[derive(Clone, Copy, Debug)]
struct Other {
    /// Since when.
    since: Instant,
    granted: QoS,
}

impl Deliveries {
    /// UNSUBSCRIBE was sent.
    pub(crate) fn handle_unsubscribe_sent(&mut self, event: &Event, wanted: &[Wanted]) {
        self.identifiers.handle_ended(event.client);
        self.counted.disturb(event.client);
        for wanted in wanted {
            let Some(filter) = self.topics.intern_filter(&wanted.filter) else {
                continue;
            };
            let session = self.session_mut(event);
            match session.subscription_mut(filter) {
                Some(row) => row.leave(),
                None => {
                    let row = Subscription::give_up(filter, event, wanted);
                    session.subscriptions.push(row);
                    self.take_place(event, filter);
                }
            }
            self.replays.confirm(event, filter, None);
            self.excuse_left(event, filter);
        }
    }

    /// UNSUBACK came; without reasons all of it is given up [3.1.1: MQTT-3.10.4-4].
    pub(crate) fn handle_unsubscribed(
        &mut self,
        event: &Event,
        wanted: &[Wanted],
        reasons: &[ReasonCode],
    ) {
        for (index, wanted) in wanted.iter().enumerate() {
            let is_refused = reasons.get(index).is_some_and(|reason| reason.is_error());
            let Some(filter) = self.topics.intern_filter(&wanted.filter) else {
                continue;
            };
            let row = self.session_mut(event).subscription_mut(filter);
            if let Some(row) = row.filter(|_| !is_refused) {
                row.note_left(event.now);
            }
            if self.topics.is_shared(filter) {
                // Until the broker had UNSUBSCRIBE, it may have given this member what others were owed.
                self.excuse_left(event, filter);
            }
        }
    }

    /// Excuses what the Session was owed by a subscription that is given up.
    fn excuse_left(&mut self, event: &Event, filter: FilterKey) {
        if !self.topics.is_shared(filter) {
            let recipient = Recipient::Session(event.client);
            self.walk_open(recipient, &LEVELS, event.now, |books, id, open| {
                books.left_with(event, (id, filter), open)
            });
            return;
        }
        if let Some(share) = self.shares.get_mut(&filter) {
            let how = HowLost {
                at: event.now,
                told_at: event.now,
                noticed_by: event.now,
                notice: Notice::Told,
            };
            share.lose(event.client, how);
        }
        self.excuse_share(filter, event.now, Excuses::UNSUBSCRIBED);
    }

    fn left_with(
        &self,
        event: &Event,
        (id, filter): (StreamId, FilterKey),
        open: &OpenPledge,
    ) -> Outcome {
        let place = &self.topics.places(self.streams[id].topic)[open.place];
        let is_asked_for = || {
            let others = self.others(event, &place.filters, filter);
            others
                .iter()
                .any(|other| other.since < open.record.sent_at && other.granted >= open.owed)
        };
        // Of copies for several subscriptions one may overtake another.
        let is_in_order = place.filters.len() == 1;
        let is_lost = || is_in_order && self.is_proven_lost(id, place.recipient, open);
        if !place.filters.contains(&filter) || is_lost() || is_asked_for() {
            return Outcome::Stays;
        }
        let connected_at = session(&self.sessions, event.client).map(|row| row.connected_at);
        let since = open.record.sent_at.max(connected_at.unwrap_or(event.now));
        let group = group_of(&self.sessions, &self.shares, place.recipient);
        Outcome::Excused(
            Excuses::UNSUBSCRIBED.of(|| self.is_long_without_link(group, open, since, event.now)),
        )
    }

    /// What else of the Session surely asks for what `filters` match.
    fn others(&self, event: &Event, filters: &[FilterKey], left: FilterKey) -> Vec<Other> {
        let rows = session(&self.sessions, event.client)
            .into_iter()
            .flat_map(|session| &session.subscriptions);
        let others = rows.filter(|row| {
            row.state == SubscriptionState::Active
                && row.filter != left
                && filters.contains(&row.filter)
        });
        let others = others.map(|row| Other {
            since: row.active_since,
            granted: row.granted,
        });
        others.collect()
    }
}
