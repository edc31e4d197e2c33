//! The subscriptions of one Session: a dense list, found by key.
//!
//! A short list is searched; a long one gets an index, so that a client can end thousands in any
//! order.
//!
//! Invariant: a key is in the list at most once, and `places`, if it is there, names the place of
//! each.

use hashbrown::HashMap;

use crate::keys::SubscriptionKey;

/// Subscriptions above which the list gets an index.
const SEARCHED_MAX: usize = 32;

/// Where the subscriptions of one Session are.
#[derive(Debug, Default)]
pub(crate) struct SessionSubscriptions {
    list: Vec<SubscriptionKey>,
    places: Option<Box<HashMap<SubscriptionKey, u32>>>,
}

impl SessionSubscriptions {
    pub(crate) fn as_slice(&self) -> &[SubscriptionKey] {
        &self.list
    }

    pub(crate) fn into_vec(self) -> Vec<SubscriptionKey> {
        self.list
    }

    /// Adds a subscription that is not there.
    pub(crate) fn add(&mut self, key: SubscriptionKey) {
        let place = self.list.len() as u32;
        self.list.push(key);
        if let Some(places) = &mut self.places {
            places.insert(key, place);
        } else if self.list.len() > SEARCHED_MAX {
            let places = self.list.iter().copied().zip(0..);
            self.places = Some(Box::new(places.collect()));
        }
    }

    /// Takes a subscription out, if it is there.
    pub(crate) fn remove(&mut self, key: SubscriptionKey) {
        let place = match &mut self.places {
            Some(places) => places.remove(&key).map(|place| place as usize),
            None => self.list.iter().position(|&kept| kept == key),
        };
        let Some(place) = place else {
            return;
        };
        self.list.swap_remove(place);
        if let Some(places) = &mut self.places {
            if let Some(&moved) = self.list.get(place) {
                places.insert(moved, place as u32);
            }
            if self.list.len() <= SEARCHED_MAX / 2 {
                self.places = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::keys::FilterKey;

    proptest! {
        /// Long or short, the list holds what a set would hold.
        #[test]
        fn subscriptions_are_a_set(
            steps in proptest::collection::vec((any::<bool>(), 0_u32..80), 0..400),
        ) {
            let mut subscriptions = SessionSubscriptions::default();
            let mut model = BTreeSet::new();

            for (adds, index) in steps {
                let key = SubscriptionKey::Filter(FilterKey(index));
                if !adds {
                    subscriptions.remove(key);
                    model.remove(&index);
                } else if model.insert(index) {
                    subscriptions.add(key);
                }
                prop_assert_eq!(subscriptions.as_slice().len(), model.len());
            }

            let mut kept: Vec<u32> = subscriptions
                .as_slice()
                .iter()
                .map(|&key| match key {
                    SubscriptionKey::Filter(filter) => filter.0,
                    SubscriptionKey::Group(_) => unreachable!("none was added"),
                })
                .collect();
            kept.sort_unstable();
            prop_assert_eq!(kept, model.into_iter().collect::<Vec<_>>());
        }
    }
}
