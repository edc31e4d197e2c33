//! Packets of clients, with what most tests want as defaults.

use squall_protocol::packet::{
    Connect, ConnectProperties, Disconnect, DisconnectProperties, Packet, Puback, Pubcomp, Publish,
    PublishProperties, Pubrec, Pubrel, RetainHandling, Subscribe, SubscribeProperties,
    Subscription, SubscriptionIdentifier, SubscriptionOptions, UndecodedFilters, Unsubscribe, Will,
    WillProperties,
};
use squall_protocol::topic::{TopicFilter, TopicName};
use squall_protocol::{PacketId, QoS, ReasonCode, Version};

pub(crate) const QOS0: QoS = QoS::AtMostOnce;
pub(crate) const QOS1: QoS = QoS::AtLeastOnce;
pub(crate) const QOS2: QoS = QoS::ExactlyOnce;

/// Seconds of a Session that outlives every test.
pub(crate) const LONG: u32 = 1_000_000;

pub(crate) fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

/// CONNECT of 3.1.1 with Clean Session 1.
pub(crate) fn v4(client_id: &str) -> Connect {
    Connect {
        version: Version::V3_1_1,
        ..v5(client_id)
    }
}

/// CONNECT of 3.1.1 with Clean Session 0.
pub(crate) fn v4_kept(client_id: &str) -> Connect {
    Connect {
        clean_start: false,
        ..v4(client_id)
    }
}

/// CONNECT of 5.0 with Clean Start 1 and a Session that ends with the connection.
pub(crate) fn v5(client_id: &str) -> Connect {
    Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive: 0,
        client_id: client_id.to_owned(),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    }
}

/// CONNECT of 5.0 with Clean Start 0 and a Session that is kept.
pub(crate) fn v5_kept(client_id: &str) -> Connect {
    Connect {
        clean_start: false,
        properties: ConnectProperties {
            session_expiry_interval: Some(LONG),
            ..ConnectProperties::default()
        },
        ..v5(client_id)
    }
}

/// Both versions with a Session that ends with the connection.
pub(crate) fn both(client_id: &str) -> [Connect; 2] {
    [v4(client_id), v5(client_id)]
}

/// Both versions with a Session that is kept.
pub(crate) fn both_kept(client_id: &str) -> [Connect; 2] {
    [v4_kept(client_id), v5_kept(client_id)]
}

/// A will of QoS 0 to `topic` with the payload `will`.
pub(crate) fn will(topic: &str) -> Will {
    Will {
        topic: TopicName::new(topic.into()).unwrap(),
        payload: b"will".to_vec(),
        qos: QOS0,
        retain: false,
        properties: WillProperties::default(),
    }
}

pub(crate) fn with_will(connect: Connect, will: Will) -> Connect {
    Connect {
        will: Some(will),
        ..connect
    }
}

/// A PUBLISH; its Packet Identifier is 1 if it needs one.
pub(crate) fn publish<'a>(topic: &'a str, qos: QoS, payload: &'a str) -> Publish<'a> {
    Publish {
        dup: false,
        qos,
        retain: false,
        topic: TopicName::new(topic).unwrap(),
        packet_id: (qos != QOS0).then(|| id(1)),
        properties: PublishProperties::default(),
        payload: payload.as_bytes(),
    }
}

/// A PUBLISH with a Packet Identifier.
pub(crate) fn numbered<'a>(packet_id: u16, publish: Publish<'a>) -> Packet<'a> {
    Packet::Publish(Publish {
        packet_id: Some(id(packet_id)),
        ..publish
    })
}

/// A PUBLISH with RETAIN.
pub(crate) fn retained<'a>(topic: &'a str, qos: QoS, payload: &'a str) -> Packet<'a> {
    Packet::Publish(Publish {
        retain: true,
        ..publish(topic, qos, payload)
    })
}

pub(crate) fn subscribe(subscriptions: &[(&str, QoS)]) -> Packet<'static> {
    let subscriptions = subscriptions.iter();
    subscribe_with(
        None,
        subscriptions
            .map(|&(filter, qos)| subscription(filter, options(qos)))
            .collect(),
    )
}

/// A SUBSCRIBE with a Subscription Identifier.
pub(crate) fn subscribe_with(
    identifier: Option<u32>,
    subscriptions: Vec<Subscription>,
) -> Packet<'static> {
    Packet::Subscribe(Subscribe {
        id: id(100),
        properties: SubscribeProperties {
            subscription_identifier: identifier.map(|i| SubscriptionIdentifier::new(i).unwrap()),
            user_properties: Vec::new(),
        },
        subscriptions,
        rest: UndecodedFilters::default(),
    })
}

pub(crate) fn subscription(filter: &str, options: SubscriptionOptions) -> Subscription {
    Subscription {
        filter: Ok(TopicFilter::new(filter.into()).unwrap()),
        options,
    }
}

pub(crate) fn options(qos: QoS) -> SubscriptionOptions {
    SubscriptionOptions {
        qos,
        ..SubscriptionOptions::default()
    }
}

pub(crate) fn no_local(qos: QoS) -> SubscriptionOptions {
    SubscriptionOptions {
        no_local: true,
        ..options(qos)
    }
}

pub(crate) fn retain_as_published(qos: QoS) -> SubscriptionOptions {
    SubscriptionOptions {
        retain_as_published: true,
        ..options(qos)
    }
}

pub(crate) fn retain_handling(retain_handling: RetainHandling) -> SubscriptionOptions {
    SubscriptionOptions {
        retain_handling,
        ..options(QOS1)
    }
}

pub(crate) fn unsubscribe(filters: &[&str]) -> Packet<'static> {
    let filters = filters.iter();
    Packet::Unsubscribe(Unsubscribe {
        id: id(101),
        user_properties: Vec::new(),
        filters: filters
            .map(|&filter| Ok(TopicFilter::new(filter.into()).unwrap()))
            .collect(),
        rest: UndecodedFilters::default(),
    })
}

pub(crate) fn puback(packet_id: PacketId) -> Packet<'static> {
    Packet::Puback(Puback::new(packet_id, ReasonCode::Success))
}

pub(crate) fn pubrec(packet_id: PacketId) -> Packet<'static> {
    Packet::Pubrec(Pubrec::new(packet_id, ReasonCode::Success))
}

pub(crate) fn pubrel(packet_id: PacketId) -> Packet<'static> {
    Packet::Pubrel(Pubrel::new(packet_id, ReasonCode::Success))
}

pub(crate) fn pubcomp(packet_id: PacketId) -> Packet<'static> {
    Packet::Pubcomp(Pubcomp::new(packet_id, ReasonCode::Success))
}

pub(crate) fn disconnect(reason: ReasonCode) -> Packet<'static> {
    Packet::Disconnect(Disconnect {
        reason,
        properties: DisconnectProperties::default(),
    })
}

/// DISCONNECT with Normal disconnection (0x00).
pub(crate) fn goodbye() -> Packet<'static> {
    disconnect(ReasonCode::Success)
}
