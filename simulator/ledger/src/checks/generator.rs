//! Which broken claims the generator may have broken itself.
//!
//! What the protocol forbids stays forbidden, however late the generator was: no lag makes a broker send
//! a message twice, change it, or send it to a device that did not ask for it. Such a claim is
//! broken whatever else happened. But a generator that is held up reads late, so answers and messages
//! seem to be late or missing; it does not read, so a broker may give up what waits for it; and it sends no
//! PINGREQ, so a broker must end its connections and publish their wills. If it was held up for long
//! enough for that, nothing follows about the broker.

use std::time::Duration;

use squall_run::{AnomalyKind, ClaimOutcome, Value, duration_text};
use squall_scenario::{Group, Scenario};

use crate::metrics::Metrics;

/// A generator that does not read for this long may be what a message is missing by: a broker gives up
/// what waits for a client that does not read.
const MISSING_FROM: Duration = Duration::from_secs(1);

/// How a generator that is held up may bring about what should not happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ByLag {
    /// Not at all.
    Never,
    /// It reads late.
    Late,
    /// It does not read, or not in time.
    Missing,
    /// It says nothing for longer than its Keep Alive allows.
    Silent,
}

/// What a lag can do, for each kind of anomaly.
const fn by_lag(kind: AnomalyKind) -> ByLag {
    match kind {
        AnomalyKind::Duplicated
        | AnomalyKind::Reordered
        | AnomalyKind::Misrouted
        | AnomalyKind::Corrupted
        | AnomalyKind::WillDoubled
        | AnomalyKind::DisplacedReason
        | AnomalyKind::SessionPresent
        | AnomalyKind::Qos2PublishAfterPubrel
        | AnomalyKind::ConnectionRefused
        | AnomalyKind::ProtocolError => ByLag::Never,
        AnomalyKind::WillLate
        | AnomalyKind::TwoAlive
        | AnomalyKind::DisplacedNotClosed
        | AnomalyKind::NetworkOffProfile => ByLag::Late,
        AnomalyKind::Lost
        | AnomalyKind::WillMissing
        | AnomalyKind::Qos2Incomplete
        | AnomalyKind::Qos2DupUnanswered => ByLag::Missing,
        // A will of a connection whose end the device has not read is one that was not due, and may be
        // what is retained.
        AnomalyKind::WillUnexpected
        | AnomalyKind::RetainedWrong
        | AnomalyKind::UnexpectedDisconnect => ByLag::Silent,
    }
}

/// How long the generator was held up, and how long it may be silent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Generator {
    held_up: Duration,
    /// How long a device may do nothing: then the broker ends its connection, or it gives up itself.
    patience: Duration,
}

impl Generator {
    /// As a finished run of `scenario` shows it.
    pub(crate) fn of(scenario: &Scenario, metrics: &Metrics) -> Self {
        let limits = scenario.groups.iter().filter_map(Group::keep_alive_limit);
        // A device pings at its Keep Alive, a broker ends the connection at one and a half times that
        // [MQTT-3.1.2-22].
        let patience = limits.map(|limit| limit / 3).min();
        let connect_timeout = scenario.run.connect_timeout;
        Self {
            held_up: metrics.held_up(),
            patience: patience.map_or(connect_timeout, |patience| patience.min(connect_timeout)),
        }
    }

    /// Whether devices that took no part may have been missed.
    pub(crate) fn explains_missing(&self) -> Option<String> {
        self.held_up_for(MISSING_FROM)
    }

    /// What may have broken a claim, in words; `None` if it is not broken, or if one of these things happened
    /// that broke it and that no lag brings about. `kinds` are those that happened.
    pub(super) fn explains(&self, claim: &ClaimOutcome, kinds: &[AnomalyKind]) -> Option<String> {
        if claim.passed || claim.actual.is_none() {
            return None;
        }
        let explanations = kinds.iter().map(|&kind| match by_lag(kind) {
            ByLag::Never => None,
            ByLag::Late => self.held_up_for(excess(claim)),
            ByLag::Missing => self.explains_missing(),
            ByLag::Silent => self.silent(),
        });
        let explanations: Option<Vec<String>> = explanations.collect();
        explanations?.into_iter().next()
    }

    fn silent(&self) -> Option<String> {
        let text = self.held_up_for(self.patience)?;
        let patience = duration_text(self.patience.as_secs_f64());
        Some(format!(
            "{text}, and a device that is late by {patience} may lose its connection"
        ))
    }

    fn held_up_for(&self, at_least: Duration) -> Option<String> {
        (self.held_up >= at_least).then(|| {
            let held_up = duration_text(self.held_up.as_secs_f64());
            format!("it was held up for up to {held_up}")
        })
    }
}

/// By how much a time is above its limit; where it is no time that was found, what a message may be missing
/// by.
fn excess(claim: &ClaimOutcome) -> Duration {
    match (&claim.limit, &claim.actual) {
        (Value::Seconds(limit), Some(Value::Seconds(actual))) => {
            Duration::try_from_secs_f64(actual - limit).unwrap_or_default()
        }
        _ => MISSING_FROM,
    }
}
