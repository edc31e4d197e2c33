//! `[[group.publish]]` and `[group.birth]`: what devices publish.

use squall_protocol::topic::{TopicError, TopicName};
use squall_toml::at::At;

use super::Resolver;
use super::group::resolve_qos;
use crate::error::Problem;
use crate::file::{BirthFile, PublishFile};
use crate::template::Use;
use crate::{Birth, DeviceTemplate, Group, MessageTemplate, Payload, Publish, StampPlace};

/// Most bytes of a Topic Name (§1.5.4).
const TOPIC_MAX: usize = 65_535;

impl Resolver<'_> {
    /// Resolves one stream of messages of `group`.
    pub(super) fn resolve_publish(
        &mut self,
        file: &PublishFile,
        group: &Group,
        at: &At<'_>,
    ) -> Publish {
        let fixed = self.fixed(&group.name);
        let at_topic = at.key("topic");
        let topic = MessageTemplate::parse(&file.topic, Use::Topic, &fixed);
        let topic = match self.or_note(topic, &at_topic) {
            Some(topic) => {
                self.check_topic(&topic, group, &at_topic);
                topic
            }
            None => MessageTemplate::literal("topic"),
        };
        let stamp = self.resolve_stamp(file, group, at);
        Publish {
            topic,
            qos: resolve_qos(file.qos),
            retain: file.retain.unwrap_or(false),
            pacing: self.resolve_pacing(file, group, at),
            payload: self.resolve_content(
                file.payload.as_ref(),
                stamp,
                &group.name,
                &at.key("payload"),
            ),
            stamp,
            properties: self.resolve_properties(file, group, at),
        }
    }

    /// Resolves the birth of each device of `group`.
    pub(super) fn resolve_birth(&mut self, file: &BirthFile, group: &Group, at: &At<'_>) -> Birth {
        let fixed = self.fixed(&group.name);
        let at_topic = at.key("topic");
        let topic = DeviceTemplate::parse(&file.topic, Use::DeviceText, &fixed);
        let topic = self
            .or_note(topic, &at_topic)
            .unwrap_or_else(|| DeviceTemplate::literal("birth"));
        self.check_device_texts(&topic, group, &at_topic, |text| {
            TopicName::new(text).map(drop)
        });
        Birth {
            topic,
            payload: match &file.payload {
                None => Payload::Text(MessageTemplate::literal("online")),
                payload => self.resolve_payload(
                    payload.as_ref(),
                    StampPlace::Payload,
                    &group.name,
                    &at.key("payload"),
                ),
            },
            qos: resolve_qos(file.qos),
            retain: file.retain.unwrap_or(false),
        }
    }

    /// Every message must have a Topic Name, whatever its placeholders stand for (§4.7).
    pub(super) fn check_topic(&mut self, topic: &MessageTemplate, group: &Group, at: &At<'_>) {
        let mut note = |text: &str, error| {
            let text = text.to_owned();
            self.diagnostics.value(at, Problem::Topic { text, error });
        };
        // Numbers are Topic Names, so the pieces decide.
        let malformed = topic
            .pieces()
            .find_map(|piece| TopicName::new(piece).err().map(|error| (piece, error)));
        if let Some((piece, error)) = malformed {
            return note(piece, error);
        }
        if topic.source().is_empty() {
            return note("", TopicError::Empty);
        }
        let mut client_id_max = 0;
        if topic.has_client_id() {
            for index in 0..group.count {
                let client_id = group.client_id_of(index);
                client_id_max = client_id_max.max(client_id.len());
                if let Err(error) = TopicName::new(client_id.as_str()) {
                    return note(&client_id, error);
                }
            }
        }
        let bytes = topic.length_max(client_id_max);
        if bytes > TOPIC_MAX {
            note(topic.source(), TopicError::TooLong { bytes });
        }
    }

    /// Notes the first device of `group` for which the text of `template` fails `check`.
    pub(super) fn check_device_texts(
        &mut self,
        template: &DeviceTemplate,
        group: &Group,
        at: &At<'_>,
        check: impl Fn(&str) -> Result<(), TopicError>,
    ) {
        let devices = if template.is_literal() {
            1
        } else {
            group.count
        };
        for index in 0..devices {
            let text = template.render(index, &group.client_id_of(index));
            if let Err(error) = check(&text) {
                self.diagnostics.value(at, Problem::Topic { text, error });
                return;
            }
        }
    }
}
