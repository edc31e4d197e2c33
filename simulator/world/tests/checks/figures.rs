//! Figures of the measured part: which messages belong to it, whatever the delay of a turn.

use std::time::Duration;

use squall_ledger::Judgement;
use squall_run::{
    CountedFrom, Event, MetricName, PhaseKind, ProcessLog, Reading, Resources, Tags, Value,
};

use crate::run::{run, run_late, run_tampered, run_using};
use crate::tampering::{Outcome, is_to, script};

/// A publisher with `publish` and a receiver, for `run`.
fn scenario(run: &str, publish: &str) -> String {
    format!(
        "[run]\n{run}\n\
        [[group]]\nname = \"sensors\"\ncount = 1\n[[group.publish]]\ntopic = \"data\"\n{publish}\n\
        [[group]]\nname = \"backend\"\ncount = 1\n[[group.subscribe]]\nfilter = \"#\"\nqos = 1\n"
    )
}

/// Samples of a metric in a phase.
fn samples(judgement: &Judgement, name: MetricName, phase: &str) -> u64 {
    let tags = Tags::from([("phase".to_owned(), phase.to_owned())]);
    judgement.measured.metrics.select(name, &tags).count()
}

/// A message that is due just when measuring begins is measured: 5 a second for 4 s are 20.
#[test]
fn a_message_belongs_to_the_phase_in_which_it_is_due() {
    let text = scenario("warmup = \"2s\"\nduration = \"4s\"", "qos = 1\nrate = 5");

    let judgement = run(&text);

    for name in [MetricName::E2eLatency, MetricName::AckLatency] {
        assert_eq!(samples(&judgement, name, "measure"), 20, "{name}");
        assert_eq!(samples(&judgement, name, "warmup"), 10, "{name}");
    }
}

/// The edges: the shortest run, one message, a rate that no float holds, no warm-up.
#[test]
fn the_measured_part_holds_what_is_due_in_it() {
    let cases = [
        ("duration = \"1s\"", "rate = 1", 1),
        ("duration = \"1s\"", "rate = 7", 7),
        ("warmup = \"2s\"\nduration = \"4s\"", "rate = 7", 28),
        ("warmup = \"300ms\"\nduration = \"1s\"", "rate = 10", 10),
        ("duration = \"1s\"", "rate = 1\nstart = \"999ms\"", 1),
        ("duration = \"1s\"", "rate = 1\nstart = \"1s\"", 0),
    ];
    for (run_part, publish, expected) in cases {
        let judgement = run(&scenario(run_part, publish));

        let measured = samples(&judgement, MetricName::E2eLatency, "measure");
        assert_eq!(measured, expected, "{run_part} {publish}");
    }
}

/// A shell that comes late to every deadline changes neither the length of a phase nor what belongs
/// to it.
#[test]
fn phases_change_at_their_nominal_moment() {
    let text = scenario("warmup = \"2s\"\nduration = \"4s\"", "qos = 1\nrate = 5");

    for millis in [0, 7, 450] {
        let judgement = run_late(&text, Duration::from_millis(millis));

        let lags = |phase: &str| {
            let tags = [("phase", phase), ("of", "message")];
            let tags = tags.map(|(tag, value)| (tag.to_owned(), value.to_owned()));
            let metrics = &judgement.measured.metrics;
            metrics
                .select(MetricName::ScheduleLag, &Tags::from(tags))
                .count()
        };
        assert_eq!(lags("warmup"), 10, "{millis} ms late");
        assert_eq!(lags("measure"), 20, "{millis} ms late");
        let intervals = &judgement.measured.series.intervals;
        // The load begins when the time to connect is over, at 10 s, as soon as the shell comes.
        let [begin, end] =
            [12_000, 16_000].map(|at| Duration::from_millis(at + millis).as_secs_f64());
        let within: Vec<_> = intervals
            .iter()
            .filter(|interval| (begin..end).contains(&interval.start_s))
            .collect();
        assert_eq!(within.first().map(|interval| interval.start_s), Some(begin));
        assert_eq!(within.last().map(|interval| interval.end_s), Some(end));
        let scheduled: u64 = within.iter().map(|interval| interval.scheduled).sum();
        assert_eq!(scheduled, 20, "{millis} ms late");
    }
}

/// A rate is a count over the exact measured time, also of a run of a second, in the run file and in
/// thresholds alike.
#[test]
fn rates_are_counts_over_the_measured_time() {
    let claims = "[thresholds]\n\
        publish_rate = [\"avg >= 210\", \"avg <= 210\", \"min >= 210\", \"max <= 210\"]\n\
        \"delivery_rate{group=backend,qos=1}\" = [\"avg >= 210\", \"avg <= 210\"]\n\
        \"delivery_rate{group=sensors}\" = [\"max <= 0\"]\n";
    for (seconds, count) in [(5, 1_050), (1, 210)] {
        let run_part = format!("warmup = \"300ms\"\nduration = \"{seconds}s\"");
        let text = scenario(&run_part, "qos = 1\nrate = 210") + claims;

        let judgement = run(&text);

        let rates = &judgement.measured.rates;
        let length = f64::from(seconds);
        for event in [Event::Due, Event::Sent] {
            let figures = rates.of_all(event).unwrap();
            assert_eq!(
                (figures.count, figures.mean_per_s),
                (count, count as f64 / length)
            );
        }
        assert_eq!(rates.measured_s, length);
        assert_eq!(rates.of_all(Event::Sent).unwrap().peak_per_s, Some(210.0));
        for threshold in &judgement.measured.thresholds {
            assert!(threshold.passed(), "{threshold:?}");
        }
    }
}

/// A second copy is not a delivery more.
#[test]
fn further_copies_are_not_in_the_rate_of_deliveries() {
    let text = scenario("duration = \"2s\"", "qos = 0\nrate = 10");
    let tamper = script(|passing, tampered| {
        if is_to(passing, "backend-0", "data") {
            tampered.forward(passing.direction, passing.bytes);
        }
        Outcome::Pass
    });

    let judgement = run_tampered(&text, tamper);

    let delivered = judgement.measured.rates.of_all(Event::Delivered).unwrap();
    assert_eq!((delivered.count, delivered.peak_per_s), (20, Some(10.0)));
}

/// Thresholds on the broker's processor and memory judge what the summary shows: the measured part.
#[test]
fn thresholds_judge_what_the_broker_used_in_the_measured_part() {
    let mut log = ProcessLog::default();
    let readings = [
        (PhaseKind::Connect, 0.0, 0.0, 1),
        (PhaseKind::Measure, 5.0, 2.0, 3),
        (PhaseKind::Measure, 6.0, 2.2, 5),
        (PhaseKind::Drain, 7.0, 2.8, 4),
        (PhaseKind::Drain, 17.0, 2.8, 9),
    ];
    for (phase, at_s, cpu_total_s, mib) in readings {
        let reading = Reading {
            at_s,
            cpu_total_s,
            rss_bytes: mib << 20,
            descriptors: 0,
        };
        log.add(Some(phase), reading);
    }
    let resources = Resources {
        broker: log.record(),
        ..Resources::default()
    };
    let text = scenario("duration = \"2s\"", "qos = 1\nrate = 5")
        + "[thresholds]\nbroker_cpu = [\"avg > 0\", \"max > 0\"]\nbroker_rss = [\"max > 0B\", \"value > 0B\"]\n";

    let judgement = run_using(&text, &resources);

    let used = resources.broker.measured.unwrap();
    let thresholds = judgement.measured.thresholds.iter();
    let actual: Vec<Value> = thresholds.filter_map(|each| each.actual.clone()).collect();
    let expected = [
        Value::Cores(used.cpu_cores.mean),
        Value::Cores(used.cpu_cores.peak),
        Value::Bytes(5 << 20),
        Value::Bytes(4 << 20),
    ];
    assert_eq!(actual, expected);
    assert!((used.cpu_cores.mean - 0.4).abs() < 1e-9);
}

/// What waits for a device that a fault holds offline is late: it is in a distribution of its own, and not
/// in the latency of the others.
#[test]
fn what_waits_for_an_offline_device_is_not_in_the_latency_of_the_others() {
    let text = "[run]\nduration = \"10s\"\n\
        [[group]]\nname = \"sensors\"\ncount = 1\n\
        [[group.publish]]\ntopic = \"data\"\nqos = 1\nrate = 10\nstart = \"50ms\"\n\
        [[group]]\nname = \"backend\"\ncount = 1\nclean_start = false\nsession_expiry = \"1m\"\n\
        [group.reconnect]\nwhen = \"always\"\nbackoff = \"2s\"\n\
        [[group.subscribe]]\nfilter = \"#\"\nqos = 1\n\
        [[fault]]\nat = \"4s\"\ngroup = \"backend\"\naction = \"drop\"\nhow = \"rst\"\n\
        [thresholds]\n\"e2e_latency{group=backend}\" = [\"max < 100ms\"]\n";

    let judgement = run(text);

    let populations = judgement
        .measured
        .metrics
        .populations(MetricName::E2eLatency, CountedFrom::Scheduled);
    let [in_time, late] = populations.as_slice() else {
        panic!("{populations:#?}");
    };
    let deliveries = judgement.measured.accounting.deliveries_at(1);
    assert_eq!(late.histogram.count(), deliveries.late);
    assert_eq!(
        (late.to_string().as_str(), late.histogram.count()),
        ("backend QoS 1, late", 20)
    );
    assert!(late.histogram.max_us() > Some(1_900_000));
    assert_eq!(in_time.histogram.count(), 80);
    assert!(
        judgement.measured.thresholds[0].passed(),
        "{:?}",
        judgement.measured.thresholds
    );
}
