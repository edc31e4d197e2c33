//! A SUBSCRIBE or UNSUBSCRIBE on its way: what of it is applied, and what waits behind it.
//!
//! One packet can ask for a hundred thousand subscriptions. It is applied in slices, between which
//! other clients are served; what its own client sent after it waits, as every packet of a client is
//! handled in its turn. A connection that ends meanwhile takes the rest with it, as if it had not
//! been read.

use std::vec;

use squall_protocol::packet::{
    AckProperties, Packet, RequestedFilter, Suback, Subscribe, Subscription,
    SubscriptionIdentifier, Unsuback, Unsubscribe,
};
use squall_protocol::{PacketId, ReasonCode};

use crate::subscriptions::GroupKey;

/// One packet's filters and their answers.
#[derive(Debug)]
pub(crate) struct Request {
    id: PacketId,
    left: Left,
    /// One for each filter that is done.
    pub(crate) reasons: Vec<ReasonCode>,
    /// Shared groups that were joined.
    pub(crate) groups: Vec<GroupKey>,
    /// What came after the packet: as much as the shell had read when it was told to stop.
    pub(crate) held: Vec<u8>,
}

/// The filters that are still to do.
#[derive(Debug)]
enum Left {
    Subscribe {
        subscriptions: vec::IntoIter<Subscription>,
        identifier: Option<SubscriptionIdentifier>,
    },
    Unsubscribe(vec::IntoIter<RequestedFilter>),
}

/// What is done next.
#[derive(Debug)]
pub(crate) enum Ask {
    Subscribe(Subscription, Option<SubscriptionIdentifier>),
    Unsubscribe(RequestedFilter),
}

impl Request {
    pub(crate) fn subscribe(subscribe: Subscribe) -> Self {
        let filters = subscribe.subscriptions.len();
        let left = Left::Subscribe {
            subscriptions: subscribe.subscriptions.into_iter(),
            identifier: subscribe.properties.subscription_identifier,
        };
        Self::new(subscribe.id, left, filters)
    }

    pub(crate) fn unsubscribe(unsubscribe: Unsubscribe) -> Self {
        let filters = unsubscribe.filters.len();
        let left = Left::Unsubscribe(unsubscribe.filters.into_iter());
        Self::new(unsubscribe.id, left, filters)
    }

    fn new(id: PacketId, left: Left, filters: usize) -> Self {
        Self {
            id,
            left,
            reasons: Vec::with_capacity(filters),
            groups: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Takes the next filter.
    pub(crate) fn next(&mut self) -> Option<Ask> {
        match &mut self.left {
            Left::Subscribe {
                subscriptions,
                identifier,
            } => Some(Ask::Subscribe(subscriptions.next()?, *identifier)),
            Left::Unsubscribe(filters) => Some(Ask::Unsubscribe(filters.next()?)),
        }
    }

    /// SUBACK or UNSUBACK, once every filter is done.
    pub(crate) fn take_answer(&mut self) -> Packet<'static> {
        let (id, properties) = (self.id, AckProperties::default());
        let reasons = std::mem::take(&mut self.reasons);
        match self.left {
            Left::Subscribe { .. } => Packet::Suback(Suback {
                id,
                properties,
                reasons,
            }),
            Left::Unsubscribe(_) => Packet::Unsuback(Unsuback {
                id,
                properties,
                reasons,
            }),
        }
    }
}

impl Ask {
    /// Bytes of its filter.
    pub(crate) fn bytes(&self) -> usize {
        let filter = match self {
            Self::Subscribe(subscription, _) => &subscription.filter,
            Self::Unsubscribe(filter) => filter,
        };
        match filter {
            Ok(filter) => filter.as_str().len(),
            Err(invalid) => invalid.text.len(),
        }
    }
}
