//! `shared`: each message of a shared subscription reaches one member, also where a member is lost (§4.8.2).
//!
//! A message that reached none is one that a lost member had (`redistributed`), or one that none had (`exactly_one`). Where it may
//! be either, or may not be lost at all, what else was found to be right proves nothing.

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

/// Adds a rule; it is not judged where a message may have broken it.
fn add(
    claims: &mut Claims,
    key: &str,
    violations: Option<u64>,
    counts: &ShareCounts,
    kinds: &[AnomalyKind],
) {
    let holds = violations == Some(0);
    let unjudged = unjudged(counts).filter(|_| holds || violations.is_none());
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

/// Why it is not known whether a rule was kept, if messages stand against that.
fn unjudged(counts: &ShareCounts) -> Option<String> {
    let coming = (counts.coming > 0).then(|| {
        format!(
            "{} messages of shared subscriptions had not come when the run ended, and could come still: make `run.drain` longer",
            count_text(counts.coming)
        )
    });
    let late = (counts.late > 0).then(|| {
        format!(
            "{} messages of shared subscriptions had not come long after they were sent, when a member was lost, left or unsubscribed, \
             or a connection on their way was lost: whether the broker had them still is not known",
            count_text(counts.late)
        )
    });
    let unclear = (counts.unclear > 0).then(|| {
        format!(
            "{} messages of shared subscriptions reached no member (`lost` of a `delivery` check counts them): whether one that was \
             lost had had them is not known",
            count_text(counts.unclear)
        )
    });
    coming.or(late).or(unclear)
}
