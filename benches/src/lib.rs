//! Criterion benches of squall's crates: `cargo bench -p squall-benches`.
//!
//! Each file of `benches/` but `stalls` measures one part in memory: no sockets, so that the figures are the
//! code's and not the kernel's. What several of them need stands here. Machines differ and are shared:
//! compare two runs of one machine, and quote ratios.

pub mod broker;

use squall_protocol::packet::{Publish, PublishProperties};
use squall_protocol::topic::TopicName;
use squall_protocol::{PacketId, QoS};

/// A PUBLISH without properties, as sensors send it; above QoS 0 its Packet Identifier is 1.
///
/// # Panics
/// If `topic` is not a valid Topic Name.
pub fn publish<'a>(topic: &'a str, qos: QoS, payload: &'a [u8]) -> Publish<'a> {
    Publish {
        dup: false,
        qos,
        retain: false,
        topic: TopicName::new(topic).expect("benches name valid topics"),
        packet_id: match qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce | QoS::ExactlyOnce => PacketId::new(1),
        },
        properties: PublishProperties::default(),
        payload,
    }
}
