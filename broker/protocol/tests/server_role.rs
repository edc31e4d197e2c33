//! One test per rule of the server's role.

use std::time::Duration;

use squall_protocol::packet::{
    AckProperties, Auth, AuthProperties, Connack, ConnackProperties, Connect, ConnectProperties,
    Disconnect, DisconnectProperties, Packet, PacketType, Publish, PublishProperties, Suback,
    SubscriptionIdentifier,
};
use squall_protocol::server::{Connection, Settings, State, TimedOut};
use squall_protocol::topic::TopicName;
use squall_protocol::{Instant, PacketId, ProtocolError, QoS, ReasonCode, Version};

const SETTINGS: Settings = Settings {
    connect_timeout: Duration::from_secs(10),
    connect_size_max: 1024,
    maximum_packet_size: 65_536,
    topic_alias_maximum: 4,
};

fn seconds(value: f64) -> Instant {
    Instant::ZERO + Duration::from_secs_f64(value)
}

fn connect(properties: ConnectProperties) -> Connect {
    Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive: 4,
        client_id: "a".to_owned(),
        will: None,
        user_name: None,
        password: None,
        properties,
    }
}

fn connack(server_keep_alive: Option<u16>) -> Connack {
    Connack {
        session_present: false,
        reason: ReasonCode::Success,
        properties: ConnackProperties {
            server_keep_alive,
            ..ConnackProperties::default()
        },
    }
}

fn with_method() -> ConnectProperties {
    ConnectProperties {
        authentication_method: Some("m".to_owned()),
        ..ConnectProperties::default()
    }
}

/// CONNECT came at 1 s and CONNACK was sent at 2 s.
fn connected(properties: ConnectProperties) -> Connection {
    let mut connection = Connection::new(Instant::ZERO, &SETTINGS);
    let mut connect = Packet::Connect(Box::new(connect(properties)));
    connection
        .handle_packet(seconds(1.0), &mut connect)
        .expect("CONNECT comes first");
    connection.accept(seconds(2.0), &connack(None));
    connection
}

fn publish<'a>(topic: TopicName<&'a str>, properties: PublishProperties<'a>) -> Packet<'a> {
    Packet::Publish(Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic,
        packet_id: None,
        properties,
        payload: b"",
    })
}

fn aliased(topic: &str, alias: u16) -> Packet<'_> {
    let topic = TopicName::new(topic).unwrap_or(TopicName::ALIASED);
    let properties = PublishProperties {
        topic_alias: Some(alias),
        ..PublishProperties::default()
    };
    publish(topic, properties)
}

fn auth(reason: ReasonCode) -> Packet<'static> {
    Packet::Auth(Auth {
        reason,
        properties: AuthProperties::default(),
    })
}

/// What the connection says to `packet`, which must then be its last.
fn refusal(mut connection: Connection, packet: Packet<'_>) -> ProtocolError {
    let mut packet = packet;
    let now = seconds(3.0);
    let error = connection
        .handle_packet(now, &mut packet)
        .expect_err("must be refused");
    assert_eq!(connection.state(), State::Closing);
    assert_eq!(connection.deadline(), None);
    let next = connection
        .handle_packet(now, &mut Packet::Pingreq)
        .expect_err("it is over");
    let packet = PacketType::Pingreq;
    assert_eq!(next, ProtocolError::AfterDisconnect { packet });
    error
}

/// The first packet must be CONNECT [MQTT-3.1.0-1].
#[test]
fn a_first_packet_other_than_connect_is_refused() {
    let connection = Connection::new(Instant::ZERO, &SETTINGS);

    let error = refusal(connection, Packet::Pingreq);

    let packet = PacketType::Pingreq;
    assert_eq!(error, ProtocolError::ConnectExpected { packet });
}

/// A second CONNECT is a protocol error [MQTT-3.1.0-2], also before CONNACK.
#[test]
fn a_second_connect_is_refused() {
    let mut before_connack = Connection::new(Instant::ZERO, &SETTINGS);
    let connect = Packet::Connect(Box::new(connect(ConnectProperties::default())));
    before_connack
        .handle_packet(seconds(1.0), &mut connect.clone())
        .unwrap();
    let after_connack = connected(ConnectProperties::default());

    let errors = [before_connack, after_connack].map(|c| refusal(c, connect.clone()));

    assert_eq!(errors, [ProtocolError::SecondConnect; 2]);
}

/// A client does not send what only servers send (§2.1.2).
#[test]
fn packets_of_a_server_are_refused() {
    let suback = Suback {
        id: PacketId::new(1).unwrap(),
        properties: AckProperties::default(),
        reasons: vec![ReasonCode::Success],
    };
    let packets = [
        Packet::Connack(Box::new(connack(None))),
        Packet::Suback(suback),
        Packet::Pingresp,
    ];
    for packet in packets {
        let expected = ProtocolError::NotFromClient {
            packet: packet.packet_type(),
        };

        let error = refusal(connected(ConnectProperties::default()), packet);

        assert_eq!(error, expected);
    }
}

/// Nothing comes after DISCONNECT [MQTT-3.14.4-1].
#[test]
fn a_packet_after_disconnect_is_refused() {
    let mut connection = connected(ConnectProperties::default());
    let mut disconnect = Packet::Disconnect(Disconnect::default());
    connection
        .handle_packet(seconds(3.0), &mut disconnect)
        .unwrap();

    let error = refusal(connection, Packet::Pingreq);

    let packet = PacketType::Pingreq;
    assert_eq!(error, ProtocolError::AfterDisconnect { packet });
}

/// Subscription Identifiers come from the server only [MQTT-3.3.4-6].
#[test]
fn a_subscription_identifier_from_a_client_is_refused() {
    let properties = PublishProperties {
        subscription_identifiers: vec![SubscriptionIdentifier::new(1).unwrap()],
        ..PublishProperties::default()
    };
    let publish = publish(TopicName::new("a").unwrap(), properties);

    let error = refusal(connected(ConnectProperties::default()), publish);

    assert_eq!(error, ProtocolError::SubscriptionIdentifierFromClient);
    assert_eq!(error.reason(), ReasonCode::ProtocolError);
}

/// A PUBLISH with an alias alone comes back with its name (§3.3.2.3.4).
#[test]
fn a_topic_alias_is_resolved() {
    let mut connection = connected(ConnectProperties::default());
    let now = seconds(3.0);
    connection
        .handle_packet(now, &mut aliased("a/b", 4))
        .unwrap();

    let mut packet = aliased("", 4);
    connection.handle_packet(now, &mut packet).unwrap();

    let Packet::Publish(publish) = packet else {
        panic!("not a PUBLISH: {packet:?}");
    };
    assert_eq!(publish.topic.as_str(), "a/b");
}

/// An alias above the maximum ends the connection with 0x94 (§3.3.2.3.4).
#[test]
fn a_topic_alias_above_the_maximum_is_refused() {
    let error = refusal(connected(ConnectProperties::default()), aliased("a", 5));

    assert_eq!(error.reason(), ReasonCode::TopicAliasInvalid);
}

/// AUTH needs an authentication method in CONNECT [MQTT-4.12.0-7].
#[test]
fn auth_without_a_method_is_refused() {
    let connection = connected(ConnectProperties::default());

    let error = refusal(connection, auth(ReasonCode::ReAuthenticate));

    assert_eq!(error, ProtocolError::AuthWithoutMethod);
}

/// Until CONNACK a client that authenticates sends AUTH and DISCONNECT only [MQTT-3.1.2-30].
#[test]
fn only_auth_may_come_during_authentication() {
    let mut connection = Connection::new(Instant::ZERO, &SETTINGS);
    let mut connect = Packet::Connect(Box::new(connect(with_method())));
    connection
        .handle_packet(seconds(1.0), &mut connect)
        .unwrap();
    let mut step = auth(ReasonCode::ContinueAuthentication);
    assert!(connection.handle_packet(seconds(1.0), &mut step).is_ok());

    let error = refusal(connection, Packet::Pingreq);

    let packet = PacketType::Pingreq;
    assert_eq!(error, ProtocolError::DuringAuthentication { packet });
}

/// A client starts re-authentication after CONNACK and reports no success (§3.15.2.1).
#[test]
fn auth_with_the_reason_of_a_server_is_refused() {
    let mut connection = connected(with_method());
    let mut again = auth(ReasonCode::ReAuthenticate);
    assert!(connection.handle_packet(seconds(3.0), &mut again).is_ok());

    let error = refusal(connection, auth(ReasonCode::Success));

    let reason = ReasonCode::Success;
    assert_eq!(error, ProtocolError::AuthReason { reason });
}

/// A Session that ends with its connection cannot be prolonged by DISCONNECT (§3.14.2.2.2).
#[test]
fn disconnect_cannot_raise_a_session_expiry_of_0() {
    let disconnect = |seconds| {
        Packet::Disconnect(Disconnect {
            reason: ReasonCode::Success,
            properties: DisconnectProperties {
                session_expiry_interval: Some(seconds),
                ..DisconnectProperties::default()
            },
        })
    };
    let persistent = ConnectProperties {
        session_expiry_interval: Some(60),
        ..ConnectProperties::default()
    };

    let error = refusal(connected(ConnectProperties::default()), disconnect(5));
    let allowed = [
        (connected(ConnectProperties::default()), disconnect(0)),
        (connected(persistent), disconnect(5)),
    ];

    assert_eq!(error, ProtocolError::SessionExpiryFromZero { seconds: 5 });
    for (mut connection, mut disconnect) in allowed {
        assert!(
            connection
                .handle_packet(seconds(3.0), &mut disconnect)
                .is_ok()
        );
    }
}

/// A connection without CONNECT is closed after a while (§3.1.4).
#[test]
fn connect_must_come_before_the_connect_timeout() {
    let mut connection = Connection::new(seconds(1.0), &SETTINGS);
    assert_eq!(connection.deadline(), Some(seconds(11.0)));
    assert_eq!(connection.handle_timeout(seconds(10.9)), None);

    let timed_out = connection.handle_timeout(seconds(11.0));

    assert_eq!(timed_out, Some(TimedOut::Connect));
    assert_eq!(connection.state(), State::Closing);
}

/// A client cannot stretch the connect timeout by authenticating slowly.
#[test]
fn auth_does_not_move_the_connect_timeout() {
    let mut connection = Connection::new(Instant::ZERO, &SETTINGS);
    let mut connect = Packet::Connect(Box::new(connect(with_method())));
    connection
        .handle_packet(seconds(1.0), &mut connect)
        .unwrap();

    let mut step = auth(ReasonCode::ContinueAuthentication);
    connection.handle_packet(seconds(9.0), &mut step).unwrap();

    assert_eq!(connection.deadline(), Some(seconds(10.0)));
}

/// Silence of one and a half times the Keep Alive ends the connection [MQTT-3.1.2-22].
#[test]
fn silence_ends_the_connection_after_one_and_a_half_keep_alives() {
    let mut connection = connected(ConnectProperties::default());
    assert_eq!(connection.deadline(), Some(seconds(8.0)));
    connection
        .handle_packet(seconds(7.0), &mut Packet::Pingreq)
        .unwrap();
    assert_eq!(connection.handle_timeout(seconds(12.9)), None);

    let timed_out = connection.handle_timeout(seconds(13.0));

    assert_eq!(timed_out, Some(TimedOut::KeepAlive));
}

/// Server Keep Alive takes the place of the client's [MQTT-3.2.2-21].
#[test]
fn server_keep_alive_takes_precedence() {
    let mut connection = connected(ConnectProperties::default());

    connection.accept(seconds(2.0), &connack(Some(20)));

    assert_eq!(connection.deadline(), Some(seconds(32.0)));
}

/// Before CONNECT only its own limit counts, after it the announced one.
#[test]
fn the_size_limit_of_connect_is_its_own() {
    let fresh = Connection::new(Instant::ZERO, &SETTINGS).rules();
    let later = connected(ConnectProperties::default()).rules();

    assert_eq!((fresh.version, fresh.maximum_packet_size), (None, 1024));
    assert_eq!(later.version, Some(Version::V5));
    assert_eq!(later.maximum_packet_size, 65_536);
}

/// The client's limits are those of CONNECT, or their defaults (§3.1.2.11).
#[test]
fn the_limits_of_the_client_are_kept() {
    let limited = connected(ConnectProperties {
        maximum_packet_size: Some(100),
        receive_maximum: Some(3),
        topic_alias_maximum: Some(7),
        request_problem_information: Some(false),
        ..ConnectProperties::default()
    });
    let unlimited = connected(ConnectProperties::default());

    assert!(limited.allows_packet_of(100) && !limited.allows_packet_of(101));
    assert_eq!(limited.receive_maximum(), 3);
    assert_eq!(limited.topic_alias_maximum(), 7);
    assert!(!limited.sends_problem_information());
    assert!(unlimited.allows_packet_of(268_435_460));
    assert_eq!(unlimited.receive_maximum(), 65_535);
    assert_eq!(unlimited.topic_alias_maximum(), 0);
    assert!(unlimited.sends_problem_information());
}

/// An idle connection costs little.
#[test]
fn a_connection_is_small() {
    assert!(size_of::<Connection>() <= 64);
}
