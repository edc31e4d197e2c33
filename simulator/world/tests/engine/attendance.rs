//! When devices are there: `availability`, `start`, `leave`, and a load that begins at once.

use squall_fleet::{EndCause, Phase};
use squall_protocol::Instant;
use squall_scenario::Farewell;

use crate::recording::{Recording, What, run, secs};

fn scenario(run: &str, group: &str) -> String {
    format!(
        r##"
[run]
warmup = "4s"
duration = "20s"
drain = "5s"
{run}
[[group]]
name = "devices"
count = 4
connect_rate = 2
{group}
[[group.publish]]
topic = "t/{{client_id}}"
qos = 0
rate_per_device = 10
"##
    )
}

fn connected(recording: &Recording, device: u32) -> Vec<Instant> {
    recording.times(device, |what| matches!(what, What::Connected { .. }))
}

fn went(recording: &Recording, device: u32, how: Farewell) -> Vec<Instant> {
    recording.times(
        device,
        |what| matches!(what, What::Ended(EndCause::WentAway(found)) if *found == how),
    )
}

/// Each moment is as planned, but for the way to the broker and back that a CONNACK takes.
fn assert_near(found: &[Instant], planned: &[Instant]) {
    assert_eq!(found.len(), planned.len(), "{found:?} {planned:?}");
    for (found, planned) in found.iter().zip(planned) {
        let late = found.saturating_since(*planned);
        assert!(
            found >= planned && late < secs(0.001),
            "{found:?} {planned:?}"
        );
    }
}

/// Up for 5 s, away for 2 s, from the beginning of the load to its end; it comes back once more after that.
#[test]
fn a_device_comes_and_goes_as_its_group_says() {
    let group = "availability = { up = \"5s\", down = \"2s\", how = \"rst\" }";
    let recording = run(&scenario("", group)).sink;

    let load = recording.phase(Phase::WarmingUp);
    for device in 0..4 {
        let went = went(&recording, device, Farewell::Rst);
        assert_near(&went, &[5.0, 12.0, 19.0].map(|at| load + secs(at)));
        let connected = connected(&recording, device);
        assert_near(
            &connected[1..],
            &[7.0, 14.0, 21.0].map(|at| load + secs(at)),
        );
    }
}

/// Nothing is due of a device before its start, and it is not waited for; after its goodbye it neither
/// publishes nor comes back.
#[test]
fn a_group_starts_and_leaves_at_its_times() {
    let recording = run(&scenario("", "start = \"3s\"\nleave = \"12s\"")).sink;

    let measured = recording.phase(Phase::Measuring);
    assert_eq!(recording.phase(Phase::WarmingUp), Instant::ZERO);
    for device in 0..4 {
        let start = measured + secs(3.0 + f64::from(device) / 2.0);
        assert_near(&connected(&recording, device), &[start]);
        let leave = measured + secs(12.0);
        assert_eq!(went(&recording, device, Farewell::Polite), [leave]);
        let due = recording.times(device, |what| matches!(what, What::Due(_)));
        assert!(due.iter().all(|&at| start <= at && at <= leave));
        let seconds = leave.saturating_since(start).as_secs_f64();
        let count = due.len() as f64;
        assert!(
            (count - 10.0 * seconds).abs() <= 1.0,
            "{count} in {seconds} s"
        );
    }
}

/// The warm-up begins with the first connect, and each device publishes from its own on.
#[test]
fn a_load_that_begins_at_once_grows_with_the_fleet() {
    let recording = run(&scenario("begin = \"at_once\"", "")).sink;

    assert_eq!(recording.phase(Phase::WarmingUp), Instant::ZERO);
    assert_eq!(recording.phase(Phase::Measuring), Instant::ZERO + secs(4.0));
    for device in 0..4 {
        let connect = Instant::ZERO + secs(f64::from(device) / 2.0);
        let due = recording.times(device, |what| matches!(what, What::Due(_)));
        assert!(due.iter().all(|&at| at >= connect));
        let seconds = 24.0 - f64::from(device) / 2.0;
        let count = due.len() as f64;
        assert!(
            (count - 10.0 * seconds).abs() <= 1.0,
            "{count} in {seconds} s"
        );
    }
}
