//! How a device's connections end, and whether the device comes back.

use squall_protocol::{
    Instant, ReasonCode, Version,
    packet::{Disconnect, DisconnectProperties},
};
use squall_scenario::ReconnectWhen;

use super::connection::{Active, Role, Up};
use super::turn::{Stage, Turn};
use super::{Device, Presence};
use crate::drive::{OpenError, PeerClose, Teardown};
use crate::observation::{ConnectionFact, Departure, EndCause};

/// What becomes of the transport of an active connection that ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TransportEnd {
    /// The broker closed it.
    ByPeer,
    /// The device closes it.
    Close(Teardown),
    /// The device leaves it open: the broker has to close it.
    LeftToBroker,
}

impl Device {
    /// The broker closed the connection at `place`.
    pub(super) fn handle_closed(&mut self, turn: &mut Turn<'_>, place: usize, how: PeerClose) {
        match self.connections[place].role {
            Role::Opening(_) => {
                let error = match how {
                    PeerClose::Layer(fault) => OpenError::Layer(fault),
                    PeerClose::Fin | PeerClose::Reset => OpenError::Other,
                };
                self.handle_open_failed(turn, place, error);
            }
            Role::Active(_) => {
                self.end_active(turn, EndCause::PeerClosed(how), TransportEnd::ByPeer);
            }
            Role::Displaced(_) => {
                self.connections[place].role = Role::Done;
                self.tell_ended(turn, place, EndCause::PeerClosed(how));
            }
            Role::Abandoned | Role::Closing => {
                self.note_provoked_closed(turn, place);
                if self.connections[place].is_on_link() {
                    // The broker knows of the end, and what is still on the link never leaves it.
                    let socket = self.connections[place].socket;
                    let fact = ConnectionFact::LeftLink(Departure::End);
                    self.tell_connection(turn, socket, fact);
                }
                self.connections[place].role = Role::Done;
            }
            Role::Done => {}
        }
    }

    /// The active connection ends; nothing happens if there is none.
    pub(super) fn end_active(
        &mut self,
        turn: &mut Turn<'_>,
        cause: EndCause,
        transport: TransportEnd,
    ) {
        let Some(place) = self.active_place() else {
            return;
        };
        self.end_mute_by(turn, place, cause);
        self.contention = None;
        self.flush(turn);
        self.forget_connection(turn, place);
        self.client.connection_lost();
        self.end_transport(turn, place, transport);
        self.tell_ended(turn, place, cause);
        if !self.profile.is_persistent() {
            self.skip_queue(turn);
        }
        let is_replaced = self
            .connections
            .iter()
            .any(|connection| matches!(connection.role, Role::Opening(_)));
        if !is_replaced {
            self.come_back(turn, Ending::of(cause));
        }
    }

    /// Tells that the connection at `place` has ended.
    pub(super) fn tell_ended(&self, turn: &mut Turn<'_>, place: usize, cause: EndCause) {
        let socket = self.connections[place].socket;
        self.tell_connection(turn, socket, ConnectionFact::Ended(cause));
    }

    /// Does to the transport at `place` what its end asks for.
    pub(super) fn end_transport(
        &mut self,
        turn: &mut Turn<'_>,
        place: usize,
        transport: TransportEnd,
    ) {
        self.connections[place].role = match transport {
            TransportEnd::ByPeer => Role::Done,
            TransportEnd::LeftToBroker => {
                self.mark(turn, place, Departure::End);
                Role::Abandoned
            }
            TransportEnd::Close(how) => {
                self.send_control(turn, place, Up::Close(how));
                match how {
                    Teardown::Fin | Teardown::Abort | Teardown::Reset => Role::Closing,
                    // The broker has to close it, or nothing does.
                    Teardown::HalfClose | Teardown::Silent => Role::Abandoned,
                }
            }
        };
    }

    /// The connection at `place` is no longer the client role's.
    pub(super) fn forget_connection(&mut self, turn: &mut Turn<'_>, place: usize) {
        if let Role::Active(Active {
            is_online: true, ..
        }) = self.connections[place].role
            && self.is_of_the_scenario()
        {
            turn.shared.figures.online -= 1;
        }
        if let Some(faults) = &mut self.qos2_faults {
            faults.connection_lost();
        }
        if let Some(repeats) = &mut self.repeats {
            repeats.connection_lost();
        }
    }

    /// Plans the next connect, if the group's `reconnect` asks for one after such an end.
    pub(super) fn come_back(&mut self, turn: &mut Turn<'_>, ending: Ending) {
        if self.presence == Presence::Leaving || ending == Ending::Absence {
            return;
        }
        if self.is_to_be_away() {
            self.presence = Presence::Away;
            self.stay_away();
            return;
        }
        if self.flapping.is_some() && ending == Ending::Asked {
            // It comes back as it flaps.
            self.presence = Presence::Away;
            return;
        }
        let reconnect = &self.profile.reconnect;
        let comes_back = match reconnect.when {
            ReconnectWhen::Never => false,
            ReconnectWhen::Unexpected => ending == Ending::Unexpected,
            ReconnectWhen::Always => true,
        };
        if comes_back && turn.shared.stage == Stage::Whole {
            let wait = reconnect.backoff.sample(self.waits, &mut self.backoff);
            self.wake = Some(turn.now + wait);
            self.waits = self.waits.saturating_add(1);
            if ending == Ending::Asked {
                self.presence = Presence::Away;
            }
            return;
        }
        self.presence = Presence::Gone;
        if ending == Ending::Asked {
            // A device that was switched off has nothing to publish.
            self.end_load(turn.now);
        }
    }

    /// The run is over: sends DISCONNECT, closes everything and stays away.
    pub(crate) fn leave(&mut self, turn: &mut Turn<'_>) {
        self.presence = Presence::Leaving;
        self.wake = None;
        self.end_load(Instant::ZERO);
        self.skip_queue(turn);
        if self.active_place().is_some() {
            let goodbye = self.goodbye();
            let teardown = match self.client.disconnect(turn.now, &goodbye) {
                Ok(()) => {
                    let expiry = goodbye.properties.session_expiry_interval;
                    self.ended_session = expiry == Some(0);
                    Teardown::Fin
                }
                // CONNACK has not come, so a DISCONNECT would be a protocol error.
                Err(_) => Teardown::Reset,
            };
            self.end_active(turn, EndCause::RunEnded, TransportEnd::Close(teardown));
        }
        for place in 0..self.connections.len() {
            let is_displaced = match self.connections[place].role {
                Role::Displaced(_) => true,
                Role::Opening(_) | Role::Abandoned => false,
                Role::Active(_) | Role::Closing | Role::Done => continue,
            };
            self.end_transport(turn, place, TransportEnd::Close(Teardown::Reset));
            if is_displaced {
                self.tell_ended(turn, place, EndCause::RunEnded);
            }
        }
        self.settle(turn);
    }

    /// The DISCONNECT at the end of the run. In 5.0 the Session ends with it, unless a later run is
    /// to resume it: a broker that serves others too is left as it was found.
    fn goodbye(&self) -> Disconnect {
        let ends_session = self.profile.version == Version::V5 && self.profile.leaves_no_session();
        Disconnect {
            reason: ReasonCode::Success,
            properties: DisconnectProperties {
                session_expiry_interval: ends_session.then_some(0),
                ..DisconnectProperties::default()
            },
        }
    }
}

/// The kinds of ends that `reconnect.when` tells apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    /// A `[[fault]]` asked for it.
    Asked,
    /// Its group wants the device to be away: when it comes back is decided there.
    Absence,
    /// The end was not asked for by a fault.
    Unexpected,
}

impl Ending {
    fn of(cause: EndCause) -> Self {
        match cause {
            EndCause::Dropped { .. } | EndCause::Disconnected { .. } | EndCause::RunEnded => {
                Self::Asked
            }
            EndCause::WentAway(_) => Self::Absence,
            EndCause::Refused
            | EndCause::Qos2Cut { .. }
            | EndCause::PeerClosed(_)
            | EndCause::ServerDisconnect(_)
            | EndCause::ProtocolError(_)
            | EndCause::TimedOut => Self::Unexpected,
        }
    }
}
