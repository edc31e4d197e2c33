//! A hash map from texts that keeps their hashes, and grows in parts.
//!
//! A map of hundreds of thousands of texts would grow at once, and read each text again to hash it:
//! several milliseconds in which no client is served. With stored hashes it takes a tenth of that, and a large
//! map is divided into [`PARTS`] tables, which grow one after the other.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Texts above which the map is divided.
const UNDIVIDED_MAX: usize = 4096;
/// Tables of a map that is divided.
const PARTS: usize = 32;

#[derive(Debug)]
struct Entry<T, V> {
    hash: u64,
    text: T,
    value: V,
}

/// A map from texts to values.
#[derive(Debug)]
pub(super) struct TextMap<T, V> {
    /// One, or [`PARTS`] of them.
    parts: Vec<HashTable<Entry<T, V>>>,
    len: usize,
    hasher: DefaultHashBuilder,
}

impl<T, V> Default for TextMap<T, V> {
    fn default() -> Self {
        Self {
            parts: Vec::new(),
            len: 0,
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<T: AsRef<str>, V: Copy> TextMap<T, V> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, text: &str) -> Option<V> {
        let hash = self.hasher.hash_one(text);
        let part = self.parts.get(part_of(hash, self.parts.len()))?;
        let entry = part.find(hash, |entry| entry.text.as_ref() == text)?;
        Some(entry.value)
    }

    /// Adds a text that is not there.
    pub(super) fn insert(&mut self, text: T, value: V) {
        if self.parts.is_empty() {
            self.parts.push(HashTable::new());
        } else if self.parts.len() == 1 && self.len == UNDIVIDED_MAX {
            self.divide();
        }
        let hash = self.hasher.hash_one(text.as_ref());
        self.len += 1;
        insert_into(&mut self.parts, Entry { hash, text, value });
    }

    /// Takes a text out, if it is there.
    pub(super) fn remove(&mut self, text: &str) {
        let hash = self.hasher.hash_one(text);
        let part = part_of(hash, self.parts.len());
        let Some(part) = self.parts.get_mut(part) else {
            return;
        };
        if let Ok(found) = part.find_entry(hash, |entry| entry.text.as_ref() == text) {
            found.remove();
            self.len -= 1;
        }
    }

    /// Every value, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = V> {
        self.parts.iter().flatten().map(|entry| entry.value)
    }

    fn divide(&mut self) {
        let mut parts: Vec<_> = (0..PARTS).map(|_| HashTable::new()).collect();
        for entry in self.parts.drain(..).flatten() {
            insert_into(&mut parts, entry);
        }
        self.parts = parts;
    }
}

fn insert_into<T, V>(parts: &mut [HashTable<Entry<T, V>>], entry: Entry<T, V>) {
    let part = part_of(entry.hash, parts.len());
    parts[part].insert_unique(entry.hash, entry, |entry| entry.hash);
}

/// The one of `parts` tables that a hash belongs to.
///
/// A table grows when its texts have doubled in number. The last table gets about twice as many as the first, and
/// those between them by equal factors, so that while all of them double their growing is spread evenly.
fn part_of(hash: u64, parts: usize) -> usize {
    if parts < PARTS {
        return 0;
    }
    // Bits that a table uses neither for the place of an entry nor for its tag, unless it is huge.
    PART_OF_STEP[(hash >> 40) as usize % STEPS].into()
}

/// Steps in which the shares of the tables are counted.
const STEPS: usize = 1024;
/// The thirty-second root of two, in billionths.
const FACTOR_BILLIONTHS: u64 = 1_021_897_149;
const PART_OF_STEP: [u8; STEPS] = part_of_step();

const fn part_of_step() -> [u8; STEPS] {
    let mut parts = [0; STEPS];
    // From 1 to 2, in billionths.
    let (mut part, mut end) = (0, FACTOR_BILLIONTHS);
    let mut step = 0;
    while step < STEPS {
        while 1_000_000_000 + step as u64 * 1_000_000_000 / STEPS as u64 >= end
            && part < PARTS as u8 - 1
        {
            part += 1;
            end = end * FACTOR_BILLIONTHS / 1_000_000_000;
        }
        parts[step] = part;
        step += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::collections::btree_map::Entry;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// It holds what a map would hold.
        #[test]
        fn texts_are_a_map(
            steps in proptest::collection::vec((any::<bool>(), "[ab/+]{0,3}"), 0..200),
        ) {
            let mut map: TextMap<Box<str>, usize> = TextMap::default();
            let mut model = BTreeMap::new();

            for (value, (adds, text)) in steps.into_iter().enumerate() {
                if !adds {
                    map.remove(&text);
                    model.remove(&text);
                } else if let Entry::Vacant(vacant) = model.entry(text) {
                    map.insert(vacant.key().as_str().into(), value);
                    vacant.insert(value);
                }
                prop_assert_eq!(map.len(), model.len());
            }

            for (text, &value) in &model {
                prop_assert_eq!(map.get(text), Some(value));
            }
            let mut values: Vec<usize> = map.values().collect();
            values.sort_unstable();
            let mut expected: Vec<usize> = model.into_values().collect();
            expected.sort_unstable();
            prop_assert_eq!(values, expected);
        }
    }

    /// Table `n` of 32 gets the share of the texts that lies between the powers `n/32` and `(n + 1)/32` of
    /// two, but for rounding.
    #[test]
    fn tables_have_shares_that_grow_by_equal_factors() {
        let mut shares = [0.0; PARTS];
        for part in PART_OF_STEP {
            shares[usize::from(part)] += 1.0;
        }

        let power = |part: usize| f64::powf(2.0, part as f64 / PARTS as f64);
        for (part, share) in shares.into_iter().enumerate() {
            let expected = (power(part + 1) - power(part)) * STEPS as f64;
            assert!((share - expected).abs() < 1.5, "{part}: {share} {expected}");
        }
    }

    /// However many texts there are, the tables that one more of them makes grow hold few of them.
    #[test]
    fn a_large_map_grows_in_parts() {
        let mut map: TextMap<Box<str>, u32> = TextMap::default();
        let mut most_moved = 0;
        for number in 0..100_000 {
            let before: Vec<usize> = map.parts.iter().map(HashTable::capacity).collect();
            map.insert(format!("devices/{number}").into(), number);
            let is_divided = map.parts.len() == before.len();
            let pairs = map.parts.iter().zip(before);
            let grown = pairs.filter(|(part, before)| is_divided && part.capacity() != *before);
            most_moved = most_moved.max(grown.map(|(part, _)| part.len()).sum());
        }

        assert_eq!(map.len(), 100_000);
        assert_eq!(map.get("devices/99999"), Some(99_999));
        assert!(most_moved <= UNDIVIDED_MAX + 1, "{most_moved}");
    }
}
