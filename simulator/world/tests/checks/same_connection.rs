//! `retransmit = "same_connection"`: a client that sends again what is not answered in time, and a broker that may
//! end its connection for that in MQTT 5.0 [MQTT-4.4.0-1].

use squall_protocol::packet::{Disconnect, DisconnectProperties, Packet};
use squall_protocol::{PacketId, ReasonCode};
use squall_world::{Direction, Passing, Tampered};

use crate::run::{assert_broken, broken, run, run_tampered};
use crate::tampering::{Outcome, drop_it, is_to, once, publish_bytes, script, to_device};

/// An answer takes 800 ms, and a device waits 500 ms for it: each packet is sent twice.
const SCENARIO: &str = r#"
[run]
duration = "10s"
drain = "10s"
[[network]]
name = "far"
latency = "400ms"
[[group]]
name = "shops"
count = 4
network = "far"
protocol = "VERSION"
clean_start = false
EXPIRY
[group.qos2]
retransmit = "same_connection"
retransmit_after = "500ms"
[group.reconnect]
when = "always"
backoff = "100ms"
[[group.publish]]
topic = "orders/{client_id}"
qos = 2
rate = 20
[[group.publish]]
topic = "news/{client_id}"
qos = 1
rate = 20
retain = true
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = ["orders/#", "news/#"]
qos = 2

[[expect]]
check = "qos2_handshake"
incomplete = 0
dup_answered_with_pubrec = true
no_publish_after_pubrel = true
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
reordered = 0
misrouted = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

fn scenario(version: &str) -> String {
    let expiry = match version {
        "5.0" => "session_expiry = \"10m\"",
        _ => "",
    };
    SCENARIO
        .replace("VERSION", version)
        .replace("EXPIRY", expiry)
}

/// All that a device does is its own: copies at QoS 1 are counted and not held against the broker, and at QoS 2 there
/// is none [MQTT-4.3.3-10].
#[test]
fn an_honest_broker_keeps_its_promises_to_a_client_that_sends_again() {
    for version in ["3.1.1", "5.0"] {
        let judgement = run(&scenario(version));

        assert_broken(&judgement, &[]);
        let qos2 = judgement.measured.qos2.unwrap();
        assert_eq!(qos2.repeated["PUBLISH at QoS 1"], 200);
        assert_eq!(qos2.repeated["PUBLISH at QoS 2"], 200);
        assert_eq!(qos2.repeated["PUBLISH at QoS 2"], qos2.dup_sent);
        assert_eq!(qos2.dup_answered, qos2.dup_sent);
        let accounting = &judgement.measured.accounting;
        let copies = [1, 2].map(|qos| accounting.deliveries_at(qos).duplicated);
        assert_eq!(copies, [qos2.repeated["PUBLISH at QoS 1"], 0]);
    }
}

/// Where a PUBCOMP is lost on the way, PUBREL is sent again and the exchange ends.
#[test]
fn a_pubrel_is_sent_again_too() {
    let chosen = |passing: &Passing<'_>| {
        let is_pubcomp = matches!(passing.packet, Packet::Pubcomp(_));
        is_pubcomp && passing.client_id == "shops-0" && passing.direction == Direction::ToDevice
    };

    let patient = scenario("5.0").replace("\"500ms\"", "\"2s\"");
    let judgement = run_tampered(&patient, once(3, chosen, drop_it));

    let qos2 = judgement.measured.qos2.unwrap();
    assert_eq!((qos2.sender_completed, qos2.repeated["PUBREL"]), (200, 1));
}

/// A broker that answers a message once and its repeat not at all breaks [MQTT-4.3.3-10].
#[test]
fn a_repeat_without_an_answer_of_its_own_is_found() {
    let mut victim: Option<PacketId> = None;
    let mut answers = 0;
    let tamper = script(
        move |passing, _| match (passing.direction, passing.packet) {
            (Direction::ToDevice, Packet::Pubrec(pubrec)) if passing.client_id == "shops-0" => {
                if *victim.get_or_insert(pubrec.id) != pubrec.id {
                    return Outcome::Pass;
                }
                answers += 1;
                if answers == 2 {
                    return Outcome::Done;
                }
                Outcome::Pass
            }
            _ => Outcome::Pass,
        },
    );

    let judgement = run_tampered(&scenario("5.0"), tamper);

    assert_broken(&judgement, &["qos2_handshake().dup_answered_with_pubrec"]);
}

/// At QoS 2 a message that was sent again is one message, whatever the client did.
#[test]
fn a_copy_at_qos_2_is_not_excused_by_a_repeat() {
    let chosen = |passing: &Passing<'_>| is_to(passing, "reader-0", "orders/");
    let tamper = once(5, chosen, |passing, tampered: &mut Tampered| {
        tampered.pass(passing);
        let mut again = to_device(passing).unwrap().clone();
        again.packet_id = PacketId::new(60_000);
        tampered.forward(passing.direction, &publish_bytes(&again, passing.version));
    });

    let judgement = run_tampered(&scenario("5.0"), tamper);

    assert_broken(&judgement, &["delivery().duplicated"]);
}

/// A message of QoS 1 that was not sent again is delivered once in MQTT 5.0: only the repeated ones are excused.
#[test]
fn a_copy_at_qos_1_of_a_message_that_was_not_repeated_is_found() {
    let rarely = scenario("5.0").replace("\"500ms\"", "\"5s\"");
    let chosen = |passing: &Passing<'_>| is_to(passing, "reader-0", "news/");
    let tamper = once(5, chosen, |passing, tampered: &mut Tampered| {
        tampered.pass(passing);
        let mut again = to_device(passing).unwrap().clone();
        again.packet_id = PacketId::new(60_000);
        tampered.forward(passing.direction, &publish_bytes(&again, passing.version));
    });

    let judgement = run_tampered(&rarely, tamper);

    assert!(broken(&judgement).contains(&"delivery().duplicated".to_owned()));
}

/// MQTT 5.0 forbids the repeat, so that a broker may say so and go; in MQTT 3.1.1 nothing allows it to.
#[test]
fn a_broker_may_end_the_connection_for_it_in_mqtt_5_only() {
    for (version, broken) in [
        ("5.0", &[][..]),
        ("3.1.1", &["connections().unexpected_disconnects"][..]),
    ] {
        let mut is_done = false;
        let tamper = script(move |passing: &Passing<'_>, tampered: &mut Tampered| {
            let is_repeat = match (passing.direction, passing.packet) {
                (Direction::ToBroker, Packet::Publish(publish)) => publish.dup,
                _ => false,
            };
            if !is_repeat || std::mem::replace(&mut is_done, true) {
                return Outcome::Pass;
            }
            if version == "5.0" {
                let disconnect = Packet::Disconnect(Disconnect {
                    reason: ReasonCode::ProtocolError,
                    properties: DisconnectProperties::default(),
                });
                tampered.answer(passing, &disconnect);
            }
            tampered.close();
            Outcome::Done
        });

        let judgement = run_tampered(&scenario(version), tamper);

        assert_broken(&judgement, broken);
    }
}

/// Without an answer in time nothing is sent again where the scenario does not ask for it.
#[test]
fn nothing_is_sent_again_by_default() {
    let plain = scenario("5.0");
    let plain = plain.replace("retransmit = \"same_connection\"\n", "");
    let plain = plain.replace("retransmit_after = \"500ms\"\n", "");
    let plain = plain.replace("[group.qos2]\n", "");

    let qos2 = run(&plain).measured.qos2.unwrap();

    assert_eq!((qos2.dup_sent, qos2.repeated.len()), (0, 0));
}

/// A device behind a link whose answers come too late at times, with these streams and a subscription.
fn on_a_jittery_link(streams: &str) -> String {
    format!(
        r#"
[[network]]
name = "far"
latency = "50ms"
jitter = {{ dist = "uniform", min = "0ms", max = "200ms" }}
[[group]]
name = "red"
count = 1
network = "far"
[group.qos2]
retransmit = "same_connection"
retransmit_after = "200ms"
{streams}
[[expect]]
check = "delivery"
duplicated = 0
reordered = 0
"#
    )
}

/// A copy is excused whatever else its device publishes to the topic, and whatever QoS it is subscribed at.
#[test]
fn copies_are_excused_on_a_topic_of_several_qos() {
    let text = on_a_jittery_link(
        r#"
[[group.publish]]
topic = "u/all"
qos = 0
rate = 40
[[group.publish]]
topic = "u/all"
qos = 1
rate = 40
[[group.subscribe]]
filter = "u/#"
qos = 0
"#,
    );

    let judgement = run(&text);

    assert_broken(&judgement, &[]);
    let accounting = &judgement.measured.accounting;
    let copies = [0, 1].map(|qos| accounting.deliveries_at(qos).duplicated);
    assert!(copies.iter().sum::<u64>() > 0, "{copies:?}");
}

/// A shared subscription beside the Session's own gives a copy each of what is sent again too.
#[test]
fn copies_are_excused_of_a_session_that_shares_as_well() {
    let text = on_a_jittery_link(
        r#"
[[group.publish]]
topic = "t/0"
qos = 1
rate = 30
retain = true
[[group.subscribe]]
filter = "t/+"
qos = 0
[[group.subscribe]]
filter = "$share/b/t/#"
qos = 0
"#,
    );

    let judgement = run(&text);

    assert_broken(&judgement, &[]);
}

/// Where the link loses segments too, answers of one exchange come to the next one's time, and nothing is wrong.
#[test]
fn a_lossy_link_breaks_nothing_of_a_client_that_sends_again() {
    let text = on_a_jittery_link(
        r#"
[[group.publish]]
topic = "t/0"
qos = 2
rate = 40
[[group.subscribe]]
filter = "t/0"
qos = 2
"#,
    );
    let text = text.replace("latency = \"50ms\"", "latency = \"50ms\"\nloss = 0.3");

    let judgement = run(&text);

    assert_broken(&judgement, &[]);
    let verdict = crate::run::verdict(&judgement);
    assert!([0, 4].contains(&verdict.exit_code), "{verdict:?}");
}
