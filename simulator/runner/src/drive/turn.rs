//! When the drive looks at its clock: it reads what has arrived, does what is due, and tells the fleet if
//! it comes late.

use std::io;
use std::time::Duration;

use squall_fleet::{Fleet, Input, STANDSTILL_MIN, Sink, Standstill};
use squall_protocol::Instant;

use super::crew::{Crew, Listening, Report};
use super::sockets::Owner as _;
use super::{HEARTBEAT, State};

/// A turn of the schedule ends after this time, however much more is due, so that what has come in
/// is read, and stamped, at most this much later.
const TURN_TIME_MAX: Duration = Duration::from_micros(200);

/// From this lateness on all sockets are read before what is due is done. Otherwise each socket is read
/// by its own task: reading all of 20,000 sockets takes some 20 ms, and no wait that a device gives up
/// is so short that less lateness than this matters.
const LATE: Duration = Duration::from_millis(100);

/// Whether workers had something to tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Heard {
    /// They had, and may have more.
    Some,
    /// They had not.
    Nothing,
}

impl<S: Sink + 'static> State<S> {
    /// Reads the clock, and returns the moment and the fleet's deadline; `None` once the run is over. If
    /// the drive comes late, the fleet is told.
    pub(super) fn come_round(&mut self) -> Option<(Instant, Option<Instant>)> {
        let now = self.clock.now();
        self.beat(now);
        self.heartbeat = now + HEARTBEAT;
        self.sockets.give_up_leaving(now);
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
        self.feed_at(
            now,
            Input::StoodStill {
                since,
                what: Standstill::Whole,
            },
        );
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
        self.look_everywhere(now);
        self.read_until = now;
    }

    /// Tells the fleet what had arrived by `until`, at sockets of this thread or of workers.
    fn look_everywhere(&mut self, until: Instant) {
        self.look_at_all(until);
        let mut awaited = self.crew.as_mut().map_or(0, |crew| crew.ask_to_look(until));
        while awaited > 0 {
            let Some(report) = self.crew.as_mut().and_then(|crew| crew.hear().ok()) else {
                return;
            };
            // One that has ended is not awaited: the drive ends with it.
            if report.has_looked || report.is_last {
                awaited -= 1;
            }
            self.hear(&report);
        }
    }

    /// Listens to the workers; `None` if there are none.
    pub(super) fn listen(&mut self) -> io::Result<Option<Listening>> {
        self.crew.as_mut().map(Crew::listen).transpose()
    }

    /// Tells the fleet what workers have told, for the time of a turn at most.
    ///
    /// # Errors
    /// If a worker has ended.
    pub(super) fn hear_workers(&mut self) -> io::Result<Heard> {
        let began = self.clock.now();
        let mut heard = Heard::Nothing;
        while let Some(report) = self.crew.as_mut().and_then(Crew::try_hear) {
            heard = Heard::Some;
            self.hear(&report);
            if self.clock.now().saturating_since(began) >= TURN_TIME_MAX {
                break;
            }
        }
        match self.has_lost_worker {
            true => Err(self.why_worker_ended()),
            false => Ok(heard),
        }
    }

    fn why_worker_ended(&mut self) -> io::Error {
        match self.crew.take().map(Crew::end) {
            Some(Err(error)) => error,
            Some(Ok(_)) | None => io::Error::other("a worker ended before the run"),
        }
    }

    /// Sends off what workers are asked for.
    pub(super) fn dispatch(&mut self) {
        if let Some(crew) = &mut self.crew {
            crew.dispatch();
        }
    }

    /// Tells the fleet what was held back and need not be any longer.
    pub(super) fn hear_released(&mut self) {
        // What is told may release more: that is the outermost call's.
        if std::mem::replace(&mut self.is_hearing_released, true) {
            return;
        }
        while let Some(report) = self.crew.as_mut().and_then(Crew::next_released) {
            self.hear(&report);
        }
        self.is_hearing_released = false;
    }

    fn hear(&mut self, report: &Report) {
        self.has_lost_worker |= report.is_last;
        for told in report.inputs() {
            let Some(crew) = &mut self.crew else { return };
            if crew.holds_back(report, told) {
                continue;
            }
            let now = self.clock.now();
            self.beat(now);
            self.feed_at(now, report.input(told, now));
        }
    }
}
