//! Subscriptions.

use squall_protocol::QoS;

use crate::DeviceTemplate;

/// `[[group.subscribe]]`: one subscription of each device.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribe {
    /// A Topic Filter for every device, possibly shared.
    pub filter: DeviceTemplate,
    /// Highest QoS it takes. Default 0.
    pub qos: QoS,
}
