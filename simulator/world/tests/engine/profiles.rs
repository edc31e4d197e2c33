//! Rates over time: how many messages are due in each second of a run, against the integral of the rate.

use std::time::Duration;

use squall_fleet::Phase;

use crate::recording::{Recording, What, run};

/// Ten devices with one stream of these keys, 5 s of warm-up, 40 s measured.
fn scenario(keys: &str) -> String {
    format!(
        r#"
[run]
warmup = "5s"
duration = "40s"
drain = "2s"
[[group]]
name = "sensors"
count = 10
[[group.publish]]
topic = "data/{{client_id}}"
{keys}
[[group]]
name = "backend"
count = 1
[[group.subscribe]]
filter = "data/+"
"#
    )
}

/// Messages that were due in each second of the load, the warm-up's first.
fn each_second(recording: &Recording) -> Vec<usize> {
    let begin = recording.phase(Phase::WarmingUp);
    let mut seconds = vec![0; 45];
    let due = recording.stamps(|what| {
        if let What::Due(stamp) = what {
            Some(*stamp)
        } else {
            None
        }
    });
    for stamp in due {
        let place = stamp.scheduled.saturating_since(begin).as_secs();
        seconds[usize::try_from(place).expect("it is in the run")] += 1;
    }
    seconds
}

/// Sums over each second of the load of `rate`, in steps of a millisecond.
fn integral(rate: impl Fn(f64) -> f64) -> Vec<f64> {
    let step = Duration::from_millis(1).as_secs_f64();
    let sum = |second: i32| {
        (0..1_000)
            .map(|n| rate(f64::from(second) + (f64::from(n) + 0.5) * step) * step)
            .sum()
    };
    (-5..40).map(sum).collect()
}

fn assert_near(found: &[usize], due: &[f64], tolerance: f64) {
    for (second, (found, due)) in found.iter().zip(due).enumerate() {
        let difference = (*found as f64 - due).abs();
        assert!(
            difference <= tolerance,
            "second {second}: {found} and {due}"
        );
    }
}

/// A ramp, a step to nothing, a step up: the devices take turns, so every second has its integral to one message.
#[test]
fn even_messages_follow_a_profile() {
    let keys = r#"rate = [{ at = "0s", rate = 10 }, { at = "20s", rate = 210 }, { at = "20s", rate = 0 }, { at = "30s", rate = 0 }, { at = "30s", rate = 80 }]"#;

    let found = each_second(&run(&scenario(keys)).sink);

    let due = integral(|time| match time {
        ..0.0 => 10.0,
        0.0..20.0 => 10.0 + 10.0 * time,
        20.0..30.0 => 0.0,
        _ => 80.0,
    });
    assert_near(&found, &due, 1.0);
    assert_eq!(found[25..35], [0; 10]);
}

/// Every period is like the first, also the part of one that the warm-up shows.
#[test]
fn a_profile_comes_again() {
    let keys = r#"rate = { repeat = "8s", points = [{ at = "0s", rate = 0 }, { at = "4s", rate = 100 }, { at = "8s", rate = 0 }] }"#;

    let found = each_second(&run(&scenario(keys)).sink);

    let due = integral(|time| {
        let within = time.rem_euclid(8.0);
        25.0 * within.min(8.0 - within)
    });
    assert_near(&found, &due, 1.0);
}

/// Random arrivals have the profile as their mean: ten seconds of each stretch together, within four standard
/// deviations.
#[test]
fn random_messages_follow_a_profile_on_average() {
    let keys =
        "arrival = \"poisson\"\nrate = [{ at = \"20s\", rate = 400 }, { at = \"20s\", rate = 50 }]";

    let found = each_second(&run(&scenario(keys)).sink);

    let (first, second) = (&found[5..25], &found[25..45]);
    for (found, due) in [(first, 8_000.0_f64), (second, 1_000.0)] {
        let sum: usize = found.iter().sum();
        assert!(
            (sum as f64 - due).abs() < 4.0 * due.sqrt(),
            "{sum} and {due}"
        );
    }
}

/// Ten messages each and stop; bursts of five every five seconds; a stream that ends in the middle.
#[test]
fn streams_end_and_burst_as_the_file_says() {
    let total = |keys: &str| {
        each_second(&run(&scenario(keys)).sink)
            .iter()
            .sum::<usize>()
    };

    assert_eq!(total("every = \"1s\"\ncount = 10"), 100);
    assert_eq!(total("every = \"1s\"\nstart = \"3s\"\nuntil = \"9s\""), 61);
    let bursts = each_second(&run(&scenario("every = \"1s\"\nburst = 5\nstart = \"0s\"")).sink);
    assert!(bursts[5..].iter().all(|count| count % 5 == 0), "{bursts:?}");
    assert_eq!(bursts.iter().sum::<usize>(), 400);
}
