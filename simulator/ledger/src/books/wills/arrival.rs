//! A message that may be a will.

use squall_protocol::Instant;
use squall_run::AnomalyKind;

use crate::books::anomalies::Anomaly;
use crate::books::event::Event;
use crate::books::topics::Recipient;
use crate::books::windows::Room;

/// A message that may be a will, as one recipient saw it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WillArrival<'a> {
    /// Topic Name.
    pub(crate) topic: &'a str,
    /// The whole payload.
    pub(crate) payload: &'a [u8],
    /// Whether it came from the store, for a new subscription.
    pub(crate) is_from_store: bool,
    /// Whether DUP at QoS 1 says that it may be a copy that the recipient had before.
    pub(crate) is_marked_as_repeat: bool,
    /// Whether it came at QoS 1 or 2 on a connection that another one has displaced: it may be what that one was sent again, of
    /// which the copy came first.
    pub(crate) is_of_displaced: bool,
    /// Who it was for.
    pub(crate) recipient: Recipient,
    /// Since when that one has certainly watched without a break; `None` if it does not.
    pub(crate) watched_since: Option<Instant>,
    /// Since when the recipient, a Session, has had the connection that it came on and no other; `None` if it
    /// has others.
    pub(crate) alone_since: Option<Instant>,
    /// Copies that its subscriptions allow.
    pub(crate) copies: u8,
    /// When the broker could send to that one.
    pub(crate) room: Room<'a>,
}

impl WillArrival<'_> {
    pub(super) fn anomaly(&self, kind: AnomalyKind, event: &Event, explanation: String) -> Anomaly {
        Anomaly {
            by_counts: None,
            topic: Some(self.topic.to_owned()),
            ..event.anomaly(kind, explanation)
        }
    }
}
