//! What messages say of themselves beside topic and payload (MQTT 5.0, §3.3.2.3).

use crate::MessageTemplate;

/// Bytes of the Correlation Data of a request: run, device and number.
const CORRELATION_BYTES: usize = 12;

/// Properties of the messages of a `[[group.publish]]`. None in 3.1.1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageProperties {
    /// Response Topic (§3.3.2.3.5): every rendering is a Topic Name. With it each message has Correlation Data of its own.
    pub response_topic: Option<MessageTemplate>,
    /// Content Type (§3.3.2.3.9).
    pub content_type: Option<MessageTemplate>,
    /// Seconds that the message lives (§3.3.2.3.3): above 0. `None` is without end.
    pub message_expiry: Option<u32>,
    /// Names and values of User Properties, in order (§3.3.2.3.7).
    pub user_properties: Vec<(MessageTemplate, MessageTemplate)>,
}

impl MessageProperties {
    /// Whether every message of one device has the same.
    pub fn are_fixed_per_device(&self) -> bool {
        self.templates().all(MessageTemplate::is_fixed_per_device)
    }

    /// Bytes of a PUBLISH that they take, as far as they are known: their identifiers, their lengths, and what every
    /// rendering has at least.
    pub(crate) fn known_bytes(&self) -> usize {
        const IDENTIFIER: usize = 1;
        const LENGTH: usize = 2;
        let text = |template: &MessageTemplate| LENGTH + template.known_bytes();
        let named = |template: &MessageTemplate| IDENTIFIER + text(template);
        let correlation = |_| IDENTIFIER + LENGTH + CORRELATION_BYTES;
        let topic = self.response_topic.as_ref();
        let user = self.user_properties.iter();
        let user: usize = user
            .map(|(name, value)| IDENTIFIER + text(name) + text(value))
            .sum();
        topic.map_or(0, named)
            + topic.map_or(0, correlation)
            + self.content_type.as_ref().map_or(0, named)
            + self
                .message_expiry
                .map_or(0, |_| IDENTIFIER + size_of::<u32>())
            + user
    }

    fn templates(&self) -> impl Iterator<Item = &MessageTemplate> {
        let user = self.user_properties.iter();
        let user = user.flat_map(|(name, value)| [name, value]);
        let first = self.response_topic.iter().chain(&self.content_type);
        first.chain(user)
    }
}
