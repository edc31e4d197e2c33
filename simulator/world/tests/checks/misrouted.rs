//! `delivery`: messages that went astray, were made up or changed, and those of others.

use std::cell::RefCell;
use std::rc::Rc;

use squall_fleet::{RunTag, Stamp, payload};
use squall_protocol::QoS;

use crate::delivery::{READER, SCENARIO};
use crate::run::{assert_broken, run_tampered};
use crate::tampering::{Outcome, is_to, once, publish_bytes, script, to_device, topic};

/// A message that no subscription of the Session asks for is misrouted (§3.3.4).
#[test]
fn a_message_for_another_is_misrouted() {
    let foreign: Rc<RefCell<Option<Vec<u8>>>> = Rc::default();
    let tamper = script(move |passing, tampered| {
        if is_to(passing, "auditor-0", "private") {
            foreign
                .borrow_mut()
                .get_or_insert_with(|| passing.bytes.to_vec());
        }
        if is_to(passing, READER, "telemetry")
            && let Some(bytes) = foreign.borrow_mut().as_mut()
        {
            tampered.forward(passing.direction, &std::mem::take(bytes));
        }
        Outcome::Pass
    });

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery().misrouted"]);
}

/// Runs `text` with one delivery followed by another whose payload is `invent`ed from its stamp.
fn run_with_invented(
    text: &str,
    invent: impl Fn(Stamp) -> Vec<u8> + 'static,
) -> squall_ledger::Judgement {
    let tamper = once(
        5,
        |passing| is_to(passing, READER, "telemetry"),
        move |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            let mut invented = to_device(passing).expect("a PUBLISH was chosen").clone();
            let payload = invent(payload::parse(invented.payload).expect("it is stamped"));
            invented.topic = topic("telemetry/sensors-0");
            invented.payload = &payload;
            invented.qos = QoS::AtMostOnce;
            invented.packet_id = None;
            tampered.forward(
                passing.direction,
                &publish_bytes(&invented, passing.version),
            );
        },
    );
    run_tampered(text, tamper)
}

/// A message of this run that no device has sent is misrouted.
#[test]
fn an_invented_message_is_misrouted() {
    let judgement = run_with_invented(SCENARIO, |stamp| {
        let never_sent = Stamp {
            sequence: stamp.sequence + 1_000_000,
            ..stamp
        };
        let mut payload = Vec::new();
        payload::append_binary(&mut payload, never_sent, payload::STAMP_BYTES);
        payload
    });

    assert_broken(&judgement, &["delivery().misrouted"]);
}

/// Another run may publish to the same topics of a broker that others use: what bears its stamp is
/// counted and not judged.
#[test]
fn a_message_of_another_run_is_foreign() {
    let shared = format!("[target]\nurl = \"mqtt://127.0.0.1:1883\"\n{SCENARIO}");

    let judgement = run_with_invented(&shared, |stamp| {
        let of_another_run = Stamp {
            run: RunTag::of_seed(77),
            ..stamp
        };
        let mut payload = Vec::new();
        payload::append_binary(&mut payload, of_another_run, payload::STAMP_BYTES + 8);
        payload
    });

    assert_broken(&judgement, &[]);
    let deliveries = &judgement.measured.accounting.deliveries;
    let foreign: u64 = deliveries.iter().map(|entry| entry.foreign).sum();
    assert_eq!(foreign, 1);
}

/// The payload that comes is the payload that was published, to the last byte.
#[test]
fn a_changed_payload_is_found() {
    let tamper = once(
        5,
        |passing| is_to(passing, READER, "telemetry"),
        |passing, tampered| {
            let publish = to_device(passing).unwrap();
            let mut payload = publish.payload.to_vec();
            *payload.last_mut().unwrap() ^= 1;
            let mut changed = publish.clone();
            changed.payload = &payload;
            tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(
        &judgement,
        &[
            "delivery(1).lost",
            "delivery(1).corrupted",
            "delivery().corrupted",
        ],
    );
    let books = &judgement.measured.accounting;
    let corrupted: u64 = books.deliveries.iter().map(|entry| entry.corrupted).sum();
    assert_eq!((corrupted, books.balance()), (1, 0));
}

/// A message keeps its topic: under another no device asked for it, and its own is lost.
#[test]
fn a_changed_topic_is_found() {
    let tamper = once(
        5,
        |passing| is_to(passing, READER, "telemetry/sensors-1"),
        |passing, tampered| {
            let mut changed = to_device(passing).unwrap().clone();
            changed.topic = topic("telemetry/sensors-2");
            tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        },
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery(1).lost", "delivery().misrouted"]);
}
