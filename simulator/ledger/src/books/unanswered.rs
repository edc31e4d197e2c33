//! What the broker never answered, over connections that gave it every chance to.
//!
//! A PUBLISH of QoS 1 or 2, a SUBSCRIBE, an UNSUBSCRIBE and a PINGREQ each have an answer (§3.3.4, §3.8.4, §3.10.4, §3.12.4). A
//! broker that leaves one out breaks no claim by that: the message is not owed, the latency has no
//! sample, the device has no subscription. So it is counted here, whatever a scenario claims.
//!
//! A connection over a link is left out where a device gave up: the link may have held the answer
//! back. Where a connection ended before the answer could come, none is missed.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use squall_fleet::{EndCause, Path, SocketId};
use squall_protocol::{Instant, QoS};
use squall_scenario::{DeviceId, GroupId};

use super::event::Event;
use super::hold_ups::{HoldUps, MISSING_FROM};

/// Something that the broker must answer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Request {
    /// PUBLISH at QoS 1.
    PublishQos1,
    /// PUBLISH, or PUBREL, of an exchange at QoS 2.
    ExchangeQos2,
    /// SUBSCRIBE.
    Subscribe,
    /// UNSUBSCRIBE.
    Unsubscribe,
    /// PINGREQ.
    Pingreq,
}

/// Requests of one kind without an answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Waiting {
    /// All of them.
    pub(crate) count: u64,
    /// Of those, the ones that certainly get none: the device gave up, or the broker has answered a
    /// later one, although it must answer in order [MQTT-4.6.0-2].
    pub(crate) hopeless: u64,
    /// Of those, the ones that the generator may have left waiting itself: without the time in which it was held up, none
    /// had waited for longer than a device waits for an answer.
    pub(crate) excused: u64,
    /// How long the generator was held up at most, while one of those waited.
    pub(crate) held_up: Duration,
    /// How long the oldest had waited.
    pub(crate) oldest: Duration,
    /// The same of those that are not excused.
    pub(crate) oldest_unexcused: Duration,
    /// The device of the first that was noticed.
    pub(crate) first: Option<DeviceId>,
}

/// A message whose exchange was open when the books were closed, over a connection that was up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    /// Who publishes it.
    pub(crate) device: DeviceId,
    /// The group of that.
    pub(crate) group: GroupId,
    /// Its QoS.
    pub(crate) qos: QoS,
    /// When the generator got to it.
    pub(crate) reached_at: Instant,
    /// Since when the broker is to answer.
    pub(crate) asked_at: Instant,
    /// Whether the broker has answered a later one of the same device.
    pub(crate) is_overtaken: bool,
}

/// A message that one online recipient had not had when the books were closed, whose exchange with the
/// broker was open too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Undelivered {
    /// The group of the recipient.
    pub(crate) group: GroupId,
    /// QoS of the PUBLISH.
    pub(crate) qos: QoS,
    /// When the generator got to it.
    pub(crate) reached_at: Instant,
    /// When it was sent for the first time.
    pub(crate) sent_at: Instant,
    /// When it left its publisher's link; `None` if that is not known.
    pub(crate) left_at: Option<Instant>,
}

/// What is under way when the books are closed: a latency without an end has its age at least.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnderWay {
    /// Exchanges that the broker is to go on with.
    pub(crate) exchanges: Vec<Pending>,
    /// Deliveries of their messages.
    pub(crate) deliveries: Vec<Undelivered>,
}

/// Requests without an answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    /// How long a device waits for an answer.
    patience: Duration,
    hold_ups: HoldUps,
    /// The first SUBSCRIBE of a connection that is not answered, and how many are not.
    subscribing: HashMap<SocketId, (Event, u32)>,
    /// The same of UNSUBSCRIBE.
    unsubscribing: HashMap<SocketId, (Event, u32)>,
    waiting: BTreeMap<Request, Waiting>,
}

impl Unanswered {
    /// Nothing was asked. A device waits for an answer for `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            hold_ups: HoldUps::default(),
            subscribing: HashMap::new(),
            unsubscribing: HashMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// The generator was held up for `length` until `until`.
    pub(crate) fn note_hold_up(&mut self, length: Duration, until: Instant) {
        self.hold_ups.note(length, until);
    }

    /// All kinds of which there are any.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (Request, &Waiting)> {
        self.waiting
            .iter()
            .map(|(&request, waiting)| (request, waiting))
    }

    /// SUBSCRIBE was sent.
    pub(crate) fn handle_subscribe_sent(&mut self, event: &Event) {
        note_sent(&mut self.subscribing, event);
    }

    /// SUBACK came.
    pub(crate) fn handle_subscribed(&mut self, event: &Event) {
        note_answered(&mut self.subscribing, event);
    }

    /// UNSUBSCRIBE was sent.
    pub(crate) fn handle_unsubscribe_sent(&mut self, event: &Event) {
        note_sent(&mut self.unsubscribing, event);
    }

    /// UNSUBACK came.
    pub(crate) fn handle_unsubscribed(&mut self, event: &Event) {
        note_answered(&mut self.unsubscribing, event);
    }

    /// A connection with a CONNACK ended.
    pub(crate) fn handle_ended(&mut self, event: &Event, cause: EndCause, path: Path) {
        let subscribing = self.subscribing.remove(&event.socket);
        let unsubscribing = self.unsubscribing.remove(&event.socket);
        if cause != EndCause::TimedOut || path == Path::OverLink {
            return;
        }
        let (request, since) = match (subscribing, unsubscribing) {
            (Some((sent, _)), _) => (Request::Subscribe, sent.now),
            (None, Some((sent, _))) => (Request::Unsubscribe, sent.now),
            (None, None) => (Request::Pingreq, event.now - self.patience),
        };
        if !self.note(request, event.device, [since, event.now]) {
            self.waiting.entry(request).or_default().hopeless += 1;
        }
    }

    /// A request of a device waited from the first moment to the second. Returns whether the generator may have left it
    /// waiting itself: it was held up for a second or more of that, and the rest is less than a device waits.
    fn note(&mut self, request: Request, device: DeviceId, [since, until]: [Instant; 2]) -> bool {
        let waited = until.saturating_since(since);
        let held_up = self.hold_ups.time_within(since, until);
        let is_excused = held_up >= MISSING_FROM && waited.saturating_sub(held_up) < self.patience;
        let waiting = self.waiting.entry(request).or_default();
        waiting.count += 1;
        waiting.oldest = waiting.oldest.max(waited);
        waiting.first.get_or_insert(device);
        if is_excused {
            waiting.excused += 1;
            waiting.held_up = waiting.held_up.max(held_up);
        } else {
            waiting.oldest_unexcused = waiting.oldest_unexcused.max(waited);
        }
        is_excused
    }

    /// The books are closed: `pending` are the messages whose exchanges are open.
    pub(crate) fn close(&mut self, now: Instant, pending: &[Pending]) {
        let asking = [
            (Request::Subscribe, std::mem::take(&mut self.subscribing)),
            (
                Request::Unsubscribe,
                std::mem::take(&mut self.unsubscribing),
            ),
        ];
        for (request, open) in asking {
            let mut open: Vec<Event> = open.into_values().map(|(sent, _)| sent).collect();
            open.sort_by_key(|sent| sent.device);
            for sent in open {
                self.note(request, sent.device, [sent.now, now]);
            }
        }
        for pending in pending {
            let request = match pending.qos {
                QoS::ExactlyOnce => Request::ExchangeQos2,
                QoS::AtMostOnce | QoS::AtLeastOnce => Request::PublishQos1,
            };
            self.note(request, pending.device, [pending.asked_at, now]);
            // No lag changes the order of answers.
            let waiting = self.waiting.entry(request).or_default();
            waiting.hopeless += u64::from(pending.is_overtaken);
        }
    }
}

fn note_sent(asking: &mut HashMap<SocketId, (Event, u32)>, event: &Event) {
    let open = asking.entry(event.socket);
    open.or_insert((*event, 0)).1 += 1;
}

fn note_answered(asking: &mut HashMap<SocketId, (Event, u32)>, event: &Event) {
    if let Some((_, open)) = asking.get_mut(&event.socket) {
        *open -= 1;
        if *open == 0 {
            asking.remove(&event.socket);
        }
    }
}

impl Request {
    /// Several of them, in a sentence.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::PublishQos1 => "PUBLISHes at QoS 1",
            Self::ExchangeQos2 => "exchanges at QoS 2",
            Self::Subscribe => "SUBSCRIBEs",
            Self::Unsubscribe => "UNSUBSCRIBEs",
            Self::Pingreq => "PINGREQs",
        }
    }

    /// What they were waiting for.
    pub(crate) const fn answer(self) -> &'static str {
        match self {
            Self::PublishQos1 => "PUBACK (§3.3.4)",
            Self::ExchangeQos2 => "PUBREC or PUBCOMP (§4.3.3)",
            Self::Subscribe => "SUBACK [MQTT-3.8.4-1]",
            Self::Unsubscribe => "UNSUBACK [MQTT-3.10.4-4]",
            Self::Pingreq => "PINGRESP [MQTT-3.12.4-1]",
        }
    }
}
