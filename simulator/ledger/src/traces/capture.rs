//! What the devices of one anomaly sent and got around one moment.

use std::collections::VecDeque;

use squall_fleet::{PacketSeen, PacketState, ShortTopic, Way};
use squall_protocol::packet::PacketType;
use squall_protocol::{Instant, PacketId};
use squall_run::{PacketDirection, PacketStamp, PacketTrace, TracedPacket, TracedState};
use squall_scenario::{DeviceId, Scenario};

use super::ring::Ring;
use crate::books::{Anomaly, client_id, reason_text};

/// Packets of each device before the moment.
const BEFORE: usize = 10;
/// Packets of each device after it.
const AFTER: usize = 6;
/// Packets of the message itself, wherever they are.
const OF_MESSAGE: usize = 8;
/// Packets of a device that are looked through for those of the message, beyond those before the moment.
const WALKED: usize = 4_096;

/// Whose packets are looked for, and which message's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Focus {
    pub(super) device: Option<DeviceId>,
    pub(super) recipient: Option<DeviceId>,
    pub(super) sequence: Option<u32>,
    pub(super) topic: ShortTopic,
}

impl Focus {
    pub(super) fn of(anomaly: &Anomaly) -> Self {
        Self {
            device: anomaly.device,
            recipient: anomaly.recipient,
            sequence: anomaly.sequence,
            topic: ShortTopic::of(anomaly.topic.as_deref().unwrap_or_default()),
        }
    }

    /// The devices, each once.
    fn devices(&self) -> impl Iterator<Item = DeviceId> {
        let other = self.recipient.filter(|_| self.recipient != self.device);
        self.device.into_iter().chain(other)
    }

    /// Whether `packet` is a PUBLISH of the message. What a device sends by a Topic Alias has no name here, and may be the message of
    /// that number in another of its topics.
    pub(super) fn is_of_message(&self, packet: &PacketSeen) -> bool {
        let (Some(device), Some(sequence)) = (self.device, self.sequence) else {
            return false;
        };
        packet.message == Some((device, sequence))
            && (packet.topic == self.topic
                || (packet.way == Way::Up && packet.topic == ShortTopic::default()))
    }

    /// When the message was first sent, if that is kept and not far back among the packets of its publisher.
    pub(super) fn sent_at(&self, ring: &Ring) -> Option<Instant> {
        let sent = ring
            .of_device(self.device?)
            .take(WALKED)
            .filter(|(_, packet)| packet.way == Way::Up && self.is_of_message(packet));
        sent.last().map(|(_, packet)| packet.at)
    }
}

/// The packets around one moment, as far as they were kept.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    focus: Focus,
    around: Instant,
    packets: Vec<PacketSeen>,
    /// Packets that are still to come, of each device.
    wanted: Vec<(DeviceId, usize)>,
    /// When the oldest packet passed that was kept, if one that belongs here may have been forgotten.
    kept_from: Option<Instant>,
}

impl Capture {
    /// What `ring` has of the devices of `focus` around a moment.
    pub(super) fn of(focus: Focus, around: Instant, ring: &Ring) -> Self {
        let kept_from = ring.kept_from();
        if kept_from.is_some_and(|from| from > around) {
            return Self {
                focus,
                around,
                packets: Vec::new(),
                wanted: Vec::new(),
                kept_from,
            };
        }
        let mut found = Found::default();
        let mut wanted = Vec::new();
        for device in focus.devices() {
            let after = found.look_through(device, &focus, around, ring);
            wanted.push((device, AFTER - after));
        }
        // Of one moment are what came and its answer.
        found
            .packets
            .sort_by_key(|(number, packet)| (packet.at, *number));
        Self {
            focus,
            around,
            packets: found.packets.iter().map(|(_, packet)| *packet).collect(),
            wanted,
            kept_from: kept_from.filter(|_| found.is_short),
        }
    }

    /// Adds a packet that passes now if it is wanted.
    pub(super) fn add_after(&mut self, packet: &PacketSeen) {
        let mut wanted = self.wanted.iter_mut();
        let of_device = wanted.find(|(device, _)| packet.device() == Some(*device));
        if let Some((_, left)) = of_device
            && *left > 0
        {
            *left -= 1;
            self.packets.push(*packet);
        }
    }

    /// Whether packets of its devices are still wanted.
    pub(super) fn is_waiting(&self) -> bool {
        self.wanted.iter().any(|&(_, left)| left > 0)
    }

    /// Whether a packet of the message is among them, or any if it is about none.
    pub(super) fn has_subject(&self) -> bool {
        let mut packets = self.packets.iter();
        match self.focus.sequence {
            Some(_) => packets.any(|packet| self.focus.is_of_message(packet)),
            None => !self.packets.is_empty(),
        }
    }

    /// As the run file has it.
    pub(super) fn in_run_file(&self, scenario: &Scenario) -> PacketTrace {
        let packets = self.packets.iter();
        PacketTrace {
            around_s: self.around.as_secs_f64(),
            kept_from_s: self.kept_from.map(|at| at.as_secs_f64()),
            packets: packets
                .filter_map(|packet| traced(packet, &self.focus, scenario))
                .collect(),
        }
    }
}

/// What a ring had of some devices.
#[derive(Debug, Default)]
struct Found {
    packets: Vec<(u64, PacketSeen)>,
    of_message: usize,
    /// Whether a device has fewer packets before the moment than are wanted.
    is_short: bool,
}

impl Found {
    /// Takes the packets of `device`, and returns how many of them came after the moment.
    fn look_through(
        &mut self,
        device: DeviceId,
        focus: &Focus,
        around: Instant,
        ring: &Ring,
    ) -> usize {
        let (mut before, mut beyond) = (0, 0);
        // From the newest on: of those after the moment the last ones that are met.
        let mut after = VecDeque::with_capacity(AFTER + 1);
        for (number, packet) in ring.of_device(device) {
            if focus.is_of_message(packet) && self.of_message < OF_MESSAGE {
                self.of_message += 1;
                self.packets.push((number, *packet));
            } else if packet.at > around {
                after.push_back((number, *packet));
                if after.len() > AFTER {
                    after.pop_front();
                }
            } else if before < BEFORE {
                before += 1;
                self.packets.push((number, *packet));
            } else if focus.sequence.is_none() || beyond == WALKED {
                break;
            } else {
                beyond += 1;
            }
        }
        self.is_short |= before < BEFORE;
        self.packets.extend(after.iter().rev());
        after.len()
    }
}

/// `None` for a packet that is not of a device of the scenario.
fn traced(packet: &PacketSeen, focus: &Focus, scenario: &Scenario) -> Option<TracedPacket> {
    let is_of_scenario = |device: &DeviceId| device.0 < scenario.device_count();
    let device = packet.device().filter(is_of_scenario)?;
    let is_publish = packet.packet == Some(PacketType::Publish);
    let message = packet.message.filter(|(device, _)| is_of_scenario(device));
    Some(TracedPacket {
        at_s: packet.at.as_secs_f64(),
        client_id: client_id(scenario, device),
        connection: packet.socket.attempt(),
        direction: match packet.way {
            Way::Up => PacketDirection::ToBroker,
            Way::Down => PacketDirection::FromBroker,
        },
        packet: packet.packet.map(|packet| packet.name().to_owned()),
        state: match packet.state {
            PacketState::Whole => TracedState::Whole,
            PacketState::Malformed => TracedState::Malformed,
            PacketState::CutShort => TracedState::CutShort,
        },
        packet_id: packet.id.map(PacketId::get),
        qos: is_publish.then_some(packet.flags.qos as u8),
        dup: packet.flags.dup,
        retain: packet.flags.retain,
        topic: packet.topic.text(),
        message: message.map(|(device, sequence)| PacketStamp {
            client_id: client_id(scenario, device),
            sequence: u64::from(sequence),
        }),
        reason: packet.reason.map(reason_text),
        payload_bytes: is_publish.then_some(u64::from(packet.payload_bytes)),
        is_of_message: focus.is_of_message(packet),
    })
}
