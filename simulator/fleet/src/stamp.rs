//! The stamp that every simulated message carries, so that it can be accounted for.
//!
//! A broker may hold messages of earlier runs, and other clients may publish to it: the stamp says
//! which run a message is of, so that foreign messages are not judged.

use squall_protocol::Instant;

use squall_scenario::DeviceId;

/// Tells the messages of one run from those of others: 24 bits.
///
/// The probability is 1 in 16,777,216 that two runs have the same tag, and the same that a foreign
/// payload begins with it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RunTag(u32);

impl RunTag {
    /// Bits of a tag.
    pub(crate) const BITS: u32 = 24;

    /// The tag of a run in virtual time, where no other run can be met: of its seed alone, so that
    /// the same seed gives the same bytes.
    pub fn of_seed(seed: u64) -> Self {
        Self::of_run(seed, 0)
    }

    /// The tag of a run of `seed` against a broker that others may use too. `entropy` is different
    /// in every run.
    pub fn of_run(seed: u64, entropy: u64) -> Self {
        let mixed = mix(mix(seed) ^ entropy);
        Self::from_bits(u32::try_from(mixed >> 40).expect("24 bits are left"))
    }

    /// The tag in the lower bits of `bits`.
    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << Self::BITS) - 1))
    }

    /// The tag as a number below 2^24.
    pub fn bits(self) -> u32 {
        self.0
    }
}

/// Lets every bit of `value` influence every bit of the result.
///
/// Source: the finalizer of SplitMix64, G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom
/// number generators", 2014.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Run, identity and due time of a message: 16 bytes in a binary payload.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Stamp {
    /// The run that it is of.
    pub run: RunTag,
    /// The device that publishes it.
    pub device: DeviceId,
    /// Counts the messages of this device to this Topic Name, from 0, in the order they are due.
    pub sequence: u32,
    /// When it was due: latency counts from here, whatever the broker did.
    pub scheduled: Instant,
}
