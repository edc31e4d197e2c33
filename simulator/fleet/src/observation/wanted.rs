//! A subscription as a device asks for it.

use squall_protocol::packet::{SubscriptionIdentifier, SubscriptionOptions};

/// One Topic Filter of a SUBSCRIBE with its options (§3.8.3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// Topic Filter, possibly of a shared subscription.
    pub filter: String,
    /// QoS asked for, and the options of MQTT 5.0.
    pub options: SubscriptionOptions,
    /// The Subscription Identifier of its SUBSCRIBE (§3.8.2.1.2).
    pub identifier: Option<SubscriptionIdentifier>,
}
