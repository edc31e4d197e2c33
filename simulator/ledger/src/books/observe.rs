//! How each fact finds its books, and what it tells the metrics.

use std::time::Duration;

use squall_fleet::{
    About, ConnectionFact, DeliveredFact, EndCause, Fact, LegFact, Observation, PublicationFact,
    Stamp, SubscriptionFact,
};
use squall_protocol::{Instant, QoS, ReasonCode, Version, packet::Will};
use squall_scenario::DropKind;

use super::Ledger;
use super::connections::{ConnectionEnd, ErrorArea, reason_text};
use super::deliveries::{Acknowledged, Delivery, Ending, FirstDelivery, Message, Origin};
use super::event::Event;
use super::handshakes::HandshakeTime;
use super::retained::RetainedPublish;
use super::roster::BrokerHistory;
use super::takeovers::ConnectSent;
use super::wills::{Due, Sighting, WillCause, WillDelivery, WillEnd, WillSeen};

/// Time within which a broker has surely noticed the end of a connection that the transport
/// tells it of, links included.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

/// Time that a broker may take beyond 1.5 times Keep Alive.
const KEEP_ALIVE_SLACK: Duration = Duration::from_secs(2);

/// What a fact means for the metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Finding {
    /// A message reached a recipient for the first time.
    Delivered(FirstDelivery),
    /// The exchange of a message ended with success.
    Acknowledged {
        /// The message.
        stamp: Stamp,
        /// How far it had come; `None` if that is forgotten.
        message: Option<Acknowledged>,
    },
    /// A will reached a watcher for the first time.
    Will(WillSeen),
    /// A displaced connection ended so long after the CONNECT of the one that displaced it was sent.
    Displaced(Duration),
    /// CONNACK came so long after CONNECT was sent: both ways of the link.
    RoundTrip(Duration),
    /// A device is connected again so long after its last connection ended.
    Reconnected(Duration),
    /// A part of a QoS 2 exchange is done.
    Handshake(HandshakeTime),
    /// Something was refused or broken.
    Error,
}

/// What the ledger keeps of an open connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenConnection {
    connect_sent_at: Instant,
    keep_alive: Duration,
    was_connected: bool,
}

impl Ledger {
    /// A device saw or did something. What it means for the metrics is added to `findings`.
    pub(crate) fn observe(
        &mut self,
        now: Instant,
        observation: &Observation<'_>,
        findings: &mut Vec<Finding>,
    ) {
        let About::Device {
            device,
            client,
            socket,
        } = observation.about
        else {
            self.handle_run_fact(&observation.fact);
            return;
        };
        // What squall's own checkers go through is no part of the scenario.
        let Some(group) = self.roster.group_of(device) else {
            return;
        };
        let event = Event {
            now,
            device,
            group,
            client,
            socket,
        };
        self.handle_fact(&event, &observation.fact, findings);
    }

    fn handle_run_fact(&mut self, fact: &Fact<'_>) {
        match fact {
            Fact::Retained(found) => self.retained.handle_checker(found),
            Fact::Connection(_)
            | Fact::Subscription(_)
            | Fact::Publication(_)
            | Fact::Leg(_)
            | Fact::Delivered(_)
            | Fact::Begun { .. }
            | Fact::StoodStill { .. }
            | Fact::FaultApplied(_) => {}
        }
    }

    fn handle_fact(&mut self, event: &Event, fact: &Fact<'_>, findings: &mut Vec<Finding>) {
        match fact {
            Fact::Connection(fact) => self.handle_connection(event, fact, findings),
            Fact::Subscription(fact) => self.handle_subscription(event, fact, findings),
            Fact::Publication(fact) => self.handle_publication(event, fact, findings),
            Fact::Leg(fact) => self.handle_leg(event, fact, findings),
            Fact::Delivered(delivered) => self.handle_delivered(event, delivered, findings),
            // What a fault does to a connection is told by its end.
            Fact::Begun { .. } | Fact::StoodStill { .. } | Fact::FaultApplied(_) => {}
            // A checker asks for the run.
            Fact::Retained(_) => {}
        }
    }

    fn handle_connection(
        &mut self,
        event: &Event,
        fact: &ConnectionFact<'_>,
        findings: &mut Vec<Finding>,
    ) {
        match *fact {
            ConnectionFact::OpenStarted => self.connections.handle_open_started(event),
            ConnectionFact::OpenFailed(error) => {
                self.connections
                    .handle_open_failed(event, error, &mut self.anomalies);
                findings.push(Finding::Error);
            }
            ConnectionFact::ConnectSent {
                clean_start,
                version,
                keep_alive,
                will,
                ..
            } => self.handle_connect_sent(event, (version, clean_start), keep_alive, will),
            ConnectionFact::Connected {
                session_present, ..
            } => self.handle_connected(event, session_present, findings),
            ConnectionFact::Refused(reason) => {
                self.connections
                    .handle_refused(event, reason, &mut self.anomalies);
                findings.push(Finding::Error);
            }
            ConnectionFact::Ended(cause) => self.handle_ended(event, cause, findings),
        }
    }

    fn handle_subscription(
        &mut self,
        event: &Event,
        fact: &SubscriptionFact<'_>,
        findings: &mut Vec<Finding>,
    ) {
        match *fact {
            SubscriptionFact::Sent { filters } => {
                self.deliveries.handle_subscribe_sent(event, filters);
            }
            SubscriptionFact::Answered {
                filters, reasons, ..
            } => {
                self.deliveries.handle_subscribed(event, filters, reasons);
                for reason in reasons.iter().filter(|reason| reason.is_error()) {
                    self.connections.note_error(
                        event.now,
                        ErrorArea::Subscribe,
                        &reason_text(*reason),
                    );
                    findings.push(Finding::Error);
                }
            }
        }
    }

    fn handle_leg(&mut self, event: &Event, fact: &LegFact<'_>, findings: &mut Vec<Finding>) {
        match *fact {
            LegFact::Sender { stamp, id, leg, .. } => {
                let mut times = Vec::new();
                self.handshakes
                    .handle_sender_leg(event, (id, stamp), leg, &mut times);
                findings.extend(times.into_iter().map(Finding::Handshake));
            }
            LegFact::Receiver { id, leg } => {
                self.handshakes
                    .handle_receiver_leg(event, id, leg, &mut self.anomalies);
            }
            LegFact::Withheld { answer, .. } => self.handshakes.handle_withheld(answer),
        }
    }

    fn handle_connect_sent(
        &mut self,
        event: &Event,
        (version, clean_start): (Version, bool),
        keep_alive: Duration,
        will: Option<&Will>,
    ) {
        let connection = OpenConnection {
            connect_sent_at: event.now,
            keep_alive,
            was_connected: false,
        };
        self.open.insert(event.socket, connection);
        if let Some(will) = will {
            self.wills.arm(event.socket, will);
            self.deliveries.know_topic(will.topic.as_str());
        }
        self.deliveries.handle_connect_sent(event, clean_start);
        if clean_start {
            self.wills.excuse_watcher(event.client);
        }
        let sent = ConnectSent {
            version,
            clean_start,
            session_expiry: self.roster.session_expiry(event.group),
        };
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
            let took = event.now.saturating_since(connection.connect_sent_at);
            findings.push(Finding::RoundTrip(took));
        }
        let has_moved = self.deliveries.holder(event.client) != Some(event.device);
        if has_moved || !session_present {
            self.handshakes.handle_session_over(event.device);
        }
        let expiry = self.roster.session_expiry(event.group);
        self.deliveries
            .handle_connected(event, session_present, expiry);
        let displaced =
            self.takeovers
                .handle_connected(event, session_present, &mut self.anomalies);
        findings.extend(displaced.into_iter().map(Finding::Displaced));
        let away = self.connections.handle_connected(event, session_present);
        findings.extend(away.map(Finding::Reconnected));
    }

    fn handle_ended(&mut self, event: &Event, cause: EndCause, findings: &mut Vec<Finding>) {
        let Some(connection) = self.open.remove(&event.socket) else {
            return;
        };
        let displacement = self
            .takeovers
            .handle_ended(event, cause, &mut self.anomalies);
        findings.extend(displacement.after.map(Finding::Displaced));
        let end = ConnectionEnd {
            cause,
            was_connected: connection.was_connected,
            may_be_displaced: displacement.is_possible,
        };
        self.connections
            .handle_ended(event, &end, &mut self.anomalies);
        match cause {
            EndCause::ProtocolError(_) => findings.push(Finding::Error),
            EndCause::Qos2Cut { step } => self.handshakes.handle_cut(step),
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::PeerClosed(_)
            | EndCause::ServerDisconnect(_)
            | EndCause::Refused
            | EndCause::TimedOut
            | EndCause::RunEnded => {}
        }
        if self.closed_at.is_some() {
            return;
        }
        let ending = Ending {
            is_polite: is_polite(cause),
            noticed_by: self.noticed_by(event.now, cause, connection.keep_alive),
        };
        self.handle_will_of(event, cause, &connection, ending.noticed_by);
        if !ending.is_polite {
            self.retained.handle_lost(event.socket);
        }
        self.handshakes.handle_ended(event.device);
        self.deliveries.handle_ended(event, ending);
        let is_over = self.roster.session_expiry(event.group).is_zero();
        if is_over && !self.deliveries.is_online(event.client) {
            self.handshakes.handle_session_over(event.device);
            self.wills.excuse_watcher(event.client);
        }
    }

    fn handle_will_of(
        &mut self,
        event: &Event,
        cause: EndCause,
        connection: &OpenConnection,
        noticed_by: Instant,
    ) {
        let Some((will_cause, due, fault)) = self.will_due(cause) else {
            self.wills.disarm(event.socket);
            return;
        };
        let Some(will) = self.wills.will_of(event.socket) else {
            return;
        };
        let due = match due {
            Due::Must if !connection.was_connected => Due::May,
            due => due,
        };
        if will.retain && due != Due::MustNot {
            self.retained.handle_will(
                (event.now, noticed_by),
                &will.topic,
                will.value,
                due == Due::Must,
            );
        }
        let watchers = self.deliveries.watchers(&will.topic, will.qos);
        let end = WillEnd {
            fault,
            cause: will_cause,
            due,
            noticed_by,
        };
        self.wills
            .handle_ended(event, end, watchers, &mut self.anomalies);
    }

    /// What an end means for the will; `None` for one that is no end of interest.
    fn will_due(
        &self,
        cause: EndCause,
    ) -> Option<(WillCause, Due, Option<squall_scenario::FaultId>)> {
        Some(match cause {
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
        })
    }

    /// When the broker has surely noticed an end.
    fn noticed_by(&self, now: Instant, cause: EndCause, keep_alive: Duration) -> Instant {
        let is_silent = matches!(cause, EndCause::Dropped { fault }
            if self.roster.drop_kind(fault) == Some(DropKind::Silent));
        if !is_silent {
            return now + NOTICED_WITHIN;
        }
        if keep_alive.is_zero() {
            return Instant::from_nanos(u64::MAX);
        }
        now + keep_alive * 3 / 2 + KEEP_ALIVE_SLACK
    }

    fn handle_publication(
        &mut self,
        event: &Event,
        fact: &PublicationFact<'_>,
        findings: &mut Vec<Finding>,
    ) {
        match *fact {
            PublicationFact::Due { qos, .. } => self.deliveries.handle_due(event, qos),
            PublicationFact::Sent {
                stamp,
                topic,
                qos,
                retain,
                payload,
                reached_at,
            } => {
                let message = Message {
                    stamp,
                    topic,
                    qos,
                    reached_at,
                };
                self.deliveries
                    .handle_published(event, &message, payload, &mut self.anomalies);
                if retain && self.closed_at.is_none() {
                    let publish = RetainedPublish {
                        topic,
                        payload,
                        stamp,
                        qos,
                        socket: event.socket,
                    };
                    self.retained.handle_published(event.now, &publish);
                }
            }
            PublicationFact::Skipped { stamp, topic, qos } => {
                let message = Message {
                    stamp,
                    topic,
                    qos,
                    reached_at: event.now,
                };
                self.deliveries.handle_skipped(event, &message);
            }
            PublicationFact::Acknowledged {
                stamp,
                topic,
                reason,
            } => self.handle_acknowledged(event, (stamp, topic), reason, findings),
        }
    }

    fn handle_acknowledged(
        &mut self,
        event: &Event,
        (stamp, topic): (Stamp, &str),
        reason: ReasonCode,
        findings: &mut Vec<Finding>,
    ) {
        let is_ok = is_taken(reason);
        let message = self
            .deliveries
            .handle_acknowledged(event, stamp, topic, is_ok);
        self.retained
            .handle_acknowledged(event.now, topic, stamp, is_ok);
        if !is_ok {
            self.handshakes.handle_refused(event.device, stamp);
            self.connections
                .note_error(event.now, ErrorArea::Publish, &reason_text(reason));
            findings.push(Finding::Error);
        } else {
            findings.push(Finding::Acknowledged { stamp, message });
        }
    }

    fn handle_delivered(
        &mut self,
        event: &Event,
        delivered: &DeliveredFact<'_>,
        findings: &mut Vec<Finding>,
    ) {
        let &DeliveredFact {
            topic,
            qos,
            dup,
            retain,
            payload,
            stamp,
            ..
        } = delivered;
        if self.handle_will_delivery(event, (topic, payload), (qos, dup, retain), findings) {
            return;
        }
        let may_be_foreign = self.roster.history() == BrokerHistory::Unknown;
        let origin = match retain {
            false => Origin::Live,
            true if may_be_foreign || self.retained.has_published(topic) => Origin::Store,
            true => Origin::EmptyStore,
        };
        let delivery = Delivery {
            topic,
            qos,
            origin,
            payload,
            stamp,
            may_be_foreign,
        };
        let first = self
            .deliveries
            .handle_delivered(event, &delivery, &mut self.anomalies);
        findings.extend(first.map(Finding::Delivered));
    }

    /// Whether a delivery is a will, which is accounted for apart.
    fn handle_will_delivery(
        &mut self,
        event: &Event,
        (topic, payload): (&str, &[u8]),
        (qos, dup, retain): (QoS, bool, bool),
        findings: &mut Vec<Finding>,
    ) -> bool {
        if !self.wills.knows(topic, payload) {
            return false;
        }
        // A will that no subscription asks for is misrouted as any other message.
        let Some((recipient, copies)) = self.deliveries.recipient_of(event, topic) else {
            return false;
        };
        let may_be_stored = |published_at| {
            self.deliveries
                .may_be_sent_from_store(event, topic, published_at)
        };
        let is_from_store = retain && self.wills.may_be_stored(topic, payload, may_be_stored);
        let sighting = Sighting {
            topic,
            payload,
            is_from_store,
            is_redelivery: Sighting::may_be_redelivery(dup, qos),
            recipient,
            copies,
        };
        if self.closed_at.is_some() {
            return true;
        }
        match self
            .wills
            .handle_delivered(event, &sighting, &mut self.anomalies)
        {
            WillDelivery::NoWill => return false,
            WillDelivery::Counted => {}
            WillDelivery::First(seen) => findings.push(Finding::Will(seen)),
        }
        true
    }
}

/// Whether the broker has taken a message on. A PUBCOMP with 0x92 says that it had finished the
/// exchange before, and that its first PUBCOMP was lost with a connection (§3.7.2.1).
pub(crate) fn is_taken(reason: ReasonCode) -> bool {
    !reason.is_error() || reason == ReasonCode::PacketIdentifierNotFound
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
