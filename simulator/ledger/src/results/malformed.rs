//! Malformed packets as the run file has them.

use squall_protocol::Version;
use squall_run::{FaultEffect, MalformedOutcome};
use squall_scenario::FaultId;

use crate::books::{Ledger, reason_text};

/// What became of malformed packets, by kind.
pub(super) fn outcomes(ledger: &Ledger) -> Vec<MalformedOutcome> {
    let counts = ledger.provocations.counts();
    counts
        .map(|(malformation, version, counts)| MalformedOutcome {
            kind: malformation.name().to_owned(),
            version: match version {
                Version::V3_1_1 => "3.1.1",
                Version::V5 => "5.0",
            }
            .to_owned(),
            source: malformation.source(version).to_owned(),
            sent: counts.sent,
            closed: counts.closed,
            taken_over: counts.taken_over,
            left_open: counts.open,
            reasons: counts
                .told
                .iter()
                .map(|(&reason, &count)| (reason_text(reason), count))
                .collect(),
            unfit_reasons: counts.unfit,
            slowest_s: counts.slowest.map(|slowest| slowest.as_secs_f64()),
        })
        .collect()
}

/// What the malformed packets of one time that a fault struck brought about; nothing if it sent none.
pub(super) fn effects(fault: FaultId, number: u64, ledger: &Ledger) -> Vec<FaultEffect> {
    let Some(effects) = ledger.provocations.effects(fault, number) else {
        return Vec::new();
    };
    let effect = |what: &str, count| FaultEffect {
        what: what.to_owned(),
        count,
        longest_s: None,
    };
    vec![
        effect("connections closed by the broker", effects.closed),
        effect("connections left open", effects.left_open),
    ]
}
