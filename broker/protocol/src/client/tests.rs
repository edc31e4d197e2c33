//! One test per rule of the client's role. The server's bytes come from the codec.

use std::time::Duration;

use super::*;
use crate::codec;
use crate::outbound::{Awaiting, Resend};
use crate::packet::{
    AckProperties, Auth, Connack, ConnackProperties, ConnectProperties, Disconnect,
    DisconnectProperties, Packet, Puback, Pubcomp, Publish, PublishProperties, Pubrec, Pubrel,
    Suback, SubscribeProperties, Subscription, SubscriptionOptions,
};
use crate::topic::{TopicFilter, TopicName};
use crate::{ProtocolError, QoS, ReasonCode};

/// A message of a test: its payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Text {
    qos: QoS,
    retain: bool,
    payload: &'static str,
}

impl Message for Text {
    fn publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: TopicName::new("t").unwrap(),
            packet_id: None,
            properties: PublishProperties::default(),
            payload: self.payload.as_bytes(),
        }
    }
}

fn qos(qos: QoS, payload: &'static str) -> Text {
    Text {
        qos,
        retain: false,
        payload,
    }
}

fn qos0(payload: &'static str) -> Text {
    qos(QoS::AtMostOnce, payload)
}

fn qos1(payload: &'static str) -> Text {
    qos(QoS::AtLeastOnce, payload)
}

fn qos2(payload: &'static str) -> Text {
    qos(QoS::ExactlyOnce, payload)
}

fn seconds(value: f64) -> Instant {
    Instant::ZERO + Duration::from_secs_f64(value)
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

fn connect_packet(version: Version, clean_start: bool) -> Connect {
    Connect {
        version,
        clean_start,
        keep_alive: 10,
        client_id: "a".to_owned(),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties {
            session_expiry_interval: (version == Version::V5).then_some(60),
            ..ConnectProperties::default()
        },
    }
}

fn connack(session_present: bool, properties: ConnackProperties) -> Packet<'static> {
    Packet::Connack(Box::new(Connack {
        session_present,
        reason: ReasonCode::Success,
        properties,
    }))
}

/// A client with the names of its events and what it sent, for tests to compare with.
struct Device {
    client: Client<Text>,
    now: Instant,
}

impl Device {
    fn new(settings: Settings) -> Self {
        Self {
            client: Client::new(settings),
            now: seconds(1.0),
        }
    }

    /// Connects to a server that has no Session, in 5.0.
    fn connected(answers: Answers) -> Self {
        let mut device = Self::new(Settings {
            answers,
            ..Settings::default()
        });
        device.connect(connack(false, ConnackProperties::default()));
        device
    }

    fn connect(&mut self, connack: Packet<'static>) -> Vec<String> {
        self.connect_as(&connect_packet(Version::V5, false), connack)
    }

    fn connect_as(&mut self, connect: &Connect, connack: Packet<'static>) -> Vec<String> {
        self.client.connect(self.now, connect);
        assert_eq!(self.sent(), ["CONNECT"]);
        self.receive(connack)
    }

    /// Names of the events that `packet` brings.
    fn receive(&mut self, packet: Packet<'_>) -> Vec<String> {
        let mut bytes = Vec::new();
        codec::encode(&packet, self.client.version(), &mut bytes);
        let mut input = bytes.as_slice();
        let mut events = Vec::new();
        while let Some(event) = self.client.poll_event(self.now, &mut input) {
            events.push(name(&event));
        }
        assert!(input.is_empty());
        events
    }

    fn publish(&mut self, message: Text) -> PacketId {
        let id = self.client.publish(self.now, message).unwrap();
        id.expect("has an identifier")
    }

    /// Names of the packets that were queued.
    fn sent(&mut self) -> Vec<String> {
        let mut bytes = Vec::new();
        self.client.poll_transmit(&mut bytes);
        assert!(!self.client.has_transmit());
        let mut reader = PacketReader::default();
        let rules = codec::DecodeRules {
            version: Some(self.client.version()),
            maximum_packet_size: u32::MAX,
        };
        let mut input = bytes.as_slice();
        let mut packets = Vec::new();
        while let Some(packet) = reader.poll_packet(&mut input, &rules).unwrap() {
            packets.push(describe(&packet));
        }
        packets
    }
}

/// `PUBLISH 1 dup "a"`, `PUBACK 1`, `DISCONNECT 0x82`.
fn describe(packet: &Packet<'_>) -> String {
    let code = |id: PacketId, reason: ReasonCode| {
        if reason == ReasonCode::Success {
            return format!(" {id}");
        }
        format!(" {id} {:#04x}", reason as u8)
    };
    let details = match packet {
        Packet::Publish(publish) => {
            let id = publish.packet_id.map_or(0, PacketId::get);
            let dup = if publish.dup { " dup" } else { "" };
            let alias = publish.properties.topic_alias;
            let alias = alias.map_or(String::new(), |alias| format!(" alias {alias}"));
            let topic = publish.topic.as_str();
            let payload = str::from_utf8(publish.payload).unwrap();
            format!(" {id}{dup}{alias} {topic}={payload}")
        }
        Packet::Puback(packet) => code(packet.id, packet.reason),
        Packet::Pubrec(packet) => code(packet.id, packet.reason),
        Packet::Pubrel(packet) => code(packet.id, packet.reason),
        Packet::Pubcomp(packet) => code(packet.id, packet.reason),
        Packet::Subscribe(packet) => format!(" {}", packet.id),
        Packet::Unsubscribe(packet) => format!(" {}", packet.id),
        Packet::Disconnect(packet) => format!(" {:#04x}", packet.reason as u8),
        Packet::Connect(_)
        | Packet::Connack(_)
        | Packet::Suback(_)
        | Packet::Unsuback(_)
        | Packet::Pingreq
        | Packet::Pingresp
        | Packet::Auth(_) => String::new(),
    };
    format!("{}{details}", packet.packet_type())
}

fn name(event: &Event<'_, Text>) -> String {
    match event {
        Event::Connected(connack) => format!("connected present={}", connack.session_present),
        Event::Refused(connack) => format!("refused {:#04x}", connack.reason as u8),
        Event::PublishResent { id, message } => format!("publish resent {id} {}", message.payload),
        Event::PubrelResent { id, message } => format!("pubrel resent {id} {}", message.payload),
        Event::Abandoned { id, message, cause } => {
            format!("abandoned {id} {} {cause:?}", message.payload)
        }
        Event::Puback {
            id,
            reason,
            message,
        } => {
            format!("puback {id} {:#04x} {}", *reason as u8, message.payload)
        }
        Event::PubrecReceived { id, message, .. } => format!("pubrec {id} {}", message.payload),
        Event::PubrecRefused {
            id,
            reason,
            message,
        } => {
            format!(
                "pubrec refused {id} {:#04x} {}",
                *reason as u8, message.payload
            )
        }
        Event::Pubcomp { id, message, .. } => format!("pubcomp {id} {}", message.payload),
        Event::UnknownAnswer { id, .. } => format!("unknown {id}"),
        Event::Delivered(publish) => format!("delivered {}", publish.topic.as_str()),
        Event::Duplicate(publish) => format!("duplicate {}", publish.topic.as_str()),
        Event::PubrelReceived { id } => format!("pubrel {id}"),
        Event::Suback(suback) => format!("suback {}", suback.id),
        Event::Unsuback(unsuback) => format!("unsuback {}", unsuback.id),
        Event::Pingresp => "pingresp".to_owned(),
        Event::Auth(_) => "auth".to_owned(),
        Event::ServerDisconnect(packet) => format!("disconnect {:#04x}", packet.reason as u8),
        Event::ProtocolError(error) => format!("error: {error}"),
    }
}

fn puback(value: u16) -> Packet<'static> {
    Packet::Puback(Puback::new(id(value), ReasonCode::Success))
}

fn pubrec(value: u16) -> Packet<'static> {
    Packet::Pubrec(Pubrec::new(id(value), ReasonCode::Success))
}

fn pubrel(value: u16) -> Packet<'static> {
    Packet::Pubrel(Pubrel::new(id(value), ReasonCode::Success))
}

fn pubcomp(value: u16) -> Packet<'static> {
    Packet::Pubcomp(Pubcomp::new(id(value), ReasonCode::Success))
}

fn incoming(qos: QoS, packet_id: u16) -> Packet<'static> {
    Packet::Publish(Publish {
        dup: false,
        qos,
        retain: false,
        topic: TopicName::new("in").unwrap(),
        packet_id: PacketId::new(packet_id),
        properties: PublishProperties::default(),
        payload: b"x",
    })
}

fn subscription(filter: &str) -> Subscription {
    Subscription {
        filter: Ok(TopicFilter::new(filter.into()).unwrap()),
        options: SubscriptionOptions::default(),
    }
}

mod answers;
mod connection;
mod session;
