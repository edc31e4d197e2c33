//! The Will Message of a connection and when it is due (§3.1.2.5).
//!
//! A Session holds at most one: that of its Network Connection, or that of its last one while
//! the Will Delay Interval runs.

use std::time::Duration;

use squall_protocol::packet::{Publish, PublishProperties, Will};

/// Time from the end of the connection to the will: the Will Delay Interval, or the rest of the
/// Session's life if that is shorter [MQTT-3.1.2-8].
pub(crate) fn delay(will: &Will, session_expiry_interval: u32) -> Duration {
    let delay = will.properties.will_delay_interval.unwrap_or(0);
    Duration::from_secs(delay.min(session_expiry_interval).into())
}

/// The message that a will is published as.
pub(crate) fn to_publish(will: &Will) -> Publish<'_> {
    let properties = &will.properties;
    Publish {
        dup: false,
        qos: will.qos,
        retain: will.retain,
        topic: will.topic.borrowed(),
        packet_id: None,
        properties: PublishProperties {
            payload_format_indicator: properties.payload_format_indicator,
            message_expiry_interval: properties.message_expiry_interval,
            response_topic: properties.response_topic.as_deref(),
            correlation_data: properties.correlation_data.as_deref(),
            user_properties: properties
                .user_properties
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            content_type: properties.content_type.as_deref(),
            ..PublishProperties::default()
        },
        payload: &will.payload,
    }
}
