//! A PUBLISH as its sender saw it.

use std::time::Duration;

use squall_fleet::Stamp;
use squall_protocol::{Instant, QoS};
use squall_scenario::StampPlace;

use crate::books::event::Event;

/// A message as it was handed to the link, or as it would have been.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    /// Identity of the message.
    pub(crate) stamp: Stamp,
    /// Topic Name.
    pub(crate) topic: &'a str,
    /// QoS of the PUBLISH.
    pub(crate) qos: QoS,
    /// Its RETAIN flag.
    pub(crate) retain: bool,
    /// When the generator got to it.
    pub(crate) reached_at: Instant,
    /// How long it lives, if that is limited.
    pub(crate) expiry: Option<Duration>,
    /// Where its recipients find its identity.
    pub(crate) stamp_place: StampPlace,
}

impl<'a> Message<'a> {
    /// One that is given up with `event`: nothing more is known of it, and nothing comes of it.
    pub(crate) fn skipped(event: &Event, stamp: Stamp, topic: &'a str, qos: QoS) -> Self {
        Self {
            stamp,
            topic,
            qos,
            retain: false,
            reached_at: event.now,
            expiry: None,
            stamp_place: StampPlace::Payload,
        }
    }
}

/// How far an acknowledged message had come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Acknowledged {
    /// When it was sent for the first time.
    pub(crate) sent_at: Instant,
    /// When the generator got to it.
    pub(crate) reached_at: Instant,
    /// QoS of the PUBLISH.
    pub(crate) qos: QoS,
}
