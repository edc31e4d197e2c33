//! The fixed header (§2.1): packet type, flags and Remaining Length.
//!
//! A mistake is reported at the byte that shows it, so that the answer does not depend on how many
//! bytes came at once.

use super::rules::{DecodeRules, VARIABLE_BYTE_INTEGER_MAX};
use crate::packet::PacketType;
use crate::{ProtocolError, QoS, Version};

/// Most bytes of a variable byte integer (§1.5.5).
const VARIABLE_BYTE_INTEGER_BYTES_MAX: usize = 4;

/// A fixed header that was accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FixedHeader {
    pub(super) packet: PacketType,
    /// DUP, QoS and RETAIN of a PUBLISH.
    pub(super) flags: u8,
    /// Bytes of the header itself, 2 to 5.
    pub(super) header_bytes: usize,
    /// Bytes of the whole packet.
    pub(super) packet_bytes: usize,
}

impl FixedHeader {
    /// Reads the header that `bytes` begin with; `None` if it is not there as a whole.
    #[inline]
    pub(super) fn read(bytes: &[u8], rules: &DecodeRules) -> Result<Option<Self>, ProtocolError> {
        let Some((&first, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let packet = check_first_byte(first, rules)?;
        let Some((remaining_length, length_bytes)) = read_variable_byte_integer(rest)? else {
            return Ok(None);
        };
        // At most 268,435,455 + 5: the sum fits.
        let packet_bytes = 1 + length_bytes as u32 + remaining_length;
        if packet_bytes > rules.maximum_packet_size {
            return Err(ProtocolError::PacketTooLarge {
                packet,
                bytes: packet_bytes,
                limit: rules.maximum_packet_size,
            });
        }
        Ok(Some(Self {
            packet,
            flags: first & 0x0F,
            header_bytes: 1 + length_bytes,
            packet_bytes: packet_bytes as usize,
        }))
    }
}

/// Packet type and flags (§2.1.2, §2.1.3), as far as they can be judged on their own.
#[inline]
fn check_first_byte(first: u8, rules: &DecodeRules) -> Result<PacketType, ProtocolError> {
    let bits = first >> 4;
    let Some(packet) = PacketType::from_bits(bits) else {
        return Err(ProtocolError::ReservedPacketType { bits });
    };
    if packet != PacketType::Connect {
        match rules.version {
            None => return Err(ProtocolError::ConnectExpected { packet }),
            Some(Version::V3_1_1) if packet == PacketType::Auth => {
                return Err(ProtocolError::ReservedPacketType { bits });
            }
            Some(Version::V3_1_1 | Version::V5) => {}
        }
    }
    let flags = first & 0x0F;
    if packet == PacketType::Publish {
        return match QoS::from_bits((flags >> 1) & 0b11) {
            None => Err(ProtocolError::QoS3 { packet }),
            Some(QoS::AtMostOnce) if flags & 0b1000 != 0 => Err(ProtocolError::DupWithQoS0),
            Some(QoS::AtMostOnce | QoS::AtLeastOnce | QoS::ExactlyOnce) => Ok(packet),
        };
    }
    if flags != required_flags(packet) {
        return Err(ProtocolError::ReservedFlags { packet, flags });
    }
    Ok(packet)
}

/// The flags of every packet type whose flags are reserved (§2.1.3).
pub(super) const fn required_flags(packet: PacketType) -> u8 {
    match packet {
        PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
        PacketType::Connect
        | PacketType::Connack
        | PacketType::Publish
        | PacketType::Puback
        | PacketType::Pubrec
        | PacketType::Pubcomp
        | PacketType::Suback
        | PacketType::Unsuback
        | PacketType::Pingreq
        | PacketType::Pingresp
        | PacketType::Disconnect
        | PacketType::Auth => 0b0000,
    }
}

/// The variable byte integer that `bytes` begin with and its length; `None` if it goes on beyond
/// them (§1.5.5).
#[inline]
pub(super) fn read_variable_byte_integer(
    bytes: &[u8],
) -> Result<Option<(u32, usize)>, ProtocolError> {
    let mut value = 0;
    for (index, &byte) in bytes
        .iter()
        .take(VARIABLE_BYTE_INTEGER_BYTES_MAX)
        .enumerate()
    {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            if byte == 0 && index > 0 {
                return Err(ProtocolError::VariableByteIntegerOverlong { value });
            }
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= VARIABLE_BYTE_INTEGER_BYTES_MAX {
        return Err(ProtocolError::VariableByteIntegerTooLong);
    }
    Ok(None)
}

/// Bytes that `value` takes as a variable byte integer, 1 to 4 (§1.5.5).
///
/// # Panics
///
/// If `value` is above 268,435,455: there is no such packet, the caller's limits failed.
#[inline]
pub(super) fn variable_byte_integer_len(value: usize) -> usize {
    assert!(
        value <= VARIABLE_BYTE_INTEGER_MAX as usize,
        "a packet cannot be that long"
    );
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}
