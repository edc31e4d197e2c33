//! What follows from a run.

mod exit_code;
mod reason;
mod sentence;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CheckOutcome, ClaimOutcome, ClaimResult, Explanation, MetricName, Stop, StopCause,
    ThresholdOutcome, ThresholdResult, Times,
};

pub use exit_code::ExitCode;
pub use reason::Reason;
pub(crate) use sentence::of_threshold;

/// What follows from a run, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The result: pass, no claims, fail or invalid.
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
    /// What came before it was stopped.
    UpTo(Stop),
}

impl Extent {
    /// How much of its scenario a run of these times has done.
    pub fn of(times: &Times) -> Self {
        times.stopped.map_or(Self::Whole, Self::UpTo)
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
    /// by itself. The gravest reason decides: a broken invariant stands, whatever else happened, unless the
    /// generator or another client may have broken it; a run that cannot be trusted outranks a
    /// broken threshold. Where the broker ended by itself, what that may have brought about is a
    /// consequence. A threshold on `schedule_lag` that
    /// is broken makes the run invalid. A run in which no device could
    /// connect has that one reason.
    ///
    /// A claim or a threshold that could not be judged proves nothing, and makes the run invalid. So
    /// does a stop, whatever held up to then, unless what was broken is what stopped it.
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
        let has_ended = reasons.iter().any(Reason::is_broker_ended);
        let of_thresholds = thresholds.iter().filter_map(threshold_reason);
        let of_checks = checks
            .iter()
            .flat_map(|check| check.claims.iter().map(move |claim| (check, claim)))
            .filter_map(|(check, claim)| {
                let reason = claim_reason(check, claim)?;
                if has_ended
                    && may_follow_from_an_end(claim)
                    && let Reason::Invariant(text) = reason
                {
                    return Some(Reason::Consequence(text));
                }
                Some(reason)
            });
        let (unjudged, certain): (Vec<Reason>, Vec<Reason>) = of_thresholds
            .chain(of_checks)
            .partition(Reason::is_unjudged);
        reasons.extend(certain);
        match extent {
            Extent::Whole => reasons.extend(unjudged),
            Extent::UpTo(stop) => {
                // What is broken up to there is broken, whatever would have come.
                let is_decisive = |reason: &Reason| match stop.by {
                    StopCause::AbortOnFail => matches!(reason.exit_code(), 98 | 99),
                    StopCause::Sigint | StopCause::Sigterm | StopCause::Sighup => {
                        reason.exit_code() == 98
                    }
                };
                if !reasons.iter().any(is_decisive) {
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

/// Whether a broker that is gone may be why a claim is broken: not of what only one that lives can do.
fn may_follow_from_an_end(claim: &ClaimOutcome) -> bool {
    const DONE_BY_A_LIVING_BROKER: [&str; 7] = [
        "mislabelled",
        "corrupted",
        "duplicated",
        "reordered",
        "misrouted",
        "alive_per_client_id",
        "reason",
    ];
    !DONE_BY_A_LIVING_BROKER.contains(&claim.key.as_str())
}

/// What a claim that did not hold counts for, and its sentence; `None` if it held.
pub(crate) fn claim_reason(check: &CheckOutcome, claim: &ClaimOutcome) -> Option<Reason> {
    let text = sentence::of_claim(check, claim);
    match claim.result() {
        ClaimResult::Held => None,
        ClaimResult::Broken => Some(Reason::Invariant(text)),
        ClaimResult::NotJudged => Some(match &claim.explained {
            Some(Explanation::Generator(held_up)) => Reason::of_the_generator(&text, held_up),
            Some(Explanation::OtherClient) => Reason::of_another_client(&text),
            None => Reason::Unjudged(text),
        }),
    }
}

/// A generator that was too late makes the run invalid, whether the file limits its lag or not.
fn threshold_reason(threshold: &ThresholdOutcome) -> Option<Reason> {
    let text = sentence::of_threshold(threshold);
    match threshold.result {
        ThresholdResult::Held => None,
        ThresholdResult::Broken if threshold.metric == MetricName::ScheduleLag => {
            Some(Reason::Invalid(text))
        }
        ThresholdResult::Broken => Some(Reason::Threshold(text)),
        ThresholdResult::ExplainedByLag => Some(Reason::Invalid(text)),
        ThresholdResult::TooFewSamples => Some(Reason::Unjudged(text)),
    }
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
