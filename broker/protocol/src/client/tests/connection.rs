//! What belongs to one connection: limits, requests, timers, its end.

use super::*;

fn unsent(device: &mut Device, message: Text) -> UnsentCause {
    let unsent = device.client.publish(device.now, message).unwrap_err();
    assert_eq!(unsent.message, message);
    unsent.cause
}

/// Nothing but CONNECT goes before CONNACK.
#[test]
fn nothing_is_published_without_a_connection() {
    let mut device = Device::new(Settings::default());
    let before = unsent(&mut device, qos1("a"));
    device
        .client
        .connect(device.now, &connect_packet(Version::V5, true));

    let connecting = unsent(&mut device, qos0("a"));
    let subscribe = device.client.subscribe(
        device.now,
        SubscribeProperties::default(),
        vec![subscription("a")],
    );

    assert_eq!([before, connecting], [UnsentCause::NotConnected; 2]);
    assert_eq!(subscribe, Err(SendError::NotConnected));
    assert_eq!(device.sent(), ["CONNECT"]);
}

/// The server's receive maximum is kept [MQTT-3.3.4-7]; QoS 0 is free.
#[test]
fn the_receive_maximum_of_the_server_is_kept() {
    let mut device = Device::new(Settings::default());
    let properties = ConnackProperties {
        receive_maximum: Some(1),
        ..ConnackProperties::default()
    };
    device.connect(connack(false, properties));
    device.publish(qos1("a"));
    assert!(!device.client.can_publish());

    let cause = unsent(&mut device, qos1("b"));

    assert_eq!(cause, UnsentCause::QuotaExhausted);
    assert_eq!(device.client.publish(device.now, qos0("c")), Ok(None));
    assert_eq!(device.sent(), ["PUBLISH 1 t=a", "PUBLISH 0 t=c"]);
}

/// A client may allow itself less than the server does.
#[test]
fn the_own_limit_of_messages_in_flight_is_kept() {
    let mut device = Device::new(Settings {
        in_flight_max: 1,
        ..Settings::default()
    });
    device.connect(connack(false, ConnackProperties::default()));
    device.publish(qos2("a"));

    assert_eq!(unsent(&mut device, qos1("b")), UnsentCause::QuotaExhausted);
}

/// What the server does not take is not sent [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15].
#[test]
fn the_limits_of_the_server_are_kept() {
    let mut device = Device::new(Settings::default());
    let properties = ConnackProperties {
        maximum_qos: Some(QoS::AtLeastOnce),
        retain_available: Some(false),
        // PUBLISH of "t" with one byte takes 9 at QoS 1.
        maximum_packet_size: Some(9),
        ..ConnackProperties::default()
    };
    device.connect(connack(false, properties));
    let retained = Text {
        retain: true,
        ..qos0("a")
    };

    let causes = [qos2("a"), retained, qos1("ab")].map(|message| unsent(&mut device, message));

    let maximum = QoS::AtLeastOnce;
    let expected = [
        UnsentCause::QoSNotSupported { maximum },
        UnsentCause::RetainNotSupported,
        UnsentCause::PacketTooLarge,
    ];
    assert_eq!(causes, expected);
    let filters = vec![subscription("too/long")];
    let subscribe = device
        .client
        .subscribe(device.now, SubscribeProperties::default(), filters);
    assert_eq!(subscribe, Err(SendError::PacketTooLarge));
    device.publish(qos1("a"));
    assert_eq!(device.sent(), ["PUBLISH 2 t=a"]);
    assert_eq!(device.client.outbound().len(), 1);
}

/// Topic Aliases are used up to the server's maximum, and anew on each connection
/// [MQTT-3.3.2-7] [MQTT-3.3.2-9].
#[test]
fn topic_aliases_begin_anew_on_each_connection() {
    let mut device = Device::new(Settings {
        topic_aliases_max: 10,
        ..Settings::default()
    });
    let properties = ConnackProperties {
        topic_alias_maximum: Some(1),
        ..ConnackProperties::default()
    };
    device.connect(connack(false, properties.clone()));
    device.publish(qos1("a"));
    device.publish(qos1("b"));
    let first = device.sent();
    device.client.connection_lost();

    device.connect(connack(true, properties));

    assert_eq!(first, ["PUBLISH 1 alias 1 t=a", "PUBLISH 2 alias 1 =b"]);
    assert_eq!(
        device.sent(),
        ["PUBLISH 1 dup alias 1 t=a", "PUBLISH 2 dup alias 1 =b"]
    );
}

/// SUBACK answers the SUBSCRIBE with its identifier [MQTT-2.2.1-6], one code a filter
/// [MQTT-3.9.3-1].
#[test]
fn suback_must_answer_a_subscribe() {
    let suback = |value, count| {
        Packet::Suback(Suback {
            id: id(value),
            properties: AckProperties::default(),
            reasons: vec![ReasonCode::Success; count],
        })
    };
    let subscribed = || {
        let mut device = Device::connected(Answers::Automatic);
        let filters = vec![subscription("a"), subscription("b")];
        let properties = SubscribeProperties::default();
        device
            .client
            .subscribe(device.now, properties, filters)
            .unwrap();
        assert_eq!(device.sent(), ["SUBSCRIBE 1"]);
        device
    };

    let events = [suback(1, 2), suback(2, 2), suback(1, 1)]
        .map(|suback| subscribed().receive(suback).remove(0));

    let expected = [
        "suback 1",
        "error: SUBACK with packet identifier 2, which awaits none",
        "error: SUBACK with 1 reason codes for 2 filters",
    ];
    assert_eq!(events, expected);
}

/// A SUBSCRIBE is not resent, and its identifier is free on the next connection (§4.4).
#[test]
fn a_subscribe_ends_with_its_connection() {
    let mut device = Device::connected(Answers::Automatic);
    let filters = vec![TopicFilter::new("a".into()).unwrap()];
    let request = device
        .client
        .unsubscribe(device.now, Vec::new(), filters)
        .unwrap();
    device.client.connection_lost();

    let events = device.connect(connack(true, ConnackProperties::default()));

    assert_eq!(events, ["connected present=true"]);
    assert_eq!(device.sent(), [""; 0]);
    assert!(device.client.outbound().is_empty());
    assert_eq!(request, id(1));
}

/// Without other packets PINGREQ goes every Keep Alive [MQTT-3.1.2-20].
#[test]
fn pingreq_goes_one_keep_alive_after_the_last_packet() {
    let mut device = Device::connected(Answers::Automatic);
    assert_eq!(device.client.poll_timeout(), Some(seconds(11.0)));
    device.now = seconds(5.0);
    device.client.publish(device.now, qos0("a")).unwrap();
    device.sent();
    assert_eq!(device.client.poll_timeout(), Some(seconds(15.0)));

    let timed_out = device.client.handle_timeout(seconds(15.0));

    assert_eq!(timed_out, None);
    assert_eq!(device.sent(), ["PINGREQ"]);
    assert_eq!(device.receive(Packet::Pingresp), ["pingresp"]);
    assert_eq!(device.client.poll_timeout(), Some(seconds(25.0)));
}

/// A connection without PINGRESP is given up (§3.1.2.10).
#[test]
fn a_missing_pingresp_ends_the_connection() {
    let mut device = Device::new(Settings {
        pingresp_timeout: Duration::from_secs(3),
        ..Settings::default()
    });
    device.connect(connack(false, ConnackProperties::default()));
    device.client.handle_timeout(seconds(11.0));
    assert_eq!(device.client.poll_timeout(), Some(seconds(14.0)));

    let timed_out = device.client.handle_timeout(seconds(14.0));

    assert_eq!(timed_out, Some(TimedOut::Pingresp));
    assert!(!device.client.is_connected());
    assert_eq!(device.client.poll_timeout(), None);
}

/// Server Keep Alive takes the place of the client's [MQTT-3.2.2-21].
#[test]
fn server_keep_alive_is_used() {
    let mut device = Device::new(Settings::default());
    let properties = ConnackProperties {
        server_keep_alive: Some(3),
        ..ConnackProperties::default()
    };

    device.connect(connack(false, properties));

    assert_eq!(device.client.poll_timeout(), Some(seconds(4.0)));
}

/// A connection without CONNACK is given up (§3.1.4).
#[test]
fn a_missing_connack_ends_the_connection() {
    let mut device = Device::new(Settings::default());
    device
        .client
        .connect(device.now, &connect_packet(Version::V5, true));
    assert_eq!(device.client.handle_timeout(seconds(30.9)), None);

    let timed_out = device.client.handle_timeout(seconds(31.0));

    assert_eq!(timed_out, Some(TimedOut::Connack));
}

/// CONNACK is the first packet from the server [MQTT-3.2.0-1] and comes once [MQTT-3.2.0-2].
#[test]
fn connack_comes_first_and_once() {
    let mut early = Device::new(Settings::default());
    early
        .client
        .connect(early.now, &connect_packet(Version::V5, true));
    let mut twice = Device::connected(Answers::Automatic);

    let events = [
        early.receive(incoming(QoS::AtMostOnce, 0)),
        twice.receive(connack(false, ConnackProperties::default())),
    ];

    assert_eq!(
        events,
        [["error: PUBLISH before CONNACK"], ["error: second CONNACK"]]
    );
}

/// CONNACK with an error ends the connection (§3.2.2.2).
#[test]
fn a_refusal_ends_the_connection() {
    let mut device = Device::new(Settings::default());
    let refusal = Packet::Connack(Box::new(Connack {
        session_present: false,
        reason: ReasonCode::NotAuthorized,
        properties: ConnackProperties::default(),
    }));

    let events = device.connect(refusal);

    assert_eq!(events, ["refused 0x87"]);
    assert_eq!(unsent(&mut device, qos0("a")), UnsentCause::NotConnected);
}

/// A server does not send what only clients send (§2.1.2), nor DISCONNECT in 3.1.1, nor AUTH that
/// was not asked for [MQTT-4.12.0-6], nor a Session Expiry Interval [MQTT-3.14.2-2].
#[test]
fn packets_of_a_client_are_refused() {
    let connected = |version| {
        let mut device = Device::new(Settings::default());
        let connect = connect_packet(version, true);
        device.connect_as(&connect, connack(false, ConnackProperties::default()));
        device
    };
    let expiry = DisconnectProperties {
        session_expiry_interval: Some(1),
        ..DisconnectProperties::default()
    };
    let prolonged = Disconnect {
        reason: ReasonCode::Success,
        properties: expiry,
    };
    let cases = [
        (Version::V5, Packet::Pingreq),
        (Version::V3_1_1, Packet::Disconnect(Disconnect::default())),
        (Version::V5, Packet::Auth(Auth::default())),
        (Version::V5, Packet::Disconnect(prolonged)),
    ];

    let events = cases.map(|(version, packet)| connected(version).receive(packet).remove(0));

    let expected = [
        ProtocolError::NotFromServer {
            packet: PacketType::Pingreq,
        },
        ProtocolError::NotFromServer {
            packet: PacketType::Disconnect,
        },
        ProtocolError::AuthWithoutMethod,
        ProtocolError::SessionExpiryFromServer,
    ];
    assert_eq!(events, expected.map(|error| format!("error: {error}")));
}

/// 3.1.1 has no way to say what was wrong, and its DISCONNECT would cancel the will
/// [3.1.1: MQTT-3.1.2-10].
#[test]
fn an_error_in_3_1_1_sends_nothing() {
    let mut device = Device::new(Settings::default());
    let connect = connect_packet(Version::V3_1_1, true);
    device.connect_as(&connect, connack(false, ConnackProperties::default()));

    let events = device.receive(Packet::Pingreq);

    assert_eq!(events, ["error: PINGREQ from a server"]);
    assert_eq!(device.sent(), [""; 0]);
}

/// Nothing that comes after DISCONNECT counts [MQTT-3.14.4-1].
#[test]
fn what_follows_the_end_is_dropped() {
    let mut device = Device::connected(Answers::Automatic);
    let disconnect = Disconnect {
        reason: ReasonCode::SessionTakenOver,
        properties: DisconnectProperties::default(),
    };

    let events = device.receive(Packet::Disconnect(disconnect));

    assert_eq!(events, ["disconnect 0x8e"]);
    assert_eq!(device.receive(incoming(QoS::AtLeastOnce, 1)), [""; 0]);
    assert_eq!(device.sent(), [""; 0]);
}

/// A malformed packet is answered with its Reason Code (§4.13).
#[test]
fn a_malformed_packet_ends_the_connection() {
    let mut device = Device::connected(Answers::Automatic);
    let mut input: &[u8] = &[0xD1, 0x00];

    let event = device.client.poll_event(device.now, &mut input);

    assert!(matches!(event, Some(Event::ProtocolError(_))), "{event:?}");
    assert_eq!(device.sent(), ["DISCONNECT 0x81"]);
}

/// A displaced connection is read to its end although the Session has moved on (§3.1.4).
#[test]
fn a_displaced_connection_can_still_be_read() {
    let mut device = Device::connected(Answers::Automatic);
    let mut bytes = Vec::new();
    codec::encode(&incoming(QoS::AtMostOnce, 0), Version::V5, &mut bytes);
    let (mut begin, mut end) = bytes.split_at(4);
    assert_eq!(device.client.poll_event(device.now, &mut begin), None);

    let mut displaced = device.client.displace();
    device.connect(connack(true, ConnackProperties::default()));

    let packet = displaced.poll_packet(&mut end).unwrap();
    assert_eq!(packet, Some(incoming(QoS::AtMostOnce, 0)));
    assert!(device.client.is_connected());
}

/// Thousands of idle devices cost little.
#[test]
fn a_client_is_small() {
    assert!(size_of::<Client<Text>>() <= 448);
}
