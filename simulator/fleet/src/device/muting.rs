//! A device that says nothing for a while and leaves its connection open: Keep Alive is broken on purpose.
//!
//! No byte leaves it: no PINGREQ, no PUBLISH, no answer. It reads what comes. The answers to that wait, and are sent
//! when the mute is over, in the order in which they fell due; a message that is due meanwhile is handled as one for
//! which there is no room. What else the device does with its connection ends the mute: a fault that ends the
//! connection, the end of the connection itself, a later connection.

use std::time::Duration;

use squall_protocol::ReasonCode;

use super::Device;
use super::connection::{Connection, Voice};
use super::mute::{Answer, Mute};
use super::turn::Turn;
use crate::firing::Firing;
use crate::observation::{Departure, EndCause, Fact, SilenceFact};

impl Connection {
    /// Whether no fault keeps its device from reading it or talking on it.
    pub(super) fn reads_and_talks(&self) -> bool {
        !self.is_muted() && !self.is_stalled()
    }

    /// Whether its device says nothing on it for a while.
    pub(super) fn is_muted(&self) -> bool {
        self.mute.is_some()
    }
}

impl Device {
    /// Whether the device says nothing on its active connection.
    pub(super) fn is_muted(&self) -> bool {
        let place = self.active_place();
        place.is_some_and(|place| self.connections[place].is_muted())
    }

    /// Says nothing on the active connection from now on, unless it does so already, or does not read: the broker's close of
    /// one that does neither could not be told from what waits before it.
    pub(super) fn begin_mute(&mut self, turn: &mut Turn<'_>, firing: Firing) {
        let place = self.active_place();
        let Some(place) = place.filter(|&place| self.connections[place].reads_and_talks()) else {
            turn.note_inapplicable(firing.fault);
            return;
        };
        // What the device sent before the fault still leaves.
        self.flush(turn);
        let connection = &mut self.connections[place];
        connection.voice = Voice::Silenced;
        connection.mute = Some(Box::new(Mute {
            by: firing,
            held: Vec::new(),
        }));
        let socket = connection.socket;
        self.note_applied(turn, socket, firing);
        self.tell_silence_began(turn, place, firing, self.client.keep_alive());
        self.mark(turn, place, Departure::BeforeMute);
    }

    /// Tells that the device has fallen silent on the connection at `place`, with this Keep Alive: not if the broker has
    /// closed that before, which is still on the link.
    pub(super) fn tell_silence_began(
        &self,
        turn: &mut Turn<'_>,
        place: usize,
        firing: Firing,
        keep_alive: Duration,
    ) {
        let connection = &self.connections[place];
        let lanes = connection.lanes.as_deref();
        if lanes.is_some_and(|lanes| lanes.has_close) {
            return;
        }
        let Firing { fault, number, .. } = firing;
        let fact = SilenceFact::Began {
            fault,
            number,
            keep_alive,
            said_at: connection.said_at,
        };
        self.tell(turn, connection.socket, Fact::Silence(fact));
    }

    /// What this firing has kept the device from saying is said.
    pub(super) fn end_mute(&mut self, turn: &mut Turn<'_>, firing: Firing) {
        let mut connections = self.connections.iter();
        let place = connections.position(|connection| {
            let mute = connection.mute.as_ref();
            mute.is_some_and(|mute| mute.by == firing)
        });
        if let Some(place) = place {
            self.talk_on(turn, place);
        }
    }

    /// Talks on the active connection again, if a fault keeps the device from it.
    pub(super) fn end_any_mute(&mut self, turn: &mut Turn<'_>) {
        if let Some(place) = self.active_place() {
            self.talk_on(turn, place);
        }
    }

    /// The broker ended the connection at `place`, and its mute with it.
    fn end_mute_by_broker(&mut self, turn: &mut Turn<'_>, place: usize, told: Option<ReasonCode>) {
        // Of a close it is told, of a DISCONNECT before it is not.
        self.tell_silence_over(turn, place, told);
        self.connections[place].mute = None;
        self.connections[place].voice = Voice::Heard;
    }

    /// The active connection, at `place`, ends by `cause`, and its mute with it.
    pub(super) fn end_mute_by(&mut self, turn: &mut Turn<'_>, place: usize, cause: EndCause) {
        if !self.connections[place].is_muted() {
            return;
        }
        match cause {
            EndCause::PeerClosed(_) => self.end_mute_by_broker(turn, place, None),
            EndCause::ServerDisconnect(reason) => {
                self.end_mute_by_broker(turn, place, Some(reason));
            }
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::WentAway(_)
            | EndCause::Qos2Cut { .. }
            | EndCause::ProtocolError(_)
            | EndCause::Refused
            | EndCause::TimedOut
            | EndCause::RunEnded => {
                self.unmute(turn, place);
            }
        }
    }

    /// Talks on the connection at `place` again, if a fault keeps the device from it: answers first.
    pub(super) fn talk_on(&mut self, turn: &mut Turn<'_>, place: usize) {
        let Some(mute) = self.unmute(turn, place) else {
            return;
        };
        self.client.await_pingresp_anew(turn.now);
        for answer in mute.held {
            self.answer(turn, answer);
        }
        if let Some(quota) = &mut self.quota {
            // What comes next may have been sent once the broker had read these answers.
            quota.settle();
        }
        self.handle_qos2_faults(turn);
        self.repeat_due(turn);
        if let Some(place) = self.active_place() {
            self.ask_where_due(turn, place);
        }
        self.send_queue(turn);
    }

    /// The mute of the connection at `place` is over, and what it held is the caller's.
    pub(super) fn unmute(&mut self, turn: &mut Turn<'_>, place: usize) -> Option<Box<Mute>> {
        let connection = &mut self.connections[place];
        let mute = connection.mute.take()?;
        connection.voice = Voice::Heard;
        let fact = Fact::Silence(SilenceFact::Broken);
        self.tell(turn, self.connections[place].socket, fact);
        Some(mute)
    }

    /// Keeps an answer for later if the device is muted. False if it is not, and the answer can be sent.
    pub(super) fn holds(&mut self, answer: Answer) -> bool {
        let place = self.active_place();
        let mute = place.and_then(|place| self.connections[place].mute.as_mut());
        match mute {
            Some(_) if answer.is_none() => true,
            Some(mute) => {
                mute.held.push(answer);
                true
            }
            None => false,
        }
    }
}
