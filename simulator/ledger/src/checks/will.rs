//! `will`: the Last Will of each connection that the named faults ended, as often as it must be
//! seen and no later than it may be (§3.1.2.5).
//!
//! What is counted is ends of connections times watching Sessions. A will of a connection that
//! had not ended at all breaks `exactly` of every such check: it belongs to no fault.
//!
//! A will that could come still when the run ended is neither seen nor missing, and a claim that
//! hangs on it is not judged. Nor is one where another client may have sent what looks like a will too many. Where `within` says how long a will may take, it is missing after that.

use std::time::Duration;

use squall_run::{AnomalyKind, Value, count_text, duration_text};
use squall_scenario::{DropKind, WillClaim};

use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::{WillCause, WillTally, Wills};

/// Wills after the faults of one claim.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    /// By how often they were seen; those that are overdue were not.
    seen: [u64; 4],
    /// Neither seen nor missing when the run ended.
    undecided: u64,
    /// Connections with a will that the faults ended, those that the broker left open among them.
    ended: u64,
    /// How much longer the run would have had to go on.
    short_by: Duration,
    late: u64,
    /// Came before they were due, or though their Sessions were resumed in time.
    premature: u64,
    /// Ends without a will because their Sessions were resumed in time.
    cancelled: u64,
    /// Of those seen once, the ones of devices that were back about when their wills were due.
    at_edge: u64,
    /// Of `ended`, those that the broker left open.
    left_open: u64,
    slowest: Option<Duration>,
}

/// Judges one claim.
pub(super) fn judge(number: usize, claim: &WillClaim, evidence: &Evidence<'_>) -> Claims {
    let mut claims = Claims::new();
    claims.narrow_to_faults(&claim.after);
    let wills = &evidence.ledger.wills;
    let sum_of = |choose: &dyn Fn(WillCause) -> bool| {
        let mut sum = Sum::default();
        for (fault, cause, tally) in wills.tallies() {
            let Some(fault) = fault.filter(|fault| claim.after.contains(fault)) else {
                continue;
            };
            if choose(cause) {
                sum.add(tally);
                if let WillCause::Dropped(how) = cause {
                    let overdue = wills.overdue(number, fault, how);
                    sum.add_limited(overdue, wills.late(number, fault, how));
                }
            }
        }
        sum
    };
    if let Some(times) = claim.exactly {
        let sum = sum_of(&|_| true);
        let judged = judge_exactly(times, &sum, wills);
        let kinds = [
            AnomalyKind::WillMissing,
            AnomalyKind::WillDoubled,
            AnomalyKind::WillUnexpected,
        ];
        claims.add(judged, &kinds);
        sum.say_left_open(&mut claims);
    }
    for (&how, &limit) in &claim.within {
        let sum = sum_of(&|cause| cause == WillCause::Dropped(how));
        let judged = judge_within(how, limit, &sum);
        claims.add(judged, &[AnomalyKind::WillLate, AnomalyKind::WillMissing]);
        sum.say_left_open(&mut claims);
    }
    claims
}

impl Sum {
    fn add(&mut self, tally: &WillTally) {
        for (sum, count) in self.seen.iter_mut().zip(tally.seen) {
            *sum += count;
        }
        self.undecided += tally.undecided;
        self.ended += tally.ended;
        self.premature += tally.premature;
        self.cancelled += tally.cancelled;
        self.at_edge += tally.at_edge;
        self.left_open += tally.left_open;
        self.short_by = self.short_by.max(tally.short_by);
        self.slowest = self.slowest.max(tally.slowest);
    }

    /// Adds what a limit of `within` says of the wills of one fault: `overdue` of the undecided ones had
    /// passed it, and `late` came after it.
    fn add_limited(&mut self, overdue: u64, late: u64) {
        self.seen[0] += overdue;
        self.undecided -= overdue;
        self.late += late;
    }

    /// Says with the last claim of how many connections it was judged, where the broker left some open.
    fn say_left_open(&self, claims: &mut Claims) {
        if self.left_open > 0 {
            claims.judged_of(&format!(
                "{} of {} connections: the broker left {} open, and no will is due of these",
                count_text(self.ended - self.left_open),
                count_text(self.ended),
                count_text(self.left_open)
            ));
        }
    }

    fn watched(&self) -> u64 {
        self.seen.iter().sum()
    }

    /// Why nothing follows from what was seen, if wills could come still.
    fn unjudged(&self) -> Option<String> {
        (self.undecided > 0).then(|| {
            format!(
                "{} of {} wills had not come when the run ended, and could come still: the run must go on for {} more; \
                 make `run.drain` longer, or say with `within` how long a will may take",
                count_text(self.undecided),
                count_text(self.undecided + self.watched()),
                duration_text(self.short_by.as_secs_f64())
            )
        })
    }
}

impl Sum {
    /// Why nothing follows of a claim of so many wills where none was due, if that is known.
    fn none_due(&self, times: u32) -> Option<String> {
        if times == 0 {
            return (self.at_edge > 0).then(|| {
                format!(
                    "{} wills came of devices that were back about when their wills were due: they may come \
                     or not; make the `delay` of the will longer, or let the devices come back sooner",
                    count_text(self.at_edge)
                )
            });
        }
        if self.watched() == 0 && self.left_open > 0 {
            return Some(format!(
                "the broker left all {} connections open, and a will is due when it closes one (§3.1.2.5); `check = \"malformed\"` \
                 says whether it had to",
                count_text(self.left_open)
            ));
        }
        (self.watched() == 0 && self.cancelled > 0).then(|| {
            format!(
                "all {} devices came back before their wills were due, or about then, so none had to come; make the `delay` of the will \
                 shorter, let the devices stay away for longer, or claim `exactly = 0`",
                count_text(self.cancelled)
            )
        })
    }
}

/// Why nothing follows from how often wills came, if another client may have sent some of them.
fn unclear(wills: &Wills) -> Option<String> {
    let remedy = match wills.unclear_of_several() {
        // Only one device of this run can have sent them.
        0 => {
            "wills too many, or of another run of the same scenario; give the run a broker of its own"
        }
        _ => {
            "of another client, or wills too many; give the wills topics of their own, with the Client Identifier in them, or \
             the run a broker of its own"
        }
    };
    (wills.unclear() > 0).then(|| {
        format!(
            "{} messages with the topic and payload of a will came that no end of a connection asked for: {remedy}",
            count_text(wills.unclear())
        )
    })
}

fn judge_exactly(times: u32, sum: &Sum, wills: &Wills) -> Judged {
    let unprovoked = wills.unprovoked();
    let watched = sum.watched();
    let wanted = (times as usize).min(sum.seen.len() - 1);
    let tolerated = if times == 0 { sum.at_edge } else { 0 };
    let violations = watched - sum.seen[wanted] - tolerated + unprovoked + sum.premature;
    let actual = if violations == 0 {
        Value::Count(times.into())
    } else {
        Value::Text(describe(sum, unprovoked))
    };
    // A will that was cancelled did not come, as was right.
    let has_happened = watched + sum.premature > 0 || (times == 0 && sum.cancelled > 0);
    let unjudged = sum.unjudged().or_else(|| unclear(wills));
    let unjudged = unjudged.or_else(|| sum.none_due(times));
    let unjudged = unjudged.filter(|_| violations == 0);
    Judged {
        key: "exactly".to_owned(),
        limit: Value::Count(times.into()),
        actual: (has_happened && unjudged.is_none()).then_some(actual),
        violations,
        holds: violations == 0,
        unjudged,
    }
}

fn judge_within(how: DropKind, limit: Duration, sum: &Sum) -> Judged {
    let missing = sum.seen[0];
    let violations = sum.late + missing;
    let slowest = sum.slowest;
    let slowest = slowest.map(|slowest| Value::Seconds(slowest.as_secs_f64()));
    let actual = if missing == 0 {
        slowest
    } else {
        let slowest = slowest.map_or(String::new(), |slowest| {
            format!(", the slowest took {slowest}")
        });
        Some(Value::Text(format!("{missing} never came{slowest}")))
    };
    let unjudged = sum.unjudged().filter(|_| violations == 0);
    Judged {
        key: format!("within.{}", how.name()),
        limit: Value::Seconds(limit.as_secs_f64()),
        actual: actual.filter(|_| sum.watched() > 0 && unjudged.is_none()),
        violations,
        holds: violations == 0,
        unjudged,
    }
}

/// How often wills were seen, for people: `0 for 5, 1 for 395`.
fn describe(sum: &Sum, unprovoked: u64) -> String {
    let seen = &sum.seen;
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
    if sum.premature > 0 {
        parts.push(format!("{} that were not due, or not yet", sum.premature));
    }
    if unprovoked > 0 {
        parts.push(format!("{unprovoked} of connections that had not ended"));
    }
    parts.join(", ")
}
