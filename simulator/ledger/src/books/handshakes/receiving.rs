//! An exchange in which the device is the receiver, and whose turn it is.

use squall_fleet::ReceiverLeg;
use squall_protocol::Instant;
use squall_scenario::GroupId;

use crate::books::event::Event;

#[derive(Clone, Copy, Debug)]
pub(super) struct Receiving {
    pub(super) group: GroupId,
    /// First leg, or the leg that was last.
    pub(super) last: ReceiverLeg,
    /// Since when the broker can go on, if it is its turn; `None` while the device's link holds what it is to answer.
    pub(super) asked_at: Option<Instant>,
}

impl Receiving {
    pub(super) fn at(event: &Event, last: ReceiverLeg, asked_at: Option<Instant>) -> Self {
        Self {
            group: event.group,
            last,
            asked_at,
        }
    }

    pub(super) fn is_brokers_turn(&self) -> bool {
        self.last == ReceiverLeg::PubrecSent
    }

    pub(super) const fn state(&self) -> &'static str {
        match self.last {
            ReceiverLeg::PublishReceived | ReceiverLeg::DuplicateReceived => {
                "receiver has not sent PUBREC"
            }
            ReceiverLeg::PubrecSent => "receiver awaits PUBREL",
            ReceiverLeg::PubrelReceived | ReceiverLeg::PubcompSent => {
                "receiver has not sent PUBCOMP"
            }
        }
    }
}
