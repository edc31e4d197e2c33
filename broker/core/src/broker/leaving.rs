//! The subscriptions of a Session that has ended: they are removed in slices, because there may be a
//! hundred thousand.
//!
//! Until the last is removed no message goes to them, and no other Session gets the key.

use super::subscribe::FILTERS_PER_SLICE;
use super::{Broker, Unfinished};
use crate::keys::{SessionKey, SubscriptionKey};

/// What is left of a Session that has ended.
#[derive(Debug)]
pub(super) struct Leaving {
    session: SessionKey,
    subscriptions: Vec<SubscriptionKey>,
}

impl Broker {
    /// Ends the subscriptions of a Session that was taken out.
    pub(super) fn end_subscriptions(
        &mut self,
        session: SessionKey,
        subscriptions: Vec<SubscriptionKey>,
    ) {
        self.leave(Leaving {
            session,
            subscriptions,
        });
    }

    /// Goes on with the Session that ended first and still has subscriptions.
    pub(super) fn continue_leaving(&mut self) {
        if let Some(leaving) = self.leaving.pop_front() {
            self.leave(leaving);
        }
    }

    fn leave(&mut self, mut leaving: Leaving) {
        let rest = leaving.subscriptions.len();
        let rest = rest.saturating_sub(FILTERS_PER_SLICE);
        // Each slice gets a list of its own: an allocation of some kilobytes makes glibc join the
        // small pieces that the slice before has freed. Without it glibc joins the pieces of all
        // slices at once, which takes 10 ms after 100,000 filters of several levels.
        let slice = leaving.subscriptions.split_off(rest);
        for subscription in slice.into_iter().rev() {
            self.unsubscribe(subscription, leaving.session);
        }
        if leaving.subscriptions.is_empty() {
            self.sessions.release(leaving.session);
        } else {
            self.leaving.push_back(leaving);
            self.unfinished.push_back(Unfinished::Leaving);
        }
    }
}
