//! `keep_alive`: the broker closes connections whose devices have fallen silent, in time and not before
//! [MQTT-3.1.2-22].

use squall_run::{AnomalyKind, Value, count_text, duration_text};
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
    let closed_within = Judged {
        key: "closed_within".to_owned(),
        limit: Value::Seconds(claim.closed_within.as_secs_f64()),
        actual: found(counts, silences.left_open(number)),
        violations: late,
        holds: late == 0,
        unjudged: (late == 0).then(|| why_unjudged(counts)).flatten(),
    };
    claims.add(closed_within, &[AnomalyKind::ClosedLate]);
    let holds = counts.early <= claim.closed_early;
    // Where the broker closed none at all, nothing happened that could be early.
    let unjudged = unclear(counts).filter(|_| holds);
    let is_judged = counts.closed > 0 && unjudged.is_none();
    let closed_early = Judged {
        key: "closed_early".to_owned(),
        limit: Value::Count(claim.closed_early),
        actual: is_judged.then_some(Value::Count(counts.early)),
        violations: counts.early,
        holds,
        unjudged,
    };
    claims.add(closed_early, &[AnomalyKind::ClosedEarly]);
    claims
}

/// How long the broker took at most, and how many connections it never closed of those that it had to by then.
fn found(counts: &SilenceCounts, left_open: u64) -> Option<Value> {
    let slowest = counts.slowest.map(|slowest| slowest.as_secs_f64());
    if left_open == 0 {
        return slowest.map(Value::Seconds);
    }
    let longest = counts.longest_open.unwrap_or_default();
    let closed = slowest.map_or(String::new(), |slowest| {
        format!(
            "; the slowest that was closed took {}",
            duration_text(slowest)
        )
    });
    Some(Value::Text(format!(
        "{} never closed, open for up to {} after their time{closed}",
        count_text(left_open),
        duration_text(longest.as_secs_f64())
    )))
}

/// Why it does not follow that the broker closed nothing early, if it is unclear why it closed some.
fn unclear(counts: &SilenceCounts) -> Option<String> {
    let by = counts.unclear_by?;
    Some(format!(
        "{} of {} silent connections were closed early, by up to {}, and no DISCONNECT said that it was for their Keep Alive: \
         another client that connects with their Client Identifiers, or an administrator, brings that about too. On a broker \
         that the run has to itself it breaks the claim: have squall start it, with `spawn`",
        count_text(counts.unclear),
        count_text(counts.began),
        duration_text(by.as_secs_f64())
    ))
}

/// Why nothing follows from a run in which the broker closed no silent connection, if any was silent.
fn why_unjudged(counts: &SilenceCounts) -> Option<String> {
    if counts.slowest.is_some() {
        return None;
    }
    let SilenceCounts {
        began,
        taken_over,
        unclear,
        open,
        broken,
        ended_with_broker,
        ..
    } = *counts;
    let parts = [
        (taken_over, "taken over by newer ones"),
        (unclear, "closed early, and it is unclear why"),
        (ended_with_broker, "ended with the broker, by a fault"),
        (broken, "open when the device talked again"),
        (open, "open at the end"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{} {what}", count_text(*count)))
        .collect();
    (began > 0).then(|| {
        format!(
            "of {} silent connections the broker had to close none that it could be judged by: {}; give `run.duration`, or a mute, \
             more time",
            count_text(began),
            parts.join(", ")
        )
    })
}
