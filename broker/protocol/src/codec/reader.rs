//! Takes packets out of a byte stream that may be split anywhere.
//!
//! A packet that is whole in the input is decoded where it lies. Only the part of a packet whose
//! rest has not come is copied, to the reader's tail, which grows with the bytes that come and
//! never to more than the packet's length, or 32 bytes. It is freed with the next call after its
//! packet was handed out, so a reader between packets owns no memory.
//!
//! Invariant: packets and errors do not depend on how the stream was split.

use super::decode::{self, Polled};
use super::header::FixedHeader;
use super::rules::DecodeRules;
use crate::packet::{Packet, PacketType};
use crate::{ProtocolError, Version};

/// Room that the tail begins with, in bytes: a fixed header and most small packets fit.
const TAIL_BYTES_MIN: usize = 32;

/// Takes the packets of one direction of one Network Connection out of its bytes.
#[derive(Debug, Default)]
pub struct PacketReader {
    /// The beginning of a packet, or the whole packet if `is_handed_out`.
    tail: Vec<u8>,
    /// Whether the packet in `tail` was returned.
    is_handed_out: bool,
    connect: TakenConnect,
}

/// What the reader remembers of the CONNECT that it took.
#[derive(Clone, Copy, Debug, Default)]
enum TakenConnect {
    /// No CONNECT has come yet.
    #[default]
    None,
    /// The version it named, `None` for one that is not ours.
    Taken(Option<Version>),
}

impl PacketReader {
    /// A reader at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next packet from `input`, which is moved on; `None` if `input` is used up and
    /// the packet is not whole.
    ///
    /// Call it until it gives `None`: that call frees the memory of a packet that came in parts.
    /// Errors are final: what follows in the stream has no meaning, the connection must be
    /// closed.
    pub fn poll_packet<'p, 'i: 'p>(
        &'p mut self,
        input: &mut &'i [u8],
        rules: &DecodeRules,
    ) -> Result<Option<Packet<'p>>, ProtocolError> {
        if self.is_handed_out {
            self.tail = Vec::new();
            self.is_handed_out = false;
        }
        if self.tail.is_empty() {
            let bytes: &'i [u8] = input;
            if let Some(header) = FixedHeader::read(bytes, rules)?
                && let Some((packet, rest)) = bytes.split_at_checked(header.packet_bytes)
            {
                *input = rest;
                return decode_noting_connect(&mut self.connect, header, packet, rules);
            }
        }
        let Some(header) = self.join(input, rules)? else {
            return Ok(None);
        };
        if let Some(version) = rules.version
            && matches!(
                header.packet,
                PacketType::Subscribe | PacketType::Unsubscribe
            )
        {
            return decode::owned_request(header, std::mem::take(&mut self.tail), version);
        }
        self.is_handed_out = true;
        decode_noting_connect(&mut self.connect, header, &self.tail, rules)
    }

    /// Bytes of memory it holds for a packet that came in parts; 0 between packets.
    pub fn memory_bytes(&self) -> usize {
        self.tail.capacity()
    }

    /// The version that CONNECT named, also one that turned out wrong after it, so that the answer
    /// can be in that version. `None` without CONNECT or for an unknown version.
    pub fn connect_version(&self) -> Option<Version> {
        match self.connect {
            TakenConnect::None => None,
            TakenConnect::Taken(version) => version,
        }
    }

    /// Moves bytes of one packet from `input` to the tail; its header when it is whole there.
    fn join(
        &mut self,
        input: &mut &[u8],
        rules: &DecodeRules,
    ) -> Result<Option<FixedHeader>, ProtocolError> {
        loop {
            let header = FixedHeader::read(&self.tail, rules)?;
            // Without a header its next byte is taken: how many there will be is in that byte.
            let wanted = match header {
                Some(header) => header.packet_bytes,
                None => self.tail.len() + 1,
            };
            if self.tail.len() == wanted {
                return Ok(header);
            }
            let Some((part, rest)) = split_at_most(input, wanted - self.tail.len()) else {
                return Ok(None);
            };
            *input = rest;
            self.grow(part.len(), wanted);
            self.tail.extend_from_slice(part);
        }
    }

    /// Makes room for `more` bytes, doubling, but for no more than the `wanted` in all.
    fn grow(&mut self, more: usize, wanted: usize) {
        let needed = self.tail.len() + more;
        let capacity = self.tail.capacity();
        if needed > capacity {
            let grown = needed.max(capacity * 2).min(wanted).max(TAIL_BYTES_MIN);
            self.tail.reserve_exact(grown - self.tail.len());
        }
    }
}

/// The first `count` bytes of `bytes`, or all if there are fewer, and the rest; `None` if `bytes` is
/// empty.
fn split_at_most(bytes: &[u8], count: usize) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    Some(bytes.split_at(count.min(bytes.len())))
}

/// Decodes a packet. A second CONNECT is refused for being the second [MQTT-3.1.0-2], even if it is
/// malformed too: the Reason Codes of a wrong CONNECT may not stand in DISCONNECT [MQTT-3.14.2-1].
fn decode_noting_connect<'p>(
    connect: &mut TakenConnect,
    header: FixedHeader,
    packet: &'p [u8],
    rules: &DecodeRules,
) -> Polled<'p> {
    let body = &packet[header.header_bytes..];
    if header.packet == PacketType::Connect {
        match connect {
            TakenConnect::Taken(_) => return Err(ProtocolError::SecondConnect),
            TakenConnect::None => *connect = TakenConnect::Taken(decode::connect_version(body)),
        }
    }
    decode::packet(header, body, rules.version)
}
