//! Remembers which wildcard filters match a Topic Name.
//!
//! The cache holds keys of filters, not subscribers, so it outlives subscriptions to filters
//! that exist; a filter that comes or goes makes everything stale at once. It is bounded in topics
//! and in bytes: when the recent half is full it becomes the older half, and the older half is
//! dropped. What is used moves to the recent half.
//!
//! Invariant: `bytes` is the sum over the recent half, and neither half exceeds its limits.

use hashbrown::HashMap;

use crate::keys::FilterKey;

/// Bytes of the topics and keys of one half. Long topics, and topics that very many filters match,
/// would otherwise fill the memory with few entries.
const HALF_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of the largest entry: no topic alone pushes many others out.
const ENTRY_BYTES_MAX: usize = HALF_BYTES_MAX / 64;

#[derive(Debug)]
struct Entry {
    generation: u64,
    filters: Box<[FilterKey]>,
}

impl Entry {
    fn bytes(topic: &str, filters: &[FilterKey]) -> usize {
        topic.len() + size_of_val(filters)
    }
}

/// Topic Names and the keys of the wildcard filters that match them.
#[derive(Debug)]
pub(crate) struct MatchCache {
    /// What entries must carry to be valid.
    generation: u64,
    recent: HashMap<Box<str>, Entry>,
    /// Of the recent half.
    bytes: usize,
    older: HashMap<Box<str>, Entry>,
    topics_max: usize,
}

impl MatchCache {
    /// An empty cache of at most `topics_max` topics.
    pub(crate) fn new(topics_max: usize) -> Self {
        Self {
            generation: 0,
            recent: HashMap::new(),
            bytes: 0,
            older: HashMap::new(),
            topics_max,
        }
    }

    /// Makes all entries stale: a wildcard filter was added or removed.
    pub(crate) fn invalidate(&mut self) {
        self.generation += 1;
    }

    /// Appends what is remembered for `topic` to `into`; false if that is nothing valid.
    pub(crate) fn find(&mut self, topic: &str, into: &mut Vec<FilterKey>) -> bool {
        if let Some(entry) = self.recent.get(topic) {
            let is_valid = entry.generation == self.generation;
            if is_valid {
                into.extend_from_slice(&entry.filters);
            }
            return is_valid;
        }
        let Some((topic, entry)) = self.older.remove_entry(topic) else {
            return false;
        };
        if entry.generation != self.generation {
            return false;
        }
        into.extend_from_slice(&entry.filters);
        self.insert(topic, entry);
        true
    }

    /// Remembers that `filters` are all that match `topic`, unless that is very much.
    pub(crate) fn remember(&mut self, topic: &str, filters: &[FilterKey]) {
        if Entry::bytes(topic, filters) > ENTRY_BYTES_MAX {
            return;
        }
        let entry = Entry {
            generation: self.generation,
            filters: filters.into(),
        };
        if let Some((topic, stale)) = self.recent.remove_entry(topic) {
            self.bytes -= Entry::bytes(&topic, &stale.filters);
            self.insert(topic, entry);
        } else {
            self.insert(topic.into(), entry);
        }
    }

    fn insert(&mut self, topic: Box<str>, entry: Entry) {
        let bytes = Entry::bytes(&topic, &entry.filters);
        if self.recent.len() >= self.topics_max.div_ceil(2) || self.bytes + bytes > HALF_BYTES_MAX {
            std::mem::swap(&mut self.recent, &mut self.older);
            self.recent.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.recent.insert(topic, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(cache: &mut MatchCache, topic: &str) -> Option<Vec<FilterKey>> {
        let mut keys = Vec::new();
        cache.find(topic, &mut keys).then_some(keys)
    }

    /// An entry is valid until a filter comes or goes.
    #[test]
    fn a_change_of_the_filters_makes_entries_stale() {
        let mut cache = MatchCache::new(8);
        cache.remember("a", &[FilterKey(1)]);
        assert_eq!(find(&mut cache, "a"), Some(vec![FilterKey(1)]));

        cache.invalidate();

        assert_eq!(find(&mut cache, "a"), None);
        cache.remember("a", &[FilterKey(2)]);
        assert_eq!(find(&mut cache, "a"), Some(vec![FilterKey(2)]));
    }

    /// A topic without matches is remembered too.
    #[test]
    fn no_match_is_an_answer() {
        let mut cache = MatchCache::new(8);

        cache.remember("a", &[]);

        assert_eq!(find(&mut cache, "a"), Some(vec![]));
        assert_eq!(find(&mut cache, "b"), None);
    }

    /// The cache never holds more than it may, and what is in use stays.
    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let mut cache = MatchCache::new(8);
        cache.remember("hot", &[FilterKey(0)]);

        for topic in 1..1000 {
            cache.remember(&topic.to_string(), &[FilterKey(topic)]);
            assert!(cache.recent.len() + cache.older.len() <= 8);
            assert_eq!(find(&mut cache, "hot"), Some(vec![FilterKey(0)]));
        }

        assert_eq!(find(&mut cache, "1"), None);
    }

    /// Topics of 64 KiB fill the cache by their bytes long before they do by their number.
    #[test]
    fn the_cache_is_bounded_in_bytes() {
        let mut cache = MatchCache::new(65_536);
        let long = |n: u32| format!("{n}/{}", "x".repeat(60_000));

        for n in 0..3000 {
            cache.remember(&long(n), &[FilterKey(n)]);
            cache.remember(&long(0), &[FilterKey(n)]);
        }

        let halves = cache.recent.keys().chain(cache.older.keys());
        let bytes: usize = halves.map(|topic| topic.len()).sum();
        assert!(bytes <= 2 * HALF_BYTES_MAX, "{bytes} bytes");
        assert_eq!(find(&mut cache, &long(2999)), Some(vec![FilterKey(2999)]));
        assert_eq!(find(&mut cache, &long(1)), None);
    }

    /// A topic that very many filters match is looked for each time.
    #[test]
    fn a_very_large_answer_is_not_remembered() {
        let mut cache = MatchCache::new(8);
        cache.remember("small", &[FilterKey(1)]);

        cache.remember("large", &vec![FilterKey(2); ENTRY_BYTES_MAX / 4]);

        assert_eq!(find(&mut cache, "large"), None);
        assert_eq!(find(&mut cache, "small"), Some(vec![FilterKey(1)]));
    }
}
