//! The names by which the parts of the broker know each other's things: Sessions, filters, groups.
//!
//! They are numbers, of which only the table that gave one out knows what it stands for. They have
//! a file of their own so that what holds a name does not depend on what the name is of.

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
