//! A client on a blocking socket, driven by `squall_protocol::client`.
//!
//! A read that takes longer than [`PATIENCE`] fails the test; nothing waits for time to pass.

#![allow(clippy::unwrap_used, reason = "a failed wait is a failed test")]

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use squall_protocol::client::{Client, Event, Message, Settings};
use squall_protocol::packet::{
    Connect, ConnectProperties, Disconnect, Publish, PublishProperties, SubscribeProperties,
    Subscription, SubscriptionOptions,
};
use squall_protocol::topic::{TopicFilter, TopicName};
use squall_protocol::{Instant, QoS, ReasonCode, Version};

/// Longest wait for one event.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// No peer has a keep alive or a deadline, so its clock stands.
const NOW: Instant = Instant::ZERO;

/// A message to publish.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) topic: &'static str,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: QoS,
}

impl Message for Outgoing {
    fn publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: false,
            topic: TopicName::new(self.topic).unwrap(),
            packet_id: None,
            properties: PublishProperties::default(),
            payload: &self.payload,
        }
    }
}

/// What a peer heard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    Connected,
    Subscribed(Vec<ReasonCode>),
    Message {
        topic: String,
        payload: Vec<u8>,
        qos: QoS,
    },
    /// A QoS 1 or QoS 2 exchange of ours is over.
    Published,
    /// A step of one; nothing to wait for.
    Step,
    Disconnected(ReasonCode),
    /// The broker shut its side.
    Closed,
}

/// One client and its socket.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    client: Client<Outgoing>,
    heard: VecDeque<Heard>,
}

impl Peer {
    /// Opens a socket and says nothing.
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// A peer on an open socket.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            client: Client::new(Settings::default()),
            heard: VecDeque::new(),
        }
    }

    /// Opens a socket and connects with a clean start.
    pub(crate) fn connect(address: SocketAddr, version: Version, client_id: &str) -> Self {
        let mut peer = Self::open(address);
        peer.say_connect(version, client_id);
        peer.send();
        assert_eq!(peer.hear(), Heard::Connected);
        peer
    }

    /// Queues CONNECT.
    pub(crate) fn say_connect(&mut self, version: Version, client_id: &str) {
        let connect = Connect {
            version,
            clean_start: true,
            keep_alive: 0,
            client_id: String::from(client_id),
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties::default(),
        };
        self.client.connect(NOW, &connect);
    }

    /// Subscribes and waits for SUBACK.
    pub(crate) fn subscribe(&mut self, filter: &str, qos: QoS) {
        let subscription = Subscription {
            filter: Ok(TopicFilter::new(Box::from(filter)).unwrap()),
            options: SubscriptionOptions {
                qos,
                ..SubscriptionOptions::default()
            },
        };
        self.client
            .subscribe(NOW, SubscribeProperties::default(), vec![subscription])
            .unwrap();
        self.send();
        let Heard::Subscribed(reasons) = self.hear() else {
            panic!("no SUBACK for {filter}");
        };
        assert!(!reasons[0].is_error(), "{filter}: {reasons:?}");
    }

    /// Queues a SUBSCRIBE of many filters.
    pub(crate) fn say_subscribe(&mut self, filters: impl Iterator<Item = String>) {
        let subscriptions = filters.map(|filter| Subscription {
            filter: Ok(TopicFilter::new(filter.into_boxed_str()).unwrap()),
            options: SubscriptionOptions::default(),
        });
        let subscriptions = subscriptions.collect();
        self.client
            .subscribe(NOW, SubscribeProperties::default(), subscriptions)
            .unwrap();
    }

    /// Queues PUBLISH.
    pub(crate) fn say_publish(&mut self, topic: &'static str, payload: &[u8], qos: QoS) {
        let message = Outgoing {
            topic,
            payload: payload.to_vec(),
            qos,
        };
        self.client.publish(NOW, message).unwrap();
    }

    /// Publishes, and at QoS 1 and 2 waits until the exchange is over.
    pub(crate) fn publish(&mut self, topic: &'static str, payload: &[u8], qos: QoS) {
        self.say_publish(topic, payload, qos);
        self.send();
        if qos != QoS::AtMostOnce {
            assert_eq!(self.hear(), Heard::Published);
        }
    }

    /// Says goodbye; the socket stays open.
    pub(crate) fn disconnect(&mut self) {
        self.client.disconnect(NOW, &Disconnect::default()).unwrap();
        self.send();
    }

    /// The bytes that are queued, taken instead of being sent.
    pub(crate) fn take_queued(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.client.poll_transmit(&mut bytes);
        bytes
    }

    /// Sends what is queued.
    pub(crate) fn send(&mut self) {
        let bytes = self.take_queued();
        self.stream.write_all(&bytes).unwrap();
    }

    /// The next thing heard, but for steps of an exchange.
    pub(crate) fn hear(&mut self) -> Heard {
        loop {
            match self.heard.pop_front() {
                Some(Heard::Step) => {}
                Some(heard) => return heard,
                None => self.read(),
            }
        }
    }

    /// The next thing heard, which must be a message: its payload.
    pub(crate) fn hear_payload(&mut self) -> Vec<u8> {
        let heard = self.hear();
        let Heard::Message { payload, .. } = heard else {
            panic!("a message was due, not {heard:?}");
        };
        payload
    }

    fn read(&mut self) {
        let mut buffer = vec![0; 64 * 1024];
        let length = match self.stream.read(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("nothing heard: {error}"),
        };
        if length == 0 {
            self.heard.push_back(Heard::Closed);
            return;
        }
        let mut input = &buffer[..length];
        while let Some(event) = self.client.poll_event(NOW, &mut input) {
            self.heard.push_back(heard(event));
        }
        if self.client.has_transmit() {
            self.send();
        }
    }
}

fn heard(event: Event<'_, Outgoing>) -> Heard {
    match event {
        Event::Connected(_) => Heard::Connected,
        Event::Suback(suback) => Heard::Subscribed(suback.reasons),
        Event::Delivered(publish) => Heard::Message {
            topic: String::from(publish.topic.as_str()),
            payload: publish.payload.to_vec(),
            qos: publish.qos,
        },
        Event::Puback { .. } | Event::Pubcomp { .. } => Heard::Published,
        Event::PubrecReceived { .. } | Event::PubrelReceived { .. } => Heard::Step,
        Event::ServerDisconnect(disconnect) => Heard::Disconnected(disconnect.reason),
        Event::Refused(_)
        | Event::PublishResent { .. }
        | Event::PubrelResent { .. }
        | Event::Abandoned { .. }
        | Event::PubrecRefused { .. }
        | Event::UnknownAnswer { .. }
        | Event::Duplicate(_)
        | Event::Unsuback(_)
        | Event::Pingresp
        | Event::ProtocolError(_)
        | Event::Auth(_) => panic!("unexpected: {event:?}"),
    }
}
