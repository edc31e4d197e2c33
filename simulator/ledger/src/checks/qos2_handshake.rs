//! `qos2_handshake`: exchanges end, and each side keeps to the order of the legs (§4.3.3).

use squall_run::AnomalyKind;
use squall_scenario::Qos2HandshakeClaim;

use super::Evidence;
use super::claim::Claims;

/// Judges one claim.
pub(super) fn judge(claim: &Qos2HandshakeClaim, evidence: &Evidence<'_>) -> Claims {
    let counts = evidence.ledger.handshakes.counts();
    let has_happened = counts.sender_started + counts.receiver_started > 0;
    let mut claims = Claims::new();
    claims.add_at_most(
        "incomplete",
        claim.incomplete,
        has_happened.then_some(counts.incomplete),
        &[AnomalyKind::Qos2Incomplete],
    );
    if claim.dup_answered_with_pubrec {
        claims.add_rule(
            "dup_answered_with_pubrec",
            (counts.dup_sent > 0).then_some(counts.dup_unanswered),
            &[AnomalyKind::Qos2DupUnanswered],
        );
    }
    if claim.no_publish_after_pubrel {
        claims.add_rule(
            "no_publish_after_pubrel",
            (counts.receiver_started > 0).then_some(counts.publish_after_pubrel),
            &[AnomalyKind::Qos2PublishAfterPubrel],
        );
    }
    claims
}
