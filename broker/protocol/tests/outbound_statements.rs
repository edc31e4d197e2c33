//! The sender of QoS 1 and QoS 2, statement by statement.

use squall_protocol::outbound::{Outbound, Resend, Step};
use squall_protocol::packet::{Puback, Pubcomp, Pubrec};
use squall_protocol::{PacketId, ProtocolError, QoS, ReasonCode};

fn id(value: u16) -> PacketId {
    PacketId::new(value).expect("not 0")
}

fn connected(receive_maximum: u16) -> Outbound<char> {
    let mut outbound = Outbound::default();
    outbound.resume(receive_maximum);
    outbound
}

fn puback(id: PacketId) -> Puback {
    Puback::new(id, ReasonCode::Success)
}

fn pubrec(id: PacketId) -> Pubrec {
    Pubrec::new(id, ReasonCode::Success)
}

fn pubcomp(id: PacketId) -> Pubcomp {
    Pubcomp::new(id, ReasonCode::Success)
}

fn resends(outbound: &mut Outbound<char>) -> Vec<Resend> {
    std::iter::from_fn(|| outbound.poll_resend()).collect()
}

/// Each message takes one of the send quota and its PUBACK gives it back [MQTT-4.9.0-1]
/// [MQTT-4.9.0-2].
#[test]
fn no_more_messages_are_sent_than_the_receive_maximum() {
    let mut outbound = connected(2);
    let first = outbound.send(QoS::AtLeastOnce, 'a');
    outbound.send(QoS::ExactlyOnce, 'b');
    assert!(!outbound.can_send());

    let step = outbound.handle_puback(&puback(first));

    assert_eq!(step, Ok(Step::Finished('a')));
    assert!(outbound.can_send());
    assert_eq!(outbound.quota(), 1);
}

/// PUBREC is half of the exchange: only PUBCOMP gives the quota back (§4.9).
#[test]
fn pubrec_keeps_the_quota_and_pubcomp_returns_it() {
    let mut outbound = connected(1);
    let sent = outbound.send(QoS::ExactlyOnce, 'a');

    let step = outbound.handle_pubrec(&pubrec(sent));
    assert_eq!(
        step,
        Ok(Step::SendPubrel {
            id: sent,
            reason: ReasonCode::Success
        })
    );
    assert_eq!(outbound.quota(), 0);

    let step = outbound.handle_pubcomp(&pubcomp(sent));
    assert_eq!(step, Ok(Step::Finished('a')));
    assert_eq!(outbound.quota(), 1);
}

/// A refused QoS 2 message is finished and gives its quota back (§4.9).
#[test]
fn pubrec_with_an_error_returns_the_quota() {
    let mut outbound = connected(2);
    let sent = outbound.send(QoS::ExactlyOnce, 'a');
    assert_eq!(outbound.quota(), 1);

    let step = outbound.handle_pubrec(&Pubrec::new(sent, ReasonCode::QuotaExceeded));

    assert_eq!(step, Ok(Step::Finished('a')));
    assert_eq!(outbound.quota(), 2);
    assert!(outbound.is_empty());
}

/// PUBLISH and PUBREL that are unacknowledged go again after a reconnect [MQTT-4.4.0-1], in
/// the order in which the messages were sent [MQTT-4.6.0-1].
#[test]
fn everything_unfinished_is_resent_in_its_original_order() {
    let mut outbound = connected(10);
    let ids = ['a', 'b', 'c', 'd'].map(|message| outbound.send(QoS::ExactlyOnce, message));
    let last = outbound.send(QoS::AtLeastOnce, 'e');
    for id in [ids[3], ids[1]] {
        outbound.handle_pubrec(&pubrec(id)).unwrap();
    }
    outbound.handle_pubcomp(&pubcomp(ids[3])).unwrap();

    outbound.connection_lost();
    outbound.resume(10);

    let expected = [
        Resend::Publish(ids[0]),
        Resend::Pubrel(ids[1]),
        Resend::Publish(ids[2]),
        Resend::Publish(last),
    ];
    assert_eq!(resends(&mut outbound), expected);
}

/// Messages are resent after a reconnect and at no other time [MQTT-4.4.0-1].
#[test]
fn nothing_is_resent_on_the_same_connection() {
    let mut outbound = connected(10);
    outbound.send(QoS::AtLeastOnce, 'a');

    assert_eq!(outbound.poll_resend(), None);
}

/// After PUBREC the PUBLISH is never sent again [MQTT-4.3.3-6].
#[test]
fn publish_is_not_resent_once_pubrec_came() {
    let mut outbound = connected(1);
    let sent = outbound.send(QoS::ExactlyOnce, 'a');
    outbound.handle_pubrec(&pubrec(sent)).unwrap();

    outbound.connection_lost();
    outbound.resume(1);

    assert_eq!(resends(&mut outbound), [Resend::Pubrel(sent)]);
}

/// A smaller receive maximum than what is in flight is kept too [MQTT-3.3.4-9].
#[test]
fn a_smaller_receive_maximum_resends_in_windows() {
    let mut outbound = connected(10);
    let ids = ['a', 'b', 'c'].map(|message| outbound.send(QoS::AtLeastOnce, message));
    outbound.connection_lost();
    outbound.resume(1);
    assert_eq!(resends(&mut outbound), [Resend::Publish(ids[0])]);

    outbound.handle_puback(&puback(ids[0])).unwrap();
    assert!(!outbound.can_send(), "older messages go first");

    assert_eq!(resends(&mut outbound), [Resend::Publish(ids[1])]);
    outbound.handle_puback(&puback(ids[1])).unwrap();
    assert_eq!(resends(&mut outbound), [Resend::Publish(ids[2])]);
    outbound.handle_puback(&puback(ids[2])).unwrap();
    assert!(outbound.can_send());
}

/// PUBREL is not a PUBLISH: the receive maximum does not hold it back [MQTT-4.9.0-3].
#[test]
fn pubrel_is_resent_without_quota() {
    let mut outbound = connected(10);
    let ids = ['a', 'b', 'c'].map(|message| outbound.send(QoS::ExactlyOnce, message));
    outbound.handle_pubrec(&pubrec(ids[2])).unwrap();

    outbound.connection_lost();
    outbound.resume(1);

    let expected = [Resend::Publish(ids[0]), Resend::Pubrel(ids[2])];
    assert_eq!(resends(&mut outbound), expected);
}

/// PUBCOMP for a PUBREL that was resent must not raise the quota above what the receiver
/// counts (§4.9).
#[test]
fn pubcomp_for_a_resent_pubrel_returns_no_quota() {
    let mut outbound = connected(2);
    let sent = outbound.send(QoS::ExactlyOnce, 'a');
    outbound.handle_pubrec(&pubrec(sent)).unwrap();
    outbound.connection_lost();
    outbound.resume(2);
    resends(&mut outbound);
    outbound.send(QoS::AtLeastOnce, 'b');

    outbound.handle_pubcomp(&pubcomp(sent)).unwrap();

    assert_eq!(outbound.quota(), 1);
}

/// What is answered before its turn to be resent is passed over.
#[test]
fn an_answered_message_is_not_resent() {
    let mut outbound = connected(10);
    let ids = ['a', 'b'].map(|message| outbound.send(QoS::AtLeastOnce, message));
    outbound.connection_lost();
    outbound.resume(10);

    outbound.handle_puback(&puback(ids[0])).unwrap();

    assert_eq!(resends(&mut outbound), [Resend::Publish(ids[1])]);
    assert_eq!(outbound.quota(), 9);
}

/// PUBREC for an exchange we do not know is answered, so that the peer can finish (§3.6.2.1).
#[test]
fn pubrec_for_an_unknown_identifier_asks_for_pubrel_0x92() {
    let mut outbound = connected(1);

    let step = outbound.handle_pubrec(&pubrec(id(7)));

    assert_eq!(
        step,
        Ok(Step::SendPubrel {
            id: id(7),
            reason: ReasonCode::PacketIdentifierNotFound
        })
    );
}

/// PUBREL answers a PUBREC below 0x80 only [MQTT-4.3.3-4]: one with an error ended the exchange
/// on the receiver's side, also if we do not know it.
#[test]
fn pubrec_with_an_error_for_an_unknown_identifier_is_not_answered() {
    let mut outbound = connected(1);

    let step = outbound.handle_pubrec(&Pubrec::new(id(7), ReasonCode::UnspecifiedError));

    assert_eq!(step, Ok(Step::Ignored));
    assert_eq!(outbound.quota(), 1);
}

/// PUBREL answers a PUBREC below 0x80 only [MQTT-4.3.3-4], also after one that was answered: the
/// exchange goes on to its PUBCOMP.
#[test]
fn pubrec_with_an_error_after_pubrel_is_not_answered() {
    let mut outbound = connected(1);
    let sent = outbound.send(QoS::ExactlyOnce, 'a');
    outbound.handle_pubrec(&pubrec(sent)).unwrap();

    let step = outbound.handle_pubrec(&Pubrec::new(sent, ReasonCode::UnspecifiedError));

    assert_eq!(step, Ok(Step::Ignored));
    let finished = outbound.handle_pubcomp(&pubcomp(sent));
    assert_eq!(finished, Ok(Step::Finished('a')));
}

/// PUBACK and PUBCOMP for identifiers that are not in use change nothing.
#[test]
fn answers_to_nothing_are_ignored() {
    let mut outbound = connected(1);

    let puback = outbound.handle_puback(&puback(id(7)));
    let pubcomp = outbound.handle_pubcomp(&pubcomp(id(7)));

    assert_eq!(puback, Ok(Step::Ignored));
    assert_eq!(pubcomp, Ok(Step::Ignored));
    assert_eq!(outbound.quota(), 1);
}

/// QoS 1 is answered with PUBACK (§4.3.2), QoS 2 with PUBREC and then PUBCOMP (§4.3.3).
#[test]
fn an_answer_of_the_wrong_kind_is_a_protocol_error() {
    let mut outbound = connected(2);
    let qos1 = outbound.send(QoS::AtLeastOnce, 'a');
    let qos2 = outbound.send(QoS::ExactlyOnce, 'b');

    let errors = [
        outbound.handle_puback(&puback(qos2)),
        outbound.handle_pubrec(&pubrec(qos1)),
        outbound.handle_pubcomp(&pubcomp(qos1)),
        outbound.handle_pubcomp(&pubcomp(qos2)),
    ];

    let expected = [
        Err(ProtocolError::PubackForQoS2 { id: qos2 }),
        Err(ProtocolError::PubrecForQoS1 { id: qos1 }),
        Err(ProtocolError::PubcompForQoS1 { id: qos1 }),
        Err(ProtocolError::PubcompBeforePubrec { id: qos2 }),
    ];
    assert_eq!(errors, expected);
    assert_eq!(outbound.len(), 2);
}

/// SUBSCRIBE and PUBLISH share the identifiers [MQTT-2.2.1-3], not the quota.
#[test]
fn a_request_takes_an_identifier_but_no_quota() {
    let mut outbound = connected(1);

    let request = outbound.reserve().unwrap();
    let sent = outbound.send(QoS::AtLeastOnce, 'a');

    assert_ne!(request, sent);
    assert_eq!(outbound.handle_puback(&puback(request)), Ok(Step::Ignored));
    assert!(outbound.release(request));
    assert!(!outbound.release(sent));
}

/// A request is not part of the Session State (§4.1): it ends with its connection.
#[test]
fn a_request_is_not_resent() {
    let mut outbound = connected(1);
    outbound.reserve().unwrap();

    outbound.connection_lost();
    outbound.resume(1);

    assert_eq!(resends(&mut outbound), []);
    assert!(outbound.is_empty());
}

/// Without a connection nothing can be sent, whatever is taken out meanwhile (§4.9).
#[test]
fn extraction_without_a_connection_returns_no_quota() {
    let mut outbound = connected(10);
    outbound.send(QoS::AtLeastOnce, 'a');
    outbound.connection_lost();

    let extracted = outbound.extract(|_, _| true);

    assert_eq!(extracted, ['a']);
    assert_eq!(outbound.quota(), 0);
    assert!(!outbound.can_send());
}

/// Messages of a shared subscription go back to the group in their order (§4.8.2).
#[test]
fn extracted_messages_keep_their_order() {
    let mut outbound = connected(10);
    for message in ['a', 'B', 'c', 'D'] {
        outbound.send(QoS::AtLeastOnce, message);
    }

    let extracted = outbound.extract(|_, message| message.is_ascii_uppercase());

    assert_eq!(extracted, ['B', 'D']);
    assert_eq!(outbound.quota(), 8);
}

/// A Session with nothing in flight costs no heap memory.
#[test]
fn an_empty_outbound_is_small() {
    assert!(size_of::<Outbound<char>>() <= 64);
}
