//! Where messages have their stamps: subscribers must see them.

use squall_protocol::Version;
use squall_toml::at::At;

use super::Resolver;
use crate::file::{PublishFile, StampWord};
use crate::{Content, Group, Payload, RunSettings, StampPlace, WillPayload, listeners};

/// The name of the User Property that a stamp is in.
pub(super) const STAMP_PROPERTY: &str = "squall";

impl Resolver<'_> {
    /// Where the messages of a stream have their stamps.
    pub(super) fn resolve_stamp(
        &mut self,
        file: &PublishFile,
        group: &Group,
        at: &At<'_>,
    ) -> StampPlace {
        match file.stamp {
            None | Some(StampWord::Payload) => StampPlace::Payload,
            Some(StampWord::Property) => {
                if group.version == Version::V3_1_1 {
                    self.misplaced(at, "stamp", "`protocol = \"5.0\"`");
                }
                StampPlace::Property
            }
            Some(StampWord::None) => {
                self.check_needs_no_stamp(file, at);
                StampPlace::None
            }
        }
    }

    /// What is retained comes again, and a request is named by its response: neither can be counted alone.
    fn check_needs_no_stamp(&mut self, file: &PublishFile, at: &At<'_>) {
        let remedy = || "`stamp = \"payload\"` or `stamp = \"property\"`".to_owned();
        if file.retain == Some(true) {
            let what = "a retained message without a stamp could not be told from the one that it replaces".to_owned();
            self.contradiction(&at.key("retain"), what, remedy());
        }
        if file.response_topic.is_some() {
            let what = "a request without a stamp could not be told from others".to_owned();
            self.contradiction(&at.key("response_topic"), what, remedy());
        }
    }

    /// Notes each stream with its stamps in a property that a subscriber of MQTT 3.1.1 hears: what a broker sends to
    /// one has no properties, and could not be told from the messages of other clients.
    pub(super) fn check_stamps(&mut self, run: &RunSettings, at: &At<'_>) {
        self.check_wills_beside(at);
        self.check_unanswered(run, at);
        let mut unseen = Vec::new();
        let deaf = |group: &&Group| group.version == Version::V3_1_1;
        for (place, group) in self.groups.iter().enumerate() {
            let streams = group.publishes.iter().enumerate();
            for (index, publish) in streams.filter(|(_, of)| of.stamp == StampPlace::Property) {
                let mut deaf = self.groups.iter().filter(deaf);
                if let Some(other) =
                    deaf.find(|to| listeners::hears(to, publish, group, run, self.seed))
                {
                    unseen.push((place, index, other.name.clone()));
                }
            }
        }
        for (place, index, other) in unseen {
            let what = format!(
                "group {other:?} speaks MQTT 3.1.1, which has no User Properties: it would not see the stamp"
            );
            let remedy = "`protocol = \"5.0\"` there, or `stamp = \"payload\"`".to_owned();
            let at = at.item(place).key("publish").item(index).key("stamp");
            self.contradiction(&at, what, remedy);
        }
    }

    /// Notes each stream without stamps whose messages a group would answer: a device knows a request of the run by its stamp.
    fn check_unanswered(&mut self, run: &RunSettings, at: &At<'_>) {
        let mut asking = Vec::new();
        for (place, group) in self.groups.iter().enumerate() {
            let streams = group.publishes.iter().enumerate();
            for (index, publish) in streams.filter(|(_, of)| of.stamp == StampPlace::None) {
                let mut others = self.groups.iter();
                if let Some(other) =
                    others.find(|to| listeners::answers_unasked(to, publish, group, run, self.seed))
                {
                    asking.push((place, index, other.name.clone()));
                }
            }
        }
        for (place, index, other) in asking {
            let what = format!(
                "a `respond` of group {other:?} answers its messages, and devices know requests of the run by their stamps"
            );
            let remedy = "`stamp = \"payload\"`, or a filter there that does not match".to_owned();
            let at = at.item(place).key("publish").item(index).key("stamp");
            self.contradiction(&at, what, remedy);
        }
    }

    /// Notes each stream without stamps whose messages look like a will: nothing would tell one from the other.
    fn check_wills_beside(&mut self, at: &At<'_>) {
        let mut alike = Vec::new();
        for (place, group) in self.groups.iter().enumerate() {
            for (index, publish) in group.publishes.iter().enumerate() {
                let mut wills = self
                    .groups
                    .iter()
                    .filter_map(|of| Some((of, of.will.as_ref()?)));
                let will = wills.find(|(_, will)| looks_like(&publish.payload, &will.payload));
                if let (StampPlace::None, Some((of, _))) = (publish.stamp, will) {
                    alike.push((place, index, of.name.clone()));
                }
            }
        }
        for (place, index, of) in alike {
            let what = format!(
                "without a stamp its messages could not be told from the will of group {of:?}, which has the same payload"
            );
            let remedy = "another payload for one of them, or `stamp = \"payload\"`".to_owned();
            let at = at.item(place).key("publish").item(index).key("stamp");
            self.contradiction(&at, what, remedy);
        }
    }
}

/// Whether a message of such a content is like a will of the other, as far as the scenario says what it is.
fn looks_like(content: &Content, will: &WillPayload) -> bool {
    let payload = match content {
        Content::Composed(payload) => payload,
        Content::Lines(_) => return false,
    };
    match (payload, will) {
        (Payload::Size(_), WillPayload::Size(_)) => true,
        (Payload::Text(text), WillPayload::Text(will))
        | (Payload::Json(text), WillPayload::Json(will)) => text.source() == will.source(),
        (Payload::Bytes(bytes), WillPayload::Bytes(will)) => bytes.bytes == will.bytes,
        (
            Payload::Size(_) | Payload::Text(_) | Payload::Json(_) | Payload::Bytes(_),
            WillPayload::Size(_)
            | WillPayload::Text(_)
            | WillPayload::Json(_)
            | WillPayload::Bytes(_),
        ) => false,
    }
}
