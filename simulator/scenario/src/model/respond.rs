//! Responses to requests (§4.10), and the properties of messages that go with them.

use squall_protocol::QoS;

use crate::{DeviceTemplate, Distribution, MessageTemplate, Payload};

/// `[[group.respond]]`: an answer of each device to messages of this run that come on a Topic Filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Respond {
    /// The Topic Filter of the requests for every device, possibly shared. The group's `subscribes` have it too.
    pub filter: DeviceTemplate,
    /// A Topic Name for the response to a message without a Response Topic; `None` does not answer that.
    pub topic: Option<MessageTemplate>,
    /// QoS of the responses, and the highest that requests are taken at. Default 0.
    pub qos: QoS,
    /// From the arrival of a request to its response. Default none.
    pub delay: Distribution,
    /// What each response carries, with a stamp. Default the stamp alone.
    pub payload: Payload,
}

/// Properties of the messages of a `[[group.publish]]`, the same for each message of a device. None in 3.1.1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageProperties {
    /// Response Topic (§3.3.2.3.5). With it each message has Correlation Data of its own.
    pub response_topic: Option<DeviceTemplate>,
    /// Content Type (§3.3.2.3.9).
    pub content_type: Option<DeviceTemplate>,
    /// Seconds that the message lives (§3.3.2.3.3): above 0. `None` is without end.
    pub message_expiry: Option<u32>,
    /// User Properties, in order (§3.3.2.3.7).
    pub user_properties: Vec<(String, DeviceTemplate)>,
}
