//! What the tests read with: whole packets, and streams in parts.

use squall_protocol::codec::{DecodeRules, PACKET_BYTES_MAX, PacketReader, encode};
use squall_protocol::packet::Packet;
use squall_protocol::topic::{TopicFilter, TopicName};
use squall_protocol::{PacketId, ProtocolError, ReasonCode, Version};

/// Rules of a connection of `version` that takes any packet.
pub(crate) fn rules(version: Version) -> DecodeRules {
    DecodeRules {
        version: Some(version),
        maximum_packet_size: PACKET_BYTES_MAX,
    }
}

/// Rules before CONNECT.
pub(crate) fn rules_before_connect() -> DecodeRules {
    DecodeRules {
        version: None,
        maximum_packet_size: PACKET_BYTES_MAX,
    }
}

/// The one packet that `bytes` are, checked to be all of them.
pub(crate) fn decode(version: Version, bytes: &[u8]) -> Result<Packet<'static>, ProtocolError> {
    let bytes: &'static [u8] = bytes.to_vec().leak();
    let reader: &'static mut PacketReader = Box::leak(Box::default());
    let mut input = bytes;
    let packet = reader.poll_packet(&mut input, &rules(version))?;
    assert!(input.is_empty(), "bytes left over: {input:02x?}");
    Ok(packet.expect("the packet is whole"))
}

/// The Reason Code with which `bytes` are refused.
pub(crate) fn refusal(version: Version, bytes: &[u8]) -> ReasonCode {
    match decode(version, bytes) {
        Ok(packet) => panic!("accepted {packet:?}"),
        Err(error) => error.reason(),
    }
}

/// The bytes of `packet`.
pub(crate) fn encoded(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(packet, version, &mut bytes);
    bytes
}

/// Fixed header `first_byte` and a one-byte Remaining Length before `body`.
pub(crate) fn framed(first_byte: u8, body: &[u8]) -> Vec<u8> {
    assert!(body.len() < 128, "this helper writes short packets");
    let mut bytes = vec![first_byte, body.len() as u8];
    bytes.extend_from_slice(body);
    bytes
}

/// A packet identifier.
pub(crate) fn id(value: u16) -> PacketId {
    PacketId::new(value).expect("not 0")
}

/// A Topic Name.
pub(crate) fn name(text: &'static str) -> TopicName<&'static str> {
    TopicName::new(text).expect("a topic name")
}

/// A Topic Filter, as packets own it.
pub(crate) fn filter(text: &str) -> TopicFilter<Box<str>> {
    TopicFilter::new(text).expect("a topic filter").to_stored()
}

/// Everything a stream gives until it is used up or an error ends it, packets as text.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) packets: Vec<String>,
    pub(crate) error: Option<ProtocolError>,
}

/// Reads a stream that comes in `parts`.
pub(crate) fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>, rules: &DecodeRules) -> Outcome {
    let mut reader = PacketReader::new();
    let mut packets = Vec::new();
    for mut input in parts {
        loop {
            match reader.poll_packet(&mut input, rules) {
                Ok(Some(packet)) => packets.push(format!("{packet:?}")),
                Ok(None) => break,
                Err(error) => {
                    let error = Some(error);
                    return Outcome { packets, error };
                }
            }
        }
        assert!(input.is_empty(), "None means that the input is used up");
    }
    let error = None;
    Outcome { packets, error }
}
