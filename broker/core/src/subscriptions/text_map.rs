//! A hash map from texts that keeps their hashes.
//!
//! A map of hundreds of thousands of texts grows at once, and would read each text again to hash it:
//! several milliseconds in which no client is served. With stored hashes it takes a tenth of that.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

#[derive(Debug)]
struct Entry<T, V> {
    hash: u64,
    text: T,
    value: V,
}

/// A map from texts to values.
#[derive(Debug)]
pub(super) struct TextMap<T, V> {
    entries: HashTable<Entry<T, V>>,
    hasher: DefaultHashBuilder,
}

impl<T, V> Default for TextMap<T, V> {
    fn default() -> Self {
        Self {
            entries: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<T: AsRef<str>, V: Copy> TextMap<T, V> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, text: &str) -> Option<V> {
        let entry = self.entries.find(self.hasher.hash_one(text), |entry| {
            entry.text.as_ref() == text
        })?;
        Some(entry.value)
    }

    /// Adds a text that is not there.
    pub(super) fn insert(&mut self, text: T, value: V) {
        let hash = self.hasher.hash_one(text.as_ref());
        let entry = Entry { hash, text, value };
        self.entries.insert_unique(hash, entry, |entry| entry.hash);
    }

    /// Takes a text out, if it is there.
    pub(super) fn remove(&mut self, text: &str) {
        let hash = self.hasher.hash_one(text);
        let found = self
            .entries
            .find_entry(hash, |entry| entry.text.as_ref() == text);
        if let Ok(found) = found {
            found.remove();
        }
    }

    /// Every value, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = V> {
        self.entries.iter().map(|entry| entry.value)
    }
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
}
