//! `takeover`: several connections for one Client Identifier (§3.1.4).

use squall_protocol::ReasonCode;
use squall_run::{AnomalyKind, Value};
use squall_scenario::TakeoverClaim;

use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::TakeoverCounts;

/// Judges one claim.
pub(super) fn judge(number: usize, claim: &TakeoverClaim, evidence: &Evidence<'_>) -> Claims {
    let takeovers = &evidence.ledger.takeovers;
    let counts = takeovers.counts();
    let violations = takeovers.violations(number);
    let has_happened = counts.takeovers > 0;
    let mut claims = Claims::new();
    if let Some(limit) = claim.alive_per_client_id {
        let alive = match violations.alive {
            0 => u64::from(limit).min(counts.most_alive),
            _ => counts.most_alive_too_long,
        };
        let judged = Judged {
            key: "alive_per_client_id".to_owned(),
            limit: Value::Count(limit.into()),
            actual: has_happened.then_some(Value::Count(alive)),
            violations: violations.alive,
            holds: violations.alive == 0,
            unjudged: None,
        };
        claims.add(judged, &[AnomalyKind::TwoAlive]);
    }
    if let Some(limit) = claim.displaced_closed_within {
        let slowest = counts.slowest_close.unwrap_or_default().as_secs_f64();
        let judged = Judged {
            key: "displaced_closed_within".to_owned(),
            limit: Value::Seconds(limit.as_secs_f64()),
            actual: has_happened.then_some(Value::Seconds(slowest)),
            violations: violations.late,
            holds: violations.late == 0,
            unjudged: None,
        };
        claims.add(judged, &[AnomalyKind::DisplacedNotClosed]);
    }
    if let Some(reason) = claim.reason {
        let judged = judge_reason(reason, counts, violations.reason);
        claims.add(judged, &[AnomalyKind::DisplacedReason]);
    }
    if claim.session_present_correct {
        claims.add(
            judge_session_present("session_present", counts),
            &[AnomalyKind::SessionPresent],
        );
    }
    claims
}

/// What displaced connections were told.
fn judge_reason(reason: ReasonCode, counts: &TakeoverCounts, violations: u64) -> Judged {
    let told: Vec<&str> = counts
        .reasons
        .keys()
        .map(|told| reason_name(*told))
        .collect();
    let actual = match violations {
        0 => reason.name().to_owned(),
        _ => told.join(", "),
    };
    Judged {
        key: "reason".to_owned(),
        limit: Value::Text(reason.name().to_owned()),
        actual: (counts.displaced_closed > 0).then_some(Value::Text(actual)),
        violations,
        holds: violations == 0,
        unjudged: None,
    }
}

/// What CONNACKs said of the Session.
pub(super) fn judge_session_present(key: &str, counts: &TakeoverCounts) -> Judged {
    let wrong = counts.session_present_wrong;
    let samples = counts.session_present_right + wrong;
    let actual = match wrong {
        0 => "correct".to_owned(),
        _ => format!("wrong in {wrong} of {samples}"),
    };
    Judged {
        key: key.to_owned(),
        limit: Value::Text("correct".to_owned()),
        actual: (samples > 0).then_some(Value::Text(actual)),
        violations: wrong,
        holds: wrong == 0,
        unjudged: None,
    }
}

/// The name of a Reason Code; a bare close has none.
fn reason_name(told: Option<u8>) -> &'static str {
    told.and_then(ReasonCode::from_byte)
        .map_or("none", ReasonCode::name)
}
