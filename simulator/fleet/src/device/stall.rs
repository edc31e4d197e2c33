//! A device that stops reading for a while: a slow consumer.
//!
//! Nothing that comes on its connection is read: neither what the broker sends nor its close. What the system has
//! room for waits there, then the window closes and the broker has to wait. The device goes on publishing, pinging
//! and sending what falls due, and concludes nothing from answers that it does not read.

use super::Device;
use super::connection::{Attention, Reading};
use super::turn::Turn;
use crate::firing::Firing;
use crate::observation::ConnectionFact;

impl Device {
    /// Stops reading the active connection, unless it is not read already, or the device is muted.
    pub(super) fn begin_stall(&mut self, turn: &mut Turn<'_>, firing: Firing) {
        let place = self.active_place();
        let place = place.filter(|&place| self.connections[place].reads_and_talks());
        let Some(place) = place else {
            turn.note_inapplicable(firing.fault);
            return;
        };
        let connection = &mut self.connections[place];
        connection.attention = Attention::Stalled {
            by: firing,
            since: turn.now,
        };
        let socket = connection.socket;
        if connection.link_reading() == Reading::On {
            turn.actions.pause(socket);
        }
        self.note_applied(turn, socket, firing);
        let Firing { fault, number, .. } = firing;
        let fact = ConnectionFact::ReadingStopped { fault, number };
        self.tell_connection(turn, socket, fact);
    }

    /// Reads on what this firing has stopped it from reading.
    pub(super) fn end_stall(&mut self, turn: &mut Turn<'_>, firing: Firing) {
        let mut connections = self.connections.iter();
        let place = connections.position(|connection| {
            matches!(connection.attention, Attention::Stalled { by, .. } if by == firing)
        });
        if let Some(place) = place {
            self.read_on(turn, place);
            self.carry(turn);
        }
    }

    /// Reads the connection at `place` from now on.
    pub(super) fn read_on(&mut self, turn: &mut Turn<'_>, place: usize) {
        let connection = &mut self.connections[place];
        let Attention::Stalled { since, .. } = connection.attention else {
            return;
        };
        connection.attention = Attention::Since(turn.now);
        let socket = connection.socket;
        if connection.link_reading() == Reading::On {
            turn.actions.resume(socket);
        }
        self.client.await_pingresp_anew(turn.now);
        self.tell_connection(turn, socket, ConnectionFact::ReadingResumed { since });
    }
}
