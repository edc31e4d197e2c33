//! Requests and their responses (§4.10): what the broker changed on their way, and which never came.
//!
//! A message with a Response Topic is a request from when it is sent; without one, a message that a
//! `[[group.respond]]` answers is. What became of the two messages is `deliveries`' to say: a request is unanswered
//! where the book of deliveries calls it or its response lost, or where the broker had changed it so that it could not be
//! answered. What the specification allows to be missing is owed no response.

mod close;
mod counts;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use squall_fleet::{ExchangeFact, SocketId, Stamp};
use squall_protocol::Instant;
use squall_protocol::packet::PublishProperties;
use squall_run::{AnomalyKind, duration_text};
use squall_scenario::{DeviceId, GroupId};

use super::anomalies::Anomalies;
use super::deliveries::{FirstDelivery, Wait};
use super::event::Event;
use super::memory::{GivenUp, Memory, MemoryLimit};
use super::missing::MessageKey;
use super::roster::Roster;
pub(crate) use counts::{ResponseCounts, ResponseLimit};

/// Answered requests that are remembered, so that a second response to one is not taken for another request.
const ANSWERED_KEPT: usize = 65_536;

/// The books of requests and responses.
#[derive(Debug)]
pub(crate) struct Responses {
    roster: Roster,
    requests: HashMap<MessageKey, Request>,
    /// The request of each response that has not come.
    requests_of: HashMap<MessageKey, MessageKey>,
    /// In the order of their responses.
    answered: VecDeque<MessageKey>,
    counts: ResponseCounts,
    limits: Vec<ResponseLimit>,
    memory: Memory,
    given_up: GivenUp,
    anomalies: Anomalies,
    /// Requests that were owed a response and had none when the book was closed: whose, and when the generator got
    /// to them.
    without_response: Vec<(GroupId, Instant)>,
}

/// A message that wants a response.
#[derive(Debug)]
struct Request {
    device: DeviceId,
    topic: Box<str>,
    due: Instant,
    /// When the generator got to it; the due time where that is not known.
    reached_at: Instant,
    /// What it was sent with; `None` for a message without a Response Topic.
    asked: Option<Asked>,
    /// Its first response.
    answer: Option<Answer>,
    /// Whether the broker passed it on otherwise than it was.
    is_changed: bool,
    /// Whether the device that answers was away when it was sent.
    has_waited: bool,
    is_answered: bool,
}

#[derive(Debug)]
struct Asked {
    at: Instant,
    socket: SocketId,
    response_topic: Box<str>,
    correlation: Box<[u8]>,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    /// When the request had reached the device that answers.
    arrived: Instant,
    sent_at: Instant,
}

/// A response came to the device that asked, for the first time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Answered {
    /// When the request was due.
    pub(crate) due: Instant,
    /// When the generator got to it; the due time where that is not known.
    pub(crate) reached_at: Instant,
    /// When it was sent, if that is known.
    pub(crate) sent_at: Option<Instant>,
}

impl Responses {
    /// Nothing was asked yet.
    pub(crate) fn new(roster: Roster, limits: Vec<ResponseLimit>, memory: Memory) -> Self {
        Self {
            roster,
            requests: HashMap::new(),
            requests_of: HashMap::new(),
            answered: VecDeque::new(),
            counts: ResponseCounts::new(limits.len()),
            limits,
            memory,
            given_up: GivenUp::default(),
            anomalies: Anomalies::new(memory.anomalies_per_kind),
            without_response: Vec::new(),
        }
    }

    /// Whether no message that comes can be a request or a response.
    pub(crate) fn is_idle(&self) -> bool {
        self.requests.is_empty()
    }

    /// What was counted.
    pub(crate) fn counts(&self) -> &ResponseCounts {
        &self.counts
    }

    /// Responses that took longer than the `[[expect]]` with this number allows.
    pub(crate) fn late(&self, expectation: usize) -> u64 {
        let limits = self.limits.iter().zip(&self.counts.late);
        let mut of_it = limits.filter(|(limit, _)| limit.expectation == expectation);
        of_it.next().map_or(0, |(_, &late)| late)
    }

    /// What should not have happened.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    pub(crate) fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// What was given up to save memory.
    pub(crate) fn given_up(&self) -> &GivenUp {
        &self.given_up
    }

    /// A request or a response was sent.
    pub(crate) fn handle_exchange(&mut self, event: &Event, fact: &ExchangeFact<'_>) {
        match *fact {
            ExchangeFact::Asked {
                stamp,
                topic,
                response_topic,
                correlation,
                reached_at,
            } => {
                let asked = Asked {
                    at: event.now,
                    socket: event.socket,
                    response_topic: response_topic.into(),
                    correlation: correlation.into(),
                };
                self.add(stamp, topic, reached_at, Some(asked));
            }
            ExchangeFact::Answered {
                stamp,
                topic,
                request,
                request_topic,
                arrived,
                is_tied,
            } => {
                let key = MessageKey::of(request, request_topic);
                if !self.requests.contains_key(&key) && !is_tied {
                    self.add(request, request_topic, request.scheduled, None);
                }
                if let Some(request) = self.requests.get_mut(&key) {
                    request.answer.get_or_insert(Answer {
                        arrived,
                        sent_at: event.now,
                    });
                    self.requests_of.insert(MessageKey::of(stamp, topic), key);
                }
            }
        }
    }

    fn add(&mut self, stamp: Stamp, topic: &str, reached_at: Instant, asked: Option<Asked>) {
        if self.requests.len() >= self.memory.requests {
            self.given_up.add(MemoryLimit::Requests, 1);
            return;
        }
        self.counts.requests += 1;
        let request = Request {
            device: stamp.device,
            topic: topic.into(),
            due: stamp.scheduled,
            reached_at,
            asked,
            answer: None,
            is_changed: false,
            has_waited: false,
            is_answered: false,
        };
        self.requests.insert(MessageKey::of(stamp, topic), request);
    }

    /// A message of this run came for the first time, perhaps a response.
    pub(crate) fn handle_response(
        &mut self,
        event: &Event,
        key: MessageKey,
        properties: &PublishProperties<'_>,
    ) -> Option<Answered> {
        let asked = *self.requests_of.get(&key)?;
        let request = self.requests.get(&asked)?;
        if request.device != event.device {
            return None;
        }
        self.requests_of.remove(&key);
        self.check_response(event, asked, properties);
        self.note_answered(event, asked)
    }

    /// A message of this run came, perhaps a request: it must be as it was sent [MQTT-3.3.2-15] [MQTT-3.3.2-16], for
    /// every recipient, whether that answers or not. `first` is there for the first copy.
    pub(crate) fn handle_request(
        &mut self,
        event: &Event,
        key: MessageKey,
        properties: &PublishProperties<'_>,
        first: Option<FirstDelivery>,
    ) {
        let Some(request) = self.requests.get_mut(&key) else {
            return;
        };
        request.has_waited |= first.is_some_and(|first| first.wait == Wait::Offline);
        let Some(asked) = &request.asked else { return };
        let is_whole = properties.response_topic == Some(&*asked.response_topic)
            && properties.correlation_data == Some(&*asked.correlation);
        if is_whole || !self.roster.speaks_v5(event.group) {
            return;
        }
        if self.roster.responds(event.group) {
            request.is_changed = true;
        }
        let what = format!(
            "a request to {} came to {} with another Response Topic or Correlation Data than it was sent with \
             [MQTT-3.3.2-15] [MQTT-3.3.2-16]",
            request.topic,
            self.roster.names().of(event.device)
        );
        self.note_misdirected(event, what);
    }

    /// Whether a response came with the Correlation Data of its request [MQTT-3.3.2-16].
    fn check_response(
        &mut self,
        event: &Event,
        key: MessageKey,
        properties: &PublishProperties<'_>,
    ) {
        let request = &self.requests[&key];
        let Some(asked) = &request.asked else { return };
        // One that came to its device otherwise is told already.
        if request.is_changed || properties.correlation_data == Some(&*asked.correlation) {
            return;
        }
        let what = format!(
            "the response to the request that {} sent to {} came with other Correlation Data [MQTT-3.3.2-16]",
            self.roster.names().of(request.device),
            request.topic
        );
        self.note_misdirected(event, what);
    }

    fn note_misdirected(&mut self, event: &Event, what: String) {
        self.counts.misdirected += 1;
        let kind = AnomalyKind::ResponseMisdirected;
        let anomaly = || event.anomaly(kind, what);
        self.anomalies.note(kind, event.subject(), anomaly);
    }

    fn note_answered(&mut self, event: &Event, key: MessageKey) -> Option<Answered> {
        let request = self.requests.get_mut(&key)?;
        if std::mem::replace(&mut request.is_answered, true) {
            return None;
        }
        let answered = Answered {
            due: request.due,
            reached_at: request.reached_at,
            sent_at: request.asked.as_ref().map(|asked| asked.at),
        };
        let took = request.broker_time(event);
        self.counts.answered += 1;
        self.answered.push_back(key);
        if self.answered.len() > ANSWERED_KEPT
            && let Some(oldest) = self.answered.pop_front()
        {
            self.requests.remove(&oldest);
        }
        if let Some(took) = took {
            self.note_time(event, took, answered.reached_at);
        }
        Some(answered)
    }

    /// A response took so long, without what the device that answers took.
    fn note_time(&mut self, event: &Event, took: Duration, since: Instant) {
        self.counts.slowest = self.counts.slowest.max(Some(took));
        for (limit, late) in self.limits.iter().zip(&mut self.counts.late) {
            if took <= limit.within {
                continue;
            }
            *late += 1;
            let noticed = event.subject().between(since, event.now);
            let kind = AnomalyKind::ResponseLate;
            self.anomalies
                .note(kind, noticed.beyond(took - limit.within), || {
                    let what = format!(
                        "a request and its response took {}, without the time of the device that answered; {} are allowed",
                        duration_text(took.as_secs_f64()),
                        duration_text(limit.within.as_secs_f64())
                    );
                    event.anomaly(kind, what)
                });
        }
    }

    fn group_of(&self, device: DeviceId) -> Option<GroupId> {
        self.roster.group_of(device)
    }
}

impl Request {
    /// What the broker took for both messages of an exchange whose response came with `event`. `None` where one of
    /// the devices was away meanwhile, or the moments are not known.
    fn broker_time(&self, event: &Event) -> Option<Duration> {
        let (asked, answer) = (self.asked.as_ref()?, self.answer?);
        if asked.socket != event.socket || self.has_waited {
            return None;
        }
        let there = answer.arrived.saturating_since(asked.at);
        Some(there + event.arrived.saturating_since(answer.sent_at))
    }
}
