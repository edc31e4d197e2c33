//! Ctrl-C: what is under way drains, and nothing new begins.

use squall_fleet::{About, Phase};
use squall_protocol::Instant;
use squall_scenario::{DeviceId, FaultId};

use crate::recording::{Recording, What, secs, world};

/// 100 devices, of which one connects every 100 ms.
const SLOW_START: &str = r#"
[run]
duration = "10s"
drain = "5s"
[[group]]
name = "sensors"
count = 100
connect_rate = 10
"#;

/// Devices that are cut and taken over all the time and come back after half a second.
const RESTLESS: &str = r#"
[run]
duration = "1m"
drain = "5s"
[[group]]
name = "sensors"
count = 20
clean_start = false
session_expiry = "5m"
[group.reconnect]
backoff = "500ms"
[group.qos2]
cut_after = { publish = 0.5 }
[[group.publish]]
topic = "data"
qos = 2
rate = 40
[[fault]]
every = "300ms"
group = "sensors"
select = { count = 3 }
action = "drop"
how = "rst"
[[fault]]
every = "500ms"
group = "sensors"
select = { count = 2 }
action = "takeover"
"#;

/// What a run records that is stopped after `seconds`, with the moment of the stop.
fn stopped_after(text: &str, seconds: f64) -> (Recording, Instant) {
    let mut world = world(text);
    while world.now() < Instant::ZERO + secs(seconds) {
        assert!(world.step());
    }
    let stopped = world.now();
    world.stop();
    (world.run().sink, stopped)
}

/// What devices of the scenario told after the stop and that `wanted` accepts.
fn after(recording: &Recording, stopped: Instant, wanted: impl Fn(&What) -> bool) -> usize {
    let of_devices = recording.seen.iter().filter(|seen| match seen.about {
        About::Device {
            device: DeviceId(device),
            ..
        } => device < 100,
        About::Run => false,
    });
    of_devices
        .filter(|seen| seen.at > stopped && wanted(&seen.what))
        .count()
}

/// A stop while devices connect: those that have not begun stay away.
#[test]
fn no_device_connects_after_a_stop() {
    let (recording, stopped) = stopped_after(SLOW_START, 3.05);

    let opened = recording.count(|what| *what == What::OpenStarted);
    assert_eq!(opened, 32);
    assert_eq!(
        after(&recording, stopped, |what| *what == What::OpenStarted),
        0
    );
    assert_eq!(recording.phase(Phase::Draining), stopped);
    assert_eq!(recording.phase(Phase::Checking), stopped + secs(5.0));
}

/// A stop in the load: no device that is away comes back or is taken over, and no fault cuts one.
#[test]
fn no_device_comes_back_and_no_fault_strikes_after_a_stop() {
    for seconds in [2.0, 3.1, 4.7] {
        let (recording, stopped) = stopped_after(RESTLESS, seconds);

        let before = recording.count(|what| *what == What::OpenStarted);
        assert!(before > 30, "devices came back until then: {before}");
        let opened = after(&recording, stopped, |what| *what == What::OpenStarted);
        let struck = after(&recording, stopped, |what| {
            *what == What::FaultApplied(FaultId(0))
        });
        assert_eq!((opened, struck), (0, 0), "stopped after {seconds} s");
    }
}

/// A connection that is being opened when the run is stopped is let in, as everything that is under way.
#[test]
fn a_connection_under_way_is_not_cut_off_by_a_stop() {
    let mut world = world(SLOW_START);
    let opening = |world: &squall_world::World<Recording>| {
        let sink = world.fleet().sink();
        let opened = sink.count(|what| *what == What::OpenStarted);
        opened - sink.count(|what| matches!(what, What::Connected { .. }))
    };
    while opening(&world) == 0 {
        assert!(world.step());
    }
    world.stop();

    let recording = world.run().sink;

    let let_in = recording.count(|what| matches!(what, What::Connected { .. }));
    assert_eq!(let_in, recording.count(|what| *what == What::OpenStarted));
}
