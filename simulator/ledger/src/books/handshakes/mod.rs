//! QoS 2 exchanges, leg by leg, from the devices' side (§4.3.3).
//!
//! An exchange belongs to a device and a Packet Identifier and outlives connections, as long as the
//! device keeps the Session. Whose turn it is decides who is to blame if it is not finished: an answer that
//! the device itself keeps back is not the broker's fault.

mod open;
mod sending;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use squall_fleet::{CutStep, ReceiverAnswer, ReceiverLeg, RepeatedPacket, SenderLeg, Stamp};
use squall_protocol::{Instant, PacketId, QoS};
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, GroupId};

use self::open::Open;
use self::sending::{LateAnswers, Sending};
use super::anomalies::Anomalies;
use super::event::Event;
use super::memory::Memory;
use super::patience;
use super::unanswered::Pending;

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
    /// Exchanges that were open at the end and the broker's turn, for longer than it takes to go on with one.
    pub incomplete: u64,
    /// Further ones that it could go on with still.
    pub coming: u64,
    /// How much longer the run would have had to go on to tell what became of all of those.
    pub short_by: Duration,
    /// Exchanges that were open at the end, by side and last step.
    pub open: BTreeMap<&'static str, u64>,
    /// Packets that devices sent again on the same connection, by packet and QoS.
    pub repeated: BTreeMap<&'static str, u64>,
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
#[derive(Debug)]
pub(crate) struct Handshakes {
    devices: HashMap<DeviceId, Exchanges>,
    counts: HandshakeCounts,
    /// How long the broker took at most to go on with an exchange.
    slowest: Duration,
    anomalies: Anomalies,
}

/// The exchanges of one device: what ends its connection or its Session touches no other's.
#[derive(Debug, Default)]
struct Exchanges {
    sending: BTreeMap<PacketId, Sending>,
    receiving: BTreeMap<PacketId, Receiving>,
    /// The exchange of each message that the device sends.
    ids: HashMap<Stamp, PacketId>,
    /// Of exchanges that ended: answers to a PUBLISH that was sent again on this connection.
    late: BTreeMap<PacketId, LateAnswers>,
    /// When the latest PUBLISH was sent that was answered with PUBREC.
    answered_until: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Receiving {
    group: GroupId,
    since: Instant,
    last: ReceiverLeg,
}

impl Handshakes {
    /// Nothing was sent yet.
    pub(crate) fn new(memory: Memory) -> Self {
        Self {
            devices: HashMap::new(),
            counts: HandshakeCounts::default(),
            slowest: Duration::ZERO,
            anomalies: Anomalies::new(memory.anomalies_per_kind),
        }
    }

    /// The counts so far.
    pub(crate) fn counts(&self) -> &HandshakeCounts {
        &self.counts
    }

    /// What was wrong with exchanges.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// The same, to be told of the generator's hold-ups.
    pub(crate) fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// A leg of the exchange `id` in which the device sends the message of `stamp`.
    pub(crate) fn handle_sender_leg(
        &mut self,
        event: &Event,
        id: PacketId,
        stamp: Stamp,
        leg: SenderLeg,
    ) -> Vec<HandshakeTime> {
        *self.counts.sender_legs.entry(leg).or_default() += 1;
        let device = self.devices.entry(event.device).or_default();
        // With the links in it: `scenario_delays` of the run file tells their share.
        let now = event.crossed;
        match leg {
            SenderLeg::PublishSent => {
                self.counts.sender_started += 1;
                device.sending.insert(id, Sending::begin(event, stamp));
                // What was open of the exchange before cannot be told from this one's.
                device.late.remove(&id);
                device.ids.insert(stamp, id);
            }
            SenderLeg::PublishResent => {
                self.counts.dup_sent += 1;
                // A resend without a first sending: only after the account of it was given up.
                let exchange = device
                    .sending
                    .entry(id)
                    .or_insert_with(|| Sending::begin(event, stamp));
                exchange.note_resent(event.now);
            }
            SenderLeg::PubrecReceived => {
                let Some(exchange) = device.sending.get_mut(&id) else {
                    return Vec::new();
                };
                self.counts.dup_answered += u64::from(exchange.takes_for_repeat());
                if exchange.last >= SenderLeg::PubrecReceived {
                    return Vec::new();
                }
                exchange.last = leg;
                exchange.pubrec_at = now;
                device.answered_until = device.answered_until.max(exchange.published_at);
                exchange.pubrec_took = now.saturating_since(exchange.published_at);
                self.slowest = self.slowest.max(exchange.pubrec_took);
                return vec![HandshakeTime::Pubrec(exchange.pubrec_took)];
            }
            SenderLeg::PubrelSent => {
                let Some(exchange) = device.sending.get_mut(&id) else {
                    return Vec::new();
                };
                if exchange.note_pubrel(event.now) < SenderLeg::PubrelSent {
                    let took = event.now.saturating_since(exchange.pubrec_at);
                    return vec![HandshakeTime::Pubrel(took)];
                }
            }
            SenderLeg::PubcompReceived => {
                let Some(exchange) = device.sending.remove(&id) else {
                    return Vec::new();
                };
                device.ids.remove(&exchange.stamp);
                device
                    .late
                    .extend(exchange.late_answers().map(|late| (id, late)));
                self.counts.sender_completed += 1;
                let pubcomp_took = now.saturating_since(exchange.pubrel_at);
                self.slowest = self.slowest.max(pubcomp_took);
                return vec![
                    HandshakeTime::Pubcomp(pubcomp_took),
                    HandshakeTime::Whole(exchange.pubrec_took + pubcomp_took),
                ];
            }
        }
        Vec::new()
    }

    /// The broker refused a message with its PUBREC: the exchange is finished [MQTT-4.3.3-4].
    pub(crate) fn handle_refused(&mut self, device: DeviceId, stamp: Stamp) {
        let Some(device) = self.devices.get_mut(&device) else {
            return;
        };
        let id = device.ids.remove(&stamp);
        if let Some(exchange) = id.and_then(|id| device.sending.remove(&id)) {
            self.counts.sender_completed += 1;
            self.counts.dup_answered += exchange.awaited_repeats();
        }
    }

    /// PUBREC came for an exchange that has ended.
    pub(crate) fn handle_pubrec_after_end(&mut self, device: DeviceId, id: PacketId) {
        let device = self.devices.get_mut(&device);
        let late = device.and_then(|device| device.late.get_mut(&id));
        self.counts.dup_answered += late.map_or(0, LateAnswers::take);
    }

    /// A leg of an exchange in which the device is the receiver.
    pub(crate) fn handle_receiver_leg(&mut self, event: &Event, id: PacketId, leg: ReceiverLeg) {
        *self.counts.receiver_legs.entry(leg).or_default() += 1;
        let receiving = &mut self.devices.entry(event.device).or_default().receiving;
        match leg {
            ReceiverLeg::PublishReceived | ReceiverLeg::DuplicateReceived => {
                let last = receiving.get(&id).map(|exchange| exchange.last);
                if last == Some(ReceiverLeg::PubrelReceived) {
                    let kind = AnomalyKind::Qos2PublishAfterPubrel;
                    self.counts.publish_after_pubrel += 1;
                    self.anomalies.note(kind, event.subject(), || {
                        let explanation = format!(
                            "PUBLISH with packet identifier {id} came after its PUBREL and before its PUBCOMP [MQTT-4.3.3-6]"
                        );
                        event.anomaly(kind, explanation)
                    });
                }
                if last.is_none() {
                    self.counts.receiver_started += 1;
                }
                receiving.insert(id, Receiving::at(event, leg));
            }
            ReceiverLeg::PubrecSent => {
                receiving.insert(id, Receiving::at(event, leg));
            }
            ReceiverLeg::PubrelReceived => {
                // Of an exchange that has ended it comes again if the PUBCOMP was lost.
                if let Some(exchange) = receiving.get_mut(&id) {
                    if exchange.last == ReceiverLeg::PubrecSent {
                        let took = event.now.saturating_since(exchange.since);
                        self.slowest = self.slowest.max(took);
                    }
                    *exchange = Receiving::at(event, leg);
                }
            }
            ReceiverLeg::PubcompSent => {
                if receiving.remove(&id).is_some() {
                    self.counts.receiver_completed += 1;
                }
            }
        }
    }

    /// A device sent a packet again on the same connection.
    pub(crate) fn handle_repeated(&mut self, packet: RepeatedPacket, qos: QoS) {
        let name = match (packet, qos) {
            (RepeatedPacket::Publish, QoS::AtMostOnce | QoS::AtLeastOnce) => "PUBLISH at QoS 1",
            (RepeatedPacket::Publish, QoS::ExactlyOnce) => "PUBLISH at QoS 2",
            (RepeatedPacket::Pubrel, _) => "PUBREL",
        };
        *self.counts.repeated.entry(name).or_default() += 1;
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

    /// The device is connected again: from now on the broker can go on with what it had begun.
    pub(crate) fn handle_connected(&mut self, device: DeviceId, now: Instant) {
        if let Some(device) = self.devices.get_mut(&device) {
            for exchange in device.receiving.values_mut() {
                exchange.since = now;
            }
        }
    }

    /// A connection ended: what was sent again on it need not be answered.
    pub(crate) fn handle_ended(&mut self, device: DeviceId) {
        if let Some(device) = self.devices.get_mut(&device) {
            device.late.clear();
            for exchange in device.sending.values_mut() {
                exchange.connection_lost();
            }
        }
    }

    /// The device has lost its Session, or another device had it since: it begins afresh.
    pub(crate) fn handle_session_over(&mut self, device: DeviceId) {
        self.devices.remove(&device);
    }

    /// Exchanges of devices that are connected in which the broker is to answer the sender.
    pub(crate) fn pending(&self, is_online: impl Fn(DeviceId) -> bool) -> Vec<Pending> {
        let devices: BTreeMap<&DeviceId, &Exchanges> = self.devices.iter().collect();
        let online = devices
            .into_iter()
            .filter(|&(&device, _)| is_online(device));
        let pending = online.flat_map(|(&device, exchanges)| {
            let open = exchanges.sending.values().filter(|e| e.is_brokers_turn());
            open.map(move |exchange| exchange.pending(device, exchanges.answered_until))
        });
        pending.collect()
    }

    /// Ends the account: exchanges of Sessions that are connected and wait for the broker are
    /// incomplete, or could be gone on with still.
    pub(crate) fn close(&mut self, now: Instant, is_online: impl Fn(DeviceId) -> bool) {
        let devices: BTreeMap<DeviceId, Exchanges> = self.devices.drain().collect();
        let needed = patience::needed(self.slowest);
        for (&device, exchanges) in &devices {
            let is_online = is_online(device);
            for (&id, exchange) in &exchanges.sending {
                *self.counts.open.entry(exchange.state()).or_default() += 1;
                let open = Open {
                    since: exchange.asked_at(),
                    now,
                    device,
                    group: exchange.group,
                    id,
                };
                if is_online {
                    self.note_unanswered(&open, exchange.overdue_repeats(now, needed));
                }
                if is_online && exchange.is_brokers_turn() {
                    self.note_incomplete(&open, exchange.state());
                }
            }
        }
        for (&device, exchanges) in devices.iter().filter(|&(&device, _)| is_online(device)) {
            for (&id, late) in &exchanges.late {
                let open = Open {
                    since: late.since,
                    now,
                    device,
                    group: late.group,
                    id,
                };
                self.note_unanswered(&open, late.overdue(now, needed));
            }
        }
        for (&device, exchanges) in &devices {
            for (&id, exchange) in &exchanges.receiving {
                *self.counts.open.entry(exchange.state()).or_default() += 1;
                if is_online(device) && exchange.last == ReceiverLeg::PubrecSent {
                    let open = Open {
                        since: exchange.since,
                        now,
                        device,
                        group: exchange.group,
                        id,
                    };
                    self.note_incomplete(&open, exchange.state());
                }
            }
        }
    }

    /// So many repeats of the PUBLISH of one exchange were not answered.
    fn note_unanswered(&mut self, open: &Open, repeats: u64) {
        self.counts.dup_unanswered += repeats;
        for _ in 0..repeats {
            let kind = AnomalyKind::Qos2DupUnanswered;
            let what = "PUBLISH was sent again and never answered with PUBREC [MQTT-4.3.3-10]";
            self.anomalies
                .note(kind, open.noticed(), || open.anomaly(kind, what));
        }
    }

    fn note_incomplete(&mut self, open: &Open, state: &str) {
        let needed = patience::needed(self.slowest);
        if let Some(short_by) = patience::short_by(needed, open.since, open.now) {
            self.counts.coming += 1;
            self.counts.short_by = self.counts.short_by.max(short_by);
            return;
        }
        self.counts.incomplete += 1;
        self.anomalies
            .note(AnomalyKind::Qos2Incomplete, open.noticed(), || {
                open.anomaly(AnomalyKind::Qos2Incomplete, &format!("{state} (§4.3.3)"))
            });
    }
}

impl Receiving {
    fn at(event: &Event, last: ReceiverLeg) -> Self {
        Self {
            group: event.group,
            since: event.now,
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
