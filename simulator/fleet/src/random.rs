//! Where every random draw of a run comes from: one generator for each purpose of each actor.
//!
//! A generator is named by (seed, [`Purpose`], scope, index). A new draw in one place therefore
//! shifts no draw in another, and neither the number of threads nor the order in which things
//! happen to different devices changes what a device does.
//!
//! Its 128 bits of state are two outputs of a chain over the words of its name: each step adds the
//! golden-ratio increment and the next word, then applies the SplitMix64 finaliser.
//! Source: S. Vigna, `splitmix64.c`, 2015; G. Steele, D. Lea, C. Flood, "Fast Splittable
//! Pseudorandom Number Generators", OOPSLA 2014.

use rand_pcg::Pcg64Mcg;

/// The generator behind every draw: PCG XSL 128/64 (MCG), the same numbers on every machine.
pub type Generator = Pcg64Mcg;

/// What a generator's draws decide. The numbers are part of what a seed means: never reuse one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u64)]
pub enum Purpose {
    /// When the messages of a `[[group.publish]]` are due.
    /// Scope: the device. Index: the publish block.
    Arrivals = 1,
    /// Placeholders of topics and payloads. Scope: the device. Index: the publish block.
    Payload = 2,
    /// Delay before a reconnect. Scope: the device.
    Backoff = 3,
    /// Whom a fault hits. Scope: the fault. Index: how many times it fired before.
    FaultSelection = 4,
    /// Cuts, delays and withheld answers of the `qos2` block. Scope: the device.
    Qos2 = 5,
    /// Latency of segments. Scope: the device. Index: the direction.
    Latency = 6,
    /// Loss of segments. Scope: the device. Index: the direction.
    Loss = 7,
    /// Outages of a link. Scope: the device.
    Outages = 8,
}

/// Increment of the chain: 2^64 divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The generator named by its arguments; the same arguments give the same numbers for ever.
pub fn generator(seed: u64, purpose: Purpose, scope: u64, index: u64) -> Generator {
    let mut state = 0;
    for word in [seed, purpose as u64, scope, index] {
        state = mix(state, word);
    }
    let high = mix(state, 1);
    let low = mix(state, 2);
    Pcg64Mcg::new((u128::from(high) << 64) | u128::from(low))
}

/// One step of the chain: SplitMix64's finaliser over the state and one word.
fn mix(state: u64, word: u64) -> u64 {
    let mut z = state.wrapping_add(GOLDEN).wrapping_add(word);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::Rng;

    use super::*;

    /// The finaliser is SplitMix64's: first output for seed 0 from Vigna's reference code.
    #[test]
    fn one_step_over_a_zero_word_is_splitmix64() {
        let first = mix(0, 0);

        assert_eq!(first, 0xe220_a839_7b1d_cdaf);
    }

    /// What a seed means must not change between versions: replay depends on it.
    #[test]
    fn a_name_gives_the_same_numbers_every_time() {
        let mut one = generator(42, Purpose::Latency, 7, 1);
        let mut two = generator(42, Purpose::Latency, 7, 1);

        let ones: Vec<u64> = (0..8).map(|_| one.next_u64()).collect();
        let twos: Vec<u64> = (0..8).map(|_| two.next_u64()).collect();

        assert_eq!(ones, twos);
    }

    /// Neighbouring names have unrelated generators.
    #[test]
    fn names_that_differ_in_one_part_differ_in_their_numbers() {
        let names = [
            (1, Purpose::Latency, 0, 0),
            (2, Purpose::Latency, 0, 0),
            (1, Purpose::Loss, 0, 0),
            (1, Purpose::Latency, 1, 0),
            (1, Purpose::Latency, 0, 1),
        ];

        let first: BTreeSet<u64> = names
            .iter()
            .map(|&(seed, purpose, scope, index)| generator(seed, purpose, scope, index).next_u64())
            .collect();

        assert_eq!(first.len(), names.len());
    }
}
