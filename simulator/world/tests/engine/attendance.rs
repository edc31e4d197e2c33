//! When devices are there: `availability`, `online`, `start`, `leave`, and a load that begins at once.

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

/// A device that is away on purpose has nothing to publish, and goes on when it is back: away, 2 s of each 7 s.
#[test]
fn a_device_publishes_while_it_is_there_and_not_while_it_is_away() {
    let group = "availability = { up = \"5s\", down = \"2s\" }";
    let recording = run(&scenario("", group)).sink;

    let load = recording.phase(Phase::WarmingUp);
    for device in 0..4 {
        let due = recording.times(device, |what| matches!(what, What::Due(_)));
        let counts: Vec<usize> = [
            (0.0, 5.0),
            (5.0, 7.0),
            (7.0, 12.0),
            (12.0, 14.0),
            (14.0, 19.0),
        ]
        .map(|(from, to)| {
            let within = load + secs(from + 0.01)..load + secs(to);
            due.iter().filter(|at| within.contains(at)).count()
        })
        .to_vec();
        let is_near = |(count, wanted): (&usize, usize)| count.abs_diff(wanted) <= 1;
        assert!(
            counts.iter().zip([50, 0, 50, 0, 50]).all(is_near),
            "{counts:?}"
        );
    }
}

/// Devices that are connected at `seconds` of the measured part.
fn online_at(recording: &Recording, devices: u32, seconds: f64) -> u32 {
    let at = recording.phase(Phase::Measuring) + secs(seconds);
    let is_online = |device: u32| {
        let until = |found: Vec<Instant>| found.iter().filter(|found| **found <= at).count();
        until(connected(recording, device)) > until(went(recording, device, Farewell::Polite))
    };
    (0..devices)
        .map(|device| u32::from(is_online(device)))
        .sum()
}

/// As many are connected as the share says, at each moment of a ramp, a step and a fall; those that are not there at the
/// beginning are not waited for.
#[test]
fn the_share_of_a_group_that_is_online_follows_its_profile() {
    let online = "online = [{ at = \"0s\", share = 0.2 }, { at = \"10s\", share = 1 }, { at = \"10s\", share = 0.5 }, \
                  { at = \"15s\", share = 0.5 }, { at = \"19s\", share = 0 }]";
    let text = scenario("", online).replace("count = 4", "count = 40");
    let recording = run(&text).sink;

    let moments = [0.0, 5.01, 9.99, 10.01, 14.0, 17.01, 19.5];
    let found = moments.map(|at| online_at(&recording, 40, at));
    assert_eq!(found, [8, 24, 40, 20, 20, 10, 0]);
    // 8 devices at 2 a second.
    let load = recording.phase(Phase::WarmingUp);
    assert!(load < Instant::ZERO + secs(4.0), "{load:?}");
}

/// Who is there is drawn from the seed: not the first ones by index, and the same in each run.
#[test]
fn the_devices_that_are_online_are_drawn() {
    let text = scenario("", "online = 0.5").replace("count = 4", "count = 40");
    let online = || {
        let recording = run(&text).sink;
        let there = (0..40).filter(|&device| !connected(&recording, device).is_empty());
        there.collect::<Vec<u32>>()
    };

    let found = online();

    assert_eq!(found.len(), 20);
    assert_ne!(found, (0..20).collect::<Vec<u32>>());
    assert_eq!(found, online());
}

/// A device that a fault took while it was to be there comes back by itself; one that is to be away does not.
#[test]
fn a_device_that_is_to_be_away_does_not_reconnect() {
    let text = scenario(
        "",
        "online = [{ at = \"5s\", share = 1 }, { at = \"5s\", share = 0 }]\n\
         reconnect = { when = \"always\", backoff = \"3s\" }",
    );
    let fault = "[[fault]]\nat = \"4s\"\ngroup = \"devices\"\naction = \"drop\"\nhow = \"rst\"\n";
    let recording = run(&format!("{text}{fault}")).sink;

    for device in 0..4 {
        assert_eq!(connected(&recording, device).len(), 1);
    }
}
