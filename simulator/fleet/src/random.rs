//! Where every random draw of a run comes from: one generator for each purpose of each actor.
//!
//! A generator is named by (seed, group's name, index in the group, [`Purpose`], number), a fault's
//! by the fault's name in place of group and index. A new draw in one place therefore shifts no draw
//! in another, and neither another group's size, a group or fault that is added or removed, the
//! number of threads nor the order of events changes what a device does.
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
    /// When the messages of a `[[group.publish]]` are due. Number: the publish block.
    Arrivals = 1,
    /// Placeholders of topics and payloads. Number: the publish block.
    Payload = 2,
    /// Delay before a reconnect.
    Backoff = 3,
    /// Which devices a fault takes. Number: how many times it fired before.
    FaultSelection = 4,
    /// Cuts, delays and withheld answers of the `qos2` block.
    Qos2 = 5,
    /// Latency of segments. Number: the direction.
    Latency = 6,
    /// Loss of segments. Number: the direction.
    Loss = 7,
    /// Outages of a link.
    Outages = 8,
    /// Placeholders of the payload of a `[group.birth]`.
    Birth = 9,
    /// How long a device stays and is away.
    Availability = 30,
    /// Placeholders of a response. Number: the respond block.
    Response = 20,
    /// Time from a request to its response. Number: the respond block.
    ResponseDelay = 21,
    /// Placeholders of the properties of messages. Number: the publish block.
    Properties = 22,
    /// How long subscriptions are held, and are not. Number: the first subscribe block that they are of.
    Churn = 40,
    /// In which order the devices of a group come online.
    Online = 41,
    /// How long a fault lasts. Number: how many times it fired before.
    FaultLength = 10,
}

/// Increment of the chain: 2^64 divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The draws of one actor of a run: a device, a fault or a checker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Draws {
    /// The chain over the seed and the actor's name.
    state: u64,
}

impl Draws {
    /// Those of the device with this `{index}` in the group of this name.
    pub fn of_device(seed: u64, group: &str, index: u32) -> Self {
        Self::named(seed, Actor::Device, group).at(u64::from(index))
    }

    /// Those of the fault of this name.
    pub fn of_fault(seed: u64, name: &str) -> Self {
        Self::named(seed, Actor::Fault, name)
    }

    /// Those of the checker of one `[[expect]]`, counted from 0 in file order.
    pub(crate) fn of_checker(seed: u64, expectation: u64) -> Self {
        Self::named(seed, Actor::Checker, "").at(expectation)
    }

    /// The generator of one purpose; the same arguments always give the same numbers.
    pub fn generator(self, purpose: Purpose, number: u64) -> Generator {
        let state = mix(mix(self.state, purpose as u64), number);
        let high = mix(state, 1);
        let low = mix(state, 2);
        Pcg64Mcg::new((u128::from(high) << 64) | u128::from(low))
    }

    fn named(seed: u64, actor: Actor, name: &str) -> Self {
        let bytes = name.as_bytes().chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        // The length tells a name from the same name with zeros behind it.
        let words = [seed, actor as u64, name.len() as u64];
        let state = words.into_iter().chain(bytes).fold(0, mix);
        Self { state }
    }

    fn at(self, index: u64) -> Self {
        Self {
            state: mix(self.state, index),
        }
    }
}

/// What kind of actor a name belongs to. The numbers are part of what a seed means.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
enum Actor {
    Device = 1,
    Fault = 2,
    Checker = 3,
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
        let draws = || Draws::of_device(42, "sensors", 7).generator(Purpose::Latency, 1);
        let (mut one, mut two) = (draws(), draws());

        let ones: Vec<u64> = (0..8).map(|_| one.next_u64()).collect();
        let twos: Vec<u64> = (0..8).map(|_| two.next_u64()).collect();

        assert_eq!(ones, twos);
    }

    /// Neighbouring names have unrelated generators.
    #[test]
    fn names_that_differ_in_one_part_differ_in_their_numbers() {
        let sensors = Draws::of_device(1, "sensors", 0);
        let generators = [
            sensors.generator(Purpose::Latency, 0),
            Draws::of_device(2, "sensors", 0).generator(Purpose::Latency, 0),
            Draws::of_device(1, "sensor", 0).generator(Purpose::Latency, 0),
            Draws::of_device(1, "sensors\0", 0).generator(Purpose::Latency, 0),
            Draws::of_device(1, "sensors", 1).generator(Purpose::Latency, 0),
            Draws::of_fault(1, "sensors").generator(Purpose::Latency, 0),
            sensors.generator(Purpose::Loss, 0),
            sensors.generator(Purpose::Latency, 1),
        ];

        let first: BTreeSet<u64> = generators
            .into_iter()
            .map(|mut generator| generator.next_u64())
            .collect();

        assert_eq!(first.len(), 8);
    }
}
