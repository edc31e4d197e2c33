//! Another client that uses the run's Client Identifiers, as far as it can be told from the wire.
//!
//! Something between devices and broker plays the takeover: the device sees what it would see.

use squall_protocol::{
    QoS, ReasonCode, Version,
    packet::{Disconnect, Packet, Publish, PublishProperties},
};
use squall_run::{Outcome as Word, Reason};
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::run::{run, run_tampered, verdict};
use crate::tampering::{
    Outcome, is_to, once, packet_bytes, publish_bytes, script, to_device, topic,
};

const ELSEWHERE: &str = "[target]\nurl = \"mqtt://127.0.0.1:1883\"";

/// Devices that publish to a reader, of which claims hold whatever happens to a connection.
fn scenario(target: &str, reader: &str) -> String {
    format!(
        r#"
{target}
[run]
duration = "20s"
drain = "2s"
[[group]]
name = "sensors"
count = 20
[group.reconnect]
backoff = "1ms"
[[group.publish]]
topic = "t/{{client_id}}"
qos = 1
rate = 100
[[group]]
name = "reader"
count = 1
{reader}
[group.reconnect]
backoff = "1ms"
[[group.subscribe]]
filter = "t/+"
qos = 1
[[expect]]
check = "delivery"
misrouted = 0
"#
    )
}

/// After its fifth message: the broker says that another connection took the reader's identifier over.
fn taken_over() -> impl Tamper {
    let mut is_over = false;
    script(move |passing, tampered| {
        if is_over || !is_to(passing, "reader-0", "t") {
            return Outcome::Pass;
        }
        is_over = true;
        let told = Packet::Disconnect(Disconnect {
            reason: ReasonCode::SessionTakenOver,
            ..Disconnect::default()
        });
        tampered.pass(passing);
        tampered.forward(passing.direction, &packet_bytes(&told, passing.version));
        tampered.close();
        Outcome::Done
    })
}

/// A takeover that no device and no fault of the run made: on a broker that others use too, the run
/// proves nothing, and says what to do.
#[test]
fn a_takeover_by_another_client_is_told() {
    let judgement = run_tampered(&scenario(ELSEWHERE, ""), taken_over());

    let verdict = verdict(&judgement);
    assert_eq!((verdict.outcome, verdict.exit_code), (Word::Invalid, 4));
    let text = verdict.reasons[0].text();
    assert!(
        text.starts_with(
            "another client uses our Client Identifiers: the broker ended 1 connections with 0x8E \
             Session taken over that no device and no fault of this run took over, e.g. reader-0;"
        ),
        "{text}"
    );
    assert!(text.contains("--set vars.site=NAME"), "{text}");
    let notes = judgement.measured.unexplained();
    assert_eq!(
        notes[0],
        "1 of 22 connections ended though nothing in the scenario asked for it: DISCONNECT from the broker: 0x8E \
         Session taken over 1."
    );
}

/// A broker that was started for the run serves no other client: then it is wrong.
#[test]
fn a_broker_that_invents_a_takeover_is_wrong() {
    let judgement = run_tampered(&scenario("", ""), taken_over());

    let verdict = verdict(&judgement);
    assert_eq!((verdict.outcome, verdict.exit_code), (Word::Fail, 98));
    let text = verdict.reasons[0].text();
    assert!(text.contains("it was started for this run"), "{text}");
}

/// What is broken while another client takes part may be its doing.
#[test]
fn a_takeover_by_another_client_outranks_what_is_broken() {
    let claims = "[[expect]]\ncheck = \"connections\"\nunexpected_disconnects = 0\n";
    let text = format!("{}{claims}", scenario(ELSEWHERE, ""));

    let judgement = run_tampered(&text, taken_over());

    let verdict = verdict(&judgement);
    assert_eq!((verdict.outcome, verdict.exit_code), (Word::Invalid, 4));
    assert!(matches!(
        verdict.reasons[..],
        [Reason::Disturbed(_), Reason::Invalid(_)]
    ));
}

/// The takeover of [`taken_over`], and every tenth message to a reader comes as `change` makes it.
fn taken_over_and_changed(
    reader: &'static str,
    change: fn(&Passing<'_>, &mut Tampered),
) -> impl Tamper {
    let mut take_over = taken_over();
    let mut seen = 0;
    script(move |passing, tampered| {
        if is_to(passing, reader, "t") {
            seen += 1;
            if seen % 10 == 0 {
                change(passing, tampered);
                return Outcome::Done;
            }
        }
        take_over.handle_packet(passing, tampered);
        Outcome::Done
    })
}

fn with_another_payload(passing: &Passing<'_>, tampered: &mut Tampered) {
    let mut publish = to_device(passing).expect("only those are chosen").clone();
    let mut payload = publish.payload.to_vec();
    *payload.last_mut().expect("it has a stamp") ^= 1;
    publish.payload = &payload;
    tampered.forward(passing.direction, &publish_bytes(&publish, passing.version));
}

/// No other client makes a broker change a message on its way between two Sessions that were never displaced:
/// such a claim is broken, whatever happened to a third. What came to the displaced Session may be its doing.
#[test]
fn what_no_other_client_can_bring_about_outranks_a_takeover() {
    let second =
        "[[group]]\nname = \"other\"\ncount = 1\n[[group.subscribe]]\nfilter = \"t/+\"\nqos = 1\n";
    let text = format!("{}{second}", scenario(ELSEWHERE, ""));

    for (reader, expected) in [
        ("other-0", (Word::Fail, 98)),
        ("reader-0", (Word::Invalid, 4)),
    ] {
        let judgement = run_tampered(&text, taken_over_and_changed(reader, with_another_payload));

        let verdict = verdict(&judgement);
        assert_eq!((verdict.outcome, verdict.exit_code), expected, "{reader}");
        let tells = |reason: &Reason| matches!(reason, Reason::Disturbed(_));
        assert!(verdict.reasons.iter().any(tells), "{reader}: {verdict:?}");
    }
}

/// The reader gets a message of another run after its third message, and its connection is closed after
/// the one with number `last`.
fn of_another_run_then_close(last: u32) -> impl Tamper {
    let mut seen = 0;
    script(move |passing: &Passing<'_>, tampered: &mut Tampered| {
        if !is_to(passing, "reader-0", "t") {
            return Outcome::Pass;
        }
        seen += 1;
        tampered.pass(passing);
        if seen == 3 {
            tampered.forward(passing.direction, &of_another_run(passing.version));
        }
        if seen == last {
            tampered.close();
        }
        Outcome::Done
    })
}

/// MQTT 3.1.1 has no reason for a close. Beside messages of another run it is taken for a takeover.
#[test]
fn a_bare_close_beside_messages_of_another_run_is_told() {
    let text = scenario(ELSEWHERE, "protocol = \"3.1.1\"");

    let judgement = run_tampered(&text, of_another_run_then_close(5));

    let verdict = verdict(&judgement);
    assert_eq!((verdict.outcome, verdict.exit_code), (Word::Invalid, 4));
    let text = verdict.reasons[0].text();
    assert!(
        text.starts_with("another run of squall uses our topics"),
        "{text}"
    );
}

/// One message of another run and one connection that the broker resets do not show that our identifiers
/// are used: what is broken stays broken.
#[test]
fn a_message_of_another_run_excuses_no_reset_of_another_device() {
    let claims = "[[expect]]\ncheck = \"connections\"\nunexpected_disconnects = 0\n";
    let text = format!("{}{claims}", scenario(ELSEWHERE, "protocol = \"3.1.1\""));

    let judgement = run_tampered(&text, of_another_run_then_close(900));

    let verdict = verdict(&judgement);
    assert_eq!((verdict.outcome, verdict.exit_code), (Word::Fail, 98));
}

/// A message of another run that bears the number of the device that was closed: two runs of one scenario
/// number their devices alike.
#[test]
fn a_message_of_another_run_by_the_device_that_was_closed_outranks_what_is_broken() {
    let claims = "[[expect]]\ncheck = \"connections\"\nunexpected_disconnects = 0\n";
    let text = format!(
        "{}{claims}",
        scenario(ELSEWHERE, "protocol = \"3.1.1\"")
            .replace("count = 20", "count = 20\nprotocol = \"3.1.1\"")
    );
    let (mut seen, mut is_closed) = (0, false);
    let tamper = script(move |passing: &Passing<'_>, tampered: &mut Tampered| {
        if passing.client_id == "sensors-0" && seen > 3 && !is_closed {
            is_closed = true;
            tampered.close();
            return Outcome::Done;
        }
        if !is_to(passing, "reader-0", "t") {
            return Outcome::Pass;
        }
        seen += 1;
        tampered.pass(passing);
        if seen == 3 {
            tampered.forward(passing.direction, &of_another_run(passing.version));
        }
        Outcome::Done
    });

    let judgement = run_tampered(&text, tamper);

    let verdict = verdict(&judgement);
    assert_eq!((verdict.outcome, verdict.exit_code), (Word::Invalid, 4));
}

/// A message that bears the stamp of another run.
fn of_another_run(version: Version) -> Vec<u8> {
    let mut payload = Vec::new();
    let stamp = squall_fleet::Stamp {
        run: squall_fleet::RunTag::of_seed(99),
        device: squall_scenario::DeviceId(0),
        sequence: 7,
        scheduled: squall_protocol::Instant::from_nanos(3_000_000_000),
    };
    squall_fleet::payload::append_binary(&mut payload, stamp, 16);
    publish_bytes(
        &Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: false,
            topic: topic("t/sensors-0"),
            packet_id: None,
            properties: PublishProperties::default(),
            payload: &payload,
        },
        version,
    )
}

/// A close without a reason after which the Session is gone: another client, or a broker that lost it.
/// Which of them cannot be told, so what is broken stays broken.
#[test]
fn a_bare_close_and_a_session_that_is_gone_are_told() {
    let text = scenario(
        ELSEWHERE,
        "protocol = \"3.1.1\"\nclean_start = false\nkeep_alive = \"10s\"",
    );
    let mut seen = 0;
    let tamper = script(move |passing: &Passing<'_>, tampered: &mut Tampered| {
        if passing.client_id != "reader-0" || passing.direction != Direction::ToDevice {
            return Outcome::Pass;
        }
        if let Packet::Connack(connack) = passing.packet {
            let mut connack = connack.clone();
            connack.session_present = false;
            tampered.replace(passing, &Packet::Connack(connack));
            return Outcome::Done;
        }
        seen += 1;
        tampered.pass(passing);
        if seen == 50 {
            tampered.close();
        }
        Outcome::Done
    });

    let judgement = run_tampered(&text, tamper);

    let reasons = &judgement.reasons;
    let told = reasons.iter().any(|reason| {
        matches!(reason, Reason::Invalid(text) if text.contains("1 Sessions were gone at the next CONNECT"))
    });
    assert!(told, "{reasons:?}");
}

/// Without another client no reason names one, on a broker of our own and on one that runs already.
#[test]
fn an_undisturbed_run_passes() {
    for target in ["", ELSEWHERE] {
        let judgement = run(&scenario(target, ""));

        assert_eq!(judgement.reasons, []);
        assert_eq!(judgement.measured.unexplained(), [] as [String; 0]);
    }
}

/// A close that comes alone is told as an end that nothing asked for, and belongs to no takeover.
#[test]
fn a_lone_close_is_noted() {
    let tamper = once(
        5,
        |passing| is_to(passing, "reader-0", "t"),
        |passing, tampered| {
            tampered.pass(passing);
            tampered.close();
        },
    );

    let judgement = run_tampered(&scenario(ELSEWHERE, ""), tamper);

    assert_eq!(judgement.reasons, []);
    let notes = judgement.measured.unexplained();
    assert_eq!(
        notes,
        [
            "1 of 22 connections ended though nothing in the scenario asked for it: peer closed (RST) 1."
        ]
    );
}

/// A connection that ends without a word: on a broker that others use too the violation names another client
/// as what it may be, on one of our own it does not.
#[test]
fn a_violation_by_a_lone_close_says_what_else_it_may_be() {
    for (target, is_named) in [(ELSEWHERE, true), ("", false)] {
        let claim = "[[expect]]\ncheck = \"connections\"\nunexpected_disconnects = 0\n";
        let text = scenario(target, "protocol = \"3.1.1\"") + claim;
        let tamper = once(
            5,
            |passing| is_to(passing, "reader-0", "t"),
            |passing, tampered| {
                tampered.pass(passing);
                tampered.close();
            },
        );

        let judgement = run_tampered(&text, tamper);

        let checks = &judgement.measured.checks;
        let violation = &checks[1].violations[0].explanation;
        assert_eq!(
            violation.contains("another client"),
            is_named,
            "{violation}"
        );
    }
}
