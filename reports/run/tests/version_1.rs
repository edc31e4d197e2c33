//! Squall reads run files of version 1 for ever.
//!
//! `run-v1.json` was written by the first squall. It is never written anew: if it cannot be read, its reader is wrong.

use squall_run::{
    AnomalyKind, Event, ExitCode, MetricName, Outcome, Percentile, Reason, Run, Summary,
    ThresholdResult,
};

const FILE: &str = include_str!("run-v1.json");

/// The file is read, distributions and all, and its verdict stands.
#[test]
fn the_first_run_file_is_read() {
    let run = Run::from_json(FILE).expect("a run file of version 1");

    assert_eq!(run.version, squall_run::VERSION);
    assert_eq!(run.identity.seed, 42);
    assert_eq!(
        (run.verdict.outcome, run.verdict.exit_code),
        (Outcome::Fail, 98)
    );
    assert!(ExitCode::of(run.verdict.exit_code).is_some());
    assert!(matches!(run.verdict.reasons[2], Reason::Threshold(_)));
    assert_eq!(run.measured.anomalies[0].kind, AnomalyKind::Lost);
    let wills = run.measured.metrics.all(MetricName::TimeToWill);
    assert_eq!(wills.count(), 1_000);
    assert_eq!(wills.percentile_us(Percentile::P99), Some(15_259_810));
    assert_eq!(Summary::of(&run).lost, 7);
}

/// What has another form today means the same.
#[test]
fn what_has_another_form_today_means_the_same() {
    let run = Run::from_json(FILE).expect("a run file of version 1");

    let intervals = &run.measured.series.intervals;
    let bounds: Vec<(f64, f64)> = intervals
        .iter()
        .map(|one| (one.start_s, one.end_s))
        .collect();
    assert_eq!(bounds, [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)]);
    let results: Vec<ThresholdResult> = run
        .measured
        .thresholds
        .iter()
        .map(|one| one.result)
        .collect();
    assert_eq!(
        results[..2],
        [ThresholdResult::Broken, ThresholdResult::Held]
    );
    assert_eq!(run.times.stopped, None);
    assert_eq!(
        (
            run.measured.faults[0].at_s,
            run.measured.faults[0].planned_s
        ),
        (40.0, 20.0)
    );
    assert_eq!(run.resources.broker.samples.len(), 2);
    assert_eq!(run.resources.broker.rss_peak_of_run(), Some(6_938_077));
    assert_eq!(run.measured.rates.measured_s, 100.0);
    assert!(run.measured.rates.of_all(Event::Sent).is_some());
}

/// A run that was stopped is still one that was stopped.
#[test]
fn a_stopped_run_is_still_stopped() {
    let text = FILE
        .replace("\"stopped_early\": false", "\"stopped_early\": true")
        .replacen("\"unexpected\": 0", "\"unexpected\": 3", 1);

    let run = Run::from_json(&text).expect("a run file of version 1");

    let stop = run.times.stopped.expect("it was stopped");
    assert_eq!((stop.at_s, stop.after_s), (135.0, 15.0));
    let unasked = &run.measured.connections.groups[0].unexpected;
    assert_eq!(unasked.values().sum::<u64>(), 3);
}

/// What is read is written as a file of today's version, which is read as the same.
#[test]
fn an_old_file_is_written_as_a_new_one() {
    let run = Run::from_json(FILE).expect("a run file of version 1");

    let again = Run::from_json(&run.to_json()).expect("a run file of today");

    assert!(again == run);
}
