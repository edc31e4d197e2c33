//! Run files of version 1 stay readable for ever.
//!
//! `run-v1.json` was written by the first squall. It is never written anew: if it cannot be read any
//! more, the schema needs a new version and a reader for the old one.

use squall_run::{AnomalyKind, MetricName, Outcome, Percentile, Run, Summary};

/// The file is read, distributions and all.
#[test]
fn the_first_run_file_is_read() {
    let run = Run::from_json(include_str!("run-v1.json")).expect("a run file of version 1");

    assert_eq!(run.identity.seed, 42);
    assert_eq!(
        (run.verdict.outcome, run.verdict.exit_code),
        (Outcome::Fail, 98)
    );
    assert_eq!(run.measured.anomalies[0].kind, AnomalyKind::Lost);
    assert_eq!(run.measured.accounting.balance(), 0);
    let wills = run.measured.metrics.all(MetricName::TimeToWill);
    assert_eq!(wills.count(), 1_000);
    assert_eq!(wills.percentile_us(Percentile::P99), Some(15_259_810));
    assert_eq!(Summary::of(&run).lost, 7);
}
