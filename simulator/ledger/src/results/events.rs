//! Wills, takeovers, faults and errors as the run file has them.

use std::time::Duration;

use squall_fleet::{FaultReport, Strike};
use squall_run::{
    Anomaly, ErrorCount, FaultEffect, FaultOccurrence, FirstAnomaly, Responses, Silences,
    Takeovers, WillOutcome,
};
use squall_scenario::{Expectation, Fault, FaultAction, FaultId, Scenario};

use super::malformed;
use crate::books::{Ledger, WillCause, reason_text};

/// A limit of `within`, and the wills that broke it.
struct OfLimit {
    limit: Duration,
    late: u64,
    overdue: u64,
}

/// What became of wills, by fault and way of ending.
pub(super) fn wills(scenario: &Scenario, ledger: &Ledger) -> Vec<WillOutcome> {
    ledger
        .wills
        .tallies()
        .map(|(fault, cause, tally)| {
            let limit = fault.and_then(|fault| {
                scenario
                    .expectations
                    .iter()
                    .enumerate()
                    .find_map(|(number, expectation)| {
                        let (Expectation::Will(claim), WillCause::Dropped(how)) =
                            (expectation, cause)
                        else {
                            return None;
                        };
                        let is_named = claim.after.contains(&fault);
                        let limit = claim.within.get(&how).filter(|_| is_named)?;
                        Some(OfLimit {
                            limit: *limit,
                            late: ledger.wills.late(number, fault, how),
                            overdue: ledger.wills.overdue(number, fault, how),
                        })
                    })
            });
            let [none, once, twice, more] = tally.seen;
            let is_polite = cause.is_polite();
            let overdue = limit.as_ref().map_or(0, |limit| limit.overdue);
            WillOutcome {
                fault: fault.map(|fault| scenario.fault(fault).name.clone()),
                how: cause.name().to_owned(),
                ended: tally.ended,
                expected: if is_polite {
                    0
                } else {
                    tally.watched + tally.undecided
                },
                seen: if is_polite { 0 } else { once + twice + more },
                missing: if is_polite { 0 } else { none + overdue },
                undecided: tally.undecided - overdue,
                optional: tally.optional,
                doubled: if is_polite { 0 } else { twice + more },
                unexpected: match is_polite {
                    true => once + twice + more,
                    false => tally.premature,
                },
                cancelled: tally.cancelled,
                left_open: tally.left_open,
                late: limit.as_ref().map_or(0, |limit| limit.late),
                limit_s: limit.map(|limit| limit.limit.as_secs_f64()),
            }
        })
        .collect()
}

/// What became of contended Client Identifiers; `None` if none was.
pub(super) fn takeovers(ledger: &Ledger) -> Option<Takeovers> {
    let counts = ledger.takeovers.counts();
    (counts.contended_ids > 0).then(|| Takeovers {
        contended_ids: counts.contended_ids,
        takeovers: counts.takeovers,
        displaced_closed: counts.displaced_closed,
        displaced_open: counts.displaced_open,
        displaced_otherwise: counts.displaced_otherwise,
        reasons: counts
            .reasons
            .iter()
            .map(|(told, &count)| {
                let name = told
                    .and_then(squall_protocol::ReasonCode::from_byte)
                    .map_or_else(|| "none".to_owned(), reason_text);
                (name, count)
            })
            .collect(),
        most_alive: counts.most_alive,
        session_present_right: counts.session_present_right,
        session_present_wrong: counts.session_present_wrong,
    })
}

/// What the broker did about devices that fell silent; `None` if none did.
pub(super) fn silences(ledger: &Ledger) -> Option<Silences> {
    let counts = ledger.silences.counts();
    (counts.began > 0).then(|| Silences {
        began: counts.began,
        closed: counts.closed,
        taken_over: counts.taken_over,
        unclear: counts.unclear,
        broken: counts.broken,
        open: counts.open,
        early: counts.early,
        slowest_s: counts.slowest.map(|slowest| slowest.as_secs_f64()),
        longest_open_s: counts.longest_open.map(|longest| longest.as_secs_f64()),
        unclear_by_s: counts.unclear_by.map(|by| by.as_secs_f64()),
        earliest_s: counts.earliest.map(|earliest| earliest.as_secs_f64()),
    })
}

/// What became of requests; `None` if there was none.
pub(super) fn responses(ledger: &Ledger) -> Option<Responses> {
    let counts = ledger.responses.counts();
    (counts.requests > 0).then(|| Responses {
        requests: counts.requests,
        answered: counts.answered,
        unanswered: counts.unanswered,
        under_way: counts.under_way,
        lost_at_qos0: counts.lost_at_qos0,
        not_owed: counts.not_owed(),
        misdirected: counts.misdirected,
    })
}

/// What was broken on purpose, in order of time, each with the first anomaly that came after it
/// and before the next.
pub(super) fn faults(
    scenario: &Scenario,
    reports: &[FaultReport],
    ledger: &Ledger,
) -> Vec<FaultOccurrence> {
    let anomalies = ledger.anomalies();
    let anomalies = anomalies.some_of_each();
    let mut occurrences: Vec<_> = reports
        .iter()
        .flat_map(|report| {
            let planned = scenario.fault(report.fault).times();
            let strikes = report.strikes.iter().zip(planned).zip(0_u64..);
            strikes.map(move |((strike, planned), number)| (strike, planned, report, number))
        })
        .collect();
    occurrences.sort_by_key(|&(strike, _, report, _)| (strike.at, report.fault));
    let times: Vec<_> = occurrences.iter().map(|(strike, ..)| strike.at).collect();
    occurrences
        .into_iter()
        .enumerate()
        .map(|(place, (strike, planned, report, number))| {
            let at = strike.at;
            let next = times[place..].iter().find(|&&other| other > at);
            let mut seen = anomalies
                .iter()
                .filter(|anomaly| anomaly.by_counts.is_none());
            let first =
                seen.find(|anomaly| anomaly.at >= at && next.is_none_or(|&next| anomaly.at < next));
            let fault = scenario.fault(report.fault);
            let group = fault.devices().map(|devices| scenario.group(devices.group));
            let lasted = strike.ended.map(|ended| ended.saturating_since(at));
            FaultOccurrence {
                name: fault.name.clone(),
                action: fault.target.action_name().to_owned(),
                how: fault.drop_kind().map(|kind| kind.name().to_owned()),
                group: group.map(|group| group.name.clone()),
                planned_s: planned.as_secs_f64(),
                at_s: at.as_secs_f64(),
                lasts_s: lasted.map(|lasted| lasted.as_secs_f64()),
                selected: strike.selected,
                applied: strike.applied,
                effects: connections_of(fault, strike)
                    .unwrap_or_else(|| effects(report.fault, number, ledger)),
                first_anomaly: first.map(|anomaly| FirstAnomaly {
                    kind: anomaly.kind,
                    at_s: anomaly.at.as_secs_f64(),
                    explanation: anomaly.explanation.clone(),
                }),
            }
        })
        .collect()
}

/// Connections that a fault ended again and again, or opened one after the other; `None` if it does something else.
fn connections_of(fault: &Fault, strike: &Strike) -> Option<Vec<FaultEffect>> {
    let what = match fault.devices()?.action {
        FaultAction::Flap(_) => "connections ended",
        FaultAction::Takeover(2..) => "connections opened",
        FaultAction::Takeover(_)
        | FaultAction::Drop(_)
        | FaultAction::Disconnect(_)
        | FaultAction::Stall
        | FaultAction::Mute
        | FaultAction::Network(_)
        | FaultAction::Partition => return None,
    };
    Some(vec![FaultEffect {
        what: what.to_owned(),
        count: strike.connections,
        longest_s: None,
    }])
}

/// What the time that a fault struck after `number` others brought about.
fn effects(fault: FaultId, number: u64, ledger: &Ledger) -> Vec<FaultEffect> {
    if let Some(mute) = ledger.silences.effects(fault, number) {
        let effect = |what: &str, count| FaultEffect {
            what: what.to_owned(),
            count,
            longest_s: None,
        };
        return vec![
            effect("connections closed by the broker", mute.closed),
            effect("connections outlasted the mute", mute.outlasted),
        ];
    }
    if let Some(effects) = broker_effects(fault, number, ledger) {
        return effects;
    }
    let Some(stall) = ledger.stalls.effects(fault, number) else {
        return malformed::effects(fault, number, ledger);
    };
    let waited = FaultEffect {
        what: "messages read after they had waited".to_owned(),
        count: stall.waited,
        longest_s: (stall.waited > 0).then_some(stall.longest.as_secs_f64()),
    };
    let shed = FaultEffect {
        what: "connections ended by the broker".to_owned(),
        count: stall.shed,
        longest_s: None,
    };
    vec![waited, shed]
}

/// What a fault of the broker brought about; `None` if it is another.
fn broker_effects(fault: FaultId, number: u64, ledger: &Ledger) -> Option<Vec<FaultEffect>> {
    let of_connections = ledger.broker_times.effects(fault, number)?;
    let of_sessions = ledger.takeovers.broker_times().effects(fault, number);
    let of_messages = ledger.deliveries.broker_times().effects(fault, number);
    let of_messages = of_messages.unwrap_or_default();
    let counts = [
        ("connections ended by it", of_connections.ended),
        (
            "attempts to connect that came to nothing by it",
            of_connections.kept_out,
        ),
        (
            FaultEffect::SESSIONS_DUE,
            of_sessions.map_or(0, |effects| effects.due),
        ),
        (
            FaultEffect::SESSIONS_FORGOTTEN,
            of_sessions.map_or(0, |effects| effects.forgotten),
        ),
        (
            "messages lost that were acknowledged (QoS 0: sent) before the broker's end",
            of_messages.lost_from_before,
        ),
        (
            "messages lost that the broker acknowledged (QoS 0: was sent) after it was back, when it had forgotten the \
             recipient's Session and the recipient had not subscribed again",
            of_messages.lost_while_forgotten,
        ),
        (
            "other messages lost that the broker acknowledged (QoS 0: was sent) when it was coming back",
            of_messages.lost_otherwise,
        ),
    ];
    // What no broker should do to what it was sent when it is there again is told only if there is some.
    let told = counts.len() - usize::from(of_messages.lost_otherwise == 0);
    let effects = counts[..told].iter().map(|&(what, count)| FaultEffect {
        what: what.to_owned(),
        count,
        longest_s: None,
    });
    Some(effects.collect())
}

/// Anomalies of each kind as the run file has them: the first, in order of time.
pub(super) fn anomalies(scenario: &Scenario, ledger: &Ledger) -> Vec<Anomaly> {
    let anomalies = ledger.anomalies();
    let some = anomalies.some_of_each().into_iter();
    some.map(|anomaly| anomaly.in_run_file(scenario)).collect()
}

/// Errors by reason.
pub(super) fn errors(ledger: &Ledger) -> Vec<ErrorCount> {
    ledger
        .connections
        .errors()
        .iter()
        .map(|((area, reason), tally)| ErrorCount {
            area: area.name().to_owned(),
            reason: reason.clone(),
            count: tally.count,
            first_at_s: tally.first_at.as_secs_f64(),
        })
        .collect()
}
