//! How each fact finds its books, and what it tells the metrics.

mod connections;
mod departing;
mod generator;
mod messages;

use std::time::Duration;

use squall_fleet::{About, Fact, LegFact, Observation, ReceiverLeg, Stamp, SubscriptionFact};
use squall_protocol::{Instant, QoS, ReasonCode};

use super::Ledger;
use super::connections::{ErrorArea, reason_text};
use super::deliveries::{Acknowledged, FirstDelivery};
use super::event::Event;
use super::handshakes::HandshakeTime;
use super::responses::Answered;
use super::silences::Circumstances;
use super::takeovers::TakeoverTime;
use super::wills::WillSeen;

pub(crate) use connections::{OpenConnection, noticing_time};
pub(crate) use departing::Departing;

/// What a fact means for the metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Finding {
    /// A message reached a recipient for the first time.
    Delivered(FirstDelivery),
    /// A message without a stamp reached a recipient, the first time or again: of a stream with this QoS.
    Unstamped(QoS),
    /// The exchange of a message ended with success.
    Acknowledged {
        /// Identity of the message.
        stamp: Stamp,
        /// How far it had come; `None` if that is forgotten.
        message: Option<Acknowledged>,
    },
    /// A will reached a watcher for the first time.
    Will(WillSeen),
    /// A response reached the device that asked for the first time.
    Answered(Answered),
    /// The broker closed a displaced connection, so long after the CONNECT of the one that displaced it.
    Displaced(TakeoverTime),
    /// CONNACK came so long after CONNECT was sent: both ways of the link.
    RoundTrip(Duration),
    /// A device is connected again so long after its last connection ended.
    Reconnected(Duration),
    /// A part of a QoS 2 exchange is done.
    Handshake(HandshakeTime),
    /// A connection did not come about.
    NotConnected,
    /// Something else was refused or broken.
    Error,
}

impl Ledger {
    /// A device saw or did something. What it means for the metrics is added to `findings`.
    pub(crate) fn observe(
        &mut self,
        now: Instant,
        observation: &Observation<'_>,
        findings: &mut Vec<Finding>,
    ) {
        self.note_generator(now, observation);
        let About::Device {
            device,
            client,
            socket,
        } = observation.about
        else {
            self.handle_run_fact(now, &observation.fact);
            return;
        };
        // What happens to squall's own checkers is not part of the scenario.
        let Some(group) = self.roster.group_of(device) else {
            return;
        };
        let crossed = now - observation.waited.unwrap_or_default();
        let event = Event {
            now,
            crossed,
            arrived: crossed - observation.on_link,
            device,
            group,
            client,
            socket,
        };
        self.handle_fact(&event, &observation.fact, findings);
    }

    fn handle_run_fact(&mut self, now: Instant, fact: &Fact<'_>) {
        match fact {
            Fact::Retained(found) => self.retained.handle_checker(found),
            Fact::StoodStill { since, .. } => {
                self.standstill.note(*since, now);
                self.deliveries.handle_stood_still(*since, now);
                self.handshakes.handle_stood_still(*since, now);
            }
            Fact::Broker(fact) => {
                for times in self.broker_times_mut() {
                    times.handle(now, *fact);
                }
                self.wills.handle_broker(now, *fact);
            }
            Fact::Connection(_)
            | Fact::Subscription(_)
            | Fact::Publication(_)
            | Fact::Link(_)
            | Fact::Silence(_)
            | Fact::Exchange(_)
            | Fact::Leg(_)
            | Fact::Delivered(_)
            | Fact::Begun { .. }
            | Fact::Provocation(_)
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
            // A checker asks for the run, and the broker is no device's.
            Fact::Retained(_) | Fact::Broker(_) => {}
            Fact::Link(fact) => self.link_faults.handle(event, *fact),
            Fact::Silence(fact) => {
                let known = Circumstances {
                    is_on_link: self.roster.is_on_link(event.group),
                    is_muted: self.open.contains_key(&event.socket),
                    unread: self.stalls.unread(event),
                };
                self.silences.handle(event, *fact, known);
            }
            Fact::Provocation(fact) => {
                if self.closed_at.is_none() {
                    let unread = self.stalls.unread(event);
                    let unread = unread.filter(|&[_, until]| event.now <= until);
                    let event = Event {
                        arrived: self.stalls.earliest_arrival(event),
                        ..*event
                    };
                    let since = unread.map(|[since, _]| since);
                    self.provocations.handle(&event, *fact, since);
                }
            }
            Fact::Exchange(fact) => {
                if self.closed_at.is_none() {
                    self.responses.handle_exchange(event, fact);
                }
            }
        }
    }

    fn handle_subscription(
        &mut self,
        event: &Event,
        fact: &SubscriptionFact<'_>,
        findings: &mut Vec<Finding>,
    ) {
        match *fact {
            SubscriptionFact::Sent { wanted } => {
                self.deliveries.handle_subscribe_sent(event, wanted);
                if self.closed_at.is_none() {
                    self.unanswered.handle_subscribe_sent(event);
                    self.deliveries
                        .expect_replays(event, wanted, &self.retained);
                }
            }
            SubscriptionFact::UnsubscribeSent { wanted } => {
                self.deliveries.handle_unsubscribe_sent(event, wanted);
                if self.closed_at.is_none() {
                    self.unanswered.handle_unsubscribe_sent(event);
                }
            }
            SubscriptionFact::UnsubscribeAnswered { wanted, reasons } => {
                self.unanswered.handle_unsubscribed(event);
                self.deliveries.handle_unsubscribed(event, wanted, reasons);
                self.note_refused(event, reasons, findings);
            }
            SubscriptionFact::Answered {
                wanted, reasons, ..
            } => {
                self.unanswered.handle_subscribed(event);
                self.deliveries.handle_subscribed(event, wanted, reasons);
                self.deliveries.confirm_replays(event, wanted, reasons);
                self.note_refused(event, reasons, findings);
            }
        }
    }

    /// Counts the errors in a SUBACK or UNSUBACK.
    fn note_refused(&mut self, event: &Event, reasons: &[ReasonCode], findings: &mut Vec<Finding>) {
        for reason in reasons.iter().filter(|reason| reason.is_error()) {
            self.connections
                .note_error(event.now, ErrorArea::Subscribe, &reason_text(*reason));
            findings.push(Finding::Error);
        }
    }

    fn handle_leg(&mut self, event: &Event, fact: &LegFact<'_>, findings: &mut Vec<Finding>) {
        match *fact {
            LegFact::Sender {
                stamp,
                topic,
                id,
                leg,
            } => {
                self.deliveries
                    .handle_sender_leg(event, id, (stamp, topic), leg);
                let times = self.handshakes.handle_sender_leg(event, id, stamp, leg);
                findings.extend(times.into_iter().map(Finding::Handshake));
            }
            LegFact::Receiver { id, leg } => {
                self.handshakes.handle_receiver_leg(event, id, leg);
                self.deliveries.handle_receiver_leg(event, id, leg);
                match leg {
                    ReceiverLeg::PublishReceived
                    | ReceiverLeg::DuplicateReceived
                    | ReceiverLeg::PubrelReceived => self.windows.handle_qos2(event, id),
                    ReceiverLeg::PubcompSent => self.windows.handle_pubcomp(event.socket, id),
                    ReceiverLeg::PubrecSent => {}
                }
            }
            LegFact::PubrecAfterEnd { id } => {
                self.handshakes.handle_pubrec_after_end(event.device, id);
            }
            LegFact::Withheld { answer, .. } => self.handshakes.handle_withheld(answer),
        }
    }
}

/// Whether the broker has taken a message on. A PUBCOMP with 0x92 says that it had finished the
/// exchange before, and that its first PUBCOMP was lost with a connection (§3.7.2.1).
pub(crate) fn is_taken(reason: ReasonCode) -> bool {
    !reason.is_error() || reason == ReasonCode::PacketIdentifierNotFound
}
