//! Retained messages that come because of a SUBSCRIBE: how often, which value, and at which QoS
//! [MQTT-3.3.1-9].
//!
//! A broker answers a SUBSCRIBE with what it has retained at that moment. A value that was surely
//! overwritten before the SUBSCRIBE was sent must not come, and one that was surely there must.

use std::time::Duration;

use squall_fleet::Wanted;
use squall_protocol::{Instant, QoS, ReasonCode};
use squall_run::AnomalyKind;
use squall_scenario::{ClientKey, DeviceId, TopicKey};

use super::case::Case;
use super::contents::{wrong_dup, wrong_qos};
use super::delivery::Origin;
use super::sessions::granted;
use super::stranger::Stranger;
use super::{Deliveries, session};
use crate::books::event::Event;
use crate::books::retained::{Retained, SETTLING_TIME, Stored};
use crate::books::session::Session;
use crate::books::session::{Brings, RetainFlag, Sender};
use crate::books::stream::{Changed, ContentPrint};
use crate::books::topics::Recipient;

/// How long after its acknowledgement a broker of several nodes may pass a message on to those that ask for it: one that
/// subscribes meanwhile may have it so too.
const PASSED_ON_WITHIN: Duration = Duration::from_millis(100);

impl Deliveries {
    /// What is known of a message that may come out of the store; `None` if it may not.
    pub(super) fn may_come_from_store(&self, case: &Case<'_>) -> Option<Stored> {
        let stored = case.delivery.stored;
        match case.delivery.origin {
            Origin::EmptyStore => None,
            Origin::Live => self.was_stored(case).then_some(stored),
            Origin::Store => {
                // What is not known any longer may have been sent at any time.
                let sent_at = case.sent_at.unwrap_or(Instant::ZERO);
                let may_be_sent =
                    self.may_be_sent_from_store(case.event, case.delivery.topic, sent_at);
                (may_be_sent && !self.counts_as_live(case)).then_some(stored)
            }
        }
    }

    /// Whether a message with RETAIN came live, as far as that can be told: it is owed, or the subscription keeps the
    /// flag, and it has come out of the store as often as it may, or has the QoS of a shared one.
    fn counts_as_live(&self, case: &Case<'_>) -> bool {
        let stream = &self.streams[case.stream];
        let was_published = stream
            .record(case.sequence())
            .is_none_or(|record| record.retain);
        let own = self.at_own_way(case);
        let is_used_up = stream.replays(own.place, case.sequence()) >= self.replays_allowed(&own);
        let promised_at = |place| {
            let case = Case { place, ..own };
            self.promised_there(&case, case.delivery.stored)
        };
        let may_have_qos_of = |place| promised_at(place).is_none_or(|qos| qos == case.delivery.qos);
        let session = session(&self.sessions, case.event.client);
        let shares = self.member_places(case.event.client, case.topic, case.sent_at_least());
        let mut places = std::iter::once(case.place).chain(shares);
        places.any(|place| {
            let filters = &self.topics.places(case.topic)[place].filters;
            let flag = session.map_or(RetainFlag::Cleared, |session| {
                session.retain_flag(filters, case.sent_at_least())
            });
            let is_owed = stream.awaits(place, case.sequence());
            match flag {
                // The flag is wrong then.
                RetainFlag::Cleared => is_owed && is_used_up,
                RetainFlag::AsPublished | RetainFlag::Either => {
                    let is_of_a_share = !may_have_qos_of(own.place) && may_have_qos_of(place);
                    was_published && (is_owed || is_used_up || is_of_a_share)
                }
            }
        })
    }

    /// The QoS that a message must have that comes by the subscriptions of its place, if that is known.
    fn promised_there(&self, case: &Case<'_>, stored: Stored) -> Option<QoS> {
        let filters = &self.topics.places(case.topic)[case.place].filters;
        session(&self.sessions, case.event.client)
            .filter(|_| case.copies == 1)
            .and_then(|session| session.granted_for_certain(filters))
            .zip(self.published(case, stored))
            .map(|(granted, (_, published))| granted.min(published))
    }

    /// How often a message may come out of the store: once for each SUBSCRIBE that asks for it.
    fn replays_allowed(&self, case: &Case<'_>) -> u32 {
        let filters = &self.topics.places(case.topic)[case.place].filters;
        session(&self.sessions, case.event.client).map_or(0, |session| {
            session.requests_since(filters, case.sent_at_least())
        })
    }

    /// Why a delivery is not wanted for which a subscription asks, if anything is against it; `stored` is what is known
    /// of it if it may come out of the store.
    pub(super) fn unwanted(&self, case: &Case<'_>, stored: Option<Stored>) -> Option<Stranger> {
        if stored.is_some() {
            return None;
        }
        let filters = &self.topics.places(case.topic)[case.place].filters;
        let session = session(&self.sessions, case.event.client)?;
        if case.sender == Sender::Itself
            && session
                .asked(filters, Sender::Itself, case.sent_at_least())
                .copies
                == 0
        {
            return Some(Stranger::Local);
        }
        (case.delivery.origin == Origin::Store && self.is_kept_back(case, session))
            .then_some(Stranger::KeptBack)
    }

    /// Whether a message with RETAIN came out of the store, and no SUBSCRIBE asked for that.
    fn is_kept_back(&self, case: &Case<'_>, session: &Session) -> bool {
        let place = &self.topics.places(case.topic)[case.place];
        if matches!(place.recipient, Recipient::Share(_))
            || session
                .asking(&place.filters, case.sent_at_least())
                .any(|row| row.brings_at_most > Brings::Nothing)
            || self.streams[case.stream].awaits(case.place, case.sequence())
        {
            return false;
        }
        match session.retain_flag(&place.filters, case.sent_at_least()) {
            RetainFlag::Cleared => {
                session
                    .asking(&place.filters, case.sent_at_least())
                    .any(|row| {
                        row.confirmed_at
                            .is_none_or(|confirmed_at| case.sent_at_least() <= confirmed_at)
                    })
            }
            // It may have come live.
            RetainFlag::AsPublished | RetainFlag::Either => {
                let asked_at = session.asked_at(&place.filters, case.event.socket);
                let acknowledged_at = case.delivery.stored.acknowledged_at;
                acknowledged_at
                    .zip(asked_at)
                    .is_some_and(|(at, asked_at)| at + PASSED_ON_WITHIN < asked_at)
            }
        }
    }

    /// Whether a message with RETAIN 0 came out of the store all the same: the broker had acknowledged it, to be
    /// retained, and passed it on to those it was owed to, before this Session asked for its topic at all, and what the
    /// SUBSCRIBE must bring had not come.
    fn was_stored(&self, case: &Case<'_>) -> bool {
        let place = &self.topics.places(case.topic)[case.place];
        // A member of a shared subscription may have what was published before it joined, and a Session that is older
        // than the run what waited for it.
        let is_of_the_session = matches!(place.recipient, Recipient::Session(_))
            && self.replays.awaits(case.event, case.topic)
            && !self.resumes[usize::from(case.event.group.0)];
        let session = session(&self.sessions, case.event.client).filter(|_| is_of_the_session);
        let asked_at =
            session.and_then(|session| session.asked_at(&place.filters, case.event.socket));
        let acknowledged_at = case.delivery.stored.acknowledged_at;
        acknowledged_at
            .zip(asked_at)
            .is_some_and(|(acknowledged_at, asked_at)| {
                acknowledged_at + PASSED_ON_WITHIN < asked_at
            })
    }

    /// A message came out of the store: once for each SUBSCRIBE that asks for it [MQTT-3.3.1-9].
    pub(super) fn handle_replay(&mut self, case: &Case<'_>, stored: Stored) {
        let case = &self.at_own_way(case);
        self.come_out_of_store(case.event, case.topic);
        let filters = &self.topics.places(case.topic)[case.place].filters;
        let session = session(&self.sessions, case.event.client);
        let allowed = self.replays_allowed(case);
        // A copy that was sent on an earlier connection, for a SUBSCRIBE there, comes again.
        let may_be_resent = case.delivery.qos > QoS::AtMostOnce
            && session.is_some_and(|session| session.asked_before(filters, case.event.socket));
        let is_resent = case.delivery.dup && may_be_resent;
        let times = match is_resent {
            true => 0,
            false => self.streams[case.stream]
                .cursor_mut(case.place)
                .count_replay(case.sequence()),
        };
        if let Some(what) = self.changed_value(case, stored) {
            self.note_corrupted(case, what);
            return;
        }
        let is_first = times == 1 && !may_be_resent;
        if let Some(what) = self.wrong_label(case, stored, is_first) {
            self.note_mislabelled(case, &what);
        }
        self.check_identifiers(case);
        self.check_expiry(case);
        let tally = self.books.tally_mut(case.key());
        if times <= allowed {
            tally.optional += 1;
            return;
        }
        tally.duplicated += 1;
        tally.forbidden += 1;
        self.anomalies.note(AnomalyKind::Duplicated, case.noticed(), || {
            let explanation = format!(
                "a retained message came more often than the {allowed} times that SUBSCRIBE asked for it [MQTT-3.3.1-9]"
            );
            case.anomaly(AnomalyKind::Duplicated, explanation)
        });
    }

    /// What is known of a retained message: what it says, and the QoS it was published with.
    fn published(&self, case: &Case<'_>, stored: Stored) -> Option<(ContentPrint, QoS)> {
        let record = self.streams[case.stream].record(case.sequence());
        record
            .map(|record| (record.content, record.qos))
            .or(stored.published)
    }

    /// What is wrong with the value of a retained message: it is not what was published, or not what is
    /// to be retained.
    fn changed_value(&self, case: &Case<'_>, stored: Stored) -> Option<&'static str> {
        let filters = &self.topics.places(case.topic)[case.place].filters;
        let session = session(&self.sessions, case.event.client);
        let known = self.published(case, stored);
        let changed = known.and_then(|(content, _)| content.changed_in(&case.delivery.content()));
        match changed {
            Some(Changed::Payload) => {
                return Some("came out of the store with another payload than was published");
            }
            Some(Changed::Properties) => {
                return Some(
                    "came out of the store with another Content Type or other User Properties than was published \
                     [MQTT-3.3.2-17] [MQTT-3.3.2-20]",
                );
            }
            None => {}
        }
        let asked_at = session.and_then(|session| session.asked_at(filters, case.event.socket));
        let replaced = stored.overwritten_at.zip(asked_at);
        replaced
            .is_some_and(|(overwritten_at, asked_at)| overwritten_at + SETTLING_TIME < asked_at)
            .then_some(
                "came out of the store though a later one had replaced it before SUBSCRIBE was sent [MQTT-3.3.1-5]",
            )
    }

    /// What is wrong with the QoS or a flag of a retained message.
    fn wrong_label(&self, case: &Case<'_>, stored: Stored, is_first: bool) -> Option<String> {
        let promised = self.promised_there(case, stored);
        let untrue_dup = (case.delivery.dup && is_first).then_some(
            "came with DUP though it was never sent to this Session before [MQTT-3.3.1-1]",
        );
        let untrue_retain = (case.delivery.origin == Origin::Live)
            .then(|| "came out of the store with RETAIN 0 [MQTT-3.3.1-8]".to_owned());
        wrong_qos(case.delivery, promised)
            .or(untrue_retain)
            .or_else(|| wrong_dup(case.delivery).or(untrue_dup).map(str::to_owned))
    }

    /// A message is surely retained at a topic for the first time.
    pub(crate) fn note_retained(&mut self, topic: &str) {
        if let Some(topic) = self.topics.topic(topic) {
            self.topics.note_retained(topic);
        }
    }

    /// SUBSCRIBE is sent: what is surely retained for its filters must come.
    pub(crate) fn expect_replays(&mut self, event: &Event, wanted: &[Wanted], retained: &Retained) {
        for wanted in wanted {
            let Some(filter) = self.topics.intern_filter(&wanted.filter) else {
                continue;
            };
            // A shared subscription gets no retained messages (§4.8.2).
            let row =
                session(&self.sessions, event.client).and_then(|row| row.subscription(filter));
            let brings = row.map_or(Brings::Nothing, |row| row.brings);
            if self.topics.is_shared(filter) || brings < Brings::Everything {
                continue;
            }
            for &topic in self.topics.topics_retained(filter) {
                if self.replays.is_full() {
                    return;
                }
                let text = self.topics.text(topic);
                let is_own = |device| self.is_of_client(device, topic, event.client);
                if wanted.options.no_local && retained.publishers(text).any(is_own) {
                    // Whether No Local keeps that back is not said.
                    continue;
                }
                let surely = retained.surely_there(text);
                if let Some(there) = surely.filter(|there| there.since + SETTLING_TIME < event.now)
                {
                    self.replays.expect(event, topic, filter, there.qos);
                }
            }
        }
    }

    /// Whether the stream of a device to a topic belongs to the Session of `client`.
    fn is_of_client(&self, device: DeviceId, topic: TopicKey, client: ClientKey) -> bool {
        let stream = self.stream_ids.get(&(device, topic));
        stream.is_some_and(|&stream| self.streams[stream].client == client)
    }

    /// SUBACK came: what it refuses is not owed.
    pub(crate) fn confirm_replays(
        &mut self,
        event: &Event,
        wanted: &[Wanted],
        reasons: &[ReasonCode],
    ) {
        for (wanted, &reason) in wanted.iter().zip(reasons) {
            if let Some(filter) = self.topics.intern_filter(&wanted.filter) {
                self.replays.confirm(event, filter, granted(reason));
            }
        }
    }

    /// A retained message of another client came: on a broker that others use it has replaced what
    /// was to come.
    pub(super) fn end_replaced(&mut self, event: &Event, topic: &str) {
        if self.history.has_other_clients()
            && let Some(topic) = self.topics.topic(topic)
        {
            self.come_out_of_store(event, topic);
        }
    }

    /// A will came with RETAIN: it had replaced what was retained when SUBSCRIBE was sent.
    pub(crate) fn handle_will_from_store(&mut self, event: &Event, topic: &str) {
        if let Some(topic) = self.topics.topic(topic) {
            self.come_out_of_store(event, topic);
        }
    }
}
