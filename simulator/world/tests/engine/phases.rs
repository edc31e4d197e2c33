//! The phases of a run: what happens in which, and what ends them.

use squall_fleet::{Phase, Stamp};
use squall_protocol::Instant;

use crate::recording::{Recording, What, run, secs, world};

const LOAD: &str = r#"
[run]
warmup = "2s"
duration = "10s"
drain = "3s"
[[group]]
name = "sensors"
count = 20
connect_rate = 10
[group.will]
topic = "gone"
[[group.publish]]
topic = "data"
qos = 1
rate = 100
retain = true
[[group]]
name = "backend"
count = 1
[[group.subscribe]]
filter = "data"
[[fault]]
at = "5s"
group = "sensors"
select = { match = "sensors-*7" }
action = "drop"
how = "rst"
[[expect]]
check = "retained"
filter = "data"
equals = "last_publish"
"#;

fn scheduled(recording: &Recording) -> Vec<Instant> {
    let due = recording.stamps(|what| {
        if let What::Due(stamp) = what {
            Some(*stamp)
        } else {
            None
        }
    });
    due.iter()
        .map(|&Stamp { scheduled, .. }| scheduled)
        .collect()
}

/// Device `i` of a group is due after `i / connect_rate` seconds.
#[test]
fn devices_connect_at_the_rate_of_their_group() {
    let recording = run(LOAD).sink;

    for device in 0..20 {
        let opened = recording.times(device, |what| *what == What::OpenStarted)[0];
        assert_eq!(opened, Instant::ZERO + secs(f64::from(device) / 10.0));
    }
}

/// Every phase in its turn and as long as the file says; the load fills the two it belongs to.
#[test]
fn each_phase_lasts_as_long_as_configured() {
    let recording = run(LOAD).sink;

    let phases: Vec<Phase> = recording.phases.iter().map(|&(phase, _)| phase).collect();
    assert_eq!(
        phases,
        [
            Phase::Connecting,
            Phase::WarmingUp,
            Phase::Measuring,
            Phase::Draining,
            Phase::Checking,
            Phase::Leaving,
            Phase::Finished,
        ]
    );
    let warm_up = recording.phase(Phase::WarmingUp);
    assert!(
        warm_up < Instant::ZERO + secs(2.0),
        "all were there: {warm_up}"
    );
    assert_eq!(recording.phase(Phase::Measuring), warm_up + secs(2.0));
    assert_eq!(recording.phase(Phase::Draining), warm_up + secs(12.0));
    assert_eq!(recording.phase(Phase::Checking), warm_up + secs(15.0));
    let scheduled = scheduled(&recording);
    assert_eq!(scheduled.iter().min(), Some(&warm_up));
    assert!(scheduled.iter().all(|&at| at < warm_up + secs(12.0)));
    // The two that were dropped at 7 s publish nothing after that: 2 x 5 messages a second.
    assert_eq!(scheduled.len(), 1_200 - 50);
}

/// Ctrl-C: no more load and no more faults, but drain, checks and goodbye.
#[test]
fn a_stopped_run_still_drains_and_checks() {
    let mut world = world(LOAD);
    while world.now() < Instant::ZERO + secs(6.0) {
        assert!(world.step());
    }
    let stopped = world.now();
    world.stop();
    let outcome = world.run();
    let recording = &outcome.sink;

    assert!(scheduled(recording).iter().all(|&at| at <= stopped));
    assert_eq!(recording.phase(Phase::Draining), stopped);
    assert_eq!(recording.phase(Phase::Checking), stopped + secs(3.0));
    assert_eq!(outcome.faults[0].strikes, []);
    assert_eq!(recording.count(|what| *what == What::RetainedComplete), 1);
}

/// Ctrl-C in the drain does not shorten it: what is on its way would be taken for lost.
#[test]
fn a_run_stopped_in_the_drain_drains_to_its_end() {
    let mut world = world(LOAD);
    while world.fleet().progress(world.now()).phase < Phase::Draining {
        assert!(world.step());
    }
    let draining = world.now();
    world.stop();
    let recording = world.run().sink;

    assert_eq!(recording.phase(Phase::Checking), draining + secs(3.0));
}

/// 50 messages a second for six seconds to one reader, 50 ms away.
const FAR: &str = r#"
[run]
duration = "6s"
drain = "1s"
[[network]]
name = "far"
latency = "50ms"
[[group]]
name = "sensors"
count = 5
[[group.publish]]
topic = "data"
qos = 1
rate = 50
[[group]]
name = "reader"
count = 1
network = "far"
[[group.subscribe]]
filter = "data"
qos = 1
"#;

/// `FAR` with a generator that does nothing from `start` on for `length`, in seconds.
fn run_with_standstill(start: f64, length: f64) -> Recording {
    let start = Instant::ZERO + secs(start);
    world(FAR).with_standstill(start, secs(length)).run().sink
}

fn delivered(recording: &Recording) -> usize {
    recording.count(|what| matches!(what, What::Delivered { .. }))
}

/// A generator that was held up over the end of the load publishes all that was due, and then drains.
#[test]
fn a_standstill_over_the_end_of_the_load_leaves_nothing_out() {
    let recording = run_with_standstill(3.0, 5.0);

    assert_eq!(scheduled(&recording).len(), 300);
    assert_eq!(delivered(&recording), 300);
    assert!(recording.phase(Phase::Checking) >= Instant::ZERO + secs(9.0));
}

/// What came while the generator was held up in the drain, or over its end, is read.
#[test]
fn a_standstill_over_the_drain_leaves_nothing_unread() {
    for (start, length) in [(6.0, 3.0), (6.08, 0.97), (6.9, 5.0)] {
        let recording = run_with_standstill(start, length);

        assert_eq!(delivered(&recording), 300, "{length} s from {start} s");
    }
}

/// A checker is squall's own device: never are more devices online than the scenario has.
#[test]
fn checkers_are_not_counted_as_online() {
    let (head, rest) = LOAD.split_once("[[fault]]").unwrap();
    let (_, expectation) = rest.split_once("[[expect]]").unwrap();
    let mut world = world(&format!("{head}[[expect]]{expectation}"));
    let mut most_online = 0;
    while world.step() {
        let progress = world.fleet().progress(world.now());
        most_online = most_online.max(progress.online);
        assert!(progress.online <= progress.devices, "{progress:?}");
    }
    assert_eq!(most_online, 21);
}

/// What a person watches: who is there, and what is left.
#[test]
fn progress_tells_who_is_online_and_how_long_it_takes() {
    let mut world = world(LOAD);
    while world.now() < Instant::ZERO + secs(5.0) {
        world.step();
    }
    let progress = world.fleet().progress(world.now());

    assert_eq!(progress.phase, Phase::Measuring);
    assert_eq!((progress.devices, progress.online), (21, 21));
    let left = progress.time_left.as_secs_f64();
    assert!((11.8..12.0).contains(&left), "{left}");

    while world.step() {}
    let progress = world.fleet().progress(world.now());
    assert_eq!((progress.online, progress.faults_applied), (0, 2));
    assert_eq!(progress.published, 1_150);
    assert_eq!(progress.delivered, 1_150);
}
