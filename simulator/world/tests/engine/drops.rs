//! Faults that end a connection, and the wills that follow (§3.1.2.5).

use std::time::Duration;

use squall_fleet::{EndCause, Phase};
use squall_protocol::{Instant, ReasonCode};
use squall_scenario::FaultId;

use crate::recording::{Recording, What, run, secs, world};

/// One device with a will, one watcher, and `fault` at five seconds.
fn run_with(fault: &str) -> Recording {
    run_against("", fault)
}

/// The same with the keys of `[target]`.
fn run_against(target: &str, fault: &str) -> Recording {
    let outcome = run(&format!(
        r#"
        [target]
        {target}
        [run]
        duration = "20s"
        [[group]]
        name = "device"
        count = 1
        keep_alive = "4s"
        [group.will]
        topic = "status"
        qos = 1
        [[group]]
        name = "watcher"
        count = 1
        [[group.subscribe]]
        filter = "status"
        qos = 1
        [[fault]]
        at = "5s"
        group = "device"
        {fault}
        "#
    ));
    assert_eq!(outcome.faults[0].applied, 1, "{fault}");
    assert_eq!(outcome.faults[0].inapplicable, 0, "{fault}");
    outcome.sink
}

/// When the fault was done, by the device's own word.
fn done_at(recording: &Recording) -> Instant {
    recording.times(0, |what| *what == What::FaultApplied(FaultId(0)))[0]
}

/// Time from the fault to the one will, if there was one.
fn time_to_will(recording: &Recording) -> Option<Duration> {
    let wills = recording.deliveries_on("status");
    assert!(wills.len() <= 1, "{wills:?}");
    wills
        .first()
        .map(|at| at.saturating_since(done_at(recording)))
}

/// [MQTT-3.1.2-8]: the will is published when the connection is closed without DISCONNECT.
#[test]
fn every_drop_that_the_broker_can_see_brings_the_will_at_once() {
    for how in ["rst", "fin", "half_close", "mid_packet", "malformed"] {
        let recording = run_with(&format!("action = \"drop\"\nhow = \"{how}\""));

        let time = time_to_will(&recording).unwrap_or_else(|| panic!("no will after {how}"));
        assert!(time < secs(0.01), "{how}: {time:?}");
    }
}

/// The end of the stream is the end of the connection, whether TLS announced it or not.
#[test]
fn an_end_without_a_word_in_tls_brings_the_will_at_once() {
    let target = "url = \"mqtts://localhost\"";
    let recording = run_against(target, "action = \"drop\"\nhow = \"tls_abort\"");

    let time = time_to_will(&recording).expect("a will");
    assert!(time < secs(0.01), "{time:?}");
}

/// [MQTT-3.1.2-22]: silence is noticed after one and a half times Keep Alive, not before. It counts
/// from the last packet, which is at most one Keep Alive before the fault.
#[test]
fn a_silent_drop_brings_the_will_after_the_keep_alive() {
    let recording = run_with("action = \"drop\"\nhow = \"silent\"");

    let time = time_to_will(&recording).expect("a will");
    assert!((secs(2.0)..secs(7.0)).contains(&time), "{time:?}");
}

/// [MQTT-3.14.4-3]: a normal DISCONNECT discards the will.
#[test]
fn a_polite_goodbye_brings_no_will() {
    let recording = run_with("action = \"disconnect\"");

    assert_eq!(time_to_will(&recording), None);
}

/// §3.14.2.1: 0x04 asks for the will all the same.
#[test]
fn a_goodbye_with_will_brings_the_will() {
    let recording = run_with("action = \"disconnect\"\nreason = \"with_will\"");

    assert!(time_to_will(&recording).is_some());
    let cause = EndCause::Disconnected {
        fault: FaultId(0),
        reason: ReasonCode::DisconnectWithWillMessage,
    };
    assert_eq!(recording.count(|what| *what == What::Ended(cause)), 1);
}

/// A device that a fault ended is gone, unless its group comes back always.
#[test]
fn a_dropped_device_stays_away_by_default() {
    let recording = run_with("action = \"drop\"\nhow = \"rst\"");

    let connects = recording.times(0, |what| *what == What::ConnectSent);
    assert_eq!(connects.len(), 1);
}

/// Faults at one moment take different devices, as shares of the whole group.
#[test]
fn faults_of_one_moment_share_the_group_among_them() {
    let outcome = run(r#"
        [run]
        duration = "10s"
        [[group]]
        name = "devices"
        count = 100
        [[fault]]
        at = "1s"
        group = "devices"
        select = { fraction = 0.5 }
        action = "drop"
        how = "silent"
        [[fault]]
        at = "1s"
        group = "devices"
        select = { fraction = 0.2 }
        action = "drop"
        how = "rst"
        [[fault]]
        at = "1s"
        group = "devices"
        select = { fraction = 0.2 }
        action = "disconnect"
        "#);

    let applied: Vec<u64> = outcome.faults.iter().map(|report| report.applied).collect();
    assert_eq!(applied, [50, 20, 20]);
    let measuring = outcome.sink.phase(Phase::Measuring);
    let struck: Vec<_> = outcome.faults[0].strikes.iter().map(|s| s.at).collect();
    assert_eq!(struck, [measuring + secs(1.0)]);
    for device in 0..100 {
        let ends = outcome
            .sink
            .times(device, |what| matches!(what, What::Ended(_)));
        assert_eq!(ends.len(), 1, "device {device}");
    }
}

/// 200 devices with wills, reset by one fault, by a generator that takes `per_action` for each
/// thing that it does. Returns the times from each device's close to its will, and how late each
/// close was, both in order of the devices.
fn reset_200(per_action: Duration) -> (Vec<Duration>, Vec<Duration>) {
    const DEVICES: u32 = 200;
    let text = r#"
        [run]
        duration = "10s"
        [[group]]
        name = "device"
        count = 200
        client_id = "device-{index}"
        [group.will]
        topic = "status/{client_id}"
        [[group]]
        name = "watcher"
        count = 1
        [[group.subscribe]]
        filter = "status/+"
        [[fault]]
        at = "5s"
        group = "device"
        action = "drop"
        how = "rst"
        "#;
    let world = world(text).with_time_per_action(per_action);
    let recording = world.run().sink;
    let measuring = recording.phase(Phase::Measuring);
    let due = measuring + secs(5.0);
    let ends: Vec<Instant> = (0..DEVICES)
        .map(|device| recording.times(device, |what| matches!(what, What::Ended(_)))[0])
        .collect();
    let wills = (0..DEVICES).map(|device| {
        let seen = recording.deliveries_on(&format!("status/device-{device}"));
        assert_eq!(seen.len(), 1, "device {device}");
        seen[0].saturating_since(ends[device as usize])
    });
    let lags = ends.iter().map(|&end| end.saturating_since(due));
    (wills.collect(), lags.collect())
}

/// What a close causes counts from that close. A generator that needs 20 us for each of 200 closes
/// is late with the last ones, and that is its lag: it does not make the broker's wills late.
#[test]
fn a_slow_generator_is_late_and_does_not_make_the_wills_late() {
    let action = Duration::from_micros(20);
    let (quick_wills, quick_lags) = reset_200(Duration::ZERO);
    let (slow_wills, slow_lags) = reset_200(action);

    assert_eq!(quick_lags.iter().max(), Some(&Duration::ZERO));
    assert!(slow_lags.iter().max() > Some(&(190 * action)));
    let quick = quick_wills.iter().max().expect("200 wills");
    let slow = slow_wills.iter().max().expect("200 wills");
    // What comes in waits for the action that is being done when it comes, on either way.
    assert!(*slow <= *quick + 2 * action, "{slow:?} against {quick:?}");
}
