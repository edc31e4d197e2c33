//! Claims and thresholds of a run, as a table of several runs has them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{CheckOutcome, ClaimResult, ThresholdOutcome, Value};

/// A claim or a threshold of a run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Judgement {
    /// What it is about: `delivery lost`, `e2e_latency p99 < 250ms`.
    pub name: String,
    /// What the scenario allows.
    pub limit: Value,
    /// What was found; `null` if there was nothing to judge by.
    pub actual: Option<Value>,
    /// What became of it.
    pub result: ClaimResult,
}

/// Claims and thresholds under names of their own: two checks of the same kind are told apart by a number.
pub(super) fn judgements(
    checks: &[CheckOutcome],
    thresholds: &[ThresholdOutcome],
) -> Vec<Judgement> {
    let mut all: Vec<Judgement> = Vec::new();
    let claims = checks.iter().flat_map(|check| {
        let selection = check.selection.iter();
        let selection: String = selection
            .map(|(key, value)| format!(" {key}={value}"))
            .collect();
        check.claims.iter().map(move |claim| Judgement {
            name: format!("{}{selection} {}", check.check, claim.key),
            limit: claim.limit.clone(),
            actual: claim.actual.clone(),
            result: claim.result(),
        })
    });
    let limits = thresholds.iter().map(|threshold| Judgement {
        name: format!("{} {}", threshold.selector(), threshold.expression),
        limit: threshold.limit.clone(),
        actual: threshold.actual.clone(),
        result: threshold.claim_result(),
    });
    for mut judgement in claims.chain(limits) {
        let same = |known: &&Judgement| known.name == judgement.name;
        if all.iter().any(|known| same(&known)) {
            let others = (2..).map(|number: u32| format!("{} ({number})", judgement.name));
            let free = |name: &String| all.iter().all(|known| known.name != *name);
            judgement.name = others
                .into_iter()
                .find(free)
                .expect("there are more names than claims");
        }
        all.push(judgement);
    }
    all
}
