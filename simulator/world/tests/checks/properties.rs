//! Content Type and User Properties of messages: a broker passes them on unaltered [MQTT-3.3.2-17] [MQTT-3.3.2-20],
//! also where each message has its own.

use squall_protocol::packet::Publish;
use squall_run::AnomalyKind;

use crate::run::{assert_broken, run, run_tampered};
use crate::tampering::{is_to, once, publish_bytes, to_device};

const SCENARIO: &str = r#"
[run]
duration = "4s"
drain = "2s"
[[group]]
name = "sensors"
count = 4
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 40
retain = true
content_type = "text/{rand.choice:plain|csv}"
user_properties = { n = "{seq}", "trace-{seq % 2}" = "{uuid}", at = "{now_iso}" }
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 1
[[group]]
name = "old"
count = 1
protocol = "3.1.1"
[[group.subscribe]]
filter = "t/+"
qos = 1
[[group]]
name = "late"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 1
start = "3900ms"
[[expect]]
check = "delivery"
group = "READER"
lost = 0
misrouted = 0
"#;

fn scenario(reader: &str) -> String {
    SCENARIO.replace("READER", reader)
}

/// Changes message `number` to the device `to`.
fn change(
    to: &'static str,
    number: usize,
    how: impl Fn(&mut Publish<'_>) + 'static,
) -> impl squall_world::Tamper {
    once(
        number,
        move |passing| is_to(passing, to, "t/"),
        move |passing, tampered| {
            let mut publish = to_device(passing).expect("it was chosen").clone();
            how(&mut publish);
            let bytes = publish_bytes(&publish, passing.version);
            tampered.forward(passing.direction, &bytes);
        },
    )
}

/// Each recipient gets each message as it was sent: one of MQTT 3.1.1 without its properties, which it cannot have, one
/// that asks later out of the store.
#[test]
fn nothing_is_held_against_a_broker_that_passes_them_on() {
    for reader in ["reader", "old", "late"] {
        let judgement = run(&scenario(reader));

        assert_broken(&judgement, &[]);
        let anomalies = &judgement.measured.anomaly_counts;
        assert_eq!(
            anomalies.get(&AnomalyKind::Corrupted),
            None,
            "{anomalies:?}"
        );
    }
}

/// What was made for a message is what must come, to the letter and in its order: nothing else is that message.
#[test]
fn a_message_with_other_properties_than_its_own_is_corrupted() {
    let ways: [fn(&mut Publish<'_>); 5] = [
        |publish| publish.properties.user_properties[0].1 = "1",
        |publish| publish.properties.user_properties[1].0 = "trace",
        |publish| publish.properties.user_properties.swap(0, 2),
        |publish| publish.properties.user_properties.clear(),
        |publish| publish.properties.content_type = Some("text/html"),
    ];
    for way in ways {
        let judgement = run_tampered(&scenario("reader"), change("reader-0", 20, way));

        assert_broken(
            &judgement,
            &["delivery(reader).lost", "delivery(reader).corrupted"],
        );
        let anomalies = &judgement.measured.anomaly_counts;
        assert_eq!(
            anomalies.get(&AnomalyKind::Corrupted),
            Some(&1),
            "{anomalies:?}"
        );
    }
}

/// A retained message comes out of the store with the properties that it was published with.
#[test]
fn a_retained_message_with_other_properties_is_corrupted() {
    let tamper = change("late-0", 0, |publish| {
        assert!(publish.retain, "it is out of the store");
        publish.properties.user_properties[1].1 = "0";
    });

    let judgement = run_tampered(&scenario("late"), tamper);

    assert_broken(&judgement, &["delivery(late).corrupted"]);
}

/// Nothing forbids a broker to say something of its own.
#[test]
fn a_property_that_the_broker_adds_changes_nothing() {
    let tamper = change("reader-0", 20, |publish| {
        publish.properties.user_properties.push(("node", "7"));
    });

    let judgement = run_tampered(&scenario("reader"), tamper);

    assert_broken(&judgement, &[]);
}
