//! The replays of retained messages that a Session waits for, in the order of its subscriptions.
//!
//! Invariant: a subscription has at most one, and `sequences` names the place of each.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::keys::SubscriptionKey;
use crate::retained::Replay;

/// As much of the way through the store as others wait for.
#[derive(Debug)]
pub(crate) struct ReplaySlice {
    /// Looks at the store that are left.
    pub(crate) budget: usize,
    /// Replays that came to their end. They are freed with this list: an allocation of some kilobytes makes
    /// glibc join the small pieces that the slice before has freed. Without it glibc joins those of all
    /// slices at once, which takes 5 ms after 100,000 replays.
    done: Vec<Replay>,
}

impl ReplaySlice {
    /// One of `budget` looks.
    pub(crate) fn new(budget: usize) -> Self {
        let done = Vec::new();
        Self { budget, done }
    }
}

#[derive(Debug)]
struct Waiting {
    subscription: SubscriptionKey,
    replay: Replay,
}

/// Replays, first come, first served.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    by_sequence: BTreeMap<u64, Waiting>,
    sequences: HashMap<SubscriptionKey, u64>,
    next_sequence: u64,
}

impl Replays {
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.by_sequence.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_sequence.is_empty()
    }

    /// Puts a subscription's replay at the end, in place of an older one: a subscription that is
    /// replaced starts anew [MQTT-3.8.4-3].
    pub(crate) fn push_back(&mut self, subscription: SubscriptionKey, replay: Replay) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        if let Some(older) = self.sequences.insert(subscription, sequence) {
            self.by_sequence.remove(&older);
        }
        let waiting = Waiting {
            subscription,
            replay,
        };
        self.by_sequence.insert(sequence, waiting);
    }

    /// Takes out the replay of a subscription that ends.
    pub(crate) fn remove(&mut self, subscription: SubscriptionKey) {
        if let Some(sequence) = self.sequences.remove(&subscription) {
            self.by_sequence.remove(&sequence);
        }
    }

    pub(crate) fn front(&self) -> Option<&Replay> {
        let (_, waiting) = self.by_sequence.first_key_value()?;
        Some(&waiting.replay)
    }

    pub(crate) fn front_mut(&mut self) -> Option<&mut Replay> {
        let first = self.by_sequence.first_entry()?;
        Some(&mut first.into_mut().replay)
    }

    /// Ends the first one, in `slice`.
    pub(crate) fn end_front(&mut self, slice: &mut ReplaySlice) {
        if let Some((_, waiting)) = self.by_sequence.pop_first() {
            self.sequences.remove(&waiting.subscription);
            slice.done.push(waiting.replay);
        }
    }
}
