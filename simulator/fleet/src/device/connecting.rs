//! The life of a device's connections: asked for, active, displaced, ended, and come back from.

use squall_protocol::{
    Instant, QoS, ReasonCode, Version,
    packet::{Disconnect, DisconnectProperties, Packet, SubscribeProperties},
};
use squall_scenario::{FaultId, ReconnectWhen};

use super::connection::{Active, Connection, Opening, Role, Room, Up};
use super::profile::subscriptions;
use super::turn::Turn;
use super::{Device, Presence, Subscribed};
use crate::drive::{OpenError, PeerClose, SocketId, Teardown};
use crate::observation::{ConnectionFact, EndCause, Fact, Planned, SubscriptionFact};

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
    /// Asks for a transport.
    pub(super) fn open(&mut self, turn: &mut Turn<'_>, takeover: Option<FaultId>) {
        self.wake = None;
        let socket = self.next_socket();
        self.tell(turn, socket, Fact::Connection(ConnectionFact::OpenStarted));
        self.connections.push(Connection {
            socket,
            role: Role::Opening(Opening {
                since: turn.now,
                give_up: turn.now + self.profile.connect_timeout,
                takeover,
            }),
            room: Room::Left,
            lanes: self.link.as_ref().map(|_| Box::default()),
        });
        turn.shared.tally.connections += 1;
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
            subscribing_since: None,
        });
        let connect = self.profile.connect(self.index, &self.client_id);
        self.client.connect(turn.now, &connect);
        let socket = self.connections[place].socket;
        let fact = Fact::Connection(ConnectionFact::ConnectSent {
            clean_start: connect.clean_start,
            is_persistent: self.profile.is_persistent(),
            version: self.profile.version,
            keep_alive: self.profile.keep_alive,
            will: connect.will.as_ref(),
        });
        self.tell(turn, socket, fact);
        if let Some(fault) = takeover {
            self.note_applied(turn, socket, fault);
        }
        self.flush(turn);
    }

    /// Gives the client role's connection up to make room for another; it is read on.
    fn displace(&mut self, turn: &mut Turn<'_>, place: usize) {
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
            self.tell(
                turn,
                socket,
                Fact::Connection(ConnectionFact::OpenFailed(error)),
            );
            if let Some(fault) = takeover {
                turn.note_inapplicable(fault);
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
                self.send_control(turn, place, Up::Close(Teardown::Reset));
                self.handle_open_failed(turn, place, OpenError::TimedOut);
                // What has not crossed the link yet is closed when it has.
                self.connections[place].role = Role::Closing;
            }
        }
    }

    /// The peer closed.
    pub(super) fn handle_closed(&mut self, turn: &mut Turn<'_>, place: usize, how: PeerClose) {
        match self.connections[place].role {
            Role::Opening(_) => self.handle_open_failed(turn, place, OpenError::Other),
            Role::Active(_) => {
                self.end_active(turn, EndCause::PeerClosed(how), TransportEnd::ByPeer);
            }
            Role::Displaced(_) => {
                let socket = self.connections[place].socket;
                self.tell(
                    turn,
                    socket,
                    Fact::Connection(ConnectionFact::Ended(EndCause::PeerClosed(how))),
                );
                self.connections[place].role = Role::Done;
            }
            Role::Abandoned | Role::Closing | Role::Done => {
                self.connections[place].role = Role::Done;
            }
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
        self.flush(turn);
        let socket = self.connections[place].socket;
        self.tell(turn, socket, Fact::Connection(ConnectionFact::Ended(cause)));
        self.forget_connection(turn, place);
        self.client.connection_lost();
        self.end_transport(turn, place, transport);
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

    fn end_transport(&mut self, turn: &mut Turn<'_>, place: usize, transport: TransportEnd) {
        self.connections[place].role = match transport {
            TransportEnd::ByPeer => Role::Done,
            TransportEnd::LeftToBroker => Role::Abandoned,
            TransportEnd::Close(how) => {
                self.send_control(turn, place, Up::Close(how));
                match how {
                    Teardown::Fin | Teardown::Reset => Role::Closing,
                    // The broker closes, or never.
                    Teardown::HalfClose | Teardown::Silent => Role::Abandoned,
                }
            }
        };
    }

    /// The connection at `place` is no longer the client role's.
    fn forget_connection(&mut self, turn: &mut Turn<'_>, place: usize) {
        if let Role::Active(Active {
            is_online: true, ..
        }) = self.connections[place].role
            && self.is_of_the_scenario()
        {
            turn.shared.tally.online -= 1;
        }
        if let Some(faults) = &mut self.qos2_faults {
            faults.connection_lost();
        }
    }

    /// Plans the next connect, if the group's `reconnect` asks for one after such an end.
    fn come_back(&mut self, turn: &mut Turn<'_>, ending: Ending) {
        if self.presence == Presence::Leaving {
            return;
        }
        let reconnect = &self.profile.reconnect;
        let comes_back = match reconnect.when {
            ReconnectWhen::Never => false,
            ReconnectWhen::Unexpected => ending == Ending::Unexpected,
            ReconnectWhen::Always => true,
        };
        if comes_back {
            self.wake = Some(turn.now + reconnect.backoff.sample(&mut self.backoff));
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
        self.presence = Presence::Here;
        let opened_at = active.since;
        if self.is_of_the_scenario() {
            turn.shared.tally.online += 1;
        }
        let fact = Fact::Connection(ConnectionFact::Connected {
            session_present,
            opened_at,
        });
        self.tell(turn, socket, fact);
        if !session_present {
            self.subscribed = Subscribed::No;
        }
        // The Session may be another device's, or an earlier run's: Session Present says nothing
        // about the filters of a device that has not had a SUBACK yet.
        let is_owed = self.subscribed != Subscribed::Yes;
        if is_owed && !self.filters.is_empty() {
            self.subscribe(turn, place);
        } else {
            self.note_ready(turn);
        }
        self.send_queue(turn);
    }

    fn subscribe(&mut self, turn: &mut Turn<'_>, place: usize) {
        let wanted = subscriptions(&self.filters);
        let properties = SubscribeProperties::default();
        if self.client.subscribe(turn.now, properties, wanted).is_err() {
            // All identifiers are taken by what is in flight; the next connect asks again.
            return;
        }
        self.subscribed = Subscribed::Asked;
        let connection = &mut self.connections[place];
        if let Role::Active(active) = &mut connection.role {
            active.subscribing_since = Some(turn.now);
        }
        let filters = &self.filters;
        let fact = Fact::Subscription(SubscriptionFact::Sent { filters });
        self.who.tell(turn, connection.socket, fact);
    }

    /// SUBACK came.
    pub(super) fn handle_suback(&mut self, turn: &mut Turn<'_>, reasons: &[ReasonCode]) {
        let Some(place) = self.active_place() else {
            return;
        };
        let connection = &mut self.connections[place];
        let Role::Active(active) = &mut connection.role else {
            return;
        };
        let Some(sent_at) = active.subscribing_since.take() else {
            return;
        };
        self.subscribed = Subscribed::Yes;
        let filters = &self.filters;
        let fact = Fact::Subscription(SubscriptionFact::Answered {
            filters,
            reasons,
            sent_at,
        });
        self.who.tell(turn, connection.socket, fact);
        self.note_subscribed(turn, reasons);
        self.note_ready(turn);
    }

    fn note_ready(&mut self, turn: &mut Turn<'_>) {
        if !std::mem::replace(&mut self.was_ready, true) {
            turn.shared.tally.ready += 1;
        }
    }

    /// Ends a connection whose CONNACK, PINGRESP or SUBACK did not come; pings if it is time to.
    pub(super) fn handle_timeouts(&mut self, turn: &mut Turn<'_>) {
        let Some(place) = self.active_place() else {
            return;
        };
        let Role::Active(active) = &self.connections[place].role else {
            return;
        };
        let limit = self.profile.connect_timeout;
        let subscribing_since = active.subscribing_since;
        let is_suback_late = subscribing_since.is_some_and(|since| since + limit <= turn.now);
        let is_due = self.client.poll_timeout().is_some_and(|at| at <= turn.now);
        let timed_out = if is_due {
            self.client.handle_timeout(turn.now)
        } else {
            None
        };
        if timed_out.is_some() || is_suback_late {
            let transport = TransportEnd::Close(Teardown::Reset);
            self.end_active(turn, EndCause::TimedOut, transport);
        }
    }

    /// Bytes for a connection whose place another one took.
    pub(super) fn read_displaced(&mut self, turn: &mut Turn<'_>, place: usize, bytes: &[u8]) {
        let who = self.who;
        let connection = &mut self.connections[place];
        let socket = connection.socket;
        let Role::Displaced(displaced) = &mut connection.role else {
            return;
        };
        let mut input = bytes;
        let end = loop {
            match displaced.poll_packet(&mut input) {
                Ok(Some(Packet::Disconnect(Disconnect { reason, .. }))) => {
                    break Some(EndCause::ServerDisconnect(reason));
                }
                // Nobody acknowledges here: the broker sends the others to the new connection.
                Ok(Some(Packet::Publish(publish))) if publish.qos == QoS::AtMostOnce => {
                    turn.shared.tally.delivered += 1;
                    who.tell(turn, socket, Fact::delivered(&publish));
                }
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(error) => break Some(EndCause::ProtocolError(error.reason())),
            }
        };
        if let Some(cause) = end {
            who.tell(turn, socket, Fact::Connection(ConnectionFact::Ended(cause)));
            self.end_transport(turn, place, TransportEnd::Close(Teardown::Fin));
        }
    }

    /// The run is over: says goodbye, closes everything, comes back no more.
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
            match self.connections[place].role {
                Role::Displaced(_) => {
                    let socket = self.connections[place].socket;
                    self.tell(
                        turn,
                        socket,
                        Fact::Connection(ConnectionFact::Ended(EndCause::RunEnded)),
                    );
                }
                Role::Opening(_) | Role::Abandoned => {}
                Role::Active(_) | Role::Closing | Role::Done => continue,
            }
            self.end_transport(turn, place, TransportEnd::Close(Teardown::Reset));
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

    /// A fault did its work on this device.
    pub(super) fn note_applied(&self, turn: &mut Turn<'_>, socket: SocketId, fault: FaultId) {
        turn.shared.faults.note_applied(fault);
        self.tell(turn, socket, Fact::FaultApplied(fault));
    }
}

/// Ends as `reconnect.when` tells them apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    /// A `[[fault]]` asked for it.
    Asked,
    /// Anything else.
    Unexpected,
}

impl Ending {
    fn of(cause: EndCause) -> Self {
        match cause {
            EndCause::Dropped { .. } | EndCause::Disconnected { .. } | EndCause::RunEnded => {
                Self::Asked
            }
            EndCause::Refused
            | EndCause::Qos2Cut { .. }
            | EndCause::PeerClosed(_)
            | EndCause::ServerDisconnect(_)
            | EndCause::ProtocolError(_)
            | EndCause::TimedOut => Self::Unexpected,
        }
    }
}
