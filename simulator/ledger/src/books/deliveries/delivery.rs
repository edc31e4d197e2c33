//! A PUBLISH as its recipient saw it: what it says of itself, before anything is concluded.

use std::time::Duration;

use squall_fleet::Stamp;
use squall_protocol::QoS;
use squall_protocol::packet::{PublishProperties, SubscriptionIdentifier};

use crate::books::retained::Stored;
use crate::books::stream::Content;

/// A PUBLISH that reached an application, wills apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery<'a> {
    /// Topic Name.
    pub(crate) topic: &'a str,
    /// QoS of this delivery.
    pub(crate) qos: QoS,
    /// What its RETAIN flag says.
    pub(crate) origin: Origin,
    /// What is known of it as a message that was to be retained, whatever its flag says.
    pub(crate) stored: Stored,
    /// Its DUP flag: the broker may have sent it before, on another connection.
    pub(crate) dup: bool,
    /// The whole payload.
    pub(crate) payload: &'a [u8],
    /// Its properties; `None` to a recipient of MQTT 3.1.1.
    pub(crate) properties: Option<&'a PublishProperties<'a>>,
    /// What it says of itself.
    pub(crate) mark: Mark,
    /// Its Message Expiry Interval.
    pub(crate) expiry: Option<Duration>,
    /// Its Subscription Identifiers.
    pub(crate) identifiers: &'a [SubscriptionIdentifier],
}

impl<'a> Delivery<'a> {
    /// What it says.
    pub(super) fn content(&self) -> Content<'a> {
        Content {
            payload: self.payload,
            properties: self.properties,
        }
    }
}

/// What the RETAIN flag of a delivery says: set is out of the store, for a new subscription
/// (§3.3.1.3), and nothing else [MQTT-3.3.1-12].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// It was published just now, or waited for the Session.
    Live,
    /// It was retained.
    Store,
    /// It was retained, but nothing was ever published there that could be.
    EmptyStore,
}

/// Whose message a payload says that it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mark {
    /// One of this run.
    Ours(Stamp),
    /// One of another run of squall.
    OfAnotherRun,
    /// It does not say.
    None,
}

impl Mark {
    /// The stamp of a message of this run.
    pub(crate) fn ours(self) -> Option<Stamp> {
        match self {
            Self::Ours(stamp) => Some(stamp),
            Self::OfAnotherRun | Self::None => None,
        }
    }
}
