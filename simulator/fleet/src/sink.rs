//! Who hears what the fleet does: the border between the engine and the books.

use squall_protocol::Instant;

use crate::observation::Observation;
use crate::progress::Phase;

/// Hears every fact of a run, in the order in which they happen; `now` never goes backwards.
pub trait Sink {
    /// A device saw or did something.
    fn observe(&mut self, now: Instant, observation: &Observation<'_>);

    /// The run entered a phase.
    fn enter_phase(&mut self, now: Instant, phase: Phase);
}
