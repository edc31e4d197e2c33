//! A finished run as the run file has it: judged, named, and in its units.

mod accounting;
mod commands;
mod delays;
mod end;
mod events;
mod interference;
mod lag;
mod layer_faults;
mod malformed;
mod refusals;
mod sample;
mod unanswered;

use squall_fleet::{Cleared, DrainExtension, LinesReport, Outcome};
use squall_protocol::Instant;
use squall_run::{
    Accounting, ClosedLoop, Connections, Drain, Measured, Reason, Resources, count_text,
};
use squall_scenario::{Group, RunSettings, Scenario};

use crate::books::{self, ErrorArea};
use crate::checks::{Company, Evidence, Generator, held_up_text, judge_expectations};
use crate::metrics::{Metrics, judge_thresholds};
use crate::recorder::Recorder;

/// What the fleet saw, and what follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The fleet's part of the run file.
    pub measured: Measured,
    /// What speaks against the run beside its checks and thresholds.
    pub reasons: Vec<Reason>,
}

/// Judges a finished run. `resources` are the samples of the broker that thresholds may be about.
pub fn judge(scenario: &Scenario, outcome: Outcome<Recorder>, resources: &Resources) -> Judgement {
    let Outcome {
        sink: mut recorder,
        links,
        faults,
        sessions,
        drain,
        lines,
        ..
    } = outcome;
    recorder.close();
    let (ledger, metrics) = recorder.parts();
    let interference = interference::reason(scenario, ledger);
    let mut evidence = Evidence {
        scenario,
        ledger,
        metrics,
        generator: Generator::of(scenario),
        company: company(interference.as_ref()),
        links: &links,
    };
    let findings = judge_expectations(&mut evidence);
    let ledger = &*evidence.ledger;
    let (cells, rates) = (metrics.cells(scenario), metrics.rates(scenario));
    let accounting = accounting::accounting(scenario, ledger);
    let connections = accounting::connections(scenario, ledger);
    let mut reasons = doubts(&evidence, &accounting, &connections);
    reasons.extend(interference);
    reasons.extend(lag::reasons(scenario, metrics, &cells, resources));
    reasons.extend(left_undone(scenario, sessions.before, &lines));
    let mut measured = Measured {
        thresholds: judge_thresholds(scenario, metrics, &cells, &rates, resources),
        accounting,
        rates,
        scenario_delays: delays::delays(scenario, &links, &ledger.connections, &cells),
        spent: metrics.spent(scenario),
        drain: drain_told(scenario, drain),
        series: metrics.series(scenario),
        connections,
        sessions: accounting::sessions(sessions),
        qos2: accounting::qos2(ledger),
        wills: events::wills(scenario, ledger),
        takeovers: events::takeovers(ledger),
        closed_loops: closed_loops(scenario),
        commands: commands::commands(scenario, &lines),
        silences: events::silences(ledger),
        malformed: malformed::outcomes(ledger),
        responses: events::responses(ledger),
        networks: findings.networks,
        retained: findings.retained,
        faults: events::faults(scenario, &faults, ledger),
        checks: findings.checks,
        errors: events::errors(ledger),
        anomaly_counts: ledger.anomalies().counts(),
        anomalies: events::anomalies(scenario, ledger),
        traces: Vec::new(),
        metrics: cells,
        unfinished: metrics.unfinished(),
    };
    recorder.put_traces_into(&mut measured, scenario);
    Judgement { measured, reasons }
}

/// Whether another client took part as one of the run's devices.
fn company(interference: Option<&Reason>) -> Company {
    match interference {
        Some(Reason::Disturbed(_)) => Company::Disturbing,
        Some(
            Reason::Unreachable(_)
            | Reason::Invalid(_)
            | Reason::Invariant(_)
            | Reason::Threshold(_)
            | Reason::Unjudged(_)
            | Reason::BrokerEnded(_)
            | Reason::Unanswered(_)
            | Reason::Consequence(_)
            | Reason::Incomplete(_),
        )
        | None => Company::Unknown,
    }
}

/// Why nothing follows from what the ledger knows, or something is broken that no claim is about.
fn doubts(
    evidence: &Evidence<'_>,
    accounting: &Accounting,
    connections: &Connections,
) -> Vec<Reason> {
    let Evidence {
        scenario, metrics, ..
    } = *evidence;
    let ledger = &*evidence.ledger;
    let mut reasons = doubts_of_the_ledger(ledger);
    if evidence.company == Company::Unknown {
        // Otherwise the other client explains what is missing.
        reasons.extend(sample::reasons(
            scenario,
            &accounting.publications,
            &connections.groups,
        ));
    }
    reasons.extend(doubts_of_connections(scenario, ledger, metrics));
    reasons.extend(unanswered::reasons(scenario, ledger));
    match evidence.company {
        Company::Disturbing => {
            let told = reasons.into_iter().map(Reason::beside_another_client);
            told.collect()
        }
        Company::Unknown => reasons,
    }
}

/// The drain in the units of the run file.
fn drain_told(scenario: &Scenario, extension: DrainExtension) -> Drain {
    Drain {
        planned_s: scenario.run.drain.as_secs_f64(),
        for_links_s: extension.for_links.as_secs_f64(),
        links: extension.links,
        for_generator_s: extension.for_generator.as_secs_f64(),
    }
}

/// What did not happen that the run needs: Sessions of earlier runs that were not ended, payloads that did not come.
fn left_undone(scenario: &Scenario, before: Cleared, lines: &[LinesReport]) -> Vec<Reason> {
    let not_cleared = not_cleared(before).into_iter();
    not_cleared
        .chain(commands::reasons(scenario, lines))
        .collect()
}

/// What an earlier run left may have been judged with this one.
fn not_cleared(before: Cleared) -> Option<Reason> {
    (before.failed > 0).then(|| {
        Reason::Invalid(format!(
            "Sessions of {} of {} Client Identifiers could not be ended before the run: an earlier \
             run may have left some, and what they hold would be judged with this run",
            count_text(before.failed),
            count_text(before.asked)
        ))
    })
}

/// What the ledger could not find out, or contradicts itself in: nothing follows from such a run.
fn doubts_of_the_ledger(ledger: &books::Ledger) -> Vec<Reason> {
    let imbalances = ledger.imbalances().iter().map(|imbalance| {
        format!(
            "the books do not balance ({}: {} not explained); this is a fault of squall, please report it",
            imbalance.book,
            count_text(imbalance.unexplained)
        )
    });
    let given_up = ledger.given_up().sentences(ledger.memory());
    imbalances.chain(given_up).map(Reason::Invalid).collect()
}

/// Devices that took no part, wholly or in something that the scenario asked of them.
fn doubts_of_connections(
    scenario: &Scenario,
    ledger: &books::Ledger,
    metrics: &Metrics,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(refusals::unreachable(scenario, &ledger.connections));
    reasons.extend(local_limits(ledger));
    if metrics.has_load() {
        reasons.extend(absent(scenario, ledger));
        reasons.extend(kept_out_by_links(ledger));
        reasons.extend(kept_out_by_faults(ledger));
        reasons.extend(never_asked(scenario, ledger));
    }
    reasons.extend(unsubscribed(ledger));
    reasons
}

/// Our own limits say nothing about the broker.
fn local_limits(ledger: &books::Ledger) -> Option<Reason> {
    let local_limit = ledger.connections.local_limit();
    (local_limit > 0).then(|| {
        Reason::Invalid(format!(
            "{} connections failed because this machine ran out of descriptors or ports",
            count_text(local_limit)
        ))
    })
}

/// Devices that took no part: whatever was claimed held for the others only. Those that had no port or
/// descriptor of ours are not the broker's.
fn absent(scenario: &Scenario, ledger: &books::Ledger) -> Option<Reason> {
    let devices = u64::from(scenario.device_count());
    let connections = &ledger.connections;
    let never_asked = devices - connections.asked();
    let explained = never_asked
        + connections.locally_limited()
        + ledger.connections.kept_out_by_links(&ledger.roster)
        + ledger.connections.kept_out_by_faults();
    let absent = devices - connections.seen() - explained;
    let text = format!(
        "{} of {} devices never got a CONNACK with success",
        count_text(absent),
        count_text(devices)
    );
    let closed_at = ledger.closed_at().unwrap_or_default();
    let hold_ups = &ledger.noticed_by_checks;
    (absent > 0).then(
        || match hold_ups.cause_of_missing(Instant::ZERO, closed_at) {
            Some(held_up) => Reason::of_the_generator(&text, &held_up_text(held_up)),
            None => Reason::Unanswered(text),
        },
    )
}

/// Devices that the scenario never had connect: nothing that is claimed is about them.
fn never_asked(scenario: &Scenario, ledger: &books::Ledger) -> Option<Reason> {
    let devices = u64::from(scenario.device_count());
    let never_asked = devices - ledger.connections.asked();
    let groups = scenario.groups.iter();
    let not_called: u64 = groups.map(|group| never_called(group, &scenario.run)).sum();
    (never_asked > not_called).then(|| {
        Reason::Invalid(format!(
            "{} of {} devices never asked for a connection: they had to leave, or the run was over, before it was their \
             turn; give their group a higher `connect_rate`, or the run more time",
            count_text(never_asked - not_called),
            count_text(devices)
        ))
    })
}

/// Devices of a group that its `online` never calls.
fn never_called(group: &Group, run: &RunSettings) -> u64 {
    let Some(online) = &group.attendance.online else {
        return 0;
    };
    let (_, most) = online.range(-run.warmup.as_secs_f64(), run.duration.as_secs_f64());
    // One device more or less is called where the share is between two.
    u64::from(group.count) - (most * f64::from(group.count)).floor() as u64
}

/// The streams that publish as fast as the broker answers.
fn closed_loops(scenario: &Scenario) -> Vec<ClosedLoop> {
    let streams = scenario.groups.iter().flat_map(|group| {
        let publishes = group.publishes.iter();
        publishes.filter_map(|publish| {
            Some(ClosedLoop {
                group: group.name.clone(),
                topic: publish.topic.source().to_owned(),
                qos: publish.qos as u8,
                window: publish.pacing.window?,
            })
        })
    });
    streams.collect()
}

/// Devices whose own links never let them in: nothing that is claimed is about them.
fn kept_out_by_links(ledger: &books::Ledger) -> Option<Reason> {
    let kept_out = ledger.connections.kept_out_by_links(&ledger.roster);
    (kept_out > 0).then(|| {
        Reason::Invalid(format!(
            "{} devices never got a CONNACK because their simulated links were out: nothing that is \
             claimed is about them; give the network shorter outages, or run.connect_timeout more time",
            count_text(kept_out)
        ))
    })
}

/// Devices that faults of the broker never let in: nothing that is claimed is about them.
fn kept_out_by_faults(ledger: &books::Ledger) -> Option<Reason> {
    let kept_out = ledger.connections.kept_out_by_faults();
    (kept_out > 0).then(|| {
        Reason::Invalid(format!(
            "{} devices never got a CONNACK because faults had the broker away when they asked: nothing that is claimed is \
             about them; let their group `reconnect`, or the faults come later",
            count_text(kept_out)
        ))
    })
}

/// Nothing is owed to subscriptions that were refused.
fn unsubscribed(ledger: &books::Ledger) -> Option<Reason> {
    let unsubscribed = ledger.connections.errors_in(ErrorArea::Subscribe);
    (unsubscribed > 0).then(|| {
        Reason::Invariant(format!(
            "subscriptions that were refused: {}",
            count_text(unsubscribed)
        ))
    })
}
