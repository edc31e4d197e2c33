//! When the drive looks at its clock: it reads what has arrived, does what is due, and tells the fleet if
//! it comes late.

use std::time::Duration;

use squall_fleet::{Fleet, Input, STANDSTILL_MIN, Sink, SocketId};
use squall_protocol::Instant;

use super::State;
use super::socket::Progressed;

/// A turn of the schedule ends after this time, however much more is due, so that what has come in
/// is read, and stamped, at most this much later.
const TURN_TIME_MAX: Duration = Duration::from_micros(200);

/// The longest time between two looks of the drive at its clock, whether something is due or not: so it
/// notices that it stood still.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(10);

/// From this lateness on all sockets are read before what is due is done. Otherwise each socket is read
/// by its own task: reading all of 20,000 sockets takes some 20 ms, and no wait that a device gives up
/// is so short that less lateness than this matters.
const LATE: Duration = Duration::from_millis(100);

impl<S: Sink + 'static> State<S> {
    /// Reads the clock, and returns the moment and the fleet's deadline; `None` once the run is over. If
    /// the drive comes late, the fleet is told.
    pub(super) fn come_round(&mut self) -> Option<(Instant, Option<Instant>)> {
        let now = self.clock.now();
        self.beat(now);
        self.heartbeat = now + HEARTBEAT;
        let fleet = self.fleet.as_ref().filter(|fleet| !fleet.is_finished())?;
        Some((now, fleet.next_deadline()))
    }

    /// Tells the fleet that the drive stood still, if its heartbeat is overdue.
    pub(super) fn beat(&mut self, now: Instant) {
        let since = self.heartbeat;
        if now.saturating_since(since) < STANDSTILL_MIN {
            return;
        }
        // What is left of it is told by the next call.
        self.heartbeat = now;
        self.feed_at(now, Input::StoodStill { since });
    }

    /// Does what is due, one thing after the other, each at a moment of its own.
    pub(super) fn take_turn(&mut self, began: Instant) {
        self.read_before_deadline(began);
        loop {
            self.feed(Input::DeadlinePassed);
            let now = self.clock.now();
            let deadline = self.fleet.as_ref().and_then(Fleet::next_deadline);
            let is_due = deadline.is_some_and(|deadline| deadline <= now);
            // The end of the drain has a turn of its own: it is read before.
            let ends_drain = self.fleet.as_ref().is_some_and(Fleet::is_drain_next_to_end);
            if !is_due || ends_drain || now.saturating_since(began) >= TURN_TIME_MAX {
                return;
            }
        }
    }

    /// Tells the fleet what has arrived, if its deadline is late by much or ends the drain: nothing
    /// must be concluded from bytes that only wait to be read.
    fn read_before_deadline(&mut self, now: Instant) {
        let Some(fleet) = &self.fleet else { return };
        let Some(deadline) = fleet.next_deadline() else {
            return;
        };
        let is_late = now.saturating_since(deadline) >= LATE && self.read_until < deadline;
        if !is_late && !fleet.is_drain_next_to_end() {
            return;
        }
        let mut ids: Vec<SocketId> = self.sockets.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            while self.look_at(id, now) {}
        }
        self.read_until = now;
    }

    /// Tells what one look at a socket brought; whether more may have come by `until`.
    fn look_at(&mut self, id: SocketId, until: Instant) -> bool {
        let socket = self.sockets.get_mut(&id);
        let Some(progressed) = socket.and_then(|socket| socket.look(&mut self.reader)) else {
            return false;
        };
        let may_have_more = if let Progressed::Received(received) = progressed {
            let since = self.clock.now().saturating_since(until);
            !self.reader.has_emptied(received)
                && received.waited.is_some_and(|waited| waited >= since)
        } else {
            false
        };
        self.tell_progress(id, progressed);
        may_have_more
    }
}
