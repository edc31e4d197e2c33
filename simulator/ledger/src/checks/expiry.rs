//! `expiry`: messages that live for a limited time (§3.3.2.3.3).

use squall_run::AnomalyKind;
use squall_scenario::ExpiryClaim;

use super::Evidence;
use super::claim::{Claims, Word};

/// Judges one claim. A message that expired while its Session was away, and did not come, kept the rule.
pub(super) fn judge(number: usize, claim: &ExpiryClaim, evidence: &Evidence<'_>) -> Claims {
    let deliveries = &evidence.ledger.deliveries;
    let counts = deliveries.expiry_counts(number);
    let mut claims = Claims::new();
    if claim.never_after {
        let has_happened = counts.compared + deliveries.expired() > 0;
        let late = has_happened.then_some(counts.late);
        claims.add_rule("never_after", late, &[AnomalyKind::Expired]);
    }
    if claim.remaining_correct {
        claims.add_word(
            Word {
                key: "remaining",
                word: "correct",
                wrong: counts.told_wrong,
                of: counts.told,
                unjudged: None,
            },
            &[AnomalyKind::ExpiryWrong],
        );
    }
    claims
}
