//! QoS 2 exchanges, leg by leg, from the devices' side (§4.3.3).
//!
//! An exchange belongs to a device and a Packet Identifier and outlives connections, as long as the
//! device keeps the Session. Whose turn it is decides who is to blame if it is not finished: an answer that the device itself keeps
//! back is not the broker's fault.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use squall_fleet::{CutStep, ReceiverAnswer, ReceiverLeg, SenderLeg, Stamp};
use squall_protocol::{Instant, PacketId};
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, GroupId};

use super::anomalies::{Anomalies, Anomaly, Scope};
use super::event::Event;

/// Counts of all exchanges.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HandshakeCounts {
    /// Exchanges that devices began.
    pub sender_started: u64,
    /// Of those, finished.
    pub sender_completed: u64,
    /// Exchanges that the broker began.
    pub receiver_started: u64,
    /// Of those, finished.
    pub receiver_completed: u64,
    /// PUBLISH packets that devices sent again.
    pub dup_sent: u64,
    /// Of those, answered with PUBREC.
    pub dup_answered: u64,
    /// Of those, not answered though the connection was up to the end.
    pub dup_unanswered: u64,
    /// PUBLISH packets that came again after the PUBREL of their exchange.
    pub publish_after_pubrel: u64,
    /// Exchanges that were open at the end and the broker's turn.
    pub incomplete: u64,
    /// Exchanges that were open at the end, by side and last step.
    pub open: BTreeMap<&'static str, u64>,
    /// Connections cut on purpose, by the step after which.
    pub cuts: BTreeMap<&'static str, u64>,
    /// Answers kept back on purpose.
    pub withheld: BTreeMap<&'static str, u64>,
    /// Packets of each of the sender's legs.
    pub sender_legs: BTreeMap<SenderLeg, u64>,
    /// Packets of each of the receiver's legs.
    pub receiver_legs: BTreeMap<ReceiverLeg, u64>,
}

/// How long a part of an exchange took.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HandshakeTime {
    /// PUBLISH to PUBREC.
    Pubrec(Duration),
    /// PUBREC to PUBREL: the device's own time.
    Pubrel(Duration),
    /// PUBREL to PUBCOMP.
    Pubcomp(Duration),
    /// The broker's share of a whole exchange: the first and the last of these.
    Whole(Duration),
}

/// All exchanges of a run.
#[derive(Debug, Default)]
pub(crate) struct Handshakes {
    sending: HashMap<(DeviceId, PacketId), Sending>,
    receiving: HashMap<(DeviceId, PacketId), Receiving>,
    /// The exchange of each message that devices send.
    ids: HashMap<Stamp, PacketId>,
    counts: HandshakeCounts,
}

#[derive(Clone, Copy, Debug)]
struct Sending {
    stamp: Stamp,
    group: GroupId,
    /// First leg, or the leg that the device has done last.
    last: SenderLeg,
    published_at: Instant,
    pubrec_at: Instant,
    pubrel_at: Instant,
    /// Waited for the broker in the first leg.
    pubrec_took: Duration,
    /// A PUBLISH was sent again and not answered yet.
    awaits_dup_answer: bool,
}

#[derive(Clone, Copy, Debug)]
struct Receiving {
    group: GroupId,
    last: ReceiverLeg,
}

impl Handshakes {
    /// The counts so far.
    pub(crate) fn counts(&self) -> &HandshakeCounts {
        &self.counts
    }

    /// A leg of an exchange in which the device is the sender.
    pub(crate) fn handle_sender_leg(
        &mut self,
        event: &Event,
        (id, stamp): (PacketId, Stamp),
        leg: SenderLeg,
        times: &mut Vec<HandshakeTime>,
    ) {
        *self.counts.sender_legs.entry(leg).or_default() += 1;
        let key = (event.device, id);
        let now = event.now;
        match leg {
            SenderLeg::PublishSent => {
                self.counts.sender_started += 1;
                self.sending.insert(key, Sending::begin(event, stamp));
                self.ids.insert(stamp, id);
            }
            SenderLeg::PublishResent => {
                self.counts.dup_sent += 1;
                // A resend without a first sending: only after the account of it was given up.
                let exchange = self
                    .sending
                    .entry(key)
                    .or_insert_with(|| Sending::begin(event, stamp));
                exchange.last = leg;
                // The time between was the device's own: the broker's begins again.
                exchange.published_at = now;
                exchange.awaits_dup_answer = true;
            }
            SenderLeg::PubrecReceived => {
                let Some(exchange) = self.sending.get_mut(&key) else {
                    return;
                };
                if std::mem::take(&mut exchange.awaits_dup_answer) {
                    self.counts.dup_answered += 1;
                }
                if exchange.last >= SenderLeg::PubrecReceived {
                    return;
                }
                exchange.last = leg;
                exchange.pubrec_at = now;
                exchange.pubrec_took = now.saturating_since(exchange.published_at);
                times.push(HandshakeTime::Pubrec(exchange.pubrec_took));
            }
            SenderLeg::PubrelSent => {
                let Some(exchange) = self.sending.get_mut(&key) else {
                    return;
                };
                exchange.pubrel_at = now;
                if exchange.last < SenderLeg::PubrelSent {
                    times.push(HandshakeTime::Pubrel(
                        now.saturating_since(exchange.pubrec_at),
                    ));
                }
                exchange.last = leg;
            }
            SenderLeg::PubcompReceived => {
                let Some(exchange) = self.sending.remove(&key) else {
                    return;
                };
                self.ids.remove(&exchange.stamp);
                self.counts.sender_completed += 1;
                let pubcomp_took = now.saturating_since(exchange.pubrel_at);
                times.push(HandshakeTime::Pubcomp(pubcomp_took));
                times.push(HandshakeTime::Whole(exchange.pubrec_took + pubcomp_took));
            }
        }
    }

    /// The broker refused a message with its PUBREC: the exchange is finished [MQTT-4.3.3-4].
    pub(crate) fn handle_refused(&mut self, device: DeviceId, stamp: Stamp) {
        let Some(id) = self.ids.remove(&stamp) else {
            return;
        };
        if let Some(exchange) = self.sending.remove(&(device, id)) {
            self.counts.sender_completed += 1;
            if exchange.awaits_dup_answer {
                self.counts.dup_answered += 1;
            }
        }
    }

    /// A leg of an exchange in which the device is the receiver.
    pub(crate) fn handle_receiver_leg(
        &mut self,
        event: &Event,
        id: PacketId,
        leg: ReceiverLeg,
        anomalies: &mut Anomalies,
    ) {
        *self.counts.receiver_legs.entry(leg).or_default() += 1;
        let key = (event.device, id);
        match leg {
            ReceiverLeg::PublishReceived | ReceiverLeg::DuplicateReceived => {
                let last = self.receiving.get(&key).map(|exchange| exchange.last);
                if last == Some(ReceiverLeg::PubrelReceived) {
                    self.counts.publish_after_pubrel += 1;
                    anomalies.note(AnomalyKind::Qos2PublishAfterPubrel, || {
                        let explanation = format!(
                            "PUBLISH with packet identifier {id} came after its PUBREL and before its PUBCOMP [MQTT-4.3.3-6]"
                        );
                        anomaly(
                            (AnomalyKind::Qos2PublishAfterPubrel, event.now),
                            event.device,
                            event.group,
                            explanation,
                        )
                    });
                }
                if last.is_none() {
                    self.counts.receiver_started += 1;
                }
                self.receiving.insert(key, Receiving::at(event, leg));
            }
            ReceiverLeg::PubrecSent | ReceiverLeg::PubrelReceived => {
                self.receiving.insert(key, Receiving::at(event, leg));
            }
            ReceiverLeg::PubcompSent => {
                if self.receiving.remove(&key).is_some() {
                    self.counts.receiver_completed += 1;
                }
            }
        }
    }

    /// The device cut its connection on purpose.
    pub(crate) fn handle_cut(&mut self, step: CutStep) {
        let name = match step {
            CutStep::Publish => "publish",
            CutStep::Pubrec => "pubrec",
            CutStep::Pubrel => "pubrel",
            CutStep::Withheld => "withheld",
        };
        *self.counts.cuts.entry(name).or_default() += 1;
    }

    /// The device kept an answer back on purpose.
    pub(crate) fn handle_withheld(&mut self, answer: ReceiverAnswer) {
        let name = match answer {
            ReceiverAnswer::Pubrec => "pubrec",
            ReceiverAnswer::Pubcomp => "pubcomp",
        };
        *self.counts.withheld.entry(name).or_default() += 1;
    }

    /// A connection ended: what was sent again on it need not be answered any more.
    pub(crate) fn handle_ended(&mut self, device: DeviceId) {
        for (&(owner, _), exchange) in &mut self.sending {
            if owner == device {
                exchange.awaits_dup_answer = false;
            }
        }
    }

    /// The device has lost its Session, or another device had it since: it begins afresh.
    pub(crate) fn handle_session_over(&mut self, device: DeviceId) {
        self.sending.retain(|&(owner, _), _| owner != device);
        self.ids.retain(|stamp, _| stamp.device != device);
        self.receiving.retain(|&(owner, _), _| owner != device);
    }

    /// Ends the account: exchanges of Sessions that are connected and wait for the broker are
    /// incomplete.
    pub(crate) fn close(
        &mut self,
        now: Instant,
        is_online: impl Fn(DeviceId) -> bool,
        anomalies: &mut Anomalies,
    ) {
        let mut sending: Vec<_> = std::mem::take(&mut self.sending).into_iter().collect();
        sending.sort_by_key(|&(key, _)| key);
        for ((device, id), exchange) in sending {
            *self.counts.open.entry(exchange.state()).or_default() += 1;
            let is_online = is_online(device);
            if is_online && exchange.awaits_dup_answer {
                self.counts.dup_unanswered += 1;
                anomalies.note(AnomalyKind::Qos2DupUnanswered, || {
                    anomaly(
                        (AnomalyKind::Qos2DupUnanswered, now),
                        device,
                        exchange.group,
                        format!(
                            "PUBLISH with packet identifier {id} was sent again and never answered with PUBREC [MQTT-4.3.3-10]"
                        ),
                    )
                });
            }
            if is_online && exchange.is_brokers_turn() {
                let explanation = format!("packet identifier {id}: {} (§4.3.3)", exchange.state());
                self.note_incomplete((now, device, exchange.group), explanation, anomalies);
            }
        }
        let mut receiving: Vec<_> = std::mem::take(&mut self.receiving).into_iter().collect();
        receiving.sort_by_key(|&(key, _)| key);
        for ((device, id), exchange) in receiving {
            *self.counts.open.entry(exchange.state()).or_default() += 1;
            if is_online(device) && exchange.last == ReceiverLeg::PubrecSent {
                let explanation = format!("packet identifier {id}: {} (§4.3.3)", exchange.state());
                self.note_incomplete((now, device, exchange.group), explanation, anomalies);
            }
        }
    }

    fn note_incomplete(
        &mut self,
        (now, device, group): (Instant, DeviceId, GroupId),
        explanation: String,
        anomalies: &mut Anomalies,
    ) {
        self.counts.incomplete += 1;
        anomalies.note(AnomalyKind::Qos2Incomplete, || {
            anomaly(
                (AnomalyKind::Qos2Incomplete, now),
                device,
                group,
                explanation,
            )
        });
    }
}

impl Sending {
    fn begin(event: &Event, stamp: Stamp) -> Self {
        Self {
            stamp,
            group: event.group,
            last: SenderLeg::PublishSent,
            published_at: event.now,
            pubrec_at: event.now,
            pubrel_at: event.now,
            pubrec_took: Duration::ZERO,
            awaits_dup_answer: false,
        }
    }

    fn is_brokers_turn(&self) -> bool {
        self.last != SenderLeg::PubrecReceived
    }

    const fn state(&self) -> &'static str {
        match self.last {
            SenderLeg::PublishSent | SenderLeg::PublishResent => "sender awaits PUBREC",
            SenderLeg::PubrecReceived => "sender has not sent PUBREL",
            SenderLeg::PubrelSent | SenderLeg::PubcompReceived => "sender awaits PUBCOMP",
        }
    }
}

impl Receiving {
    fn at(event: &Event, last: ReceiverLeg) -> Self {
        Self {
            group: event.group,
            last,
        }
    }

    const fn state(&self) -> &'static str {
        match self.last {
            ReceiverLeg::PublishReceived | ReceiverLeg::DuplicateReceived => {
                "receiver has not sent PUBREC"
            }
            ReceiverLeg::PubrecSent => "receiver awaits PUBREL",
            ReceiverLeg::PubrelReceived | ReceiverLeg::PubcompSent => {
                "receiver has not sent PUBCOMP"
            }
        }
    }
}

fn anomaly(
    (kind, at): (AnomalyKind, Instant),
    device: DeviceId,
    group: GroupId,
    explanation: String,
) -> Anomaly {
    Anomaly {
        kind,
        at,
        device: Some(device),
        topic: None,
        sequence: None,
        explanation,
        scope: Scope {
            group: Some(group),
            ..Scope::default()
        },
    }
}
