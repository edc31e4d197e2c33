//! What follows from a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Aggregate, CheckOutcome, ClaimOutcome, MetricName, Stop, ThresholdOutcome, ThresholdResult,
    Times, count_text,
};

/// What follows from a run, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The result.
    pub outcome: Outcome,
    /// The process's exit code: 0, 3, 4, 98 or 99.
    pub exit_code: u8,
    /// Why, the gravest first. Empty if it passed.
    pub reasons: Vec<Reason>,
}

/// The verdict in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every invariant held and every threshold held.
    Pass,
    /// The scenario has no invariant and no threshold: nothing was judged. Exit code 0.
    NoClaims,
    /// An invariant is broken or a threshold is broken.
    Fail,
    /// Nothing follows: no device could connect, the generator or the clocks cannot be trusted, or the
    /// user stopped the run.
    Invalid,
}

/// How much of a scenario a run has done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// What came before the user stopped it.
    UpTo(Stop),
}

impl Extent {
    /// How much of its scenario a run of these times has done.
    pub fn of(times: &Times) -> Self {
        times.stopped.map_or(Self::Whole, Self::UpTo)
    }
}

/// One reason why a run did not pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", content = "text")]
pub enum Reason {
    /// No device could connect: the target cannot be reached by this scenario.
    Unreachable(String),
    /// Another client took part as one of the run's devices: whatever is broken may be its doing.
    Disturbed(String),
    /// The run cannot be trusted.
    Invalid(String),
    /// An invariant is broken.
    Invariant(String),
    /// A threshold is broken.
    Threshold(String),
    /// A claim or a threshold could not be judged.
    Unjudged(String),
}

impl Reason {
    /// The sentence.
    pub fn text(&self) -> &str {
        match self {
            Self::Unreachable(text)
            | Self::Disturbed(text)
            | Self::Invalid(text)
            | Self::Invariant(text)
            | Self::Threshold(text)
            | Self::Unjudged(text) => text,
        }
    }

    const fn is_invariant(&self) -> bool {
        match self {
            Self::Invariant(_) => true,
            Self::Unreachable(_)
            | Self::Disturbed(_)
            | Self::Invalid(_)
            | Self::Threshold(_)
            | Self::Unjudged(_) => false,
        }
    }

    const fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Disturbed(_)
            | Self::Invalid(_)
            | Self::Invariant(_)
            | Self::Threshold(_)
            | Self::Unjudged(_) => false,
        }
    }

    const fn exit_code(&self) -> u8 {
        match self {
            Self::Unreachable(_) => 3,
            Self::Disturbed(_) | Self::Invalid(_) | Self::Unjudged(_) => 4,
            Self::Invariant(_) => 98,
            Self::Threshold(_) => 99,
        }
    }

    /// The gravest is first. Where another client acted as one of the run's devices, nothing can be held
    /// against the broker. Otherwise a broken invariant stands, whatever else happened; in a run that
    /// cannot be trusted a number proves nothing; a number that can be trusted and is wrong stands,
    /// though another could not be judged.
    const fn rank(&self) -> u8 {
        match self {
            Self::Unreachable(_) => 0,
            Self::Disturbed(_) => 1,
            Self::Invariant(_) => 2,
            Self::Invalid(_) => 3,
            Self::Threshold(_) => 4,
            Self::Unjudged(_) => 5,
        }
    }
}

impl Outcome {
    /// In capitals, as reports head it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::NoClaims => "NO CLAIMS",
            Self::Fail => "FAIL",
            Self::Invalid => "INVALID",
        }
    }
}

impl Verdict {
    /// Judges a run.
    ///
    /// `further` are reasons beyond checks and thresholds: the generator slipped, the broker ended
    /// by itself. The gravest reason decides: where another client acted as one of the run's devices
    /// nothing follows; a broken invariant stands, whatever else happened; a run that cannot be trusted outranks a broken threshold. A threshold on `schedule_lag` that
    /// is broken makes the run invalid. A run in which no device could
    /// connect has that one reason.
    ///
    /// A claim or a threshold that could not be judged proves nothing, and makes the run invalid. So
    /// does a stop, whatever held up to then.
    pub fn judge(
        checks: &[CheckOutcome],
        thresholds: &[ThresholdOutcome],
        extent: Extent,
        further: impl IntoIterator<Item = Reason>,
    ) -> Self {
        let mut reasons: Vec<Reason> = further.into_iter().collect();
        if let Some(place) = reasons.iter().position(Reason::is_unreachable) {
            // No device took part: there is nothing that claims could be about.
            return Self {
                outcome: Outcome::Invalid,
                exit_code: reasons[place].exit_code(),
                reasons: vec![reasons.swap_remove(place)],
            };
        }
        let mut unjudged = Vec::new();
        for threshold in thresholds.iter().filter(|threshold| !threshold.passed()) {
            let text = threshold_text(threshold);
            match threshold.result {
                ThresholdResult::TooFewSamples => unjudged.push(Reason::Unjudged(text)),
                ThresholdResult::ExplainedByLag => reasons.push(Reason::Invalid(text)),
                ThresholdResult::Failed | ThresholdResult::Passed => {
                    reasons.push(threshold_reason(threshold.metric, text));
                }
            }
        }
        for (claim, text) in checks.iter().flat_map(broken_claims) {
            if claim.actual.is_none() {
                unjudged.push(Reason::Unjudged(text));
            } else {
                reasons.push(Reason::Invariant(text));
            }
        }
        match extent {
            Extent::Whole => reasons.extend(unjudged),
            Extent::UpTo(stop) => {
                if !reasons.iter().any(Reason::is_invariant) {
                    reasons.push(Reason::Invalid(format!("the run was {stop}")));
                }
            }
        }
        // Stable: within one kind the file's order stays.
        reasons.sort_by_key(Reason::rank);
        let exit_code = reasons.first().map_or(0, Reason::exit_code);
        let claims: usize = checks.iter().map(|check| check.claims.len()).sum();
        let outcome = match exit_code {
            0 if claims == 0 && thresholds.is_empty() => Outcome::NoClaims,
            0 => Outcome::Pass,
            3 | 4 => Outcome::Invalid,
            _ => Outcome::Fail,
        };
        Self {
            outcome,
            exit_code,
            reasons,
        }
    }
}

fn threshold_reason(metric: MetricName, text: String) -> Reason {
    if metric == MetricName::ScheduleLag {
        Reason::Invalid(text)
    } else {
        Reason::Threshold(text)
    }
}

fn threshold_text(threshold: &ThresholdOutcome) -> String {
    let tags: Vec<String> = threshold
        .tags
        .iter()
        .map(|(tag, value)| format!("{tag}={value}"))
        .collect();
    let selector = if tags.is_empty() {
        threshold.metric.to_string()
    } else {
        format!("{}{{{}}}", threshold.metric, tags.join(", "))
    };
    let actual = match (&threshold.actual, threshold.result) {
        (Some(actual), ThresholdResult::ExplainedByLag) => {
            let less_lag = threshold
                .less_lag
                .as_ref()
                .map_or(String::new(), |less_lag| {
                    format!(", without its lag it would be {less_lag}")
                });
            format!("it was {actual} and the generator explains it{less_lag}")
        }
        (_, ThresholdResult::TooFewSamples) => {
            let expression = &threshold.expression;
            return format!(
                "{selector}: {expression} could not be judged: {}",
                samples_missing(threshold)
            );
        }
        (Some(actual), _) => format!(
            "it was {actual} ({} samples)",
            count_text(threshold.samples)
        ),
        (None, _) => "nothing was measured".to_owned(),
    };
    format!("{selector}: {} broken, {actual}", threshold.expression)
}

/// How many samples there are, how many it would take, and what would have to change.
fn samples_missing(threshold: &ThresholdOutcome) -> String {
    let samples = threshold.samples;
    let needed = match threshold.aggregate {
        Aggregate::Percentile(percentile) => percentile.samples_needed(),
        Aggregate::Min
        | Aggregate::Avg
        | Aggregate::Max
        | Aggregate::Count
        | Aggregate::Rate
        | Aggregate::Value => 1,
    };
    if samples == 0 {
        return "it was never measured; let the scenario make it happen while it measures, or leave the threshold out"
            .to_owned();
    }
    format!(
        "{} samples, it takes {}; run for {} times as long, use as many times more devices, or leave the percentile out",
        count_text(samples),
        count_text(needed),
        count_text(needed.div_ceil(samples))
    )
}

/// Why most claims cannot be judged that cannot be.
const NOTHING_HAPPENED: &str =
    "nothing happened that it is about; let the scenario make it happen, or leave the claim out";

fn broken_claims(check: &CheckOutcome) -> impl Iterator<Item = (&ClaimOutcome, String)> {
    let selection: Vec<String> = check
        .selection
        .iter()
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    let name = if selection.is_empty() {
        check.check.clone()
    } else {
        format!("{} ({})", check.check, selection.join(", "))
    };
    check
        .claims
        .iter()
        .filter(|claim| !claim.passed)
        .map(move |claim| {
            let text = match &claim.actual {
                Some(actual) => format!(
                    "{name}: {} should be {}, was {actual}",
                    claim.key, claim.limit
                ),
                None => format!(
                    "{name}: {} could not be judged: {}",
                    claim.key,
                    claim.unjudged.as_deref().unwrap_or(NOTHING_HAPPENED)
                ),
            };
            (claim, text)
        })
}

/// The exit code of several commands or runs: the worst of theirs, in this order.
///
/// An internal error, bad usage and an unreachable target come first: then not all was run. A
/// broken invariant is worse than a broken threshold, and both are worse than a run from which
/// nothing follows.
pub fn worst_exit_code(codes: impl IntoIterator<Item = u8>) -> u8 {
    const WORST_FIRST: [u8; 7] = [1, 2, 3, 98, 99, 4, 0];
    let rank = |code: &u8| WORST_FIRST.iter().position(|known| known == code);
    codes.into_iter().min_by_key(rank).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Comparison, Percentile, PhaseKind, StopSignal, Tags, Value};

    fn check(passed: bool) -> CheckOutcome {
        CheckOutcome {
            check: "delivery".to_owned(),
            selection: BTreeMap::from([("qos".to_owned(), "1".to_owned())]),
            claims: vec![ClaimOutcome {
                key: "lost".to_owned(),
                limit: Value::Count(0),
                actual: Some(Value::Count(if passed { 0 } else { 3 })),
                passed,
                range: None,
                unjudged: None,
            }],
            violations_total: if passed { 0 } else { 3 },
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
        let kept = threshold(MetricName::E2eLatency, ThresholdResult::Passed);

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

    /// A broken invariant is 98 and outranks a missed threshold, which alone is 99.
    #[test]
    fn an_invariant_outranks_a_threshold() {
        let missed = threshold(MetricName::E2eLatency, ThresholdResult::Failed);

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

    /// What is broken while another client acts as one of the run's devices may be its doing.
    #[test]
    fn another_client_outranks_an_invariant() {
        let disturbed = Reason::Disturbed("another client uses our Client Identifiers".to_owned());

        let verdict = Verdict::judge(&[check(false)], &[], Extent::Whole, [disturbed]);

        assert_eq!((verdict.outcome, verdict.exit_code), (Outcome::Invalid, 4));
        assert_eq!(verdict.reasons.len(), 2);
    }

    /// A generator that slipped makes the run invalid, and no threshold is broken in it. What the
    /// protocol forbids stays forbidden, however late the generator was.
    #[test]
    fn schedule_lag_makes_it_invalid() {
        let lag = threshold(MetricName::ScheduleLag, ThresholdResult::Failed);
        let missed = threshold(MetricName::E2eLatency, ThresholdResult::Failed);

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
            "e2e_latency: p99 < 5ms broken, it was 9.00 ms and the generator explains it, without \
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
        let missed = threshold(MetricName::E2eLatency, ThresholdResult::Failed);

        let verdict = Verdict::judge(&[], &[few.clone(), never], Extent::Whole, []);
        let beside = Verdict::judge(&[], &[few, missed], Extent::Whole, []);

        assert_eq!((verdict.outcome, verdict.exit_code), (Outcome::Invalid, 4));
        assert_eq!(
            verdict.reasons[0].text(),
            "time_to_will: p99 < 5ms could not be judged: 40 samples, it takes 1,000; run for 25 times as long, use as many \
             times more devices, or leave the percentile out"
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
            signal: StopSignal::Sigint,
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
        let missed = threshold(MetricName::E2eLatency, ThresholdResult::Failed);

        let broken = Verdict::judge(&[check(false), unjudged()], &[], stopped_at_16_s(), []);
        let held = Verdict::judge(&[check(true)], &[], stopped_at_16_s(), []);
        let slow = Verdict::judge(&[check(true)], &[missed], stopped_at_16_s(), []);
        let unclaimed = Verdict::judge(&[], &[], stopped_at_16_s(), []);

        assert_eq!((broken.exit_code, broken.reasons.len()), (98, 1));
        for verdict in [held, slow, unclaimed] {
            assert_eq!((verdict.outcome, verdict.exit_code), (Outcome::Invalid, 4));
        }
    }
}
