//! What facts of connections mean for the books.

use std::time::Duration;

use squall_fleet::{ConnectionFact, EndCause};
use squall_protocol::{Instant, ReasonCode, packet::Will};
use squall_scenario::DropKind;

use super::Finding;
use crate::books::Ledger;
use crate::books::connections::ConnectionEnd;
use crate::books::deliveries::Ending;
use crate::books::event::Event;
use crate::books::retained::RetainedWill;
use crate::books::takeovers::ConnectSent;
use crate::books::wills::{Due, NEVER, WillCause, WillEnd};

/// Time within which a broker has surely noticed the end of a connection that the transport
/// tells it of, counted from when the end has left the device's link.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

/// Time that a broker may take beyond 1.5 times Keep Alive.
const KEEP_ALIVE_SLACK: Duration = Duration::from_secs(2);

/// What the ledger keeps of an open connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenConnection {
    connect_sent_at: Instant,
    keep_alive: Duration,
    was_connected: bool,
}

impl Ledger {
    pub(super) fn handle_connection(
        &mut self,
        event: &Event,
        fact: &ConnectionFact<'_>,
        findings: &mut Vec<Finding>,
    ) {
        match *fact {
            ConnectionFact::OpenStarted => self.connections.handle_open_started(event),
            ConnectionFact::OpenFailed(error) => {
                self.connections.handle_open_failed(event, error);
                findings.push(Finding::NotConnected);
            }
            ConnectionFact::ConnectSent {
                clean_start,
                version,
                keep_alive,
                will,
                ..
            } => {
                let sent = ConnectSent {
                    version,
                    clean_start,
                    session_expiry: self.roster.session_expiry(event.group),
                };
                self.handle_connect_sent(event, sent, keep_alive, will);
            }
            ConnectionFact::Connected {
                session_present, ..
            } => self.handle_connected(event, session_present, findings),
            ConnectionFact::Refused(reason) => {
                self.connections.handle_refused(event, reason);
                findings.push(Finding::NotConnected);
            }
            ConnectionFact::Ended { cause, left_at } => {
                self.handle_ended(event, cause, left_at, findings);
            }
        }
    }

    fn handle_connect_sent(
        &mut self,
        event: &Event,
        sent: ConnectSent,
        keep_alive: Duration,
        will: Option<&Will>,
    ) {
        let connection = OpenConnection {
            connect_sent_at: event.now,
            keep_alive,
            was_connected: false,
        };
        self.open.insert(event.socket, connection);
        self.connections.handle_connect_sent(event);
        if let Some(will) = will {
            self.wills.arm(event.socket, will);
            self.deliveries.know_topic(will.topic.as_str());
        }
        self.deliveries.handle_connect_sent(event, &sent);
        self.takeovers.handle_connect_sent(event, sent);
    }

    fn handle_connected(
        &mut self,
        event: &Event,
        session_present: bool,
        findings: &mut Vec<Finding>,
    ) {
        if let Some(connection) = self.open.get_mut(&event.socket) {
            connection.was_connected = true;
            let took = event.arrived.saturating_since(connection.connect_sent_at);
            findings.push(Finding::RoundTrip(took));
        }
        let has_moved = self.deliveries.holder(event.client) != Some(event.device);
        if has_moved || !session_present {
            self.handshakes.handle_session_over(event.device);
        }
        let expiry = self.roster.session_expiry(event.group);
        self.deliveries
            .handle_connected(event, session_present, expiry);
        let displaced = self.takeovers.handle_connected(event, session_present);
        findings.extend(displaced.into_iter().map(Finding::Displaced));
        let away = self.connections.handle_connected(event, session_present);
        findings.extend(away.map(Finding::Reconnected));
    }

    fn handle_ended(
        &mut self,
        event: &Event,
        cause: EndCause,
        left_at: Instant,
        findings: &mut Vec<Finding>,
    ) {
        let Some(connection) = self.open.remove(&event.socket) else {
            return;
        };
        let displacement = self.takeovers.handle_ended(event, cause);
        findings.extend(displacement.after.map(Finding::Displaced));
        let end = ConnectionEnd {
            cause,
            was_connected: connection.was_connected,
            may_be_displaced: displacement.is_possible,
        };
        if self.connections.handle_ended(event, &end) {
            findings.push(Finding::NotConnected);
        }
        match cause {
            EndCause::ProtocolError(_) if connection.was_connected => findings.push(Finding::Error),
            EndCause::Qos2Cut { step } => self.handshakes.handle_cut(step),
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::PeerClosed(_)
            | EndCause::ServerDisconnect(_)
            | EndCause::ProtocolError(_)
            | EndCause::Refused
            | EndCause::TimedOut
            | EndCause::RunEnded => {}
        }
        if self.closed_at.is_some() {
            return;
        }
        let noticed_by = self.noticed_by(left_at, cause, connection.keep_alive);
        let ending = Ending {
            is_polite: is_polite(cause),
            noticed_by,
        };
        let end = EndSeen {
            cause,
            left_at,
            noticed_by,
        };
        self.handle_will_of(event, &connection, end);
        if ending.is_polite {
            self.retained.handle_left(event.socket);
        } else {
            self.retained.handle_lost(event.socket);
        }
        self.handshakes.handle_ended(event.device);
        self.deliveries.handle_ended(event, ending);
        let is_over = self.roster.session_expiry(event.group).is_zero();
        if is_over && !self.deliveries.is_online(event.client) {
            self.handshakes.handle_session_over(event.device);
        }
    }

    fn handle_will_of(&mut self, event: &Event, connection: &OpenConnection, seen: EndSeen) {
        let Some(mut end) = self.will_end(seen) else {
            self.wills.disarm(event.socket);
            return;
        };
        let Some(will) = self.wills.will_of(event.socket) else {
            return;
        };
        if end.due == Due::Must && !connection.was_connected {
            // The broker may not have had the CONNECT.
            end.due = Due::May;
        }
        if will.retain && end.due != Due::MustNot {
            let retained = RetainedWill {
                topic: &will.topic,
                value: will.value,
                noticed_by: seen.noticed_by,
                is_certain: end.due == Due::Must,
            };
            self.retained.handle_will(event.now, &retained);
        }
        let shares = self.deliveries.certain_shares(&will.topic);
        self.wills.handle_ended(event, end, shares);
        self.make_room_for_wills(event.now);
    }

    /// What an end means for the will; `None` for one that has no will.
    fn will_end(&self, seen: EndSeen) -> Option<WillEnd> {
        let EndSeen {
            left_at,
            noticed_by,
            ..
        } = seen;
        let (cause, due, fault) = match seen.cause {
            EndCause::Dropped { fault } => {
                let kind = self.roster.drop_kind(fault)?;
                (WillCause::Dropped(kind), Due::Must, Some(fault))
            }
            EndCause::Disconnected { fault, reason } => {
                if reason == ReasonCode::DisconnectWithWillMessage {
                    (WillCause::DisconnectedWithWill, Due::Must, Some(fault))
                } else {
                    (WillCause::Disconnected, Due::MustNot, Some(fault))
                }
            }
            EndCause::Qos2Cut { .. } => (WillCause::Qos2Cut, Due::Must, None),
            EndCause::PeerClosed(_) | EndCause::ServerDisconnect(_) => {
                (WillCause::ClosedByBroker, Due::May, None)
            }
            EndCause::ProtocolError(_) | EndCause::TimedOut => (WillCause::GivenUp, Due::May, None),
            EndCause::Refused | EndCause::RunEnded => return None,
        };
        Some(WillEnd {
            fault,
            cause,
            due,
            left_at,
            noticed_by,
        })
    }

    /// When the broker has surely noticed an end that left the device's link at `now`.
    fn noticed_by(&self, now: Instant, cause: EndCause, keep_alive: Duration) -> Instant {
        let is_silent = matches!(cause, EndCause::Dropped { fault }
            if self.roster.drop_kind(fault) == Some(DropKind::Silent));
        noticing_time(is_silent.then_some(keep_alive)).map_or(NEVER, |time| now + time)
    }
}

/// The longest time in which a broker notices the end of a connection: one that the transport tells
/// it of, or one that was left `silent` and has this Keep Alive [MQTT-3.1.2-22]. `None` if it never
/// notices, because Keep Alive is off.
pub(crate) fn noticing_time(silent: Option<Duration>) -> Option<Duration> {
    match silent {
        None => Some(NOTICED_WITHIN),
        Some(Duration::ZERO) => None,
        Some(keep_alive) => Some(keep_alive * 3 / 2 + KEEP_ALIVE_SLACK),
    }
}

/// The end of a connection, as far as the broker can see it.
#[derive(Clone, Copy)]
struct EndSeen {
    cause: EndCause,
    /// When it left the device's link.
    left_at: Instant,
    /// When the broker has surely noticed.
    noticed_by: Instant,
}

/// Whether everything that was sent before has arrived.
fn is_polite(cause: EndCause) -> bool {
    match cause {
        EndCause::Disconnected { .. } | EndCause::RunEnded => true,
        EndCause::Dropped { .. }
        | EndCause::Qos2Cut { .. }
        | EndCause::PeerClosed(_)
        | EndCause::ServerDisconnect(_)
        | EndCause::ProtocolError(_)
        | EndCause::Refused
        | EndCause::TimedOut => false,
    }
}
