//! Feeds ledger and metrics of one run with the same facts.

use std::time::Duration;

use squall_fleet::{Observation, PacketSeen, Phase, RunTag, Sink};
use squall_protocol::Instant;
use squall_run::Measured;
use squall_scenario::Scenario;

use crate::books::{Finding, Ledger, Memory, Roster, Suspicion, WatchedClaims};
use crate::checks::broken_claim;
use crate::metrics::{Metrics, broken_threshold};
use crate::traces::Traces;

/// A run in which no device could connect for this long, counted from the first refusal or failure, is
/// ended: long enough for a broker that answers "server busy" at first, short against a run.
pub const SHUT_OUT_AFTER: Duration = Duration::from_secs(5);

/// The ledger and the metrics of one run.
#[derive(Debug)]
pub struct Recorder {
    ledger: Ledger,
    metrics: Metrics,
    traces: Traces,
    /// Reused between facts.
    findings: Vec<Finding>,
    ended_at: Instant,
}

impl Recorder {
    /// Nothing has happened yet in a run of `scenario` whose messages bear `run`.
    pub fn new(scenario: &Scenario, run: RunTag) -> Self {
        let roster = Roster::of(scenario, run);
        Self {
            metrics: Metrics::new(scenario, roster.clone()),
            ledger: Ledger::new(roster, WatchedClaims::of(scenario), Memory::default()),
            traces: Traces::new(),
            findings: Vec::new(),
            ended_at: Instant::ZERO,
        }
    }

    /// The books of the run so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The distributions and rates of the run so far.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether the run is not worth going on with at `now`: no device had a CONNACK with success, and
    /// for [`SHUT_OUT_AFTER`] every attempt was refused or failed.
    pub fn is_shut_out(&self, now: Instant) -> bool {
        let since = self.ledger.connections.shut_out_since();
        since.is_some_and(|since| now.saturating_since(since) >= SHUT_OUT_AFTER)
    }

    /// The first claim of `scenario` that is broken for good, in words.
    pub fn broken_claim(&self, scenario: &Scenario) -> Option<String> {
        broken_claim(scenario, &self.ledger)
    }

    /// The first threshold of `scenario` that what was measured so far breaks, in words.
    pub fn broken_threshold(&self, scenario: &Scenario) -> Option<String> {
        broken_threshold(scenario, &self.metrics)
    }

    /// Both, the ledger to be added to by checks.
    pub(crate) fn parts(&mut self) -> (&mut Ledger, &Metrics) {
        (&mut self.ledger, &self.metrics)
    }

    /// Copies the packets around what was noted since the last packet, before later ones take their place.
    fn trace(&mut self) {
        for anomaly in self.ledger.take_fresh_anomalies() {
            self.traces.note(anomaly);
        }
        while let Some(suspicion) = self.ledger.deliveries.take_suspicion() {
            let deliveries = &self.ledger.deliveries;
            let is_open = |suspicion: &Suspicion| deliveries.is_open(suspicion);
            self.traces.suspect(&suspicion, is_open);
        }
    }

    /// Puts the packets around anomalies into `measured`, once all are noted.
    pub(crate) fn put_traces_into(&mut self, measured: &mut Measured, scenario: &Scenario) {
        self.trace();
        self.traces.put_into(measured, scenario);
    }

    /// Closes the books if no phase has done so: the run was cut short.
    pub(crate) fn close(&mut self) {
        self.ledger.cut(self.ended_at);
    }
}

impl Sink for Recorder {
    fn observe(&mut self, now: Instant, observation: &Observation<'_>) {
        self.ended_at = now;
        self.ledger.observe(now, observation, &mut self.findings);
        let online = self.ledger.connections.online();
        self.metrics.observe(now, observation, online);
        for finding in self.findings.drain(..) {
            self.metrics.handle_finding(now, observation, &finding);
        }
    }

    fn pass(&mut self, packet: &PacketSeen) {
        if self.ledger.has_noted() {
            self.trace();
        }
        self.traces.pass(packet);
    }

    fn enter_phase(&mut self, now: Instant, phase: Phase) {
        self.ended_at = now;
        self.metrics.enter_phase(now, phase);
        match phase {
            Phase::Clearing
            | Phase::Connecting
            | Phase::WarmingUp
            | Phase::Measuring
            | Phase::Draining => {}
            Phase::Checking => self.ledger.begin_checking(now),
            // From here on devices leave: what has not come will not.
            Phase::Leaving | Phase::EndingSessions | Phase::Finished => {
                self.metrics.note_under_way(now, &self.ledger.under_way());
                self.ledger.close(now);
                let unanswered = self.ledger.responses.take_without_response();
                self.metrics.note_unanswered(now, &unanswered);
            }
        }
    }
}
