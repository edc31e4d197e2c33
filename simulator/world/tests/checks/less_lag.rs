//! What numbers would be without the generator's own lag, and which phase they belong to.

use std::time::Duration;

use squall_protocol::Instant;
use squall_run::{CountedFrom, MetricKind, MetricName, Tags, ThresholdResult, WithoutLag};

use crate::run::{run, run_in};

/// Some of everything that takes time: connects, subscriptions, QoS 2, wills, takeovers, reconnects.
const ALL_TIMES: &str = r#"
[run]
duration = "20s"
drain = "3s"
[[network]]
name = "far"
latency = "30ms"
[[group]]
name = "devices"
count = 5
network = "far"
[group.will]
topic = "gone"
[group.reconnect]
when = "always"
backoff = "100ms"
[[group.publish]]
topic = "t"
qos = 2
rate = 100
[[group.subscribe]]
filter = "t"
qos = 1
[[group]]
name = "twins"
count = 2
client_id = "twin"
connect_rate = 1
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "gone"
[[fault]]
name = "crash"
every = "1s"
group = "devices"
action = "drop"
how = "rst"
"#;

/// What keeps the times from the write.
const SERVICE: &str = "[thresholds]\nservice_latency = [\"max < 1h\"]\n";

/// Requests and responses.
const ASKING: &str = r#"
[[group]]
name = "asking"
count = 1
[[group.publish]]
topic = "ask"
every = "100ms"
response_topic = "answer"
[[group.subscribe]]
filter = "answer"
[[group]]
name = "answering"
count = 1
[[group.respond]]
filter = "ask"
"#;

/// Of each time that squall measures it also keeps what is left of it without its own lag, sample by
/// sample, or says in the table of metrics that it does not.
#[test]
fn each_time_is_kept_without_the_lag_too() {
    let judgement = run(&format!("{ALL_TIMES}{ASKING}{SERVICE}"));

    let metrics = &judgement.measured.metrics;
    let times = MetricName::ALL.into_iter();
    let times = times.filter(|name| name.kind() == MetricKind::Durations);
    let without = [MetricName::ScheduleLag, MetricName::BrokerTime];
    for name in times.filter(|name| !without.contains(name)) {
        let measured = metrics.all(name).count();
        let less_lag = metrics.select_counted_from(name, CountedFrom::LessLag, &Tags::new());
        assert_eq!(name.without_lag(), WithoutLag::Kept, "{name}");
        assert!(measured > 0, "{name} was not measured");
        assert_eq!(less_lag.count(), measured, "{name}");
    }
}

/// What a generator that stood still did late counts against the broker in no figure: a SUBACK that it
/// read late is not slow, a second in which it sent nothing is not a low rate of the broker, and the
/// burst after it is not a high one.
#[test]
fn a_standstill_explains_times_and_rates() {
    // The devices are dropped at 8 s of measuring, which begins after a second; then they come back.
    for (start_ms, threshold) in [
        (9_150, "connect_latency = [\"max < 200ms\"]"),
        (9_230, "subscribe_latency = [\"max < 200ms\"]"),
        (6_000, "qos2_handshake = [\"max < 300ms\"]"),
        (6_200, "publish_rate = [\"min > 90\"]"),
        (6_200, "delivery_rate = [\"min > 400\"]"),
        (6_800, "publish_rate = [\"max < 110\"]"),
    ] {
        let text = ALL_TIMES.replace("every = \"1s\"", "at = \"8s\"");
        let text = format!("{text}[thresholds]\nschedule_lag = [\"max < 1h\"]\n{threshold}\n");
        let start = Instant::ZERO + Duration::from_millis(start_ms);
        let judgement = run_in(&text, |world| {
            world.with_standstill(start, Duration::from_millis(450))
        });

        let results = judgement.measured.thresholds.iter();
        let result = results.map(|threshold| {
            (
                threshold.result,
                threshold.actual.clone(),
                threshold.less_lag.clone(),
            )
        });
        let result: Vec<_> = result.collect();
        assert_eq!(
            result[1].0,
            ThresholdResult::ExplainedByLag,
            "{threshold}: {result:?}"
        );
    }
}

/// A time belongs to the phase in which it began: a will that a fault in the last moment of measuring
/// causes is measured, though it comes in the drain.
#[test]
fn a_time_belongs_to_the_phase_in_which_it_began() {
    let text = r#"
        [run]
        duration = "5s"
        drain = "6s"
        [[network]]
        name = "far"
        latency = "50ms"
        [[group]]
        name = "devices"
        count = 1
        keep_alive = "1s"
        [group.will]
        topic = "gone"
        [[group]]
        name = "watcher"
        count = 1
        [[group.subscribe]]
        filter = "gone"
        [[fault]]
        name = "crash"
        at = "4900ms"
        group = "devices"
        action = "drop"
        how = "silent"
        "#;

    let judgement = run(text);

    let in_phase = |phase: &str| {
        let tags = Tags::from([("phase".to_owned(), phase.to_owned())]);
        judgement
            .measured
            .metrics
            .select(MetricName::TimeToWill, &tags)
            .count()
    };
    assert_eq!((in_phase("measure"), in_phase("drain")), (1, 0));
}
