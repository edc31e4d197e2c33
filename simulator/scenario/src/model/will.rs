//! Wills and births: what tells of the beginning and the end of a connection.

use squall_protocol::QoS;

use crate::{DeviceTemplate, Payload, WillPayload};

/// `[group.will]`: published by the broker when a device is gone without DISCONNECT (§3.1.2.5).
#[derive(Clone, Debug, PartialEq)]
pub struct Will {
    /// A valid Topic Name for every device.
    pub topic: DeviceTemplate,
    /// What it carries, without a stamp. Default `{ text = "offline" }`.
    pub payload: WillPayload,
    /// QoS that it is published with. Default 0.
    pub qos: QoS,
    /// Whether the broker retains it. Default false.
    pub retain: bool,
    /// Will Delay Interval in seconds (§3.1.3.2.2). MQTT 5.0 only. Default 0.
    pub delay_interval: u32,
}

/// `[group.birth]`: what a device publishes once on each connection until the drain is over.
///
/// It is due on the SUBACK where the device subscribes on that connection, since a device that says it is there is
/// to hear what is sent to it from then on; on the CONNACK otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Birth {
    /// A valid Topic Name for every device.
    pub topic: DeviceTemplate,
    /// What it carries. `{seq}` counts the births of the device. Default `{ text = "online" }`.
    pub payload: Payload,
    /// QoS that it is published with. Default 0.
    pub qos: QoS,
    /// Whether the broker retains it. Default false.
    pub retain: bool,
}
