//! What a client received, in an owned form that is easy to compare.

use squall_protocol::codec::{DecodeRules, PACKET_BYTES_MAX, PacketReader};
use squall_protocol::packet::{Disconnect, Packet, Publish};
use squall_protocol::{PacketId, QoS, ReasonCode, Version};

/// One packet of the broker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Got {
    Publish(Message),
    /// Any other packet.
    Other(Packet<'static>),
}

/// A PUBLISH.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) dup: bool,
    pub(crate) id: Option<PacketId>,
    pub(crate) expiry: Option<u32>,
    pub(crate) user_properties: Vec<(String, String)>,
    pub(crate) identifiers: Vec<u32>,
    pub(crate) response_topic: Option<String>,
    pub(crate) correlation_data: Option<Vec<u8>>,
    pub(crate) content_type: Option<String>,
    pub(crate) payload_format_indicator: Option<bool>,
}

/// The packets that came, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Received(pub(crate) Vec<Got>);

impl Received {
    pub(crate) fn decode(bytes: &[u8], version: Version) -> Self {
        let rules = DecodeRules {
            version: Some(version),
            maximum_packet_size: PACKET_BYTES_MAX,
        };
        let mut reader = PacketReader::default();
        let mut input = bytes;
        let mut packets = Vec::new();
        while let Some(packet) = reader.poll_packet(&mut input, &rules).unwrap() {
            packets.push(Got::from(packet));
        }
        Self(packets)
    }

    /// The PUBLISH packets.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let packets = self.0.iter();
        packets
            .filter_map(|got| match got {
                Got::Publish(message) => Some(message.clone()),
                Got::Other(_) => None,
            })
            .collect()
    }

    /// The only packet, a PUBLISH.
    pub(crate) fn message(&self) -> Message {
        match self.0.as_slice() {
            [Got::Publish(message)] => message.clone(),
            other => panic!("one PUBLISH, not {other:?}"),
        }
    }

    /// The payloads of the PUBLISH packets.
    pub(crate) fn payloads(&self) -> Vec<String> {
        let messages = self.messages().into_iter();
        messages.map(|message| message.payload).collect()
    }

    /// The only packet, which is not a PUBLISH.
    pub(crate) fn packet(&self) -> Packet<'static> {
        match self.0.as_slice() {
            [Got::Other(packet)] => packet.clone(),
            other => panic!("one packet, not {other:?}"),
        }
    }

    /// Every packet that is not a PUBLISH.
    pub(crate) fn others(&self) -> Vec<Packet<'static>> {
        let packets = self.0.iter();
        packets
            .filter_map(|got| match got {
                Got::Publish(_) => None,
                Got::Other(packet) => Some(packet.clone()),
            })
            .collect()
    }

    /// The code of the only packet, a DISCONNECT.
    pub(crate) fn disconnect_reason(&self) -> ReasonCode {
        let packet = self.packet();
        let Packet::Disconnect(Disconnect { reason, .. }) = packet else {
            panic!("DISCONNECT, not {packet:?}");
        };
        reason
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Packet<'_>> for Got {
    fn from(packet: Packet<'_>) -> Self {
        Self::Other(match packet {
            Packet::Publish(publish) => return Self::Publish(Message::from(&publish)),
            Packet::Connect(packet) => Packet::Connect(packet),
            Packet::Connack(packet) => Packet::Connack(packet),
            Packet::Puback(packet) => Packet::Puback(packet),
            Packet::Pubrec(packet) => Packet::Pubrec(packet),
            Packet::Pubrel(packet) => Packet::Pubrel(packet),
            Packet::Pubcomp(packet) => Packet::Pubcomp(packet),
            Packet::Subscribe(packet) => Packet::Subscribe(packet),
            Packet::Suback(packet) => Packet::Suback(packet),
            Packet::Unsubscribe(packet) => Packet::Unsubscribe(packet),
            Packet::Unsuback(packet) => Packet::Unsuback(packet),
            Packet::Pingreq => Packet::Pingreq,
            Packet::Pingresp => Packet::Pingresp,
            Packet::Disconnect(packet) => Packet::Disconnect(packet),
            Packet::Auth(packet) => Packet::Auth(packet),
        })
    }
}

impl From<&Publish<'_>> for Message {
    fn from(publish: &Publish<'_>) -> Self {
        let properties = &publish.properties;
        assert_eq!(properties.topic_alias, None, "we use no aliases");
        let user_properties = properties.user_properties.iter();
        let identifiers = properties.subscription_identifiers.iter();
        Self {
            topic: publish.topic.text().to_owned(),
            payload: String::from_utf8(publish.payload.to_vec()).unwrap(),
            qos: publish.qos,
            retain: publish.retain,
            dup: publish.dup,
            id: publish.packet_id,
            expiry: properties.message_expiry_interval,
            user_properties: user_properties
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            identifiers: identifiers.map(|identifier| identifier.get()).collect(),
            response_topic: properties.response_topic.map(str::to_owned),
            correlation_data: properties.correlation_data.map(<[u8]>::to_vec),
            content_type: properties.content_type.map(str::to_owned),
            payload_format_indicator: properties.payload_format_indicator,
        }
    }
}
