//! A client among packets in any order, its own actions in any order, and connections that end
//! at any moment: it must not panic, and must say nothing once its connection is over.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use squall_protocol::client::{Answers, Client, Event, Message, Settings, UnexpectedSession};
use squall_protocol::codec::{DecodeRules, PACKET_BYTES_MAX, PacketReader, encode};
use squall_protocol::packet::{
    AckProperties, Connack, ConnackProperties, Connect, ConnectProperties, Disconnect, Packet,
    Puback, Pubcomp, Publish, PublishProperties, Pubrec, Pubrel, Suback, SubscribeProperties,
    Subscription, SubscriptionOptions,
};
use squall_protocol::topic::{TopicFilter, TopicName};
use squall_protocol::{Instant, PacketId, QoS, ReasonCode, Version};

#[derive(Debug)]
struct Empty(QoS);

impl Message for Empty {
    fn publish(&self) -> Publish<'_> {
        incoming(self.0, None, None)
    }
}

fn incoming(qos: QoS, packet_id: Option<PacketId>, topic_alias: Option<u16>) -> Publish<'static> {
    Publish {
        dup: false,
        qos,
        retain: false,
        topic: TopicName::new("t").expect("valid"),
        packet_id,
        properties: PublishProperties {
            topic_alias,
            ..PublishProperties::default()
        },
        payload: b"",
    }
}

#[derive(Clone, Debug)]
enum Action {
    Receive(Packet<'static>),
    Connect { clean_start: bool },
    Publish(QoS),
    Subscribe,
    Retransmit(PacketId),
    Puback(PacketId, ReasonCode),
    Pubrec(PacketId, ReasonCode),
    Pubrel(PacketId),
    Pubcomp(PacketId),
    Timeout,
    Lost,
    Displace,
    Disconnect,
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1_u16..6).prop_filter_map("not 0", PacketId::new)
}

fn qos() -> impl Strategy<Value = QoS> {
    (0_u8..3).prop_filter_map("0 to 2", QoS::from_bits)
}

fn reason() -> impl Strategy<Value = ReasonCode> {
    prop_oneof![
        5 => Just(ReasonCode::Success),
        1 => Just(ReasonCode::NoMatchingSubscribers),
        1 => Just(ReasonCode::QuotaExceeded),
    ]
}

fn connack() -> impl Strategy<Value = Packet<'static>> {
    let limits = (
        any::<bool>(),
        1_u16..4,
        prop::option::of(6_u32..12),
        reason(),
    );
    limits.prop_map(
        |(session_present, receive_maximum, maximum_packet_size, reason)| {
            let is_refused = reason.is_error();
            Packet::Connack(Box::new(Connack {
                session_present: session_present && !is_refused,
                reason: if is_refused {
                    reason
                } else {
                    ReasonCode::Success
                },
                properties: ConnackProperties {
                    receive_maximum: Some(receive_maximum),
                    maximum_packet_size,
                    topic_alias_maximum: Some(1),
                    ..ConnackProperties::default()
                },
            }))
        },
    )
}

fn packet() -> impl Strategy<Value = Packet<'static>> {
    prop_oneof![
        2 => connack(),
        4 => (qos(), packet_id(), prop::option::of(1_u16..3)).prop_map(|(qos, id, alias)| {
            let id = (qos != QoS::AtMostOnce).then_some(id);
            Packet::Publish(incoming(qos, id, alias))
        }),
        3 => (packet_id(), reason()).prop_map(|(id, r)| Packet::Puback(Puback::new(id, r))),
        4 => (packet_id(), reason()).prop_map(|(id, r)| Packet::Pubrec(Pubrec::new(id, r))),
        3 => packet_id().prop_map(|id| Packet::Pubrel(Pubrel::new(id, ReasonCode::Success))),
        3 => packet_id().prop_map(|id| Packet::Pubcomp(Pubcomp::new(id, ReasonCode::Success))),
        1 => packet_id().prop_map(|id| Packet::Suback(Suback {
            id,
            properties: AckProperties::default(),
            reasons: vec![ReasonCode::Success],
        })),
        1 => Just(Packet::Pingresp),
        1 => Just(Packet::Disconnect(Disconnect::default())),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        20 => packet().prop_map(Action::Receive),
        3 => any::<bool>().prop_map(|clean_start| Action::Connect { clean_start }),
        9 => qos().prop_map(Action::Publish),
        1 => Just(Action::Subscribe),
        1 => packet_id().prop_map(Action::Retransmit),
        1 => (packet_id(), reason()).prop_map(|(id, reason)| Action::Puback(id, reason)),
        1 => (packet_id(), reason()).prop_map(|(id, reason)| Action::Pubrec(id, reason)),
        1 => packet_id().prop_map(Action::Pubrel),
        1 => packet_id().prop_map(Action::Pubcomp),
        1 => Just(Action::Timeout),
        1 => Just(Action::Lost),
        1 => Just(Action::Displace),
        1 => Just(Action::Disconnect),
    ]
}

fn connect_packet(clean_start: bool) -> Connect {
    Connect {
        version: Version::V5,
        clean_start,
        keep_alive: 1,
        client_id: "c".to_owned(),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties {
            session_expiry_interval: Some(60),
            receive_maximum: Some(3),
            topic_alias_maximum: Some(1),
            ..ConnectProperties::default()
        },
    }
}

fn apply(client: &mut Client<Empty>, now: Instant, action: Action) {
    match action {
        Action::Receive(packet) => receive(client, now, &packet),
        Action::Connect { clean_start } => client.connect(now, &connect_packet(clean_start)),
        Action::Publish(qos) => drop(client.publish(now, Empty(qos))),
        Action::Subscribe => {
            let subscription = Subscription {
                filter: Ok(TopicFilter::new("t".into()).expect("valid")),
                options: SubscriptionOptions::default(),
            };
            let properties = SubscribeProperties::default();
            let _ = client.subscribe(now, properties, vec![subscription]);
        }
        Action::Retransmit(id) => drop(client.retransmit(now, id)),
        Action::Puback(id, reason) => drop(client.send_puback(now, id, reason)),
        Action::Pubrec(id, reason) => drop(client.send_pubrec(now, id, reason)),
        Action::Pubrel(id) => drop(client.send_pubrel(now, id)),
        Action::Pubcomp(id) => drop(client.send_pubcomp(now, id)),
        Action::Timeout => drop(client.handle_timeout(now)),
        Action::Lost => client.connection_lost(),
        Action::Displace => drop(client.displace()),
        Action::Disconnect => drop(client.disconnect(now, &Disconnect::default())),
    }
}

fn receive(client: &mut Client<Empty>, now: Instant, packet: &Packet<'_>) {
    let mut bytes = Vec::new();
    encode(packet, Version::V5, &mut bytes);
    let mut input = bytes.as_slice();
    let mut is_over = false;
    while let Some(event) = client.poll_event(now, &mut input) {
        assert!(!is_over, "an event after the end: {event:?}");
        is_over = matches!(
            event,
            Event::Refused(_) | Event::ServerDisconnect(_) | Event::ProtocolError(_)
        );
    }
    assert!(input.is_empty());
    assert!(!(is_over && client.is_connected()));
}

/// Identifiers of the PUBLISH packets in `bytes`.
fn published(bytes: &[u8]) -> Vec<PacketId> {
    let mut reader = PacketReader::new();
    let rules = DecodeRules {
        version: Some(Version::V5),
        maximum_packet_size: PACKET_BYTES_MAX,
    };
    let mut input = bytes;
    let mut ids = Vec::new();
    while let Some(packet) = reader.poll_packet(&mut input, &rules).expect("well formed") {
        if let Packet::Publish(publish) = packet {
            ids.extend(publish.packet_id);
        }
    }
    ids
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever comes, the client sends nothing after the end [MQTT-3.14.4-1] and no more
    /// messages than the server allows [MQTT-3.3.4-7].
    #[test]
    fn a_client_survives_any_packets_and_is_silent_after_the_end(
        manual in any::<bool>(),
        actions in prop::collection::vec(action(), 1..150),
    ) {
        let mut client = Client::new(Settings {
            answers: if manual { Answers::Manual } else { Answers::Automatic },
            unexpected_session: UnexpectedSession::Accept,
            topic_aliases_max: 1,
            ..Settings::default()
        });
        let mut now = Instant::ZERO;
        let mut sent = Vec::new();
        let mut unacknowledged = BTreeSet::new();
        let mut receive_maximum = 0;
        for action in actions {
            now += Duration::from_millis(400);
            let is_over_before = !client.is_connected() && client.poll_timeout().is_none();
            let begins = matches!(action, Action::Connect { .. });
            if let Action::Receive(Packet::Connack(connack)) = &action
                && !client.is_connected()
            {
                receive_maximum = connack.properties.receive_maximum.unwrap_or(u16::MAX);
            }
            sent.clear();
            apply(&mut client, now, action);
            client.poll_transmit(&mut sent);
            prop_assert!(!is_over_before || begins || sent.is_empty(), "spoke after the end");
            if !client.is_connected() {
                unacknowledged.clear();
                continue;
            }
            unacknowledged.extend(published(&sent));
            unacknowledged.retain(|&id| client.outbound().awaiting(id).is_some());
            prop_assert!(unacknowledged.len() <= usize::from(receive_maximum));
        }
    }
}
