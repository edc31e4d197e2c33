//! `response`: requests are answered, in time, and reach the devices with what ties them together (§4.10).

use squall_run::{AnomalyKind, Value, count_text};
use squall_scenario::ResponseClaim;

use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::ResponseCounts;

/// Judges one claim.
pub(super) fn judge(number: usize, claim: &ResponseClaim, evidence: &Evidence<'_>) -> Claims {
    let responses = &evidence.ledger.responses;
    let counts = responses.counts();
    let mut claims = Claims::new();
    if claim.answered {
        claims.add(judge_answered(counts), &[AnomalyKind::ResponseMissing]);
        if counts.not_owed() > 0 {
            claims.judged_of(&format!(
                "{} of {} requests; to the others no response was owed",
                count_text(counts.requests - counts.not_owed()),
                count_text(counts.requests)
            ));
        }
    }
    if let Some(limit) = claim.within {
        let slowest = counts.slowest.map(|slowest| slowest.as_secs_f64());
        let violations = responses.late(number);
        let judged = Judged {
            key: "within".to_owned(),
            limit: Value::Seconds(limit.as_secs_f64()),
            actual: slowest.map(Value::Seconds),
            violations,
            holds: violations == 0,
            unjudged: None,
        };
        claims.add(judged, &[AnomalyKind::ResponseLate]);
    }
    claims.add_at_most(
        "misdirected",
        claim.misdirected,
        (counts.requests > 0).then_some(counts.misdirected),
        &[AnomalyKind::ResponseMisdirected],
    );
    claims
}

fn judge_answered(counts: &ResponseCounts) -> Judged {
    let unanswered = counts.unanswered;
    let unjudged = (unanswered == 0).then(|| why_unjudged(counts)).flatten();
    let is_judged = unjudged.is_none() && counts.answered + unanswered > 0;
    let holds = unanswered == 0;
    Judged {
        key: "answered".to_owned(),
        limit: Value::Flag(true),
        actual: is_judged.then_some(Value::Flag(holds)),
        violations: unanswered,
        holds,
        unjudged,
    }
}

/// Why nothing follows from a run in which no response that was owed is missing for certain.
fn why_unjudged(counts: &ResponseCounts) -> Option<String> {
    if counts.lost_at_qos0 > 0 {
        return Some(format!(
            "{} requests or responses were lost at QoS 0, which may lose them; ask and answer at QoS 1",
            count_text(counts.lost_at_qos0)
        ));
    }
    (counts.under_way > 0).then(|| {
        format!(
            "{} requests or responses may have been under way at the end; give `run.drain` more time",
            count_text(counts.under_way)
        )
    })
}
