//! QoS 2 exchanges, leg by leg, from the devices' side (§4.3.3).
//!
//! An exchange belongs to a device and a Packet Identifier and outlives connections, as long as the
//! device keeps the Session. Whose turn it is decides who is to blame if it is not finished: an answer that
//! the device itself keeps back is not the broker's fault.

mod close;
mod counts;
mod open;
mod pace;
mod receiving;
mod sending;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use squall_fleet::{
    CutStep, ReceiverAnswer, ReceiverLeg, RepeatedPacket, SenderLeg, SocketId, Stamp,
};
use squall_protocol::{Instant, PacketId, QoS};
use squall_run::AnomalyKind;
use squall_scenario::DeviceId;

use self::open::Open;
use self::pace::Pace;
use self::receiving::Receiving;
use self::sending::{Asking, LateAnswers, Sending};
use super::anomalies::Anomalies;
use super::broker_times::BrokerTimes;
use super::event::Event;
use super::memory::Memory;
use super::roster::Roster;
use super::unanswered::Pending;

pub(crate) use self::close::AtEnd;
pub use self::counts::{HandshakeCounts, Unjudged};

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
    pace: Pace,
    /// What had waited for long when its connection or its Session ended.
    ended: Vec<Open>,
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
    /// What the device's link holds, in the order in which it was sent.
    held: VecDeque<(PacketId, Asking)>,
    /// The connection that packets were sent and received on last.
    socket: Option<SocketId>,
    /// When that was over; `None` while it is there.
    ended_at: Option<Instant>,
}

impl Handshakes {
    /// Nothing was sent yet.
    pub(crate) fn new(roster: &Roster, memory: Memory) -> Self {
        Self {
            devices: HashMap::new(),
            counts: HandshakeCounts::default(),
            pace: Pace::new(roster),
            ended: Vec::new(),
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

    /// When faults had the broker away.
    pub(crate) fn broker_times_mut(&mut self) -> &mut BrokerTimes {
        &mut self.pace.broker_times
    }

    /// The generator did nothing from `since` until `until`.
    pub(crate) fn handle_stood_still(&mut self, since: Instant, until: Instant) {
        self.pace.standstill.note(since, until);
    }

    /// The device stops reading.
    pub(crate) fn handle_reading_stopped(&mut self, event: &Event) {
        self.pace.stop_reading(event);
    }

    /// The device reads on.
    pub(crate) fn handle_reading_resumed(&mut self, event: &Event) {
        self.pace.read_on(event);
    }

    /// So many packets that ask the broker for something have left the device's link.
    pub(crate) fn handle_left(&mut self, event: &Event, packets: u32) {
        let exchanges = self.devices.get_mut(&event.device);
        // The mark of an earlier connection tells nothing of this one.
        if let Some(exchanges) = exchanges.filter(|it| it.socket == Some(event.socket)) {
            for _ in 0..packets {
                if let Some((id, what)) = exchanges.held.pop_front() {
                    exchanges.note_left(id, what, event.now);
                }
            }
        }
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
        let asked_at = self.pace.asked_at(event);
        let device = self.devices.entry(event.device).or_default();
        device.socket = Some(event.socket);
        match leg {
            SenderLeg::PublishSent => {
                self.counts.sender_started += 1;
                device
                    .sending
                    .insert(id, Sending::begin(event, stamp, asked_at));
                device.hold(id, Asking::Pubrec, asked_at);
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
                    .or_insert_with(|| Sending::begin(event, stamp, asked_at));
                let what = exchange.note_resent(event.now, asked_at);
                device.hold(id, what, asked_at);
            }
            SenderLeg::PubrecReceived => return self.note_pubrec(event, id),
            SenderLeg::PubrelSent => {
                device.hold(id, Asking::Pubcomp, asked_at);
                let Some(exchange) = device.sending.get_mut(&id) else {
                    return Vec::new();
                };
                let before = exchange.note_pubrel(event.now, asked_at);
                let took = event.now.saturating_since(exchange.pubrec_at);
                if before < SenderLeg::PubrelSent {
                    return vec![HandshakeTime::Pubrel(took)];
                }
            }
            SenderLeg::PubcompReceived => return self.note_pubcomp(event, id),
        }
        Vec::new()
    }

    fn note_pubrec(&mut self, event: &Event, id: PacketId) -> Vec<HandshakeTime> {
        let device = self.devices.entry(event.device).or_default();
        let Some(exchange) = device.sending.get_mut(&id) else {
            return Vec::new();
        };
        self.counts.dup_answered += u64::from(exchange.takes_for_repeat());
        if exchange.last >= SenderLeg::PubrecReceived {
            return Vec::new();
        }
        exchange.last = SenderLeg::PubrecReceived;
        // With the links in it: `scenario_delays` of the run file tells their share.
        exchange.pubrec_at = event.crossed;
        device.answered_until = device.answered_until.max(exchange.published_at);
        exchange.pubrec_took = event.crossed.saturating_since(exchange.published_at);
        self.pace.note(event, exchange.asked_at.take());
        vec![HandshakeTime::Pubrec(exchange.pubrec_took)]
    }

    fn note_pubcomp(&mut self, event: &Event, id: PacketId) -> Vec<HandshakeTime> {
        let device = self.devices.entry(event.device).or_default();
        let Some(exchange) = device.sending.remove(&id) else {
            return Vec::new();
        };
        device.ids.remove(&exchange.stamp);
        let late = exchange.late_answers();
        device.late.extend(late.map(|late| (id, late)));
        self.counts.sender_completed += 1;
        self.pace.note(event, exchange.asked_at);
        let pubcomp_took = event.crossed.saturating_since(exchange.pubrel_at);
        vec![
            HandshakeTime::Pubcomp(pubcomp_took),
            HandshakeTime::Whole(exchange.pubrec_took + pubcomp_took),
        ]
    }

    /// The broker refused a message with its PUBREC: the exchange is finished [MQTT-4.3.3-4].
    pub(crate) fn handle_refused(&mut self, device: DeviceId, stamp: Stamp) {
        let Some(device) = self.devices.get_mut(&device) else {
            return;
        };
        let id = device.ids.remove(&stamp);
        if let Some(exchange) = id.and_then(|id| device.sending.remove(&id)) {
            self.counts.sender_completed += 1;
            // One answer came, and each of the others is due still [MQTT-4.3.3-10].
            let late = exchange.late_answers();
            device.late.extend(id.into_iter().zip(late));
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
        let asked_at = self.pace.asked_at(event);
        let device = self.devices.entry(event.device).or_default();
        device.socket = Some(event.socket);
        let receiving = &mut device.receiving;
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
                receiving.insert(id, Receiving::at(event, leg, None));
            }
            ReceiverLeg::PubrecSent => {
                receiving.insert(id, Receiving::at(event, leg, asked_at));
                device.hold(id, Asking::Pubrel, asked_at);
            }
            ReceiverLeg::PubrelReceived => {
                // Of an exchange that has ended it comes again if the PUBCOMP was lost.
                if let Some(exchange) = receiving.get_mut(&id) {
                    if exchange.is_brokers_turn() {
                        self.pace.note(event, exchange.asked_at);
                    }
                    *exchange = Receiving::at(event, leg, None);
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
    pub(crate) fn handle_connected(&mut self, event: &Event) {
        self.end_connection(event.device, event.now);
        self.pace.forget_reading(event.device);
        if let Some(exchanges) = self.devices.get_mut(&event.device) {
            exchanges.socket = Some(event.socket);
            exchanges.ended_at = None;
            exchanges.held.clear();
            for exchange in exchanges.receiving.values_mut() {
                exchange.asked_at = Some(event.now);
            }
            for exchange in exchanges.sending.values_mut() {
                // The device has to send it again first.
                exchange.asked_at = None;
            }
        }
    }

    /// A connection ended: what was sent again on it need not be answered.
    pub(crate) fn handle_ended(&mut self, event: &Event) {
        let exchanges = self.devices.get(&event.device);
        if exchanges.is_some_and(|it| it.socket.is_none_or(|socket| socket == event.socket)) {
            self.end_connection(event.device, event.now);
        }
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
}

impl Exchanges {
    /// A packet is sent: the link holds it, unless the broker can answer it from `asked_at` on.
    fn hold(&mut self, id: PacketId, what: Asking, asked_at: Option<Instant>) {
        if asked_at.is_none() {
            self.held.push_back((id, what));
        }
    }

    /// A packet has left the link at `now`.
    fn note_left(&mut self, id: PacketId, what: Asking, now: Instant) {
        match what {
            Asking::Pubrec | Asking::PubrecAgain | Asking::Pubcomp => {
                if let Some(exchange) = self.sending.get_mut(&id) {
                    exchange.note_left(what, now);
                }
            }
            Asking::Pubrel => {
                let exchange = self.receiving.get_mut(&id);
                if let Some(exchange) = exchange.filter(|it| it.is_brokers_turn()) {
                    exchange.asked_at.get_or_insert(now);
                }
            }
        }
    }

    /// How each exchange is open.
    fn states(&self) -> impl Iterator<Item = &'static str> {
        let sending = self.sending.values().map(Sending::state);
        sending.chain(self.receiving.values().map(Receiving::state))
    }
}
