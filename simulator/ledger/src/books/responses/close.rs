//! The end of the book: which requests have no response that one was owed to.

use std::collections::BTreeMap;

use squall_protocol::{Instant, QoS};
use squall_run::AnomalyKind;
use squall_scenario::GroupId;

use super::{Request, Responses};
use crate::books::anomalies::{Anomaly, Scope, Subject};
use crate::books::missing::{Fate, MessageKey, Missing};

/// What a request without a response is, the worst last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Verdict {
    LostAtQos0,
    UnderWay,
    Unanswered(&'static str),
}

impl Responses {
    /// The run is over: `missing` are the messages that were owed and did not come.
    pub(crate) fn close(&mut self, now: Instant, missing: &[Missing]) {
        let mut verdicts: BTreeMap<MessageKey, Verdict> = BTreeMap::new();
        for missing in missing {
            if let Some((request, verdict)) = self.verdict_of(missing) {
                let worst = verdicts.entry(request).or_insert(verdict);
                *worst = verdict.max(*worst);
            }
        }
        let changed = self.requests.iter();
        let changed = changed.filter(|(_, request)| request.is_changed && request.answer.is_none());
        let verdict = Verdict::Unanswered("which the broker had changed");
        verdicts.extend(changed.map(|(&key, _)| (key, verdict)));
        for (key, verdict) in verdicts {
            let request = &self.requests[&key];
            let group = self.roster.group_of(request.device);
            let waits = group.map(|group| (group, request.reached_at));
            self.without_response.extend(waits);
            match verdict {
                Verdict::LostAtQos0 => self.counts.lost_at_qos0 += 1,
                Verdict::UnderWay => self.counts.under_way += 1,
                Verdict::Unanswered(why) => self.note_unanswered(now, key, why),
            }
        }
    }

    /// The requests that were owed a response and had none, once.
    pub(crate) fn take_without_response(&mut self) -> Vec<(GroupId, Instant)> {
        std::mem::take(&mut self.without_response)
    }

    /// The open request that a missing message is, or is the response to.
    fn verdict_of(&self, missing: &Missing) -> Option<(MessageKey, Verdict)> {
        let Missing {
            key,
            recipient,
            owed,
            fate,
        } = *missing;
        let open = |key: &MessageKey| self.requests.get(key).filter(|of| !of.is_answered);
        let verdict = |why| match (fate, owed) {
            (Fate::UnderWay, _) => Verdict::UnderWay,
            (Fate::Lost, QoS::AtMostOnce) => Verdict::LostAtQos0,
            (Fate::Lost, QoS::AtLeastOnce | QoS::ExactlyOnce) => Verdict::Unanswered(why),
        };
        if let Some(asked) = self.requests_of.get(&key) {
            let is_for_it = |of: &&Request| recipient.is_none_or(|device| device == of.device);
            open(asked).filter(is_for_it)?;
            return Some((*asked, verdict("whose response was lost")));
        }
        // Another device may have answered.
        open(&key).filter(|request| request.answer.is_none())?;
        let answers = recipient.is_none_or(|device| {
            self.group_of(device)
                .is_some_and(|group| self.roster.responds(group))
        });
        answers.then_some((key, verdict("which was lost")))
    }

    fn note_unanswered(&mut self, now: Instant, key: MessageKey, why: &str) {
        self.counts.unanswered += 1;
        let request = &self.requests[&key];
        let subject = Subject {
            device: Some(request.device),
            scope: Scope {
                group: self.roster.group_of(request.device),
                ..Scope::default()
            },
        };
        let kind = AnomalyKind::ResponseMissing;
        let noticed = subject.between(request.due, now);
        self.anomalies.note(kind, noticed, || Anomaly {
            by_counts: None,
            kind,
            at: request.due,
            device: Some(request.device),
            recipient: None,
            topic: Some(request.topic.to_string()),
            sequence: Some(key.sequence),
            explanation: format!(
                "no response came to the request to {}, {why} (§4.10)",
                request.topic
            ),
            scope: subject.scope,
        });
    }
}
