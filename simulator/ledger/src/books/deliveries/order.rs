//! Order within one publisher, topic and QoS, as one Session sees it (§4.6).

use squall_protocol::QoS;
use squall_run::AnomalyKind;

use super::case::Case;
use super::lost_members::LostMember;
use super::{Deliveries, session};
use crate::books::stream::OrderLevel;
use crate::books::topics::Recipient;

impl Deliveries {
    /// Judges the order of a first delivery, for the place of `recipient`.
    pub(super) fn check_order(&mut self, case: &Case<'_>, recipient: Recipient) {
        let event = case.event;
        let row = session(&self.sessions, event.client);
        if row.is_none_or(|row| row.is_displaced(event.socket)) {
            // Order is promised within a connection. This one is about to be closed, or was when its link let this pass.
            return;
        }
        let cursor = self.streams[case.stream].cursor_mut(case.place);
        let level = OrderLevel {
            published: case.published,
            delivered: case.delivery.qos,
        };
        let later = cursor.is_out_of_order(event.client, level, case.sequence());
        let Some(later) = later else {
            return;
        };
        if self.may_follow_by_resending(case, later) {
            return;
        }
        if case.published == QoS::ExactlyOnce && self.may_be_mistaken(case) {
            // The broker may have taken its first sending for what another device had begun.
            return;
        }
        match self.lost_member_of(case, recipient) {
            LostMember::HadNot => {}
            LostMember::MayHaveHad => {
                self.books.tally_mut(case.key()).perhaps_reordered += 1;
                return;
            }
            LostMember::Had { .. } => return,
        }
        self.books.tally_mut(case.key()).reordered += 1;
        self.anomalies
            .note(AnomalyKind::Reordered, case.noticed(), || {
                let explanation = format!(
                    "came after message {later} of the same publisher ({}) and topic (§4.6)",
                    self.names.of(case.stamp.device)
                );
                case.anomaly(AnomalyKind::Reordered, explanation)
            });
    }

    /// Whether it was another member's of a shared subscription, which was lost: it had to come late. Of a Session that
    /// has it by its own subscription too it cannot be seen for which of them a copy is.
    fn lost_member_of(&self, case: &Case<'_>, recipient: Recipient) -> LostMember {
        let of_place = match recipient {
            Recipient::Share(filter) => Some(filter),
            Recipient::Session(_) => None,
        };
        let places = self.topics.places(case.topic);
        let of_member = self
            .member_places(case.event.client, case.topic, case.sent_at_least())
            .filter_map(|place| match places[place].recipient {
                Recipient::Share(filter) => Some(filter),
                Recipient::Session(_) => None,
            });
        let record = self.streams[case.stream].record(case.sequence());
        let message = (record, case.sent_at_least());
        let mut found = LostMember::HadNot;
        for filter in of_place.into_iter().chain(of_member) {
            let of_share = self.lost_member_before(filter, message, case.event.now);
            match of_share {
                LostMember::HadNot => {}
                LostMember::MayHaveHad => found = of_share,
                LostMember::Had { .. } => return of_share,
            }
        }
        found
    }

    /// Whether this may be what a publisher sent again at QoS 1, on the same connection or on a later one, after the broker had passed on
    /// `later` of an earlier one: a recipient that was not sent the first copy of this message has it after that one (§4.6).
    fn may_follow_by_resending(&self, case: &Case<'_>, later: u32) -> bool {
        if self.was_repeated(case) {
            return true;
        }
        let Some(&connected_at) = self.connected_at.get(&case.stamp.device) else {
            return false;
        };
        let later = self.streams[case.stream].record(later);
        case.published == QoS::AtLeastOnce
            && !self.was_sent_once(case)
            && later.is_none_or(|later| later.sent_at <= connected_at)
    }
}
