//! Receives every fact of a run: the border between the engine and the books.

use squall_protocol::Instant;

use crate::observation::Observation;
use crate::packet_seen::PacketSeen;
use crate::progress::Phase;

/// Receives every fact of a run, in the order in which they happen; `now` never goes backwards.
pub trait Sink {
    /// A device saw or did something at `now`, or something happened to the run.
    fn observe(&mut self, now: Instant, observation: &Observation<'_>);

    /// A phase began at `at`: not before anything observed so far, and not after what follows. The
    /// shell may come later than the moment that the scenario tells; `at` is that moment.
    fn enter_phase(&mut self, at: Instant, phase: Phase);

    /// A device sent or got a packet: one that came is told before what is observed of it, one that is sent after.
    ///
    /// Nothing follows from a packet that is not observed too: a sink that shows none leaves this out.
    fn pass(&mut self, _packet: &PacketSeen) {}
}
