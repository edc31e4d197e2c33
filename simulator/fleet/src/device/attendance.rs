//! When a device is there: its group's `start`, `leave` and `availability`.

use squall_protocol::{
    Instant, ReasonCode,
    packet::{Disconnect, DisconnectProperties},
};
use squall_scenario::{Availability, Farewell};

use super::ending::TransportEnd;
use super::turn::{Stage, Turn};
use super::{Device, Presence};
use crate::drive::Teardown;
use crate::observation::{Departure, EndCause};
use crate::random::{Draws, Generator, Purpose};
use crate::schedule::Load;

/// What a device has to keep in mind of its comings and goings.
#[derive(Debug)]
pub(super) struct Attendance {
    availability: Option<Availability>,
    rng: Generator,
    /// The load, once it has begun: it comes and goes within.
    load: Option<Load>,
    /// When it goes to come back later.
    goes_at: Option<Instant>,
    /// When it leaves for good.
    leaves_at: Option<Instant>,
}

impl Attendance {
    /// `None` for a device that is there from before the load, or from its start, until after the load.
    pub(super) fn new(attendance: &squall_scenario::Attendance, draws: Draws) -> Option<Box<Self>> {
        let stays = attendance.leave.is_none() && attendance.availability.is_none();
        (!stays).then(|| {
            Box::new(Self {
                availability: attendance.availability.clone(),
                rng: draws.generator(Purpose::Availability, 0),
                load: None,
                goes_at: None,
                leaves_at: None,
            })
        })
    }

    /// When there is something to do next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        match (self.goes_at, self.leaves_at) {
            (Some(goes), Some(leaves)) => Some(goes.min(leaves)),
            (goes, leaves) => goes.or(leaves),
        }
    }

    /// It is connected from `now` on: plans when it goes, within the load.
    fn plan_to_go(&mut self, now: Instant) {
        let (Some(availability), Some(load)) = (&self.availability, self.load) else {
            return;
        };
        let goes_at = now + availability.up.sample(&mut self.rng);
        self.goes_at = (goes_at < load.end).then_some(goes_at);
    }
}

impl Device {
    /// The load begins at `now`.
    pub(super) fn begin_attendance(&mut self, now: Instant, load: Load) {
        let leave = self.profile.attendance.leave;
        let is_online = self.is_online();
        if let Some(attendance) = &mut self.attendance {
            attendance.load = Some(load);
            attendance.leaves_at = leave
                .map(|leave| load.measured + leave)
                .filter(|&at| at < load.end);
            if is_online {
                attendance.plan_to_go(now);
            }
        }
    }

    /// CONNACK with Success came: plans how long it stays.
    pub(super) fn stay(&mut self, now: Instant) {
        if let Some(attendance) = &mut self.attendance {
            attendance.plan_to_go(now);
        }
    }

    /// The run is stopped: it goes no more.
    pub(super) fn end_attendance(&mut self) {
        self.attendance = None;
    }

    /// Goes if it is time to.
    pub(super) fn go_due(&mut self, turn: &mut Turn<'_>) {
        let Some(attendance) = &mut self.attendance else {
            return;
        };
        if attendance.leaves_at.is_some_and(|at| at <= turn.now) {
            self.attendance = None;
            return self.leave_for_good(turn);
        }
        if attendance.goes_at.is_none_or(|at| at > turn.now) {
            return;
        }
        attendance.goes_at = None;
        let Some(availability) = &attendance.availability else {
            return;
        };
        let how = availability.how;
        let back_at = turn.now + availability.down.sample(&mut attendance.rng);
        if self.is_online() && turn.shared.stage == Stage::Whole {
            self.end_by(turn, how);
            self.presence = Presence::Away;
            self.wake = Some(back_at);
        }
    }

    /// Says goodbye, and does not come back.
    fn leave_for_good(&mut self, turn: &mut Turn<'_>) {
        self.end_load(turn.now);
        if self.is_online() {
            self.end_by(turn, Farewell::Polite);
        }
        self.wake = None;
        self.presence = Presence::Gone;
        self.give_up_all_opening(turn);
        self.skip_queue(turn);
    }

    /// Ends the active connection, which has its CONNACK.
    fn end_by(&mut self, turn: &mut Turn<'_>, how: Farewell) {
        self.end_any_mute(turn);
        let teardown = match how {
            Farewell::Fin => Teardown::Fin,
            Farewell::Rst => Teardown::Reset,
            Farewell::Polite => {
                let disconnect = Disconnect {
                    reason: ReasonCode::Success,
                    properties: DisconnectProperties::default(),
                };
                let said = self.client.disconnect(turn.now, &disconnect);
                said.expect("a client that is online can say goodbye");
                if let Some(place) = self.active_place() {
                    // DISCONNECT is the end for the broker, the FIN behind it is not.
                    self.flush(turn);
                    self.mark(turn, place, Departure::End);
                }
                Teardown::Fin
            }
        };
        self.end_active(turn, EndCause::WentAway(how), TransportEnd::Close(teardown));
    }
}
