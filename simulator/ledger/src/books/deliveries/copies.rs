//! Copies that the protocol forbids, and DUP flags that it forbids.
//!
//! A message is sent again only on another connection, after a reconnect of the Session
//! [MQTT-4.4.0-1]. So what was published after the connection began on which it comes has never been
//! sent to the Session on another: its first copy has DUP 0, and there is no second one. Of what was published before, and may
//! have been sent on another connection, `came_here` tells where it came first. MQTT 3.1.1 allows a server to send again on
//! the same connection too (§4.4). In both versions what is sent again has DUP 1 [MQTT-3.3.1-1], [3.1.1: MQTT-3.3.1-1], and
//! comes to the Session that had it, as no other is given its state. What members of a shared subscription get at QoS 1 is in
//! `sharing`.

use squall_protocol::{QoS, Version};
use squall_run::AnomalyKind;

use super::came_here::CameBefore;
use super::case::Case;
use super::{Deliveries, session};
use crate::books::stream::Arrival;
use crate::books::topics::Recipient;

impl Deliveries {
    /// A copy came that neither a subscription nor a place in a shared subscription allows.
    pub(super) fn handle_duplicate(&mut self, case: &Case<'_>) {
        let tally = self.books.tally_mut(case.key());
        tally.duplicated += 1;
        let Some(why) = self.why_forbidden(case) else {
            self.suspect_shared(case);
            return;
        };
        self.books.tally_mut(case.key()).forbidden += 1;
        self.note_share_twice(case);
        self.anomalies
            .note(AnomalyKind::Duplicated, case.noticed(), || {
                let explanation = format!(
                    "message {} of {} came again: {why}",
                    case.sequence(),
                    self.names.of(case.stamp.device)
                );
                case.anomaly(AnomalyKind::Duplicated, explanation)
            });
    }

    fn why_forbidden(&self, case: &Case<'_>) -> Option<String> {
        if self.was_repeated(case) {
            return None;
        }
        if self.is_sent_anew(case) {
            return Some(
                "without DUP, which a repeat would have [MQTT-3.3.1-1], [3.1.1: MQTT-3.3.1-1], and its publisher sent it once".to_owned(),
            );
        }
        // What counts is the QoS that was promised: one that came instead excuses nothing.
        let owed = case.promised.unwrap_or(case.key().owed);
        if self.may_have_been_sent_at(case, QoS::AtLeastOnce) || owed == QoS::AtLeastOnce {
            // On either half of the way repeats are allowed (§4.3.2), for those who have a reason.
            if self.may_have_been_sent_at(case, QoS::ExactlyOnce) {
                return None;
            }
            let why = match self.is_repeated_by_none(case) {
                true => Some(
                    "neither its publisher nor this Session had another connection since it was sent [MQTT-4.4.0-1]",
                ),
                false => self.why_not_again(case),
            };
            return why.map(str::to_owned);
        }
        // A device that was given the Session cannot know what the one before it had received.
        let is_excused = owed == QoS::ExactlyOnce && self.was_left_to_next(case)
            || self.may_have_been_sent_at(case, QoS::ExactlyOnce) && self.may_be_mistaken(case);
        (!is_excused).then(|| format!("QoS {} forbids that (§4.3)", owed as u8))
    }

    /// Why a further copy is forbidden of what may have been sent on an earlier connection, if where it came before forbids
    /// it. What a broker knows whose process was ended may be older than that.
    fn why_not_again(&self, case: &Case<'_>) -> Option<&'static str> {
        let recipient = self.topics.places(case.topic)[case.place].recipient;
        let is_one_message = matches!(recipient, Recipient::Session(_))
            && case.copies == 1
            && !case.has_other_ways
            && self.was_sent_once(case)
            && !self
                .broker_times
                .touches(case.sent_at_least(), case.event.now);
        if !is_one_message {
            return None;
        }
        let is_v5 = session(&self.sessions, case.event.client)
            .is_some_and(|session| session.version == Version::V5);
        match self.came_before(case) {
            CameBefore::Here if is_v5 => Some(
                "it has come on this connection before [MQTT-4.4.0-1], and its publisher sent it once",
            ),
            CameBefore::Elsewhere if self.began_here(case.event.client) => Some(
                "the Session that had it is over [MQTT-3.1.2-4], [3.1.1: MQTT-3.1.2-6], and its publisher sent it once",
            ),
            CameBefore::Here | CameBefore::Elsewhere | CameBefore::Unknown => None,
        }
    }

    /// Whether a further copy cannot be a repeat of the broker's, whatever connections the Session has had: it comes without DUP,
    /// as one does that was not sent before. A broker whose process was ended may not know what it had sent, and on an older
    /// connection, or one that a link holds back, the first copy may come after its repeat.
    fn is_sent_anew(&self, case: &Case<'_>) -> bool {
        let recipient = self.topics.places(case.topic)[case.place].recipient;
        let is_newest = session(&self.sessions, case.event.client).is_some_and(|session| {
            session.has_only(case.event.socket) && session.last.connected == Some(case.event.socket)
        });
        is_newest
            && !self.on_links[usize::from(case.event.group.0)]
            && matches!(recipient, Recipient::Session(_))
            && case.delivery.qos == QoS::AtLeastOnce
            && case.published == QoS::AtLeastOnce
            && !case.delivery.dup
            && case.copies == 1
            && !case.has_other_ways
            && self.was_sent_once(case)
            && !self
                .broker_times
                .touches(case.sent_at_least(), case.event.now)
    }

    /// Whether the message may have been published at this QoS: of one whose record is gone it is known only at which
    /// levels its stream was published, and that it came at no higher one.
    fn may_have_been_sent_at(&self, case: &Case<'_>, qos: QoS) -> bool {
        if case.sent_at.is_some() {
            return case.published == qos;
        }
        self.streams[case.stream].sent_as.has(qos) && case.delivery.qos <= qos
    }

    /// Whether a message at QoS 1 must not come again: it was published once, and on this connection
    /// the broker must not send it twice.
    pub(super) fn has_no_reason_to_repeat(&self, case: &Case<'_>) -> bool {
        // With QoS 2 on the way to the broker, the `qos2` block may have it sent as another message.
        case.published == QoS::AtLeastOnce && self.is_repeated_by_none(case)
    }

    /// Whether neither its publisher nor the broker can have sent it on another connection.
    fn is_repeated_by_none(&self, case: &Case<'_>) -> bool {
        let is_v5 = session(&self.sessions, case.event.client)
            .is_some_and(|session| session.version == Version::V5);
        is_v5 && self.was_sent_once(case) && self.is_first_sent_here(case)
    }

    /// Whether the publisher did not send the message again, and had no other connection since on which it may have.
    pub(super) fn was_sent_once(&self, case: &Case<'_>) -> bool {
        !self.was_repeated(case)
            && self
                .repeats
                .is_of_this_connection(case.stream, case.sequence())
    }

    /// Whether no other connection of the Session can have been sent this message, and one copy is all
    /// that it asks for.
    fn is_first_sent_here(&self, case: &Case<'_>) -> bool {
        let recipient = self.topics.places(case.topic)[case.place].recipient;
        let is_of_the_session = matches!(recipient, Recipient::Session(_));
        is_of_the_session
            && case.copies == 1
            && !case.has_other_ways
            && session(&self.sessions, case.event.client).is_some_and(|session| {
                session.has_only(case.event.socket) && session.connected_at < case.sent_at_least()
            })
    }

    /// What is wrong with the DUP flag of a message that is not a repeat, if anything is.
    pub(super) fn check_dup(&mut self, case: &Case<'_>, arrival: Arrival) {
        let is_first = match arrival {
            Arrival::Pledged(_) | Arrival::Optional => true,
            Arrival::Again | Arrival::Forgotten => false,
        };
        if !case.delivery.dup || case.delivery.qos == QoS::AtMostOnce || !is_first {
            return;
        }
        if self.is_first_sent_here(case) {
            self.note_mislabelled(
                case,
                "came with DUP though it was never sent to this Session before [MQTT-3.3.1-1]",
            );
        }
    }
}
