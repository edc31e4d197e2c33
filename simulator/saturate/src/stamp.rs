//! What a payload begins with, so that a message is told from all others.
//!
//! Layout, little endian: 8 bytes when it was sent or due (nanoseconds of the engine's clock), 4 bytes publisher, 4 bytes
//! sequence. The rest of a longer payload is zero.

/// Bytes that a stamp takes: the least that a payload may have.
pub const STAMP_BYTES: usize = 16;

/// Names one message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    /// When it was sent, or due in an open loop, by the engine's clock.
    pub(crate) at: u64,
    /// By its place.
    pub(crate) publisher: u32,
    /// Counted from 0 for each publisher.
    pub(crate) sequence: u32,
}

impl Stamp {
    /// Writes it to the beginning of `payload`.
    #[inline]
    pub(crate) fn write(self, payload: &mut [u8]) {
        payload[..8].copy_from_slice(&self.at.to_le_bytes());
        payload[8..12].copy_from_slice(&self.publisher.to_le_bytes());
        payload[12..16].copy_from_slice(&self.sequence.to_le_bytes());
    }

    /// Reads it from a payload; `None` if that is too short.
    #[inline]
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let (at, rest) = payload.split_first_chunk()?;
        let (publisher, rest) = rest.split_first_chunk()?;
        let (sequence, _) = rest.split_first_chunk()?;
        Some(Self {
            at: u64::from_le_bytes(*at),
            publisher: u32::from_le_bytes(*publisher),
            sequence: u32::from_le_bytes(*sequence),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that the header of this file promises, and back.
    #[test]
    fn a_stamp_has_its_bytes_and_is_read_back() {
        let stamp = Stamp {
            at: 0x0102_0304_0506_0708,
            publisher: 0x0a0b_0c0d,
            sequence: 5,
        };
        let mut payload = [0; 20];

        stamp.write(&mut payload);

        assert_eq!(payload[..8], [8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(payload[8..16], [0x0d, 0x0c, 0x0b, 0x0a, 5, 0, 0, 0]);
        assert_eq!(Stamp::read(&payload), Some(stamp));
        assert_eq!(Stamp::read(&payload[..15]), None);
    }
}
