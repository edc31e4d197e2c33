//! The subscriptions of a Session that has ended, and the replays of retained messages that they asked for:
//! they are removed in slices, because there may be a hundred thousand.
//!
//! Until the last is removed no message goes to them, and no other Session gets the key.

use super::subscribe::FILTERS_PER_SLICE;
use super::{Broker, Unfinished};
use crate::keys::{SessionKey, SubscriptionKey};
use crate::replays::Replays;

/// What is left of a Session that has ended.
#[derive(Debug)]
pub(super) struct Leaving {
    session: SessionKey,
    subscriptions: Vec<SubscriptionKey>,
    /// Each belongs to one of the subscriptions.
    replays: Replays,
}

impl Broker {
    /// Ends the subscriptions of a Session that was taken out.
    pub(super) fn end_subscriptions(
        &mut self,
        session: SessionKey,
        subscriptions: Vec<SubscriptionKey>,
        replays: Replays,
    ) {
        self.leave(Leaving {
            session,
            subscriptions,
            replays,
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
            leaving.replays.remove(subscription);
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

#[cfg(test)]
mod tests {
    use squall_protocol::packet::SubscriptionOptions;
    use squall_protocol::topic::TopicFilter;
    use squall_protocol::{Instant, QoS};

    use super::*;
    use crate::subscriptions::{Member, Target};
    use crate::{ClientIds, Config};

    /// The replays of a Session that ends are freed with their subscriptions, not all at once.
    #[test]
    fn replays_leave_in_slices() {
        let mut broker = Broker::new(Config::default(), ClientIds::counted(), Instant::ZERO);
        let session = broker.sessions.create("gone");
        let mut subscriptions = Vec::new();
        let mut replays = Replays::default();
        for number in 0..=FILTERS_PER_SLICE {
            let filter = TopicFilter::new(format!("t/{number}").into_boxed_str()).unwrap();
            let target = Target {
                filter: filter.as_str(),
                group: None,
            };
            let member = Member::new(session, SubscriptionOptions::default(), None);
            let (subscription, _) = broker.subscriptions.subscribe(target, member);
            let replay = broker.retained.replay(filter, QoS::AtMostOnce, None, 0);
            subscriptions.push(subscription);
            replays.push_back(subscription, replay);
        }

        broker.end_subscriptions(session, subscriptions, replays);
        let left = broker.leaving.front().map(|leaving| leaving.replays.len());
        broker.continue_leaving();

        assert_eq!(left, Some(1));
        assert!(broker.leaving.is_empty());
        assert_eq!(broker.subscriptions.len(), 0);
    }
}
