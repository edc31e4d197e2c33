//! The birth: what a device publishes once on each connection.
//!
//! It is due on the SUBACK where the device subscribes on that connection, on the CONNACK otherwise, at the
//! moment at which that reached the device: what it then waits for the generator counts. It is a message like
//! any other, behind those of QoS 1 and 2 that wait in the device. What still waits of the birth of an
//! earlier connection is skipped: it would be a second one on this connection.
//!
//! Its draws are its own, so that a birth shifts none of a `[[group.publish]]`. From the look at what is
//! retained on there is none: it would change what is looked at.

use std::cell::Cell;
use std::rc::Rc;

use squall_protocol::{client::UnsentCause, topic::TopicName};
use squall_scenario::{StampPlace, TemplateValues};

use super::message::{DrawnSteps, Message};
use super::properties::Tie;
use super::publishing::{Stamped, render_payload, unix_millis};
use super::turn::Turn;
use super::{Device, Profile};
use crate::observation::SkipCause;
use crate::random::{Draws, Generator, Purpose};
use crate::stamp::Stamp;

/// The births of one device.
#[derive(Debug)]
pub(super) struct Births {
    topic: TopicName<Rc<str>>,
    rng: Generator,
    /// Births before.
    count: u64,
    last: Option<Stamp>,
}

impl Births {
    /// Those of the device with this `index`; `None` if its group has none.
    pub(super) fn new(
        draws: Draws,
        profile: &Profile,
        index: u32,
        client_id: &str,
    ) -> Option<Self> {
        let birth = profile.birth.as_ref()?;
        let topic: Rc<str> = birth.topic.render(index, client_id).into();
        Some(Self {
            topic: TopicName::new(topic).expect("a resolved scenario renders Topic Names"),
            rng: draws.generator(Purpose::Birth, 0),
            count: 0,
            last: None,
        })
    }
}

impl Device {
    /// Publishes the birth of the active connection, if the group has one.
    pub(super) fn publish_birth(&mut self, turn: &mut Turn<'_>) {
        self.skip_last_birth(turn);
        let (Some(births), Some(birth)) = (&mut self.births, &self.profile.birth) else {
            return;
        };
        let due = turn.now - turn.waited.unwrap_or_default();
        let values = TemplateValues {
            index: self.index,
            client_id: &self.client_id,
            seq: births.count,
            now_ms: unix_millis(turn.shared.started_at + due.since_start()),
        };
        let stamp = Stamp {
            run: turn.shared.run,
            device: self.who.device,
            sequence: self.sequences.take(&births.topic),
            scheduled: due,
        };
        births.count += 1;
        births.last = Some(stamp);
        let message = Message {
            stamp,
            reached_at: turn.now,
            payload: render_payload(
                &birth.payload,
                &values,
                &mut births.rng,
                Stamped::InPayload(stamp),
            ),
            topic: births.topic.clone(),
            qos: birth.qos,
            retain: birth.retain,
            properties: None,
            stamp_property: None,
            stamp_place: StampPlace::Payload,
            tie: Tie::None,
            closed_loop: None,
            drawn: Cell::new(DrawnSteps::default()),
        };
        self.handle_due(turn, message);
    }

    /// Skips the birth of an earlier connection if it still waits.
    fn skip_last_birth(&mut self, turn: &mut Turn<'_>) {
        let Some(births) = &self.births else { return };
        let mut waiting = self.queue.iter();
        let place = waiting.position(|message| {
            Some(message.0.stamp) == births.last && message.0.topic == births.topic
        });
        if let Some(message) = place.and_then(|place| self.queue.remove(place)) {
            self.skip(
                turn,
                &message.0,
                SkipCause::Unsent(UnsentCause::NotConnected),
            );
        }
    }

    /// Connections from now on have no birth.
    pub(crate) fn end_births(&mut self) {
        self.births = None;
    }
}
