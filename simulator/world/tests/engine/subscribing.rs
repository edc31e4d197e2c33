//! When devices subscribe and unsubscribe: `start`, `until` and `churn` of a `[[group.subscribe]]`.

use squall_fleet::Phase;
use squall_protocol::Instant;

use crate::recording::{Recording, What, run, secs};

fn scenario(group: &str, subscribe: &str) -> String {
    format!(
        r##"
[run]
warmup = "4s"
duration = "20s"
drain = "5s"
[[group]]
name = "devices"
count = 2
clean_start = false
session_expiry = "1m"
{group}
[[group.subscribe]]
filter = "t/#"
{subscribe}
"##
    )
}

/// When a device sent SUBSCRIBE, and when UNSUBSCRIBE, in seconds of the measured part.
fn asked(recording: &Recording, device: u32) -> (Vec<f64>, Vec<f64>) {
    let measured = recording.phase(Phase::Measuring);
    let seconds = |at: &Instant| at.as_secs_f64() - measured.as_secs_f64();
    let subscribed = recording.times(device, |what| matches!(what, What::SubscribeSent));
    let left = recording.times(device, |what| matches!(what, What::UnsubscribeSent));
    (
        subscribed.iter().map(seconds).collect(),
        left.iter().map(seconds).collect(),
    )
}

/// Within a millisecond after each planned moment.
fn assert_near(found: &[f64], planned: &[f64]) {
    let is_near = |(found, planned): (&f64, &f64)| (-1e-6..1e-3).contains(&(found - planned));
    assert!(
        found.len() == planned.len() && found.iter().zip(planned).all(is_near),
        "{found:?} {planned:?}"
    );
}

/// The run does not wait for a subscription that is due later, and sends each request once.
#[test]
fn a_device_subscribes_and_unsubscribes_at_its_times() {
    let text = scenario("", "start = \"3s\"\nuntil = \"12s\"");
    let recording = run(&text).sink;

    for device in 0..2 {
        let (subscribed, left) = asked(&recording, device);
        assert_near(&subscribed, &[3.0]);
        assert_near(&left, &[12.0]);
    }
}

/// On for 4 s from the beginning of the load, off for 3 s, to the end of the measured part.
#[test]
fn a_subscription_comes_and_goes() {
    let text = scenario("", "churn = { on = \"4s\", off = \"3s\" }");
    let recording = run(&text).sink;

    let load = recording.phase(Phase::WarmingUp);
    assert_eq!(recording.phase(Phase::Measuring), load + secs(4.0));
    for device in 0..2 {
        let (subscribed, left) = asked(&recording, device);
        assert_near(&subscribed[1..], &[3.0, 10.0, 17.0]);
        assert_near(&left, &[0.0, 7.0, 14.0]);
    }
}

/// What fell due while a device was away is done on its next connection; a Session that goes on keeps the rest, so that
/// nothing is asked for twice.
#[test]
fn what_is_due_while_a_device_is_away_is_done_when_it_is_back() {
    let group = "availability = { up = \"5s\", down = \"4s\", how = \"rst\" }";
    // Away from 1 s to 5 s, and from 10 s to 14 s.
    let recording = run(&scenario(group, "start = \"3s\"\nuntil = \"12s\"")).sink;

    for device in 0..2 {
        let (subscribed, left) = asked(&recording, device);
        assert_near(&subscribed, &[5.0]);
        assert_near(&left, &[14.0]);
    }
}
