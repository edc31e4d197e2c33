//! What a broken claim shows: whose its violations are, and what they say.

use crate::run::run_tampered;
use crate::tampering::{Outcome, script, to_device};

/// A group that is told something by one device.
const SCENARIO: &str = r#"
[run]
duration = "4s"
drain = "2s"
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

/// A broker that delivers nothing: each sensor has its share of the
/// violations that are shown, and is named as the scenario names it.
#[test]
fn violations_are_spread_over_devices() {
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
    let mut shown: Vec<&str> = check
        .violations
        .iter()
        .filter_map(|violation| violation.client_id.as_deref())
        .collect();
    shown.sort_unstable();
    shown.dedup();
    assert_eq!(shown.len(), 5, "{shown:?}");
    let counts: Vec<(&str, u64)> = check
        .by_device
        .iter()
        .map(|device| (device.client_id.as_str(), device.count))
        .collect();
    assert_eq!(
        counts,
        [0, 1, 2, 3, 4].map(|index| (
            [
                "sensor-000",
                "sensor-001",
                "sensor-002",
                "sensor-003",
                "sensor-004"
            ][index],
            80
        ))
    );
    let explanation = &check.violations[0].explanation;
    assert!(
        explanation.contains("of control-0, sent at"),
        "{explanation}"
    );
}
