//! `[[expect]]`: what must hold, judged by the ledger's books when the run is over.
//!
//! One file a check. Only the keys that a scenario gives are judged; everything is counted and
//! reported all the same. A claim about something that never happened proves nothing: it is not
//! kept, and its outcome has no value. Checks change no book; `retained` and `network`, which
//! compare at the end only, add the anomalies that they find.

mod claim;
mod connections;
mod delay;
mod delivery;
mod network;
mod qos2_handshake;
mod retained;
mod takeover;
mod will;

use squall_fleet::LinkReport;
use squall_run::{AnomalyKind, CheckOutcome, NetworkOutcome, RetainedOutcome};
use squall_scenario::{Expectation, Scenario};

use crate::books::{Anomaly, Ledger};
use crate::metrics::Metrics;

pub(crate) use network::{compare_links, micros};

use claim::Claims;

/// Violations of one check that are shown whole.
const VIOLATIONS_SHOWN: usize = 20;

/// What checks are judged by.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    /// What was claimed.
    pub(crate) scenario: &'a Scenario,
    /// The books, closed.
    pub(crate) ledger: &'a mut Ledger,
    /// The numbers.
    pub(crate) metrics: &'a Metrics,
    /// What the links did.
    pub(crate) links: &'a [LinkReport],
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
            Expectation::Connections(claim) => connections::judge(claim, evidence),
        };
        findings
            .checks
            .push(outcome(expectation.check_name(), claims, evidence));
    }
    findings.networks = comparisons
        .into_iter()
        .flat_map(|comparison| comparison.outcomes)
        .collect();
    findings
}

fn outcome(check: &str, claims: Claims, evidence: &Evidence<'_>) -> CheckOutcome {
    let anomalies = evidence.ledger.anomalies();
    let mut violations: Vec<&Anomaly> = claims
        .broken_kinds()
        .flat_map(|kind: AnomalyKind| anomalies.first(kind))
        .filter(|anomaly| claims.concerns(anomaly))
        .collect();
    violations.sort_by_key(|anomaly| anomaly.at);
    violations.truncate(VIOLATIONS_SHOWN);
    CheckOutcome {
        check: check.to_owned(),
        selection: claims.selection(),
        violations_total: claims.violations(),
        violations: violations
            .into_iter()
            .map(|anomaly| anomaly.in_run_file(evidence.scenario))
            .collect(),
        claims: claims.into_outcomes(),
    }
}
