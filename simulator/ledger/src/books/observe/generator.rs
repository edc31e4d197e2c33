//! What facts tell of the generator itself: when it was held up.

use std::time::Duration;

use squall_fleet::{Fact, Observation, Phase, Planned, PublicationFact};
use squall_protocol::Instant;

use crate::books::Ledger;

impl Ledger {
    /// Notes what the generator was late by. What it does after the books are closed breaks no claim.
    pub(super) fn note_generator(&mut self, now: Instant, observation: &Observation<'_>) {
        if self.closed_at.is_some() {
            return;
        }
        let late_since = match observation.fact {
            Fact::StoodStill { since, .. } => since,
            // A drain is as much longer as hold-ups took from it, which are told already.
            Fact::Begun {
                what: Planned::Phase(Phase::Checking | Phase::Leaving),
                ..
            } => now,
            Fact::Begun { due, .. } => due,
            Fact::Publication(PublicationFact::Due { stamp, .. }) => stamp.scheduled,
            Fact::Publication(
                PublicationFact::Sent { .. }
                | PublicationFact::Skipped { .. }
                | PublicationFact::Repeated { .. }
                | PublicationFact::Acknowledged { .. },
            )
            | Fact::Connection(_)
            | Fact::Subscription(_)
            | Fact::Link(_)
            | Fact::Silence(_)
            | Fact::Exchange(_)
            | Fact::Leg(_)
            | Fact::Delivered(_)
            | Fact::Provocation(_)
            | Fact::FaultApplied(_)
            | Fact::Broker(_)
            | Fact::Retained(_) => now,
        };
        let lag = now.saturating_since(late_since);
        let length = lag.max(observation.waited.unwrap_or_default());
        if length > Duration::ZERO {
            self.unanswered.note_hold_up(length, now);
            for book in self.anomalies_mut() {
                book.note_hold_up(length, now);
            }
        }
    }
}
