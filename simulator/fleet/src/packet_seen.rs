//! Packets as they pass a device: what is remembered of each, in a fixed size and without its bytes.
//!
//! What a device sends is told as its client role queued it, and what a fault sends, cut or spoiled, is read from the very
//! bytes that are handed over. What comes is told as the client role took it.

use squall_protocol::client::Event;
use squall_protocol::codec::PublishFlags;
use squall_protocol::packet::{Packet, PacketType, Publish};
use squall_protocol::{Instant, PacketId, ReasonCode};
use squall_scenario::DeviceId;

use crate::drive::SocketId;
use crate::observation::Way;
use crate::payload;
use crate::stamp::Stamp;

/// Bytes that are kept of the beginning of a Topic Name, and as many of its end.
const TOPIC_PART: usize = 16;

/// A control packet that a device sent or got.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PacketSeen {
    /// When the device handed it to its link or to the system, or when it was there for the device to read: after the
    /// link, and before it waited for the generator.
    pub at: Instant,
    /// The Network Connection.
    pub socket: SocketId,
    /// Which way it went.
    pub way: Way,
    /// What kind of packet it is; `None` for bytes that no packet begins with.
    pub packet: Option<PacketType>,
    /// Whether it is a packet at all.
    pub state: PacketState,
    /// Packet Identifier, if it has one.
    pub id: Option<PacketId>,
    /// QoS, DUP and RETAIN of a PUBLISH; all zero in other packets.
    pub flags: PublishFlags,
    /// Reason Code, of packets that have one: in SUBACK and UNSUBACK the first error, or else the first.
    pub reason: Option<ReasonCode>,
    /// Publisher and sequence number by the stamp of a PUBLISH, as its payload claims them.
    pub message: Option<(DeviceId, u32)>,
    /// Bytes of the payload of a PUBLISH.
    pub payload_bytes: u32,
    /// Topic Name of a PUBLISH, shortened, also where a Topic Alias stood for it.
    pub topic: ShortTopic,
}

/// Whether what passed is a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PacketState {
    /// It is.
    Whole,
    /// It breaks a rule of MQTT.
    Malformed,
    /// It breaks off.
    CutShort,
}

/// The beginning and the end of a Topic Name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ShortTopic {
    /// Of the whole name, in bytes.
    length: u16,
    /// Of the whole name: names that differ in the middle alone are told apart.
    hash: u16,
    first: [u8; TOPIC_PART],
    last: [u8; TOPIC_PART],
}

impl ShortTopic {
    /// The beginning and the end of `topic`.
    pub fn of(topic: &str) -> Self {
        let bytes = topic.as_bytes();
        let mut short = Self {
            length: u16::try_from(bytes.len()).unwrap_or(u16::MAX),
            hash: hash(bytes),
            ..Self::default()
        };
        let first = bytes.len().min(TOPIC_PART);
        short.first[..first].copy_from_slice(&bytes[..first]);
        let last = bytes.len().saturating_sub(TOPIC_PART).min(TOPIC_PART);
        short.last[..last].copy_from_slice(&bytes[bytes.len() - last..]);
        short
    }

    /// The name, with `…` for what is not kept; `None` if it is empty.
    pub fn text(&self) -> Option<String> {
        let length = usize::from(self.length);
        let first = &self.first[..length.min(TOPIC_PART)];
        let last = &self.last[..length.saturating_sub(TOPIC_PART).min(TOPIC_PART)];
        if length <= 2 * TOPIC_PART {
            let whole = [first, last].concat();
            return (length > 0).then(|| String::from_utf8_lossy(&whole).into_owned());
        }
        // A character that is cut in two is left out.
        let first = String::from_utf8_lossy(first);
        let last = String::from_utf8_lossy(last);
        let cut = char::REPLACEMENT_CHARACTER;
        Some(format!(
            "{}…{}",
            first.trim_end_matches(cut),
            last.trim_start_matches(cut)
        ))
    }
}

/// FNV-1a over eight bytes at a time, folded after each so that the upper ones count as much as the lower, and at the end.
fn hash(bytes: &[u8]) -> u16 {
    let step = |hash: u64, word: u64| {
        let hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01B3);
        hash ^ (hash >> 32)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|&word| u64::from_le_bytes(word));
    let rest = rest
        .iter()
        .fold(0, |word, &byte| word << 8 | u64::from(byte));
    let hash = step(words.fold(0xCBF2_9CE4_8422_2325, step), rest);
    (hash >> 16) as u16 ^ hash as u16
}

impl PacketSeen {
    /// A packet of which nothing but its kind is told.
    pub(crate) fn bare(place: Passing, packet: Option<PacketType>) -> Self {
        Self {
            at: place.at,
            socket: place.socket,
            way: place.way,
            packet,
            state: PacketState::Whole,
            id: None,
            flags: PublishFlags::default(),
            reason: None,
            message: None,
            payload_bytes: 0,
            topic: ShortTopic::default(),
        }
    }

    /// The device that sent or got it.
    pub fn device(&self) -> Option<DeviceId> {
        self.socket.device()
    }

    fn answering(self, id: PacketId, reason: ReasonCode) -> Self {
        Self {
            id: Some(id),
            reason: Some(reason),
            ..self
        }
    }

    fn publishing(self, publish: &Publish<'_>, stamp: Option<Stamp>) -> Self {
        Self {
            id: publish.packet_id,
            flags: PublishFlags {
                dup: publish.dup,
                qos: publish.qos,
                retain: publish.retain,
            },
            message: stamp.map(|stamp| (stamp.device, stamp.sequence)),
            payload_bytes: u32::try_from(publish.payload.len()).unwrap_or(u32::MAX),
            topic: ShortTopic::of(publish.topic.as_str()),
            ..self
        }
    }

    /// What is told of `packet`.
    pub(crate) fn of(place: Passing, packet: &Packet<'_>) -> Self {
        let bare = Self::bare(place, Some(packet.packet_type()));
        if let Packet::Publish(publish) = packet {
            return bare.publishing(publish, payload::stamp_of(publish));
        }
        let (id, reason) = id_and_reason(packet);
        Self { id, reason, ..bare }
    }

    /// What breaks the protocol: of which kind it was is not known.
    pub(crate) fn broken(place: Passing, reason: ReasonCode) -> Self {
        Self {
            state: PacketState::Malformed,
            ..Self::bare(place, None).because(reason)
        }
    }

    fn because(self, reason: ReasonCode) -> Self {
        Self {
            reason: Some(reason),
            ..self
        }
    }

    /// The packet that `event` tells of, with the stamp that a PUBLISH bears; `None` if none came.
    pub(crate) fn of_event<M>(
        place: Passing,
        event: &Event<'_, M>,
        stamp: Option<Stamp>,
    ) -> Option<Self> {
        let bare = |packet| Self::bare(place, Some(packet));
        Some(match event {
            Event::Connected(connack) | Event::Refused(connack) => {
                bare(PacketType::Connack).because(connack.reason)
            }
            Event::Puback { id, reason, .. } => bare(PacketType::Puback).answering(*id, *reason),
            Event::PubrecReceived { id, reason, .. } | Event::PubrecRefused { id, reason, .. } => {
                bare(PacketType::Pubrec).answering(*id, *reason)
            }
            Event::Pubcomp { id, reason, .. } => bare(PacketType::Pubcomp).answering(*id, *reason),
            Event::UnknownAnswer { answer, id } => Self {
                id: Some(*id),
                ..bare(*answer)
            },
            Event::Delivered(publish) | Event::Duplicate(publish) => {
                bare(PacketType::Publish).publishing(publish, stamp)
            }
            Event::PubrelReceived { id } => Self {
                id: Some(*id),
                ..bare(PacketType::Pubrel)
            },
            Event::Suback(answer) => {
                bare(PacketType::Suback).answering(answer.id, worst(&answer.reasons))
            }
            Event::Unsuback(answer) => {
                bare(PacketType::Unsuback).answering(answer.id, worst(&answer.reasons))
            }
            Event::Pingresp => bare(PacketType::Pingresp),
            Event::Auth(auth) => bare(PacketType::Auth).because(auth.reason),
            Event::ServerDisconnect(disconnect) => {
                bare(PacketType::Disconnect).because(disconnect.reason)
            }
            Event::ProtocolError(error) => Self::broken(place, error.reason()),
            Event::PublishResent { .. } | Event::PubrelResent { .. } | Event::Abandoned { .. } => {
                return None;
            }
        })
    }
}

/// When, where and which way a packet passes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passing {
    pub(crate) at: Instant,
    pub(crate) socket: SocketId,
    pub(crate) way: Way,
}

/// Packet Identifier and Reason Code of a packet, as far as it has them.
pub(crate) fn id_and_reason(packet: &Packet<'_>) -> (Option<PacketId>, Option<ReasonCode>) {
    match packet {
        Packet::Publish(publish) => (publish.packet_id, None),
        Packet::Puback(answer) => (Some(answer.id), Some(answer.reason)),
        Packet::Pubrec(answer) => (Some(answer.id), Some(answer.reason)),
        Packet::Pubrel(answer) => (Some(answer.id), Some(answer.reason)),
        Packet::Pubcomp(answer) => (Some(answer.id), Some(answer.reason)),
        Packet::Suback(answer) => (Some(answer.id), Some(worst(&answer.reasons))),
        Packet::Unsuback(answer) => (Some(answer.id), Some(worst(&answer.reasons))),
        Packet::Subscribe(request) => (Some(request.id), None),
        Packet::Unsubscribe(request) => (Some(request.id), None),
        Packet::Connack(connack) => (None, Some(connack.reason)),
        Packet::Disconnect(disconnect) => (None, Some(disconnect.reason)),
        Packet::Auth(auth) => (None, Some(auth.reason)),
        Packet::Connect(_) | Packet::Pingreq | Packet::Pingresp => (None, None),
    }
}

/// The first error, or else the first.
fn worst(reasons: &[ReasonCode]) -> ReasonCode {
    let error = reasons.iter().find(|reason| reason.is_error());
    error
        .or(reasons.first())
        .copied()
        .unwrap_or(ReasonCode::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that fits is whole, and of a longer one both ends are kept, without half a character.
    #[test]
    fn topics_are_shortened_in_the_middle() {
        let exact = "a".repeat(2 * TOPIC_PART);
        let long = format!("fleet/{}/{}/level", "x".repeat(9), "é".repeat(20));

        let others = ["room-017", "room-018"]
            .map(|room| ShortTopic::of(&format!("plant/building-one/{room}/sensors/temperature")));
        assert_eq!(others[0].text(), others[1].text());
        assert_ne!(others[0], others[1]);
        assert_eq!(ShortTopic::of("").text(), None);
        assert_eq!(ShortTopic::of("a/b").text().as_deref(), Some("a/b"));
        assert_eq!(ShortTopic::of(&exact).text(), Some(exact));
        assert_eq!(
            ShortTopic::of(&long).text().as_deref(),
            Some("fleet/xxxxxxxxx/…ééééé/level")
        );
    }

    /// Names that differ only where nothing is kept of them are told apart, nearly all of them.
    #[test]
    fn names_with_the_same_ends_differ() {
        let mut hashes: Vec<u16> = (0..1_000)
            .map(|room| format!("plant/building-one/room-{room:03}/sensors/temperature"))
            .map(|topic| ShortTopic::of(&topic).hash)
            .collect();
        hashes.sort_unstable();
        hashes.dedup();

        // Drawn at random, 8 of 1,000 would be the same as others.
        assert!(hashes.len() >= 980, "{}", hashes.len());
    }

    /// What is remembered of a packet fits one and a half cache lines: 65,536 of them are 5 MiB.
    #[test]
    fn a_packet_is_small() {
        assert!(size_of::<PacketSeen>() <= 80, "{}", size_of::<PacketSeen>());
    }
}
