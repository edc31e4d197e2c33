//! `malformed`: what becomes of connections on which a malformed packet was sent.

use squall_run::{AnomalyKind, Value, count_text, duration_text};
use squall_scenario::MalformedClaim;

use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::Provocations;

/// Judges one claim.
pub(super) fn judge(number: usize, claim: &MalformedClaim, evidence: &Evidence<'_>) -> Claims {
    let provocations = &evidence.ledger.provocations;
    let mut claims = Claims::new();
    if let Some(limit) = claim.closed_within {
        let late = provocations.late(number);
        let judged = Judged {
            key: "closed_within".to_owned(),
            limit: Value::Seconds(limit.as_secs_f64()),
            actual: found(provocations, provocations.left_open(number)),
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

/// How long the broker took at most, and how many connections it never closed.
fn found(provocations: &Provocations, left_open: u64) -> Option<Value> {
    let slowest = provocations.slowest().map(|slowest| slowest.as_secs_f64());
    if left_open == 0 {
        return slowest.map(Value::Seconds);
    }
    let longest = provocations.longest_open().unwrap_or_default();
    let closed = slowest.map_or(String::new(), |slowest| {
        format!(
            "; the slowest that was closed took {}",
            duration_text(slowest)
        )
    });
    Some(Value::Text(format!(
        "{} never closed, open for up to {} after the packet{closed}",
        count_text(left_open),
        duration_text(longest.as_secs_f64())
    )))
}
