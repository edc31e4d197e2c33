//! A drive that stood still: what had arrived is told before what is due, and the pause itself always.

use std::time::Duration;

use squall_protocol::Instant;

use crate::recording::{What, secs, world};

/// A device that says nothing for an hour.
const IDLE: &str = r#"
[run]
duration = "20s"
connect_timeout = "2s"
[[group]]
name = "device"
count = 1
keep_alive = "1h"
"#;

/// The CONNACK lies unread while `connect_timeout` passes: the device has it, and did not wait in vain.
#[test]
fn what_came_in_time_goes_before_a_deadline_that_says_that_nothing_came() {
    let since = Instant::ZERO + Duration::from_micros(50);

    let outcome = world(IDLE).with_standstill(since, secs(3.0)).run();

    let recording = outcome.sink;
    let connected = recording.times(0, |what| matches!(what, What::Connected { .. }));
    assert_eq!(connected, [since + secs(3.0)]);
    assert_eq!(recording.count(|what| *what == What::OpenStarted), 1);
}

/// What arrived while other things were done late is told before a later deadline too: here each action
/// takes 0.4 s, and the answer to the CONNECT of the last device comes while others connect.
#[test]
fn what_came_by_a_deadline_goes_before_it_in_a_slow_drive() {
    let text = IDLE.replace("count = 1", "count = 6");

    let outcome = world(&text).with_time_per_action(secs(0.4)).run();

    let recording = outcome.sink;
    let connected = recording.count(|what| matches!(what, What::Connected { .. }));
    assert_eq!(connected, 6);
    assert_eq!(recording.count(|what| *what == What::OpenStarted), 6);
}

/// Nothing was due, and still it is told that nothing was read: what was on its way reached no device.
#[test]
fn a_standstill_is_told_though_nothing_was_due() {
    let since = Instant::ZERO + secs(10.0);

    let outcome = world(IDLE).with_standstill(since, secs(0.9)).run();

    let recording = outcome.sink;
    assert_eq!(recording.count(|what| *what == What::StoodStill(since)), 1);
}
