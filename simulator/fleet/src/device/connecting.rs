//! How a device gets a connection: from asking for a transport to the SUBACK. `ending` has the
//! rest of its life.

use squall_protocol::Instant;

use super::asking::Asking;
use super::connection::{Active, Attention, Connection, Lanes, Opening, Role, Room, Up, Voice};
use super::ending::{Ending, TransportEnd};
use super::turn::Turn;
use super::{Device, Presence};
use crate::drive::{OpenError, SocketId, Teardown};
use crate::firing::Firing;
use crate::observation::{ConnectionFact, Departure, EndCause, Fact, Path, Planned, Unchecked};

impl Device {
    /// Asks for a transport; `takeover` is the firing of a fault that wants it, if one does.
    pub(super) fn open(&mut self, turn: &mut Turn<'_>, takeover: Option<Firing>) {
        self.wake = None;
        let socket = self.next_socket();
        self.tell_connection(turn, socket, ConnectionFact::OpenStarted);
        let transport = self.carrier().transport;
        self.connections.push(Connection {
            socket,
            role: Role::Opening(Opening {
                since: turn.now,
                give_up: turn.now + self.profile.connect_timeout,
                takeover,
            }),
            room: Room::Left,
            voice: Voice::Heard,
            said_at: turn.now,
            lanes: self.link.as_ref().map(|_| Box::new(Lanes::of(transport))),
            attention: Attention::UNBROKEN,
            mute: None,
            provoked: None,
        });
        turn.shared.census.connections += 1;
        self.send_control(turn, self.connections.len() - 1, Up::Open);
    }

    /// Connects if it is time to.
    pub(super) fn wake_up(&mut self, turn: &mut Turn<'_>) {
        if let Some(due) = self.wake.filter(|&at| at <= turn.now) {
            let what = match self.attempts {
                0 => Planned::Connect,
                _ => Planned::Reconnect,
            };
            self.tell(turn, self.last_socket(), Fact::Begun { what, due });
            self.return_from_absence();
            self.open(turn, None);
        }
    }

    /// The transport is there: it becomes the active connection, in place of any other.
    pub(super) fn handle_opened(&mut self, turn: &mut Turn<'_>, place: usize) {
        let Role::Opening(Opening {
            since, takeover, ..
        }) = self.connections[place].role
        else {
            // It came too late: we gave up.
            return;
        };
        if let Some(active) = self.active_place() {
            self.displace(turn, active);
        }
        self.connections[place].role = Role::Active(Active {
            since,
            is_online: false,
            asking: Asking::default(),
        });
        if let Some(quota) = &mut self.quota {
            quota.reset();
        }
        let connect = self.profile.connect(self.index, &self.client_id);
        self.client.connect(turn.now, &connect);
        let socket = self.connections[place].socket;
        let fact = ConnectionFact::ConnectSent {
            clean_start: connect.clean_start,
            is_persistent: self.profile.is_persistent(),
            version: self.profile.version,
            keep_alive: self.profile.keep_alive,
            will: connect.will.as_ref(),
            path: match self.link {
                Some(_) => Path::OverLink,
                None => Path::Direct,
            },
        };
        self.tell_connection(turn, socket, fact);
        if let Some(firing) = takeover {
            self.note_applied(turn, socket, firing);
        }
        self.flush(turn);
        self.mark(turn, place, Departure::Connect);
    }

    /// Gives the client role's connection up to make room for another; it is read on.
    fn displace(&mut self, turn: &mut Turn<'_>, place: usize) {
        // A stall is of the connection that the device goes on with, and so is a mute.
        self.read_on(turn, place);
        self.connections[place].mute = None;
        self.forget_connection(turn, place);
        let displaced = self.client.displace();
        self.connections[place].role = Role::Displaced(Box::new(displaced));
    }

    /// The transport could not be had.
    pub(super) fn handle_open_failed(
        &mut self,
        turn: &mut Turn<'_>,
        place: usize,
        error: OpenError,
    ) {
        if let Role::Opening(Opening { takeover, .. }) = self.connections[place].role {
            let socket = self.connections[place].socket;
            self.tell_connection(turn, socket, ConnectionFact::OpenFailed(error));
            self.contention = None;
            self.moved = self.moved.wrapping_add(1);
            if let Some(firing) = takeover {
                turn.note_inapplicable(firing.fault);
            }
            self.connections[place].role = Role::Done;
            if self.active_place().is_none() {
                self.come_back(turn, Ending::Unexpected);
            }
        } else {
            self.connections[place].role = Role::Done;
        }
    }

    /// Gives up transports that did not come in time.
    pub(super) fn give_up_opening(&mut self, turn: &mut Turn<'_>) {
        for place in 0..self.connections.len() {
            let Role::Opening(Opening { give_up, .. }) = self.connections[place].role else {
                continue;
            };
            if give_up <= turn.now {
                self.tell_link_at_end(turn, place);
                self.send_control(turn, place, Up::Close(Teardown::Reset));
                self.handle_open_failed(turn, place, OpenError::TimedOut);
                // What has not crossed the link yet is closed when it has.
                self.connections[place].role = Role::Closing;
            }
        }
    }

    /// Gives up every transport that is being opened: the device leaves for good.
    pub(super) fn give_up_all_opening(&mut self, turn: &mut Turn<'_>) {
        for place in 0..self.connections.len() {
            if matches!(self.connections[place].role, Role::Opening(_)) {
                self.end_transport(turn, place, TransportEnd::Close(Teardown::Reset));
            }
        }
    }

    /// CONNACK with Success came.
    pub(super) fn handle_connected(&mut self, turn: &mut Turn<'_>, session_present: bool) {
        let Some(place) = self.active_place() else {
            return;
        };
        let socket = self.connections[place].socket;
        let Role::Active(active) = &mut self.connections[place].role else {
            return;
        };
        active.is_online = true;
        self.waits = 0;
        self.presence = Presence::Here;
        let opened_at = active.since;
        self.stay(turn.now);
        if self.is_of_the_scenario() {
            turn.shared.figures.online += 1;
        }
        let fact = ConnectionFact::Connected {
            session_present,
            opened_at,
        };
        self.tell_connection(turn, socket, fact);
        // The Session may be another device's, or an earlier run's: Session Present says nothing
        // about the filters of a device that has not had a SUBACK yet.
        if !session_present {
            self.subscriptions.forget();
        }
        self.begin_subscribing(turn, place);
        self.send_queue(turn);
        self.contend(turn);
    }

    /// When the device gives up waiting for the first SUBACK or UNSUBACK that it awaits on a connection; never while it
    /// does not read.
    pub(super) fn suback_due(&self, connection: &Connection, active: &Active) -> Option<Instant> {
        let asked_at = active.asking.open_since()?;
        let since = connection.attention.reads_since()?.max(asked_at);
        Some(since + self.profile.connect_timeout)
    }

    pub(super) fn note_ready(&mut self, turn: &mut Turn<'_>) {
        if !std::mem::replace(&mut self.was_ready, true) {
            turn.shared.census.ready += 1;
        }
    }

    /// Ends a connection whose CONNACK, PINGRESP, SUBACK or UNSUBACK did not come; pings if it is time to.
    pub(super) fn handle_timeouts(&mut self, turn: &mut Turn<'_>) {
        let Some(place) = self.active_place() else {
            return;
        };
        let Role::Active(active) = &self.connections[place].role else {
            return;
        };
        let connection = &self.connections[place];
        let suback_due = self.suback_due(connection, active);
        let is_suback_late = suback_due.is_some_and(|due| due <= turn.now);
        if connection.is_stalled() {
            // An answer may lie there unread.
            self.client.await_pingresp_anew(turn.now);
        }
        let is_due = self.client.poll_timeout().is_some_and(|at| at <= turn.now)
            && !self.connections[place].is_muted();
        let timed_out = if is_due {
            self.client.handle_timeout(turn.now)
        } else {
            None
        };
        if is_suback_late {
            self.give_check_up(turn, Unchecked::NoSuback);
        }
        if timed_out.is_some() || is_suback_late {
            let transport = TransportEnd::Close(Teardown::Reset);
            self.tell_link_at_end(turn, place);
            self.end_active(turn, EndCause::TimedOut, transport);
        }
    }

    /// A fault did its work on this device.
    pub(super) fn note_applied(&self, turn: &mut Turn<'_>, socket: SocketId, firing: Firing) {
        turn.shared.faults.note_applied(firing);
        self.tell(turn, socket, Fact::FaultApplied(firing.fault));
    }
}
