//! Payloads without a stamp in them: each message is known by a User Property.

use squall_protocol::packet::Publish;

use crate::run::{assert_broken, run, run_tampered};
use crate::tampering::{is_to, once, publish_bytes, to_device};

const SCENARIO: &str = r#"
[run]
duration = "4s"
drain = "2s"
[[group]]
name = "meters"
count = 4
[[group.publish]]
topic = "meters/{client_id}"
qos = 2
rate = 40
retain = true
payload = { hex = "01 00 2a 00 00 10 e1 07 ff ff 00 5c" }
stamp = "property"
user_properties = { unit = "kWh" }
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "meters/+"
qos = 2
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
reordered = 0
misrouted = 0
[[expect]]
check = "retained"
filter = "meters/+"
equals = "last_publish"
"#;

/// Changes the twentieth message to the reader.
fn change(how: impl Fn(&mut Publish<'_>) + 'static) -> impl squall_world::Tamper {
    once(
        20,
        |passing| is_to(passing, "reader-0", "meters"),
        move |passing, tampered| {
            let mut publish = to_device(passing).expect("it was chosen").clone();
            how(&mut publish);
            let bytes = publish_bytes(&publish, passing.version);
            tampered.forward(passing.direction, &bytes);
        },
    )
}

/// Equal payloads are told apart, and each claim has something to judge.
#[test]
fn equal_payloads_are_accounted_for_one_by_one() {
    let judgement = run(SCENARIO);

    assert_broken(&judgement, &[]);
    let deliveries = judgement.measured.accounting.deliveries_at(2);
    assert_eq!((deliveries.expected, deliveries.delivered), (160, 160));
}

/// Brokers pass User Properties on unaltered [MQTT-3.3.2-17]: without its own a message is not what was published.
#[test]
fn a_message_that_loses_its_property_is_corrupted() {
    let tamper = change(|publish| publish.properties.user_properties.clear());

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery().lost", "delivery().corrupted"]);
}

/// The payload is compared byte by byte, though nothing of squall's is in it.
#[test]
fn a_changed_byte_is_corrupted() {
    let tamper =
        change(|publish| publish.payload = b"\x01\x00\x2a\x00\x00\x10\xe1\x07\xff\xff\x00\x5d");

    let judgement = run_tampered(SCENARIO, tamper);

    assert_broken(&judgement, &["delivery().lost", "delivery().corrupted"]);
}
