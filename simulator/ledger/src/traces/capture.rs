//! What the devices of one anomaly sent and got around one moment.

use std::collections::VecDeque;

use squall_fleet::{PacketSeen, PacketState, ShortTopic, Way};
use squall_protocol::packet::PacketType;
use squall_protocol::{Instant, PacketId};
use squall_run::{PacketDirection, PacketStamp, PacketTrace, TracedPacket, TracedState};
use squall_scenario::{DeviceId, Scenario};

use super::ring::Ring;
use crate::books::{Anomaly, Suspicion, client_id, reason_text};

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

    pub(super) fn of_suspicion(suspicion: &Suspicion) -> Self {
        Self {
            device: Some(suspicion.publisher),
            recipient: Some(suspicion.recipient),
            sequence: Some(suspicion.sequence),
            topic: suspicion.topic,
        }
    }

    /// The devices, each once.
    fn devices(&self) -> impl Iterator<Item = DeviceId> {
        let other = self.recipient.filter(|_| self.recipient != self.device);
        self.device.into_iter().chain(other)
    }

    /// Whether `packet` is a PUBLISH of the message.
    pub(super) fn is_of_message(&self, packet: &PacketSeen) -> bool {
        let (Some(device), Some(sequence)) = (self.device, self.sequence) else {
            return false;
        };
        packet.message == Some((device, sequence)) && packet.topic == self.topic
    }

    /// The first sending of the message, if that is kept and not far back among the packets of its publisher.
    pub(super) fn sending(&self, ring: &Ring, steps: &mut u32) -> Option<Sending> {
        let mut sending = None;
        for (number, packet) in ring.of_device(self.device?).take(WALKED) {
            *steps += 1;
            if packet.way == Way::Up && self.is_of_message(packet) {
                let is_first = !packet.flags.dup;
                sending = Some(Sending {
                    at: packet.at,
                    first: is_first.then_some(number),
                });
                if is_first {
                    break;
                }
            }
        }
        sending
    }
}

/// The sending of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending {
    pub(super) at: Instant,
    /// The number of its packet, if it surely is the first: no packet of the message comes before that.
    first: Option<u64>,
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
    pub(super) fn around(around: Instant, focus: Focus, ring: &Ring) -> Self {
        Self::of(focus, around, None, ring, &mut 0)
    }

    /// What `ring` has of the devices of `focus` around a sending.
    pub(super) fn at_sending(sending: Sending, focus: Focus, ring: &Ring, steps: &mut u32) -> Self {
        Self::of(focus, sending.at, sending.first, ring, steps)
    }

    fn of(focus: Focus, around: Instant, first: Option<u64>, ring: &Ring, steps: &mut u32) -> Self {
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
        let mut found = Found {
            first,
            ..Found::default()
        };
        let mut wanted = Vec::new();
        for device in focus.devices() {
            let after = found.look_through(device, &focus, around, ring);
            wanted.push((device, AFTER - after));
        }
        *steps += found.steps;
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

    /// Adds a packet of `device` that passes now if it is wanted; whether it was the last that was.
    pub(super) fn add_after(&mut self, device: DeviceId, packet: &PacketSeen) -> bool {
        let mut wanted = self.wanted.iter_mut();
        match wanted.find(|(of, left)| *of == device && *left > 0) {
            Some((_, left)) => {
                *left -= 1;
                self.packets.push(*packet);
                *left == 0
            }
            None => false,
        }
    }

    /// The devices whose packets are still wanted.
    pub(super) fn awaited(&self) -> impl Iterator<Item = DeviceId> {
        let wanted = self.wanted.iter().filter(|&&(_, left)| left > 0);
        wanted.map(|&(device, _)| device)
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
        // A device hands several packets over with one moment, and others pass meanwhile.
        let mut packets: Vec<&PacketSeen> = self.packets.iter().collect();
        packets.sort_by_key(|packet| packet.at);
        let packets = packets.into_iter();
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
    /// The packet before which none is of the message, if that is known.
    first: Option<u64>,
    /// Packets that were looked at.
    steps: u32,
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
            self.steps += 1;
            let is_before_all = self.first.is_some_and(|first| number < first);
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
            } else if focus.sequence.is_none() || is_before_all || beyond == WALKED {
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
