//! `qos2_handshake`: exchanges end, and each side keeps to the order of the legs (§4.3.3).

use squall_run::{AnomalyKind, Value, count_text, duration_text};
use squall_scenario::Qos2HandshakeClaim;

use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::HandshakeCounts;

/// Judges one claim.
pub(super) fn judge(claim: &Qos2HandshakeClaim, evidence: &Evidence<'_>) -> Claims {
    let counts = evidence.ledger.handshakes.counts();
    let has_happened = counts.sender_started + counts.receiver_started > 0;
    let mut claims = Claims::new();
    if let Some(limit) = claim.incomplete {
        let unjudged = coming(counts, limit);
        let is_judged = has_happened && unjudged.is_none();
        let judged = Judged {
            key: "incomplete".to_owned(),
            limit: Value::Count(limit),
            actual: is_judged.then_some(Value::Count(counts.incomplete)),
            violations: counts.incomplete,
            holds: counts.incomplete <= limit,
            unjudged,
        };
        claims.add(judged, &[AnomalyKind::Qos2Incomplete]);
    }
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

/// Why it is not known whether more than `limit` are incomplete, if that hangs on exchanges that could go on still.
fn coming(counts: &HandshakeCounts, limit: u64) -> Option<String> {
    let may_break = counts.incomplete <= limit && counts.incomplete + counts.coming > limit;
    may_break.then(|| {
        format!(
            "{} exchanges waited for the broker when the run ended, and not for long against what it had taken before: the run \
             must go on for {} more: make `run.drain` longer",
            count_text(counts.coming),
            duration_text(counts.short_by.as_secs_f64())
        )
    })
}
