//! `shared`: each message of a shared subscription reaches one member, also where a member is lost (§4.8.2).

use squall_run::{AnomalyKind, count_text};
use squall_scenario::SharedClaim;

use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::ShareCounts;

/// Judges one claim.
pub(super) fn judge(claim: &SharedClaim, evidence: &Evidence<'_>) -> Claims {
    let counts = evidence.ledger.deliveries.share_counts();
    let mut claims = Claims::new();
    if claim.exactly_one {
        let violations = counts.twice + counts.lost;
        let has_happened = counts.came + counts.lost > 0;
        add(
            &mut claims,
            "exactly_one",
            has_happened.then_some(violations),
            &counts,
            &[AnomalyKind::Duplicated, AnomalyKind::Lost],
        );
    }
    if claim.redistributed {
        let violations = counts.not_passed_on;
        let has_happened = counts.at_stake + violations > 0;
        add(
            &mut claims,
            "redistributed",
            has_happened.then_some(violations),
            &counts,
            &[AnomalyKind::Lost],
        );
    }
    claims
}

/// Adds a rule; it is not judged while messages could come still.
fn add(
    claims: &mut Claims,
    key: &str,
    violations: Option<u64>,
    counts: &ShareCounts,
    kinds: &[AnomalyKind],
) {
    let holds = violations == Some(0);
    let unjudged = (holds && counts.coming > 0).then(|| {
        format!(
            "{} messages of shared subscriptions had not come when the run ended, and could come still: make `run.drain` longer",
            count_text(counts.coming)
        )
    });
    let judged = Judged {
        key: key.to_owned(),
        limit: squall_run::Value::Flag(true),
        actual: violations
            .filter(|_| unjudged.is_none())
            .map(|_| squall_run::Value::Flag(holds)),
        violations: violations.unwrap_or(0),
        holds,
        unjudged,
    };
    claims.add(judged, kinds);
}
