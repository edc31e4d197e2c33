//! Responses to requests (§4.10).

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
