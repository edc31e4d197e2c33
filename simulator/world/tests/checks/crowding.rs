//! A generator that was held up sends at once what fell due meanwhile: what a broker's queue has no room for then is not
//! held against it.

use std::collections::VecDeque;
use std::time::Duration;

use squall_protocol::Instant;
use squall_world::Tamper;

use crate::run::{run_in, verdict};
use crate::tampering::{Outcome, is_to, script};

/// 200 messages a second to one reader.
const SCENARIO: &str = r#"
[run]
duration = "20s"
[[group]]
name = "sensors"
count = 10
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 200
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 1
[[expect]]
check = "delivery"
lost = 0
[thresholds]
schedule_lag = ["max < 1h"]
"#;

/// A queue of 20 messages to the reader that is empty again after 50 ms: more than 20 in that time have no room.
fn short_queue() -> impl Tamper {
    let mut queued = VecDeque::new();
    script(move |passing, _| {
        if !is_to(passing, "reader-0", "t") {
            return Outcome::Pass;
        }
        while queued
            .front()
            .is_some_and(|&at| at + Duration::from_millis(50) < passing.now)
        {
            queued.pop_front();
        }
        if queued.len() >= 20 {
            return Outcome::Done;
        }
        queued.push_back(passing.now);
        Outcome::Pass
    })
}

/// Takes the first message to the reader after `at`.
fn one_lost_at(at: Instant) -> impl Tamper {
    let mut is_lost = false;
    script(move |passing, _| {
        if is_lost || passing.now < at || !is_to(passing, "reader-0", "t") {
            return Outcome::Pass;
        }
        is_lost = true;
        Outcome::Done
    })
}

fn at(s: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(s)
}

fn code_with(pause_ms: u64, tamper: impl Tamper + 'static) -> u8 {
    let judgement = run_in(SCENARIO, |world| {
        world
            .with_tamper(Box::new(tamper))
            .with_standstill(at(10), Duration::from_millis(pause_ms))
    });
    verdict(&judgement).exit_code
}

/// The queue has room for what the scenario offers, and not for the burst after 0.7 s in which squall did nothing.
#[test]
fn what_a_burst_of_squalls_own_pushes_out_is_not_lost_by_the_broker() {
    let codes = [0, 700].map(|pause_ms| code_with(pause_ms, short_queue()));

    assert_eq!(codes, [0, 4]);
}

/// A message that was lost far from the pause is lost by the broker, and so is one where squall was hardly late.
#[test]
fn a_loss_far_from_the_pause_is_the_brokers() {
    let codes = [5, 15].map(|lost_s| code_with(700, one_lost_at(at(lost_s))));

    assert_eq!(codes, [98, 98]);
    assert_eq!(code_with(50, one_lost_at(at(10))), 98);
}
