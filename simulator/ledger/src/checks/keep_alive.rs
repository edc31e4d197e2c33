//! `keep_alive`: the broker closes connections whose devices have fallen silent, in time and not before
//! [MQTT-3.1.2-22].

use squall_run::{AnomalyKind, Value, count_text};
use squall_scenario::KeepAliveClaim;

use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::SilenceCounts;

/// Judges one claim.
pub(super) fn judge(number: usize, claim: &KeepAliveClaim, evidence: &Evidence<'_>) -> Claims {
    let silences = &evidence.ledger.silences;
    let counts = silences.counts();
    let late = silences.late(number);
    let mut claims = Claims::new();
    let slowest = (counts.closed > 0 || late > 0)
        .then_some(counts.slowest)
        .flatten();
    let closed_within = Judged {
        key: "closed_within".to_owned(),
        limit: Value::Seconds(claim.closed_within.as_secs_f64()),
        // One that is still open within the limit may have been closed in time.
        actual: slowest.map(|slowest| {
            let shown = if late > 0 {
                slowest
            } else {
                slowest.min(claim.closed_within)
            };
            Value::Seconds(shown.as_secs_f64())
        }),
        violations: late,
        holds: late == 0,
        unjudged: slowest.is_none().then(|| why_unjudged(counts)).flatten(),
    };
    claims.add(closed_within, &[AnomalyKind::ClosedLate]);
    claims.add_at_most(
        "closed_early",
        Some(claim.closed_early),
        (counts.closed > 0).then_some(counts.early),
        &[AnomalyKind::ClosedEarly],
    );
    claims
}

/// Why nothing follows from a run in which the broker closed no silent connection, if any was silent.
fn why_unjudged(counts: &SilenceCounts) -> Option<String> {
    let SilenceCounts {
        began,
        taken_over,
        open,
        broken,
        ..
    } = *counts;
    (began > 0).then(|| {
        format!(
            "of {} silent connections {} were taken over by newer ones, on {} the device talked again and {} were open at the end, \
             before their time was up; give `run.duration`, or a mute, more time",
            count_text(began),
            count_text(taken_over),
            count_text(broken),
            count_text(open)
        )
    })
}
