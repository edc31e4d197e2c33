//! `malformed`: what becomes of connections on which a malformed packet was sent.

use squall_run::{AnomalyKind, Value};
use squall_scenario::MalformedClaim;

use super::Evidence;
use super::claim::{Claims, Judged};

/// Judges one claim.
pub(super) fn judge(number: usize, claim: &MalformedClaim, evidence: &Evidence<'_>) -> Claims {
    let provocations = &evidence.ledger.provocations;
    let mut claims = Claims::new();
    if let Some(limit) = claim.closed_within {
        let late = provocations.late(number);
        let slowest = provocations.slowest();
        let judged = Judged {
            key: "closed_within".to_owned(),
            limit: Value::Seconds(limit.as_secs_f64()),
            actual: slowest.map(|slowest| Value::Seconds(slowest.as_secs_f64())),
            violations: late,
            holds: late == 0,
            unjudged: None,
        };
        claims.add(judged, &[AnomalyKind::MalformedTolerated]);
    }
    if claim.reason_correct {
        let told: u64 = provocations
            .counts()
            .flat_map(|(.., counts)| counts.told.values())
            .sum();
        // A broker may close without a word: then it says nothing wrong.
        let closed: u64 = provocations
            .counts()
            .map(|(.., counts)| counts.closed)
            .sum();
        let unfit: u64 = provocations.counts().map(|(.., counts)| counts.unfit).sum();
        let actual = match unfit {
            0 => "correct".to_owned(),
            _ => format!("wrong in {unfit} of {told}"),
        };
        let judged = Judged {
            key: "reason".to_owned(),
            limit: Value::Text("correct".to_owned()),
            actual: (told + closed > 0).then_some(Value::Text(actual)),
            violations: unfit,
            holds: unfit == 0,
            unjudged: None,
        };
        claims.add(judged, &[AnomalyKind::MalformedReason]);
    }
    claims
}
