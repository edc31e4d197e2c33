//! The packets around the sample's lost message.

use crate::{PacketDirection, PacketStamp, PacketTrace, TracedPacket, TracedState};

/// A PUBLISH that was acknowledged, and the next one of its stream, which came in its place.
pub(super) fn traces() -> Vec<PacketTrace> {
    let publish = |at_s, device: &str, direction, sequence| TracedPacket {
        at_s,
        client_id: device.to_owned(),
        connection: 1,
        direction,
        packet: Some("PUBLISH".to_owned()),
        state: TracedState::Whole,
        packet_id: Some(119),
        qos: Some(1),
        dup: false,
        retain: false,
        topic: Some("fleet/sensor-00417/telemetry".to_owned()),
        message: Some(PacketStamp {
            client_id: "sensor-00417".to_owned(),
            sequence,
        }),
        reason: None,
        payload_bytes: Some(64),
        is_of_message: sequence == 118,
    };
    let (up, down) = (PacketDirection::ToBroker, PacketDirection::FromBroker);
    let puback = TracedPacket {
        packet: Some("PUBACK".to_owned()),
        qos: None,
        topic: None,
        message: None,
        reason: Some("0x00 success".to_owned()),
        payload_bytes: None,
        is_of_message: false,
        ..publish(44.8713, "sensor-00417", down, 118)
    };
    vec![PacketTrace {
        around_s: 44.87,
        kept_from_s: None,
        packets: vec![
            publish(44.87, "sensor-00417", up, 118),
            puback,
            publish(47.29, "sensor-00417", up, 119),
            publish(47.31, "backend-2", down, 119),
        ],
    }]
}
