//! How much the ledger remembers.

/// Anomalies of one kind that are kept whole; more are counted only.
pub(crate) const ANOMALIES_KEPT_PER_KIND: usize = 20;

/// Ranges of one [`super::sequences::SequenceSet`]. A set that would need more forgets its oldest
/// gap, and says so.
pub(crate) const RANGES_MAX: usize = 4_096;

/// Messages whose payload hash and send time are kept, over all streams. Beyond it the oldest of
/// the stream that grows is settled early.
pub(crate) const RECORDS_MAX: usize = 2_000_000;

/// Further copies of one message that overlapping subscriptions allow are counted for so many
/// messages at once; older ones count as used up.
pub(crate) const COPIES_TRACKED_MAX: usize = 65_536;

/// Values that one retained topic may have at once because their order is not known.
pub(crate) const RETAINED_CANDIDATES_MAX: usize = 16;

/// Ended connections with a will, of one will topic and payload, that wait for their will.
pub(crate) const WILL_ENDS_MAX: usize = 64;

/// Ended connections of one Client Identifier that may turn out to have been displaced.
pub(crate) const RECENT_ENDS_MAX: usize = 8;
