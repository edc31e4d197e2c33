//! A client and a server that exchange messages over a connection that can be cut.

use std::collections::VecDeque;
use std::time::Duration;

use squall_protocol::client::{self, Client, Event};
use squall_protocol::codec::{self, PACKET_BYTES_MAX, PacketReader};
use squall_protocol::inbound::{Inbound, Received};
use squall_protocol::outbound::{Outbound, Resend, Step};
use squall_protocol::packet::{
    Connack, ConnackProperties, Connect, ConnectProperties, Packet, Puback, Pubcomp, Publish,
    PublishProperties, Pubrec, Pubrel,
};
use squall_protocol::server::{self, Connection};
use squall_protocol::topic::TopicName;
use squall_protocol::{Instant, PacketId, QoS, ReasonCode, Version};

const NOW: Instant = Instant::ZERO;

/// How far one connection gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limits {
    /// Bytes from the client that the server gets.
    pub(crate) up: usize,
    /// Bytes from the server that the client gets.
    pub(crate) down: usize,
    /// Bytes that come at once.
    pub(crate) chunk: usize,
    /// What each side allows the other.
    pub(crate) receive_maximum: u16,
}

impl Limits {
    pub(crate) const NONE: Self = Self {
        up: usize::MAX,
        down: usize::MAX,
        chunk: usize::MAX,
        receive_maximum: 10,
    };
}

/// A message by its payload.
#[derive(Clone, Debug)]
struct Text {
    qos: QoS,
    payload: String,
}

impl client::Message for Text {
    fn publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: false,
            topic: TopicName::new("t").expect("valid"),
            packet_id: None,
            properties: PublishProperties::default(),
            payload: self.payload.as_bytes(),
        }
    }
}

/// Both sides and what each has got.
pub(crate) struct Joined {
    version: Version,
    client: Client<Text>,
    client_queue: VecDeque<Text>,
    server: Server,
    pub(crate) received_by_client: Vec<String>,
    pub(crate) received_by_server: Vec<String>,
}

impl Joined {
    pub(crate) fn new(version: Version) -> Self {
        Self {
            version,
            client: Client::new(client::Settings::default()),
            client_queue: VecDeque::new(),
            server: Server::default(),
            received_by_client: Vec::new(),
            received_by_server: Vec::new(),
        }
    }

    /// Lets both sides send this message to the other, when they can.
    pub(crate) fn publish(&mut self, qos: QoS, payload: &str) {
        let payload = payload.to_owned();
        self.client_queue.push_back(Text {
            qos,
            payload: payload.clone(),
        });
        self.server.queue.push_back(Text { qos, payload });
    }

    /// Runs one connection until its limits are reached or nothing moves, then loses it. Returns
    /// the bytes that passed.
    pub(crate) fn run_connection(&mut self, limits: Limits) -> Limits {
        let receive_maximum = match self.version {
            Version::V3_1_1 => None,
            Version::V5 => Some(limits.receive_maximum),
        };
        self.client
            .connect(NOW, &self.connect_packet(receive_maximum));
        self.server.open(receive_maximum);
        let mut passed = Limits {
            up: 0,
            down: 0,
            ..limits
        };
        let (mut up, mut down) = (Vec::new(), Vec::new());
        loop {
            self.send_queued();
            self.client.poll_transmit(&mut up);
            down.append(&mut self.server.transmit);
            let up_now = up.len().min(limits.chunk).min(limits.up - passed.up);
            let down_now = down.len().min(limits.chunk).min(limits.down - passed.down);
            if up_now + down_now == 0 {
                break;
            }
            passed.up += up_now;
            passed.down += down_now;
            let upward: Vec<u8> = up.drain(..up_now).collect();
            let downward: Vec<u8> = down.drain(..down_now).collect();
            self.server.receive(&upward, &mut self.received_by_server);
            self.receive_downward(&downward);
        }
        self.client.connection_lost();
        self.server.close();
        passed
    }

    /// Asserts that no exchange is left open on either side.
    pub(crate) fn check_quiet(&self) {
        assert!(self.client.outbound().is_empty());
        assert!(self.server.outbound.is_empty());
        assert_eq!(self.client.inbound().iter().count(), 0);
        assert_eq!(self.server.inbound.iter().count(), 0);
    }

    fn connect_packet(&self, receive_maximum: Option<u16>) -> Connect {
        Connect {
            version: self.version,
            clean_start: false,
            keep_alive: 60,
            client_id: "c".to_owned(),
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties {
                session_expiry_interval: (self.version == Version::V5).then_some(u32::MAX),
                receive_maximum,
                ..ConnectProperties::default()
            },
        }
    }

    fn send_queued(&mut self) {
        while self.client.can_publish()
            && let Some(message) = self.client_queue.pop_front()
        {
            self.client.publish(NOW, message).expect("it can publish");
        }
        self.server.send_queued();
    }

    fn receive_downward(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        while let Some(event) = self.client.poll_event(NOW, &mut input) {
            match event {
                Event::Delivered(publish) => {
                    let payload = str::from_utf8(publish.payload).expect("text");
                    self.received_by_client.push(payload.to_owned());
                }
                Event::Connected(_)
                | Event::PublishResent { .. }
                | Event::PubrelResent { .. }
                | Event::Puback { .. }
                | Event::PubrecReceived { .. }
                | Event::Pubcomp { .. }
                | Event::Duplicate(_)
                | Event::PubrelReceived { .. } => {}
                Event::Refused(_)
                | Event::Abandoned { .. }
                | Event::PubrecRefused { .. }
                | Event::UnknownAnswer { .. }
                | Event::Suback(_)
                | Event::Unsuback(_)
                | Event::Pingresp
                | Event::ServerDisconnect(_)
                | Event::ProtocolError(_)
                | Event::Auth(_) => panic!("{event:?}"),
            }
        }
    }
}

/// A server with one Session, made of the same parts as a broker.
#[derive(Default)]
struct Server {
    connection: Option<Connection>,
    reader: PacketReader,
    /// Of the last CONNECT.
    version: Option<Version>,
    has_session: bool,
    outbound: Outbound<Text>,
    inbound: Inbound,
    queue: VecDeque<Text>,
    receive_maximum: Option<u16>,
    transmit: Vec<u8>,
}

impl Server {
    fn open(&mut self, receive_maximum: Option<u16>) {
        let settings = server::Settings {
            connect_timeout: Duration::from_secs(10),
            connect_size_max: 1000,
            maximum_packet_size: PACKET_BYTES_MAX,
            topic_alias_maximum: 0,
        };
        self.connection = Some(Connection::new(NOW, &settings));
        self.receive_maximum = receive_maximum;
    }

    fn close(&mut self) {
        self.connection = None;
        self.reader = PacketReader::default();
        self.outbound.connection_lost();
        self.transmit.clear();
    }

    fn receive(&mut self, bytes: &[u8], received: &mut Vec<String>) {
        let mut connection = self.connection.take().expect("open");
        let mut reader = std::mem::take(&mut self.reader);
        let mut input = bytes;
        while let Some(mut packet) = reader
            .poll_packet(&mut input, &connection.rules())
            .expect("well-formed")
        {
            connection.handle_packet(NOW, &mut packet).expect("allowed");
            if matches!(packet, Packet::Connect(_)) {
                self.accept(&mut connection);
            } else {
                self.handle_packet(&packet, received);
            }
        }
        self.connection = Some(connection);
        self.reader = reader;
    }

    fn accept(&mut self, connection: &mut Connection) {
        let connack = Connack {
            session_present: self.has_session,
            reason: ReasonCode::Success,
            properties: ConnackProperties {
                receive_maximum: self.receive_maximum,
                ..ConnackProperties::default()
            },
        };
        self.has_session = true;
        self.version = connection.version();
        connection.accept(NOW, &connack);
        self.outbound.resume(connection.receive_maximum());
        self.inbound
            .resume(self.receive_maximum.unwrap_or(u16::MAX));
        self.send(&Packet::Connack(Box::new(connack)));
        self.resend();
    }

    fn handle_packet(&mut self, packet: &Packet<'_>, received: &mut Vec<String>) {
        match packet {
            Packet::Publish(publish) => {
                let outcome = self
                    .inbound
                    .handle_publish(publish)
                    .expect("within the maximum");
                if outcome == Received::New {
                    let payload = str::from_utf8(publish.payload).expect("text");
                    received.push(payload.to_owned());
                }
                let id = publish.packet_id.expect("QoS above 0");
                let answer = if publish.qos == QoS::ExactlyOnce {
                    Packet::Pubrec(Pubrec::new(id, ReasonCode::Success))
                } else {
                    self.inbound.puback_sent();
                    Packet::Puback(Puback::new(id, ReasonCode::Success))
                };
                self.send(&answer);
            }
            Packet::Pubrel(pubrel) => {
                let reason = self.inbound.handle_pubrel(pubrel);
                let pubcomp = Pubcomp::new(pubrel.id, reason);
                self.send(&Packet::Pubcomp(pubcomp));
            }
            Packet::Puback(puback) => {
                self.outbound.handle_puback(puback).expect("sent at QoS 1");
            }
            Packet::Pubrec(pubrec) => {
                let step = self.outbound.handle_pubrec(pubrec).expect("sent at QoS 2");
                if let Step::SendPubrel { id, reason } = step {
                    self.send(&Packet::Pubrel(Pubrel::new(id, reason)));
                }
            }
            Packet::Pubcomp(pubcomp) => {
                self.outbound
                    .handle_pubcomp(pubcomp)
                    .expect("sent at QoS 2");
            }
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Subscribe(_)
            | Packet::Suback(_)
            | Packet::Unsubscribe(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => panic!("{packet:?}"),
        }
        self.resend();
    }

    fn resend(&mut self) {
        while let Some(resend) = self.outbound.poll_resend() {
            match resend {
                Resend::Publish(id) => self.send_publish(id, true),
                Resend::Pubrel(id) => {
                    let pubrel = Pubrel::new(id, ReasonCode::Success);
                    self.send(&Packet::Pubrel(pubrel));
                }
            }
        }
    }

    fn send_queued(&mut self) {
        while self.outbound.can_send()
            && let Some(message) = self.queue.pop_front()
        {
            let id = self.outbound.send(message.qos, message);
            self.send_publish(id, false);
        }
    }

    fn send_publish(&mut self, id: PacketId, dup: bool) {
        let message = self.outbound.message(id).expect("in flight").clone();
        let publish = Publish {
            dup,
            packet_id: Some(id),
            ..client::Message::publish(&message)
        };
        self.send(&Packet::Publish(publish));
    }

    fn send(&mut self, packet: &Packet<'_>) {
        let version = self.version.expect("after CONNECT");
        codec::encode(packet, version, &mut self.transmit);
    }
}
