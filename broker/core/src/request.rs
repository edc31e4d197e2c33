//! A SUBSCRIBE or UNSUBSCRIBE on its way: what of it is applied, and what waits behind it.
//!
//! One packet can ask for a hundred thousand subscriptions. It is applied in slices, between which
//! other clients are served; what its own client sent after it waits, as every packet of a client is
//! handled in its turn. A connection that ends meanwhile takes the rest with it, as if it had not
//! been read.

use std::vec;

use squall_protocol::codec::{next_filters, next_subscriptions};
use squall_protocol::packet::{
    AckProperties, Packet, RequestedFilter, Suback, Subscribe, Subscription,
    SubscriptionIdentifier, UndecodedFilters, Unsuback, Unsubscribe,
};
use squall_protocol::{PacketId, ProtocolError, ReasonCode};

use crate::keys::GroupKey;

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
        rest: UndecodedFilters,
        identifier: Option<SubscriptionIdentifier>,
    },
    Unsubscribe {
        filters: vec::IntoIter<RequestedFilter>,
        rest: UndecodedFilters,
    },
}

/// The filter that is next.
#[derive(Debug)]
pub(crate) enum Ask {
    Subscribe(Subscription, Option<SubscriptionIdentifier>),
    Unsubscribe(RequestedFilter),
}

impl Request {
    /// Takes the filters out of the packet.
    pub(crate) fn subscribe(subscribe: &mut Subscribe) -> Self {
        let left = Left::Subscribe {
            subscriptions: std::mem::take(&mut subscribe.subscriptions).into_iter(),
            rest: std::mem::take(&mut subscribe.rest),
            identifier: subscribe.properties.subscription_identifier,
        };
        Self::new(subscribe.id, left)
    }

    /// Takes the filters out of the packet.
    pub(crate) fn unsubscribe(unsubscribe: &mut Unsubscribe) -> Self {
        let left = Left::Unsubscribe {
            filters: std::mem::take(&mut unsubscribe.filters).into_iter(),
            rest: std::mem::take(&mut unsubscribe.rest),
        };
        Self::new(unsubscribe.id, left)
    }

    fn new(id: PacketId, left: Left) -> Self {
        Self {
            id,
            left,
            reasons: Vec::new(),
            groups: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Takes the next filter. Errors if the packet turns out to be malformed there.
    pub(crate) fn next(&mut self) -> Result<Option<Ask>, ProtocolError> {
        Ok(match &mut self.left {
            Left::Subscribe {
                subscriptions,
                rest,
                identifier,
            } => {
                if subscriptions.len() == 0 {
                    *subscriptions = next_subscriptions(rest)?.into_iter();
                }
                let next = subscriptions.next();
                next.map(|subscription| Ask::Subscribe(subscription, *identifier))
            }
            Left::Unsubscribe { filters, rest } => {
                if filters.len() == 0 {
                    *filters = next_filters(rest)?.into_iter();
                }
                filters.next().map(Ask::Unsubscribe)
            }
        })
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
            Left::Unsubscribe { .. } => Packet::Unsuback(Unsuback {
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
