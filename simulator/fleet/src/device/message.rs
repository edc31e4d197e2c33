//! A message that a device publishes, from its due time to the end of its exchange.

use std::cell::Cell;
use std::rc::Rc;

use squall_protocol::client;
use squall_protocol::packet::{Publish, PublishProperties};
use squall_protocol::topic::TopicName;
use squall_protocol::{Instant, PacketId, QoS};

use crate::observation::{Fact, LegFact, SenderLeg};
use crate::stamp::Stamp;

/// What is published, with its identity.
#[derive(Debug)]
pub(crate) struct Message {
    /// Identity and due time.
    pub(crate) stamp: Stamp,
    /// When the device got to it: the due time, or as much later as the generator was late.
    pub(crate) reached_at: Instant,
    /// Topic Name.
    pub(crate) topic: TopicName<Rc<str>>,
    /// QoS of the PUBLISH.
    pub(crate) qos: QoS,
    /// Whether the broker is to retain it.
    pub(crate) retain: bool,
    /// The payload, stamp included.
    pub(crate) payload: Vec<u8>,
    /// Steps of its exchange for which a cut has been drawn.
    pub(crate) drawn: Cell<DrawnSteps>,
}

/// Steps of a QoS 2 exchange for which a cut has been drawn: each is drawn once a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct DrawnSteps(u8);

/// A step of a QoS 2 exchange after which a sender may cut.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SenderStep {
    /// PUBLISH was sent.
    Publish,
    /// PUBREC came.
    Pubrec,
    /// PUBREL was sent.
    Pubrel,
}

impl Message {
    /// Whether no cut has been drawn for this step before. Remembers that one is drawn now.
    pub(crate) fn draws_first_time(&self, step: SenderStep) -> bool {
        let DrawnSteps(drawn) = self.drawn.get();
        let bit = 1 << step as u8;
        self.drawn.set(DrawnSteps(drawn | bit));
        drawn & bit == 0
    }

    /// A step of its QoS 2 exchange, which has the identifier `id`.
    pub(super) fn sender_leg(&self, id: PacketId, leg: SenderLeg) -> Fact<'_> {
        Fact::Leg(LegFact::Sender {
            stamp: self.stamp,
            topic: self.topic.as_str(),
            id,
            leg,
        })
    }
}

/// A message that the device and its client role share.
#[derive(Clone, Debug)]
pub(crate) struct MessageHandle(pub(crate) Rc<Message>);

impl client::Message for MessageHandle {
    fn publish(&self) -> Publish<'_> {
        let Message {
            topic,
            qos,
            retain,
            payload,
            ..
        } = &*self.0;
        Publish {
            dup: false,
            qos: *qos,
            retain: *retain,
            topic: topic.borrowed(),
            packet_id: None,
            properties: PublishProperties::default(),
            payload,
        }
    }
}
