//! MQTT 3.1.1 packets and their bytes.

use squall_protocol::packet::{
    AckProperties, Connack, ConnackProperties, Connect, ConnectProperties, Disconnect, Packet,
    Puback, Pubcomp, Publish, PublishProperties, Pubrec, Pubrel, Suback, Subscribe,
    SubscribeProperties, Subscription, SubscriptionOptions, UndecodedFilters, Unsuback,
    Unsubscribe, Will, WillProperties,
};
use squall_protocol::{QoS, ReasonCode, Version};

use crate::vectors::Vector;
use crate::wire::{filter, id, name};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = connect_vectors();
    vectors.extend(connack_vectors());
    vectors.extend(publish_vectors());
    vectors.extend(subscription_vectors());
    vectors.extend(end_vectors());
    vectors
}

fn vector(name: &'static str, packet: Packet<'static>, bytes: &'static [u8]) -> Vector {
    Vector {
        name,
        version: Version::V3_1_1,
        packet,
        bytes,
    }
}

fn connect_vectors() -> Vec<Vector> {
    let plain = Connect {
        version: Version::V3_1_1,
        clean_start: true,
        keep_alive: 10,
        client_id: "p".to_owned(),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    };
    let full = Connect {
        clean_start: false,
        keep_alive: 600,
        client_id: String::new(),
        will: Some(Will {
            topic: name("will/t").to_stored(),
            payload: vec![0, 255],
            qos: QoS::ExactlyOnce,
            retain: true,
            properties: WillProperties::default(),
        }),
        user_name: Some("user".to_owned()),
        password: Some(b"\x00pw".to_vec()),
        ..plain.clone()
    };
    vec![
        vector(
            "CONNECT, clean session",
            Packet::Connect(Box::new(plain)),
            b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01p",
        ),
        vector(
            "CONNECT with everything",
            Packet::Connect(Box::new(full)),
            b"\x10\x23\x00\x04MQTT\x04\xf4\x02\x58\x00\x00\
              \x00\x06will/t\x00\x02\x00\xff\x00\x04user\x00\x03\x00pw",
        ),
    ]
}

fn connack_vectors() -> Vec<Vector> {
    let connack = |session_present, reason| {
        Packet::Connack(Box::new(Connack {
            session_present,
            reason,
            properties: ConnackProperties::default(),
        }))
    };
    vec![
        vector(
            "CONNACK, accepted",
            connack(false, ReasonCode::Success),
            b"\x20\x02\x00\x00",
        ),
        vector(
            "CONNACK, session present",
            connack(true, ReasonCode::Success),
            b"\x20\x02\x01\x00",
        ),
        vector(
            "CONNACK, protocol version",
            connack(false, ReasonCode::UnsupportedProtocolVersion),
            b"\x20\x02\x00\x01",
        ),
        vector(
            "CONNACK, identifier",
            connack(false, ReasonCode::ClientIdentifierNotValid),
            b"\x20\x02\x00\x02",
        ),
        vector(
            "CONNACK, unavailable",
            connack(false, ReasonCode::ServerUnavailable),
            b"\x20\x02\x00\x03",
        ),
        vector(
            "CONNACK, user name or password",
            connack(false, ReasonCode::BadUserNameOrPassword),
            b"\x20\x02\x00\x04",
        ),
        vector(
            "CONNACK, not authorized",
            connack(false, ReasonCode::NotAuthorized),
            b"\x20\x02\x00\x05",
        ),
    ]
}

fn publish_vectors() -> Vec<Vector> {
    let publish = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: name("a/b"),
        packet_id: None,
        properties: PublishProperties::default(),
        payload: b"hi",
    };
    vec![
        vector(
            "PUBLISH, QoS 0",
            Packet::Publish(publish.clone()),
            b"\x30\x07\x00\x03a/bhi",
        ),
        vector(
            "PUBLISH, QoS 1, retained, empty",
            Packet::Publish(Publish {
                qos: QoS::AtLeastOnce,
                retain: true,
                packet_id: Some(id(10)),
                payload: b"",
                ..publish.clone()
            }),
            b"\x33\x07\x00\x03a/b\x00\x0a",
        ),
        vector(
            "PUBLISH, QoS 2, dup",
            Packet::Publish(Publish {
                dup: true,
                qos: QoS::ExactlyOnce,
                packet_id: Some(id(65_535)),
                ..publish
            }),
            b"\x3c\x09\x00\x03a/b\xff\xffhi",
        ),
        vector(
            "PUBACK",
            Packet::Puback(Puback::new(id(0x1234), ReasonCode::Success)),
            b"\x40\x02\x12\x34",
        ),
        vector(
            "PUBREC",
            Packet::Pubrec(Pubrec::new(id(1), ReasonCode::Success)),
            b"\x50\x02\x00\x01",
        ),
        vector(
            "PUBREL",
            Packet::Pubrel(Pubrel::new(id(1), ReasonCode::Success)),
            b"\x62\x02\x00\x01",
        ),
        vector(
            "PUBCOMP",
            Packet::Pubcomp(Pubcomp::new(id(1), ReasonCode::Success)),
            b"\x70\x02\x00\x01",
        ),
    ]
}

fn subscription_vectors() -> Vec<Vector> {
    let subscription = |text, qos| Subscription {
        filter: Ok(filter(text)),
        options: SubscriptionOptions {
            qos,
            ..SubscriptionOptions::default()
        },
    };
    vec![
        vector(
            "SUBSCRIBE",
            Packet::Subscribe(Subscribe {
                id: id(10),
                properties: SubscribeProperties::default(),
                subscriptions: vec![
                    subscription("a/b", QoS::AtLeastOnce),
                    subscription("c/+/#", QoS::ExactlyOnce),
                ],
                rest: UndecodedFilters::default(),
            }),
            b"\x82\x10\x00\x0a\x00\x03a/b\x01\x00\x05c/+/#\x02",
        ),
        vector(
            "SUBACK",
            Packet::Suback(Suback {
                id: id(10),
                properties: AckProperties::default(),
                reasons: vec![
                    ReasonCode::Success,
                    ReasonCode::GrantedQoS1,
                    ReasonCode::GrantedQoS2,
                    ReasonCode::UnspecifiedError,
                ],
            }),
            b"\x90\x06\x00\x0a\x00\x01\x02\x80",
        ),
        vector(
            "UNSUBSCRIBE",
            Packet::Unsubscribe(Unsubscribe {
                id: id(10),
                user_properties: Vec::new(),
                filters: vec![Ok(filter("a/b")), Ok(filter("#"))],
                rest: UndecodedFilters::default(),
            }),
            b"\xa2\x0a\x00\x0a\x00\x03a/b\x00\x01#",
        ),
        vector(
            "UNSUBACK",
            Packet::Unsuback(Unsuback {
                id: id(10),
                properties: AckProperties::default(),
                reasons: Vec::new(),
            }),
            b"\xb0\x02\x00\x0a",
        ),
    ]
}

fn end_vectors() -> Vec<Vector> {
    vec![
        vector("PINGREQ", Packet::Pingreq, b"\xc0\x00"),
        vector("PINGRESP", Packet::Pingresp, b"\xd0\x00"),
        vector(
            "DISCONNECT",
            Packet::Disconnect(Disconnect::default()),
            b"\xe0\x00",
        ),
    ]
}
