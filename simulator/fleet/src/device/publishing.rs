//! What a device publishes: due by schedule, sent if it can be, queued or skipped if not.
//!
//! A message of QoS 1 or 2 that cannot be sent when it is due waits in the device, in order: for
//! send quota (§4.9), for room in the drive or on the link, which keep a limited number of bytes,
//! and, if the Session outlives the connection, for the next connection. At most [`QUEUE_MAX`] wait.
//! Skipped, and told so, are: a message of QoS 0 without a connection or without room, a message
//! beyond the queue's limit, one whose payload a command has not given ([`lines`](super::lines)), and those that wait
//! when their Session ends.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use squall_protocol::{
    Instant, QoS,
    client::{Unsent, UnsentCause},
    topic::TopicName,
};
use squall_scenario::{Content, Payload, Publish, StampPlace, TemplateValues};

use super::ending::TransportEnd;
use super::lines::{Line, LineWait};
use super::message::{DrawnSteps, Message, MessageHandle, SenderStep};
use super::properties::{StreamProperties, Tie};
use super::turn::Turn;
use super::{Device, Profile};
use crate::drive::{SocketId, Teardown};
use crate::lines::append_line;
use crate::observation::{CutStep, EndCause, Fact, Pace, PublicationFact, SenderLeg, SkipCause};
use crate::payload::{FILLER, append_binary, append_json, append_text, property_value};
use crate::random::{Draws, Generator, Purpose};
use crate::schedule::{Due, Place, Schedule};
use crate::stamp::Stamp;

/// Messages that wait in a device at most.
const QUEUE_MAX: usize = 1_000;

/// One `[[group.publish]]` of one device.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) schedule: Schedule,
    rng: Generator,
    /// The Topic Name, if it is the same for every message.
    fixed_topic: Option<TopicName<Rc<str>>>,
    properties: StreamProperties,
    /// For a closed loop whose payloads a command gives.
    pub(super) line: LineWait,
}

impl Stream {
    /// All streams of a device, in file order.
    pub(super) fn all(draws: Draws, profile: &Profile, place: Place) -> Vec<Self> {
        (0..)
            .zip(&profile.publishes)
            .map(|(index, publish)| {
                let arrivals = draws.generator(Purpose::Arrivals, index);
                Self {
                    schedule: Schedule::new(Arc::clone(&publish.pacing), place, arrivals),
                    rng: draws.generator(Purpose::Payload, index),
                    fixed_topic: None,
                    properties: StreamProperties::new(&publish.properties, draws, index),
                    line: LineWait::None,
                }
            })
            .collect()
    }

    /// When it has to be looked at next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        match self.line {
            LineWait::None | LineWait::Waits => self.schedule.next_due(),
            // A closed loop that has begun has no other due time.
            LineWait::Over(since) => Some(since),
        }
    }

    /// The Topic Name of a message.
    fn topic(&mut self, publish: &Publish, values: &TemplateValues<'_>) -> TopicName<Rc<str>> {
        if let Some(topic) = &self.fixed_topic {
            return topic.clone();
        }
        let mut text = String::new();
        publish.topic.render(values, &mut self.rng, &mut text);
        let topic =
            TopicName::new(Rc::from(text)).expect("a resolved scenario renders Topic Names");
        if publish.topic.is_fixed_per_device() {
            self.fixed_topic = Some(topic.clone());
        }
        topic
    }
}

/// What a payload has of a stamp.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stamped {
    /// This one.
    InPayload(Stamp),
    /// None: the message has it elsewhere.
    Elsewhere,
}

/// The payload of one message.
pub(super) fn render_payload(
    payload: &Payload,
    values: &TemplateValues<'_>,
    rng: &mut Generator,
    stamped: Stamped,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut text = String::new();
    match payload {
        Payload::Size(sizes) => {
            let size = sizes.sample(rng).0 as usize;
            match stamped {
                Stamped::InPayload(stamp) => append_binary(&mut out, stamp, size),
                Stamped::Elsewhere => out.resize(size, FILLER),
            }
        }
        Payload::Text(template) => {
            template.render(values, rng, &mut text);
            append_bytes(&mut out, stamped, text.as_bytes());
        }
        Payload::Json(template) => {
            template.render(values, rng, &mut text);
            match stamped {
                Stamped::InPayload(stamp) => append_json(&mut out, stamp, &text),
                Stamped::Elsewhere => out.extend_from_slice(text.as_bytes()),
            }
        }
        Payload::Bytes(fixed) => append_bytes(&mut out, stamped, &fixed.bytes),
    }
    out
}

/// The payload of a message that a command gives; empty without its line.
fn line_payload(line: &Line, stamped: Stamped) -> Vec<u8> {
    let mut out = Vec::new();
    match (line, stamped) {
        (Line::Unneeded | Line::Missing(_), _) => {}
        (Line::Came(line), Stamped::InPayload(stamp)) => append_line(&mut out, stamp, line),
        (Line::Came(line), Stamped::Elsewhere) => out.extend_from_slice(line),
    }
    out
}

fn append_bytes(out: &mut Vec<u8>, stamped: Stamped, bytes: &[u8]) {
    match stamped {
        Stamped::InPayload(stamp) => append_text(out, stamp, bytes),
        Stamped::Elsewhere => out.extend_from_slice(bytes),
    }
}

/// Numbers the messages of a device to each Topic Name.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    next: BTreeMap<Rc<str>, u32>,
}

impl Sequences {
    pub(super) fn take(&mut self, topic: &TopicName<Rc<str>>) -> u32 {
        match self.next.get_mut(topic.as_str()) {
            Some(next) => {
                let sequence = *next;
                *next += 1;
                sequence
            }
            None => {
                self.next.insert(topic.clone().into_inner(), 1);
                0
            }
        }
    }
}

/// Whole milliseconds of a Unix time.
pub(super) fn unix_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Device {
    /// Publishes what is due.
    pub(super) fn publish_due(&mut self, turn: &mut Turn<'_>) {
        for index in 0..self.streams.len() {
            // A device that is switched off has nothing to publish.
            while self.is_away_on_purpose() && self.streams[index].schedule.pass_over(turn.now) {}
            while let Some(due) = self.streams[index].schedule.poll(turn.now) {
                self.publish_next(turn, index, due);
            }
        }
    }

    /// Publishes what the windows of closed loops have room for.
    pub(super) fn fill_windows(&mut self, turn: &mut Turn<'_>) {
        for place in 0..self.streams.len() {
            let stream = &mut self.streams[place];
            stream.schedule.handle_window_begun(turn.now);
            if let LineWait::Over(_) = stream.line {
                stream.line = LineWait::None;
            }
            while self.queue.is_empty()
                && self.client.can_publish()
                && self.has_room()
                && self.has_line(turn, place)
                && let Some(due) = self.streams[place].schedule.poll_window(turn.now)
            {
                self.publish_next(turn, place, due);
            }
        }
    }

    /// Publishes the message of a stream that is due, if it has a payload.
    fn publish_next(&mut self, turn: &mut Turn<'_>, place: usize, due: Due) {
        let line = self.take_line(turn, place);
        let message = self.compose(place, due, &line, turn);
        match line {
            Line::Unneeded | Line::Came(_) => self.handle_due(turn, message),
            Line::Missing(why) => {
                self.tell_due(turn, &message);
                self.skip(turn, &message, SkipCause::NoLine(why));
            }
        }
    }

    /// Tells that a message is due, and sends it if it can be.
    pub(super) fn handle_due(&mut self, turn: &mut Turn<'_>, message: Message) {
        self.tell_due(turn, &message);
        self.offer(turn, MessageHandle(Rc::new(message)));
    }

    fn tell_due(&self, turn: &mut Turn<'_>, message: &Message) {
        let pace = match message.closed_loop {
            Some(_) => Pace::ClosedLoop,
            None => Pace::Schedule,
        };
        let fact = Fact::Publication(PublicationFact::Due {
            stamp: message.stamp,
            topic: message.topic.as_str(),
            qos: message.qos,
            pace,
        });
        self.tell(turn, self.current_socket(), fact);
    }

    /// The message of a stream that is due. All draws of a message are made here, whether it can
    /// be sent or not. Without its line it has no payload.
    fn compose(&mut self, place: usize, due: Due, line: &Line, turn: &Turn<'_>) -> Message {
        let publish = &self.profile.publishes[place];
        let stream = &mut self.streams[place];
        let values = TemplateValues {
            index: self.index,
            client_id: &self.client_id,
            seq: due.number,
            now_ms: unix_millis(turn.shared.started_at + due.at.since_start()),
        };
        let topic = stream.topic(publish, &values);
        let properties = stream.properties.of_message(&publish.properties, &values);
        let asks = properties
            .as_ref()
            .is_some_and(|of| of.response_topic().is_some());
        let tie = match asks {
            true => Tie::request(turn.shared.run, self.who.device, self.requests),
            false => Tie::None,
        };
        self.requests += u32::from(asks);
        let stamp = Stamp {
            run: turn.shared.run,
            device: self.who.device,
            sequence: self.sequences.take(&topic),
            scheduled: due.at,
        };
        let (stamped, stamp_property) = match publish.stamp {
            StampPlace::Payload => (Stamped::InPayload(stamp), None),
            StampPlace::Property => (Stamped::Elsewhere, Some(property_value(stamp).into())),
            StampPlace::None => (Stamped::Elsewhere, None),
        };
        Message {
            stamp,
            reached_at: turn.now,
            payload: match &publish.payload {
                Content::Composed(payload) => {
                    render_payload(payload, &values, &mut stream.rng, stamped)
                }
                Content::Lines(_) => line_payload(line, stamped),
            },
            stamp_property,
            stamp_place: publish.stamp,
            topic,
            qos: publish.qos,
            retain: publish.retain,
            properties,
            tie,
            closed_loop: publish.pacing.window.map(|_| place),
            drawn: Cell::new(DrawnSteps::default()),
        }
    }

    /// Sends a message that is due, or lets it wait, or skips it.
    fn offer(&mut self, turn: &mut Turn<'_>, message: MessageHandle) {
        let waits_its_turn = message.0.qos != QoS::AtMostOnce && !self.queue.is_empty();
        let unsent = if waits_its_turn || !self.has_room() {
            let cause = if self.is_online() {
                UnsentCause::QuotaExhausted
            } else {
                UnsentCause::NotConnected
            };
            Unsent { message, cause }
        } else {
            match self.publish(turn, message) {
                Ok(()) => return,
                Err(unsent) => unsent,
            }
        };
        let Unsent { message, cause } = unsent;
        let may_wait = match cause {
            UnsentCause::NotConnected => {
                message.0.qos != QoS::AtMostOnce && self.profile.is_persistent()
            }
            UnsentCause::QuotaExhausted => message.0.qos != QoS::AtMostOnce,
            UnsentCause::PacketTooLarge
            | UnsentCause::QoSNotSupported { .. }
            | UnsentCause::RetainNotSupported => false,
        };
        if may_wait && self.queue.len() < QUEUE_MAX {
            self.queue.push_back(message);
        } else {
            self.skip(turn, &message.0, SkipCause::Unsent(cause));
        }
    }

    /// Hands a message to the client role. A cut of the `qos2` block may follow at once.
    fn publish(
        &mut self,
        turn: &mut Turn<'_>,
        message: MessageHandle,
    ) -> Result<(), Unsent<MessageHandle>> {
        let published = Rc::clone(&message.0);
        let id = self.client.publish(turn.now, message)?;
        turn.shared.figures.published += 1;
        self.note_published();
        let socket = self.current_socket();
        let Message {
            stamp,
            reached_at,
            topic,
            qos,
            retain,
            payload,
            ..
        } = &*published;
        let fact = Fact::Publication(PublicationFact::Sent {
            stamp: *stamp,
            topic: topic.as_str(),
            qos: *qos,
            retain: *retain,
            payload,
            properties: &published.properties(),
            reached_at: *reached_at,
            expiry: published.expiry(),
            stamp_place: published.stamp_place,
        });
        self.tell(turn, socket, fact);
        if let Some(exchange) = published.exchange() {
            self.tell(turn, socket, Fact::Exchange(exchange));
        }
        if let (Some(repeats), Some(id)) = (&mut self.repeats, id) {
            repeats.await_answer(turn.now, id);
        }
        let (QoS::ExactlyOnce, Some(id)) = (*qos, id) else {
            return Ok(());
        };
        let fact = published.sender_leg(id, SenderLeg::PublishSent);
        self.tell(turn, socket, fact);
        let faults = self.qos2_faults.as_mut();
        if faults.is_some_and(|faults| faults.cuts(&published, SenderStep::Publish)) {
            self.cut(turn, CutStep::Publish);
        }
        Ok(())
    }

    /// Sends what waits, until quota or room runs out.
    pub(super) fn send_queue(&mut self, turn: &mut Turn<'_>) {
        while self.client.can_publish()
            && self.has_room()
            && let Some(message) = self.queue.pop_front()
        {
            if let Err(Unsent { message, cause }) = self.publish(turn, message) {
                self.skip(turn, &message.0, SkipCause::Unsent(cause));
            }
        }
    }

    /// Whether the active connection takes another message. True without one: the client role
    /// then refuses the message with its own reason.
    pub(super) fn has_room(&self) -> bool {
        self.active_place()
            .is_none_or(|place| self.connections[place].has_room())
    }

    /// Skips what waits: its Session is over, or the run is.
    pub(super) fn skip_queue(&mut self, turn: &mut Turn<'_>) {
        while let Some(message) = self.queue.pop_front() {
            let cause = SkipCause::Unsent(UnsentCause::NotConnected);
            self.skip(turn, &message.0, cause);
        }
    }

    pub(super) fn skip(&mut self, turn: &mut Turn<'_>, message: &Message, cause: SkipCause) {
        if let Some(place) = message.closed_loop {
            self.streams[place].schedule.answered();
        }
        let fact = Fact::Publication(PublicationFact::Skipped {
            stamp: message.stamp,
            topic: message.topic.as_str(),
            qos: message.qos,
            cause,
        });
        self.tell(turn, self.current_socket(), fact);
    }

    /// Resets the active connection: a cut of the `qos2` block.
    pub(super) fn cut(&mut self, turn: &mut Turn<'_>, step: CutStep) {
        let cause = EndCause::Qos2Cut { step };
        self.end_active(turn, cause, TransportEnd::Close(Teardown::Reset));
    }

    /// The socket to name in facts that belong to no particular connection: the active one, or
    /// else the last one asked for.
    pub(super) fn current_socket(&self) -> SocketId {
        match self.active_place() {
            Some(place) => self.connections[place].socket,
            None => self.last_socket(),
        }
    }
}
