//! `network`: the simulator proves its own links, measured against configured.
//!
//! What is configured is computed from the distributions' formulas, never by the sampler that the
//! links draw with. Two kinds of evidence are compared with it. What the links say of themselves:
//! latency of each segment, losses, bandwidth, outages. And what devices see: the round trip of CONNECT and CONNACK, without
//! what the broker and the host take, so that a generator that is late at a link shows.

mod figure;
mod outcome;
mod test;

use std::collections::BTreeSet;

use squall_fleet::LinkReport;
use squall_protocol::Instant;
use squall_run::{AnomalyKind, Direction, Histogram, NetworkOutcome, Value};
use squall_scenario::{Fault, FaultAction, GroupId, NetworkClaim, NetworkId};

use self::figure::{Figure, direction_figures, outage_figure, round_trip_figure};
use self::outcome::Way;
pub(crate) use self::outcome::micros;
use super::Evidence;
use super::claim::{Claims, Judged};
use super::delay::Delay;
use crate::books::{Anomaly, MISSING_FROM, Scope, Subject};

/// What the links of one network did, beside what they should have done.
#[derive(Debug)]
pub(crate) struct Comparison {
    network: NetworkId,
    figures: Vec<Figure>,
    /// Up and down, as the run file has them.
    pub(crate) outcomes: Vec<NetworkOutcome>,
}

/// Compares every network that devices used.
pub(crate) fn compare_links(evidence: &Evidence<'_>) -> Vec<Comparison> {
    evidence
        .links
        .iter()
        .map(|report| compare(report, evidence))
        .collect()
}

/// Judges one claim.
pub(super) fn judge(
    number: usize,
    claim: &NetworkClaim,
    comparisons: &[Comparison],
    evidence: &mut Evidence<'_>,
) -> Claims {
    let mut claims = Claims::new();
    claims.narrow(Scope {
        expectation: Some(number),
        ..Scope::default()
    });
    let comparison = comparisons
        .iter()
        .find(|comparison| comparison.network == claim.profile);
    let Some(comparison) = comparison else {
        claims.add(nothing_measured(), &[AnomalyKind::NetworkOffProfile]);
        return claims;
    };
    // A short run has no p99: the file claims the profile, and the median stands for it. Without
    // a median nothing is judged.
    let has_samples = |figure: &&Figure| figure.is_judged() || !figure.is_of_the_tail();
    for figure in comparison.figures.iter().filter(has_samples) {
        let holds = figure.test.holds(claim.tolerance);
        if !holds && figure.measured.is_some() && figure.is_judged() {
            note_off(number, figure, evidence);
        }
        let range = figure.allowed(claim.tolerance);
        let judged = Judged {
            key: figure.name.clone(),
            limit: figure.configured.clone(),
            actual: figure.measured.clone().filter(|_| figure.is_judged()),
            violations: u64::from(!holds && figure.is_judged()),
            holds,
            unjudged: None,
        };
        claims.add_within(judged, range, &[AnomalyKind::NetworkOffProfile]);
    }
    claims
}

fn compare(report: &LinkReport, evidence: &Evidence<'_>) -> Comparison {
    let network = evidence.scenario.network(report.network);
    let groups: Vec<GroupId> = (0..)
        .map(GroupId)
        .zip(&evidence.scenario.groups)
        .filter(|(_, group)| group.network == Some(report.network))
        .map(|(id, _)| id)
        .collect();
    let changed = evidence.scenario.faults.iter().filter_map(Fault::devices);
    let changed = changed.filter(|devices| devices.action == FaultAction::Network(report.network));
    let on_it: BTreeSet<GroupId> = changed
        .map(|devices| devices.group)
        .chain(groups.iter().copied())
        .collect();
    let devices = on_it
        .iter()
        .map(|&id| u64::from(evidence.scenario.group(id).count))
        .sum();
    let one_way = Delay::one_way(network);
    let round_trip = one_way.twice();
    let mut figures = Vec::new();
    let ways = [
        Way {
            direction: Direction::Up,
            report: &report.up,
        },
        Way {
            direction: Direction::Down,
            report: &report.down,
        },
    ];
    for way in ways {
        figures.extend(direction_figures(network, way, &one_way));
    }
    figures.extend(outage_figure(network, report));
    let round_trips: Vec<&Histogram> = groups
        .iter()
        .map(|&group| evidence.metrics.round_trips(group))
        .collect();
    let samples = Histogram::merged(round_trips);
    // Of a profile that faults alone give to links there are no round trips that it alone decides.
    if !groups.is_empty() {
        figures.push(round_trip_figure(network, samples, &round_trip));
    }
    let outcomes = ways.map(|way| NetworkOutcome {
        profile: network.name.clone(),
        direction: way.direction,
        devices,
        figures: figure::of_direction(&figures, way.direction),
        configured_delay: outcome::configured_delay(&one_way),
        measured_delay: outcome::micros(&way.report.latency),
        total_delay: outcome::micros(&way.report.transit),
    });
    Comparison {
        network: report.network,
        figures,
        outcomes: outcomes.into(),
    }
}

fn nothing_measured() -> Judged {
    Judged {
        key: "profile".to_owned(),
        limit: Value::Flag(true),
        actual: None,
        violations: 0,
        holds: false,
        unjudged: None,
    }
}

fn note_off(number: usize, figure: &Figure, evidence: &mut Evidence<'_>) {
    let subject = Subject::of_expectation(number);
    let at: Instant = evidence.ledger.closed_at().unwrap_or_default();
    let Some(measured) = &figure.measured else {
        return;
    };
    let explanation = format!(
        "{}: configured {}, measured {measured} ({} samples)",
        figure.name, figure.configured, figure.samples
    );
    let noticed = subject.between(Instant::ZERO, at).beyond(MISSING_FROM);
    evidence
        .ledger
        .noticed_by_checks
        .note(AnomalyKind::NetworkOffProfile, noticed, || Anomaly {
            by_counts: None,
            kind: AnomalyKind::NetworkOffProfile,
            at,
            device: None,
            recipient: None,
            topic: None,
            sequence: None,
            explanation,
            scope: subject.scope,
        });
}
