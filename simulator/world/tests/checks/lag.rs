//! The generator's own lag: what it explains is not held against the broker.

use std::time::Duration;

use squall_ledger::Judgement;
use squall_protocol::Instant;
use squall_run::{Extent, MetricName, Reason, Tags, ThresholdResult, Verdict, lag_notes};

use crate::run::{run, run_in};
use crate::tampering::{delay_it, is_to, once};

/// 1,000 messages a second over a link of 50 ms each way: some are always under way.
const SCENARIO: &str = r#"
[run]
duration = "60s"
[[network]]
name = "far"
latency = "50ms"
[[group]]
name = "sensors"
count = 10
[[group.publish]]
topic = "t/{client_id}"
rate = 1000
[[group]]
name = "reader"
count = 1
network = "far"
[[group.subscribe]]
filter = "t/+"
[thresholds]
"e2e_latency" = ["p99.9 < 100ms"]
"#;

fn verdict(judgement: &Judgement) -> Verdict {
    let measured = &judgement.measured;
    let further = judgement.reasons.iter().cloned();
    Verdict::judge(
        &measured.checks,
        &measured.thresholds,
        Extent::Whole,
        further,
    )
}

/// A generator that did nothing for 0.5 s of 60 s makes p99.9 of the latency fail, of messages that
/// it published late and of messages that it read late. Without that the threshold would hold, so
/// nothing follows about the broker.
#[test]
fn a_generator_that_was_held_up_is_not_held_against_the_broker() {
    let start = Instant::ZERO + Duration::from_secs(30);

    let judgement = run_in(SCENARIO, |world| {
        world.with_standstill(start, Duration::from_millis(500))
    });

    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 4, "{verdict:#?}");
    let reason = verdict.reasons[0].text();
    assert!(reason.contains("the generator explains it"), "{reason}");
    let notes = lag_notes(&judgement.measured.metrics);
    assert!(notes[0].starts_with("generator lag is"), "{notes:?}");
}

/// A broker that is slow as well is: the threshold fails whatever the generator did.
#[test]
fn a_slow_broker_is_found_beside_a_generator_that_was_held_up() {
    let start = Instant::ZERO + Duration::from_secs(30);
    let tamper = once(
        10_000,
        |passing| is_to(passing, "reader-0", "t"),
        delay_it(Duration::from_millis(300)),
    );

    let judgement = run_in(SCENARIO, |world| {
        world
            .with_tamper(Box::new(tamper))
            .with_standstill(start, Duration::from_millis(500))
    });

    assert_eq!(verdict(&judgement).exit_code, 99);
    let threshold = &judgement.measured.thresholds[0];
    assert_eq!(threshold.result, ThresholdResult::Failed);
}

/// Without a standstill there is no lag to speak of, and no note.
#[test]
fn a_punctual_generator_has_no_share() {
    let judgement = run(SCENARIO);

    assert_eq!(verdict(&judgement).exit_code, 0);
    assert_eq!(lag_notes(&judgement.measured.metrics), Vec::<String>::new());
}

/// A generator that is late with half of its messages, by more than the broker takes, could not
/// keep up: the run is invalid without any threshold.
#[test]
fn a_saturated_generator_makes_the_run_invalid() {
    let text = r#"
        [run]
        duration = "10s"
        [[group]]
        name = "sensors"
        count = 10
        [[group.publish]]
        topic = "t"
        qos = 1
        rate = 200
        [[group]]
        name = "reader"
        count = 1
        [[group.subscribe]]
        filter = "t"
        "#;

    let judgement = run_in(text, |world| {
        world.with_time_per_action(Duration::from_micros(5_050))
    });

    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 4, "{verdict:#?}");
    let mut reasons = verdict.reasons.iter().map(Reason::text);
    let is_named = reasons.any(|reason| reason.contains("could not keep up"));
    assert!(is_named, "{verdict:#?}");
}

/// Everything that is scheduled has a lag of its kind.
#[test]
fn connects_faults_and_reconnects_have_a_lag_too() {
    let text = r#"
        [run]
        duration = "10s"
        [[group]]
        name = "devices"
        count = 20
        [group.reconnect]
        when = "always"
        backoff = "1s"
        [[fault]]
        at = "2s"
        group = "devices"
        action = "drop"
        how = "rst"
        "#;
    let action = Duration::from_millis(1);

    let judgement = run_in(text, |world| world.with_time_per_action(action));

    let lag = |of: &str| {
        let tags = Tags::from([("of".to_owned(), of.to_owned())]);
        judgement
            .measured
            .metrics
            .select(MetricName::ScheduleLag, &tags)
    };
    assert_eq!(lag("connect").count(), 20);
    assert_eq!(lag("reconnect").count(), 20);
    assert_eq!(lag("fault").count(), 20);
    assert_eq!(lag("message").count(), 0);
    assert_eq!(lag("fault").max_us(), Some(19_000));
}
