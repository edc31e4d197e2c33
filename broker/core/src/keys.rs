//! Keys of Sessions, filters and groups, by which the parts of the broker refer to each other.
//!
//! A key is a number, and only the table that gave it out knows what it stands for. Keys have a file
//! of their own so that a part which holds one does not depend on the part that it belongs to.

use std::num::NonZeroU32;

/// Names a Session while it exists; then its key is used again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct SessionKey(pub(crate) u32);

/// Names a filter while it exists; then its key is used again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct FilterKey(pub(crate) u32);

/// Names a group of a shared subscription while it exists; a later group gets another key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct GroupKey(pub(crate) NonZeroU32);

/// Names a Session's subscription: the filter it is a member of, or the group.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum SubscriptionKey {
    Filter(FilterKey),
    Group(GroupKey),
}

impl SessionKey {
    /// Its place in tables that have one entry for each Session.
    pub(crate) const fn index(self) -> u32 {
        self.0
    }
}
