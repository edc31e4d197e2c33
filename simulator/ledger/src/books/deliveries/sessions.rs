//! What connections and subscriptions change in what is owed.

use squall_fleet::{Wanted, Way};
use squall_protocol::{Instant, QoS, ReasonCode};

use super::pledges::Excuses;
use super::walk::{LEVELS, Outcome};
use super::{Deliveries, RecordState, StreamId, session};
use crate::books::event::Event;
use crate::books::session::{Away, Live, Session, Subscription, SubscriptionState};
use crate::books::session::{Brings, Resumes, brings_first};
use crate::books::share::{HowLost, Notice};
use crate::books::stream::OpenPledge;
use crate::books::takeovers::ConnectSent;
use crate::books::tallies::Excuse;
use crate::books::topics::{FilterKey, Recipient};

/// How the end of a connection looks to the broker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ending {
    /// Whether DISCONNECT was sent: then everything sent before it has arrived.
    pub(crate) is_polite: bool,
    /// When the broker has surely noticed.
    pub(crate) noticed_by: Instant,
    /// By what.
    pub(crate) notice: Notice,
    /// When the broker may have noticed at the earliest: the Session expires from then on.
    pub(crate) earliest: Instant,
    /// Whether neither the scenario, its links and takeovers among it, nor the device asked for it.
    pub(crate) is_unasked: bool,
}

impl Ending {
    /// What it is to shared subscriptions, told at `now`.
    fn how_lost(&self, now: Instant) -> HowLost {
        HowLost {
            at: self.earliest.min(now),
            told_at: now,
            noticed_by: self.noticed_by,
            notice: self.notice,
        }
    }
}

impl Deliveries {
    /// CONNECT was sent. With Clean Start, the Session before it is about to end.
    pub(crate) fn handle_connect_sent(&mut self, event: &Event, sent: &ConnectSent) {
        self.handle_counted_connect(event);
        let session = self.session_mut(event);
        session.version = sent.version;
        session.last.asked = Some(event.socket);
        if !sent.clean_start {
            return;
        }
        session.begin_ending();
        session.over_at = event.now;
        self.end_session_pledges(event);
        self.excuse_shares(event, None);
    }

    /// CONNACK with success came.
    pub(crate) fn handle_connected(
        &mut self,
        event: &Event,
        session_present: bool,
        expiry: std::time::Duration,
    ) {
        self.connected_at.insert(event.device, event.now);
        self.note_publisher_connected(event);
        let session = self.session_mut(event);
        let is_over = !session_present
            && (session.has_expired(event.now) || session.ends_by_takeover(event.socket));
        if is_over {
            self.end_session_pledges(event);
        }
        let session = self.session_mut(event);
        if session.connected_at > Instant::ZERO && session.device != event.device {
            session.moves.note();
        }
        if !session_present {
            session.moves.forget();
        }
        if !session_present && !is_over && session.connected_at > Instant::ZERO {
            session.forgotten = session.offline_since.map(|since| (since, None));
        }
        let waited_since = session.offline_since.filter(|_| !session.expiry.is_zero());
        session.device = event.device;
        session.connected_at = event.now;
        session.expiry = expiry;
        session.offline_since = None;
        session.come_back(event.now);
        if is_over {
            // Connections that live still may bring what was on its way.
            session.begin_ending();
            session.over_at = event.now;
        }
        session.live.push(Live {
            socket: event.socket,
            device: event.device,
        });
        session.last.connected = Some(event.socket);
        if session_present {
            session.resume(event.socket);
        }
        self.return_to_shares(event, waited_since);
        if is_over {
            self.excuse_shares(event, None);
        }
    }

    /// A connection ended, as one of its ends saw it.
    pub(crate) fn handle_ended(&mut self, event: &Event, ending: Ending) {
        if self.is_closed {
            return;
        }
        self.counted.disturb(event.client);
        self.end_replays(event, &ending);
        self.identifiers.handle_ended(event.client);
        self.clear_of_suspicion(event, &ending);
        if !ending.is_polite {
            self.excuse_unacknowledgeable(event);
        }
        let session = self.session_mut(event);
        session.end_ending(event.socket);
        session.unread.end(event.socket, event.now);
        let of_it = |live: &Live| live.socket == event.socket;
        let Some(place) = session.live.iter().position(of_it) else {
            // It never had a CONNACK.
            return;
        };
        session.live.remove(place);
        self.lose_expired(event);
        self.note_move_back(event);
        let session = self.session_mut(event);
        let is_offline = session.live.is_empty();
        if is_offline {
            session.offline_since = Some(ending.earliest);
            session.away = Some(Away {
                from: event.now,
                until: None,
                waited: 0,
                came: 0,
                is_unasked: ending.is_unasked,
            });
        }
        let is_over = session.expiry.is_zero();
        if is_over {
            session.end_subscriptions(event.socket);
            if is_offline {
                session.over_at = event.now;
            }
        }
        self.disturb_shares(event, ending.how_lost(event.now));
        if is_over && is_offline {
            let filters = self.shares_of(event);
            for &filter in &filters {
                self.note_at_stake(filter);
            }
            self.excuse_unfounded(event, &filters, &ending);
        }
        if is_over && is_offline {
            let excuses = match ending.is_unasked {
                true => Excuses::all(Excuse::EndedUnasked),
                false => Excuses::LEFT,
            };
            self.end_pledges(event.client, event.now, &LEVELS, excuses);
        } else {
            let levels = [QoS::AtMostOnce];
            self.end_pledges(event.client, event.now, &levels, Excuses::CONNECTION_LOST);
        }
        self.excuse_shares(event, Some(QoS::AtMostOnce));
    }

    /// The end of a connection has left the device's link: the broker has surely noticed by `noticed_by`. Until now it may
    /// have sent at QoS 0 what is gone with the connection.
    pub(crate) fn handle_end_left(&mut self, event: &Event, noticed_by: Instant, notice: Notice) {
        if !self.is_closed {
            let how = HowLost {
                at: event.now,
                told_at: event.now,
                noticed_by,
                notice,
            };
            self.disturb_shares(event, how);
            self.excuse_shares(event, Some(QoS::AtMostOnce));
        }
    }

    /// The device of a connection stops reading it.
    pub(crate) fn handle_reading_stopped(&mut self, event: &Event) {
        self.counted.disturb(event.client);
        self.session_mut(event)
            .unread
            .stop_reading(event.socket, event.now);
    }

    /// The device of a connection, which stopped reading it at `since`, reads on.
    pub(crate) fn handle_reading_resumed(&mut self, event: &Event, since: Instant) {
        self.session_mut(event).unread.read_on(since, event.now);
    }

    /// The run is about to end, and the link of a connection still holds something.
    pub(crate) fn handle_still_on_link(&mut self, event: &Event, way: Way) {
        match way {
            Way::Up => {
                self.on_link_up.insert(event.socket);
            }
            Way::Down => self.session_mut(event).is_on_link = true,
        }
    }

    /// SUBSCRIBE was sent.
    pub(crate) fn handle_subscribe_sent(&mut self, event: &Event, wanted: &[Wanted]) {
        for wanted in wanted {
            let Some(filter) = self.topics.intern_filter(&wanted.filter) else {
                continue;
            };
            let resumes = match self.resumes[usize::from(event.group.0)] {
                true => Resumes::EarlierRun,
                false => Resumes::Nothing,
            };
            let session = self.session_mut(event);
            match session.subscription_mut(filter) {
                Some(row) => row.ask_again(event, wanted),
                None => {
                    let brings = brings_first(wanted.options.retain_handling, resumes);
                    let row = Subscription::ask(filter, event, wanted, brings);
                    session.subscriptions.push(row);
                    self.take_place(event, filter);
                }
            }
        }
    }

    /// SUBACK came.
    pub(crate) fn handle_subscribed(
        &mut self,
        event: &Event,
        wanted: &[Wanted],
        reasons: &[ReasonCode],
    ) {
        if let Some((_, until @ None)) = &mut self.session_mut(event).forgotten {
            *until = Some(event.now);
        }
        for (wanted, &reason) in wanted.iter().zip(reasons) {
            let Some(filter) = self.topics.intern_filter(&wanted.filter) else {
                continue;
            };
            let Some(row) = self.session_mut(event).subscription_mut(filter) else {
                continue;
            };
            // A SUBACK of a connection that a clean start has displaced says nothing, nor does one before UNSUBACK.
            let is_given_up = match row.state {
                SubscriptionState::Ending | SubscriptionState::Leaving => true,
                SubscriptionState::Absent
                | SubscriptionState::Requested
                | SubscriptionState::Active => false,
            };
            if row.socket != event.socket || is_given_up {
                continue;
            }
            if row.brings > Brings::Nothing {
                row.requests.answer(event.now);
            }
            match granted(reason) {
                Some(granted) => {
                    if row.state != SubscriptionState::Active {
                        row.active_since = event.now;
                    }
                    row.state = SubscriptionState::Active;
                    row.granted = granted;
                    row.confirmed_at = Some(event.now);
                }
                None => row.end(),
            }
        }
    }

    pub(super) fn session_mut(&mut self, event: &Event) -> &mut Session {
        let place = event.client.0 as usize;
        if self.sessions.len() <= place {
            self.sessions.resize_with(place + 1, || None);
        }
        self.sessions[place].get_or_insert_with(|| Session::new(event.group, event.device))
    }

    pub(super) fn take_place(&mut self, event: &Event, filter: FilterKey) {
        let recipient = if self.topics.is_shared(filter) {
            let share = self.shares.entry(filter).or_default();
            share.members.push(event.client);
            if share.members.len() > 1 {
                return;
            }
            Recipient::Share(filter)
        } else {
            Recipient::Session(event.client)
        };
        self.topics.subscribe(recipient, filter);
    }

    /// The Session is over, whose connection may have ended before: until then the broker could deliver.
    fn end_session_pledges(&mut self, event: &Event) {
        let left_at = session(&self.sessions, event.client).and_then(|row| row.offline_since);
        let left_at = left_at.unwrap_or(event.now);
        self.end_pledges(event.client, left_at, &LEVELS, Excuses::LEFT);
    }

    /// Excuses what shared subscriptions of a Session can no longer deliver: all, if no other member is certainly
    /// subscribed; what is owed at `only`, if it may have been on its way to this member.
    fn excuse_shares(&mut self, event: &Event, only: Option<QoS>) {
        for filter in self.shares_of(event) {
            let Some(share) = self.shares.get(&filter) else {
                continue;
            };
            if !share.has_subscriber(&self.sessions, filter) {
                self.excuse_share(filter, event.now, Excuses::LEFT);
            } else if let Some(owed) = only {
                self.excuse_share_at(filter, event.now, &[owed], Excuses::CONNECTION_LOST);
            }
        }
    }

    fn disturb_shares(&mut self, event: &Event, how: HowLost) {
        let noticed_by = match self.is_online(event.client) {
            // The broker has given the Session to another connection already.
            true => how.noticed_by.min(event.now),
            false => how.noticed_by,
        };
        for filter in self.shares_of(event) {
            if let Some(share) = self.shares.get_mut(&filter) {
                share.lose(event.client, HowLost { noticed_by, ..how });
            }
        }
    }

    /// A member is connected again, whose Session had lived without a connection since `waited_since`.
    fn return_to_shares(&mut self, event: &Event, waited_since: Option<Instant>) {
        for filter in self.shares_of(event) {
            if let Some(share) = self.shares.get_mut(&filter) {
                share.come_back(event.client, waited_since, event.now);
            }
        }
    }

    fn shares_of(&mut self, event: &Event) -> Vec<FilterKey> {
        let session = self.session_mut(event);
        let filters: Vec<FilterKey> = session
            .subscriptions
            .iter()
            .map(|subscription| subscription.filter)
            .collect();
        filters
            .into_iter()
            .filter(|&filter| self.topics.is_shared(filter))
            .collect()
    }

    /// A link still holds the goodbye of a connection that the broker has ended, or is about to: what was sent before it
    /// may not have come to the broker either.
    pub(crate) fn handle_goodbye_cut_off(&mut self, event: &Event) {
        if !self.is_closed {
            self.excuse_unacknowledgeable(event);
        }
    }

    /// Excuses QoS 0 messages that were sent on a connection that is lost: nothing tells whether
    /// the broker had them. It had those that a later message of their stream has overtaken: a connection keeps order.
    fn excuse_unacknowledgeable(&mut self, event: &Event) {
        let ids = self.device_streams.get(&event.device);
        for id in ids.cloned().unwrap_or_default() {
            let stream = &self.streams[id];
            if !stream.sent_as.has(QoS::AtMostOnce) {
                continue;
            }
            let open: Vec<u32> = stream
                .sequences()
                .filter(|&sequence| {
                    stream.record(sequence).is_some_and(|record| {
                        record.qos == QoS::AtMostOnce
                            && record.state == RecordState::Sent
                            && record.socket == event.socket
                            && record.outstanding > 0
                    })
                })
                .collect();
            for sequence in open {
                self.walk_open_of(id, sequence, event.now, |books, open| {
                    books.unacknowledgeable(id, open, event.now)
                });
            }
            self.settle(id);
        }
    }

    /// What becomes of a message of QoS 0 whose publisher has lost its connection.
    fn unacknowledgeable(&self, id: StreamId, open: &OpenPledge, now: Instant) -> Outcome {
        if open.lost_by_order_at().is_some() {
            return Outcome::Stays;
        }
        let recipient = self.topics.places(self.streams[id].topic)[open.place].recipient;
        Outcome::Excused(Excuses::CONNECTION_LOST.of(|| match recipient {
            Recipient::Session(client) => self.was_late(id, client, open, now),
            Recipient::Share(filter) => self.was_late_for_members(filter, open, now),
        }))
    }
}

/// The QoS that a SUBACK grants; `None` if it refuses (§3.9.3).
pub(super) fn granted(reason: ReasonCode) -> Option<QoS> {
    // The codes that grant are the levels that they grant.
    QoS::from_bits(reason as u8)
}
