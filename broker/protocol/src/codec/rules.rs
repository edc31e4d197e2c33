//! How large a packet may be, and which packets a reader takes.

use crate::Version;

/// Largest value of a variable byte integer, and so of a Remaining Length, in bytes (§1.5.5).
pub const VARIABLE_BYTE_INTEGER_MAX: u32 = 268_435_455;
/// Largest control packet, in bytes: the largest Remaining Length and five bytes of header.
pub const PACKET_BYTES_MAX: u32 = VARIABLE_BYTE_INTEGER_MAX + 5;

/// What a reader accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DecodeRules {
    /// Version of the Network Connection. `None` before CONNECT, and then only CONNECT is taken.
    /// CONNECT always tells its own.
    pub version: Option<Version>,
    /// Bytes of the largest packet, fixed header included (§2.1.4). The header alone decides.
    pub maximum_packet_size: u32,
}
