//! What a delivery must be like: its payload, its properties, its QoS and its flags.
//!
//! A message with another payload, Content Type or User Properties is corrupted, and was not delivered. One at another QoS, or with a RETAIN or
//! DUP flag that it must not have, is mislabelled: it was delivered, and the broker broke the protocol.

use squall_protocol::QoS;
use squall_run::AnomalyKind;

use super::case::Case;
use super::delivery::{Delivery, Origin};
use super::{Deliveries, TallyKey, session};
use crate::books::session::RetainFlag;
use crate::books::stream::Changed;

impl Deliveries {
    /// What is wrong with what it says, if what was published is still known.
    pub(super) fn changed_content(&self, case: &Case<'_>) -> Option<&'static str> {
        let record = self.streams[case.stream].record(case.sequence())?;
        let changed = record.content.changed_in(&case.delivery.content())?;
        Some(match changed {
            Changed::Payload => "has another payload than was published",
            Changed::Properties => {
                "has another Content Type or other User Properties than was published [MQTT-3.3.2-17] [MQTT-3.3.2-20]"
            }
        })
    }

    /// Compares QoS and flags with what was published and asked for, if that is still known.
    pub(super) fn check_label(&mut self, case: &Case<'_>) {
        let delivery = case.delivery;
        let record = self.streams[case.stream].record(case.sequence());
        let what = if let Some(what) = wrong_dup(delivery) {
            what.to_owned()
        } else if record.is_none() {
            return;
        } else if let Some(what) = wrong_qos(delivery, case.promised) {
            what
        } else if let Some(what) = self.wrong_retain(case) {
            what.to_owned()
        } else {
            return;
        };
        self.note_mislabelled(case, &what);
    }

    /// What is wrong with the RETAIN flag of a live message whose record is kept.
    fn wrong_retain(&self, case: &Case<'_>) -> Option<&'static str> {
        let was_published = self.streams[case.stream].record(case.sequence())?.retain;
        let came = case.delivery.origin != Origin::Live;
        if !came && !was_published {
            return None;
        }
        if case.has_other_ways {
            // It may be the copy of another, which asks for its own flag.
            return None;
        }
        let filters = &self.topics.places(case.topic)[case.place].filters;
        let session = session(&self.sessions, case.event.client)?;
        let flag = session.retain_flag(filters, case.sent_at_least());
        match flag {
            RetainFlag::Cleared => came.then_some(
                "came with RETAIN to a subscription that was there before it [MQTT-3.3.1-12]",
            ),
            RetainFlag::AsPublished if came && !was_published => {
                Some("came with RETAIN, and was published without [MQTT-3.3.1-13]")
            }
            RetainFlag::AsPublished => {
                (!came).then_some("came without RETAIN, and was published with it [MQTT-3.3.1-13]")
            }
            RetainFlag::Either => (came && !was_published)
                .then_some("came with RETAIN, and was published without [MQTT-3.3.1-12]"),
        }
    }

    /// A delivery says something else than it must.
    pub(super) fn note_corrupted(&mut self, case: &Case<'_>, what: &str) {
        self.books.tally_mut(case.key()).corrupted += 1;
        self.note_wrong(AnomalyKind::Corrupted, case, what);
    }

    /// A delivery has another QoS or another flag than it must have.
    pub(super) fn note_mislabelled(&mut self, case: &Case<'_>, what: &str) {
        // In the books of the QoS that was promised, whatever it came at.
        let key = TallyKey {
            owed: case.promised.unwrap_or(case.key().owed),
            ..case.key()
        };
        self.books.tally_mut(key).mislabelled += 1;
        self.note_wrong(AnomalyKind::Mislabelled, case, what);
    }

    pub(super) fn note_wrong(&mut self, kind: AnomalyKind, case: &Case<'_>, what: &str) {
        self.anomalies.note(kind, case.noticed(), || {
            let device = self.names.of(case.stamp.device);
            let explanation = format!("message {} of {device} {what}", case.sequence());
            case.anomaly(kind, explanation)
        });
    }
}

/// What is wrong with the QoS of a delivery that was promised one.
pub(super) fn wrong_qos(delivery: &Delivery<'_>, promised: Option<QoS>) -> Option<String> {
    let promised = promised.filter(|&promised| promised != delivery.qos)?;
    Some(format!(
        "came at QoS {}, not at QoS {} [MQTT-3.8.4-8]",
        delivery.qos as u8, promised as u8
    ))
}

/// What is wrong with the DUP flag, whatever came before.
pub(super) fn wrong_dup(delivery: &Delivery<'_>) -> Option<&'static str> {
    (delivery.dup && delivery.qos == QoS::AtMostOnce)
        .then_some("came with DUP at QoS 0 [MQTT-3.3.1-2]")
}
