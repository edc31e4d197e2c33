//! `[[expect]]`: what must hold, judged by the ledger's books when the run is over.
//!
//! One file a check. Only the keys that a scenario gives are judged; everything is counted and
//! reported all the same. A claim about something that never happened proves nothing: it is not
//! judged, and its outcome has no value. What the generator may have broken itself, or another client, is told of each broken claim
//! (`generator`). Checks change no book; `retained` and `network`, which
//! compare at the end only, add the anomalies that they find.

mod claim;
mod connections;
mod delay;
mod delivery;
mod expiry;
mod generator;
mod keep_alive;
mod malformed;
mod network;
mod qos2_handshake;
mod quota;
mod response;
mod retained;
mod selection;
mod session;
mod shared;
mod so_far;
mod takeover;
mod will;

use std::collections::BTreeMap;

use squall_fleet::LinkReport;
use squall_run::{AnomalyKind, CheckOutcome, DeviceViolations, NetworkOutcome, RetainedOutcome};
use squall_scenario::{Expectation, Scenario};

use crate::books::{Anomalies, Anomaly, Ledger, Subject, client_id, spread};
use crate::metrics::Metrics;

pub(crate) use delivery::{APART, TOLD_BY_STAMPS};
pub(crate) use network::{compare_links, micros};
pub use so_far::{ClaimSoFar, StateSoFar};
pub(crate) use so_far::{broken_claim, claims_so_far};

use claim::Claims;

pub(crate) use generator::{Generator, held_up_text};

/// Violations of one check that are shown whole.
const VIOLATIONS_SHOWN: usize = 20;

/// Devices of one check whose violations are counted one by one in the run file.
const DEVICES_SHOWN: usize = 100;

/// What checks are judged by.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    /// What was claimed.
    pub(crate) scenario: &'a Scenario,
    /// The books, closed.
    pub(crate) ledger: &'a mut Ledger,
    /// The distributions and rates that were measured.
    pub(crate) metrics: &'a Metrics,
    /// How late the generator itself may be.
    pub(crate) generator: Generator,
    /// Who else used the broker.
    pub(crate) company: Company,
    /// What the links did.
    pub(crate) links: &'a [LinkReport],
}

/// Whether another client took part as one of the run's devices.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Company {
    /// It did.
    Disturbing,
    /// Nothing says so.
    Unknown,
}

/// What other than the broker may break a claim.
#[derive(Clone, Copy, Debug)]
struct Causes<'a> {
    generator: &'a Generator,
    company: Company,
}

/// What follows from the evidence.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// One for each `[[expect]]`, in file order.
    pub(crate) checks: Vec<CheckOutcome>,
    /// One for each check of retained messages.
    pub(crate) retained: Vec<RetainedOutcome>,
    /// Two for each network that devices used.
    pub(crate) networks: Vec<NetworkOutcome>,
}

/// Judges every `[[expect]]`, in file order.
pub(crate) fn judge_expectations(evidence: &mut Evidence<'_>) -> Findings {
    let comparisons = compare_links(evidence);
    let mut findings = Findings::default();
    for (number, expectation) in evidence.scenario.expectations.iter().enumerate() {
        let claims = match expectation {
            Expectation::Delivery(claim) => delivery::judge(claim, evidence),
            Expectation::Will(claim) => will::judge(number, claim, evidence),
            Expectation::Retained(claim) => {
                let (claims, outcome) = retained::judge(number, claim, evidence);
                findings.retained.push(outcome);
                claims
            }
            Expectation::Takeover(claim) => takeover::judge(number, claim, evidence),
            Expectation::Qos2Handshake(claim) => qos2_handshake::judge(claim, evidence),
            Expectation::Network(claim) => network::judge(number, claim, &comparisons, evidence),
            Expectation::KeepAlive(claim) => keep_alive::judge(number, claim, evidence),
            Expectation::Connections(claim) => connections::judge(claim, evidence),
            Expectation::Response(claim) => response::judge(number, claim, evidence),
            Expectation::Session(claim) => session::judge(claim, evidence),
            Expectation::Expiry(claim) => expiry::judge(number, claim, evidence),
            Expectation::Shared(claim) => shared::judge(claim, evidence),
            Expectation::Quota(claim) => quota::judge(claim, evidence),
            Expectation::Malformed(claim) => malformed::judge(number, claim, evidence),
        };
        findings.checks.push(outcome(expectation, claims, evidence));
    }
    findings.networks = comparisons
        .into_iter()
        .flat_map(|comparison| comparison.outcomes)
        .collect();
    findings
}

fn outcome(expectation: &Expectation, mut claims: Claims, evidence: &Evidence<'_>) -> CheckOutcome {
    let anomalies = evidence.ledger.anomalies();
    let causes = Causes {
        generator: &evidence.generator,
        company: evidence.company,
    };
    claims.explain(causes, &anomalies);
    let violations: Vec<&Anomaly> = claims
        .broken_kinds()
        .flat_map(|kind: AnomalyKind| anomalies.kept_in(kind, |scope| claims.concerns(scope)))
        .collect();
    CheckOutcome {
        check: expectation.check_name().to_owned(),
        selection: selection::of(expectation, evidence.scenario),
        violations_total: claims.violations(),
        violations: spread(violations, VIOLATIONS_SHOWN)
            .into_iter()
            .map(|anomaly| anomaly.in_run_file(evidence.scenario))
            .collect(),
        by_device: by_device(&claims, &anomalies, evidence.scenario),
        claims: claims.into_outcomes(),
    }
}

/// How many violations each device has, those with the most first: those about its messages, wills and
/// connections, and those that it is the recipient in.
fn by_device(claims: &Claims, anomalies: &Anomalies, scenario: &Scenario) -> Vec<DeviceViolations> {
    let mut counts: BTreeMap<String, DeviceViolations> = BTreeMap::new();
    let mut of = |subject: Subject, add: &dyn Fn(&mut DeviceViolations)| {
        if let Some(device) = subject.device.filter(|_| claims.concerns(subject.scope)) {
            let client_id = client_id(scenario, device);
            let entry = counts.entry(client_id.clone());
            add(entry.or_insert(DeviceViolations {
                client_id,
                count: 0,
                as_recipient: 0,
            }));
        }
    };
    for kind in claims.broken_kinds() {
        for (subject, count) in anomalies.counts_of(kind) {
            of(subject, &|device| device.count += count);
        }
        for (subject, count) in anomalies.at_recipients(kind) {
            of(subject, &|device| device.as_recipient += count);
        }
    }
    let mut devices: Vec<DeviceViolations> = counts.into_values().collect();
    devices.sort_by_key(|device| std::cmp::Reverse(device.count.max(device.as_recipient)));
    devices.truncate(DEVICES_SHOWN);
    devices
}
