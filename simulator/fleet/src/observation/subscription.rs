//! What a device asks to be sent, and what it gives up.

use squall_protocol::{Instant, ReasonCode};

use super::Wanted;

/// A step of a SUBSCRIBE or an UNSUBSCRIBE.
#[derive(Clone, Debug)]
pub enum SubscriptionFact<'a> {
    /// SUBSCRIBE was handed to the link.
    Sent {
        /// What it asks for, in order.
        wanted: &'a [Wanted],
    },
    /// SUBACK came.
    Answered {
        /// As in `Sent`.
        wanted: &'a [Wanted],
        /// One for each filter, in the same order.
        reasons: &'a [ReasonCode],
        /// When SUBSCRIBE was sent.
        sent_at: Instant,
    },
    /// UNSUBSCRIBE was handed to the link.
    UnsubscribeSent {
        /// What it gives up, in order.
        wanted: &'a [Wanted],
    },
    /// UNSUBACK came.
    UnsubscribeAnswered {
        /// As in `UnsubscribeSent`.
        wanted: &'a [Wanted],
        /// One for each filter, in the same order; none in 3.1.1.
        reasons: &'a [ReasonCode],
    },
}
