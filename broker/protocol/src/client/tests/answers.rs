//! The exchanges of QoS 1 and 2, automatic and manual.

use super::*;

/// QoS 1 as the sender (§4.3.2).
#[test]
fn puback_ends_a_qos_1_exchange() {
    let mut device = Device::connected(Answers::Automatic);
    device.publish(qos1("a"));
    let refusal = Puback::new(id(2), ReasonCode::NotAuthorized);
    device.publish(qos1("b"));
    assert_eq!(device.sent(), ["PUBLISH 1 t=a", "PUBLISH 2 t=b"]);

    let events = [
        device.receive(puback(1)),
        device.receive(Packet::Puback(refusal)),
    ];

    assert_eq!(events, [["puback 1 0x00 a"], ["puback 2 0x87 b"]]);
    assert!(device.client.outbound().is_empty());
}

/// QoS 2 as the sender: PUBLISH, PUBREC, PUBREL [MQTT-4.3.3-4], PUBCOMP (§4.3.3).
#[test]
fn a_qos_2_exchange_has_four_parts() {
    let mut device = Device::connected(Answers::Automatic);
    device.publish(qos2("a"));
    assert_eq!(device.sent(), ["PUBLISH 1 t=a"]);

    assert_eq!(device.receive(pubrec(1)), ["pubrec 1 a"]);
    assert_eq!(device.sent(), ["PUBREL 1"]);
    assert_eq!(device.receive(pubcomp(1)), ["pubcomp 1 a"]);

    assert!(device.client.outbound().is_empty());
}

/// A new message has an identifier of its own [MQTT-4.3.2-1] [MQTT-4.3.3-1] and DUP 0
/// [MQTT-4.3.2-2] [MQTT-4.3.3-2].
#[test]
fn a_new_message_goes_with_a_free_identifier_and_without_dup() {
    let mut device = Device::connected(Answers::Automatic);
    device.publish(qos1("a"));
    device.publish(qos2("b"));
    device.receive(puback(1));
    device.publish(qos1("c"));

    assert_eq!(
        device.sent(),
        ["PUBLISH 1 t=a", "PUBLISH 2 t=b", "PUBLISH 3 t=c"]
    );
}

/// A PUBLISH is unacknowledged until PUBACK [MQTT-4.3.2-3] or PUBREC [MQTT-4.3.3-3], a PUBREL
/// until PUBCOMP [MQTT-4.3.3-5].
#[test]
fn an_exchange_is_open_until_its_last_answer() {
    let mut device = Device::connected(Answers::Automatic);
    let at_qos1 = device.publish(qos1("a"));
    let at_qos2 = device.publish(qos2("b"));
    let awaiting =
        |device: &Device| [at_qos1, at_qos2].map(|id| device.client.outbound().awaiting(id));
    assert_eq!(
        awaiting(&device),
        [Some(Awaiting::Puback), Some(Awaiting::Pubrec)]
    );

    device.receive(puback(1));
    device.receive(pubrec(2));
    assert_eq!(awaiting(&device), [None, Some(Awaiting::Pubcomp)]);

    device.receive(pubcomp(2));
    assert_eq!(awaiting(&device), [None, None]);
}

/// PUBACK and PUBREC go in the order of the PUBLISH packets [MQTT-4.6.0-2] [MQTT-4.6.0-3], PUBREL
/// in the order of the PUBREC packets [MQTT-4.6.0-4].
#[test]
fn answers_go_in_the_order_of_what_they_answer() {
    let mut device = Device::connected(Answers::Automatic);
    for packet_id in [9, 4, 7] {
        device.receive(incoming(QoS::AtLeastOnce, packet_id));
        device.receive(incoming(QoS::ExactlyOnce, packet_id + 10));
    }
    let expected = [
        "PUBACK 9",
        "PUBREC 19",
        "PUBACK 4",
        "PUBREC 14",
        "PUBACK 7",
        "PUBREC 17",
    ];
    assert_eq!(device.sent(), expected);
    for message in ["a", "b", "c"] {
        device.publish(qos2(message));
    }
    device.sent();

    for packet_id in [3, 1, 2] {
        device.receive(pubrec(packet_id));
    }

    assert_eq!(device.sent(), ["PUBREL 3", "PUBREL 1", "PUBREL 2"]);
}

/// PUBREC with an error ends the exchange, and PUBREL is not sent [MQTT-4.4.0-2].
#[test]
fn pubrec_with_an_error_ends_a_qos_2_exchange() {
    let mut device = Device::connected(Answers::Automatic);
    device.publish(qos2("a"));
    device.sent();
    let refusal = Pubrec::new(id(1), ReasonCode::QuotaExceeded);

    let events = device.receive(Packet::Pubrec(refusal));

    assert_eq!(events, ["pubrec refused 1 0x97 a"]);
    assert_eq!(device.sent(), [""; 0]);
}

/// The receiver answers PUBLISH with PUBACK [MQTT-4.3.2-4] or PUBREC [MQTT-4.3.3-8], and PUBREL
/// with PUBCOMP [MQTT-4.3.3-11].
#[test]
fn automatic_answers_go_by_themselves() {
    let mut device = Device::connected(Answers::Automatic);

    let events = [
        device.receive(incoming(QoS::AtMostOnce, 0)),
        device.receive(incoming(QoS::AtLeastOnce, 5)),
        device.receive(incoming(QoS::ExactlyOnce, 6)),
        device.receive(incoming(QoS::ExactlyOnce, 6)),
        device.receive(pubrel(6)),
    ];

    let expected = [
        ["delivered in"],
        ["delivered in"],
        ["delivered in"],
        ["duplicate in"],
        ["pubrel 6"],
    ];
    assert_eq!(events, expected);
    assert_eq!(
        device.sent(),
        ["PUBACK 5", "PUBREC 6", "PUBREC 6", "PUBCOMP 6"]
    );
    assert_eq!(device.client.inbound().in_flight(), 0);
}

/// PUBREL for an unknown exchange is answered with PUBCOMP and 0x92 (§3.7.2.1).
#[test]
fn pubrel_for_nothing_is_answered_with_0x92() {
    let mut device = Device::connected(Answers::Automatic);

    device.receive(pubrel(6));

    assert_eq!(device.sent(), ["PUBCOMP 6 0x92"]);
}

/// PUBREC for an unknown exchange is answered with PUBREL and 0x92, whichever side answers the rest.
#[test]
fn pubrec_for_nothing_is_answered_with_0x92() {
    for answers in [Answers::Automatic, Answers::Manual] {
        let mut device = Device::connected(answers);

        let events = device.receive(pubrec(6));

        assert_eq!(events, ["unknown 6"]);
        assert_eq!(device.sent(), ["PUBREL 6 0x92"]);
    }
}

/// With manual answers nothing goes unless the owner says so.
#[test]
fn manual_answers_wait_for_the_owner() {
    let mut device = Device::connected(Answers::Manual);
    device.receive(incoming(QoS::AtLeastOnce, 5));
    device.receive(incoming(QoS::ExactlyOnce, 6));
    device.receive(pubrel(6));
    assert_eq!(device.sent(), [""; 0]);

    let now = device.now;
    device
        .client
        .send_puback(now, id(5), ReasonCode::Success)
        .unwrap();
    device
        .client
        .send_pubrec(now, id(6), ReasonCode::Success)
        .unwrap();
    device.client.send_pubcomp(now, id(6)).unwrap();

    assert_eq!(device.sent(), ["PUBACK 5", "PUBREC 6", "PUBCOMP 6"]);
    assert_eq!(device.client.inbound().in_flight(), 0);
}

/// A device that withholds PUBREC gets the message again, and does not see it twice
/// [MQTT-4.3.3-10].
#[test]
fn a_withheld_pubrec_brings_a_duplicate() {
    let mut device = Device::connected(Answers::Manual);
    device.receive(incoming(QoS::ExactlyOnce, 6));
    device.client.connection_lost();
    device.connect(connack(true, ConnackProperties::default()));

    let events = device.receive(incoming(QoS::ExactlyOnce, 6));

    assert_eq!(events, ["duplicate in"]);
    device
        .client
        .send_pubrec(device.now, id(6), ReasonCode::Success)
        .unwrap();
    assert_eq!(device.sent(), ["PUBREC 6"]);
}

/// A device that withholds PUBCOMP still has the exchange when PUBREL comes again.
#[test]
fn a_withheld_pubcomp_keeps_the_exchange() {
    let mut device = Device::connected(Answers::Manual);
    device.receive(incoming(QoS::ExactlyOnce, 6));
    device.receive(pubrel(6));
    device.client.connection_lost();
    device.connect(connack(true, ConnackProperties::default()));

    let events = device.receive(pubrel(6));
    device.client.send_pubcomp(device.now, id(6)).unwrap();

    assert_eq!(events, ["pubrel 6"]);
    assert_eq!(device.sent(), ["PUBCOMP 6"]);
}

/// A delayed PUBREL that never went is resent, and PUBLISH is not [MQTT-4.3.3-6].
#[test]
fn a_delayed_pubrel_is_resent_after_a_reconnect() {
    let mut device = Device::connected(Answers::Manual);
    device.publish(qos2("a"));
    assert_eq!(device.receive(pubrec(1)), ["pubrec 1 a"]);
    device.client.connection_lost();

    let events = device.connect(connack(true, ConnackProperties::default()));

    assert_eq!(events, ["connected present=true", "pubrel resent 1 a"]);
    assert_eq!(device.sent(), ["PUBREL 1"]);
}

/// PUBREL goes when PUBREC has come, not before.
#[test]
fn a_manual_pubrel_needs_its_pubrec() {
    let mut device = Device::connected(Answers::Manual);
    let sent = device.publish(qos2("a"));
    device.sent();

    let early = device.client.send_pubrel(device.now, sent);
    device.receive(pubrec(1));
    let in_time = device.client.send_pubrel(device.now, sent);

    assert_eq!(early, Err(SendError::NotAwaited { id: sent }));
    assert_eq!(in_time, Ok(()));
    assert_eq!(device.sent(), ["PUBREL 1"]);
}

/// The MQTT 3.1 habit: PUBLISH with DUP, or PUBREL, again on the same connection.
#[test]
fn retransmit_sends_what_the_exchange_is_at() {
    let mut device = Device::connected(Answers::Automatic);
    let sent = device.publish(qos2("a"));
    device.sent();

    let first = device.client.retransmit(device.now, sent);
    device.receive(pubrec(1));
    device.receive(pubrec(1));
    let second = device.client.retransmit(device.now, sent);
    device.receive(pubcomp(1));
    let third = device.client.retransmit(device.now, sent);

    assert_eq!(first, Ok(Resend::Publish(sent)));
    assert_eq!(second, Ok(Resend::Pubrel(sent)));
    assert_eq!(third, Err(SendError::NotAwaited { id: sent }));
    let expected = ["PUBLISH 1 dup t=a", "PUBREL 1", "PUBREL 1", "PUBREL 1"];
    assert_eq!(device.sent(), expected);
}

/// A refusal by PUBREC ends the exchange for the receiver too [MQTT-4.3.3-9].
#[test]
fn a_manual_pubrec_with_an_error_frees_the_identifier() {
    let mut device = Device::connected(Answers::Manual);
    device.receive(incoming(QoS::ExactlyOnce, 6));

    let reason = ReasonCode::ImplementationSpecificError;
    device
        .client
        .send_pubrec(device.now, id(6), reason)
        .unwrap();

    assert_eq!(device.sent(), ["PUBREC 6 0x83"]);
    assert_eq!(
        device.receive(incoming(QoS::ExactlyOnce, 6)),
        ["delivered in"]
    );
}

/// The server may not exceed our receive maximum: 0x93 (§3.3.4).
#[test]
fn a_server_that_exceeds_the_receive_maximum_is_disconnected() {
    let mut device = Device::new(Settings {
        answers: Answers::Manual,
        ..Settings::default()
    });
    let mut connect = connect_packet(Version::V5, true);
    connect.properties.receive_maximum = Some(1);
    device.connect_as(&connect, connack(false, ConnackProperties::default()));
    device.receive(incoming(QoS::AtLeastOnce, 1));

    let events = device.receive(incoming(QoS::AtLeastOnce, 2));

    assert_eq!(
        events,
        ["error: more than 1 messages in flight, the receive maximum"]
    );
    assert_eq!(device.sent(), ["DISCONNECT 0x93"]);
}

/// An answer of the wrong kind ends the connection (§4.3).
#[test]
fn an_answer_of_the_wrong_kind_ends_the_connection() {
    let mut device = Device::connected(Answers::Automatic);
    device.publish(qos1("a"));
    device.sent();

    let events = device.receive(pubrec(1));

    assert_eq!(
        events,
        ["error: PUBREC for packet identifier 1, which was sent at QoS 1"]
    );
    assert_eq!(device.sent(), ["DISCONNECT 0x82"]);
    assert_eq!(
        device.client.outbound().awaiting(id(1)),
        Some(Awaiting::Puback)
    );
}
