//! What the messages of a `[[group.publish]]` say of themselves beside topic and payload (MQTT 5.0, §3.3.2.3).

use squall_protocol::Version;
use squall_toml::at::At;
use squall_toml::mistake::Mistake;

use super::Resolver;
use super::stamp::STAMP_PROPERTY;
use crate::file::PublishFile;
use crate::template::Use;
use crate::{Group, MessageProperties, MessageTemplate};

/// Most bytes of a string of MQTT (§1.5.4).
const STRING_MAX: usize = 65_535;

impl Resolver<'_> {
    /// The properties of the messages of a stream.
    pub(super) fn resolve_properties(
        &mut self,
        file: &PublishFile,
        group: &Group,
        at: &At<'_>,
    ) -> MessageProperties {
        if group.version == Version::V3_1_1 {
            for key in [
                "response_topic",
                "content_type",
                "message_expiry",
                "user_properties",
            ] {
                self.misplaced(at, key, "`protocol = \"5.0\"`");
            }
        }
        let content_type = file.content_type.as_ref();
        let content_type = content_type
            .and_then(|text| self.resolve_property(text, group, &at.key("content_type")));
        let at_user = at.key("user_properties");
        let mut user_properties = Vec::new();
        for (name, text) in &file.user_properties {
            let at = at_user.key(name);
            let name = self.resolve_property_name(name, group, &at);
            let value = self.resolve_property(text, group, &at);
            user_properties.extend(name.zip(value));
        }
        MessageProperties {
            response_topic: self.resolve_response_topic(file, group, at),
            content_type,
            message_expiry: self.resolve_message_expiry(file, at),
            user_properties,
        }
    }

    /// A Topic Name for the response to each message. A device that answers publishes to it: like the topics of
    /// messages, a device has a limited number of them.
    fn resolve_response_topic(
        &mut self,
        file: &PublishFile,
        group: &Group,
        at: &At<'_>,
    ) -> Option<MessageTemplate> {
        let text = file.response_topic.as_ref()?;
        let at = at.key("response_topic");
        let fixed = self.fixed(&group.name);
        let template = MessageTemplate::parse(text, Use::Topic, &fixed);
        let Some(template) = self.or_note(template, &at) else {
            // It is noted, and a claim that needs a Response Topic has one.
            return Some(MessageTemplate::literal("unknown"));
        };
        self.check_topic(&template, group, &at);
        Some(template)
    }

    /// Seconds that a message lives.
    fn resolve_message_expiry(&mut self, file: &PublishFile, at: &At<'_>) -> Option<u32> {
        let at = at.key("message_expiry");
        let expiry = file.message_expiry?.0;
        self.check_above_zero(expiry, &at);
        Some(self.whole_seconds(expiry, u32::MAX, &at))
    }

    /// A text that MQTT can carry as a string (§1.5.4).
    fn resolve_property(
        &mut self,
        text: &str,
        group: &Group,
        at: &At<'_>,
    ) -> Option<MessageTemplate> {
        let fixed = self.fixed(&group.name);
        let template = MessageTemplate::parse(text, Use::Property, &fixed);
        let template = self.or_note(template, at)?;
        if let Some(problem) = no_string(&template, group) {
            self.diagnostics.value(at, problem);
        }
        Some(template)
    }

    /// The name of a User Property, the key at `at`: a string as well, and not that of a stamp.
    fn resolve_property_name(
        &mut self,
        name: &str,
        group: &Group,
        at: &At<'_>,
    ) -> Option<MessageTemplate> {
        let fixed = self.fixed(&group.name);
        let template = MessageTemplate::parse(name, Use::Property, &fixed);
        let template = self.or_note_key(template, at)?;
        if let Some(problem) = no_string(&template, group) {
            self.diagnostics.key(at, problem);
        }
        let devices = match template.is_literal() {
            true => 1,
            false => group.count,
        };
        let mut devices = 0..devices;
        let is_stamp = |index| template.may_be(STAMP_PROPERTY, index, &group.client_id_of(index));
        if devices.any(is_stamp) {
            let what = format!("a User Property {STAMP_PROPERTY:?} would be taken for a stamp");
            self.contradiction(at, what, "another name".to_owned());
        }
        Some(template)
    }
}

/// What keeps `template` from being a string of MQTT with some device of `group`.
fn no_string(template: &MessageTemplate, group: &Group) -> Option<Mistake> {
    let client_id_max = match template.has_client_id() {
        true => (0..group.count)
            .map(|index| group.client_id_of(index).len())
            .max(),
        false => None,
    };
    let is_string = template.length_max(client_id_max.unwrap_or(0)) <= STRING_MAX
        && template.pieces().all(|piece| !piece.contains('\0'));
    (!is_string).then(|| Mistake::OutOfRange {
        value: format!("{:?}", template.source()),
        range: format!("at most {STRING_MAX} bytes without the null character"),
    })
}
