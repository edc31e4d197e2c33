//! What a broken claim shows: whose its violations are, and what they say.

use crate::run::run_tampered;
use crate::tampering::{Outcome, script, to_device};

/// A group that is told something by one device.
const SCENARIO: &str = r#"
[run]
duration = "4s"
drain = "10s"
[[group]]
name = "control"
count = 1
[[group.publish]]
topic = "cmd"
qos = 1
rate = 20
[[group]]
name = "sensor"
count = 5
client_id = "sensor-{index:03}"
[[group.subscribe]]
filter = "cmd"
qos = 1
[[expect]]
check = "delivery"
lost = 0
"#;

/// A broker that delivers nothing: what is lost is named by the device whose message it was, beside the one that
/// should have had it, and each sensor has its share of the violations that are shown.
#[test]
fn violations_name_the_publisher_and_the_recipient() {
    let tamper = script(|passing, _| {
        let is_lost = passing.client_id.starts_with("sensor") && to_device(passing).is_some();
        if is_lost {
            Outcome::Done
        } else {
            Outcome::Pass
        }
    });

    let judgement = run_tampered(SCENARIO, tamper);

    let check = &judgement.measured.checks[0];
    let shown = check.violations.iter();
    let publishers = shown.clone().map(|shown| shown.client_id.as_deref());
    assert!(publishers.into_iter().all(|name| name == Some("control-0")));
    let mut recipients: Vec<&str> = shown
        .filter_map(|shown| shown.recipient.as_deref())
        .collect();
    recipients.sort_unstable();
    recipients.dedup();
    let sensors = [
        "sensor-000",
        "sensor-001",
        "sensor-002",
        "sensor-003",
        "sensor-004",
    ];
    assert_eq!(recipients, sensors);
    let counts: Vec<(&str, u64, u64)> = check
        .by_device
        .iter()
        .map(|device| (device.client_id.as_str(), device.count, device.as_recipient))
        .collect();
    let mut expected = vec![("control-0", 400, 0)];
    expected.extend(sensors.map(|sensor| (sensor, 0, 80)));
    assert_eq!(counts, expected);
    let explanation = &check.violations[0].explanation;
    assert!(
        explanation.contains("of control-0, sent at"),
        "{explanation}"
    );
}
