//! Ends of connections on their way to the broker: what follows from one is counted from when it has
//! left the device's link.
//!
//! A device with a link has ended its connection long before the broker can know: the RST, the FIN or
//! the DISCONNECT waits for the latency, the bandwidth and the outages of the link like everything
//! else. The time in between is the scenario's.

use squall_fleet::{Departure, EndCause, Path, PeerClose, Way};
use squall_protocol::{Instant, ReasonCode};
use squall_scenario::{DropKind, Farewell, FaultId};

use super::Finding;
use super::connections::OpenConnection;
use crate::books::Ledger;
use crate::books::connections::ConnectionEnd;
use crate::books::event::Event;
use crate::books::retained::RetainedWill;
use crate::books::share::Notice;
use crate::books::wills::{Due, KnownWill, NEVER, WillCause, WillEnd};

/// The end of a connection, on its way to the broker.
#[derive(Clone, Debug)]
pub(crate) struct Departing {
    event: Event,
    connection: OpenConnection,
    cause: EndCause,
    /// The fault for which the broker had to end it, its device being muted.
    muted_by: Option<FaultId>,
    /// Whether a CONNECT with its Client Identifier has got to the broker before it.
    is_overtaken: bool,
    /// What the connection had announced, and what must become of it; `None` without a will.
    will: Option<(KnownWill, Due)>,
}

impl Departing {
    /// Whether the broker may have ended the connection by Keep Alive [MQTT-3.1.2-22] before it had the end, which left
    /// the link at `left_at`. The packet before that may be as old as one Keep Alive.
    fn may_have_timed_out(&self, left_at: Instant) -> bool {
        let keep_alive = self.connection.keep_alive;
        let held = left_at.saturating_since(self.event.now);
        !keep_alive.is_zero() && held >= keep_alive.mul_f64(0.4)
    }
}

impl Ledger {
    /// A connection ended: at once, or, if its device did it and has a link, once that has left it.
    pub(super) fn handle_departure(
        &mut self,
        event: &Event,
        connection: OpenConnection,
        end: &ConnectionEnd,
        findings: &mut Vec<Finding>,
    ) {
        let cause = end.cause;
        let is_on_link = connection.path == Path::OverLink && is_by_device(cause);
        let mut departing = Departing {
            event: *event,
            connection,
            cause,
            muted_by: end.muted_by,
            is_overtaken: false,
            will: None,
        };
        let (left_at, noticed_by) = if is_on_link {
            // The broker cannot know of it yet.
            (None, NEVER)
        } else {
            (Some(event.now), self.noticed_by(event.now, &departing))
        };
        departing.will = self.end_will(&departing, left_at, noticed_by, findings);
        if is_on_link {
            if let Some((_, due @ Due::MustNot)) = &mut departing.will {
                // Until it has left the link, Keep Alive may pass, or another connection take this one over.
                *due = Due::May;
                self.wills.set_due(event, Due::May);
            }
            self.departing.insert(event.socket, departing);
        } else {
            self.retain_will(event.now, &departing);
        }
    }

    /// The broker's close of a connection is at the device's machine: it has ended it, and published its
    /// will, although the device goes on until the close has crossed its link.
    pub(super) fn handle_close_arrived(
        &mut self,
        event: &Event,
        how: PeerClose,
        findings: &mut Vec<Finding>,
    ) {
        // It may have been there since the device stopped reading.
        let seen = &Event {
            arrived: self.stalls.earliest_arrival(event),
            ..*event
        };
        self.takeovers.handle_close_arrived(seen);
        if let Some(part) = self.links_at_end.get_mut(&event.socket) {
            part.note_closed();
        }
        if self.closed_at.is_some() {
            return;
        }
        if let Some(mut departing) = self.departing.remove(&event.socket) {
            // The device had ended it, and what its link still holds of that leaves it in vain.
            self.deliveries.handle_goodbye_cut_off(&departing.event);
            self.handle_end_left(event, &mut departing);
            self.retain_will(event.now, &departing);
        } else if let Some(&connection) = self.open.get(&event.socket) {
            self.deliveries
                .handle_end_left(event, event.now, Notice::Told);
            let cause = EndCause::PeerClosed(how);
            let mut departing = Departing {
                event: *event,
                connection,
                cause,
                muted_by: self.silences.end_by_mute(event, cause),
                is_overtaken: false,
                will: None,
            };
            let noticed_by = self.noticed_by(event.now, &departing);
            departing.will = self.end_will(&departing, Some(event.arrived), noticed_by, findings);
            self.retain_will(event.now, &departing);
        }
    }

    /// Something that a device did has left its link.
    pub(super) fn handle_left_link(&mut self, event: &Event, departure: Departure) {
        match departure {
            Departure::Connect => self.handle_connect_left(event),
            Departure::Messages(messages) => self.deliveries.handle_messages_left(event, messages),
            Departure::Answers(messages) => self.windows.handle_answers_left(event, messages),
            Departure::Asking(packets) => self.handshakes.handle_left(event, packets),
            Departure::BeforeMute => self.silences.handle_left(event),
            Departure::End => {
                self.silences.handle_left(event);
                self.provocations.handle_left(event);
                if let Some(mut departing) = self.departing.remove(&event.socket) {
                    self.handle_end_left(event, &mut departing);
                    self.retain_will(event.now, &departing);
                }
            }
        }
    }

    /// The run is about to end, and a link still holds something: what has not come because of that
    /// proves nothing.
    pub(super) fn handle_still_on_link(&mut self, event: &Event, way: Way) {
        self.on_link.insert(event.device);
        self.deliveries.handle_still_on_link(event, way);
        if way == Way::Up && self.windows.has_unacknowledged(event.socket) {
            // What the broker has for the device waits for the answers that the link holds.
            self.deliveries.handle_still_on_link(event, Way::Down);
        }
    }

    /// The books are about to be closed: what is still on a link leaves it now at the earliest, and
    /// nothing has followed from it.
    pub(in crate::books) fn close_departing(&mut self, now: Instant) {
        for mut departing in std::mem::take(&mut self.departing).into_values() {
            let event = Event {
                now,
                crossed: now,
                arrived: now,
                ..departing.event
            };
            self.handle_end_left(&event, &mut departing);
            if let Some((_, due @ Due::Must)) = &mut departing.will {
                *due = Due::May;
            }
            self.retain_will(now, &departing);
        }
    }

    /// A CONNECT has got to the broker: it takes over what is there with its Client Identifier.
    pub(super) fn overtake_departing(&mut self, event: &Event) {
        for departing in self.departing.values_mut() {
            let is_overtaken =
                departing.event.client == event.client && departing.event.socket != event.socket;
            if is_overtaken {
                self.deliveries.handle_goodbye_cut_off(&departing.event);
            }
            departing.is_overtaken |= is_overtaken;
        }
    }

    fn handle_connect_left(&mut self, event: &Event) {
        self.overtake_departing(event);
        self.silences.handle_connect_left(event);
        if let Some(connection) = self.open.get_mut(&event.socket) {
            connection.connect_left_at = Some(event.now);
            self.wills.handle_connect_sent(event);
            self.retained.handle_connect_sent(event.client);
            self.takeovers.handle_connect_sent(event, connection.sent);
        } else if let Some(departing) = self.departing.get(&event.socket) {
            // Its end follows it: the broker hears of both.
            let (sent, cause) = (departing.connection.sent, departing.cause);
            self.takeovers.handle_connect_sent(event, sent);
            self.takeovers.handle_ended(event, cause);
        }
    }

    fn handle_end_left(&mut self, event: &Event, departing: &mut Departing) {
        let is_polite = self
            .will_cause(departing.cause)
            .is_some_and(|(_, due)| due == Due::MustNot);
        let is_in_time =
            is_polite && !departing.is_overtaken && !departing.may_have_timed_out(event.now);
        if let Some((_, due)) = &mut departing.will
            && is_in_time
        {
            *due = Due::MustNot;
            self.wills.set_due(event, Due::MustNot);
        }
        let departing = &*departing;
        let noticed_by = self.noticed_by(event.now, departing);
        let published_by = self.roster.will_delay(event.group).after(noticed_by, NEVER);
        self.wills.handle_left(event, published_by);
        let notice = self.notice_of(departing.cause);
        self.deliveries.handle_end_left(event, noticed_by, notice);
    }

    /// Writes down what an end means for the will of its connection; `None` if it has none.
    fn end_will(
        &mut self,
        departing: &Departing,
        left_at: Option<Instant>,
        noticed_by: Instant,
        findings: &mut Vec<Finding>,
    ) -> Option<(KnownWill, Due)> {
        let Departing {
            event, connection, ..
        } = departing;
        let Some((cause, mut due)) = self.will_cause(departing.cause) else {
            self.wills.disarm(event.socket);
            return None;
        };
        let will = self.wills.will_of(event.socket)?;
        if departing.muted_by.is_some() {
            // As if the network had failed [MQTT-3.1.2-22].
            due = Due::Must;
        }
        if due == Due::Must && !connection.was_connected {
            // The broker may not have had the CONNECT.
            due = Due::May;
        }
        let delay = self.roster.will_delay(event.group);
        let end = WillEnd {
            fault: fault_of(departing.cause).or(departing.muted_by),
            cause,
            due,
            left_at,
            noticed_by: delay.after(noticed_by, NEVER),
            delay,
        };
        let shares = self.deliveries.certain_shares(&will.topic);
        let seen = self.wills.handle_ended(event, end, shares);
        findings.extend(seen.into_iter().map(Finding::Will));
        self.make_room_for_wills(event.now);
        Some((will, due))
    }

    /// The broker knows of an end now: what its will leaves retained.
    fn retain_will(&mut self, now: Instant, departing: &Departing) {
        let noticed_by = self.noticed_by(now, departing);
        let delay = self.roster.will_delay(departing.event.group);
        if let Some((will, due)) = &departing.will
            && will.retain
            && due.is_possible()
        {
            let retained = RetainedWill {
                topic: &will.topic,
                value: will.value,
                client: departing.event.client,
                socket: departing.event.socket,
                left_at: now,
                noticed_by: delay.after(noticed_by, NEVER),
                is_certain: *due == Due::Must,
                delay,
            };
            self.retained.handle_will(now, &retained);
        }
    }

    /// How reports call an end, and whether a will must follow; `None` if it says nothing of one.
    fn will_cause(&self, cause: EndCause) -> Option<(WillCause, Due)> {
        Some(match cause {
            EndCause::Dropped { fault } => {
                (WillCause::Dropped(self.roster.drop_kind(fault)?), Due::Must)
            }
            EndCause::Disconnected {
                reason: ReasonCode::DisconnectWithWillMessage,
                ..
            } => (WillCause::DisconnectedWithWill, Due::Must),
            EndCause::Disconnected { .. } => (WillCause::Disconnected, Due::MustNot),
            EndCause::WentAway(Farewell::Polite) => (WillCause::Disconnected, Due::MustNot),
            EndCause::WentAway(Farewell::Fin) => (WillCause::Dropped(DropKind::Fin), Due::Must),
            EndCause::WentAway(Farewell::Rst) => (WillCause::Dropped(DropKind::Rst), Due::Must),
            EndCause::Qos2Cut { .. } => (WillCause::Qos2Cut, Due::Must),
            EndCause::PeerClosed(_) | EndCause::ServerDisconnect(_) => {
                (WillCause::ClosedByBroker, Due::May)
            }
            EndCause::ProtocolError(_) | EndCause::TimedOut => (WillCause::GivenUp, Due::May),
            EndCause::Refused | EndCause::RunEnded => return None,
        })
    }

    fn noticed_by(&self, now: Instant, departing: &Departing) -> Instant {
        let keep_alive = departing.connection.keep_alive;
        self.end_noticed_by(now, departing.cause, keep_alive)
    }
}

/// The fault that ended a connection.
fn fault_of(cause: EndCause) -> Option<FaultId> {
    match cause {
        EndCause::Dropped { fault } | EndCause::Disconnected { fault, .. } => Some(fault),
        EndCause::WentAway(_)
        | EndCause::Qos2Cut { .. }
        | EndCause::PeerClosed(_)
        | EndCause::ServerDisconnect(_)
        | EndCause::ProtocolError(_)
        | EndCause::Refused
        | EndCause::TimedOut
        | EndCause::RunEnded => None,
    }
}

/// Whether the device ended the connection: then the broker hears of it once that has left the link.
fn is_by_device(cause: EndCause) -> bool {
    match cause {
        EndCause::Dropped { .. }
        | EndCause::Disconnected { .. }
        | EndCause::WentAway(_)
        | EndCause::Qos2Cut { .. }
        | EndCause::ProtocolError(_)
        | EndCause::Refused
        | EndCause::TimedOut
        | EndCause::RunEnded => true,
        EndCause::PeerClosed(_) | EndCause::ServerDisconnect(_) => false,
    }
}
