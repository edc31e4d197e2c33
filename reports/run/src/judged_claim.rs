//! Each claim and threshold of a run under a name that stays, and what a run has against it beside them.

use std::collections::BTreeSet;

use crate::verdict;
use crate::{ClaimResult, Reason, Run};

/// One claim or threshold, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedClaim {
    /// A name of its own within its run, without any number that the run or its limit may change: `delivery qos=1 lost`,
    /// `e2e_latency{group=backend} p99`.
    pub name: String,
    /// Whether a check claims it or a threshold limits it.
    pub kind: ClaimKind,
    /// What became of it.
    pub result: ClaimResult,
    /// What is wrong with it, in the words of the terminal; `None` if it held.
    pub wrong: Option<String>,
}

/// Where a claim is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimKind {
    /// In an `[[expect]]` block.
    Invariant,
    /// In `[thresholds]`.
    Threshold,
}

impl ClaimKind {
    /// The word that every output uses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invariant => "invariant",
            Self::Threshold => "threshold",
        }
    }
}

impl Run {
    /// Every claim and threshold, in file order. Those that would have one name are numbered.
    pub fn judged_claims(&self) -> Vec<JudgedClaim> {
        let claims = self.measured.checks.iter().flat_map(|check| {
            let selection = check.selection.iter();
            let selection: String = selection
                .map(|(key, value)| format!(" {key}={value}"))
                .collect();
            check.claims.iter().map(move |claim| JudgedClaim {
                name: format!("{}{selection} {}", check.check, claim.key),
                kind: ClaimKind::Invariant,
                result: claim.result(),
                wrong: verdict::claim_reason(check, claim).map(|reason| reason.text().to_owned()),
            })
        });
        let thresholds = self
            .measured
            .thresholds
            .iter()
            .map(|threshold| JudgedClaim {
                name: format!("{} {}", threshold.selector(), threshold.aggregate),
                kind: ClaimKind::Threshold,
                result: threshold.claim_result(),
                wrong: (!threshold.passed()).then(|| verdict::of_threshold(threshold)),
            });
        let mut all: Vec<JudgedClaim> = Vec::new();
        for mut claim in claims.chain(thresholds) {
            let is_taken = |name: &str| all.iter().any(|known| known.name == name);
            let mut number = 2;
            let plain = claim.name.clone();
            while is_taken(&claim.name) {
                claim.name = format!("{plain} ({number})");
                number += 1;
            }
            all.push(claim);
        }
        all
    }

    /// Why the run did not pass beside its claims and thresholds, gravest first: the broker ended, the run was stopped,
    /// devices were never let in.
    pub fn reasons_beside_claims(&self) -> Vec<&Reason> {
        let claims = self.judged_claims().into_iter();
        let of_claims: BTreeSet<String> = claims.filter_map(|claim| claim.wrong).collect();
        let reasons = self.verdict.reasons.iter();
        let beside = reasons.filter(|reason| !of_claims.contains(reason.text()));
        beside.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Extent, Value, Verdict, sample};

    /// Neither what was measured nor what is allowed is in a name, and no two are the same.
    #[test]
    fn names_stay_when_figures_and_limits_change() {
        let names = |run: &Run| -> Vec<String> {
            let claims = run.judged_claims().into_iter();
            claims.map(|claim| claim.name).collect()
        };
        let mut changed = sample::failing();
        for threshold in &mut changed.measured.thresholds {
            threshold.limit = Value::Seconds(77.0);
            threshold.expression = "p99 < 77s".to_owned();
        }
        let twice = changed.measured.thresholds[0].clone();
        changed.measured.thresholds.push(twice.clone());
        changed.measured.thresholds.push(twice);

        let (before, after) = (names(&sample::passing()), names(&changed));

        assert_eq!(before[0], "delivery qos=1 lost");
        assert_eq!(after[..before.len()], before);
        let first = sample::passing()
            .measured
            .checks
            .iter()
            .map(|check| check.claims.len())
            .sum::<usize>();
        assert_eq!(after[before.len()], format!("{} (2)", before[first]));
        assert_eq!(after[before.len() + 1], format!("{} (3)", before[first]));
    }

    /// What a claim came to is no reason beside the claims; that the broker ended is.
    #[test]
    fn reasons_of_claims_are_not_told_twice() {
        let mut run = sample::failing();
        assert!(run.reasons_beside_claims().is_empty());
        let dead = Reason::BrokerEnded("the broker died".to_owned());
        let measured = &run.measured;
        run.verdict = Verdict::judge(
            &measured.checks,
            &measured.thresholds,
            Extent::Whole,
            [dead.clone()],
        );

        assert_eq!(run.reasons_beside_claims(), [&dead]);
        let wrong = run
            .judged_claims()
            .into_iter()
            .filter_map(|claim| claim.wrong);
        assert_eq!(wrong.count(), 3);
    }
}
