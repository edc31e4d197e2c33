//! Subscriptions.

use squall_protocol::packet::{SubscriptionIdentifier, SubscriptionOptions};

use crate::DeviceTemplate;

/// `[[group.subscribe]]`: one subscription of each device.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribe {
    /// A Topic Filter for every device, possibly shared.
    pub filter: DeviceTemplate,
    /// Highest QoS it takes, by default 0, and the options of MQTT 5.0, by default none (§3.8.3.1).
    pub options: SubscriptionOptions,
    /// A number that comes back on each delivery for it (§3.8.2.1.2). MQTT 5.0 only. Default none.
    pub identifier: Option<SubscriptionIdentifier>,
}
