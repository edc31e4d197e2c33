//! What facts of connections mean for the books.

use std::time::Duration;

use squall_fleet::{ConnectionFact, EndCause, LinkAtEnd, OpenError, Path};
use squall_protocol::{Instant, packet::Will};
use squall_scenario::{DropKind, Farewell, FaultId};

use super::Finding;
use crate::books::Ledger;
use crate::books::broker_times::EndOfConnection;
use crate::books::connections::ConnectionEnd;
use crate::books::deliveries::Ending;
use crate::books::event::Event;
use crate::books::of_link::{LinkPart, Patience, Progress, is_of_the_link};
use crate::books::share::Notice;
use crate::books::takeovers::{ConnectSent, Reading};
use crate::books::wills::NEVER;

/// Time within which a broker has surely noticed the end of a connection that the transport
/// tells it of, counted from when that has left the device's link.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

/// Time that a broker may take beyond 1.5 times Keep Alive.
const KEEP_ALIVE_SLACK: Duration = Duration::from_secs(2);

/// What the ledger keeps of an open connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenConnection {
    /// What its CONNECT says.
    pub(super) sent: ConnectSent,
    /// When its CONNECT had left the device's link; `None` while that holds it.
    pub(super) connect_left_at: Option<Instant>,
    /// How it gets to the broker.
    pub(super) path: Path,
    pub(super) keep_alive: Duration,
    /// Whether it had its CONNACK.
    pub(in crate::books) was_connected: bool,
    /// Whether its device sent something again on it, as MQTT 5.0 forbids [MQTT-4.4.0-1].
    pub(super) has_repeated: bool,
}

impl OpenConnection {
    /// How far its CONNECT had come when what `event` tells was at the device's machine.
    fn progress(&self, event: &Event) -> Progress {
        if self.was_connected {
            Progress::Connected
        } else if self.connect_left_at.is_some_and(|at| at < event.arrived) {
            Progress::AtBroker
        } else {
            Progress::OnLink
        }
    }
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
                self.handle_open_failed(event, error);
                findings.push(Finding::NotConnected);
            }
            ConnectionFact::ConnectSent {
                clean_start,
                version,
                keep_alive,
                will,
                path,
                ..
            } => {
                let sent = ConnectSent {
                    version,
                    clean_start,
                    session_expiry: self.roster.session_expiry(event.group),
                    handed_at: event.now,
                };
                let connection = OpenConnection {
                    sent,
                    connect_left_at: (path == Path::Direct).then_some(event.now),
                    path,
                    keep_alive,
                    was_connected: false,
                    has_repeated: false,
                };
                self.handle_connect_sent(event, connection, will);
            }
            ConnectionFact::Connected {
                session_present, ..
            } => self.handle_connected(event, session_present, findings),
            ConnectionFact::Refused(reason) => {
                match self.broker_times.cause_of_refusal(event.arrived, None) {
                    Some(fault) => self.connections.handle_no_broker(event, fault),
                    None => self.connections.handle_refused(event, reason),
                }
                findings.push(Finding::NotConnected);
            }
            ConnectionFact::Ended(cause) => self.handle_ended(event, cause, findings),
            ConnectionFact::LeftLink(departure) => self.handle_left_link(event, departure),
            ConnectionFact::CloseArrived(how) => {
                self.handle_close_arrived(event, how, findings);
            }
            ConnectionFact::LinkAtEnd(link) => self.note_link_at_end(event, link),
            ConnectionFact::ReadingStopped { fault, number } => {
                self.handle_reading_stopped(event, fault, number);
            }
            ConnectionFact::ReadingResumed { since } => self.handle_reading_resumed(event, since),
            ConnectionFact::QuotaExceeded { in_flight } => {
                let anomalies = &mut self.noticed_by_checks;
                self.quotas.note_exceeded(event, in_flight, anomalies);
            }
            ConnectionFact::StillOnLink(way) => self.handle_still_on_link(event, way),
        }
    }

    fn handle_reading_stopped(&mut self, event: &Event, fault: FaultId, number: u64) {
        self.stalls.handle_stopped(event, fault, number);
        self.deliveries.handle_reading_stopped(event);
        self.handshakes.handle_reading_stopped(event);
        self.provocations.handle_reading_stopped(event);
        self.takeovers.handle_reading(event, Reading::Stopped);
    }

    fn handle_reading_resumed(&mut self, event: &Event, since: Instant) {
        self.stalls.handle_resumed(event);
        self.provocations.handle_reading_resumed(event);
        self.takeovers.handle_reading(event, Reading::Resumed);
        self.deliveries.handle_reading_resumed(event, since);
        self.handshakes.handle_reading_resumed(event);
    }

    fn handle_open_failed(&mut self, event: &Event, error: OpenError) {
        let part = self.links_at_end.remove(&event.socket);
        let waited = (error == OpenError::TimedOut).then(|| self.roster.connect_timeout());
        let is_ours = error == OpenError::LocalLimit;
        let times = (!is_ours).then_some(&mut self.broker_times);
        match times.and_then(|times| times.cause_of_refusal(event.arrived, waited)) {
            Some(fault) => self.connections.handle_no_broker(event, fault),
            None => self.connections.handle_open_failed(event, error, part),
        }
    }

    fn note_link_at_end(&mut self, event: &Event, link: LinkAtEnd) {
        let part = LinkPart::new(link, event.arrived);
        self.links_at_end
            .entry(event.socket)
            .and_modify(|part| part.note_held(link))
            .or_insert(part);
    }

    fn handle_connect_sent(
        &mut self,
        event: &Event,
        connection: OpenConnection,
        will: Option<&Will>,
    ) {
        self.open.insert(event.socket, connection);
        if self.closed_at.is_none() {
            self.provocations.handle_connect_sent(event);
        }
        self.connections.handle_connect_sent(event);
        self.silences.handle_connect_sent(event.client);
        if let Some(will) = will {
            self.wills.arm(event, will);
            self.deliveries.know_topic(will.topic.as_str());
        }
        let sent = connection.sent;
        self.deliveries.handle_connect_sent(event, &sent);
        match connection.path {
            Path::Direct => {
                self.overtake_departing(event);
                self.wills.handle_connect_sent(event);
                self.retained.handle_connect_sent(event.client);
                self.takeovers.handle_connect_sent(event, sent);
            }
            Path::OverLink => self.windows.handle_connect_sent(event),
        }
    }

    fn handle_connected(
        &mut self,
        event: &Event,
        session_present: bool,
        findings: &mut Vec<Finding>,
    ) {
        if let Some(connection) = self.open.get_mut(&event.socket) {
            connection.was_connected = true;
            let handed_at = connection.sent.handed_at;
            if let Some(left_at) = connection.connect_left_at
                && self.link_faults.is_as_configured(event.device, handed_at)
            {
                let took = event.crossed.saturating_since(connection.sent.handed_at);
                let beyond = event.arrived.saturating_since(left_at);
                findings.push(Finding::RoundTrip(took.saturating_sub(beyond)));
            }
        }
        self.hand_exchanges_over(event, session_present);
        let expiry = self.roster.session_expiry(event.group);
        self.deliveries
            .handle_connected(event, session_present, expiry);
        self.wills.handle_connected(event);
        self.retained.handle_connected(event.client, event.now);
        let displaced = self.takeovers.handle_connected(event, session_present);
        findings.extend(displaced.into_iter().map(Finding::Displaced));
        let away = self.connections.handle_connected(event, session_present);
        findings.extend(away.map(Finding::Reconnected));
    }

    /// Which exchanges go on when CONNACK comes: those of the device if it has the Session that it had.
    fn hand_exchanges_over(&mut self, event: &Event, session_present: bool) {
        let holder = self.deliveries.holder(event.client);
        let before = holder.filter(|&holder| holder != event.device);
        if let Some(before) = before {
            self.handshakes.end_connection(before, event.now);
        }
        if holder != Some(event.device) || !session_present {
            self.handshakes.end_session(event.device, event.now);
        }
        self.handshakes.handle_connected(event);
    }

    fn handle_ended(&mut self, event: &Event, cause: EndCause, findings: &mut Vec<Finding>) {
        let part = self.links_at_end.remove(&event.socket);
        let Some(connection) = self.open.remove(&event.socket) else {
            return;
        };
        let unread = self.stalls.unread(event);
        let stalled_since = self.stalls.handle_ended(event, cause);
        // The close may have lain there for as long as its device did not read.
        let event = &Event {
            arrived: event.arrived.min(stalled_since.unwrap_or(event.arrived)),
            ..*event
        };
        let muted_by = self.silences.handle_ended(event, cause);
        self.end_windows(event, cause);
        let earliest = self.earliest_end(event, cause, part);
        self.takeovers.handle_session_left(event, earliest);
        let unread = unread.filter(|&[_, until]| event.now <= until);
        let seen = &Event {
            // A close that it did not read may have been there since.
            arrived: unread.map_or(event.arrived, |[since, _]| event.arrived.min(since)),
            ..*event
        };
        let by_fault = self.broker_fault_of(event, cause, &connection);
        // A connection that ends with the broker's process is displaced by none.
        let told = by_fault.map_or(cause, |fault| EndCause::Dropped { fault });
        let displacement = self.takeovers.handle_ended(seen, told);
        let took = displacement.took.filter(|_| stalled_since.is_none());
        findings.extend(took.map(Finding::Displaced));
        let end = ConnectionEnd {
            cause,
            was_connected: connection.was_connected,
            may_be_displaced: displacement.is_possible,
            is_of_link: self.is_of_the_link(event, cause, &connection, part),
            is_of_stall: stalled_since.is_some(),
            muted_by,
            is_of_repeat: connection.has_repeated,
            of_broker: by_fault,
            is_on_shared_broker: self.roster.history().has_other_clients(),
        };
        if end.may_be_by_another_client() {
            for book in self.anomalies_mut() {
                book.note_displaced(event.device);
            }
        }
        if self.connections.handle_ended(event, &end) {
            findings.push(Finding::NotConnected);
        }
        self.note_cause(cause, &connection, findings);
        if self.closed_at.is_some() {
            return;
        }
        if connection.was_connected {
            // A broker that a fault had away answers nothing.
            self.unanswered.handle_ended(event, told, connection.path);
        }
        let ending = Ending {
            // What is said to a connection that the broker has closed does not come to it.
            is_polite: is_polite(cause) && !part.is_some_and(|part| part.is_closed()),
            noticed_by: self.end_noticed_by(event.now, cause, connection.keep_alive),
            notice: self.notice_of(cause),
            earliest,
            is_unasked: end.is_unexpected(),
        };
        self.handle_departure(event, connection, &end, findings);
        self.leave_session(event, ending);
    }

    /// What is kept for a device whose connection ended.
    fn leave_session(&mut self, event: &Event, ending: Ending) {
        if ending.is_polite {
            self.retained.handle_left(event.socket);
        } else {
            self.retained.handle_lost(event.socket);
        }
        self.handshakes.handle_ended(event);
        self.deliveries.handle_ended(event, ending);
        let is_over = self.roster.session_expiry(event.group).is_zero();
        if is_over && !self.deliveries.is_online(event.client) {
            self.handshakes.end_session(event.device, event.now);
        }
    }

    /// What the cause of an end says of other things than the connection.
    fn note_cause(
        &mut self,
        cause: EndCause,
        connection: &OpenConnection,
        findings: &mut Vec<Finding>,
    ) {
        match cause {
            EndCause::ProtocolError(_) if connection.was_connected => findings.push(Finding::Error),
            EndCause::Qos2Cut { step } => self.handshakes.handle_cut(step),
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::WentAway(_)
            | EndCause::PeerClosed(_)
            | EndCause::ServerDisconnect(_)
            | EndCause::ProtocolError(_)
            | EndCause::Refused
            | EndCause::TimedOut
            | EndCause::RunEnded => {}
        }
    }

    /// What the broker had in flight on a connection that ended.
    fn end_windows(&mut self, event: &Event, cause: EndCause) {
        self.windows.handle_ended(event.socket);
        let anomalies = &mut self.noticed_by_checks;
        self.quotas.handle_ended(event, cause, anomalies);
    }

    /// The fault of the broker that explains the end of a connection.
    fn broker_fault_of(
        &mut self,
        event: &Event,
        cause: EndCause,
        connection: &OpenConnection,
    ) -> Option<FaultId> {
        self.broker_times.cause_of_end(&EndOfConnection {
            cause,
            handed_at: connection.sent.handed_at,
            arrived: event.arrived,
            was_connected: connection.was_connected,
            keep_alive: connection.keep_alive,
            answer_max: self.roster.connect_timeout(),
        })
    }

    /// Whether the link of a device explains the end of its connection.
    fn is_of_the_link(
        &self,
        event: &Event,
        cause: EndCause,
        connection: &OpenConnection,
        part: Option<LinkPart>,
    ) -> bool {
        let patience = Patience {
            keep_alive: connection.keep_alive,
            answer_max: self.roster.connect_timeout(),
        };
        connection.path == Path::OverLink
            && is_of_the_link(cause, connection.progress(event), part, patience)
    }

    /// When a connection had ended for the broker at the earliest. Its FIN may lie in the device's link for
    /// as long as that is out, and in the socket for as long as the generator stands still.
    fn earliest_end(&self, event: &Event, cause: EndCause, part: Option<LinkPart>) -> Instant {
        let by_broker = matches!(
            cause,
            EndCause::PeerClosed(_) | EndCause::ServerDisconnect(_)
        );
        let told_at = if by_broker { event.arrived } else { event.now };
        let told_at = part.map_or(told_at, |part| told_at.min(part.at()));
        let lay_since = self.standstill.lay_since(event.now);
        lay_since.map_or(told_at, |since| told_at.min(since))
    }

    /// When the broker has surely noticed an end that left the device's link at `now`.
    pub(super) fn end_noticed_by(
        &self,
        now: Instant,
        cause: EndCause,
        keep_alive: Duration,
    ) -> Instant {
        let silent = match self.notice_of(cause) {
            Notice::Told => None,
            Notice::Silence => Some(keep_alive),
        };
        noticing_time(silent).map_or(NEVER, |time| now + time)
    }

    /// By what the broker notices such an end.
    pub(super) fn notice_of(&self, cause: EndCause) -> Notice {
        let is_silent = matches!(cause, EndCause::Dropped { fault }
            if self.roster.drop_kind(fault) == Some(DropKind::Silent));
        if is_silent {
            Notice::Silence
        } else {
            Notice::Told
        }
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

/// Whether everything that was sent before has arrived.
fn is_polite(cause: EndCause) -> bool {
    match cause {
        EndCause::Disconnected { .. }
        | EndCause::WentAway(Farewell::Polite)
        | EndCause::RunEnded => true,
        EndCause::Dropped { .. }
        | EndCause::WentAway(Farewell::Fin | Farewell::Rst)
        | EndCause::Qos2Cut { .. }
        | EndCause::PeerClosed(_)
        | EndCause::ServerDisconnect(_)
        | EndCause::ProtocolError(_)
        | EndCause::Refused
        | EndCause::TimedOut => false,
    }
}
