//! The generator's own lag: what it explains is not held against the broker.

use std::time::Duration;

use squall_protocol::Instant;
use squall_run::{MetricName, Reason, Tags, ThresholdResult, lag_notes};

use crate::run::{assert_broken, run, run_in, verdict};
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
    assert!(
        notes[0].contains("of the end-to-end latency, "),
        "{notes:?}"
    );
}

/// A broker that is slow as well is held to its threshold: it is broken whatever the generator did.
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
    assert_eq!(threshold.result, ThresholdResult::Broken);
}

/// Without a standstill there is no lag to speak of, and no note.
#[test]
fn a_punctual_generator_has_no_share() {
    let judgement = run(SCENARIO);

    assert_eq!(verdict(&judgement).exit_code, 0);
    assert_eq!(lag_notes(&judgement.measured.metrics), Vec::<String>::new());
}

/// A generator that is late with half of its messages, by more than the broker takes, could not
/// keep up: the run is invalid if anything that is claimed is a time, though it holds.
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
        [thresholds]
        "e2e_latency" = ["max < 1h"]
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

/// 50 messages a second for 6 s, over a link of 50 ms, and a drain that is long for this.
const SHORT: &str = r#"
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
topic = "t"
qos = 1
rate = 50
[[group]]
name = "reader"
count = 1
network = "far"
[[group.subscribe]]
filter = "t"
qos = 1
[[expect]]
check = "delivery"
lost = 0
[[expect]]
check = "connections"
unexpected_disconnects = 0
"#;

/// A generator that did nothing over the end of the load, or over the end of the drain, does all that was
/// due before it looks what was lost, and reads what has come. It was not the run that was asked for: which
/// phase was late, and by how much, is said.
#[test]
fn a_standstill_over_the_end_of_a_phase_leaves_nothing_out() {
    // Measuring takes from 0.3 s, when all have connected, to 6.3 s.
    let over_the_load = (3_000, 5_000, "the load ended");
    let over_load_and_drain = (6_000, 3_000, "the load ended");
    let over_the_drain = (6_500, 3_000, "the drain ended");

    for (start_ms, length_ms, late) in [over_the_load, over_load_and_drain, over_the_drain] {
        let start = Instant::ZERO + Duration::from_millis(start_ms);
        let judgement = run_in(SHORT, |world| {
            world.with_standstill(start, Duration::from_millis(length_ms))
        });

        assert_broken(&judgement, &[]);
        let messages = judgement.measured.accounting.publications_at(1);
        assert_eq!((messages.sent, messages.ok), (300, 300), "{start_ms}");
        let verdict = verdict(&judgement);
        assert_eq!(verdict.exit_code, 4, "{verdict:#?}");
        let mut reasons = verdict.reasons.iter().map(Reason::text);
        assert!(reasons.any(|text| text.contains(late)), "{verdict:#?}");
    }
}

/// 5 devices that connect, drop at 2 s and come back after 1 s; a message each second.
const EVERYTHING: &str = r#"
[run]
duration = "10s"
connect_timeout = "30s"
[[group]]
name = "devices"
count = 5
connect_rate = 2
[group.reconnect]
when = "always"
backoff = "1s"
[[group.publish]]
topic = "t"
qos = 1
rate = 5
[[group]]
name = "others"
count = 1
[[fault]]
name = "crash"
at = "3s"
group = "devices"
action = "drop"
how = "rst"
"#;

/// Lag is judged of everything that is scheduled: a generator that stands still when devices are to
/// connect, when messages are due, when a fault strikes or when devices come back makes the run invalid, and says
/// what came too late. Measuring begins after 2 s of connecting.
#[test]
fn a_standstill_is_found_whatever_was_due() {
    for (start_ms, of) in [
        (400, "connects"),
        (3_500, "messages"),
        (4_990, "faults"),
        (5_900, "reconnects"),
    ] {
        let start = Instant::ZERO + Duration::from_millis(start_ms);
        let judgement = run_in(EVERYTHING, |world| {
            world.with_standstill(start, Duration::from_millis(1_500))
        });

        let verdict = verdict(&judgement);
        let late = format!("the generator was late: p99 of the schedule lag of {of} is");
        let mut reasons = verdict.reasons.iter().map(Reason::text);
        assert!(
            reasons.any(|text| text.starts_with(&late)),
            "{of}: {verdict:#?}"
        );
        assert_eq!(verdict.exit_code, 4);
    }
}

/// A threshold on the lag takes the place of the limit where it selects something and limits how late
/// that may be: not that of another group, and not with a median, which half of the run may exceed.
#[test]
fn a_threshold_on_the_lag_replaces_the_limit_for_what_it_limits() {
    let standstill = |threshold: &str| {
        let text = format!("{EVERYTHING}[thresholds]\n{threshold}");
        let start = Instant::ZERO + Duration::from_millis(3_500);
        let judgement = run_in(&text, |world| {
            world.with_standstill(start, Duration::from_millis(1_500))
        });
        verdict(&judgement).exit_code
    };

    assert_eq!(standstill("dropped = [\"count < 1000\"]"), 4);
    assert_eq!(
        standstill("\"schedule_lag{group=others}\" = [\"max < 1h\"]"),
        4
    );
    assert_eq!(standstill("schedule_lag = [\"p50 < 1h\"]"), 4);
    assert_eq!(standstill("schedule_lag = [\"count > 1\"]"), 4);
    assert_eq!(
        standstill("\"schedule_lag{group=devices}\" = [\"p99 < 2s\"]"),
        4
    );
    assert_eq!(
        standstill("\"schedule_lag{group=devices}\" = [\"max < 2s\"]"),
        0
    );
    assert_eq!(standstill("schedule_lag = [\"max < 2s\"]"), 0);
}

/// A scenario that claims nothing about time loses nothing by messages that are all a little late: what
/// was lost is the same.
#[test]
fn a_little_lag_does_not_matter_where_no_claim_is_about_time() {
    let slow = |text: &str| {
        let judgement = run_in(text, |world| {
            world.with_time_per_action(Duration::from_micros(4_500))
        });
        verdict(&judgement)
    };
    let near = SHORT.replace("latency = \"50ms\"", "latency = \"1ms\"");
    let near = near.replace("rate = 50", "rate = 200");
    let timed = format!("{near}[thresholds]\ne2e_latency = [\"max < 10s\"]");

    assert_eq!(slow(&near).exit_code, 0, "{:#?}", slow(&near));
    let verdict = slow(&timed);
    assert_eq!(verdict.exit_code, 4);
    let text = verdict.reasons[0].text();
    assert!(text.contains("the limit is 10 %"), "{text}");
    assert!(text.contains("ask for less load"), "{text}");
}

/// A drain that waits for what a link holds ends later by plan: that is not a lag of the generator.
#[test]
fn a_wait_for_the_links_is_not_lag() {
    let far = SCENARIO.replace("latency = \"50ms\"", "latency = \"2s\"");
    let far = far.replace("duration = \"60s\"", "duration = \"10s\"\ndrain = \"1s\"");

    let judgement = run(&far.replace("p99.9 < 100ms", "p50 < 10s"));

    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 0, "{verdict:#?}");
}

/// A drain that ends late lets more come: that matters where a claim is about what has not come by then, and
/// nowhere else.
#[test]
fn a_drain_that_ends_late_matters_where_a_claim_rests_on_its_end() {
    let over_the_drain = Instant::ZERO + Duration::from_millis(6_500);
    let copies_only = SHORT.replace("lost = 0", "duplicated = 0");

    for (text, exit_code) in [(SHORT, 4), (&copies_only, 0)] {
        let judgement = run_in(text, |world| {
            world.with_standstill(over_the_drain, Duration::from_secs(3))
        });

        let verdict = verdict(&judgement);
        assert_eq!(verdict.exit_code, exit_code, "{verdict:#?}");
    }
}

/// A message that would be due just when the load ends is not: a rate of nothing is not a broken one.
#[test]
fn a_rate_of_messages_that_were_never_due_is_not_judged() {
    let text = r#"
        [run]
        warmup = "1s"
        duration = "1s"
        [[group]]
        name = "sensors"
        count = 1
        [[group.publish]]
        topic = "t"
        qos = 1
        every = "10s"
        start = "2s"
        [[group.subscribe]]
        filter = "t"
        qos = 1
        [thresholds]
        publish_rate = ["avg >= 1"]
        delivery_rate = ["avg >= 1", "max >= 1"]
        "#;

    let judgement = run_in(text, |world| world);

    let thresholds = &judgement.measured.thresholds;
    let results: Vec<ThresholdResult> = thresholds.iter().map(|of| of.result).collect();
    assert_eq!(results, [ThresholdResult::TooFewSamples; 3]);
    assert_eq!(verdict(&judgement).exit_code, 4);
}
