//! MQTT 5.0 packets and their bytes. Each is there with no property and with every property it
//! can have.

use squall_protocol::packet::{
    AckProperties, Auth, AuthProperties, Connack, ConnackProperties, Connect, ConnectProperties,
    Disconnect, DisconnectProperties, Packet, Puback, Pubcomp, Publish, PublishProperties, Pubrec,
    Pubrel, RetainHandling, Suback, Subscribe, SubscribeProperties, Subscription,
    SubscriptionIdentifier, SubscriptionOptions, UndecodedFilters, Unsuback, Unsubscribe,
    UserProperties, Will, WillProperties,
};
use squall_protocol::topic::TopicName;
use squall_protocol::{QoS, ReasonCode, Version};

use crate::vectors::Vector;
use crate::wire::{filter, id, name};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = connect_vectors();
    vectors.extend(connack_vectors());
    vectors.extend(publish_vectors());
    vectors.extend(acknowledgement_vectors());
    vectors.extend(subscribe_vectors());
    vectors.extend(unsubscribe_vectors());
    vectors.extend(end_vectors());
    vectors
}

fn vector(name: &'static str, packet: Packet<'static>, bytes: &'static [u8]) -> Vector {
    Vector {
        name,
        version: Version::V5,
        packet,
        bytes,
    }
}

fn user_properties() -> UserProperties {
    vec![("n".to_owned(), "v".to_owned())]
}

fn ack_properties() -> AckProperties {
    AckProperties {
        reason_string: Some("why".to_owned()),
        user_properties: user_properties(),
    }
}

#[expect(clippy::too_many_lines, reason = "packets are long, byte by byte")]
fn connect_vectors() -> Vec<Vector> {
    let plain = Connect {
        version: Version::V5,
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
        will: Some(Will {
            topic: name("w").to_stored(),
            payload: b"gone".to_vec(),
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: WillProperties {
                will_delay_interval: Some(5),
                payload_format_indicator: Some(true),
                message_expiry_interval: Some(60),
                content_type: Some("t".to_owned()),
                response_topic: Some("r".to_owned()),
                correlation_data: Some(vec![1, 2]),
                user_properties: user_properties(),
            },
        }),
        user_name: Some("u".to_owned()),
        password: Some(b"p".to_vec()),
        properties: ConnectProperties {
            session_expiry_interval: Some(0xFFFF_FFFF),
            receive_maximum: Some(20),
            maximum_packet_size: Some(1024),
            topic_alias_maximum: Some(8),
            request_response_information: Some(true),
            request_problem_information: Some(false),
            authentication_method: Some("m".to_owned()),
            authentication_data: Some(vec![9]),
            user_properties: user_properties(),
        },
        ..plain.clone()
    };
    let password_only = Connect {
        password: Some(b"token".to_vec()),
        ..plain.clone()
    };
    vec![
        vector(
            "CONNECT without properties",
            Packet::Connect(Box::new(plain)),
            b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x0a\x00\x00\x01p",
        ),
        vector(
            "CONNECT with every property",
            Packet::Connect(Box::new(full)),
            b"\x10\x61\x00\x04MQTT\x05\xcc\x00\x0a\
              \x23\x11\xff\xff\xff\xff\x21\x00\x14\x27\x00\x00\x04\x00\x22\x00\x08\x19\x01\x17\x00\
              \x15\x00\x01m\x16\x00\x01\x09\x26\x00\x01n\x00\x01v\
              \x00\x01p\
              \x20\x18\x00\x00\x00\x05\x01\x01\x02\x00\x00\x00\x3c\x03\x00\x01t\x08\x00\x01r\
              \x09\x00\x02\x01\x02\x26\x00\x01n\x00\x01v\
              \x00\x01w\x00\x04gone\x00\x01u\x00\x01p",
        ),
        vector(
            "CONNECT with a password only",
            Packet::Connect(Box::new(password_only)),
            b"\x10\x15\x00\x04MQTT\x05\x42\x00\x0a\x00\x00\x01p\x00\x05token",
        ),
    ]
}

fn connack_vectors() -> Vec<Vector> {
    let plain = Connack {
        session_present: true,
        reason: ReasonCode::Success,
        properties: ConnackProperties::default(),
    };
    let refused = Connack {
        session_present: false,
        reason: ReasonCode::BadUserNameOrPassword,
        properties: ConnackProperties::default(),
    };
    let full = Connack {
        session_present: false,
        reason: ReasonCode::Success,
        properties: ConnackProperties {
            session_expiry_interval: Some(1),
            receive_maximum: Some(2),
            maximum_qos: Some(QoS::AtLeastOnce),
            retain_available: Some(false),
            maximum_packet_size: Some(3),
            assigned_client_identifier: Some("id".to_owned()),
            topic_alias_maximum: Some(4),
            reason_string: Some("why".to_owned()),
            user_properties: user_properties(),
            wildcard_subscription_available: Some(true),
            subscription_identifiers_available: Some(false),
            shared_subscription_available: Some(true),
            server_keep_alive: Some(5),
            response_information: Some("r".to_owned()),
            server_reference: Some("s".to_owned()),
            authentication_method: Some("m".to_owned()),
            authentication_data: Some(vec![6]),
        },
    };
    vec![
        vector(
            "CONNACK without properties",
            Packet::Connack(Box::new(plain)),
            b"\x20\x03\x01\x00\x00",
        ),
        vector(
            "CONNACK, refused",
            Packet::Connack(Box::new(refused)),
            b"\x20\x03\x00\x86\x00",
        ),
        vector(
            "CONNACK with every property",
            Packet::Connack(Box::new(full)),
            b"\x20\x42\x00\x00\
              \x3f\x11\x00\x00\x00\x01\x21\x00\x02\x24\x01\x25\x00\x27\x00\x00\x00\x03\
              \x12\x00\x02id\x22\x00\x04\x1f\x00\x03why\x26\x00\x01n\x00\x01v\
              \x28\x01\x29\x00\x2a\x01\x13\x00\x05\x1a\x00\x01r\x1c\x00\x01s\
              \x15\x00\x01m\x16\x00\x01\x06",
        ),
    ]
}

fn publish_vectors() -> Vec<Vector> {
    let plain = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: name("a/b"),
        packet_id: None,
        properties: PublishProperties::default(),
        payload: b"hi",
    };
    let full = Publish {
        dup: true,
        qos: QoS::AtLeastOnce,
        retain: true,
        packet_id: Some(id(10)),
        properties: PublishProperties {
            payload_format_indicator: Some(true),
            message_expiry_interval: Some(60),
            topic_alias: Some(3),
            response_topic: Some("r"),
            correlation_data: Some(b"\x01\x02"),
            user_properties: vec![("n", "v"), ("n", "")],
            subscription_identifiers: vec![
                SubscriptionIdentifier::new(1).expect("in range"),
                SubscriptionIdentifier::new(268_435_455).expect("in range"),
            ],
            content_type: Some("t"),
        },
        ..plain.clone()
    };
    let aliased = Publish {
        topic: TopicName::ALIASED,
        properties: PublishProperties {
            topic_alias: Some(65_535),
            ..PublishProperties::default()
        },
        ..plain.clone()
    };
    vec![
        vector(
            "PUBLISH without properties",
            Packet::Publish(plain),
            b"\x30\x08\x00\x03a/b\x00hi",
        ),
        vector(
            "PUBLISH with every property",
            Packet::Publish(full),
            b"\x3b\x35\x00\x03a/b\x00\x0a\
              \x2b\x01\x01\x02\x00\x00\x00\x3c\x23\x00\x03\x08\x00\x01r\x09\x00\x02\x01\x02\
              \x26\x00\x01n\x00\x01v\x26\x00\x01n\x00\x00\x0b\x01\x0b\xff\xff\xff\x7f\
              \x03\x00\x01thi",
        ),
        vector(
            "PUBLISH with an alias for its topic",
            Packet::Publish(aliased),
            b"\x30\x08\x00\x00\x03\x23\xff\xffhi",
        ),
    ]
}

fn acknowledgement_vectors() -> Vec<Vector> {
    vec![
        vector(
            "PUBACK, success",
            Packet::Puback(Puback::new(id(0x1234), ReasonCode::Success)),
            b"\x40\x02\x12\x34",
        ),
        vector(
            "PUBACK, no matching subscribers",
            Packet::Puback(Puback::new(id(1), ReasonCode::NoMatchingSubscribers)),
            b"\x40\x03\x00\x01\x10",
        ),
        vector(
            "PUBACK with properties",
            Packet::Puback(Puback {
                id: id(1),
                reason: ReasonCode::QuotaExceeded,
                properties: ack_properties(),
            }),
            b"\x40\x11\x00\x01\x97\x0d\x1f\x00\x03why\x26\x00\x01n\x00\x01v",
        ),
        vector(
            "PUBREC, success",
            Packet::Pubrec(Pubrec::new(id(1), ReasonCode::Success)),
            b"\x50\x02\x00\x01",
        ),
        vector(
            "PUBREC with properties",
            Packet::Pubrec(Pubrec {
                id: id(1),
                reason: ReasonCode::NotAuthorized,
                properties: ack_properties(),
            }),
            b"\x50\x11\x00\x01\x87\x0d\x1f\x00\x03why\x26\x00\x01n\x00\x01v",
        ),
        vector(
            "PUBREL, success",
            Packet::Pubrel(Pubrel::new(id(1), ReasonCode::Success)),
            b"\x62\x02\x00\x01",
        ),
        vector(
            "PUBREL with properties",
            Packet::Pubrel(Pubrel {
                id: id(1),
                reason: ReasonCode::PacketIdentifierNotFound,
                properties: ack_properties(),
            }),
            b"\x62\x11\x00\x01\x92\x0d\x1f\x00\x03why\x26\x00\x01n\x00\x01v",
        ),
        vector(
            "PUBCOMP, success",
            Packet::Pubcomp(Pubcomp::new(id(1), ReasonCode::Success)),
            b"\x70\x02\x00\x01",
        ),
        vector(
            "PUBCOMP, not found",
            Packet::Pubcomp(Pubcomp::new(id(1), ReasonCode::PacketIdentifierNotFound)),
            b"\x70\x03\x00\x01\x92",
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "packets are long, byte by byte")]
fn subscribe_vectors() -> Vec<Vector> {
    let options = SubscriptionOptions {
        qos: QoS::ExactlyOnce,
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::DoNotSend,
    };
    let subscription = |text, options| Subscription {
        filter: Ok(filter(text)),
        options,
    };
    vec![
        vector(
            "SUBSCRIBE without properties",
            Packet::Subscribe(Subscribe {
                id: id(10),
                properties: SubscribeProperties::default(),
                subscriptions: vec![subscription("a/b", SubscriptionOptions::default())],
                rest: UndecodedFilters::default(),
            }),
            b"\x82\x09\x00\x0a\x00\x00\x03a/b\x00",
        ),
        vector(
            "SUBSCRIBE with every property and option",
            Packet::Subscribe(Subscribe {
                id: id(10),
                properties: SubscribeProperties {
                    subscription_identifier: SubscriptionIdentifier::new(128),
                    user_properties: user_properties(),
                },
                subscriptions: vec![
                    subscription("+", options),
                    subscription(
                        "$share/g/#",
                        SubscriptionOptions {
                            qos: QoS::AtLeastOnce,
                            retain_handling: RetainHandling::SendIfNew,
                            ..SubscriptionOptions::default()
                        },
                    ),
                ],
                rest: UndecodedFilters::default(),
            }),
            b"\x82\x1e\x00\x0a\x0a\x0b\x80\x01\x26\x00\x01n\x00\x01v\
              \x00\x01+\x2e\x00\x0a$share/g/#\x11",
        ),
        vector(
            "SUBACK without properties",
            Packet::Suback(Suback {
                id: id(10),
                properties: AckProperties::default(),
                reasons: vec![ReasonCode::GrantedQoS2, ReasonCode::TopicFilterInvalid],
            }),
            b"\x90\x05\x00\x0a\x00\x02\x8f",
        ),
        vector(
            "SUBACK with properties",
            Packet::Suback(Suback {
                id: id(10),
                properties: ack_properties(),
                reasons: vec![ReasonCode::Success],
            }),
            b"\x90\x11\x00\x0a\x0d\x1f\x00\x03why\x26\x00\x01n\x00\x01v\x00",
        ),
    ]
}

fn unsubscribe_vectors() -> Vec<Vector> {
    let filters = vec![Ok(filter("a/b"))];
    vec![
        vector(
            "UNSUBSCRIBE without properties",
            Packet::Unsubscribe(Unsubscribe {
                id: id(10),
                user_properties: Vec::new(),
                filters: filters.clone(),
                rest: UndecodedFilters::default(),
            }),
            b"\xa2\x08\x00\x0a\x00\x00\x03a/b",
        ),
        vector(
            "UNSUBSCRIBE with a property",
            Packet::Unsubscribe(Unsubscribe {
                id: id(10),
                user_properties: user_properties(),
                filters,
                rest: UndecodedFilters::default(),
            }),
            b"\xa2\x0f\x00\x0a\x07\x26\x00\x01n\x00\x01v\x00\x03a/b",
        ),
        vector(
            "UNSUBACK",
            Packet::Unsuback(Unsuback {
                id: id(10),
                properties: AckProperties::default(),
                reasons: vec![ReasonCode::Success, ReasonCode::NoSubscriptionExisted],
            }),
            b"\xb0\x05\x00\x0a\x00\x00\x11",
        ),
    ]
}

fn end_vectors() -> Vec<Vector> {
    vec![
        vector("PINGREQ", Packet::Pingreq, b"\xc0\x00"),
        vector("PINGRESP", Packet::Pingresp, b"\xd0\x00"),
        vector(
            "DISCONNECT, normal",
            Packet::Disconnect(Disconnect::default()),
            b"\xe0\x00",
        ),
        vector(
            "DISCONNECT with a reason",
            Packet::Disconnect(Disconnect {
                reason: ReasonCode::SessionTakenOver,
                properties: DisconnectProperties::default(),
            }),
            b"\xe0\x01\x8e",
        ),
        vector(
            "DISCONNECT with every property",
            Packet::Disconnect(Disconnect {
                reason: ReasonCode::Success,
                properties: DisconnectProperties {
                    session_expiry_interval: Some(7),
                    reason_string: Some("why".to_owned()),
                    user_properties: user_properties(),
                    server_reference: Some("s".to_owned()),
                },
            }),
            b"\xe0\x18\x00\x16\x11\x00\x00\x00\x07\x1f\x00\x03why\
              \x26\x00\x01n\x00\x01v\x1c\x00\x01s",
        ),
        vector("AUTH, success", Packet::Auth(Auth::default()), b"\xf0\x00"),
        vector(
            "AUTH with every property",
            Packet::Auth(Auth {
                reason: ReasonCode::ContinueAuthentication,
                properties: AuthProperties {
                    authentication_method: Some("m".to_owned()),
                    authentication_data: Some(vec![1]),
                    reason_string: Some("why".to_owned()),
                    user_properties: user_properties(),
                },
            }),
            b"\xf0\x17\x18\x15\x15\x00\x01m\x16\x00\x01\x01\x1f\x00\x03why\
              \x26\x00\x01n\x00\x01v",
        ),
    ]
}
