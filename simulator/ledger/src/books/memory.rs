//! How much the ledger remembers of a run, and what it gave up because of that.
//!
//! A limit that is reached must not read as a fault of the broker: what is given up is counted by
//! limit, nothing is concluded from it, and the run is invalid.

use std::collections::BTreeMap;

use squall_run::count_text;

/// Messages of shared subscriptions of which it is remembered who had them; whether a copy of an older one is forbidden is not
/// known.
pub(crate) const HOLDERS_MAX: usize = 65_536;

/// Copies of them that may be explained still at once; of further ones it is not known.
pub(crate) const SUSPECTS_MAX: usize = 10_000;

/// The limits of the ledger's memory. A day of 10,000 devices and a minute take the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Memory {
    /// Anomalies of one kind and scope that are kept whole; more are counted, so nothing is given up.
    pub anomalies_per_kind: usize,
    /// Ranges of sequence numbers that one recipient of one stream may have open or received.
    pub ranges: usize,
    /// Messages that are under way at once, over all streams: not acknowledged, or owed to a
    /// Session that does not have them yet.
    pub records: usize,
    /// Retained messages that Sessions are owed after a SUBSCRIBE and do not have yet, over all
    /// Sessions. What is subscribed to beyond them is not looked for, so nothing is given up.
    pub replays: usize,
    /// Values that one retained topic may have at once because their order is not known.
    pub retained_candidates: usize,
    /// Topics that checkers find and that the run knows nothing of, over all `retained` claims: another
    /// client may have left any number of them in the broker.
    pub found_topics: usize,
    /// Ended connections with a will that are kept at once, with who saw their wills: 64 Sessions with one sighting
    /// each count as one, any other sighting counts by itself. 6,000 ends that 10,000 devices watch.
    pub will_ends: usize,
    /// Ended connections of one Client Identifier that may turn out to have been displaced.
    pub recent_ends: usize,
    /// Requests that wait for a response at once, answered ones of late included.
    pub requests: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            anomalies_per_kind: 20,
            ranges: 4_096,
            records: 2_000_000,
            replays: 200_000,
            retained_candidates: 16,
            found_topics: 500_000,
            will_ends: 1_000_000,
            recent_ends: 64,
            requests: 1_000_000,
        }
    }
}

/// A limit behind which something is given up.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum MemoryLimit {
    /// [`Memory::ranges`].
    Ranges,
    /// [`Memory::records`].
    Records,
    /// [`Memory::retained_candidates`].
    RetainedCandidates,
    /// [`Memory::found_topics`].
    FoundTopics,
    /// [`Memory::will_ends`].
    WillEnds,
    /// [`Memory::recent_ends`].
    RecentEnds,
    /// [`Memory::requests`].
    Requests,
    /// Who had the messages of shared subscriptions, and copies that await an explanation.
    SharedCopies,
}

/// What was given up, by limit.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GivenUp {
    counts: BTreeMap<MemoryLimit, u64>,
}

impl GivenUp {
    /// Counts things that were given up.
    pub(crate) fn add(&mut self, limit: MemoryLimit, count: u64) {
        if count > 0 {
            *self.counts.entry(limit).or_default() += count;
        }
    }

    /// Adds what another book gave up.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (&limit, &count) in &other.counts {
            self.add(limit, count);
        }
    }

    /// How much was given up because of one limit.
    pub fn count(&self, limit: MemoryLimit) -> u64 {
        self.counts.get(&limit).copied().unwrap_or(0)
    }

    /// One sentence for each limit that was reached: what is not known, and why.
    pub(crate) fn sentences(&self, memory: &Memory) -> Vec<String> {
        self.counts
            .iter()
            .map(|(limit, &count)| limit.sentence(memory, count))
            .collect()
    }
}

impl MemoryLimit {
    fn sentence(self, memory: &Memory, count: u64) -> String {
        let count = count_text(count);
        let number = |limit: usize| count_text(limit as u64);
        match self {
            Self::Ranges => format!(
                "{count} deliveries are unknown: the ledger keeps {} gaps of one recipient in one stream, and more messages than \
                 that were missing here and there",
                number(memory.ranges)
            ),
            Self::Records => format!(
                "{count} deliveries are unknown: the ledger keeps {} messages that are under way at once, and settled these \
                 early; lower the rate, or let subscribers stay away for less time",
                number(memory.records)
            ),
            Self::RetainedCandidates => format!(
                "{count} retained topics are unknown: the ledger keeps {} values of one topic whose order is not known, and more \
                 were sent at once",
                number(memory.retained_candidates)
            ),
            Self::FoundTopics => format!(
                "{count} retained messages of topics that the run knows nothing of were not looked at: the ledger keeps {} \
                 topics of others; give the `filter` of `retained` to topics of the run, or the run a broker of its own",
                number(memory.found_topics)
            ),
            Self::WillEnds => format!(
                "the wills of {count} ended connections are unknown: the ledger keeps {} ends of connections, with 64 \
                 sightings of their wills for one more, and settled these early",
                number(memory.will_ends)
            ),
            Self::RecentEnds => format!(
                "{count} ended connections may have been displaced: the ledger keeps {} ends of one client identifier that wait \
                 for the CONNACK of a newer connection",
                number(memory.recent_ends)
            ),
            Self::Requests => format!(
                "the responses to {count} requests are unknown: the ledger keeps {} requests that wait for a response at once",
                number(memory.requests)
            ),
            Self::SharedCopies => format!(
                "whether {count} copies of messages of shared subscriptions are forbidden is unknown: the ledger keeps who had the \
                 last {}, and {} copies that the end of a connection may explain still",
                number(HOLDERS_MAX),
                number(SUSPECTS_MAX)
            ),
        }
    }
}
