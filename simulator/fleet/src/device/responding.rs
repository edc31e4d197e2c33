//! Responses: what a `[[group.respond]]` makes of a message of this run that comes.
//!
//! A response is due its delay after the request reached the device, and is a message like any other: it counts from
//! its due time, and waits in the device where it cannot be sent. In the second half of the drain no response is
//! sent: its way would not be over when the run is, and it would be taken for lost.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use squall_protocol::packet::Publish;
use squall_protocol::topic::{TopicFilter, TopicName};
use squall_protocol::{Instant, Version};
use squall_scenario::{StampPlace, TemplateValues};

use super::message::{DrawnSteps, Message};
use super::properties::{Answered, Tie};
use super::publishing::{Stamped, render_payload, unix_millis};
use super::turn::Turn;
use super::{Device, Profile};
use crate::payload;
use crate::random::{Draws, Generator, Purpose};
use crate::stamp::{RunTag, Stamp};

/// Responses of one device that wait for their time at most; requests beyond are not answered.
const WAITING_MAX: usize = 10_000;

/// The responses of one device.
#[derive(Debug)]
pub(super) struct Responder {
    blocks: Vec<Block>,
    /// In the order of their times, then of their requests.
    waiting: BTreeMap<(Instant, u64), Waiting>,
    /// Requests that were taken.
    taken: u64,
    /// From here on no response is due.
    ends: Option<Instant>,
}

/// One `[[group.respond]]`.
#[derive(Debug)]
struct Block {
    filter: TopicFilter<Box<str>>,
    delays: Generator,
    payloads: Generator,
    /// Responses before.
    count: u64,
}

/// A response that is not due yet.
#[derive(Debug)]
struct Waiting {
    block: usize,
    /// The Response Topic of the request; without one it is the block's topic.
    topic: Option<TopicName<Rc<str>>>,
    answered: Answered,
}

impl Responder {
    /// Those of the device with this `index`; `None` if its group answers nothing.
    pub(super) fn new(
        draws: Draws,
        profile: &Profile,
        index: u32,
        client_id: &str,
    ) -> Option<Box<Self>> {
        let blocks = (0..).zip(&profile.responds).map(|(number, respond)| {
            let filter = respond.filter.render(index, client_id).into_boxed_str();
            Block {
                filter: TopicFilter::for_version(filter, Version::V3_1_1)
                    .expect("a resolved scenario renders Topic Filters"),
                delays: draws.generator(Purpose::ResponseDelay, number),
                payloads: draws.generator(Purpose::Response, number),
                count: 0,
            }
        });
        let blocks: Vec<Block> = blocks.collect();
        (!blocks.is_empty()).then(|| {
            Box::new(Self {
                blocks,
                waiting: BTreeMap::new(),
                taken: 0,
                ends: None,
            })
        })
    }

    /// When the next response is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }

    /// A message reached the device's machine, and then the device: takes it if it is a request of `run`.
    pub(super) fn take(
        &mut self,
        profile: &Profile,
        run: RunTag,
        [at_machine, arrived]: [Instant; 2],
        publish: &Publish<'_>,
    ) {
        let stamp = payload::stamp_of(publish).filter(|stamp| stamp.run == run);
        let Some(stamp) = stamp else { return };
        let properties = &publish.properties;
        for (place, (block, respond)) in self.blocks.iter_mut().zip(&profile.responds).enumerate() {
            if !block.filter.matches(&publish.topic) {
                continue;
            }
            let topic = match (properties.response_topic, &respond.topic) {
                (Some(topic), _) => match TopicName::new(Rc::from(topic)) {
                    Ok(topic) => Some(topic),
                    Err(_) => continue,
                },
                (None, Some(_)) => None,
                (None, None) => continue,
            };
            let due = arrived + respond.delay.sample(&mut block.delays);
            let is_late = self.ends.is_some_and(|ends| due >= ends);
            if is_late || self.waiting.len() >= WAITING_MAX {
                continue;
            }
            let answered = Answered {
                stamp,
                topic: publish.topic.to_stored(),
                arrived: at_machine,
                correlation: properties.correlation_data.map(Box::from),
            };
            let waiting = Waiting {
                block: place,
                topic,
                answered,
            };
            self.waiting.insert((due, self.taken), waiting);
            self.taken += 1;
        }
    }

    fn poll(&mut self, now: Instant) -> Option<(Instant, Waiting)> {
        let first = self.waiting.first_entry()?;
        let (due, _) = *first.key();
        (due <= now).then(|| (due, first.remove()))
    }
}

impl Device {
    /// Sends the responses that are due.
    pub(super) fn respond_due(&mut self, turn: &mut Turn<'_>) {
        while let Some(responder) = &mut self.responder
            && let Some((due, waiting)) = responder.poll(turn.now)
        {
            if responder.ends.is_some_and(|ends| due >= ends) {
                continue;
            }
            let block = &mut responder.blocks[waiting.block];
            let respond = &self.profile.responds[waiting.block];
            let values = TemplateValues {
                index: self.index,
                client_id: &self.client_id,
                seq: block.count,
                now_ms: unix_millis(turn.shared.started_at + due.since_start()),
            };
            block.count += 1;
            let own_topic = || {
                let mut text = String::new();
                let template = respond.topic.as_ref()?;
                template.render(&values, &mut block.payloads, &mut text);
                let name = TopicName::new(Rc::from(text));
                Some(name.expect("a resolved scenario renders Topic Names"))
            };
            let Some(topic) = waiting.topic.or_else(own_topic) else {
                continue;
            };
            let stamp = Stamp {
                run: turn.shared.run,
                device: self.who.device,
                sequence: self.sequences.take(&topic),
                scheduled: due,
            };
            let message = Message {
                stamp,
                reached_at: turn.now,
                payload: render_payload(
                    &respond.payload,
                    &values,
                    &mut block.payloads,
                    Stamped::InPayload(stamp),
                ),
                topic,
                qos: respond.qos,
                retain: false,
                properties: None,
                stamp_property: None,
                stamp_place: StampPlace::Payload,
                tie: Tie::Response(Box::new(waiting.answered)),
                closed_loop: None,
                drawn: Cell::new(DrawnSteps::default()),
            };
            self.handle_due(turn, message);
        }
    }

    /// No response is due from `at` on.
    pub(crate) fn end_responses(&mut self, at: Instant) {
        if let Some(responder) = &mut self.responder {
            responder.ends = Some(at);
        }
    }
}
