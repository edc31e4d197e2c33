//! `will`: the Last Will of each connection that the named faults ended, as often as it must be
//! seen and no later than it may be (§3.1.2.5).
//!
//! What is counted is ends of connections times watching Sessions. A will of a connection that
//! had not ended at all breaks `exactly` of every such check: it belongs to no fault.

use squall_run::{AnomalyKind, Value};
use squall_scenario::{DropKind, FaultId, WillClaim};

use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::{WillCause, WillTally};

/// Judges one claim.
pub(super) fn judge(number: usize, claim: &WillClaim, evidence: &Evidence<'_>) -> Claims {
    let mut claims = Claims::new();
    let names: Vec<&str> = claim
        .after
        .iter()
        .map(|&fault| evidence.scenario.fault(fault).name.as_str())
        .collect();
    claims.select("after", names.join(", "));
    claims.narrow_to_faults(&claim.after);
    let wills = &evidence.ledger.wills;
    let chosen: Vec<(FaultId, WillCause, &WillTally)> = wills
        .tallies()
        .filter_map(|(fault, cause, tally)| Some((fault?, cause, tally)))
        .filter(|(fault, ..)| claim.after.contains(fault))
        .collect();
    if let Some(times) = claim.exactly {
        let judged = judge_exactly(times, &chosen, wills.unprovoked());
        let kinds = [
            AnomalyKind::WillMissing,
            AnomalyKind::WillDoubled,
            AnomalyKind::WillUnexpected,
        ];
        claims.add(judged, &kinds);
    }
    for (&how, &limit) in &claim.within {
        let of_how: Vec<&WillTally> = chosen
            .iter()
            .filter(|(_, cause, _)| *cause == WillCause::Dropped(how))
            .map(|&(_, _, tally)| tally)
            .collect();
        let late = claim
            .after
            .iter()
            .map(|&fault| wills.late(number, fault, how))
            .sum();
        let judged = judge_within((how, limit.as_secs_f64()), &of_how, late);
        claims.add(judged, &[AnomalyKind::WillLate, AnomalyKind::WillMissing]);
    }
    claims
}

fn judge_exactly(
    times: u32,
    chosen: &[(FaultId, WillCause, &WillTally)],
    unprovoked: u64,
) -> Judged {
    let mut seen = [0; 4];
    for (_, _, tally) in chosen {
        for (sum, count) in seen.iter_mut().zip(tally.seen) {
            *sum += count;
        }
    }
    let watched: u64 = seen.iter().sum();
    let wanted = (times as usize).min(seen.len() - 1);
    let violations = watched - seen[wanted] + unprovoked;
    let actual = if violations == 0 {
        Value::Count(times.into())
    } else {
        Value::Text(describe(&seen, unprovoked))
    };
    Judged {
        key: "exactly".to_owned(),
        limit: Value::Count(times.into()),
        actual: (watched > 0).then_some(actual),
        violations,
        holds: violations == 0,
    }
}

fn judge_within((how, limit_s): (DropKind, f64), tallies: &[&WillTally], late: u64) -> Judged {
    let watched: u64 = tallies.iter().map(|tally| tally.watched).sum();
    let missing: u64 = tallies.iter().map(|tally| tally.seen[0]).sum();
    let slowest = tallies.iter().filter_map(|tally| tally.slowest).max();
    let slowest = slowest.map(|slowest| Value::Seconds(slowest.as_secs_f64()));
    let actual = if missing == 0 {
        slowest
    } else {
        let slowest = slowest.map_or(String::new(), |slowest| {
            format!(", the slowest took {slowest}")
        });
        Some(Value::Text(format!("{missing} never came{slowest}")))
    };
    Judged {
        key: format!("within.{}", how.name()),
        limit: Value::Seconds(limit_s),
        actual: actual.filter(|_| watched > 0),
        violations: late + missing,
        holds: late + missing == 0,
    }
}

/// How often wills were seen, for people: `0 for 5, 1 for 395`.
fn describe(seen: &[u64; 4], unprovoked: u64) -> String {
    let mut parts: Vec<String> = seen
        .iter()
        .enumerate()
        .filter(|&(_, &count)| count > 0)
        .map(|(times, count)| {
            let more = if times == seen.len() - 1 {
                " or more"
            } else {
                ""
            };
            format!("{times}{more} for {count}")
        })
        .collect();
    if unprovoked > 0 {
        parts.push(format!("{unprovoked} of connections that had not ended"));
    }
    parts.join(", ")
}
