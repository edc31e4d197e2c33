//! A message that a device publishes, from its due time to the end of its exchange.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall_protocol::client;
use squall_protocol::packet::{Publish, PublishProperties};
use squall_protocol::topic::TopicName;
use squall_protocol::{Instant, PacketId, QoS};
use squall_scenario::StampPlace;

use super::properties::{Properties, Tie, of_publish};
use crate::observation::{ExchangeFact, Fact, LegFact, SenderLeg};
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
    /// The payload, stamp included where it is there.
    pub(crate) payload: Vec<u8>,
    /// Properties of its own, or that it shares with the others of its stream.
    pub(crate) properties: Option<Rc<Properties>>,
    /// Its stamp as a User Property, if it has it there.
    pub(crate) stamp_property: Option<Box<str>>,
    /// Where it bears its stamp.
    pub(crate) stamp_place: StampPlace,
    /// What ties it to another message.
    pub(crate) tie: Tie,
    /// The stream whose closed loop it is of; `None` for one that was due by a schedule.
    pub(crate) closed_loop: Option<usize>,
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

    /// What ties it to another message, if something does.
    pub(super) fn exchange(&self) -> Option<ExchangeFact<'_>> {
        let (stamp, topic) = (self.stamp, self.topic.as_str());
        match &self.tie {
            Tie::None => None,
            Tie::Request(correlation) => Some(ExchangeFact::Asked {
                stamp,
                topic,
                response_topic: self.properties.as_ref()?.response_topic()?,
                correlation,
                reached_at: self.reached_at,
            }),
            Tie::Response(answered) => Some(ExchangeFact::Answered {
                stamp,
                topic,
                request: answered.stamp,
                request_topic: answered.topic.as_str(),
                arrived: answered.arrived,
                is_tied: answered.correlation.is_some(),
            }),
        }
    }

    /// The properties of its PUBLISH, the same each time that it is sent.
    pub(super) fn properties(&self) -> PublishProperties<'_> {
        of_publish(
            self.properties.as_deref(),
            self.stamp_property.as_deref(),
            &self.tie,
        )
    }

    /// Its Message Expiry Interval.
    pub(super) fn expiry(&self) -> Option<Duration> {
        let seconds = self.properties.as_ref()?.message_expiry()?;
        Some(Duration::from_secs(seconds.into()))
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
            properties: self.0.properties(),
            payload,
        }
    }
}
