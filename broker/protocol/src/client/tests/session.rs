//! What outlives a connection.

use super::*;

/// PUBLISH and PUBREL that are unacknowledged are resent when the server has the Session
/// [MQTT-4.4.0-1], with DUP [MQTT-3.3.1-1], in their order [MQTT-4.6.0-1].
#[test]
fn unfinished_messages_are_resent_when_the_session_is_present() {
    let mut device = Device::connected(Answers::Automatic);
    device.publish(qos1("a"));
    device.publish(qos2("b"));
    device.publish(qos2("c"));
    device.receive(pubrec(2));
    device.sent();
    device.client.connection_lost();

    let events = device.connect(connack(true, ConnackProperties::default()));

    let expected = [
        "connected present=true",
        "publish resent 1 a",
        "pubrel resent 2 b",
        "publish resent 3 c",
    ];
    assert_eq!(events, expected);
    assert_eq!(
        device.sent(),
        ["PUBLISH 1 dup t=a", "PUBREL 2", "PUBLISH 3 dup t=c"]
    );
}

/// What was queued and not sent when the connection broke is unfinished like the rest.
#[test]
fn a_message_whose_bytes_never_left_is_resent() {
    let mut device = Device::connected(Answers::Automatic);
    device.publish(qos1("a"));
    device.client.connection_lost();
    assert!(!device.client.has_transmit());

    device.connect(connack(true, ConnackProperties::default()));

    assert_eq!(device.sent(), ["PUBLISH 1 dup t=a"]);
}

/// If the server has no Session the client discards its own [MQTT-3.2.2-5].
#[test]
fn session_state_is_discarded_when_the_session_is_not_present() {
    let mut device = Device::connected(Answers::Automatic);
    device.publish(qos1("a"));
    device.publish(qos2("b"));
    device.receive(incoming(QoS::ExactlyOnce, 7));
    device.sent();
    device.client.connection_lost();

    let events = device.connect(connack(false, ConnackProperties::default()));

    let expected = [
        "connected present=false",
        "abandoned 1 a SessionLost",
        "abandoned 2 b SessionLost",
    ];
    assert_eq!(events, expected);
    assert_eq!(device.sent(), [""; 0]);
    assert!(device.client.outbound().is_empty());
    assert_eq!(
        device.receive(incoming(QoS::ExactlyOnce, 7)),
        ["delivered in"]
    );
}

/// Identifiers that await PUBREL are Session State (§4.1) [MQTT-4.3.3-10].
#[test]
fn a_qos_2_message_is_delivered_once_across_a_reconnect() {
    let mut device = Device::connected(Answers::Automatic);
    let first = device.receive(incoming(QoS::ExactlyOnce, 7));
    device.client.connection_lost();
    device.connect(connack(true, ConnackProperties::default()));

    let again = device.receive(incoming(QoS::ExactlyOnce, 7));

    assert_eq!(first, ["delivered in"]);
    assert_eq!(again, ["duplicate in"]);
    assert_eq!(device.sent(), ["PUBREC 7"]);
}

/// A client without Session State closes if the server has a Session [MQTT-3.2.2-4].
#[test]
fn an_unexpected_session_is_an_error() {
    let mut device = Device::new(Settings::default());

    let events = device.connect(connack(true, ConnackProperties::default()));

    assert_eq!(events, ["error: session present, but the client has none"]);
    assert_eq!(device.sent(), ["DISCONNECT 0x82"]);
    assert!(!device.client.is_connected());
}

/// The server may have made the Session although its CONNACK did not come: that is the Session
/// the client asked for.
#[test]
fn a_session_whose_connack_was_lost_is_resumed() {
    let mut device = Device::new(Settings::default());
    let clean_start = connect_packet(Version::V5, true);
    device.client.connect(device.now, &clean_start);
    device.client.handle_timeout(seconds(100.0));
    assert_eq!(device.sent(), ["CONNECT"]);

    let events = device.connect(connack(true, ConnackProperties::default()));

    assert_eq!(events, ["connected present=true"]);
}

/// Clients that share a Client Identifier share the Session, whichever of them made it.
#[test]
fn an_unexpected_session_can_be_accepted() {
    let mut device = Device::new(Settings {
        unexpected_session: UnexpectedSession::Accept,
        ..Settings::default()
    });

    let events = device.connect(connack(true, ConnackProperties::default()));

    assert_eq!(events, ["connected present=true"]);
}

/// After Clean Start there is no Session to be present [MQTT-3.2.2-2].
#[test]
fn session_present_after_clean_start_is_an_error() {
    let mut device = Device::new(Settings {
        unexpected_session: UnexpectedSession::Accept,
        ..Settings::default()
    });
    let connect = connect_packet(Version::V5, true);

    let events = device.connect_as(&connect, connack(true, ConnackProperties::default()));

    assert_eq!(events, ["error: session present, but the client has none"]);
}

/// With Session Expiry Interval 0 the Session ends with its connection (§3.1.2.11.2).
#[test]
fn a_session_without_expiry_ends_with_its_connection() {
    let mut device = Device::new(Settings::default());
    let mut connect = connect_packet(Version::V5, false);
    connect.properties.session_expiry_interval = None;
    device.connect_as(&connect, connack(false, ConnackProperties::default()));
    device.client.connection_lost();

    let events = device.connect_as(&connect, connack(true, ConnackProperties::default()));

    assert_eq!(events, ["error: session present, but the client has none"]);
}

/// The server's Session Expiry Interval takes the place of the client's (§3.2.2.3.2).
#[test]
fn a_session_that_the_server_does_not_keep_ends_with_its_connection() {
    let mut device = Device::new(Settings::default());
    let properties = ConnackProperties {
        session_expiry_interval: Some(0),
        ..ConnackProperties::default()
    };
    device.connect(connack(false, properties));
    device.client.connection_lost();

    let events = device.connect(connack(true, ConnackProperties::default()));

    assert_eq!(events, ["error: session present, but the client has none"]);
}

/// Clean Session 0 keeps the Session in 3.1.1 [3.1.1: MQTT-3.1.2-4], and 1 ends it with its
/// connection [3.1.1: MQTT-3.1.2-6].
#[test]
fn clean_session_decides_in_3_1_1() {
    let mut devices = [false, true].map(|clean_session| {
        let mut device = Device::new(Settings::default());
        let connect = connect_packet(Version::V3_1_1, clean_session);
        device.connect_as(&connect, connack(false, ConnackProperties::default()));
        device.client.connection_lost();
        device
    });
    let connect = connect_packet(Version::V3_1_1, false);

    let events = devices
        .each_mut()
        .map(|device| device.connect_as(&connect, connack(true, ConnackProperties::default())));

    assert_eq!(events[0], ["connected present=true"]);
    assert_eq!(
        events[1],
        ["error: session present, but the client has none"]
    );
}

/// DISCONNECT can end the Session: its Session Expiry Interval counts (§3.14.2.2.2).
#[test]
fn disconnect_with_expiry_0_ends_the_session() {
    let mut device = Device::connected(Answers::Automatic);
    let disconnect = Disconnect {
        reason: ReasonCode::Success,
        properties: DisconnectProperties {
            session_expiry_interval: Some(0),
            ..DisconnectProperties::default()
        },
    };
    device.client.disconnect(device.now, &disconnect).unwrap();
    assert_eq!(device.sent(), ["DISCONNECT 0x00"]);

    let events = device.connect(connack(true, ConnackProperties::default()));

    assert_eq!(events, ["error: session present, but the client has none"]);
}

/// A message that the new connection cannot carry is given up [MQTT-3.2.2-15].
#[test]
fn a_message_that_became_too_large_is_abandoned() {
    let mut device = Device::connected(Answers::Automatic);
    device.publish(qos1("far too long"));
    device.publish(qos1("a"));
    device.client.connection_lost();
    let properties = ConnackProperties {
        maximum_packet_size: Some(10),
        ..ConnackProperties::default()
    };

    let events = device.connect(connack(true, properties));

    let expected = [
        "connected present=true",
        "abandoned 1 far too long PacketTooLarge",
        "publish resent 2 a",
    ];
    assert_eq!(events, expected);
    assert_eq!(device.sent(), ["PUBLISH 2 dup t=a"]);
}

/// A smaller receive maximum is kept when messages are resent [MQTT-3.3.4-7].
#[test]
fn messages_are_resent_in_windows_of_the_receive_maximum() {
    let mut device = Device::connected(Answers::Automatic);
    device.publish(qos1("a"));
    device.publish(qos1("b"));
    device.client.connection_lost();
    let properties = ConnackProperties {
        receive_maximum: Some(1),
        ..ConnackProperties::default()
    };
    let events = device.connect(connack(true, properties));
    assert_eq!(events, ["connected present=true", "publish resent 1 a"]);
    assert!(!device.client.can_publish());

    let events = device.receive(puback(1));

    assert_eq!(events, ["puback 1 0x00 a", "publish resent 2 b"]);
}
