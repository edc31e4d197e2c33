//! `[[group.respond]]`.

use squall_protocol::Version;
use squall_protocol::packet::SubscriptionOptions;
use squall_protocol::topic::TopicFilter;
use squall_toml::at::At;

use super::Resolver;
use super::group::resolve_qos;
use crate::error::Problem;
use crate::file::{ExpectFile, RespondFile};
use crate::template::Use;
use crate::{
    DeviceTemplate, Distribution, Group, MessageTemplate, Qos2, Respond, ResponseClaim, StampPlace,
    Subscribe, SubscribeTimes,
};

impl Resolver<'_> {
    /// Resolves one block, and the subscription that it needs.
    pub(super) fn resolve_respond(
        &mut self,
        file: &RespondFile,
        group: &Group,
        at: &At<'_>,
    ) -> (Respond, Subscribe) {
        let fixed = self.fixed(&group.name);
        let filter = DeviceTemplate::parse(&file.filter, Use::DeviceText, &fixed);
        let topic = file
            .topic
            .as_ref()
            .map(|topic| MessageTemplate::parse(topic, Use::Topic, &fixed));
        let at_filter = at.key("filter");
        let filter = self
            .or_note(filter, &at_filter)
            .unwrap_or_else(|| DeviceTemplate::literal("#"));
        self.check_device_texts(&filter, group, &at_filter, |text| {
            TopicFilter::for_version(text, group.version).map(drop)
        });
        let at_topic = at.key("topic");
        let topic = topic.and_then(|topic| self.or_note(topic, &at_topic));
        if let Some(topic) = &topic {
            self.check_topic(topic, group, &at_topic);
        } else if group.version == Version::V3_1_1 && !at_topic.is_written() {
            let problem = Problem::Needed {
                key: "topic".to_owned(),
                reason: "responses in MQTT 3.1.1, which has no Response Topic".to_owned(),
            };
            self.diagnostics.key(&at_filter, problem);
        }
        let qos = resolve_qos(file.qos);
        let delay = file.delay.as_ref().map_or(Distribution::zero(), |delay| {
            self.resolve_distribution(Some(delay), &at.key("delay"))
        });
        let payload = self.resolve_payload(
            file.payload.as_ref(),
            StampPlace::Payload,
            &group.name,
            &at.key("payload"),
        );
        let subscribe = Subscribe {
            filter: filter.clone(),
            options: SubscriptionOptions {
                qos,
                ..SubscriptionOptions::default()
            },
            identifier: None,
            times: SubscribeTimes::default(),
        };
        let respond = Respond {
            filter,
            topic,
            qos,
            delay,
            payload,
        };
        (respond, subscribe)
    }

    /// A response that is a request again would be answered without end.
    pub(super) fn check_responses(&mut self, at: &At<'_>) {
        let filters: Vec<&str> = self
            .groups
            .iter()
            .flat_map(|group| &group.responds)
            .filter(|respond| respond.topic.is_some())
            .map(|respond| respond.filter.source())
            .collect();
        let mut endless = None;
        for (place, group) in self.groups.iter().enumerate() {
            for (index, respond) in group.responds.iter().enumerate() {
                let topic = respond.topic.as_ref().map(MessageTemplate::source);
                let is_request =
                    |topic: &&str| filters.iter().any(|filter| may_match(filter, topic));
                if let Some(topic) = topic.filter(is_request) {
                    endless = Some((place, index, topic.to_owned()));
                }
            }
        }
        if let Some((place, index, topic)) = endless {
            let what = format!("a response to {topic:?} may be a request of a `[[group.respond]]`");
            let remedy = "a topic that no filter of a `[[group.respond]]` matches".to_owned();
            let at = at.item(place).key("respond").item(index).key("topic");
            self.contradiction(&at, what, remedy);
        }
    }
}

impl Resolver<'_> {
    /// A claim about responses needs some, and `within` that nothing of the scenario's own making delays them.
    pub(super) fn check_response_claim(&mut self, claim: &ResponseClaim, at: &At<'_>) {
        self.check_claims_something(&["answered", "within", "misdirected"], at);
        let at_answered = at.key("answered");
        if at_answered.is_written() && !claim.answered {
            let what = "`answered = false` claims nothing".to_owned();
            self.contradiction(&at_answered, what, "`true`, or no such key".to_owned());
        }
        if self.groups.iter().all(|group| group.responds.is_empty()) {
            let what = "no group answers requests".to_owned();
            let remedy = "a `[[group.respond]]`".to_owned();
            self.contradiction(&at.key("check"), what, remedy);
        }
        let asks = |group: &Group| {
            let mut streams = group.publishes.iter();
            streams.any(|publish| publish.properties.response_topic.is_some())
        };
        if !self.groups.iter().any(asks) {
            for key in ["within", "misdirected"] {
                self.misplaced(at, key, "a `publish` with `response_topic`");
            }
        }
        let is_delayed = |group: &Group| group.network.is_some() || group.qos2 != Qos2::default();
        let mut taking_part = self
            .groups
            .iter()
            .filter(|group| asks(group) || !group.responds.is_empty());
        let at_within = at.key("within");
        let delayed = taking_part.find(|group| is_delayed(group));
        if let Some(name) = delayed.map(|group| group.name.clone())
            && at_within.is_written()
        {
            let what = format!(
                "`within` is about the broker alone, and the network or the `qos2` block of group {name:?} delays responses"
            );
            let remedy = "a threshold on `round_trip`".to_owned();
            self.contradiction(&at_within, what, remedy);
        } else if at_within.is_written() && !self.faults.is_empty() {
            let what = "`within` is about the broker alone, and a fault may delay responses";
            let remedy = "a threshold on `round_trip`".to_owned();
            self.contradiction(&at_within, what.to_owned(), remedy);
        }
    }
}

/// The claim of a `response`, `None` for any other check.
pub(super) fn response_claim(file: &ExpectFile) -> Option<ResponseClaim> {
    let ExpectFile::Response {
        answered,
        within,
        misdirected,
    } = file
    else {
        return None;
    };
    Some(ResponseClaim {
        answered: *answered == Some(true),
        within: within.map(|text| text.0),
        misdirected: *misdirected,
    })
}

/// Whether a topic of the template `topic` may be one that a filter of the template `filter` matches: a level with
/// a placeholder may be any.
pub(crate) fn may_match(filter: &str, topic: &str) -> bool {
    let filter = match filter.strip_prefix("$share/") {
        Some(shared) => shared.split_once('/').map_or("", |(_, filter)| filter),
        None => filter,
    };
    let mut topics = topic.split('/');
    for level in filter.split('/') {
        if level == "#" {
            return true;
        }
        let Some(of_topic) = topics.next() else {
            return false;
        };
        let is_open = |level: &str| level == "+" || level.contains('{');
        if !is_open(level) && !is_open(of_topic) && level != of_topic {
            return false;
        }
    }
    topics.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A placeholder may stand for anything on its level, and for nothing beyond it.
    #[test]
    fn templates_overlap_level_by_level() {
        for (filter, topic) in [
            ("a/#", "a/{client_id}"),
            ("+/cmd", "{group}/cmd"),
            ("$share/s/a/{index}", "a/b"),
        ] {
            assert!(may_match(filter, topic), "{filter} {topic}");
        }
        for (filter, topic) in [
            ("{client_id}/cmd", "{client_id}/answer"),
            ("a/+", "a/b/c"),
            ("$share/s/a/b", "s/a/b"),
        ] {
            assert!(!may_match(filter, topic), "{filter} {topic}");
        }
    }
}
