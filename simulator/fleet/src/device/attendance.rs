//! When a device is there: its group's `start`, `leave`, `availability` and `online`.

use std::time::Duration;

use squall_protocol::{
    Instant, ReasonCode,
    packet::{Disconnect, DisconnectProperties},
};
use squall_scenario::{Availability, Farewell, Share, Side};

use super::connection::Role;
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
    online: Option<Online>,
    rng: Generator,
    /// The load, once it has begun: it comes and goes within.
    load: Option<Load>,
    /// When it goes to come back later.
    goes_at: Option<Instant>,
    /// When it leaves for good.
    leaves_at: Option<Instant>,
    /// Whether it is away because its group wants that: from its goodbye until it connects.
    is_away: bool,
}

/// A device whose group says which share of it is connected.
#[derive(Debug)]
struct Online {
    share: Share,
    /// It is connected while the share is above this.
    level: f64,
    side: Side,
    /// When that changes next, in seconds from the start of the measured part.
    changes_at: Option<f64>,
}

impl Online {
    /// From `time` on it is on this side.
    fn go_on(&mut self, side: Side, time: f64) {
        self.side = side;
        self.changes_at = self.share.next_crossing(self.level, side, time);
    }
}

impl Attendance {
    /// `None` for a device that is there from before the load, or from its start, until after the load. `level` is the
    /// share of its group above which it is connected.
    pub(super) fn new(
        attendance: &squall_scenario::Attendance,
        draws: Draws,
        level: f64,
    ) -> Option<Box<Self>> {
        let stays = attendance.leave.is_none()
            && attendance.availability.is_none()
            && attendance.online.is_none();
        (!stays).then(|| {
            Box::new(Self {
                availability: attendance.availability.clone(),
                online: attendance.online.clone().map(|share| Online {
                    share,
                    level,
                    side: Side::Above,
                    changes_at: None,
                }),
                rng: draws.generator(Purpose::Availability, 0),
                load: None,
                goes_at: None,
                leaves_at: None,
                is_away: false,
            })
        })
    }

    /// Whether it is to be connected at `time`, in seconds from the start of the measured part.
    pub(super) fn is_there_at(&self, time: f64) -> bool {
        let online = self.online.as_ref();
        online.is_none_or(|online| online.share.side(online.level, time) == Side::Above)
    }

    /// When there is something to do next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let dues = [self.goes_at, self.leaves_at, self.next_change()];
        dues.into_iter().flatten().min()
    }

    /// When its group's share next wants it to come or to go, within the load.
    fn next_change(&self) -> Option<Instant> {
        let load = self.load?;
        let changes_at = self.online.as_ref()?.changes_at?;
        let away = Duration::try_from_secs_f64(changes_at.abs()).ok()?;
        let at = match changes_at < 0.0 {
            true => load.measured - away,
            false => load.measured + away,
        };
        (at < load.end).then_some(at)
    }

    /// The load begins at `now`.
    fn begin(&mut self, now: Instant, load: Load) {
        self.load = Some(load);
        if let Some(online) = &mut self.online {
            let time = now.as_secs_f64() - load.measured.as_secs_f64();
            online.go_on(online.share.side(online.level, time), time);
        }
    }

    /// Does the changes that are due, and tells when the last of them was.
    fn change(&mut self, now: Instant) -> Option<Instant> {
        let mut changed = None;
        while let Some(at) = self.next_change().filter(|&at| at <= now) {
            changed = Some(at);
            if let Some(online) = &mut self.online
                && let Some(time) = online.changes_at
            {
                online.go_on(online.side.other(), time);
            }
        }
        changed
    }

    /// Whether its group's share wants it to be away now.
    fn is_to_be_away(&self) -> bool {
        let online = self.online.as_ref();
        online.is_some_and(|online| online.side == Side::Below)
    }

    /// It is connected from `now` on: plans when it goes, within the load.
    fn plan_to_go(&mut self, now: Instant) {
        if self.is_to_be_away() {
            self.goes_at = Some(now);
        }
        let (Some(availability), Some(load)) = (&self.availability, self.load) else {
            return;
        };
        let goes_at = now + availability.up.sample(&mut self.rng);
        self.goes_at = (goes_at < load.end).then_some(goes_at);
    }
}

impl Device {
    /// The run does not wait for it before the load: it starts later, and no fault takes it before.
    pub(crate) fn start_later(&mut self) {
        self.was_ready = true;
        self.presence = Presence::Away;
        self.stay_away();
    }

    /// Whether it is to be connected when the load begins, `warmup` before the measured part.
    pub(crate) fn begins_online(&self, warmup: Duration) -> bool {
        let attendance = self.attendance.as_ref();
        attendance.is_none_or(|attendance| attendance.is_there_at(-warmup.as_secs_f64()))
    }

    /// The load begins at `now`.
    pub(super) fn begin_attendance(&mut self, now: Instant, load: Load) {
        let leave = self.profile.attendance.leave;
        let is_online = self.is_online();
        if let Some(attendance) = &mut self.attendance {
            attendance.begin(now, load);
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
        if let Some(due) = attendance.change(turn.now) {
            return match attendance.is_to_be_away() {
                true => self.go_for_now(turn),
                false => self.come(due),
            };
        }
        if attendance.goes_at.is_none_or(|at| at > turn.now) {
            return;
        }
        attendance.goes_at = None;
        let Some(availability) = &attendance.availability else {
            return self.go_for_now(turn);
        };
        let how = availability.how;
        let back_at = turn.now + availability.down.sample(&mut attendance.rng);
        if self.is_online() && turn.shared.stage == Stage::Whole {
            self.end_by(turn, how);
            self.presence = Presence::Away;
            self.stay_away();
            self.wake = Some(back_at);
        }
    }

    /// Goes until its group's share wants it back. One that waits for its CONNACK goes when it has that.
    fn go_for_now(&mut self, turn: &mut Turn<'_>) {
        if self.presence == Presence::Gone || turn.shared.stage == Stage::Stopped {
            return;
        }
        if self.is_online() {
            self.end_by(turn, Farewell::Polite);
        } else if self.is_connecting() {
            return;
        }
        self.wake = None;
        self.presence = Presence::Away;
        self.stay_away();
    }

    /// Comes back, as was due at `due`, unless it is still there or gone for good.
    fn come(&mut self, due: Instant) {
        if let Some(attendance) = &mut self.attendance {
            attendance.goes_at = None;
        }
        if self.presence != Presence::Gone && !self.is_online() && !self.is_connecting() {
            self.wake = Some(due);
        }
    }

    /// Whether a transport is asked for, or a CONNECT not answered.
    fn is_connecting(&self) -> bool {
        let is_opening = |role: &Role| matches!(role, Role::Opening(_));
        self.active_place().is_some() || self.connections.iter().any(|of| is_opening(&of.role))
    }

    /// It is away because its group wants that.
    pub(super) fn stay_away(&mut self) {
        if let Some(attendance) = &mut self.attendance {
            attendance.is_away = true;
        }
    }

    /// It begins to connect.
    pub(super) fn return_from_absence(&mut self) {
        if let Some(attendance) = &mut self.attendance {
            attendance.is_away = false;
        }
    }

    /// Whether it is away because its group wants that.
    pub(super) fn is_away_on_purpose(&self) -> bool {
        let attendance = self.attendance.as_ref();
        attendance.is_some_and(|attendance| attendance.is_away)
    }

    /// Whether its group's share wants it to be away now.
    pub(super) fn is_to_be_away(&self) -> bool {
        let attendance = self.attendance.as_ref();
        attendance.is_some_and(|attendance| attendance.is_to_be_away())
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
