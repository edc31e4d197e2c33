//! Remembers which wildcard filters match a Topic Name.
//!
//! The cache holds keys of filters, not subscribers, so it outlives subscriptions to filters
//! that exist; a filter that comes or goes makes everything stale at once. It is bounded: when
//! the recent half is full it becomes the older half, and the older half is dropped. What is
//! used moves to the recent half.

use hashbrown::HashMap;

use super::FilterKey;

#[derive(Debug)]
struct Entry {
    generation: u64,
    filters: Box<[FilterKey]>,
}

/// Topic Names and the keys of the wildcard filters that match them.
#[derive(Debug)]
pub(crate) struct MatchCache {
    /// What entries must carry to be valid.
    generation: u64,
    recent: HashMap<Box<str>, Entry>,
    older: HashMap<Box<str>, Entry>,
    topics_max: usize,
}

impl MatchCache {
    /// An empty cache of at most `topics_max` topics.
    pub(crate) fn new(topics_max: usize) -> Self {
        Self {
            generation: 0,
            recent: HashMap::new(),
            older: HashMap::new(),
            topics_max,
        }
    }

    /// A wildcard filter came or went: no entry is valid any more.
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

    /// Remembers that `filters` are all that match `topic`.
    pub(crate) fn remember(&mut self, topic: &str, filters: &[FilterKey]) {
        let entry = Entry {
            generation: self.generation,
            filters: filters.into(),
        };
        match self.recent.get_mut(topic) {
            Some(stale) => *stale = entry,
            None => self.insert(topic.into(), entry),
        }
    }

    fn insert(&mut self, topic: Box<str>, entry: Entry) {
        if self.recent.len() >= self.topics_max.div_ceil(2) {
            std::mem::swap(&mut self.recent, &mut self.older);
            self.recent.clear();
        }
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
}
