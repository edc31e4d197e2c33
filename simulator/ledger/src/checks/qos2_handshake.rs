//! `qos2_handshake`: exchanges end, and each side keeps to the order of the legs (§4.3.3).

use squall_run::{AnomalyKind, Value, count_text, duration_text};
use squall_scenario::Qos2HandshakeClaim;

use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::{HandshakeCounts, Unjudged};

/// Judges one claim.
pub(super) fn judge(claim: &Qos2HandshakeClaim, evidence: &Evidence<'_>) -> Claims {
    let counts = evidence.ledger.handshakes.counts();
    let has_happened = counts.sender_started + counts.receiver_started > 0;
    let mut claims = Claims::new();
    if let Some(limit) = claim.incomplete {
        let unjudged = why_open(counts, limit);
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
        claims.add(dup_answered(counts), &[AnomalyKind::Qos2DupUnanswered]);
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

fn dup_answered(counts: &HandshakeCounts) -> Judged {
    let unanswered = counts.dup_unanswered;
    let of = counts.dup_answered + unanswered;
    let has_answers_to_come = counts.dup_coming.count + counts.dup_left > 0;
    let unjudged = if unanswered > 0 {
        None
    } else if has_answers_to_come {
        Some(why_unjudged(
            "PUBLISHes that were sent again",
            counts.dup_coming,
            counts.dup_left,
        ))
    } else {
        (of == 0 && counts.dup_sent > 0).then(|| {
            "none of the PUBLISHes that were sent again was answered, and the connection of each ended soon".to_owned()
        })
    };
    let is_judged = of > 0 && unjudged.is_none();
    Judged {
        key: "dup_answered_with_pubrec".to_owned(),
        limit: Value::Flag(true),
        actual: is_judged.then_some(Value::Flag(unanswered == 0)),
        violations: unanswered,
        holds: unanswered == 0,
        unjudged,
    }
}

/// Why it is not known whether more than `limit` are incomplete, if that hangs on exchanges that nothing is concluded of.
fn why_open(counts: &HandshakeCounts, limit: u64) -> Option<String> {
    let unjudged = counts.coming.count + counts.left;
    let may_break = counts.incomplete <= limit && counts.incomplete + unjudged > limit;
    may_break.then(|| why_unjudged("exchanges", counts.coming, counts.left))
}

/// Why it is not known of so many whether the broker would have gone on with them.
fn why_unjudged(what: &str, coming: Unjudged, left: u64) -> String {
    let coming_text = (coming.count > 0).then(|| {
        format!(
            "{} {what} waited for the broker when the run ended, and not for long against what it had taken before: the run \
             must go on for {} more: make `run.drain` longer",
            count_text(coming.count),
            duration_text(coming.short_by.as_secs_f64())
        )
    });
    let left_text = (left > 0).then(|| {
        format!(
            "{} {what} had waited for the broker for long when their connections ended, and not for so long that it had surely \
             given them up",
            count_text(left)
        )
    });
    let texts: Vec<String> = coming_text.into_iter().chain(left_text).collect();
    texts.join("; ")
}
