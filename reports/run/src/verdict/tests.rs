//! Which verdict follows from which claims, thresholds and reasons.

use crate::Weight;
use std::collections::BTreeMap;

use super::*;
use crate::{Aggregate, Comparison, Percentile, PhaseKind, StopCause, Tags, Value};

fn check(passed: bool) -> CheckOutcome {
    CheckOutcome {
        check: "delivery".to_owned(),
        selection: BTreeMap::from([("qos".to_owned(), "1".to_owned())]),
        claims: vec![ClaimOutcome {
            key: "lost".to_owned(),
            limit: Value::Count(0),
            actual: Some(Value::Count(if passed { 0 } else { 3 })),
            of: None,
            passed,
            range: None,
            unjudged: None,
            explained: None,
        }],
        violations_total: if passed { 0 } else { 3 },
        by_device: Vec::new(),
        violations: Vec::new(),
    }
}

fn threshold(metric: MetricName, result: ThresholdResult) -> ThresholdOutcome {
    ThresholdOutcome {
        metric,
        tags: Tags::new(),
        expression: "p99 < 5ms".to_owned(),
        aggregate: Aggregate::Percentile(Percentile::P99),
        comparison: Comparison::Less,
        limit: Value::Seconds(0.005),
        actual: Some(Value::Seconds(0.009)),
        less_lag: None,
        samples: 1_000,
        result,
    }
}

/// Nothing broken: exit code 0.
#[test]
fn a_clean_run_passes() {
    let kept = threshold(MetricName::E2eLatency, ThresholdResult::Held);

    let verdict = Verdict::judge(&[check(true)], &[kept], Extent::Whole, []);

    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!((verdict.exit_code, verdict.reasons.len()), (0, 0));
}

/// A run that claims nothing did not pass: nothing was judged. It may still fail or be invalid.
#[test]
fn without_claims_there_is_no_pass() {
    let nothing = Verdict::judge(&[], &[], Extent::Whole, []);
    let refused = Reason::Invariant("subscriptions that were refused: 3".to_owned());
    let broken = Verdict::judge(&[], &[], Extent::Whole, [refused]);

    assert_eq!((nothing.outcome, nothing.exit_code), (Outcome::NoClaims, 0));
    assert_eq!((broken.outcome, broken.exit_code), (Outcome::Fail, 98));
}

/// A broken invariant is 98 and outranks a broken threshold, which alone is 99.
#[test]
fn an_invariant_outranks_a_threshold() {
    let missed = threshold(MetricName::E2eLatency, ThresholdResult::Broken);

    let both = Verdict::judge(
        &[check(false)],
        std::slice::from_ref(&missed),
        Extent::Whole,
        [],
    );
    let alone = Verdict::judge(&[check(true)], &[missed], Extent::Whole, []);

    assert_eq!((both.outcome, both.exit_code), (Outcome::Fail, 98));
    assert_eq!(
        both.reasons[0].text(),
        "delivery (qos 1): lost should be 0, was 3"
    );
    assert_eq!(both.reasons.len(), 2);
    assert_eq!((alone.outcome, alone.exit_code), (Outcome::Fail, 99));
}

/// What is broken while another client acts as one of the run's devices may be its doing; what cannot be
/// stands.
#[test]
fn another_client_outranks_what_it_may_have_broken() {
    let disturbed = || Reason::Disturbed("another client uses our Client Identifiers".to_owned());
    let mut explained = check(false);
    explained.claims[0].explained = Some(Explanation::OtherClient);

    let invalid = Verdict::judge(&[explained], &[], Extent::Whole, [disturbed()]);
    let broken = Verdict::judge(&[check(false)], &[], Extent::Whole, [disturbed()]);

    assert_eq!((invalid.outcome, invalid.exit_code), (Outcome::Invalid, 4));
    assert_eq!(invalid.reasons[0], disturbed());
    assert_eq!(
        invalid.reasons[1].text(),
        "delivery (qos 1): lost should be 0, was 3; the other client may be the cause"
    );
    assert_eq!((broken.outcome, broken.exit_code), (Outcome::Fail, 98));
    assert_eq!(broken.reasons[1], disturbed());
}

/// A generator that slipped makes the run invalid, and no threshold is broken in it. What the
/// protocol forbids stays forbidden, however late the generator was.
#[test]
fn schedule_lag_makes_it_invalid() {
    let lag = threshold(MetricName::ScheduleLag, ThresholdResult::Broken);
    let missed = threshold(MetricName::E2eLatency, ThresholdResult::Broken);

    let broken = Verdict::judge(
        &[check(false)],
        std::slice::from_ref(&lag),
        Extent::Whole,
        [],
    );
    let by_lag = Verdict::judge(&[check(true)], &[missed, lag], Extent::Whole, []);
    let by_reason = Verdict::judge(
        &[],
        &[],
        Extent::Whole,
        [Reason::Invalid("clocks differ by 3 s".to_owned())],
    );

    assert_eq!((broken.outcome, broken.exit_code), (Outcome::Fail, 98));
    assert_eq!((by_lag.outcome, by_lag.exit_code), (Outcome::Invalid, 4));
    assert_eq!(
        (by_reason.outcome, by_reason.exit_code),
        (Outcome::Invalid, 4)
    );
}

/// A number that the generator's own lag made too large says nothing about the broker.
#[test]
fn what_the_generator_explains_is_invalid() {
    let mut explained = threshold(MetricName::E2eLatency, ThresholdResult::ExplainedByLag);
    explained.less_lag = Some(Value::Seconds(0.002));

    let verdict = Verdict::judge(&[check(true)], &[explained], Extent::Whole, []);

    assert_eq!((verdict.outcome, verdict.exit_code), (Outcome::Invalid, 4));
    assert_eq!(
        verdict.reasons[0].text(),
        "e2e_latency: p99 < 5ms could not be judged: it was 9.00 ms and the generator explains it, without \
         its lag it would be 2.00 ms"
    );
}

/// A threshold that cannot be judged says nothing about the broker, and what would have to
/// change. One that is broken stands beside it.
#[test]
fn too_few_samples_are_not_judged() {
    let mut few = threshold(MetricName::TimeToWill, ThresholdResult::TooFewSamples);
    few.samples = 40;
    let mut never = few.clone();
    never.samples = 0;
    let missed = threshold(MetricName::E2eLatency, ThresholdResult::Broken);

    let verdict = Verdict::judge(&[], &[few.clone(), never], Extent::Whole, []);
    let beside = Verdict::judge(&[], &[few, missed], Extent::Whole, []);

    assert_eq!((verdict.outcome, verdict.exit_code), (Outcome::Invalid, 4));
    assert_eq!(
        verdict.reasons[0].text(),
        "time_to_will: p99 < 5ms could not be judged: 40 samples, it takes 1,000; run for 25 times as long, use as many \
         times more devices, or limit `p50`, which takes 20, or `max`, which takes one"
    );
    assert!(verdict.reasons[1].text().contains("never measured"));
    assert_eq!((beside.outcome, beside.exit_code), (Outcome::Fail, 99));
}

/// Of several runs the worst counts, in whatever order they came.
#[test]
fn of_several_runs_the_worst_counts() {
    assert_eq!(worst_exit_code([0, 4, 99, 98, 0]), 98);
    assert_eq!(worst_exit_code([4, 99]), 99);
    assert_eq!(worst_exit_code([0, 4]), 4);
    assert_eq!(worst_exit_code([98, 3]), 3);
    assert_eq!(worst_exit_code([]), 0);
}

/// A fault that the stopped run did not reach leaves its claim without a value.
fn unjudged() -> CheckOutcome {
    let mut check = check(false);
    check.claims[0].actual = None;
    check.violations_total = 0;
    check
}

/// A claim about something that never happened proves nothing, neither for the broker nor
/// against it. Where the user ended the run, that is the reason.
#[test]
fn what_could_not_be_judged_makes_a_run_invalid() {
    let whole = Verdict::judge(&[unjudged()], &[], Extent::Whole, []);
    let stopped = Verdict::judge(&[check(true), unjudged()], &[], stopped_at_16_s(), []);

    assert_eq!((whole.outcome, whole.exit_code), (Outcome::Invalid, 4));
    assert!(matches!(whole.reasons[..], [Reason::Unjudged(_)]));
    assert_eq!((stopped.outcome, stopped.exit_code), (Outcome::Invalid, 4));
    assert_eq!(
        stopped.reasons,
        [Reason::Invalid(
            "the run was stopped by SIGINT after 16.0 s of 60.0 s of measuring".to_owned()
        )]
    );
}

fn stopped_at_16_s() -> Extent {
    Extent::UpTo(Stop {
        by: StopCause::Sigint,
        at_s: 18.0,
        phase: PhaseKind::Measure,
        after_s: 16.0,
        planned_s: Some(60.0),
    })
}

/// What is broken stays broken, however early the run was stopped. What held up to then might
/// have broken later, and a threshold is on the whole measured part: nothing follows.
#[test]
fn a_stopped_run_does_not_pass() {
    let missed = threshold(MetricName::E2eLatency, ThresholdResult::Broken);

    let broken = Verdict::judge(&[check(false), unjudged()], &[], stopped_at_16_s(), []);
    let held = Verdict::judge(&[check(true)], &[], stopped_at_16_s(), []);
    let slow = Verdict::judge(&[check(true)], &[missed], stopped_at_16_s(), []);
    let unclaimed = Verdict::judge(&[], &[], stopped_at_16_s(), []);

    assert_eq!((broken.exit_code, broken.reasons.len()), (98, 1));
    for verdict in [held, slow, unclaimed] {
        assert_eq!((verdict.outcome, verdict.exit_code), (Outcome::Invalid, 4));
    }
}

fn weights(run: &crate::Run) -> Vec<(Weight, Vec<&'static str>)> {
    let labels = |part: crate::Part| part.lines.iter().map(|line| line.label).collect();
    let told = run.told();
    told.into_iter()
        .map(|part| (part.weight, labels(part)))
        .collect()
}

/// A broker that ended is the cause: what it left undone follows from it, and is told after it. What only
/// a living broker can do wrong stands beside it.
#[test]
fn the_end_of_the_broker_comes_before_what_follows_from_it() {
    let mut run = crate::sample::passing();
    let mut doubled = check(false);
    doubled.claims[0].key = "duplicated".to_owned();
    let further = [
        Reason::Invalid("the generator was late".to_owned()),
        Reason::Unanswered("3 PUBLISH had no PUBACK".to_owned()),
        Reason::Incomplete("group a did not send 9 of 10 messages".to_owned()),
        Reason::BrokerEnded("the broker died".to_owned()),
    ];
    run.measured.connections.groups[0].unexpected = [("peer closed (FIN)".to_owned(), 5)].into();

    run.verdict = Verdict::judge(&[check(false), doubled], &[], Extent::Whole, further);

    assert_eq!(run.verdict.exit_code, 98);
    assert_eq!(
        weights(&run),
        [
            (Weight::Decides, vec!["cause", "invariant"]),
            (
                Weight::Follows,
                vec!["no answer", "may follow", "not as asked"]
            ),
            (Weight::Beside, vec!["cannot be trusted"]),
        ]
    );
    assert!(!run.notes().iter().any(|note| note.contains("ended")));
}

/// In a run that fails, what cannot be trusted does not touch what is broken; a threshold proves nothing
/// then.
#[test]
fn what_cannot_be_trusted_stands_beside_what_is_broken() {
    let mut run = crate::sample::passing();
    let missed = threshold(MetricName::E2eLatency, ThresholdResult::Broken);
    let late = Reason::Invalid("the generator was late".to_owned());

    run.verdict = Verdict::judge(
        &[check(false)],
        std::slice::from_ref(&missed),
        Extent::Whole,
        [late.clone()],
    );
    let fails = weights(&run);
    run.verdict = Verdict::judge(&[], &[missed], Extent::Whole, [late]);
    let invalid = weights(&run);

    assert_eq!(
        fails,
        [
            (Weight::Decides, vec!["invariant"]),
            (Weight::Beside, vec!["cannot be trusted"]),
            (Weight::ProvesNothing, vec!["threshold"]),
        ]
    );
    assert_eq!(
        invalid,
        [
            (Weight::Decides, vec!["cannot be trusted"]),
            (Weight::ProvesNothing, vec!["threshold"]),
        ]
    );
}
