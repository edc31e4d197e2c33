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

use super::{Deliveries, group_of, session};
use crate::books::event::Event;
use crate::books::session::{Subscription, SubscriptionState};
use crate::books::share::Notice;
use crate::books::stream::{CursorKey, OpenPledge};
use crate::books::tallies::Excuse;
use crate::books::topics::{FilterKey, Recipient};

/// Every QoS.
pub(super) const LEVELS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

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
            for owed in LEVELS {
                self.excuse_left_at(event, filter, owed);
            }
            return;
        }
        if let Some(share) = self.shares.get_mut(&filter) {
            share.disturb(event.now, event.now, Notice::Told);
        }
        self.excuse(Recipient::Share(filter), None, Excuse::Unsubscribed);
    }

    fn excuse_left_at(&mut self, event: &Event, filter: FilterKey, owed: QoS) {
        for cursor in self.session_mut(event).open.take_at(owed) {
            if self.excuse_left_in(event, cursor, filter, owed) {
                self.session_mut(event).open.list(owed, cursor);
            }
            self.settle(cursor.stream);
        }
    }

    /// Excuses what is owed in one cursor; tells whether anything is owed there still.
    fn excuse_left_in(
        &mut self,
        event: &Event,
        cursor: CursorKey,
        filter: FilterKey,
        owed: QoS,
    ) -> bool {
        let topic = self.streams[cursor.stream].topic;
        let place = &self.topics.places(topic)[cursor.place];
        let is_affected = place.filters.contains(&filter);
        let others = self.others(event, &place.filters, filter);
        // Of copies for several subscriptions one may overtake another.
        let is_in_order = place.filters.len() == 1 && self.streams[cursor.stream].has_one_qos();
        let goes = |open: &OpenPledge| {
            let is_asked_for = others
                .iter()
                .any(|other| other.since < open.record.sent_at && other.granted >= open.owed);
            let is_late = is_in_order && open.overtaken_at.is_some();
            is_affected && !is_asked_for && !is_late
        };
        let group = group_of(&self.sessions, &self.shares, place.recipient);
        let is_on_link = self.on_links[usize::from(group.0)];
        let connected_at = session(&self.sessions, event.client).map(|row| row.connected_at);
        let slowest = &self.slowest;
        let books = &mut self.books;
        let stream = &mut self.streams[cursor.stream];
        stream.take_open_if(cursor.place, owed, goes, |open| {
            let since = open.record.sent_at.max(connected_at.unwrap_or(event.now));
            let excuse = match slowest.is_long(group, since, event.now) && !is_on_link {
                true => Excuse::UnsubscribedLate,
                false => Excuse::Unsubscribed,
            };
            books.tally_mut(open.key(group)).excused[excuse as usize] += 1;
        })
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
